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
    ActionRow in "actions" key (sequence) if_present Refuse {
        sequence: i64,
        actor_id: Uuid,
        action: &'static str,
        kind: &'static str,
        id: Uuid,
        version: i64,
        name: Option<String>,
        recorded_at: Timestamp,
        origin_id: Option<Uuid>,
    }
}

/// What people did. Names that were given along with a ticket's command are part of that.
pub(super) fn done(records: &[Positioned<Event>]) -> Vec<ActionRow> {
    let by_people = records
        .iter()
        .filter(|it| it.record.header.actor.kind != ActorKind::System);
    let rows = by_people.filter_map(|Positioned { sequence, record }| {
        let header = &record.header;
        let entry = (header.aggregate_id, header.revision.0);
        let done = record.events.first().and_then(|event| action(event, entry))?;
        Some(ActionRow {
            sequence: i64::try_from(*sequence).unwrap_or(i64::MAX),
            actor_id: header.actor.user.as_uuid(),
            action: done.action,
            kind: done.kind,
            id: done.id,
            version: i64::try_from(done.version).unwrap_or(i64::MAX),
            name: done.name.map(str::to_owned),
            recorded_at: header.recorded_at.to_sqlx(),
            origin_id: header.correlation,
        })
    });
    rows.collect()
}

/// What was done with what.
struct Done<'e> {
    action: &'static str,
    kind: &'static str,
    id: Uuid,
    version: u64,
    /// The name that it has by that.
    name: Option<&'e str>,
}

/// What an event of the entry of this id and revision was. `None`: nothing that counts for itself.
fn action(event: &Event, (id, version): (Uuid, u64)) -> Option<Done<'_>> {
    let done = |action, kind, name| Done {
        action,
        kind,
        id,
        version,
        name,
    };
    match event {
        Event::Profile(profile) => {
            let name = Label::as_str(profile.name());
            Some(done(profile.change(), profile.kind().as_str(), Some(name)))
        }
        Event::Calendar(revised) => {
            let name = &revised.version.spec.name;
            Some(done(revised.change.as_str(), "calendar", Some(name)))
        }
        // All of them are of one history.
        Event::Policy(revised) => Some(Done {
            id: revised.policy.as_uuid(),
            version: revised.number.into(),
            ..done(revised.change.as_str(), "policy", Some(revised.version.name.as_str()))
        }),
        Event::Agreed(agreed) => {
            let action = match **agreed {
                Agreed::WithOrganisation(_) => "contract_agreed",
                Agreed::WithUser(_) => "user_contract_agreed",
            };
            Some(done(action, party(agreed).as_str(), None))
        }
        Event::Named { .. } | Event::Digest(_) | Event::Address(_) => None,
    }
}
