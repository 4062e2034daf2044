//! `GET /v1/tickets/{id}`

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::actor::{Actor, ActorKind};
use domain::catalogue::Awaits;
use domain::directory::EntryKind;
use domain::portal::Property;
use domain::ticket::{CommandName, Standing, Status, allowed_commands};
use domain::workflow::Workflow;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::problem::types::TICKET_NOT_FOUND;
use sqlx::{Postgres, QueryBuilder};
use utoipa::ToSchema;
use uuid::Uuid;

use super::item::{COLUMNS, Field, Item, TicketRow};
use crate::access::push_visible;
use crate::app::App;
use crate::database::problem;
use crate::moment::Moment;
use crate::names::{self, Names};
use crate::openapi;
use crate::params::Params;
use crate::portal;
use crate::support::{Periods, push_periods};

/// What one ticket shows beyond the list.
#[derive(Debug, sqlx::FromRow)]
struct WholeRow {
    #[sqlx(flatten)]
    listed: TicketRow,
    description: String,
    custom_fields: Value,
    followers: Vec<Uuid>,
    awaits: Option<String>,
    wait_kind: Option<String>,
    wait_number: Option<i32>,
    wait_policy: Option<String>,
    closed_at: Option<jiff_sqlx::Timestamp>,
    /// Null: nothing was agreed with the organisation.
    workflow: Option<String>,
    #[sqlx(flatten)]
    support: Periods,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(crate) struct Whole<'w> {
    #[serde(flatten)]
    listed: Item<'w>,
    description: &'w str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    custom_fields: Option<Value>,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    closed_at: Option<Timestamp>,
    /// For staff: whether the requester is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = openapi::support, required = false)]
    support: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<names::Named>>, nullable = false)]
    followers: Option<Vec<Value>>,
    /// The wait that runs; null: none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Sla>)]
    sla: Option<Running<'w>>,
    /// What the caller may do now.
    #[schema(schema_with = openapi::commands)]
    allowed_commands: Vec<&'static str>,
}

/// The wait that runs, if one does.
#[derive(Debug, Serialize)]
struct Running<'w>(Option<Sla<'w>>);

/// A wait: if nobody does anything until then, the desk acts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wait)]
struct Sla<'w> {
    /// What for.
    #[schema(schema_with = openapi::waits)]
    wait: &'w str,
    /// Which of the ticket's waits.
    #[schema(required = true)]
    number: Option<i32>,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    overdue: bool,
    /// The policy that it was begun under.
    #[schema(required = true)]
    policy: Option<&'w str>,
}

/// How a path names a ticket.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named {
    Id(Uuid),
    Number(i64),
}

impl Named {
    /// What is neither an id nor a number names no ticket.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let number = text.parse().ok().filter(|number| *number > 0).map(Self::Number);
        number.or_else(|| text.parse().ok().map(Self::Id)).ok_or_else(absent)
    }

    /// Appends the condition that `t` is that ticket at that moment and `actor` may see it.
    pub(crate) fn push(self, sql: &mut QueryBuilder<Postgres>, actor: &Actor, moment: Moment) {
        match self {
            Self::Id(id) => sql.push("t.id = ").push_bind(id),
            Self::Number(number) => sql.push("t.number = ").push_bind(number),
        };
        sql.push(" AND ");
        push_visible(sql, actor);
        moment.push_held(sql);
    }
}

/// There is no such ticket, or none that the caller may know of.
pub(crate) fn absent() -> Problem {
    Problem::new(&TICKET_NOT_FOUND)
        .detail("There is no such ticket that you may see. A path takes its id or its number.")
}

/// One ticket.
pub(crate) async fn one(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut params = Params::read(&uri, &["as_of"])?;
    let moment = Moment::read(&mut params, app.clock.now());
    params.finish()?;
    let ticket = Named::parse(&path?)?;
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    sql.push(
        ", d.description, t.custom_fields, t.followers, t.awaits, t.wait_kind, t.wait_number, t.wait_policy, t.closed_at,
            (SELECT c.workflow FROM desk.contracts c WHERE c.party = 'organisation' AND c.id = t.organisation_id) AS workflow",
    );
    if is_told_of_support(&actor) {
        push_periods(&mut sql, "t.organisation_id", "t.requester_id", moment);
    }
    moment.push_from(&mut sql);
    sql.push(" JOIN desk.descriptions d ON d.ticket_id = t.id AND d.revision = t.description_revision WHERE ");
    ticket.push(&mut sql, &actor, moment);
    let row: Option<WholeRow> = sql.build_query_as().fetch_optional(&app.db).await.map_err(problem)?;
    let row = row.ok_or_else(absent)?;
    let ids = row.listed.ids().chain(row.followers.iter().copied()).collect();
    let names = Names::at(&app.db, ids, moment).await.map_err(problem)?;
    let fields = Field::shown_to(&actor);
    let etag = HeaderValue::from_str(&format!("\"{}\"", row.listed.revision)).ok();
    let headers: HeaderMap = etag.into_iter().map(|etag| (ETAG, etag)).collect();
    Ok((headers, Json(whole(&row, &fields, &names, &actor, moment.at()))).into_response())
}

/// Whether `actor` is told if the requester is supported.
fn is_told_of_support(actor: &Actor) -> bool {
    actor.kind == ActorKind::Staff
}

/// What `actor` is shown of it: `fields` of the list, and the rest as their portal has it.
fn whole<'w>(row: &'w WholeRow, fields: &'w [Field], names: &'w Names, actor: &Actor, now: Timestamp) -> Whole<'w> {
    let followers = || {
        let followers = row.followers.iter();
        followers.map(|user| names.json(EntryKind::User, Some(*user))).collect()
    };
    Whole {
        listed: Item {
            row: &row.listed,
            fields,
            names,
            now,
        },
        description: &row.description,
        custom_fields: portal::custom_fields(actor, &row.custom_fields),
        closed_at: row.closed_at.map(jiff_sqlx::Timestamp::to_jiff),
        support: is_told_of_support(actor).then(|| row.support.at(now).as_str()),
        followers: actor.is_shown(&Property::Followers).then(followers),
        sla: actor.is_shown(&Property::DueAt).then(|| Running(sla(row, now))),
        allowed_commands: allowed(row, actor).into_iter().map(CommandName::as_str).collect(),
    }
}

/// The wait that runs, or null.
fn sla(row: &WholeRow, now: Timestamp) -> Option<Sla<'_>> {
    let (kind, due_at) = row.wait_kind.as_deref().zip(row.listed.due_at)?;
    Some(Sla {
        wait: kind,
        number: row.wait_number,
        due_at: due_at.to_jiff(),
        overdue: row.listed.is_overdue(now),
        policy: row.wait_policy.as_deref(),
    })
}

/// The table of the contract, asked by the same rule that decides commands.
fn allowed(row: &WholeRow, actor: &Actor) -> Vec<CommandName> {
    let Some(status) = Status::parse(&row.listed.status) else {
        return Vec::new();
    };
    let standing = Standing {
        status,
        ticket_type: &row.listed.ticket_type,
        awaits: row.awaits.as_deref().and_then(Awaits::parse),
        rated: row.listed.rating.is_some(),
        requester: row.listed.requester_id.into(),
        organisation: row.listed.organisation_id.map(Into::into),
        group: row.listed.group_id.map(Into::into),
    };
    let workflow = row.workflow.as_deref().and_then(Workflow::parse);
    allowed_commands(&standing, &workflow.unwrap_or(Workflow::USUAL), actor)
}
