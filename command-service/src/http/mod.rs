//! Routes of the service, all on one screen.

mod commands;
mod headers;
mod tickets;

pub(crate) use commands::NDJSON;
pub(crate) use headers::{KEY_CHARACTERS_MAX, is_key};
pub(crate) use tickets::answer;

use axum::Router;
use axum::routing::post;

use crate::app::App;

/// The service's routes, without fallbacks: whoever serves them calls
/// [`service_kit::http::finish`] on the whole.
pub fn routes(app: App) -> Router {
    Router::new()
        .route("/v1/tickets", post(tickets::create))
        .route("/v1/tickets/{id}/{command}", post(tickets::command))
        .route("/v1/commands", post(commands::commands))
        .with_state(app)
}
