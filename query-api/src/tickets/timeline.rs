//! `GET /v1/tickets/{id}/timeline`

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use domain::actor::Actor;
use domain::directory::EntryKind;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service_kit::Problem;
use service_kit::http::Caller;
use sqlx::QueryBuilder;
use utoipa::ToSchema;
use uuid::Uuid;

use super::one::{Named, absent};
use crate::app::App;
use crate::database::problem;
use crate::moment::Moment;
use crate::names::{Names, ids_in, with_names};
use crate::openapi;
use crate::page::{LIMIT_DEFAULT, Page, limit};
use crate::params::Params;
use crate::portal;

#[derive(Debug, sqlx::FromRow)]
struct EventRow {
    revision: i64,
    place: i32,
    event: String,
    status: String,
    actor_id: Uuid,
    actor_kind: String,
    via_id: Option<Uuid>,
    occurred_at: jiff_sqlx::Timestamp,
    recorded_at: jiff_sqlx::Timestamp,
    visibility: String,
    details: Value,
}

/// The last event of a page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    #[serde(rename = "r")]
    revision: i64,
    #[serde(rename = "p")]
    place: i32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineEvent)]
pub(crate) struct Item {
    /// The record that it is in.
    revision: i64,
    event: String,
    /// The ticket's status after it.
    #[schema(schema_with = openapi::statuses)]
    status: String,
    #[schema(schema_with = openapi::actor)]
    actor: Value,
    /// The importer, if one brought it.
    #[schema(schema_with = openapi::nullable_named)]
    via: Value,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// When the log took it.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    #[schema(schema_with = openapi::visibilities)]
    visibility: String,
    /// Its own fields, named as in the command; a correction has from and to.
    #[schema(value_type = Object)]
    details: Value,
}

/// A page of what happened, newest last.
pub(crate) async fn timeline(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut params = Params::read(&uri, &["limit", "cursor", "as_of"])?;
    let moment = Moment::read(&mut params, app.clock.now());
    let limit = params.one("limit", limit).unwrap_or(LIMIT_DEFAULT);
    let after = params.one("cursor", |text| Ok(text.to_owned()));
    params.finish()?;
    let after: Option<Cursor> = after.as_deref().map(|text| app.cursors.read(&uri, text)).transpose()?;

    let ticket = find(&app, Named::parse(&path?)?, &actor, moment).await?;
    let mut rows = page(&app, ticket, &actor, after, limit).await?;
    let more = rows.len() > usize::from(limit);
    rows.truncate(limit.into());
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| {
        app.cursors.write(
            &uri,
            &Cursor {
                revision: row.revision,
                place: row.place,
            },
        )
    });
    let ids = rows.iter().flat_map(ids).collect();
    let names = Names::at(&app.db, ids, moment).await.map_err(problem)?;
    rows.retain_mut(|row| portal::is_told(&actor, &row.event, &mut row.details));
    let items = rows.into_iter().map(|row| item(row, &names)).collect();
    Ok(Page {
        items,
        next_cursor,
        total: None,
    }
    .answer(&uri))
}

/// The ticket, and the last of its records that there was at that moment.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(super) struct Found {
    pub(super) id: Uuid,
    pub(super) revision: i64,
}

pub(super) async fn find(app: &App, named: Named, actor: &Actor, moment: Moment) -> Result<Found, Problem> {
    let mut sql = QueryBuilder::new("SELECT t.id, t.revision");
    moment.push_from(&mut sql);
    sql.push(" WHERE ");
    named.push(&mut sql, actor, moment);
    let found = sql.build_query_as().fetch_optional(&app.db).await.map_err(problem)?;
    found.ok_or_else(absent)
}

async fn page(
    app: &App,
    ticket: Found,
    actor: &Actor,
    after: Option<Cursor>,
    limit: u16,
) -> Result<Vec<EventRow>, Problem> {
    let mut sql = QueryBuilder::new(
        "SELECT revision, place, event, status, actor_id, actor_kind, via_id, occurred_at, recorded_at, visibility, details
         FROM desk.timeline
         WHERE ticket_id = ",
    );
    sql.push_bind(ticket.id)
        .push(" AND revision <= ")
        .push_bind(ticket.revision);
    portal::push_told(&mut sql, "", actor);
    if let Some(Cursor { revision, place }) = after {
        sql.push(" AND (revision, place) > (")
            .push_bind(revision)
            .push(", ")
            .push_bind(place)
            .push(")");
    }
    sql.push(" ORDER BY revision, place LIMIT ")
        .push_bind(i64::from(limit) + 1);
    sql.build_query_as().fetch_all(&app.db).await.map_err(problem)
}

fn ids(row: &EventRow) -> Vec<Uuid> {
    ids_in(&row.details)
        .into_iter()
        .chain([row.actor_id])
        .chain(row.via_id)
        .collect()
}

fn item(row: EventRow, names: &Names) -> Item {
    Item {
        revision: row.revision,
        event: row.event,
        status: row.status,
        actor: json!({ "id": row.actor_id, "name": names.name(EntryKind::User, row.actor_id), "kind": row.actor_kind }),
        via: names.json(EntryKind::User, row.via_id),
        occurred_at: row.occurred_at.to_jiff(),
        recorded_at: row.recorded_at.to_jiff(),
        visibility: row.visibility,
        details: with_names(row.details, names),
    }
}
