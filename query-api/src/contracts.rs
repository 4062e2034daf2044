//! `GET /v1/organisations/{id}/contract`, `GET /v1/users/{id}/contract`, and `…/versions` of both
//!
//! For staff, and for the organisation's own people or the user.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::actor::{Actor, ActorKind};
use domain::contract::{Contract, Party, SupportPeriod, VERSIONS_MAX};
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
    workflow: Option<String>,
    support_from: Option<jiff_sqlx::Timestamp>,
    support_until: Option<jiff_sqlx::Timestamp>,
    actor_id: Uuid,
    recorded_at: jiff_sqlx::Timestamp,
}

/// What was agreed with an organisation or a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contract)]
pub(crate) struct Item {
    /// With which organisation; absent from that of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    organisation: Option<Uuid>,
    /// With which user; absent from that of an organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<Uuid>,
    /// Counted from 1; 0 where nothing was agreed, and the usual holds.
    #[schema(minimum = 0)]
    version: i64,
    /// Absent from that of a user: what counts is the organisation's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = openapi::workflows, required = false)]
    workflow: Option<String>,
    /// When support begins; null: it always has.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    support_from: Option<Timestamp>,
    /// When support has ended; null: it never does.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    support_until: Option<Timestamp>,
    /// Whether that is now; absent from versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = openapi::support, required = false)]
    support: Option<&'static str>,
    #[schema(schema_with = openapi::nullable_named)]
    changed_by: Value,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    changed_at: Option<Timestamp>,
}

/// What holds for an organisation.
pub(crate) async fn of_organisation(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    one(&app, organisation(path, &actor, &uri)?).await
}

/// What holds for a user.
pub(crate) async fn of_user(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    one(&app, user(path, &actor, &uri)?).await
}

/// Everything that was ever agreed with an organisation.
pub(crate) async fn versions_of_organisation(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    versions(&app, organisation(path, &actor, &uri)?, &uri).await
}

/// Everything that was ever agreed with a user.
pub(crate) async fn versions_of_user(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    versions(&app, user(path, &actor, &uri)?, &uri).await
}

async fn one(app: &App, party: Party) -> Result<Response, Problem> {
    let last = newest(&app.db, party, 1).await?.pop();
    let etag = last.as_ref().map_or(0, |row| row.version);
    let etag = HeaderValue::from_str(&format!("\"{etag}\"")).ok();
    let headers: HeaderMap = etag.into_iter().map(|etag| (ETAG, etag)).collect();
    let item = match last {
        Some(row) => items(&app.db, party, vec![row]).await?.pop(),
        None => None,
    };
    let item = item.unwrap_or_else(|| usual(party));
    let period = SupportPeriod {
        from: item.support_from,
        until: item.support_until,
    };
    let support = Some(period.at(app.clock.now()).as_str());
    Ok((headers, Json(Item { support, ..item })).into_response())
}

/// Oldest first. There are few enough for one page.
async fn versions(app: &App, party: Party, uri: &Uri) -> Result<Response, Problem> {
    let mut rows = newest(&app.db, party, ALL).await?;
    rows.reverse();
    Ok(Page {
        items: items(&app.db, party, rows).await?,
        next_cursor: None,
        total: None,
    }
    .answer(uri))
}

/// The organisation that a path names, if the caller may know what was agreed with it.
fn organisation(path: Result<Path<String>, PathRejection>, actor: &Actor, uri: &Uri) -> Result<Party, Problem> {
    Params::read(uri, &[])?.finish()?;
    let own = actor.organisation.map(OrganisationId::as_uuid);
    Ok(Party::Organisation(visible(path, actor, own)?.into()))
}

/// The user whom a path names, if the caller may know what was agreed with them.
fn user(path: Result<Path<String>, PathRejection>, actor: &Actor, uri: &Uri) -> Result<Party, Problem> {
    Params::read(uri, &[])?.finish()?;
    Ok(Party::User(visible(path, actor, Some(actor.user.as_uuid()))?.into()))
}

fn visible(path: Result<Path<String>, PathRejection>, actor: &Actor, own: Option<Uuid>) -> Result<Uuid, Problem> {
    let Path(id) = path?;
    let id: Option<Uuid> = id.parse().ok();
    let visible = |id: &Uuid| match actor.kind {
        ActorKind::Staff | ActorKind::System => true,
        ActorKind::Customer => own == Some(*id),
    };
    id.filter(visible)
        .ok_or_else(|| Problem::new(&NOT_FOUND).detail("There is nobody with that id whom you may see. Ids are UUIDs."))
}

/// As many versions as there can be.
const ALL: i64 = VERSIONS_MAX.cast_signed();

/// The last so many versions, the newest first.
async fn newest(db: &PgPool, party: Party, limit: i64) -> Result<Vec<Row>, Problem> {
    let rows = sqlx::query_as(
        "SELECT version, workflow, support_from, support_until, actor_id, recorded_at
         FROM desk.contract_versions WHERE party = $1 AND id = $2 ORDER BY version DESC LIMIT $3",
    );
    let rows = rows
        .bind(party.kind().as_str())
        .bind(party.as_uuid())
        .bind(limit)
        .fetch_all(db);
    rows.await.map_err(problem)
}

async fn items(db: &PgPool, party: Party, rows: Vec<Row>) -> Result<Vec<Item>, Problem> {
    let ids = rows.iter().map(|row| row.actor_id).collect();
    let names = Names::of(db, ids).await.map_err(problem)?;
    let item = |row: Row| Item {
        version: row.version,
        workflow: row.workflow,
        support_from: row.support_from.map(jiff_sqlx::Timestamp::to_jiff),
        support_until: row.support_until.map(jiff_sqlx::Timestamp::to_jiff),
        changed_by: names.json(EntryKind::User, Some(row.actor_id)),
        changed_at: Some(row.recorded_at.to_jiff()),
        ..usual(party)
    };
    Ok(rows.into_iter().map(item).collect())
}

/// What holds where nothing was agreed.
fn usual(party: Party) -> Item {
    let (organisation, user) = match party {
        Party::Organisation(id) => (Some(id.as_uuid()), None),
        Party::User(id) => (None, Some(id.as_uuid())),
    };
    Item {
        organisation,
        user,
        version: 0,
        workflow: organisation.map(|_| Contract::default().workflow.to_owned()),
        support_from: None,
        support_until: None,
        support: None,
        changed_by: Value::Null,
        changed_at: None,
    }
}
