//! Policies: every version, and which is the last.

use std::collections::BTreeMap;

use domain::directory::Event;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use serde_json::Value;
use service_kit::written;
use uuid::Uuid;

use super::super::Positioned;
use crate::table::table;

table! {
    /// A policy.
    #[derive(Debug, Clone, PartialEq)]
    PolicyRow in "policies" key (id) if_present Replace {
        id: Uuid,
        version: i64,
        name: String,
    }
}

table! {
    /// A version of a policy.
    #[derive(Debug, Clone, PartialEq)]
    PolicyVersionRow in "policy_versions" key (id, version) if_present Refuse {
        id: Uuid,
        version: i64,
        change: &'static str,
        name: String,
        definition: Value,
        actor_id: Uuid,
        recorded_at: Timestamp,
    }
}

/// Every version that was written.
pub(super) fn versions(records: &[Positioned<Event>]) -> Vec<PolicyVersionRow> {
    let mut versions = Vec::new();
    for Positioned { record, .. } in records {
        for event in &record.events {
            let Event::Policy(revised) = event else { continue };
            versions.push(PolicyVersionRow {
                id: revised.policy.as_uuid(),
                version: revised.number.into(),
                change: revised.change.as_str(),
                name: revised.version.name.as_str().to_owned(),
                definition: written::policy(&revised.version),
                actor_id: record.header.actor.user.as_uuid(),
                recorded_at: record.header.recorded_at.to_sqlx(),
            });
        }
    }
    versions
}

/// The last version of each policy.
pub(super) fn last(versions: &[PolicyVersionRow]) -> Vec<PolicyRow> {
    let last: BTreeMap<Uuid, &PolicyVersionRow> = versions.iter().map(|version| (version.id, version)).collect();
    last.into_values()
        .map(|version| PolicyRow {
            id: version.id,
            version: version.version,
            name: version.name.clone(),
        })
        .collect()
}
