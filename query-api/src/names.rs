//! Names of people, groups and organisations, joined when somebody asks.

use std::collections::HashMap;

use domain::actor::Actor;
use domain::directory::EntryKind;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde_json::{Value, json};
use sqlx::postgres::PgExecutor;
use uuid::Uuid;

use crate::moment::Moment;

/// The names of some ids.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<(String, Uuid), String>);

impl Names {
    /// Looks up all that is known under these ids.
    pub(crate) async fn of(db: impl PgExecutor<'_>, ids: Vec<Uuid>) -> Result<Self, sqlx::Error> {
        let ids = distinct(ids);
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let rows = sqlx::query_as("SELECT kind, id, name FROM desk.directory_names WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(db)
            .await?;
        Ok(Self::from_rows(rows))
    }

    /// Looks up what they were called at that moment.
    pub(crate) async fn at(db: impl PgExecutor<'_>, ids: Vec<Uuid>, moment: Moment) -> Result<Self, sqlx::Error> {
        match moment {
            Moment::Present(_) => Self::of(db, ids).await,
            Moment::Past(at) => Self::of_the_past(db, ids, at).await,
        }
    }

    async fn of_the_past(db: impl PgExecutor<'_>, ids: Vec<Uuid>, at: Timestamp) -> Result<Self, sqlx::Error> {
        let ids = distinct(ids);
        if ids.is_empty() {
            return Ok(Self::default());
        }
        // The last by sequence, whatever the clocks of those who recorded them: as the present name is.
        let rows = sqlx::query_as(
            "SELECT DISTINCT ON (kind, id) kind, id, name
             FROM desk.directory_name_versions
             WHERE id = ANY($1) AND recorded_at <= $2
             ORDER BY kind, id, sequence DESC",
        )
        .bind(ids)
        .bind(at.to_sqlx())
        .fetch_all(db)
        .await?;
        Ok(Self::from_rows(rows))
    }

    fn from_rows(rows: Vec<(String, Uuid, String)>) -> Self {
        Self(rows.into_iter().map(|(kind, id, name)| ((kind, id), name)).collect())
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

fn distinct(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
