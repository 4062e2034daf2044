//! `GET /v1/tickets`

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use domain::actor::Actor;
use service_kit::Problem;
use service_kit::http::Caller;
use sqlx::{Postgres, QueryBuilder};

use super::filter::{self, Filter};
use super::item::{COLUMNS, Field, Item, TicketRow};
use super::sort::{Cursor, Sort};
use super::view::View;
use crate::access::push_visible;
use crate::app::App;
use crate::cursor;
use crate::database::problem;
use crate::names::Names;
use crate::page::{LIMIT_DEFAULT, Page, limit};
use crate::params::{Params, one_of};

/// Whether the caller wants to know how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Exact,
}

/// A request for a page, understood.
#[derive(Debug)]
struct Request {
    view: View,
    filter: Filter,
    sort: Sort,
    limit: u16,
    cursor: Option<String>,
    count: Option<Count>,
    fields: Vec<Field>,
}

impl Request {
    fn read(uri: &Uri) -> Result<Self, Problem> {
        let mut allowed = vec!["view", "sort", "limit", "cursor", "count", "fields"];
        allowed.extend(filter::NAMES);
        let mut params = Params::read(uri, &allowed)?;
        let request = Self {
            view: params.one("view", View::parse).unwrap_or_default(),
            filter: Filter::read(&mut params),
            sort: params.one("sort", Sort::parse).unwrap_or_default(),
            limit: params.one("limit", limit).unwrap_or(LIMIT_DEFAULT),
            cursor: params.one("cursor", |text| Ok(text.to_owned())),
            count: params.one("count", one_of(&[Count::Exact], |_| "exact")),
            fields: fields(&mut params),
        };
        params.finish()?;
        Ok(request)
    }

    /// Appends what the tickets of all pages have in common.
    fn push_conditions(&self, sql: &mut QueryBuilder<Postgres>, actor: &Actor) {
        sql.push(" FROM desk.tickets t WHERE ");
        push_visible(sql, actor);
        self.view.push(sql, actor);
        self.filter.push(sql);
    }
}

/// The columns that were picked, in the order of the contract; all of them if none was.
fn fields(params: &mut Params) -> Vec<Field> {
    let parse = one_of(&Field::ALL, Field::as_str);
    let lists = params.all("fields", |text| {
        text.split(',')
            .map(|name| parse(name.trim()))
            .collect::<Result<Vec<_>, _>>()
    });
    let picked: Vec<Field> = lists.into_iter().flatten().collect();
    Field::ALL
        .into_iter()
        .filter(|field| picked.is_empty() || picked.contains(field))
        .collect()
}

/// A page of the list.
pub(crate) async fn list(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let request = Request::read(&uri)?;
    request.view.permitted(&actor)?;
    let mut rows = page(&app, &request, &actor).await?;
    let more = rows.len() > usize::from(request.limit);
    rows.truncate(request.limit.into());
    let next_cursor = rows.last().filter(|_| more).map(|row| request.sort.cursor_after(row));
    let total = match request.count {
        Some(Count::Exact) => Some(total(&app, &request, &actor).await?),
        None => None,
    };
    let names = Names::of(&app.db, rows.iter().flat_map(TicketRow::ids).collect())
        .await
        .map_err(problem)?;
    let (now, fields) = (app.clock.now(), &request.fields);
    let items = rows
        .iter()
        .map(|row| Item {
            row,
            fields,
            names: &names,
            now,
        })
        .collect();
    Ok(Page {
        items,
        next_cursor,
        total,
    }
    .answer(&uri))
}

/// The rows of a page, and one more if another page follows.
async fn page(app: &App, request: &Request, actor: &Actor) -> Result<Vec<TicketRow>, Problem> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    request.push_conditions(&mut sql, actor);
    if let Some(text) = &request.cursor {
        let cursor: Cursor = cursor::read(text)?;
        request.sort.push_after(&mut sql, &cursor)?;
    }
    request.sort.push_order(&mut sql);
    sql.push(" LIMIT ").push_bind(i64::from(request.limit) + 1);
    sql.build_query_as().fetch_all(&app.db).await.map_err(problem)
}

async fn total(app: &App, request: &Request, actor: &Actor) -> Result<i64, Problem> {
    let mut sql = QueryBuilder::new("SELECT count(*)");
    request.push_conditions(&mut sql, actor);
    sql.build_query_scalar().fetch_one(&app.db).await.map_err(problem)
}
