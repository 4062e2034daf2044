//! `/v1/users/{id}/tokens`: what a user's services come in by.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use domain::text::Label;
use domain::token_scope::TokenScope;
use event_log::Happening;
use futures::future::try_join_all;
use serde_json::{Value, json};
use service_kit::Problem;
use service_kit::body::{Fields, Unreadable, instant, object, one_of, text};
use service_kit::http::ApiJson;
use service_kit::problem::types;
use service_kit::tokens::{TokenGrant, TokenHash, generate};

use super::about_user::AboutUser;
use super::origin::From;
use super::people::administrator;
use super::sessions::NO_STORE;
use crate::app::App;
use crate::problem::of_token;

/// More tokens that are good at a time nobody can tell apart.
const TOKENS_MAX: usize = 100;

/// `GET /v1/users/{id}/tokens`: those that were made for their services, the worthless ones, too.
pub(super) async fn list(State(app): State<App>, about: AboutUser) -> Result<Response, Problem> {
    let user = about.user(&app)?;
    let tokens = app.tokens.of_services(user);
    let items = tokens.iter().map(|(hash, granted)| item(&app, *hash, &granted.grant));
    let items = try_join_all(items).await?;
    Ok((NO_STORE, Json(json!({ "items": items }))).into_response())
}

async fn item(app: &App, hash: TokenHash, grant: &TokenGrant) -> Result<Value, Problem> {
    let used = app.tokens.last_use(hash).await.map_err(|error| of_token(&error))?;
    let used = used.filter(|at| grant.is_used_at(*at));
    let more = [
        ("last_used_at", json!(used.map(|at| at.to_string()))),
        ("revoked_at", json!(grant.revoked_at.map(|at| at.to_string()))),
    ];
    Ok(described(hash, grant, more))
}

/// What is always said of a token, and this.
fn described(hash: TokenHash, grant: &TokenGrant, more: [(&str, Value); 2]) -> Value {
    let always = [
        ("id", json!(hash.to_string())),
        ("purpose", json!(grant.purpose)),
        ("scopes", json!(grant.scopes)),
        ("created_at", json!(grant.created_at.to_string())),
        ("expires_at", json!(grant.expires_at.map(|end| end.to_string()))),
    ];
    let members = always.into_iter().chain(more);
    members.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// `POST /v1/users/{id}/tokens`: makes one.
pub(super) async fn create(
    State(app): State<App>,
    about: AboutUser,
    From(origin): From,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    let user = about.user(&app)?;
    let body = object(body)?;
    let mut fields = Fields::new(&body);
    let purpose = fields.optional("purpose", text(Label::parse));
    let scopes = fields.optional("scopes", scopes);
    let expires_at = fields.optional("expires_at", instant);
    let now = app.now();
    if expires_at.is_some_and(|end| end <= now) {
        fields.refuse("/expires_at", "invalid", "must be a time to come, or left out");
    }
    fields.finish()?;
    // Reading what was sent may have taken its time.
    administrator(&*app.by_now(&about.by)?)?;
    let good = app.tokens.of_services(user).into_iter();
    if good.filter(|(_, granted)| granted.grant.is_good(now)).count() >= TOKENS_MAX {
        let detail =
            format!("The user has {TOKENS_MAX} tokens, as many as one may have. Revoke one that is not needed.");
        return Err(Problem::new(&types::INVALID_FIELDS).detail(detail));
    }
    let name = app.books.people().user(user).map(|user| user.name.as_str().to_owned());
    let name = name.unwrap_or_default();
    let (token, hash) = generate();
    let grant = TokenGrant {
        scopes: scopes.map(|scopes| scopes.into_iter().map(|scope| scope.as_str().to_owned()).collect()),
        purpose: purpose.map(|purpose| purpose.as_str().to_owned()),
        ..TokenGrant::by_profile(user.as_uuid(), name, now, expires_at)
    };
    // Before it begins: no token is good that the audit does not have.
    app.note(Some(user), Happening::TokenMade, Some(about.by.user), &origin)
        .await?;
    let answer = described(
        hash,
        &grant,
        [("token", token.into()), ("user", user.to_string().into())],
    );
    let kept = app.tokens.keep_of_service(hash, grant).await;
    kept.map_err(|error| of_token(&error))?;
    let location = format!("/v1/users/{user}/tokens/{hash}");
    Ok((StatusCode::CREATED, NO_STORE, [(LOCATION, location)], Json(answer)).into_response())
}

/// `DELETE /v1/users/{id}/tokens/{token}`: makes one worthless, for good.
pub(super) async fn revoke(
    State(app): State<App>,
    about: AboutUser,
    From(origin): From,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let user = about.user(&app)?;
    let Path((_, named)) = path?;
    let mut tokens = app.tokens.of_services(user).into_iter();
    let Some((hash, granted)) = tokens.find(|(hash, _)| hash.to_string() == named) else {
        return Err(Problem::new(&types::TOKEN_NOT_FOUND)
            .detail("The user has no token of this id. GET /v1/users/{id}/tokens lists theirs."));
    };
    if granted.grant.is_revoked() {
        return Ok(StatusCode::NO_CONTENT);
    }
    // Before it is done: whoever repeats what was not answered finds it revoked, and nothing more would be noted.
    app.note(Some(user), Happening::TokenRevoked, Some(about.by.user), &origin)
        .await?;
    let grant = TokenGrant {
        revoked_at: Some(app.now()),
        ..granted.grant.clone()
    };
    let kept = app.tokens.keep_of_service(hash, grant).await;
    kept.map_err(|error| of_token(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// At least one: a token that is for nothing is of no use to anybody.
fn scopes(value: &Value) -> Result<BTreeSet<TokenScope>, Unreadable> {
    let named = value.as_array().ok_or(Unreadable::Type("a list of scopes"))?;
    let scopes: BTreeSet<TokenScope> = named
        .iter()
        .map(|name| one_of(&TokenScope::ALL, TokenScope::as_str, name))
        .collect::<Result<_, _>>()?;
    if scopes.is_empty() {
        let detail = "must name one scope at least, or be left out";
        return Err(Unreadable::Value("invalid", detail.to_owned()));
    }
    Ok(scopes)
}
