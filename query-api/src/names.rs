//! Names of people, groups and organisations, joined when somebody asks.

use std::collections::HashMap;

use domain::actor::Actor;
use domain::directory::EntryKind;
use serde_json::{Value, json};
use sqlx::postgres::PgExecutor;
use uuid::Uuid;

/// The names of some ids.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<(String, Uuid), String>);

impl Names {
    /// Looks up all that is known under these ids.
    pub(crate) async fn of(db: impl PgExecutor<'_>, mut ids: Vec<Uuid>) -> Result<Self, sqlx::Error> {
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let rows: Vec<(String, Uuid, String)> =
            sqlx::query_as("SELECT kind, id, name FROM desk.directory_names WHERE id = ANY($1)")
                .bind(ids)
                .fetch_all(db)
                .await?;
        Ok(Self(
            rows.into_iter().map(|(kind, id, name)| ((kind, id), name)).collect(),
        ))
    }

    /// The name, if there is one. The desk itself is in no directory.
    pub(crate) fn name(&self, kind: EntryKind, id: Uuid) -> Option<String> {
        let known = self.0.get(&(kind.as_str().to_owned(), id)).cloned();
        known.or_else(|| {
            let desk = Actor::system();
            desk.name
                .filter(|_| kind == EntryKind::User && desk.user.as_uuid() == id)
                .map(|name| name.as_str().to_owned())
        })
    }

    /// `{"id", "name"}`, or null for nobody.
    pub(crate) fn json(&self, kind: EntryKind, id: Option<Uuid>) -> Value {
        id.map_or(Value::Null, |id| json!({ "id": id, "name": self.name(kind, id) }))
    }
}
