//! `POST /v1/tickets` and `POST /v1/tickets/{id}/{command}`.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::actor::Actor;
use domain::ids::TicketId;
use domain::sla::SlaEvent;
use domain::ticket::CommandName;
use event_log::Outcome;
use serde_json::{Map, Value, json};
use service_kit::Problem;
use service_kit::body::object;
use service_kit::http::{ApiJson, Caller};
use service_kit::problem::types;

use super::headers::{CommandHeaders, created, of_outcome};
use crate::app::App;
use crate::command::{Sent, created_ticket};

/// `POST /v1/tickets`
pub(super) async fn create(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    headers.refuse_if_match("does not go with creating: a ticket that is not there has no revision")?;
    let ticket = created_ticket(caller.user, headers.key.as_deref());
    let sent = sent(&app, &caller, CommandName::Create, ticket, (headers, body)).await?;
    let outcome = app.carry_out(&app.by_now(&caller)?, sent).await?;
    let body = answer(CommandName::Create, ticket, &outcome);
    Ok(created(&format!("/v1/tickets/{ticket}"), of_outcome(&outcome), body))
}

/// `POST /v1/tickets/{id}/{command}`
pub(super) async fn command(
    State(app): State<App>,
    Caller(caller): Caller,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    let Path((id, command)) = path?;
    let ticket = ticket_id(&id)?;
    let name = command_name(&command)?;
    let sent = sent(&app, &caller, name, ticket, (headers, body)).await?;
    let outcome = app.carry_out(&app.by_now(&caller)?, sent).await?;
    Ok((of_outcome(&outcome), Json(answer(name, ticket, &outcome))).into_response())
}

async fn sent(
    app: &App,
    caller: &Actor,
    name: CommandName,
    ticket: TicketId,
    (headers, body): (CommandHeaders, Value),
) -> Result<Sent, Problem> {
    let body = object(body)?;
    Ok(Sent {
        name,
        ticket,
        origin: app.origin(caller.user, &headers.origin).await?,
        key: headers.key,
        if_match: headers.if_match,
        traceparent: headers.traceparent,
        body,
    })
}

/// A ticket's id in a path. What is no id is the id of no ticket.
pub(crate) fn ticket_id(text: &str) -> Result<TicketId, Problem> {
    text.parse().map_err(|_| {
        Problem::new(&types::TICKET_NOT_FOUND)
            .detail("Commands take a ticket's id, which is a UUID; its number will not do.")
    })
}

/// A command's name in a path.
fn command_name(text: &str) -> Result<CommandName, Problem> {
    CommandName::parse(text).ok_or_else(|| {
        let names: Vec<_> = CommandName::ON_TICKET.iter().map(|name| name.as_str()).collect();
        Problem::new(&types::NOT_FOUND).detail(format!("There is no such command. Commands are: {}.", names.join(", ")))
    })
}

/// The body of a command's answer.
pub(crate) fn answer(name: CommandName, ticket: TicketId, outcome: &Outcome) -> Map<String, Value> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("id", ticket.to_string().into());
    set("number", outcome.number.0.into());
    set("status", outcome.status.as_str().into());
    set("revision", outcome.revision.0.into());
    if name != CommandName::Create {
        // What that made of the ticket's clocks is for staff, who find it in the timeline.
        let of_ticket = outcome.events.iter().filter(|name| !name.starts_with(SlaEvent::PREFIX));
        set("events", json!(of_ticket.collect::<Vec<_>>()));
    }
    body
}
