//! What is kept version after version: calendars and policies.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use domain::directory::EntryKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service_kit::Problem;
use service_kit::problem::ProblemType;
use service_kit::problem::types::NOT_PERMITTED;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::app::App;
use crate::database::problem;
use crate::names::Names;
use crate::page::{LIMIT_DEFAULT, Page, limit};
use crate::params::{Params, one_of};
use crate::people_filter::{self, Asked};
use crate::people_sort::Order;

/// Things of one sort, and where their versions are.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The view with each of them, its last version and its name.
    pub(crate) things: &'static str,
    /// The view with all versions.
    pub(crate) versions: &'static str,
    /// What a version, `v`, says besides its name, as an object.
    pub(crate) definition: &'static str,
    /// One of them, in words.
    pub(crate) noun: &'static str,
    /// Where they are listed.
    pub(crate) path: &'static str,
    /// What is answered where there is none.
    pub(crate) not_found: &'static ProblemType,
    /// The members of a definition that name others by their ids: an answer says what those are called.
    pub(crate) references: &'static [&'static str],
}

/// A thing `t` is not archived.
const IN_USE: &str = " AND t.definition @> '{\"archived\": false}'";

/// What a caller may read of things of one sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All of them, and all their versions.
    Everything,
    /// Those that are not archived, as they are now.
    InUse,
    /// Of those in use, types of these codes.
    Types(Vec<String>),
    /// Of those in use, custom fields of these names that are for all types, or for one of these. `None`: whichever.
    Fields {
        names: Option<Vec<String>>,
        types: Option<Vec<String>>,
    },
    /// Of those in use, systems to which one of these groups is connected, or that come with what this organisation has bought;
    /// all of them, where no group and no such product says anything.
    Connected(Vec<Uuid>, Option<Uuid>),
    /// Of those in use, products that this organisation has bought.
    Bought(Option<Uuid>),
    /// Of those in use, services that were granted to the user or to the organisation.
    Granted(Uuid, Option<Uuid>),
}

impl Shown {
    /// Appends the condition on the things `t`.
    fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Everything => {}
            Self::InUse => {
                sql.push(IN_USE);
            }
            Self::Types(codes) => {
                sql.push(IN_USE).push(" AND t.definition ->> 'code' = ANY(");
                sql.push_bind(codes.clone()).push(")");
            }
            Self::Fields { names, types } => {
                sql.push(IN_USE);
                if let Some(names) = names {
                    sql.push(" AND t.name = ANY(").push_bind(names.clone()).push(")");
                }
                if let Some(types) = types {
                    sql.push(" AND (t.definition -> 'types' = '[]' OR t.definition -> 'types' ?| ")
                        .push_bind(types.clone())
                        .push(")");
                }
            }
            Self::Connected(groups, organisation) => {
                sql.push(IN_USE)
                    .push(" AND (t.name IN (SELECT system.name FROM desk.groups g CROSS JOIN jsonb_array_elements_text(g.definition -> 'systems') AS system (name) WHERE g.definition @> '{\"archived\": false}' AND g.id = ANY(")
                    .push_bind(groups.clone())
                    .push(")) OR t.name IN (");
                push_bought(sql, *organisation);
                sql.push(")");
                if groups.is_empty() {
                    sql.push(" OR NOT EXISTS (");
                    push_bought(sql, *organisation);
                    sql.push(")");
                }
                sql.push(")");
            }
            Self::Bought(organisation) => {
                sql.push(IN_USE)
                    .push(" AND t.name IN (SELECT bought.name FROM desk.organisations o CROSS JOIN jsonb_array_elements_text(o.definition -> 'products') AS bought (name) WHERE o.definition @> '{\"archived\": false}' AND o.id = ")
                    .push_bind(*organisation)
                    .push(")");
            }
            Self::Granted(user, organisation) => {
                sql.push(IN_USE)
                    .push(" AND t.definition -> 'catalogues' ?| ARRAY(SELECT c.id::text FROM desk.catalogue_service_catalogues c WHERE c.definition @> '{\"archived\": false}' AND (EXISTS (SELECT FROM desk.users u WHERE u.id = ")
                    .push_bind(*user)
                    .push(" AND u.definition -> 'service_catalogues' ? c.id::text) OR EXISTS (SELECT FROM desk.organisations o WHERE o.id = ")
                    .push_bind(*organisation)
                    .push(" AND o.definition @> '{\"archived\": false}' AND o.definition -> 'service_catalogues' ? c.id::text)))");
            }
        }
    }

    /// Says that earlier versions are for those who may read everything.
    fn permit(&self, version: Option<i64>) -> Result<(), Problem> {
        if *self == Self::Everything || version.is_none() {
            return Ok(());
        }
        Err(Problem::new(&NOT_PERMITTED).detail("Earlier versions are for staff. Leave version out."))
    }
}

/// Appends the systems that come with what an organisation has bought.
fn push_bought(sql: &mut QueryBuilder<Postgres>, organisation: Option<Uuid>) {
    sql.push("SELECT system.name FROM desk.organisations o JOIN desk.catalogue_products p ON o.definition -> 'products' ? p.name CROSS JOIN jsonb_array_elements_text(p.definition -> 'systems') AS system (name) WHERE o.definition @> '{\"archived\": false}' AND p.definition @> '{\"archived\": false}' AND o.id = ")
        .push_bind(organisation);
}

/// A version.
#[derive(Debug, sqlx::FromRow)]
struct VersionRow {
    id: Uuid,
    version: i64,
    change: String,
    name: String,
    definition: Value,
    /// `None`, with the time: nobody wrote it, because every desk has it from the start.
    actor_id: Option<Uuid>,
    recorded_at: Option<jiff_sqlx::Timestamp>,
    /// What the list is sorted by, where that is not the name.
    #[sqlx(default)]
    key: Option<String>,
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

const PAGING: [&str; 3] = ["limit", "cursor", "count"];

/// What lists of entries of the directory take besides, whatever their kind.
const OF_ENTRIES: [&str; 2] = ["q", "sort"];

/// What every list takes.
#[derive(Debug)]
struct Paging {
    limit: u16,
    cursor: Option<String>,
    count: Option<Count>,
}

impl Paging {
    fn read(uri: &Uri) -> Result<Self, Problem> {
        let mut params = Params::read(uri, &PAGING)?;
        let paging = Self::take(&mut params);
        params.finish()?;
        Ok(paging)
    }

    fn take(params: &mut Params) -> Self {
        Self {
            limit: params.one("limit", limit).unwrap_or(LIMIT_DEFAULT),
            cursor: params.one("cursor", |text| Ok(text.to_owned())),
            count: params.one("count", one_of(&[Count::Exact], |_| "exact")),
        }
    }

    /// The answer with the rows of a page, of which one too many says that another page follows.
    async fn answer(
        &self,
        app: &App,
        kept: &Kept,
        uri: &Uri,
        mut rows: Vec<VersionRow>,
        total: Option<i64>,
        after: impl Fn(&VersionRow) -> String,
    ) -> Result<Response, Problem> {
        let more = rows.len() > usize::from(self.limit);
        rows.truncate(self.limit.into());
        let next_cursor = rows.last().filter(|_| more).map(after);
        let names = kept.names(app, &rows).await?;
        let items = rows.into_iter().map(|row| row.json(kept, &names)).collect();
        Ok(Page {
            items,
            next_cursor,
            total,
        }
        .answer(uri))
    }
}

impl Kept {
    /// The versions of a query, from `v`.
    fn select(&self) -> QueryBuilder<Postgres> {
        self.select_with("")
    }

    /// The same with another column.
    fn select_with(&self, column: &str) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new("SELECT v.id, v.version, v.change, v.name, ");
        sql.push(self.definition)
            .push(" AS definition, v.actor_id, v.recorded_at")
            .push(column)
            .push(" FROM desk.")
            .push(self.versions)
            .push(" v");
        sql
    }

    /// All of them, as their last versions say, by name.
    pub(crate) async fn list(&self, app: &App, uri: &Uri) -> Result<Response, Problem> {
        let (asked, order) = (Asked::default(), Order::BY_NAME);
        self.page(app, uri, &Paging::read(uri)?, (&asked, order), &Shown::Everything)
            .await
    }

    /// The same of entries of the directory, with their filters.
    pub(crate) async fn filtered(
        &self,
        app: &App,
        uri: &Uri,
        kind: EntryKind,
        shown: &Shown,
    ) -> Result<Response, Problem> {
        let own = people_filter::filters(kind).into_iter().map(|filter| filter.name);
        let allowed: Vec<&str> = PAGING.into_iter().chain(OF_ENTRIES).chain(own).collect();
        let mut params = Params::read(uri, &allowed)?;
        let (paging, asked) = (Paging::take(&mut params), people_filter::read(kind, &mut params));
        let order = params.one("sort", one_of(&Order::all(kind), Order::as_str));
        params.finish()?;
        let asked = (&asked, order.unwrap_or(Order::BY_NAME));
        self.page(app, uri, &paging, asked, shown).await
    }

    async fn page(
        &self,
        app: &App,
        uri: &Uri,
        paging: &Paging,
        (asked, order): (&Asked, Order),
        shown: &Shown,
    ) -> Result<Response, Problem> {
        let key = order.key().map(|key| format!(", {key} AS key"));
        let mut sql = self.select_with(&key.unwrap_or_default());
        sql.push(" JOIN desk.")
            .push(self.things)
            .push(" t ON t.id = v.id AND t.version = v.version WHERE TRUE");
        asked.push(&mut sql);
        shown.push(&mut sql);
        if let Some(text) = &paging.cursor {
            order.push_after(&mut sql, app.cursors.read(uri, text)?)?;
        }
        order.push(&mut sql);
        sql.push(" LIMIT ").push_bind(i64::from(paging.limit) + 1);
        let rows: Vec<VersionRow> = sql.build_query_as().fetch_all(&app.db).await.map_err(problem)?;
        let total = match paging.count {
            Some(Count::Exact) => {
                let mut sql = QueryBuilder::<Postgres>::new("SELECT count(*) FROM desk.");
                sql.push(self.things).push(" t WHERE TRUE");
                asked.push(&mut sql);
                shown.push(&mut sql);
                Some(sql.build_query_scalar().fetch_one(&app.db).await.map_err(problem)?)
            }
            None => None,
        };
        let after = |row: &VersionRow| {
            let after = order.after(row.key.as_deref(), &row.name, row.id);
            app.cursors.write(uri, &after)
        };
        paging.answer(app, self, uri, rows, total, after).await
    }

    /// One of them: its last version, or the one that `version` names.
    pub(crate) async fn one(
        &self,
        app: &App,
        path: Result<Path<String>, PathRejection>,
        uri: &Uri,
        shown: &Shown,
    ) -> Result<Response, Problem> {
        let mut params = Params::read(uri, &["version"])?;
        let version = params.one("version", version);
        params.finish()?;
        shown.permit(version)?;
        let id = self.id(path)?;
        // The revision that a command would find, whichever version is shown.
        let Some(last) = self.last_version(app, id, shown).await? else {
            return Err(self.absent(version));
        };
        let mut sql = self.select();
        sql.push(" WHERE v.id = ").push_bind(id);
        if let Some(version) = version {
            sql.push(" AND v.version = ").push_bind(version);
        }
        sql.push(" ORDER BY v.version DESC LIMIT 1");
        let row: Option<VersionRow> = sql.build_query_as().fetch_optional(&app.db).await.map_err(problem)?;
        let Some(row) = row else {
            return Err(self.absent(version));
        };
        let etag = HeaderValue::from_str(&format!("\"{last}\""));
        let headers: HeaderMap = etag.into_iter().map(|etag| (ETAG, etag)).collect();
        let rows = [row];
        let names = self.names(app, &rows).await?;
        let [row] = rows;
        Ok((headers, Json(row.json(self, &names))).into_response())
    }

    /// The versions of one, in the order in which they were written.
    pub(crate) async fn versions(
        &self,
        app: &App,
        path: Result<Path<String>, PathRejection>,
        uri: &Uri,
    ) -> Result<Response, Problem> {
        let paging = Paging::read(uri)?;
        let id = self.id(path)?;
        if self.last_version(app, id, &Shown::Everything).await?.is_none() {
            return Err(self.absent(None));
        }
        let mut sql = self.select();
        sql.push(" WHERE v.id = ").push_bind(id);
        if let Some(text) = &paging.cursor {
            let after: AfterVersion = app.cursors.read(uri, text)?;
            sql.push(" AND v.version > ").push_bind(after.version);
        }
        sql.push(" ORDER BY v.version LIMIT ")
            .push_bind(i64::from(paging.limit) + 1);
        let rows: Vec<VersionRow> = sql.build_query_as().fetch_all(&app.db).await.map_err(problem)?;
        let total = match paging.count {
            Some(Count::Exact) => {
                let mut sql = QueryBuilder::<Postgres>::new("SELECT count(*) FROM desk.");
                sql.push(self.versions).push(" WHERE id = ").push_bind(id);
                Some(sql.build_query_scalar().fetch_one(&app.db).await.map_err(problem)?)
            }
            None => None,
        };
        let after = |row: &VersionRow| app.cursors.write(uri, &AfterVersion { version: row.version });
        paging.answer(app, self, uri, rows, total, after).await
    }

    /// Of one that may be shown.
    async fn last_version(&self, app: &App, id: Uuid, shown: &Shown) -> Result<Option<i64>, Problem> {
        let mut sql = QueryBuilder::<Postgres>::new("SELECT t.version FROM desk.");
        sql.push(self.things).push(" t WHERE t.id = ").push_bind(id);
        shown.push(&mut sql);
        let last = sql.build_query_scalar().fetch_optional(&app.db).await;
        last.map_err(problem)
    }

    /// An id in a path. What is no id is the id of nothing.
    fn id(&self, path: Result<Path<String>, PathRejection>) -> Result<Uuid, Problem> {
        path?.parse().map_err(|_| self.absent(None))
    }

    fn absent(&self, version: Option<i64>) -> Problem {
        let Self { path, noun, .. } = self;
        let detail = match version {
            Some(version) => format!("There is no {noun} with this id that has a version {version}."),
            None => format!("There is no {noun} with this id. Ids are UUIDs; GET {path} lists them."),
        };
        Problem::new(self.not_found).detail(detail)
    }

    /// The names of who wrote these, and of what they name.
    async fn names(&self, app: &App, rows: &[VersionRow]) -> Result<Names, Problem> {
        let named = rows.iter().flat_map(|row| self.named_in(&row.definition));
        let ids = rows.iter().filter_map(|row| row.actor_id).chain(named).collect();
        Names::of(&app.db, ids).await.map_err(problem)
    }

    /// The ids that a definition names.
    fn named_in(&self, definition: &Value) -> Vec<Uuid> {
        let members = self.references.iter().filter_map(|member| definition.get(member));
        members.flat_map(ids_in).collect()
    }
}

/// The ids in a member: itself, those of a list, or of its objects.
fn ids_in(value: &Value) -> Vec<Uuid> {
    match value {
        Value::String(text) => text.parse().into_iter().collect(),
        Value::Array(items) => items.iter().flat_map(ids_in).collect(),
        Value::Object(members) => members.values().flat_map(ids_in).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

impl VersionRow {
    fn json(self, kept: &Kept, names: &Names) -> Value {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("id", self.id.to_string().into());
        set("name", self.name.into());
        set("version", self.version.into());
        set("change", self.change.into());
        set("changed_by", names.json(EntryKind::User, self.actor_id));
        let changed_at = self.recorded_at.map(|at| at.to_jiff().to_string());
        set("changed_at", changed_at.into());
        if !kept.references.is_empty() {
            let ids = kept.named_in(&self.definition).into_iter();
            let called = ids.filter_map(|id| names.of_any_kind(id).map(|name| (id.to_string(), name.into())));
            set("names", Value::Object(called.collect()));
        }
        if let Value::Object(definition) = self.definition {
            body.extend(definition);
        }
        Value::Object(body)
    }
}

fn version(text: &str) -> Result<i64, String> {
    let version = text.parse().ok().filter(|version| *version >= 1);
    version.ok_or_else(|| "must be the number of a version, from 1".to_owned())
}
