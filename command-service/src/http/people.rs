//! `POST` and `PUT` on `/v1/users`, `/v1/groups`, `/v1/organisations`, `/v1/roles`, `/v1/permission-sets` and `/v1/projects`: what
//! is known of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::actor::{Actor, ActorKind, Permission};
use domain::directory::EntryKind;
use domain::people::{Fact, Profile, may_write};
use event_log::ProfileOutcome;
use serde_json::{Map, Value};
use service_kit::body::{object, people};
use service_kit::http::{ApiJson, Caller};
use service_kit::openapi::people::path;
use service_kit::problem::types;
use service_kit::{Problem, written};
use uuid::Uuid;

use super::headers::{CommandHeaders, Replayed, committed, created};
use crate::app::App;
use crate::body;
use crate::command::created_entry;
use crate::problem;

/// What the digests of such wishes begin with. Stored with records: never change one.
const fn digest_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::User => "user.profile",
        EntryKind::Group => "group.profile",
        EntryKind::Organisation => "organisation.profile",
        EntryKind::Role => "role.profile",
        EntryKind::PermissionSet => "permission_set.profile",
        EntryKind::Project => "project.profile",
    }
}

/// `POST`: a new entry.
pub(super) async fn create(
    kind: EntryKind,
    State(app): State<App>,
    Caller(caller): Caller,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    writer(&caller, kind)?;
    headers.refuse_if_match("does not go with creating: what is not there has no revision")?;
    let id = created_entry(kind, caller.user, headers.key.as_deref());
    let outcome = write(&app, &caller, (kind, id), headers, body).await?;
    let headers = committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed));
    Ok(created(&format!("{}/{id}", path(kind)), headers, answer(id, &outcome)))
}

/// `PUT`: what is known of an entry, whole. One that has a name alone, or is not there, gets its profile by this.
pub(super) async fn replace(
    kind: EntryKind,
    State(app): State<App>,
    Caller(caller): Caller,
    id: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    writer(&caller, kind)?;
    let Path(id) = id?;
    let id: Uuid = id
        .parse()
        .map_err(|_| Problem::new(&types::NOT_FOUND).detail("Ids are UUIDs: this path leads nowhere."))?;
    let outcome = write(&app, &caller, (kind, id), headers, body).await?;
    let headers = committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed));
    Ok((headers, Json(answer(id, &outcome))).into_response())
}

async fn write(
    app: &App,
    caller: &Arc<Actor>,
    (kind, id): (EntryKind, Uuid),
    headers: CommandHeaders,
    body: Value,
) -> Result<ProfileOutcome, Problem> {
    let body = object(body)?;
    let profile = people::profile(kind, &body)?;
    let caller = &app.by_now(caller)?;
    let request = headers.request(caller, body::digest(digest_name(kind), &body));
    let outcome = app.directory.write(id, &profile, &request).await;
    let outcome = outcome.map_err(|error| problem::of_profile(&error, caller))?;
    app.applied(outcome.position).await;
    if let Profile::User(user) = &profile {
        app.heed(id.into(), user).await?;
    }
    Ok(outcome)
}

/// Said before the body is looked at: whoever may not write need not know how.
fn writer(caller: &Actor, kind: EntryKind) -> Result<(), Problem> {
    if may_write(caller, kind) {
        Ok(())
    } else {
        Err(problem::profile_not_permitted(kind))
    }
}

/// The same of what is for administrators alone, whatever the kind.
pub(super) fn administrator(caller: &Actor) -> Result<(), Problem> {
    if caller.kind == ActorKind::Staff && caller.may(Permission::Administer) {
        Ok(())
    } else {
        Err(problem::only_administrators())
    }
}

fn answer(id: Uuid, outcome: &ProfileOutcome) -> Map<String, Value> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("id", id.to_string().into());
    set("version", outcome.revision.0.into());
    set("revision", outcome.revision.0.into());
    // No name follows a profile.
    if let Fact::Profile(profile) = &outcome.fact {
        set("name", profile.name().as_str().into());
        if let Value::Object(definition) = written::profile(profile) {
            body.extend(definition);
        }
    }
    body
}
