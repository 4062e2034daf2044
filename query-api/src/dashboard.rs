//! `GET /v1/dashboard`
//!
//! Staff see everything, so that their figures are the counters that the projector keeps: as cheap
//! at ten million tickets as at a thousand. A customer's are counted over what the customer may see.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use axum::{Extension, Json};
use domain::actor::{Actor, ActorKind};
use domain::directory::EntryKind;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx as _;
use serde::Serialize;
use service_kit::Problem;
use service_kit::http::Caller;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::access::push_visible;
use crate::app::App;
use crate::database::problem;
use crate::names::Names;
use crate::params::Params;

/// The most people, groups or organisations that are listed, those with most tickets first. More
/// is a report and not a dashboard.
const LISTED_MAX: usize = 1000;

#[derive(Debug, Serialize)]
pub(crate) struct Dashboard {
    total: i64,
    open: i64,
    overdue: i64,
    by_status: BTreeMap<String, i64>,
    by_type: BTreeMap<String, i64>,
    by_priority: BTreeMap<String, i64>,
    by_group: Vec<Listed>,
    by_assignee: Vec<Listed>,
    by_organisation: Vec<Listed>,
    created_by_day: Vec<Day>,
    closed_by_day: Vec<Day>,
}

/// Somebody with so many tickets, and so many of them open. Nobody is `id: null`.
#[derive(Debug, Serialize)]
struct Listed {
    id: Option<Uuid>,
    name: Option<String>,
    count: i64,
    open: i64,
}

#[derive(Debug, Serialize)]
struct Day {
    day: Date,
    count: i64,
}

/// How many tickets have a value of a dimension, whichever way that was found out.
#[derive(Debug, sqlx::FromRow)]
struct CountRow {
    dimension: String,
    value: String,
    total: i64,
    open: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct DayRow {
    day: jiff_sqlx::Date,
    created: i64,
    closed: i64,
}

/// Whole days in UTC, both ends included. Without an end: as far as there is anything.
#[derive(Debug, Clone, Copy)]
struct Days {
    from: Option<Date>,
    to: Option<Date>,
}

impl Days {
    fn read(params: &mut Params) -> Self {
        let (from, to) = (params.one("from", date), params.one("to", date));
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            params.error("from", "invalid", "must not be after to".to_owned());
        }
        Self { from, to }
    }

    /// Adds the condition that `day` is one of them.
    fn push_within(self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(" WHERE true");
        if let Some(from) = self.from {
            sql.push(" AND day >= ").push_bind(from.to_sqlx());
        }
        if let Some(to) = self.to {
            sql.push(" AND day <= ").push_bind(to.to_sqlx());
        }
    }
}

/// A date, or an instant for the date that it lies on in UTC. Years are those that Postgres has too.
fn date(text: &str) -> Result<Date, String> {
    let on_its_day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let date = text.parse().or_else(|_| text.parse().map(on_its_day)).ok();
    date.filter(|date: &Date| date.year() > 0)
        .ok_or_else(|| "must be a date like 2026-03-02".to_owned())
}

/// The figures, within what the caller may see.
pub(crate) async fn dashboard(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Json<Dashboard>, Problem> {
    let mut params = Params::read(&uri, &["from", "to"])?;
    let days = Days::read(&mut params);
    params.finish()?;
    figures(&app, &actor, days).await.map(Json).map_err(problem)
}

async fn figures(app: &App, actor: &Actor, days: Days) -> Result<Dashboard, sqlx::Error> {
    let (counts, by_day) = match actor.kind {
        ActorKind::Staff | ActorKind::System => (kept_counts(app).await?, kept_days(app, days).await?),
        ActorKind::Customer => (counted(app, actor).await?, counted_days(app, actor, days).await?),
    };
    let overdue = overdue(app, actor).await?;
    let all = counts.iter().find(|row| row.dimension == "all");
    let listed: Vec<Uuid> = counts.iter().filter_map(|row| row.value.parse().ok()).collect();
    let names = Names::of(&app.db, listed).await?;
    let series = |count: fn(&DayRow) -> i64| -> Vec<Day> {
        let days = by_day.iter().map(|row| Day {
            day: row.day.to_jiff(),
            count: count(row),
        });
        days.filter(|day| day.count > 0).collect()
    };
    Ok(Dashboard {
        total: all.map_or(0, |row| row.total),
        open: all.map_or(0, |row| row.open),
        overdue,
        by_status: by_code(&counts, "status"),
        by_type: by_code(&counts, "type"),
        by_priority: by_code(&counts, "priority"),
        by_group: by_id(&counts, "group", EntryKind::Group, &names),
        by_assignee: by_id(&counts, "assignee", EntryKind::User, &names),
        by_organisation: by_id(&counts, "organisation", EntryKind::Organisation, &names),
        created_by_day: series(|row| row.created),
        closed_by_day: series(|row| row.closed),
    })
}

fn by_code(counts: &[CountRow], dimension: &str) -> BTreeMap<String, i64> {
    counts
        .iter()
        .filter(|row| row.dimension == dimension)
        .map(|row| (row.value.clone(), row.total))
        .collect()
}

fn by_id(counts: &[CountRow], dimension: &str, kind: EntryKind, names: &Names) -> Vec<Listed> {
    let rows = counts.iter().filter(|row| row.dimension == dimension);
    let mut listed: Vec<Listed> = rows
        .map(|row| {
            let id = row.value.parse().ok();
            Listed {
                id,
                name: id.and_then(|id| names.name(kind, id)),
                count: row.total,
                open: row.open,
            }
        })
        .collect();
    listed.sort_by_key(|listed| (std::cmp::Reverse(listed.count), listed.id));
    listed.truncate(LISTED_MAX);
    listed
}

async fn kept_counts(app: &App) -> Result<Vec<CountRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT dimension, value, sum(total)::bigint AS total, sum(open)::bigint AS open
         FROM desk.counters
         GROUP BY dimension, value",
    )
    .fetch_all(&app.db)
    .await
}

async fn kept_days(app: &App, days: Days) -> Result<Vec<DayRow>, sqlx::Error> {
    let mut sql: QueryBuilder<Postgres> =
        QueryBuilder::new("SELECT day, sum(created)::bigint AS created, sum(closed)::bigint AS closed FROM desk.daily");
    days.push_within(&mut sql);
    sql.push(" GROUP BY day ORDER BY day");
    sql.build_query_as().fetch_all(&app.db).await
}

async fn counted(app: &App, actor: &Actor) -> Result<Vec<CountRow>, sqlx::Error> {
    let mut sql: QueryBuilder<Postgres> = QueryBuilder::new(
        "WITH seen AS (
             SELECT t.status, t.ticket_type, t.priority, t.group_id, t.assignee_id, t.organisation_id
             FROM desk.tickets t
             WHERE ",
    );
    push_visible(&mut sql, actor);
    sql.push(
        ")
         SELECT one.dimension, one.value, count(*) AS total, count(*) FILTER (WHERE seen.status <> 'closed') AS open
         FROM seen
         CROSS JOIN LATERAL (VALUES
             ('all', ''),
             ('status', seen.status),
             ('type', seen.ticket_type),
             ('priority', seen.priority),
             ('group', COALESCE(seen.group_id::text, '')),
             ('assignee', COALESCE(seen.assignee_id::text, '')),
             ('organisation', COALESCE(seen.organisation_id::text, ''))
         ) AS one (dimension, value)
         GROUP BY one.dimension, one.value",
    );
    sql.build_query_as().fetch_all(&app.db).await
}

async fn counted_days(app: &App, actor: &Actor, days: Days) -> Result<Vec<DayRow>, sqlx::Error> {
    let mut sql: QueryBuilder<Postgres> = QueryBuilder::new(
        "WITH happened AS (
             SELECT (t.created_at AT TIME ZONE 'UTC')::date AS day, 1 AS created, 0 AS closed
             FROM desk.tickets t
             WHERE ",
    );
    push_visible(&mut sql, actor);
    sql.push(
        "
             UNION ALL
             SELECT (l.occurred_at AT TIME ZONE 'UTC')::date AS day, 0 AS created, 1 AS closed
             FROM desk.timeline l
             JOIN desk.tickets t ON t.id = l.ticket_id
             WHERE l.event IN ('closed', 'closure_wait_expired') AND ",
    );
    push_visible(&mut sql, actor);
    sql.push(
        ")
         SELECT day, sum(created) AS created, sum(closed) AS closed FROM happened",
    );
    days.push_within(&mut sql);
    sql.push(" GROUP BY day ORDER BY day");
    sql.build_query_as().fetch_all(&app.db).await
}

/// Waits kind time is over and which the scheduler has not ended yet: always few.
async fn overdue(app: &App, actor: &Actor) -> Result<i64, sqlx::Error> {
    let mut sql: QueryBuilder<Postgres> = QueryBuilder::new("SELECT count(*) FROM desk.tickets t WHERE t.due_at < ");
    sql.push_bind(app.clock.now().to_sqlx()).push(" AND ");
    push_visible(&mut sql, actor);
    sql.build_query_scalar().fetch_one(&app.db).await
}
