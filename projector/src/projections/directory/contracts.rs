//! Contracts with organisations and users: every version, and which is the last.

use std::collections::BTreeMap;

use domain::contract::Agreed;
use domain::directory::{EntryKind, Event};
use jiff_sqlx::{Timestamp, ToSqlx as _};
use uuid::Uuid;

use super::super::Positioned;
use crate::table::table;

table! {
    /// A contract, as its last version says.
    #[derive(Debug, Clone, PartialEq)]
    ContractRow in "contracts" key (party, id) if_present Replace {
        party: &'static str,
        id: Uuid,
        version: i64,
        workflow: Option<String>,
    }
}

table! {
    /// A version of a contract.
    #[derive(Debug, Clone, PartialEq)]
    ContractVersionRow in "contract_versions" key (party, id, version) if_present Refuse {
        party: &'static str,
        id: Uuid,
        version: i64,
        workflow: Option<String>,
        support_from: Option<Timestamp>,
        support_until: Option<Timestamp>,
        actor_id: Uuid,
        recorded_at: Timestamp,
    }
}

/// Every version that was agreed upon.
pub(super) fn versions(records: &[Positioned<Event>]) -> Vec<ContractVersionRow> {
    let mut versions = Vec::new();
    for Positioned { record, .. } in records {
        for event in &record.events {
            let Event::Agreed(agreed) = event else { continue };
            let (party, support) = (party(agreed).as_str(), agreed.support());
            versions.push(ContractVersionRow {
                party,
                id: record.header.aggregate_id,
                version: i64::try_from(record.header.revision.0).unwrap_or(i64::MAX),
                workflow: agreed.workflow().map(str::to_owned),
                support_from: support.from.map(jiff::Timestamp::to_sqlx),
                support_until: support.until.map(jiff::Timestamp::to_sqlx),
                actor_id: record.header.actor.user.as_uuid(),
                recorded_at: record.header.recorded_at.to_sqlx(),
            });
        }
    }
    versions
}

/// The last version of each contract.
pub(super) fn last(versions: &[ContractVersionRow]) -> Vec<ContractRow> {
    let last: BTreeMap<_, &ContractVersionRow> = versions
        .iter()
        .map(|version| ((version.party, version.id), version))
        .collect();
    last.into_values()
        .map(|version| ContractRow {
            party: version.party,
            id: version.id,
            version: version.version,
            workflow: version.workflow.clone(),
        })
        .collect()
}

pub(super) const fn party(agreed: &Agreed) -> EntryKind {
    match agreed {
        Agreed::WithOrganisation(_) => EntryKind::Organisation,
        Agreed::WithUser(_) => EntryKind::User,
    }
}
