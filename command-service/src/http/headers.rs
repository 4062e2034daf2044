//! Headers of requests that commands heed, and headers of their answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use domain::actor::Actor;
use domain::ids::{Position, Revision};
use event_log::{Origin, Outcome, Request};
use serde_json::{Map, Value};
use service_kit::problem::{FieldError, Problem, types};

use super::origin::origin;
use crate::app::App;
use crate::command::command_id;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const TRACEPARENT: &str = "traceparent";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// As the HTTP contract says.
pub(crate) const KEY_CHARACTERS_MAX: usize = 255;
/// A W3C `traceparent` of version 00 has exactly this length.
const TRACEPARENT_LENGTH: usize = 55;

/// What the headers of a command say.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommandHeaders {
    pub(crate) key: Option<String>,
    pub(crate) if_match: Option<Revision>,
    pub(crate) traceparent: Option<String>,
    /// What they and the connection say of where the command comes from.
    pub(crate) origin: Origin,
}

impl<S: Sync> FromRequestParts<S> for CommandHeaders {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        refuse_parameters(&parts.uri)?;
        Ok(Self {
            key: idempotency_key(&parts.headers)?,
            if_match: if_match(&parts.headers)?,
            traceparent: traceparent(&parts.headers),
            origin: origin(parts),
        })
    }
}

impl CommandHeaders {
    /// A wish for now, in the own name of the caller as they are now that their whole request is there.
    pub(super) async fn request(self, app: &App, caller: &Arc<Actor>, digest: [u8; 32]) -> Result<Request, Problem> {
        let command_id = command_id(caller.user, self.key.as_deref());
        let origin = app.origin(caller.user, &self.origin).await?;
        Ok(Request {
            if_match: self.if_match,
            origin,
            traceparent: self.traceparent,
            ..Request::new(command_id, digest, app.by_now(caller)?)
        })
    }

    /// For what does not go by revisions, which `why` says.
    pub(super) fn refuse_if_match(&self, why: &'static str) -> Result<(), Problem> {
        match self.if_match {
            None => Ok(()),
            Some(_) => Err(malformed_header("If-Match", why)),
        }
    }
}

/// Nothing here takes parameters in the address. Whoever sends some means something by them.
pub(crate) fn refuse_parameters(uri: &Uri) -> Result<(), Problem> {
    if uri.query().is_none_or(str::is_empty) {
        return Ok(());
    }
    Err(Problem::new(&types::MALFORMED_REQUEST)
        .detail("What a command needs goes into its body. This path takes no parameters."))
}

/// Whether a key is of 1 to 255 visible ASCII characters.
pub(crate) fn is_key(key: &str) -> bool {
    (1..=KEY_CHARACTERS_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The header's value, if it was sent once. Of two, whichever was taken might be the one not meant.
fn only<'h>(headers: &'h HeaderMap, header: &str, name: &'static str) -> Result<Option<&'h HeaderValue>, Problem> {
    let mut values = headers.get_all(header).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(malformed_header(name, "must be sent once")),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = only(headers, IDEMPOTENCY_KEY, "Idempotency-Key")? else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if is_key(key) => Ok(Some(key.to_owned())),
        Ok(_) | Err(_) => Err(malformed_header(
            "Idempotency-Key",
            "must be 1 to 255 visible ASCII characters",
        )),
    }
}

/// `"7"`, `W/"7"` or 7; `*` stands for any revision of an existing ticket, which every command
/// asks for anyway.
fn if_match(headers: &HeaderMap) -> Result<Option<Revision>, Problem> {
    let Some(value) = only(headers, IF_MATCH.as_str(), "If-Match")? else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let text = text.strip_prefix("W/").unwrap_or(text);
    let digits = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    match digits.parse() {
        Ok(revision) => Ok(Some(Revision(revision))),
        Err(_) => Err(malformed_header("If-Match", "must be one ETag, such as \"7\"")),
    }
}

fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    let well_formed =
        text.len() == TRACEPARENT_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    well_formed.then(|| text.to_owned())
}

fn malformed_header(name: &'static str, detail: &'static str) -> Problem {
    Problem::new(&types::MALFORMED_REQUEST)
        .detail(format!("The header {name} {detail}."))
        .field(FieldError::new(name, "invalid", detail))
}

/// 201, and where what was made can be read.
pub(super) fn created(path: &str, mut headers: HeaderMap, body: Map<String, Value>) -> Response {
    if let Ok(path) = HeaderValue::try_from(path) {
        headers.insert(LOCATION, path);
    }
    (StatusCode::CREATED, headers, Json(body)).into_response()
}

/// The headers of an answer to a command on a ticket.
pub(crate) fn of_outcome(outcome: &Outcome) -> HeaderMap {
    committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed))
}

/// The answer is one that was given before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replayed;

/// `Idempotency-Replayed` alone, for what has no revision of its own.
pub(super) fn replayed(replayed: Option<Replayed>) -> HeaderMap {
    let header = replayed.map(|Replayed| (REPLAYED, HeaderValue::from_static("true")));
    header.into_iter().collect()
}

/// `ETag`, `Commit-Position` and, for a repetition, `Idempotency-Replayed`.
pub(super) fn committed(revision: Revision, position: Position, replayed: Option<Replayed>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(3);
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    set(ETAG, format!("\"{revision}\""));
    set(HeaderName::from_static("commit-position"), position.to_string());
    if replayed.is_some() {
        set(REPLAYED, "true".to_owned());
    }
    headers
}
