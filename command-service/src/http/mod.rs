//! Routes of the service, all on one screen.

mod about_user;
mod calendars;
mod commands;
mod contracts;
mod headers;
mod links;
mod openid;
mod origin;
mod people;
mod policies;
mod re_evaluation;
mod rehearsal;
mod sessions;
mod settings;
mod tickets;
mod tokens;

pub(crate) use commands::NDJSON;
pub(crate) use headers::{KEY_CHARACTERS_MAX, is_key};
pub(crate) use openid::RETURNED_CHARACTERS_MAX;
pub(crate) use rehearsal::NAMED_MAX;
pub(crate) use settings::MEMBERS as SETTINGS;
pub(crate) use tickets::answer;

use axum::Router;
use axum::routing::{delete, get, post, put};
use domain::directory::EntryKind;

use crate::app::App;

/// The service's routes, without fallbacks: whoever serves them calls
/// [`service_kit::http::finish`] on the whole.
pub fn routes(app: App) -> Router {
    let entries = EntryKind::ALL.into_iter().fold(Router::new(), |router, kind| {
        let path = service_kit::openapi::people::path(kind);
        let create = move |app, caller, headers, body| people::create(kind, app, caller, headers, body);
        let replace = move |app, caller, id, headers, body| people::replace(kind, app, caller, id, headers, body);
        router
            .route(path, post(create))
            .route(&format!("{path}/{{id}}"), put(replace))
    });
    entries
        .route("/v1/tickets", post(tickets::create))
        .route("/v1/tickets/{id}/{command}", post(tickets::command))
        .route("/v1/commands", post(commands::commands))
        .route("/v1/calendars", post(calendars::create))
        .route("/v1/calendars/explain", post(calendars::explain_given))
        .route("/v1/calendars/{id}", put(calendars::replace))
        .route("/v1/calendars/{id}/explain", post(calendars::explain_stored))
        .route("/v1/calendars/{id}/holidays", post(calendars::add_holidays))
        .route("/v1/organisations/{id}/contract", put(contracts::with_organisation))
        .route("/v1/users/{id}/contract", put(contracts::with_user))
        .route("/v1/policies", post(policies::create))
        .route("/v1/policies/rehearse", post(rehearsal::rehearse))
        .route("/v1/policies/{id}", put(policies::replace))
        .route("/v1/policies/{id}/re-evaluate", post(re_evaluation::re_evaluate))
        .route(
            "/v1/users/{id}/login",
            get(sessions::login_of_user)
                .put(sessions::give_login)
                .delete(sessions::take_login),
        )
        .route(
            "/v1/users/{id}/sessions",
            get(sessions::list_of_user).delete(sessions::end_all_of_user),
        )
        .route("/v1/users/{id}/sessions/{session}", delete(sessions::end_of_user))
        .route("/v1/users/{id}/tokens", get(tokens::list).post(tokens::create))
        .route("/v1/users/{id}/tokens/{token}", delete(tokens::revoke))
        .route("/v1/users/{id}/view-as", post(sessions::view_as))
        .route("/v1/users/{id}/audit", get(sessions::audit))
        .route("/v1/sessions", post(sessions::begin).get(sessions::list))
        .route("/v1/sessions/{id}", delete(sessions::end))
        .route("/v1/password", put(sessions::change_password))
        .route("/v1/settings", get(settings::own).put(settings::replace))
        .route("/v1/users/{id}/invitation", post(links::invite))
        .route("/v1/openid-sign-ins", post(openid::begin))
        .route("/v1/openid-sign-ins/redeem", post(openid::redeem))
        .route("/v1/password-resets", post(links::ask))
        .route("/v1/password-resets/redeem", post(links::redeem))
        .with_state(app)
}
