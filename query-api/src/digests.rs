//! `GET /v1/digests`, `GET /v1/digests/{id}`
//!
//! For staff who see every ticket: what became of promised times between one digest and the next.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use axum::{Extension, Json};
use domain::sla::TargetKind;
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlTimestamp;
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::problem::types::DIGEST_NOT_FOUND;
use sqlx::{AssertSqlSafe, PgPool};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::for_all_seeing;
use crate::app::App;
use crate::database::problem;
use crate::feed::details::Target;
use crate::page::{LIMIT_DEFAULT, LIMIT_MAX, Page, limit};
use crate::params::Params;

/// Said to all others.
const FOR_ALL_SEEING: &str = "Digests are for staff who see every ticket.";

#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: Uuid,
    began_at: Option<SqlTimestamp>,
    ended_at: SqlTimestamp,
}

/// Of which stretch of time a digest is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Digest)]
pub(crate) struct Item {
    id: Uuid,
    /// The end of the one before, which is not in it; null: it is the first, and of all before.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    from: Option<Timestamp>,
    /// Its last instant.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// What happened in that time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DigestTold)]
pub(crate) struct Told {
    #[serde(flatten)]
    digest: Item,
    /// How many tickets were created.
    #[schema(minimum = 0)]
    created: i64,
    /// How many times a ticket was closed.
    #[schema(minimum = 0)]
    closed: i64,
    /// Promised times that were nearly over.
    warned: Clocks,
    /// Promised times that were over.
    breached: Clocks,
}

/// Clocks of tickets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DigestClocks)]
struct Clocks {
    /// How many there are in all.
    #[schema(minimum = 0)]
    total: i64,
    /// The last 200 of them, oldest first.
    items: Vec<ClockItem>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DigestClock)]
struct ClockItem {
    ticket: TicketItem,
    target: Target,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DigestTicket)]
struct TicketItem {
    id: Uuid,
    #[schema(minimum = 1)]
    number: i64,
    subject: String,
}

/// Where a page begins: before this one.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    until: Timestamp,
}

/// Every digest that was drawn, the newest first.
pub(crate) async fn list(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_all_seeing(&actor, FOR_ALL_SEEING)?;
    let mut params = Params::read(&uri, &["limit", "cursor"])?;
    let limit = params.one("limit", limit).unwrap_or(LIMIT_DEFAULT);
    let text = params.one("cursor", |text| Ok(text.to_owned()));
    params.finish()?;
    let before: Option<Before> = text.as_deref().map(|text| app.cursors.read(&uri, text)).transpose()?;
    let rows = sqlx::query_as(
        "SELECT id, began_at, ended_at FROM desk.digests
         WHERE $1::timestamptz IS NULL OR ended_at < $1 ORDER BY ended_at DESC LIMIT $2",
    );
    let rows = rows
        .bind(before.map(|before| sql(before.until)))
        .bind(i64::from(limit) + 1)
        .fetch_all(&app.db);
    let rows: Vec<Row> = rows.await.map_err(problem)?;
    let more = rows.len() > usize::from(limit);
    let items: Vec<Item> = rows.into_iter().take(limit.into()).map(Item::from).collect();
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|last| app.cursors.write(&uri, &Before { until: last.until }));
    Ok(Page {
        items,
        next_cursor,
        total: None,
    }
    .answer(&uri))
}

/// What one of them tells.
pub(crate) async fn one(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Told>, Problem> {
    for_all_seeing(&actor, FOR_ALL_SEEING)?;
    Params::read(&uri, &[])?.finish()?;
    let Path(id) = path?;
    let id: Option<Uuid> = id.parse().ok();
    let row = sqlx::query_as("SELECT id, began_at, ended_at FROM desk.digests WHERE id = $1");
    let row: Option<Row> = row.bind(id).fetch_optional(&app.db).await.map_err(problem)?;
    let row = row.ok_or_else(|| {
        Problem::new(&DIGEST_NOT_FOUND)
            .detail("There is no digest with this id. Ids are UUIDs; GET /v1/digests lists them.")
    })?;
    tell(&app.db, row).await.map(Json).map_err(problem)
}

async fn tell(db: &PgPool, row: Row) -> Result<Told, sqlx::Error> {
    let (from, until) = (row.began_at, row.ended_at);
    let (created, closed): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM desk.tickets
                 WHERE created_at > COALESCE($1, '-infinity') AND created_at <= $2),
                (SELECT count(*) FROM desk.measures
                 WHERE kind = 'closing' AND occurred_at > COALESCE($1, '-infinity') AND occurred_at <= $2)",
    )
    .bind(from)
    .bind(until)
    .fetch_one(db)
    .await?;
    Ok(Told {
        digest: Item::from(row),
        created,
        closed,
        warned: clocks(db, "warned_at", from, until).await?,
        breached: clocks(db, "breached_at", from, until).await?,
    })
}

/// The clocks to which something happened in that time, according to a column.
async fn clocks(
    db: &PgPool,
    column: &'static str,
    from: Option<SqlTimestamp>,
    until: SqlTimestamp,
) -> Result<Clocks, sqlx::Error> {
    let within = format!("c.{column} > COALESCE($1, '-infinity') AND c.{column} <= $2");
    let total = format!("SELECT count(*) FROM desk.ticket_clocks c WHERE {within}");
    let total = sqlx::query_scalar(AssertSqlSafe(total)).bind(from).bind(until);
    let rows = format!(
        "SELECT t.id, t.number, t.subject, c.target, c.{column}
         FROM desk.ticket_clocks c JOIN desk.tickets t ON t.id = c.ticket_id
         WHERE {within} ORDER BY c.{column} DESC, t.id, c.target LIMIT {LIMIT_MAX}"
    );
    let rows = sqlx::query_as(AssertSqlSafe(rows)).bind(from).bind(until);
    let rows: Vec<(Uuid, i64, String, String, SqlTimestamp)> = rows.fetch_all(db).await?;
    let items = rows.into_iter().rev().filter_map(|(id, number, subject, target, at)| {
        Some(ClockItem {
            ticket: TicketItem { id, number, subject },
            // The table has no others.
            target: TargetKind::parse(&target)?.into(),
            at: at.to_jiff(),
        })
    });
    Ok(Clocks {
        total: total.fetch_one(db).await?,
        items: items.collect(),
    })
}

fn sql(at: Timestamp) -> SqlTimestamp {
    jiff_sqlx::ToSqlx::to_sqlx(at)
}

impl From<Row> for Item {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            from: row.began_at.map(SqlTimestamp::to_jiff),
            until: row.ended_at.to_jiff(),
        }
    }
}
