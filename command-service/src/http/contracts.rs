//! `PUT /v1/organisations/{id}/contract`, `PUT /v1/users/{id}/contract`: how an organisation's tickets are worked on, and from
//! when to when its people, or one person, are supported.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::actor::{Actor, ActorKind};
use domain::contract::{Agreed, Contract, Party, SupportPeriod};
use domain::workflow::Workflow;
use serde_json::{Map, Value};
use service_kit::Problem;
use service_kit::body::{Fields, instant_or_date, object, one_of};
use service_kit::http::{ApiJson, Caller};
use service_kit::problem::types;
use uuid::Uuid;

use super::headers::{CommandHeaders, Replayed, committed};
use crate::app::App;
use crate::body;
use crate::problem;

/// What the digests of such wishes begin with. Stored with records: never change it.
const AGREE: &str = "contract.agree";

pub(super) async fn with_organisation(
    State(app): State<App>,
    Caller(caller): Caller,
    path: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    let party = Party::Organisation(id(&caller, path)?.into());
    agree(&app, &caller, party, headers, body).await
}

pub(super) async fn with_user(
    State(app): State<App>,
    Caller(caller): Caller,
    path: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    let party = Party::User(id(&caller, path)?.into());
    agree(&app, &caller, party, headers, body).await
}

fn id(caller: &Actor, path: Result<Path<String>, PathRejection>) -> Result<Uuid, Problem> {
    if caller.kind != ActorKind::Staff {
        return Err(problem::contracts_only_staff());
    }
    let Path(id) = path?;
    id.parse().map_err(|_| {
        Problem::new(&types::NOT_FOUND).detail("Organisations and users are named by their id, which is a UUID.")
    })
}

async fn agree(
    app: &App,
    caller: &Arc<Actor>,
    party: Party,
    headers: CommandHeaders,
    body: Value,
) -> Result<Response, Problem> {
    let body = object(body)?;
    let wanted = read(&body, party)?;
    let request = headers.request(app, caller, body::digest(AGREE, &body)).await?;
    let outcome = app.contracts.agree(party, &wanted, &request).await;
    let outcome = outcome.map_err(|error| problem::of_contract(&error, caller))?;
    app.applied(outcome.position).await;
    let headers = committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed));
    let SupportPeriod { from, until } = outcome.fact.support();
    let time = |at: &Option<Timestamp>| at.map(|at| at.to_string()).into();
    let version: Value = outcome.revision.0.into();
    let workflow = outcome.fact.workflow().map(|name| ("workflow", name.into()));
    let answer: Map<String, Value> = [
        (party.kind().as_str(), party.as_uuid().to_string().into()),
        ("version", version.clone()),
        ("revision", version),
        ("support_from", time(from)),
        ("support_until", time(until)),
    ]
    .into_iter()
    .chain(workflow)
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    Ok((headers, Json(answer)).into_response())
}

fn read(body: &Map<String, Value>, party: Party) -> Result<Agreed, Problem> {
    let mut fields = Fields::new(body);
    let workflow = match party {
        Party::Organisation(_) => fields.required("workflow", |value| {
            one_of(&Workflow::ALL, |workflow| workflow.name, value)
        }),
        // Users follow that of their organisation: the field is unknown here.
        Party::User(_) => None,
    };
    let from = fields.optional("support_from", instant_or_date);
    let until = match party {
        // It is all that there is to say. A body without it was sent by mistake, and would end nothing.
        Party::User(_) if fields.present("support_until").is_none() => {
            fields.required("support_until", instant_or_date)
        }
        Party::User(_) | Party::Organisation(_) => fields.optional("support_until", instant_or_date),
    };
    fields.finish()?;
    let support = SupportPeriod { from, until };
    Ok(match workflow {
        Some(Workflow { name: workflow, .. }) => Agreed::WithOrganisation(Contract { workflow, support }),
        None => Agreed::WithUser(support),
    })
}
