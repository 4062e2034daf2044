//! Profiles of the directory's entries: every version, and which is the last.

use std::collections::BTreeMap;

use domain::directory::Event;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use serde_json::Value;
use service_kit::written;
use uuid::Uuid;

use super::super::Positioned;
use crate::table::table;

table! {
    /// An entry that has a profile.
    #[derive(Debug, Clone, PartialEq)]
    ProfileRow in "profiles" key (kind, id) if_present Replace {
        kind: &'static str,
        id: Uuid,
        version: i64,
        name: String,
        definition: Value,
    }
}

table! {
    /// A version of a profile.
    #[derive(Debug, Clone, PartialEq)]
    ProfileVersionRow in "profile_versions" key (kind, id, version) if_present Refuse {
        kind: &'static str,
        id: Uuid,
        version: i64,
        change: &'static str,
        name: String,
        definition: Value,
        actor_id: Uuid,
        recorded_at: Timestamp,
    }
}

/// Every version that was written. Its number is its revision: names that were given before count as well.
pub(super) fn versions(records: &[Positioned<Event>]) -> Vec<ProfileVersionRow> {
    let mut versions = Vec::new();
    for Positioned { record, .. } in records {
        for event in &record.events {
            let Event::Profile(known) = event else { continue };
            versions.push(ProfileVersionRow {
                kind: known.kind().as_str(),
                id: record.header.aggregate_id,
                version: i64::try_from(record.header.revision.0).unwrap_or(i64::MAX),
                change: known.change(),
                name: known.name().as_str().to_owned(),
                definition: written::profile(known),
                actor_id: record.header.actor.user.as_uuid(),
                recorded_at: record.header.recorded_at.to_sqlx(),
            });
        }
    }
    versions
}

/// The last version of each profile.
pub(super) fn last(versions: &[ProfileVersionRow]) -> Vec<ProfileRow> {
    let last: BTreeMap<_, &ProfileVersionRow> = versions
        .iter()
        .map(|version| ((version.kind, version.id), version))
        .collect();
    last.into_values()
        .map(|version| ProfileRow {
            kind: version.kind,
            id: version.id,
            version: version.version,
            name: version.name.clone(),
            definition: version.definition.clone(),
        })
        .collect()
}
