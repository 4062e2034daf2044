//! `GET /v1/policies`, `GET /v1/policies/presets`, `GET /v1/policies/{id}`, `GET /v1/policies/{id}/versions`
//!
//! For staff: policies say what was agreed with whom.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use domain::sla::SlaPolicy;
use domain::sla::stored::Version;
use domain::text::Label;
use serde_json::{Value, json};
use service_kit::http::Caller;
use service_kit::problem::types::POLICY_NOT_FOUND;
use service_kit::{Problem, written};

use crate::access::for_staff;
use crate::app::App;
use crate::page::Page;
use crate::params::Params;
use crate::versions::{Kept, Shown};

/// Said to customers.
const FOR_STAFF: &str = "Policies are for staff.";

const POLICIES: Kept = Kept {
    things: "policies",
    versions: "policy_versions",
    definition: "v.definition",
    noun: "policy",
    path: "/v1/policies",
    not_found: &POLICY_NOT_FOUND,
    references: &[],
};

/// Every policy, as its last version says, by name.
pub(crate) async fn list(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    POLICIES.list(&app, &uri).await
}

/// One policy: its last version, or the one that `version` names.
pub(crate) async fn one(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    POLICIES.one(&app, path, &uri, &Shown::Everything).await
}

/// A policy's versions, in the order in which they were written.
pub(crate) async fn versions(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    POLICIES.versions(&app, path, &uri).await
}

/// Policies to begin with: bodies for `POST /v1/policies`, with the calendars that they count by.
pub(crate) async fn presets(Extension(Caller(actor)): Extension<Caller>, uri: Uri) -> Result<Response, Problem> {
    Params::read(&uri, &[])?.finish()?;
    for_staff(&actor, FOR_STAFF)?;
    let items = [SlaPolicy::supportal(), SlaPolicy::cabinet(), SlaPolicy::simple()]
        .iter()
        .map(preset)
        .collect::<Result<Vec<Value>, Problem>>()?;
    Ok(Page {
        items,
        next_cursor: None,
        total: None,
    }
    .answer(&uri))
}

fn preset(policy: &SlaPolicy) -> Result<Value, Problem> {
    let spec = policy.spec();
    let id = spec.id.as_str();
    let version = Version {
        scope: spec.scope.clone(),
        targets: spec.targets.clone(),
        information: spec.information,
        closure: spec.closure,
        reply_resumes: spec.reply_resumes,
        ..Version::new(Label::parse(id).map_err(|_| Problem::internal())?)
    };
    let calendar = policy.calendar().spec();
    let named = json!({ "name": calendar.name, "time_zone": calendar.time_zone });
    Ok(json!({
        "preset": id,
        "policy": both(json!({ "name": id }), written::policy(&version)),
        "calendar": both(named, written::calendar(calendar)),
    }))
}

/// The members of both objects.
fn both(one: Value, other: Value) -> Value {
    let members = [one, other].into_iter().filter_map(|value| match value {
        Value::Object(members) => Some(members),
        _ => None,
    });
    Value::Object(members.flatten().collect())
}
