//! `GET /v1/calendars`, `GET /v1/calendars/{id}`, `GET /v1/calendars/{id}/versions`

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use domain::directory::EntryKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service_kit::Problem;
use service_kit::problem::types::CALENDAR_NOT_FOUND;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::app::App;
use crate::cursor;
use crate::database::problem;
use crate::names::Names;
use crate::page::{LIMIT_DEFAULT, Page, limit};
use crate::params::{Params, one_of};

const COLUMNS: &str =
    "v.id, v.version, v.change, v.name, v.time_zone, v.definition, v.effective_from, v.actor_id, v.recorded_at";

/// A version of a calendar.
#[derive(Debug, sqlx::FromRow)]
struct VersionRow {
    id: Uuid,
    version: i64,
    change: String,
    name: String,
    time_zone: String,
    definition: Value,
    effective_from: Option<jiff_sqlx::Date>,
    actor_id: Uuid,
    recorded_at: jiff_sqlx::Timestamp,
}

/// Where a page of the list begins: after this name and id.
#[derive(Debug, Serialize, Deserialize)]
struct AfterName {
    name: String,
    id: Uuid,
}

/// Where a page of versions begins: after this one.
#[derive(Debug, Serialize, Deserialize)]
struct AfterVersion {
    version: i64,
}

/// Whether the caller wants to know how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Exact,
}

/// What every list takes.
#[derive(Debug)]
struct Paging {
    limit: u16,
    cursor: Option<String>,
    count: Option<Count>,
}

impl Paging {
    fn read(uri: &Uri) -> Result<Self, Problem> {
        let mut params = Params::read(uri, &["limit", "cursor", "count"])?;
        let paging = Self {
            limit: params.one("limit", limit).unwrap_or(LIMIT_DEFAULT),
            cursor: params.one("cursor", |text| Ok(text.to_owned())),
            count: params.one("count", one_of(&[Count::Exact], |_| "exact")),
        };
        params.finish()?;
        Ok(paging)
    }

    /// The answer with the rows of a page, of which one too many says that another page follows.
    async fn answer(
        &self,
        app: &App,
        uri: &Uri,
        mut rows: Vec<VersionRow>,
        total: Option<i64>,
        after: impl Fn(&VersionRow) -> String,
    ) -> Result<Response, Problem> {
        let more = rows.len() > usize::from(self.limit);
        rows.truncate(self.limit.into());
        let next_cursor = rows.last().filter(|_| more).map(after);
        let names = names(app, &rows).await?;
        let items = rows.into_iter().map(|row| row.json(&names)).collect();
        Ok(Page {
            items,
            next_cursor,
            total,
        }
        .answer(uri))
    }
}

/// Every calendar, as its last version says, by name.
pub(crate) async fn list(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let paging = Paging::read(&uri)?;
    let mut sql = QueryBuilder::<Postgres>::new("SELECT ");
    sql.push(COLUMNS)
        .push(" FROM desk.calendars c JOIN desk.calendar_versions v ON v.id = c.id AND v.version = c.version");
    if let Some(text) = &paging.cursor {
        let after: AfterName = cursor::read(text)?;
        sql.push(" WHERE (c.name, c.id) > (")
            .push_bind(after.name)
            .push(", ")
            .push_bind(after.id)
            .push(")");
    }
    sql.push(" ORDER BY c.name, c.id LIMIT ")
        .push_bind(i64::from(paging.limit) + 1);
    let rows: Vec<VersionRow> = sql.build_query_as().fetch_all(&app.db).await.map_err(problem)?;
    let total = match paging.count {
        Some(Count::Exact) => {
            let count = sqlx::query_scalar("SELECT count(*) FROM desk.calendars");
            Some(count.fetch_one(&app.db).await.map_err(problem)?)
        }
        None => None,
    };
    let after = |row: &VersionRow| {
        cursor::write(&AfterName {
            name: row.name.clone(),
            id: row.id,
        })
    };
    paging.answer(&app, &uri, rows, total, after).await
}

/// One calendar: its last version, or the one that `version` names.
pub(crate) async fn one(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut params = Params::read(&uri, &["version"])?;
    let version = params.one("version", version);
    params.finish()?;
    let id = calendar_id(path)?;
    let mut sql = QueryBuilder::<Postgres>::new("SELECT ");
    sql.push(COLUMNS)
        .push(" FROM desk.calendar_versions v WHERE v.id = ")
        .push_bind(id);
    if let Some(version) = version {
        sql.push(" AND v.version = ").push_bind(version);
    }
    sql.push(" ORDER BY v.version DESC LIMIT 1");
    let row: Option<VersionRow> = sql.build_query_as().fetch_optional(&app.db).await.map_err(problem)?;
    let Some(row) = row else {
        return Err(absent(version));
    };
    let etag = last_version(&app, id).await?;
    let headers: HeaderMap = etag.into_iter().map(|etag| (ETAG, etag)).collect();
    let rows = [row];
    let names = names(&app, &rows).await?;
    let [row] = rows;
    Ok((headers, Json(row.json(&names))).into_response())
}

/// A calendar's versions, in the order in which they were written.
pub(crate) async fn versions(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let paging = Paging::read(&uri)?;
    let id = calendar_id(path)?;
    let Some(total) = sqlx::query_scalar::<_, i64>("SELECT version FROM desk.calendars WHERE id = $1")
        .bind(id)
        .fetch_optional(&app.db)
        .await
        .map_err(problem)?
    else {
        return Err(absent(None));
    };
    let mut sql = QueryBuilder::<Postgres>::new("SELECT ");
    sql.push(COLUMNS)
        .push(" FROM desk.calendar_versions v WHERE v.id = ")
        .push_bind(id);
    if let Some(text) = &paging.cursor {
        let after: AfterVersion = cursor::read(text)?;
        sql.push(" AND v.version > ").push_bind(after.version);
    }
    sql.push(" ORDER BY v.version LIMIT ")
        .push_bind(i64::from(paging.limit) + 1);
    let rows: Vec<VersionRow> = sql.build_query_as().fetch_all(&app.db).await.map_err(problem)?;
    // Versions are numbered without a gap.
    let total = paging.count.map(|Count::Exact| total);
    let after = |row: &VersionRow| cursor::write(&AfterVersion { version: row.version });
    paging.answer(&app, &uri, rows, total, after).await
}

/// The revision that a command would find, whichever version is shown.
async fn last_version(app: &App, id: Uuid) -> Result<Option<HeaderValue>, Problem> {
    let last: Option<i64> = sqlx::query_scalar("SELECT version FROM desk.calendars WHERE id = $1")
        .bind(id)
        .fetch_optional(&app.db)
        .await
        .map_err(problem)?;
    Ok(last.and_then(|last| HeaderValue::from_str(&format!("\"{last}\"")).ok()))
}

async fn names(app: &App, rows: &[VersionRow]) -> Result<Names, Problem> {
    let ids = rows.iter().map(|row| row.actor_id).collect();
    Names::of(&app.db, ids).await.map_err(problem)
}

impl VersionRow {
    fn json(self, names: &Names) -> Value {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("id", self.id.to_string().into());
        set("name", self.name.into());
        set("time_zone", self.time_zone.into());
        set("version", self.version.into());
        set(
            "effective_from",
            self.effective_from.map(|date| date.to_jiff().to_string()).into(),
        );
        set("change", self.change.into());
        set("changed_by", names.json(EntryKind::User, Some(self.actor_id)));
        set("changed_at", self.recorded_at.to_jiff().to_string().into());
        if let Value::Object(definition) = self.definition {
            body.extend(definition);
        }
        Value::Object(body)
    }
}

/// A calendar's id in a path. What is no id is the id of no calendar.
fn calendar_id(path: Result<Path<String>, PathRejection>) -> Result<Uuid, Problem> {
    path?.parse().map_err(|_| absent(None))
}

fn version(text: &str) -> Result<i64, String> {
    let version = text.parse().ok().filter(|version| *version >= 1);
    version.ok_or_else(|| "must be the number of a version, from 1".to_owned())
}

fn absent(version: Option<i64>) -> Problem {
    let detail = match version {
        Some(version) => format!("There is no calendar with this id that has a version {version}."),
        None => "There is no calendar with this id. Ids are UUIDs; GET /v1/calendars lists them.".to_owned(),
    };
    Problem::new(&CALENDAR_NOT_FOUND).detail(detail)
}
