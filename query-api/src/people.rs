//! `GET` on `/v1/users`, `/v1/groups` and `/v1/organisations`: what is known of them, for staff
//!
//! And whom users act as according to it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use domain::actor::Actor;
use domain::directory::EntryKind;
use domain::ids::UserId;
use domain::people::Profile;
use serde_json::{Map, Value};
use service_kit::Problem;
use service_kit::body::people;
use service_kit::http::Caller;
use service_kit::problem::types::NOT_FOUND;

use crate::access::for_staff;
use crate::app::App;
use crate::versions::Kept;

/// Said to customers.
const FOR_STAFF: &str = "The directory is for staff.";

const fn kept(kind: EntryKind) -> Kept {
    let (things, versions) = match kind {
        EntryKind::User => ("users", "user_versions"),
        EntryKind::Group => ("groups", "group_versions"),
        EntryKind::Organisation => ("organisations", "organisation_versions"),
    };
    Kept {
        things,
        versions,
        definition: "v.definition",
        noun: kind.as_str(),
        not_found: &NOT_FOUND,
    }
}

/// Every entry of a kind that has a profile, as its last version says, by name.
pub(crate) async fn list(
    kind: EntryKind,
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    kept(kind).list(&app, &uri).await
}

/// One of them: its last version, or the one that `version` names.
pub(crate) async fn one(
    kind: EntryKind,
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    kept(kind).one(&app, path, &uri).await
}

/// The versions of one, in the order in which they were written.
pub(crate) async fn versions(
    kind: EntryKind,
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    kept(kind).versions(&app, path, &uri).await
}

/// Whom a user acts as who has this profile; `None`: as nobody.
pub(crate) fn actor(user: UserId, name: String, definition: Map<String, Value>) -> Result<Option<Arc<Actor>>, Problem> {
    let mut body = definition;
    body.insert("name".to_owned(), name.into());
    let Profile::User(profile) = people::profile(EntryKind::User, &body)? else {
        return Err(Problem::internal());
    };
    Ok(profile.actor(user).map(Arc::new))
}
