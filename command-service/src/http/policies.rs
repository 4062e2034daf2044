//! `POST` and `PUT` on `/v1/policies`: creating and changing.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::actor::{Actor, ActorKind};
use domain::ids::{CalendarId, PolicyId, Position};
use domain::sla::stored::{Command, Draft};
use domain::sla::{Library, SlaCalendar};
use event_log::PolicyOutcome;
use serde_json::{Map, Value};
use service_kit::Problem;
use service_kit::body::{object, policy};
use service_kit::http::{ApiJson, Caller};

use super::headers::{CommandHeaders, Replayed, committed, created};
use crate::app::App;
use crate::body;
use crate::command::created_policy;
use crate::problem;

/// What the digests of wishes begin with. Stored with records: never change one.
const CREATE: &str = "policy.create";
const REPLACE: &str = "policy.replace";

/// How long an answer waits for this service to go by what it acknowledges. It is a round trip
/// away; when the log is slower than this, the next tickets go by the policies of before.
const IN_FORCE_LIMIT: Duration = Duration::from_secs(1);

/// `POST /v1/policies`
pub(super) async fn create(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    staff(&caller)?;
    headers.refuse_if_match("does not go with creating: a policy that is not there has no revision")?;
    let body = object(body)?;
    let draft = app.draft(&caller, &body).await?;
    let id = created_policy(caller.user, headers.key.as_deref());
    let digest = body::digest(CREATE, &body);
    let outcome = app
        .set_policy(&caller, id, &Command::Create(draft), headers, digest)
        .await?;
    let headers = committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed));
    Ok(created(&format!("/v1/policies/{id}"), headers, answer(&outcome)))
}

/// `PUT /v1/policies/{id}`
pub(super) async fn replace(
    State(app): State<App>,
    Caller(caller): Caller,
    path: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let Path(id) = path?;
    // What is no id is the id of no policy.
    let id: PolicyId = id.parse().map_err(|_| problem::no_policy())?;
    let body = object(body)?;
    let draft = app.draft(&caller, &body).await?;
    let digest = body::digest(REPLACE, &body);
    let outcome = app
        .set_policy(&caller, id, &Command::Replace(draft), headers, digest)
        .await?;
    let headers = committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed));
    Ok((headers, Json(answer(&outcome))).into_response())
}

impl App {
    /// What a body wants, with the hours that its calendar has now.
    async fn draft(&self, caller: &Actor, body: &Map<String, Value>) -> Result<Draft, Problem> {
        let reading = policy::read("", body, &self.books.catalogue())?;
        let hours = match reading.calendar() {
            None => Some(SlaCalendar::round_the_clock()),
            Some(calendar) => self.hours(caller, calendar).await?,
        };
        reading.finish(hours)
    }

    /// The version of a calendar that is in force now; `None`: there is no such calendar.
    pub(super) async fn hours(&self, caller: &Actor, id: CalendarId) -> Result<Option<SlaCalendar>, Problem> {
        let (versions, _) = self
            .calendars
            .versions(id)
            .await
            .map_err(|error| problem::of_execution(&error, caller))?;
        let mut library = Library::default();
        for version in versions.iter() {
            library.add_calendar(id, version);
        }
        Ok(library.hours(Some(id), self.calendars.now()))
    }

    async fn set_policy(
        &self,
        caller: &Arc<Actor>,
        id: PolicyId,
        command: &Command,
        headers: CommandHeaders,
        digest: [u8; 32],
    ) -> Result<PolicyOutcome, Problem> {
        let request = headers.request(self, caller, digest).await?;
        let outcome = self.policies.execute(id, command, &request).await;
        let outcome = outcome.map_err(|error| problem::of_policy(&error, caller))?;
        self.applied(outcome.position).await;
        Ok(outcome)
    }

    /// Returns once this service goes by what a position of the directory says, or a little later
    /// without.
    pub(super) async fn applied(&self, position: Position) {
        // A policy is kept whether this service knows it yet or not.
        let _ = tokio::time::timeout(IN_FORCE_LIMIT, self.books.reached(position)).await;
    }
}

/// Said before the body is looked at: whoever may not write need not know how.
pub(super) fn staff(caller: &Actor) -> Result<(), Problem> {
    if caller.kind == ActorKind::Staff && caller.sees_everything() {
        Ok(())
    } else {
        Err(problem::policies_only_staff())
    }
}

/// The body of a command's answer. A policy's versions are counted by its revisions.
fn answer(outcome: &PolicyOutcome) -> Map<String, Value> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("id", outcome.fact.policy.to_string().into());
    set("name", outcome.fact.version.name.as_str().into());
    set("version", outcome.revision.0.into());
    set("revision", outcome.revision.0.into());
    set("in_force", outcome.fact.version.in_force.into());
    body
}
