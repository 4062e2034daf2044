//! `/v1/sessions`, `/v1/password`, `/v1/users/{id}/sessions`, `/v1/users/{id}/login`, `/v1/users/{id}/view-as` and
//! `/v1/users/{id}/audit`: who comes in, by what, and who did.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use domain::ids::UserId;
use domain::sign_in::{Login, NewPassword};
use event_log::{Happening, Kept, Noted};
use serde_json::{Value, json};
use service_kit::Problem;
use service_kit::body::{Fields, Unreadable, object, string, text};
use service_kit::http::{ApiJson, Caller, SignedIn};
use service_kit::problem::types;
use service_kit::tokens::TokenHash;

use super::about_user::{AboutUser, user};
use super::headers::refuse_parameters;
use super::origin::From;
use super::people::administrator;
use crate::app::App;
use crate::problem::{of_audit, of_credential};
use crate::sign_in::{Begun, chosen, viewer};

/// By which a session names itself.
const CURRENT: &str = "current";

/// Answers with tokens are nobody's but the caller's.
pub(super) const NO_STORE: [(axum::http::HeaderName, &str); 1] = [(CACHE_CONTROL, "no-store")];

/// `POST /v1/sessions`: signs in.
pub(super) async fn begin(
    State(app): State<App>,
    uri: Uri,
    From(origin): From,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    let body = object(body)?;
    let mut fields = Fields::new(&body);
    // One that could not have been given is as wrong as one that was not.
    let login = fields.required("login", |value| string(value).map(Login::parse));
    let password = fields.required("password", password);
    fields.finish()?;
    let (Some(login), Some(password)) = (login, password) else {
        return Err(Problem::internal());
    };
    let login = login.map_err(|_| crate::problem::wrong_credentials())?;
    Ok(created(&app.sign_in(&login, password, &origin).await?))
}

/// `GET /v1/sessions`: one's own.
pub(super) async fn list(State(app): State<App>, uri: Uri, caller: SignedIn) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    Ok(sessions(&app, caller.bearer.actor.user, caller.token))
}

/// `GET /v1/users/{id}/sessions`: somebody's.
pub(super) async fn list_of_user(
    State(app): State<App>,
    about: AboutUser,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    let user = about.user(&app)?;
    Ok(sessions(&app, user, signed_in.token))
}

fn sessions(app: &App, user: UserId, current: TokenHash) -> Response {
    let sessions = app.tokens.sessions_of(user, app.now());
    let items = sessions.iter().filter_map(|(token, granted)| {
        let session = granted.grant.session.as_ref()?;
        Some(json!({
            "id": session.id.to_string(),
            "agent": session.agent,
            "created_at": granted.grant.created_at.to_string(),
            "expires_at": granted.grant.expires_at.map(|end| end.to_string()),
            "current": *token == current,
        }))
    });
    let items: Vec<Value> = items.collect();
    (NO_STORE, Json(json!({ "items": items }))).into_response()
}

/// `DELETE /v1/users/{id}/sessions`: signs somebody out, everywhere.
pub(super) async fn end_all_of_user(
    State(app): State<App>,
    about: AboutUser,
    From(origin): From,
) -> Result<StatusCode, Problem> {
    let user = about.user(&app)?;
    app.end_sessions(user).await?;
    app.note(Some(user), Happening::SignedOut, Some(about.by.user), &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /v1/users/{id}/sessions/{session}`: the same for one session of theirs.
pub(super) async fn end_of_user(
    State(app): State<App>,
    about: AboutUser,
    From(origin): From,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let user = about.user(&app)?;
    let Path((_, session)) = path?;
    let Some(token) = session_of(&app, user, &session) else {
        return Err(Problem::new(&types::SESSION_NOT_FOUND)
            .detail("The user has no session of this id. GET /v1/users/{id}/sessions lists theirs."));
    };
    app.end_session(token).await?;
    app.note(Some(user), Happening::SignedOut, Some(about.by.user), &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The token of a session that a user has.
fn session_of(app: &App, user: UserId, id: &str) -> Option<TokenHash> {
    let mut sessions = app.tokens.sessions_of(user, app.now()).into_iter();
    let meant = sessions.find(|(_, granted)| {
        let session = granted.grant.session.as_ref();
        session.is_some_and(|session| session.id.to_string() == id)
    });
    meant.map(|(token, _)| token)
}

/// `DELETE /v1/sessions/{id}`: signs out.
pub(super) async fn end(
    State(app): State<App>,
    uri: Uri,
    caller: SignedIn,
    From(origin): From,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    refuse_parameters(&uri)?;
    let Path(id) = id?;
    if let Some(viewer) = &caller.bearer.viewer {
        if id != CURRENT {
            caller.refuse_viewers()?;
        }
        let customer = caller.bearer.actor.user;
        app.end_view(caller.token, customer, viewer.user, &origin).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    let meant = match id.as_str() {
        CURRENT => caller.bearer.session.is_some().then_some(caller.token),
        id => session_of(&app, caller.bearer.actor.user, id),
    };
    let Some(token) = meant else {
        return Err(Problem::new(&types::SESSION_NOT_FOUND)
            .detail("You have no session of this id. GET /v1/sessions lists yours; a service's token is not one."));
    };
    app.end_session(token).await?;
    app.note(Some(caller.bearer.actor.user), Happening::SignedOut, None, &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /v1/password`: changes one's own.
pub(super) async fn change_password(
    State(app): State<App>,
    uri: Uri,
    caller: SignedIn,
    From(origin): From,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    caller.refuse_viewers()?;
    let body = object(body)?;
    let mut fields = Fields::new(&body);
    let old = fields.required("password", password);
    let new = fields.required("new_password", |value| string(value).map(str::to_owned));
    fields.finish()?;
    let (Some(old), Some(new)) = (old, new) else {
        return Err(Problem::internal());
    };
    if caller.bearer.session.is_none() {
        return Err(Problem::new(&types::NOT_PERMITTED)
            .detail("Sign in with POST /v1/sessions first: a token that was made for a service changes no password."));
    }
    let user = caller.bearer.actor.user;
    let begun = app.change_password(user, old, &new, &origin).await?;
    Ok((NO_STORE, Json(answer(&begun))).into_response())
}

/// `PUT /v1/users/{id}/login`: gives somebody a login and a password.
pub(super) async fn give_login(
    State(app): State<App>,
    about: AboutUser,
    From(origin): From,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    let user = about.user(&app)?;
    let body = object(body)?;
    let mut fields = Fields::new(&body);
    let login = fields.required("login", text(Login::parse));
    let password = fields.required("password", |value| string(value).map(str::to_owned));
    let change = fields.flag("change_at_first_login").unwrap_or(true);
    fields.finish()?;
    let (Some(login), Some(password)) = (login, password) else {
        return Err(Problem::internal());
    };
    let password = chosen(&password, &login, "/password")?;
    // Reading what was sent may have taken its time.
    administrator(&*app.by_now(&about.by)?)?;
    app.give_login(user, &login, password, change).await?;
    app.note(Some(user), Happening::LoginGiven, Some(about.by.user), &origin)
        .await?;
    let answer = json!({ "user": user.to_string(), "login": login.as_str(), "change_at_first_login": change });
    Ok((NO_STORE, Json(answer)).into_response())
}

/// `GET /v1/users/{id}/login`: by what somebody signs in.
pub(super) async fn login_of_user(State(app): State<App>, about: AboutUser) -> Result<Response, Problem> {
    let user = about.user(&app)?;
    let kept = app.credentials.of(user).await.map_err(|error| of_credential(&error))?;
    let Some(Kept { credential, .. }) = kept else {
        return Err(Problem::new(&types::NOT_FOUND).detail(
            "The user has no login. Give them one with PUT /v1/users/{id}/login or POST /v1/users/{id}/invitation.",
        ));
    };
    let answer = json!({
        "user": user.to_string(),
        "login": credential.login,
        "has_password": credential.hash.is_some(),
        "change_at_first_login": credential.change_password,
        "changed_at": credential.changed_at.to_string(),
    });
    Ok((NO_STORE, Json(answer)).into_response())
}

/// `DELETE /v1/users/{id}/login`: takes it away.
pub(super) async fn take_login(
    State(app): State<App>,
    about: AboutUser,
    From(origin): From,
) -> Result<StatusCode, Problem> {
    let user = about.user(&app)?;
    app.take_login(user).await?;
    app.note(Some(user), Happening::LoginTaken, Some(about.by.user), &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/users/{id}/view-as`: looks at the desk through a customer's eyes.
pub(super) async fn view_as(
    State(app): State<App>,
    uri: Uri,
    Caller(_): Caller,
    signed_in: SignedIn,
    From(origin): From,
    id: Result<Path<String>, PathRejection>,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    // By now: the body may have taken its time.
    let token = signed_in.token;
    let bearer = app.bearer_by_now(token).await?;
    viewer(&bearer)?;
    let Path(id) = id?;
    let customer = user(&app, &id)?;
    // There is nothing to say.
    Fields::new(&object(body)?).finish()?;
    let view = app.view_as(customer, &bearer, token, &origin).await?;
    let answer = json!({
        "token": view.token,
        "user": customer.to_string(),
        "expires_at": view.expires_at.to_string(),
    });
    Ok((StatusCode::CREATED, NO_STORE, Json(answer)).into_response())
}

/// `GET /v1/users/{id}/audit`: who came in as a user, from where, and who tried to.
pub(super) async fn audit(State(app): State<App>, about: AboutUser) -> Result<Response, Problem> {
    let user = about.user(&app)?;
    let noted = app.audit.of(user).await.map_err(|error| of_audit(&error))?;
    let items: Vec<Value> = noted.iter().map(item).collect();
    Ok((NO_STORE, Json(json!({ "items": items }))).into_response())
}

fn item(noted: &Noted) -> Value {
    json!({
        "event": noted.event.as_str(),
        "at": noted.at.to_string(),
        "by": noted.by.map(|user| user.to_string()),
        "whom": noted.whom.map(|user| user.to_string()),
        "address": noted.origin.address,
        "forwarded_for": noted.origin.forwarded_for,
        "agent": noted.origin.agent,
    })
}

/// A password as somebody typed it. One that is longer than any may be is not worth hashing.
pub(super) fn password(value: &Value) -> Result<String, Unreadable> {
    let text = string(value)?;
    if text.chars().count() > NewPassword::CHARACTERS_MAX {
        let detail = format!("must have at most {} characters", NewPassword::CHARACTERS_MAX);
        return Err(Unreadable::Value("invalid", detail));
    }
    Ok(text.to_owned())
}

/// 201, with the session that has begun.
pub(super) fn created(begun: &Begun) -> Response {
    let location = format!("/v1/sessions/{}", begun.session.id);
    let headers = (NO_STORE, [(LOCATION, location)]);
    (StatusCode::CREATED, headers, Json(answer(begun))).into_response()
}

fn answer(begun: &Begun) -> Value {
    json!({
        "id": begun.session.id.to_string(),
        "token": begun.token,
        "user": begun.user.to_string(),
        "expires_at": begun.expires_at.to_string(),
        "change_password": begun.session.change_password,
    })
}
