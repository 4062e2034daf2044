//! Calendars: every version, and which is the last.

use std::collections::BTreeMap;

use domain::directory::Event;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use serde_json::Value;
use service_kit::written;
use uuid::Uuid;

use super::super::Positioned;
use crate::table::table;

table! {
    /// A calendar.
    #[derive(Debug, Clone, PartialEq)]
    CalendarRow in "calendars" key (id) if_present Replace {
        id: Uuid,
        version: i64,
        name: String,
    }
}

table! {
    /// A version of a calendar.
    #[derive(Debug, Clone, PartialEq)]
    CalendarVersionRow in "calendar_versions" key (id, version) if_present Refuse {
        id: Uuid,
        version: i64,
        change: &'static str,
        name: String,
        time_zone: String,
        definition: Value,
        effective_from: Option<jiff_sqlx::Date>,
        actor_id: Uuid,
        recorded_at: Timestamp,
    }
}

/// Every version that was written.
pub(super) fn versions(records: &[Positioned<Event>]) -> Vec<CalendarVersionRow> {
    let mut versions = Vec::new();
    for Positioned { record, .. } in records {
        for event in &record.events {
            let Event::Calendar(revised) = event else { continue };
            let spec = &revised.version.spec;
            versions.push(CalendarVersionRow {
                id: record.header.aggregate_id,
                version: i64::try_from(record.header.revision.0).unwrap_or(i64::MAX),
                change: revised.change.as_str(),
                name: spec.name.clone(),
                time_zone: spec.time_zone.clone(),
                definition: written::calendar(spec),
                effective_from: revised.version.effective_from.map(jiff_sqlx::ToSqlx::to_sqlx),
                actor_id: record.header.actor.user.as_uuid(),
                recorded_at: record.header.recorded_at.to_sqlx(),
            });
        }
    }
    versions
}

/// The last version of each calendar.
pub(super) fn last(versions: &[CalendarVersionRow]) -> Vec<CalendarRow> {
    let last: BTreeMap<Uuid, &CalendarVersionRow> = versions.iter().map(|version| (version.id, version)).collect();
    last.into_values()
        .map(|version| CalendarRow {
            id: version.id,
            version: version.version,
            name: version.name.clone(),
        })
        .collect()
}
