//! `PUT /v1/organisations/{id}/contract`: how an organisation's tickets are worked on, and from when to when it is supported.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::actor::ActorKind;
use domain::contract::Contract;
use domain::ids::OrganisationId;
use domain::workflow::Workflow;
use serde_json::{Map, Value, json};
use service_kit::Problem;
use service_kit::body::{Fields, Unreadable, instant_or_date, object, string};
use service_kit::http::{ApiJson, Caller};
use service_kit::problem::types;

use super::headers::{CommandHeaders, Replayed, committed};
use crate::app::App;
use crate::body;
use crate::problem;

/// What the digests of such wishes begin with. Stored with records: never change it.
const AGREE: &str = "contract.agree";

pub(super) async fn agree(
    State(app): State<App>,
    Caller(caller): Caller,
    path: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson<Value>,
) -> Result<Response, Problem> {
    if caller.kind != ActorKind::Staff {
        return Err(problem::contracts_only_staff());
    }
    let Path(id) = path?;
    let id: OrganisationId = id
        .parse()
        .map_err(|_| Problem::new(&types::NOT_FOUND).detail("An organisation is named by its id, which is a UUID."))?;
    let body = object(body)?;
    let contract = read(&body)?;
    let request = headers.request(&caller, body::digest(AGREE, &body));
    let outcome = app.contracts.agree(id, &contract, &request).await;
    let outcome = outcome.map_err(|error| problem::of_contract(&error, &caller))?;
    app.applied(outcome.position).await;
    let headers = committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed));
    let Contract {
        workflow,
        support_from,
        support_until,
    } = outcome.fact;
    let answer = json!({
        "organisation": id.to_string(),
        "version": outcome.revision.0,
        "revision": outcome.revision.0,
        "workflow": workflow,
        "support_from": support_from.map(|at| at.to_string()),
        "support_until": support_until.map(|at| at.to_string()),
    });
    Ok((headers, Json(answer)).into_response())
}

fn read(body: &Map<String, Value>) -> Result<Contract, Problem> {
    let mut fields = Fields::new(body);
    let workflow = fields.required("workflow", |value| {
        let name = string(value)?;
        Workflow::parse(name).ok_or_else(|| {
            let names = Workflow::ALL.map(|workflow| workflow.name).join(", ");
            Unreadable::Value("invalid", format!("must be one of: {names}"))
        })
    });
    let support_from = fields.optional("support_from", instant_or_date);
    let support_until = fields.optional("support_until", instant_or_date);
    fields.finish()?;
    Ok(Contract {
        // Without one there was an error.
        workflow: workflow.ok_or_else(Problem::internal)?.name,
        support_from,
        support_until,
    })
}
