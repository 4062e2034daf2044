//! Filters: each may be repeated for "any of", and all of them together are "and".

use std::ops::RangeInclusive;

use domain::actor::Actor;
use domain::catalogue::NotInCatalogue;
use domain::portal::Property;
use domain::text::{Code, Label};
use domain::ticket::Status;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use service_kit::Problem;
use service_kit::problem::FieldError;
use sqlx::postgres::{PgHasArrayType, PgPool};
use sqlx::{Encode, Postgres, QueryBuilder, Type};
use uuid::Uuid;

use super::numbers;
use super::sort::Sort;
use crate::database::problem;
use crate::moment::Moment;
use crate::params::{self, Params, one_of, time, uuid};

/// The parameters that filter, and what they ask of a ticket, if a portal may hide that.
const NAMES: [(&str, Option<Property>); 24] = [
    ("status", None),
    ("type", None),
    ("priority", Some(Property::Priority)),
    ("category", Some(Property::Category)),
    ("system", Some(Property::System)),
    ("environment", Some(Property::Environment)),
    ("service", Some(Property::Service)),
    ("product", Some(Property::Product)),
    ("platform_version", Some(Property::PlatformVersion)),
    ("requester", None),
    ("organisation", None),
    ("assignee", Some(Property::Assignee)),
    ("group", Some(Property::Group)),
    ("project", Some(Property::Project)),
    ("number", None),
    ("created_from", None),
    ("created_to", None),
    ("updated_from", None),
    ("updated_to", None),
    ("due_from", Some(Property::DueAt)),
    ("due_to", Some(Property::DueAt)),
    ("overdue", Some(Property::DueAt)),
    ("rating_from", Some(Property::Rating)),
    ("rating_to", Some(Property::Rating)),
];

/// The parameters by which an actor can filter: by what is hidden, nobody does.
pub(crate) fn names(actor: &Actor) -> Vec<&'static str> {
    let shown = |property: &Option<Property>| property.as_ref().is_none_or(|property| actor.is_shown(property));
    NAMES
        .iter()
        .filter(|(_, property)| shown(property))
        .map(|(name, _)| *name)
        .collect()
}

/// What a requester can give.
pub(crate) const SCORES: RangeInclusive<i16> = 1..=5;

/// Answers to `overdue`, and what they ask. Whoever waits for nothing is never overdue.
pub(crate) const OVERDUE: (&str, &str) = ("true", DUE_TO);
pub(crate) const NOT_OVERDUE: (&str, &str) = ("false", "COALESCE(t.due_at, 'infinity'::timestamptz) >= ");

/// Comparisons with a time. Due times are compared as the indexes for sorting by them have them.
const CREATED_FROM: &str = "t.created_at >= ";
const CREATED_TO: &str = "t.created_at < ";
const UPDATED_FROM: &str = "t.updated_at >= ";
const UPDATED_TO: &str = "t.updated_at < ";
const DUE_FROM: &str = "COALESCE(t.due_at, '-infinity'::timestamptz) >= ";
const DUE_TO: &str = "COALESCE(t.due_at, 'infinity'::timestamptz) < ";

/// Whose wish a ticket is.
const REQUESTER: &str = "t.requester_id";
const ORGANISATION: &str = "t.organisation_id";
/// Who works on it.
const ASSIGNEE: &str = "t.assignee_id";
/// What the catalogue has.
const TYPE: &str = "t.ticket_type";
const PRIORITY: &str = "t.priority";

/// What is asked of tickets. An empty list asks nothing.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Columns that hold one of some texts.
    texts: Vec<(&'static str, Vec<String>)>,
    /// Columns that hold one of some ranks.
    ranks: Vec<(&'static str, Vec<i16>)>,
    /// Columns that hold one of some ids.
    ids: Vec<(&'static str, Vec<Uuid>)>,
    /// Columns that hold one of some ids, or none where `None` is among them.
    perhaps: Vec<(&'static str, Vec<Option<Uuid>>)>,
    numbers: Vec<i64>,
    /// Columns and comparisons with a time.
    times: Vec<(&'static str, Timestamp)>,
    /// Comparisons with a score.
    scores: Vec<(&'static str, i16)>,
}

impl Filter {
    /// Takes the filters out of the parameters. What is overdue depends on the moment.
    pub(crate) fn read(params: &mut Params, moment: Moment) -> Self {
        let mut filter = Self::default();
        let statuses = params.all("status", one_of(&Status::ALL, Status::as_str));
        let ranks = statuses.into_iter().map(|status| status.rank().into()).collect();
        filter.ranks.push(("t.status_rank", ranks));
        filter.text(TYPE, params.all("type", code));
        filter.text(PRIORITY, params.all("priority", code));
        for (name, column) in [
            ("category", "t.category"),
            ("system", "t.system"),
            ("environment", "t.environment"),
            ("service", "t.service"),
            ("product", "t.product"),
            ("platform_version", "t.platform_version"),
        ] {
            filter.text(column, params.all(name, label));
        }
        for (name, column) in [
            ("requester", REQUESTER),
            ("organisation", ORGANISATION),
            ("group", "t.group_id"),
        ] {
            filter.ids.push((column, params.all(name, uuid)));
        }
        for (name, column) in [("assignee", ASSIGNEE), ("project", "t.project_id")] {
            let ids = params.all(name, |text| match text {
                "none" => Ok(None),
                id => uuid(id).map(Some).map_err(|_| "must be a UUID, or none".to_owned()),
            });
            filter.perhaps.push((column, ids));
        }
        filter.numbers = params.all("number", number);
        for (name, comparison) in [
            ("created_from", CREATED_FROM),
            ("created_to", CREATED_TO),
            ("updated_from", UPDATED_FROM),
            ("updated_to", UPDATED_TO),
            ("due_from", DUE_FROM),
            ("due_to", DUE_TO),
        ] {
            filter.times.extend(params.one(name, time).map(|at| (comparison, at)));
        }
        let overdue = params.one("overdue", one_of(&[OVERDUE, NOT_OVERDUE], |(name, _)| name));
        filter
            .times
            .extend(overdue.map(|(_, comparison)| (comparison, moment.at())));
        for (name, comparison) in [("rating_from", "t.rating >= "), ("rating_to", "t.rating <= ")] {
            filter
                .scores
                .extend(params.one(name, score).map(|score| (comparison, score)));
        }
        filter
    }

    /// Checks that the catalogue has the types and priorities that it asks for, and looks for priorities by their ranks then.
    /// What is archived, tickets may still have; it is not told to whoever does not know it.
    pub(crate) async fn settle(&mut self, db: &PgPool, actor: &Actor) -> Result<(), Problem> {
        let mut errors = Vec::new();
        for (column, codes) in self.texts.iter_mut().filter(|(_, codes)| !codes.is_empty()) {
            let (name, statement) = match *column {
                TYPE => ("type", TYPES),
                PRIORITY => ("priority", PRIORITIES),
                _ => continue,
            };
            let mut items: Vec<Item> = sqlx::query_as(statement).fetch_all(db).await.map_err(problem)?;
            if let Some(portal) = actor.portal.as_ref().filter(|_| *column == TYPE) {
                items.retain(|item| portal.takes(&item.code));
            }
            let is_known = |code: &String| items.iter().any(|item| item.code == *code);
            if !codes.iter().all(is_known) {
                let in_use = items.into_iter().filter(|item| !item.archived);
                let allowed = in_use.map(|item| item.code).collect();
                let detail = NotInCatalogue { allowed }.to_string();
                errors.push(FieldError::new(name, "invalid", detail));
            } else if *column == PRIORITY {
                self.ranks.push(("t.priority_rank", by_rank(codes, items)));
            }
        }
        params::refused(errors)
    }

    fn text(&mut self, column: &'static str, values: Vec<String>) {
        self.texts.push((column, values));
    }

    /// Whether it asks for tickets that wait for something. They are few: it costs less to sort them all than to
    /// meet a page of them in any other order, and Postgres does not know that they are all new.
    pub(crate) fn asks_who_waits(&self) -> bool {
        self.times
            .iter()
            .any(|(comparison, _)| [DUE_FROM, DUE_TO].contains(comparison))
    }

    /// Whether it asks for tickets of people or organisations that it names: a small part of all. A group's are many, and so
    /// are a project's.
    pub(crate) fn asks_whose(&self) -> bool {
        let wishers = |(column, ids): &(&str, Vec<Uuid>)| [REQUESTER, ORGANISATION].contains(column) && !ids.is_empty();
        let workers =
            |(column, ids): &(&str, Vec<Option<Uuid>>)| *column == ASSIGNEE && !ids.is_empty() && !ids.contains(&None);
        self.ids.iter().any(wishers) || self.perhaps.iter().any(workers)
    }

    /// Appends what follows from the conditions for the order: a walk need not pass what cannot be meant. A ticket
    /// is never changed before it is created.
    fn push_implied(&self, sql: &mut QueryBuilder<Postgres>, order: Sort) {
        for (comparison, at) in &self.times {
            match *comparison {
                CREATED_FROM if order.is_by_update() => {
                    sql.push(format_args!(" AND {UPDATED_FROM}")).push_bind(at.to_sqlx());
                }
                UPDATED_TO if order.is_by_creation() => {
                    sql.push(format_args!(" AND {CREATED_TO}")).push_bind(at.to_sqlx());
                }
                CREATED_FROM if order.is_by_number() => numbers::push_created_from(sql, *at),
                CREATED_TO | UPDATED_TO if order.is_by_number() => numbers::push_created_until(sql, *at),
                _ => {}
            }
        }
    }

    /// Appends the conditions, for tickets that are met in the order of `walked` or in none.
    pub(crate) fn push(&self, sql: &mut QueryBuilder<Postgres>, walked: Option<Sort>) {
        if let Some(order) = walked {
            self.push_implied(sql, order);
        }
        for (column, ranks) in &self.ranks {
            push_any_of(sql, column, ranks);
        }
        for (column, values) in &self.texts {
            push_any_of(sql, column, values);
        }
        for (column, values) in &self.ids {
            push_any_of(sql, column, values);
        }
        for (column, perhaps) in &self.perhaps {
            let ids: Vec<Uuid> = perhaps.iter().copied().flatten().collect();
            if perhaps.contains(&None) {
                sql.push(format_args!(" AND ({column} IS NULL OR {column} = ANY("))
                    .push_bind(ids)
                    .push("))");
            } else {
                push_any_of(sql, column, &ids);
            }
        }
        push_any_of(sql, "t.number", &self.numbers);
        for (comparison, at) in &self.times {
            sql.push(format_args!(" AND {comparison}")).push_bind(at.to_sqlx());
        }
        for (comparison, score) in &self.scores {
            sql.push(format_args!(" AND {comparison}")).push_bind(*score);
        }
    }
}

/// A type or a priority of the catalogue.
#[derive(Debug, sqlx::FromRow)]
struct Item {
    code: String,
    archived: bool,
    /// All that a priority ever had.
    ranks: Vec<i16>,
}

const TYPES: &str = "
    SELECT definition ->> 'code' AS code, (definition ->> 'archived')::boolean AS archived, '{}'::smallint[] AS ranks
    FROM desk.catalogue_types
    ORDER BY name";
const PRIORITIES: &str = "
    SELECT p.definition ->> 'code' AS code, (p.definition ->> 'archived')::boolean AS archived,
        ARRAY(SELECT (v.definition ->> 'rank')::smallint FROM desk.catalogue_priority_versions v WHERE v.id = p.id) AS ranks
    FROM desk.catalogue_priorities p
    ORDER BY p.definition -> 'rank'";

/// The ranks that these priorities ever had, by which the indexes find tickets. The codes need not be looked at where no other
/// priority ever had one of them.
fn by_rank(codes: &mut Vec<String>, priorities: Vec<Item>) -> Vec<i16> {
    let (meant, others): (Vec<_>, Vec<_>) = priorities.into_iter().partition(|item| codes.contains(&item.code));
    let ranks: Vec<i16> = meant.into_iter().flat_map(|item| item.ranks).collect();
    if !others
        .iter()
        .flat_map(|item| &item.ranks)
        .any(|rank| ranks.contains(rank))
    {
        codes.clear();
    }
    ranks
}

/// Appends that a column holds one of some values, if there are any. With one value it is an
/// equation: only then does an index on this column and the sort's come in the sort's order.
fn push_any_of<'v, T>(sql: &mut QueryBuilder<Postgres>, column: &str, values: &'v [T])
where
    T: Clone + Send + Sync + Type<Postgres> + Encode<'v, Postgres> + PgHasArrayType,
{
    match values {
        [] => {}
        [one] => {
            sql.push(format_args!(" AND {column} = ")).push_bind(one.clone());
        }
        many => {
            sql.push(format_args!(" AND {column} = ANY("))
                .push_bind(many.to_vec())
                .push(")");
        }
    }
}

fn label(text: &str) -> Result<String, String> {
    Label::parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn code(text: &str) -> Result<String, String> {
    Code::parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn number(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "must be a ticket's number, from 1".to_owned())
}

fn score(text: &str) -> Result<i16, String> {
    let score = text.parse().ok().filter(|score| SCORES.contains(score));
    score.ok_or_else(|| format!("must be a whole number from {} to {}", SCORES.start(), SCORES.end()))
}
