//! `GET /v1/organisations/{id}/contract`, `GET /v1/organisations/{id}/contract/versions`
//!
//! For staff, and for the organisation's own people.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::actor::{Actor, ActorKind};
use domain::contract::{Contract, VERSIONS_MAX};
use domain::directory::EntryKind;
use domain::ids::OrganisationId;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::problem::types::NOT_FOUND;
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::database::problem;
use crate::names::Names;
use crate::openapi;
use crate::page::Page;
use crate::params::Params;

#[derive(Debug, sqlx::FromRow)]
struct Row {
    version: i64,
    workflow: String,
    support_from: Option<jiff_sqlx::Timestamp>,
    support_until: Option<jiff_sqlx::Timestamp>,
    actor_id: Uuid,
    recorded_at: jiff_sqlx::Timestamp,
}

/// What was agreed with an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contract)]
pub(crate) struct Item {
    organisation: Uuid,
    /// Counted from 1; 0 where nothing was agreed, and the usual holds.
    #[schema(minimum = 0)]
    version: i64,
    #[schema(schema_with = openapi::workflows)]
    workflow: String,
    /// When support begins; null: it always has.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    support_from: Option<Timestamp>,
    /// When support has ended; null: it never does.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    support_until: Option<Timestamp>,
    #[schema(schema_with = openapi::nullable_named)]
    changed_by: Value,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    changed_at: Option<Timestamp>,
}

/// What holds for an organisation.
pub(crate) async fn one(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?.finish()?;
    let organisation = organisation(path, &actor)?;
    let last = newest(&app.db, organisation, 1).await?.pop();
    let etag = last.as_ref().map_or(0, |row| row.version);
    let etag = HeaderValue::from_str(&format!("\"{etag}\"")).ok();
    let headers: HeaderMap = etag.into_iter().map(|etag| (ETAG, etag)).collect();
    let item = match last {
        Some(row) => items(&app.db, organisation, vec![row]).await?.pop(),
        None => None,
    };
    Ok((headers, Json(item.unwrap_or_else(|| usual(organisation)))).into_response())
}

/// Everything that was ever agreed with it, oldest first. There are few enough for one page.
pub(crate) async fn versions(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?.finish()?;
    let organisation = organisation(path, &actor)?;
    let mut rows = newest(&app.db, organisation, ALL).await?;
    rows.reverse();
    Ok(Page {
        items: items(&app.db, organisation, rows).await?,
        next_cursor: None,
        total: None,
    }
    .answer(&uri))
}

/// The organisation that a path names, if the caller may know what was agreed with it.
fn organisation(path: Result<Path<String>, PathRejection>, actor: &Actor) -> Result<Uuid, Problem> {
    let Path(id) = path?;
    let id: Option<Uuid> = id.parse().ok();
    let own = actor.organisation.map(OrganisationId::as_uuid);
    let visible = |id: &Uuid| match actor.kind {
        ActorKind::Staff | ActorKind::System => true,
        ActorKind::Customer => own == Some(*id),
    };
    id.filter(visible).ok_or_else(|| {
        Problem::new(&NOT_FOUND).detail("There is no such organisation that you may see. Ids are UUIDs.")
    })
}

/// As many versions as there can be.
const ALL: i64 = VERSIONS_MAX.cast_signed();

/// The last so many versions, the newest first.
async fn newest(db: &PgPool, organisation: Uuid, limit: i64) -> Result<Vec<Row>, Problem> {
    let rows = sqlx::query_as(
        "SELECT version, workflow, support_from, support_until, actor_id, recorded_at
         FROM desk.contract_versions WHERE id = $1 ORDER BY version DESC LIMIT $2",
    );
    let rows = rows.bind(organisation).bind(limit).fetch_all(db);
    rows.await.map_err(problem)
}

async fn items(db: &PgPool, organisation: Uuid, rows: Vec<Row>) -> Result<Vec<Item>, Problem> {
    let ids = rows.iter().map(|row| row.actor_id).collect();
    let names = Names::of(db, ids).await.map_err(problem)?;
    let item = |row: Row| Item {
        organisation,
        version: row.version,
        workflow: row.workflow,
        support_from: row.support_from.map(jiff_sqlx::Timestamp::to_jiff),
        support_until: row.support_until.map(jiff_sqlx::Timestamp::to_jiff),
        changed_by: names.json(EntryKind::User, Some(row.actor_id)),
        changed_at: Some(row.recorded_at.to_jiff()),
    };
    Ok(rows.into_iter().map(item).collect())
}

/// What holds where nothing was agreed.
fn usual(organisation: Uuid) -> Item {
    let usual = Contract::default();
    Item {
        organisation,
        version: 0,
        workflow: usual.workflow.to_owned(),
        support_from: usual.support_from,
        support_until: usual.support_until,
        changed_by: Value::Null,
        changed_at: None,
    }
}
