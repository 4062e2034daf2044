//! `GET /v1/calendars`, `GET /v1/calendars/{id}`, `GET /v1/calendars/{id}/versions`

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use service_kit::Problem;
use service_kit::problem::types::CALENDAR_NOT_FOUND;

use crate::app::App;
use crate::versions::{Kept, Shown};

const CALENDARS: Kept = Kept {
    things: "calendars",
    versions: "calendar_versions",
    definition: "v.definition || jsonb_build_object('time_zone', v.time_zone, 'effective_from', v.effective_from)",
    noun: "calendar",
    path: "/v1/calendars",
    not_found: &CALENDAR_NOT_FOUND,
    references: &[],
};

/// Every calendar, as its last version says, by name.
pub(crate) async fn list(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    CALENDARS.list(&app, &uri).await
}

/// One calendar: its last version, or the one that `version` names.
pub(crate) async fn one(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    CALENDARS.one(&app, path, &uri, &Shown::Everything).await
}

/// A calendar's versions, in the order in which they were written.
pub(crate) async fn versions(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    CALENDARS.versions(&app, path, &uri).await
}
