//! `GET` on `/v1/users`, `/v1/groups`, `/v1/organisations`, `/v1/roles`, `/v1/permission-sets` and `/v1/projects`: what is
//! known of them, for staff

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use domain::directory::EntryKind;
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::openapi::people::{noun, path};
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
        EntryKind::Role => ("roles", "role_versions"),
        EntryKind::PermissionSet => ("permission_sets", "permission_set_versions"),
        EntryKind::Project => ("projects", "project_versions"),
    };
    Kept {
        things,
        versions,
        definition: "v.definition",
        noun: noun(kind),
        path: path(kind),
        not_found: &NOT_FOUND,
    }
}

/// The entries of a kind that have a profile, as its last version says, by name.
pub(crate) async fn list(
    kind: EntryKind,
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    kept(kind).filtered(&app, &uri, kind).await
}

/// One of them: its last version, or the one that `version` names.
pub(crate) async fn one(
    kind: EntryKind,
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    kept(kind).one(&app, id, &uri).await
}

/// The versions of one, in the order in which they were written.
pub(crate) async fn versions(
    kind: EntryKind,
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    kept(kind).versions(&app, id, &uri).await
}
