//! `GET /v1/tickets`

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use domain::actor::Actor;
use jiff::Timestamp;
use service_kit::Problem;
use service_kit::http::Caller;
use sqlx::postgres::PgPool;
use sqlx::{Postgres, QueryBuilder};

use super::filter::{self, Filter};
use super::item::{COLUMNS, Field, Item, TicketRow};
use super::numbers;
use super::search::{Question, RANKED_MAX};
use super::sort::{Cursor, Sort};
use super::view::View;
use crate::access::{Way, push_led, push_visible};
use crate::app::App;
use crate::database::problem;
use crate::moment::Moment;
use crate::names::Names;
use crate::page::{LIMIT_DEFAULT, Page, limit};
use crate::params::{Params, one_of};

/// Whether the caller wants to know how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Exact,
}

/// Which tickets, when, in which order, and what of them: all that a page and an export have in common.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) view: View,
    filter: Filter,
    question: Option<Question>,
    pub(super) moment: Moment,
    pub(super) sort: Sort,
    pub(super) fields: Vec<Field>,
}

impl Selection {
    /// The query of `uri`, which may have these parameters and those named in `own`.
    pub(super) fn params(uri: &Uri, own: &[&str], actor: &Actor) -> Result<Params, Problem> {
        let mut allowed = vec!["view", "sort", "fields", "q", "as_of"];
        allowed.extend(own);
        allowed.extend(filter::names(actor));
        Params::read(uri, &allowed)
    }

    /// Takes them out of the parameters of a request that came `now`.
    pub(super) fn read(params: &mut Params, now: Timestamp, actor: &Actor) -> Self {
        let asks = params.has("q");
        let moment = Moment::read(params, now);
        let sort = params.one("sort", |text| Sort::parse(text, actor));
        if sort == Some(Sort::RELEVANCE) && !asks {
            params.error(
                "sort",
                "invalid",
                "relevance needs q: something to be relevant to".to_owned(),
            );
        }
        Self {
            view: params.one("view", View::parse).unwrap_or_default(),
            filter: Filter::read(params, moment),
            question: params.one("q", Question::parse),
            moment,
            sort: sort.unwrap_or(if asks { Sort::RELEVANCE } else { Sort::default() }),
            fields: fields(params, actor),
        }
    }

    /// Checks and looks up what only the read models know.
    pub(super) async fn settle(&mut self, db: &PgPool, actor: &Actor) -> Result<(), Problem> {
        self.filter.settle(db, actor).await
    }

    /// Looks ahead, so that a question about the past is answered quickly if few tickets may answer it.
    async fn look_ahead(&mut self, db: &PgPool, actor: &Actor) -> Result<(), Problem> {
        match &mut self.question {
            Some(question) => question.look_ahead(db, actor, self.moment).await.map_err(problem),
            None => Ok(()),
        }
    }

    /// Appends where the tickets come from, and which of them it is that `actor` asked for.
    pub(super) fn push_conditions(&self, sql: &mut QueryBuilder<Postgres>, actor: &Actor) {
        self.push_conditions_where(sql, actor, Some(self.walk()), |sql| push_visible(sql, actor));
    }

    /// The same with a condition in place of "visible", for tickets that are met in the order of `walked` or in none.
    fn push_conditions_where(
        &self,
        sql: &mut QueryBuilder<Postgres>,
        actor: &Actor,
        walked: Option<Sort>,
        push_visible: impl FnOnce(&mut QueryBuilder<Postgres>),
    ) {
        let fenced = self.fences(actor);
        if fenced {
            sql.push(" FROM (SELECT t.*");
        }
        self.moment.push_from(sql);
        if self.question.is_some() && !fenced {
            Question::push_join(sql, self.moment);
        }
        sql.push(" WHERE ");
        push_visible(sql);
        self.moment.push_held(sql);
        self.view.push(sql, actor);
        self.filter.push(sql, walked);
        if let Some(latest) = self.moment.latest().filter(|_| walked.is_some_and(Sort::is_by_number)) {
            numbers::push_created_until(sql, latest);
        }
        if fenced {
            // Where there is an OFFSET, the words have no say in how tickets are found.
            sql.push(" OFFSET 0) t");
            Question::push_join(sql, self.moment);
            sql.push(" WHERE TRUE");
        }
        if let Some(question) = &self.question {
            question.push(sql, actor, self.moment);
        }
    }

    /// Whether the tickets that somebody sees are found before their words are looked at. How common a word is among
    /// all tickets says little of those of one organisation or group, and a walk that meets none of them passes all there
    /// are.
    fn fences(&self, actor: &Actor) -> bool {
        self.question.is_some() && !actor.sees_everything() && matches!(self.moment, Moment::Present(_))
    }

    /// The order in which all of them can be walked: ranks are for the first of them alone.
    pub(super) fn walk(&self) -> Sort {
        if self.sort == Sort::RELEVANCE {
            Sort::default()
        } else {
            self.sort
        }
    }

    /// Appends a query for the first tickets `t` after `cursor` in the order that was asked for.
    fn push_first(
        &self,
        sql: &mut QueryBuilder<Postgres>,
        actor: &Actor,
        cursor: Option<&Cursor>,
        limit: i64,
    ) -> Result<(), Problem> {
        sql.push("SELECT ").push(COLUMNS);
        match &self.question {
            Some(question) if self.sort == Sort::RELEVANCE => {
                self.push_ranked(sql, actor, question);
                self.push_end(sql, cursor, limit)
            }
            // Words are looked up once, and not for each of the ways.
            Some(_) => {
                self.push_conditions(sql, actor);
                self.push_end(sql, cursor, limit)
            }
            None => {
                sql.push(" FROM (");
                for (place, way) in Way::all(actor).iter().enumerate() {
                    sql.push(if place == 0 { "(" } else { " UNION (" });
                    self.push_led(sql, actor, way, cursor, limit)?;
                    sql.push(")");
                }
                sql.push(") AS first CROSS JOIN LATERAL (SELECT t.*");
                self.moment.push_from(sql);
                sql.push(" WHERE t.id = first.id");
                self.moment.push_held(sql);
                // Without OFFSET Postgres may prefer to walk all tickets in this order until it has met these.
                sql.push(" OFFSET 0) AS t WHERE TRUE");
                self.push_end(sql, None, limit)
            }
        }
    }

    /// Appends a query for the ids of the first tickets that `way` leads to. It needs only what stands in an index: all
    /// else is read for the page alone.
    fn push_led(
        &self,
        sql: &mut QueryBuilder<Postgres>,
        actor: &Actor,
        way: &Way,
        cursor: Option<&Cursor>,
        limit: i64,
    ) -> Result<(), Problem> {
        sql.push("SELECT t.id");
        if self.sorts_all(way) {
            sql.push(" FROM (SELECT t.*");
            self.push_conditions_where(sql, actor, None, |sql| push_led(sql, actor, way));
            // Where there is an OFFSET, the order outside has no say in how tickets are found.
            sql.push(" OFFSET 0) t WHERE TRUE");
        } else {
            self.push_conditions_where(sql, actor, Some(self.walk()), |sql| push_led(sql, actor, way));
        }
        self.push_end(sql, cursor, limit)
    }

    /// Whether all tickets that `way` leads to are found and sorted, and not met on a walk in the order of the list. A walk
    /// through the past meets every version of every ticket, and few of them held then: Postgres thinks that a page of
    /// somebody's tickets is complete far sooner than it is. In the order of creation it may choose: the indexes of
    /// requesters, organisations and assignees have it.
    fn sorts_all(&self, way: &Way) -> bool {
        let past = matches!(self.moment, Moment::Past(_));
        let somebodys = *way != Way::Every || self.filter.asks_whose() || self.view.is_somebodys();
        self.filter.asks_who_waits() || (past && somebodys && !self.walk().is_by_creation())
    }

    /// Appends where the tickets come from if they are ranked: the newest of those that answer the question.
    fn push_ranked(&self, sql: &mut QueryBuilder<Postgres>, actor: &Actor, question: &Question) {
        sql.push(", t.rank FROM (SELECT t.*, ");
        question.push_rank(sql, actor, self.moment);
        sql.push(" AS rank FROM (SELECT t.*, x.public_words, x.all_words");
        self.push_conditions(sql, actor);
        self.walk().push_order(sql);
        sql.push(" LIMIT ").push_bind(RANKED_MAX);
        // Without OFFSET the rank would be computed wherever it is named.
        sql.push(") t OFFSET 0) t WHERE TRUE");
    }

    /// Appends the end of a query for tickets: after which, in which order, and how many.
    fn push_end(&self, sql: &mut QueryBuilder<Postgres>, cursor: Option<&Cursor>, limit: i64) -> Result<(), Problem> {
        if let Some(cursor) = cursor {
            self.sort.push_after(sql, cursor)?;
        }
        self.sort.push_order(sql);
        sql.push(" LIMIT ").push_bind(limit);
        Ok(())
    }
}

/// A request for a page, understood.
#[derive(Debug)]
struct Request {
    selection: Selection,
    limit: u16,
    cursor: Option<String>,
    count: Option<Count>,
}

impl Request {
    fn read(uri: &Uri, now: Timestamp, actor: &Actor) -> Result<Self, Problem> {
        let mut params = Selection::params(uri, &["limit", "cursor", "count"], actor)?;
        let request = Self {
            selection: Selection::read(&mut params, now, actor),
            limit: params.one("limit", limit).unwrap_or(LIMIT_DEFAULT),
            cursor: params.one("cursor", |text| Ok(text.to_owned())),
            count: params.one("count", one_of(&[Count::Exact], |_| "exact")),
        };
        params.finish()?;
        Ok(request)
    }
}

/// The columns that were picked, in the order of the contract; all that the actor is shown if none was.
fn fields(params: &mut Params, actor: &Actor) -> Vec<Field> {
    let shown = Field::shown_to(actor);
    let parse = one_of(&shown, Field::as_str);
    let lists = params.all("fields", |text| {
        text.split(',')
            .map(|name| parse(name.trim()))
            .collect::<Result<Vec<_>, _>>()
    });
    let picked: Vec<Field> = lists.into_iter().flatten().collect();
    let is_picked = |field: &Field| picked.is_empty() || picked.contains(field);
    shown.iter().copied().filter(is_picked).collect()
}

/// A page of the list.
pub(crate) async fn list(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut request = Request::read(&uri, app.clock.now(), &actor)?;
    request.selection.view.permitted(&actor)?;
    request.selection.settle(&app.db, &actor).await?;
    request.selection.look_ahead(&app.db, &actor).await?;
    let selection = &request.selection;
    let mut rows = page(&app, &uri, &request, &actor).await?;
    let more = rows.len() > usize::from(request.limit);
    rows.truncate(request.limit.into());
    let next_cursor = rows
        .last()
        .filter(|_| more)
        .map(|row| app.cursors.write(&uri, &selection.sort.cursor_after(row)));
    let total = match request.count {
        Some(Count::Exact) => Some(total(&app, &request, &actor).await?),
        None => None,
    };
    let ids = rows.iter().flat_map(TicketRow::ids).collect();
    let names = Names::at(&app.db, ids, selection.moment).await.map_err(problem)?;
    let items = rows
        .iter()
        .map(|row| Item {
            row,
            fields: &selection.fields,
            names: &names,
            now: selection.moment.at(),
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
async fn page(app: &App, uri: &Uri, request: &Request, actor: &Actor) -> Result<Vec<TicketRow>, Problem> {
    let cursor = request.cursor.as_deref();
    let cursor: Option<Cursor> = cursor.map(|text| app.cursors.read(uri, text)).transpose()?;
    let limit = i64::from(request.limit) + 1;
    let mut sql = QueryBuilder::default();
    request.selection.push_first(&mut sql, actor, cursor.as_ref(), limit)?;
    sql.build_query_as().fetch_all(&app.db).await.map_err(problem)
}

async fn total(app: &App, request: &Request, actor: &Actor) -> Result<i64, Problem> {
    let mut sql = QueryBuilder::new("SELECT count(*)");
    request.selection.push_conditions(&mut sql, actor);
    sql.build_query_scalar().fetch_one(&app.db).await.map_err(problem)
}
