//! Who calls.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use domain::actor::Actor;

use super::needed::Needed;
use crate::problem::{Problem, types};
use crate::tokens::{Authenticate, Bearer, TokenHash};

/// Longer credentials are not ours. Hashing them would be work for nothing.
const TOKEN_BYTES_MAX: usize = 512;

/// The actor who calls, known by the bearer token. Routes that take it are for callers with a
/// valid token alone; all others get 401. Who has to change their password first gets 403, and so does
/// who looks through somebody's eyes and asks for more than reading.
#[derive(Debug, Clone)]
pub struct Caller(pub Arc<Actor>);

/// The same, whether or not the password has to be changed, and whoever looks: for what has to do with that alone.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who calls.
    pub bearer: Bearer,
    /// By which token.
    pub token: TokenHash,
}

impl SignedIn {
    /// Who calls, where they need not change their password first, and do not look through somebody's eyes and ask for more
    /// than reading.
    pub fn caller(self, method: &Method) -> Result<Caller, Problem> {
        if self.bearer.must_change_password() {
            return Err(Problem::new(&types::PASSWORD_CHANGE_REQUIRED).detail("Change it with PUT /v1/password."));
        }
        if !method.is_safe() {
            self.refuse_viewers()?;
        }
        Ok(Caller(self.bearer.actor))
    }

    /// Refuses who looks through a customer's eyes: they change nothing.
    pub fn refuse_viewers(&self) -> Result<(), Problem> {
        match self.bearer.viewer {
            None => Ok(()),
            Some(_) => Err(Problem::new(&types::VIEWING_ONLY).detail(
                "This token shows what its user sees, and changes nothing. Use your own token for that, and end this one with DELETE /v1/sessions/current.",
            )),
        }
    }
}

impl<S: Authenticate> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        SignedIn::from_request_parts(parts, state).await?.caller(&parts.method)
    }
}

impl<S: Authenticate> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Some(token) = token_hash(&parts.headers) else {
            return Err(unauthenticated(
                "Send the header Authorization: Bearer <token>, once.",
                "Bearer",
            ));
        };
        let bearer = state.authenticate(token).await?.ok_or_else(worthless_token)?;
        // Where no route is known, tokens with scopes are good for nothing.
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let needed = Needed::by(&parts.method, route);
        if !needed.is_met_by(bearer.scopes.as_deref()) {
            return Err(insufficient_scope(needed));
        }
        parts.extensions.insert(LetInBy(token));
        Ok(Self { bearer, token })
    }
}

/// By which token a request was let in, before its body was there.
#[derive(Debug, Clone, Copy)]
pub(super) struct LetInBy(TokenHash);

impl LetInBy {
    /// Refuses a request whose token has become worthless while its body arrived: who begins one, and ends it when it suits
    /// them, does no more than anybody else with a token that was taken back.
    pub(super) async fn still<S: Authenticate>(self, state: &S) -> Result<(), Problem> {
        let bearer = state.authenticate(self.0).await?;
        bearer.map(|_| ()).ok_or_else(worthless_token)
    }
}

/// The problem with a token that was made for other things.
fn insufficient_scope(needed: Needed) -> Problem {
    let (challenge, detail) = match needed {
        Needed::Scope(scope) => {
            let scope = scope.as_str();
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
            (
                challenge,
                format!("This token has scopes, and {scope} is not among them."),
            )
        }
        Needed::Nothing | Needed::Everything => {
            let detail = "This token has scopes, and none is for what concerns its user alone, or lets others in.";
            ("Bearer error=\"insufficient_scope\"".to_owned(), detail.to_owned())
        }
    };
    let problem = Problem::new(&types::INSUFFICIENT_SCOPE).detail(format!(
        "{detail} Use one that is for this; an administrator makes it with POST /v1/users/{{id}}/tokens."
    ));
    match HeaderValue::from_str(&challenge) {
        Ok(challenge) => problem.header(WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    }
}

/// The problem with a token that is good for nothing, or no more.
pub fn worthless_token() -> Problem {
    unauthenticated(
        "The token is unknown, revoked or over. Sign in with POST /v1/sessions, or ask an administrator for a new one.",
        "Bearer error=\"invalid_token\"",
    )
}

/// The hash of the bearer token, for those who look at it again while they answer.
pub fn token_hash(headers: &HeaderMap) -> Option<TokenHash> {
    bearer(headers).map(TokenHash::of)
}

/// The token of the one header that there may be: of two, a proxy and the desk could take different ones.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(credentials), None) = (all.next(), all.next()) else {
        return None;
    };
    let credentials = credentials.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    let token = token.trim();
    let acceptable = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= TOKEN_BYTES_MAX;
    acceptable.then_some(token)
}

fn unauthenticated(detail: &'static str, challenge: &'static str) -> Problem {
    Problem::new(&types::UNAUTHENTICATED)
        .detail(detail)
        .header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}
