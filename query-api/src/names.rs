//! Names of people, groups, organisations and projects, joined when somebody asks.

use std::collections::HashMap;

use domain::actor::Actor;
use domain::directory::EntryKind;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::postgres::PgExecutor;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::moment::Moment;

/// Somebody or something by id; a name that is not known is null.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Named {
    id: Uuid,
    #[schema(required = true)]
    name: Option<String>,
}

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

    /// The name of whatever has this id.
    pub(crate) fn of_any_kind(&self, id: Uuid) -> Option<&str> {
        let known = EntryKind::ALL
            .iter()
            .find_map(|kind| self.0.get(&(kind.as_str().to_owned(), id)));
        known.map(String::as_str)
    }

    /// `{"id", "name"}`, or null for nobody.
    pub(crate) fn json(&self, kind: EntryKind, id: Option<Uuid>) -> Value {
        id.map_or(Value::Null, |id| {
            json!(Named {
                id,
                name: self.name(kind, id)
            })
        })
    }
}

fn distinct(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The details that name somebody. Each is an id, or a change from an id to another.
const NAMED_DETAILS: [(&str, EntryKind); 4] = [
    ("assignee", EntryKind::User),
    ("user", EntryKind::User),
    ("group", EntryKind::Group),
    ("project", EntryKind::Project),
];

/// The ids that an event's details name.
pub(crate) fn ids_in(details: &Value) -> Vec<Uuid> {
    let id = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    let of_detail = |(name, _): (&str, EntryKind)| {
        let value = details.get(name);
        [
            value,
            value.and_then(|value| value.get("from")),
            value.and_then(|value| value.get("to")),
        ]
    };
    NAMED_DETAILS
        .into_iter()
        .flat_map(of_detail)
        .flatten()
        .filter_map(id)
        .collect()
}

/// An event's details with `{"id", "name"}` in place of the ids.
pub(crate) fn with_names(details: Value, names: &Names) -> Value {
    let Value::Object(mut details) = details else {
        return details;
    };
    for (name, kind) in NAMED_DETAILS {
        if let Some(value) = details.get_mut(name) {
            *value = with_name(value.take(), kind, names);
        }
    }
    Value::Object(details)
}

fn with_name(value: Value, kind: EntryKind, names: &Names) -> Value {
    match value {
        Value::Object(change) => {
            let sides: Map<String, Value> = change
                .into_iter()
                .map(|(side, value)| (side, with_name(value, kind, names)))
                .collect();
            Value::Object(sides)
        }
        Value::String(text) => text
            .parse()
            .map_or(Value::String(text), |id| names.json(kind, Some(id))),
        other => other,
    }
}
