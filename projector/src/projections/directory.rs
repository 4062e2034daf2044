//! The projection `directory`: names of users, groups and organisations. Readers join them when
//! they are asked, so that this stream and the tickets' need no order between them.

use std::collections::BTreeMap;

use domain::directory::Event;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{ApplyError, Positioned, Projection};
use crate::table::{self, table};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory;

table! {
    /// A name.
    #[derive(Debug, Clone, PartialEq)]
    NameRow in "desk_1.directory_names" key (kind, id) if_present Replace {
        kind: &'static str,
        id: Uuid,
        name: String,
    }
}

impl Projection for Directory {
    const NAME: &'static str = "directory";
    const GENERATION: i32 = 1;
    type Event = Event;

    async fn apply(
        &self,
        db: &mut PgConnection,
        _partition: u16,
        records: &[Positioned<Event>],
    ) -> Result<(), ApplyError> {
        table::write(db, &fold(records)).await.map_err(ApplyError::Database)
    }
}

/// The last name that each entry was given.
fn fold(records: &[Positioned<Event>]) -> Vec<NameRow> {
    let mut names: BTreeMap<(&'static str, Uuid), String> = BTreeMap::new();
    for Positioned { record, .. } in records {
        for event in &record.events {
            match event {
                Event::Named { kind, name } => {
                    names.insert((kind.as_str(), record.header.aggregate_id), name.as_str().to_owned());
                }
            }
        }
    }
    names
        .into_iter()
        .map(|((kind, id), name)| NameRow { kind, id, name })
        .collect()
}
