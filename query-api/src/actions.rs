//! `GET /v1/users/{id}/actions`: what somebody did, with tickets and with the directory, and from where. For administrators who see every ticket.
//!
//! An action is a record of the log. It is the importer's, where one acted in another's name.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use domain::ids::{DIRECTORY_PARTITION, UserId};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx as _};
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::problem::types::{NOT_FOUND, NOT_PERMITTED};
use sqlx::{Postgres, QueryBuilder};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::database::problem;
use crate::page::{LIMIT_DEFAULT, Page, limit};
use crate::params::{Params, time};

#[derive(Debug, sqlx::FromRow)]
struct Row {
    recorded_at: SqlTimestamp,
    partition: i32,
    sequence: i64,
    events: Vec<String>,
    kind: String,
    id: Uuid,
    number: Option<i64>,
    name: Option<String>,
    version: i64,
    in_name_of: Option<Uuid>,
    address: Option<String>,
    forwarded_for: Option<String>,
    agent: Option<String>,
}

/// Something that somebody did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Action)]
pub(crate) struct Item {
    /// When the log took it.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What happened by it, in order.
    events: Vec<String>,
    on: Object,
    /// The id of the user in whose name it was done; null: their own.
    #[schema(required = true)]
    in_name_of: Option<Uuid>,
    /// The other end of the connection: a proxy's, where there is one. Null, like the next two: it is not known, or forgotten
    /// after a year.
    #[schema(required = true)]
    address: Option<String>,
    /// What `X-Forwarded-For` said, whoever wrote it.
    #[schema(required = true)]
    forwarded_for: Option<String>,
    /// What `User-Agent` said.
    #[schema(required = true)]
    agent: Option<String>,
}

/// What it was done with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActionObject)]
struct Object {
    /// `ticket`, `calendar`, `policy`, or a kind of entry of the directory. Contracts are those of an organisation or user.
    kind: String,
    id: Uuid,
    /// A ticket's number; of others null.
    #[schema(required = true, minimum = 1)]
    number: Option<i64>,
    /// What it was called by that, and those with whom a contract was agreed now; null for tickets.
    #[schema(required = true)]
    name: Option<String>,
    /// Its revision or version by that.
    #[schema(minimum = 1)]
    version: i64,
}

/// Where a page begins: before this one. No two records have the same place.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    at: Timestamp,
    partition: i32,
    sequence: i64,
}

/// What is asked.
#[derive(Debug)]
struct Ask {
    doer: Uuid,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    before: Option<Before>,
    rows: i64,
}

/// What a user did, the newest first.
pub(crate) async fn of_user(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut params = Params::read(&uri, &["from", "to", "limit", "cursor"])?;
    if !actor.administers() || !actor.sees_everything() {
        return Err(Problem::new(&NOT_PERMITTED).detail(
            "What somebody did is for staff with the permission administer who see every ticket. Ask one of them for it.",
        ));
    }
    let id: UserId = path?.parse().map_err(|_| absent())?;
    let (from, to) = (params.one("from", time), params.one("to", time));
    let limit = params.one("limit", limit).unwrap_or(LIMIT_DEFAULT);
    let cursor = params.one("cursor", |text| Ok(text.to_owned()));
    params.finish()?;
    let ask = Ask {
        doer: id.as_uuid(),
        from,
        to,
        before: cursor.as_deref().map(|text| app.cursors.read(&uri, text)).transpose()?,
        rows: i64::from(limit) + 1,
    };
    let mut rows: Vec<Row> = ask.sql().build_query_as().fetch_all(&app.db).await.map_err(problem)?;
    if rows.is_empty() && ask.is_whole() && !is_known(&app, ask.doer).await? {
        return Err(absent());
    }
    let more = rows.len() > usize::from(limit);
    rows.truncate(limit.into());
    let last = rows.last().filter(|_| more).map(|row| Before {
        at: row.recorded_at.to_jiff(),
        partition: row.partition,
        sequence: row.sequence,
    });
    Ok(Page {
        items: rows.into_iter().map(Item::from).collect(),
        next_cursor: last.map(|last| app.cursors.write(&uri, &last)),
        total: None,
    }
    .answer(&uri))
}

fn absent() -> Problem {
    Problem::new(&NOT_FOUND).detail(
        "Nothing is known of a user of this id. Ids are UUIDs; GET /v1/users lists the users that have a profile.",
    )
}

async fn is_known(app: &App, id: Uuid) -> Result<bool, Problem> {
    let known = sqlx::query_scalar("SELECT EXISTS (SELECT FROM desk.directory_names WHERE kind = 'user' AND id = $1)");
    known.bind(id).fetch_one(&app.db).await.map_err(problem)
}

impl Ask {
    /// Whether all that somebody did is asked for, from its beginning.
    fn is_whole(&self) -> bool {
        self.from.is_none() && self.to.is_none() && self.before.is_none()
    }

    /// The first rows of both, of which the first are taken. The directory's are of its own partition, by its number in
    /// positions.
    fn sql(&self) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new(
            "SELECT a.recorded_at, a.partition, a.sequence, a.kind, a.id, a.version, a.in_name_of,
                    COALESCE(a.events, ARRAY(
                        SELECT l.event FROM desk.timeline l WHERE l.ticket_id = a.id AND l.revision = a.version ORDER BY l.place
                    )) AS events,
                    (SELECT t.number FROM desk.tickets t WHERE a.kind = 'ticket' AND t.id = a.id) AS number,
                    COALESCE(a.name, (SELECT n.name FROM desk.directory_names n WHERE n.kind = a.kind AND n.id = a.id)) AS name,
                    o.address, o.forwarded_for, o.agent
             FROM (
                (SELECT recorded_at, partition, sequence, 'ticket' AS kind, ticket_id AS id, revision AS version,
                        CASE WHEN via_id IS NOT NULL THEN actor_id END AS in_name_of, NULL::text[] AS events,
                        NULL::text AS name, origin_id
                 FROM desk.timeline
                 WHERE place = 0 AND actor_kind <> 'system' AND COALESCE(via_id, actor_id) = ",
        );
        self.push_rest(&mut sql);
        sql.push(
            ") UNION ALL
                (SELECT recorded_at, partition, sequence, kind, id, version, NULL, ARRAY[action], name, origin_id
                 FROM (SELECT *, ",
        );
        sql.push_bind(i32::from(DIRECTORY_PARTITION))
            .push(" AS partition FROM desk.actions) AS done WHERE actor_id = ");
        self.push_rest(&mut sql);
        sql.push(
            ")) AS a
             LEFT JOIN recourse.origins o ON o.id = a.origin_id
             ORDER BY a.recorded_at DESC, a.partition DESC, a.sequence DESC LIMIT ",
        );
        sql.push_bind(self.rows);
        sql
    }

    /// Appends whose they are, and which of them.
    fn push_rest(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push_bind(self.doer);
        if let Some(from) = self.from {
            sql.push(" AND recorded_at >= ").push_bind(from.to_sqlx());
        }
        if let Some(to) = self.to {
            sql.push(" AND recorded_at < ").push_bind(to.to_sqlx());
        }
        if let Some(before) = &self.before {
            sql.push(" AND (recorded_at, partition, sequence) < (")
                .push_bind(before.at.to_sqlx())
                .push(", ")
                .push_bind(before.partition)
                .push(", ")
                .push_bind(before.sequence)
                .push(")");
        }
        sql.push(" ORDER BY recorded_at DESC, partition DESC, sequence DESC LIMIT ")
            .push_bind(self.rows);
    }
}

impl From<Row> for Item {
    fn from(row: Row) -> Self {
        Self {
            at: row.recorded_at.to_jiff(),
            events: row.events,
            on: Object {
                kind: row.kind,
                id: row.id,
                number: row.number,
                name: row.name,
                version: row.version,
            },
            in_name_of: row.in_name_of,
            address: row.address,
            forwarded_for: row.forwarded_for,
            agent: row.agent,
        }
    }
}
