//! What people did with the directory: one row for each of their records.

use domain::actor::ActorKind;
use domain::contract::Agreed;
use domain::directory::Event;
use domain::text::Label;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use uuid::Uuid;

use super::super::Positioned;
use super::contracts::party;
use crate::table::table;

table! {
    /// Something that somebody did.
    #[derive(Debug, Clone, PartialEq)]
    ActionRow in "actions" key (partition, sequence) if_present Refuse {
        partition: i32,
        sequence: i64,
        actor_id: Uuid,
        action: &'static str,
        kind: &'static str,
        id: Uuid,
        version: i64,
        name: Option<String>,
        origin_id: Option<Uuid>,
        recorded_at: Timestamp,
    }
}

/// What people did. Names that were given along with a ticket's command are part of that.
pub(super) fn done(partition: u16, records: &[Positioned<Event>]) -> Vec<ActionRow> {
    let by_people = records
        .iter()
        .filter(|it| it.record.header.actor.kind != ActorKind::System);
    let rows = by_people.filter_map(|Positioned { sequence, record }| {
        let (action, kind, name) = record.events.first().and_then(action)?;
        Some(ActionRow {
            partition: partition.into(),
            sequence: i64::try_from(*sequence).unwrap_or(i64::MAX),
            actor_id: record.header.actor.user.as_uuid(),
            action,
            kind,
            id: record.header.aggregate_id,
            version: i64::try_from(record.header.revision.0).unwrap_or(i64::MAX),
            name,
            origin_id: record.header.correlation,
            recorded_at: record.header.recorded_at.to_sqlx(),
        })
    });
    rows.collect()
}

/// What was done, with what sort of entry, and the name that it has by that. `None`: nothing that counts for itself.
fn action(event: &Event) -> Option<(&'static str, &'static str, Option<String>)> {
    let named = |name: &str| Some(name.to_owned());
    match event {
        Event::Profile(profile) => {
            let name = Label::as_str(profile.name());
            Some((profile.change(), profile.kind().as_str(), named(name)))
        }
        Event::Calendar(revised) => {
            let name = &revised.version.spec.name;
            Some((revised.change.as_str(), "calendar", named(name)))
        }
        Event::Policy(revised) => Some((revised.change.as_str(), "policy", named(revised.version.name.as_str()))),
        Event::Agreed(agreed) => {
            let action = match **agreed {
                Agreed::WithOrganisation(_) => "contract_agreed",
                Agreed::WithUser(_) => "user_contract_agreed",
            };
            Some((action, party(agreed).as_str(), None))
        }
        Event::Named { .. } | Event::Digest(_) | Event::Address(_) => None,
    }
}
