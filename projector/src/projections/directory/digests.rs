//! Digests: of which stretches of time they are.

use domain::directory::Event;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use uuid::Uuid;

use super::super::Positioned;
use crate::table::table;

table! {
    /// A digest.
    #[derive(Debug, Clone, PartialEq)]
    DigestRow in "digests" key (id) if_present Refuse {
        id: Uuid,
        began_at: Option<Timestamp>,
        ended_at: Timestamp,
    }
}

/// Every digest that was drawn.
pub(super) fn drawn(records: &[Positioned<Event>]) -> Vec<DigestRow> {
    let drawn = records.iter().flat_map(|Positioned { record, .. }| {
        record.events.iter().filter_map(|event| {
            let Event::Digest(digest) = event else { return None };
            Some(DigestRow {
                id: record.header.aggregate_id,
                began_at: digest.from.map(jiff::Timestamp::to_sqlx),
                ended_at: digest.until.to_sqlx(),
            })
        })
    });
    drawn.collect()
}
