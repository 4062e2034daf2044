//! Contracts with organisations: every version, and which is the last.

use std::collections::BTreeMap;

use domain::directory::Event;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use uuid::Uuid;

use super::super::Positioned;
use crate::table::table;

table! {
    /// A contract, as its last version says.
    #[derive(Debug, Clone, PartialEq)]
    ContractRow in "contracts" key (id) if_present Replace {
        id: Uuid,
        version: i64,
        workflow: &'static str,
    }
}

table! {
    /// A version of a contract.
    #[derive(Debug, Clone, PartialEq)]
    ContractVersionRow in "contract_versions" key (id, version) if_present Refuse {
        id: Uuid,
        version: i64,
        workflow: &'static str,
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
            let Event::Contract(contract) = event else { continue };
            versions.push(ContractVersionRow {
                id: record.header.aggregate_id,
                version: i64::try_from(record.header.revision.0).unwrap_or(i64::MAX),
                workflow: contract.workflow,
                support_from: contract.support_from.map(jiff::Timestamp::to_sqlx),
                support_until: contract.support_until.map(jiff::Timestamp::to_sqlx),
                actor_id: record.header.actor.user.as_uuid(),
                recorded_at: record.header.recorded_at.to_sqlx(),
            });
        }
    }
    versions
}

/// The last version of each contract.
pub(super) fn last(versions: &[ContractVersionRow]) -> Vec<ContractRow> {
    let last: BTreeMap<Uuid, &ContractVersionRow> = versions.iter().map(|version| (version.id, version)).collect();
    last.into_values()
        .map(|version| ContractRow {
            id: version.id,
            version: version.version,
            workflow: version.workflow,
        })
        .collect()
}
