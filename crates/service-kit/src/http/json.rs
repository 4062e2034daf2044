//! Bodies: whole, and as JSON.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::caller::LetInBy;
use crate::body;
use crate::problem::{Problem, types};
use crate::tokens::Authenticate;

/// How long a body of at most a megabyte may take to arrive. Until it has, its request counts as one in hand, and
/// whoever begins many and ends none would keep everybody else out.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// A body as it was sent, once all of it is there. Too much is 413, compressed 415, too slow 408; 401, if the token by which the
/// request was let in is worthless by then.
#[derive(Debug, Clone)]
pub struct WholeBody(pub Bytes);

impl<S: Authenticate> FromRequest<S> for WholeBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.headers().contains_key(CONTENT_ENCODING) {
            return Err(Problem::new(&types::UNSUPPORTED_MEDIA_TYPE)
                .detail("Send the body as it is, without Content-Encoding: compressed bodies are not taken."));
        }
        let let_in_by = request.extensions().get::<LetInBy>().copied();
        let Ok(bytes) = timeout(BODY_WITHIN, Bytes::from_request(request, state)).await else {
            return Err(Problem::new(&types::REQUEST_TIMEOUT).detail(format!(
                "The body did not come to its end within {} seconds. Send it at once.",
                BODY_WITHIN.as_secs()
            )));
        };
        let bytes = bytes?;
        if let Some(let_in_by) = let_in_by {
            let_in_by.still(state).await?;
        }
        Ok(Self(bytes))
    }
}

/// A JSON body. Whatever is wrong with it becomes a problem: 408, 413, 415, or 400 with what was expected where. An empty
/// body counts as `{}`, because many commands need no field.
#[derive(Debug, Clone)]
pub struct ApiJson(pub Value);

impl<S: Authenticate> FromRequest<S> for ApiJson {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let declared = is_json(request.headers());
        let WholeBody(bytes) = WholeBody::from_request(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(Value::Object(Map::new())));
        }
        if !declared {
            return Err(Problem::new(&types::UNSUPPORTED_MEDIA_TYPE)
                .detail("Send a JSON body and the header Content-Type: application/json."));
        }
        let value = body::json(&bytes).map_err(|error| {
            Problem::new(&types::MALFORMED_REQUEST).detail(format!("The body cannot be read: {error}."))
        })?;
        Ok(Self(value))
    }
}

/// The media type that `Content-Type` names, without its parameters; empty if it names none. Upper and lower case
/// mean the same in it.
pub fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next();
    essence.unwrap_or_default().trim()
}

/// `application/json`, or anything that ends in `+json`, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let essence = media_type(headers).to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::Router;
    use axum::body::Body;
    use axum::routing::post;
    use domain::actor::{Actor, ActorKind};
    use domain::ids::UserId;
    use tower::ServiceExt as _;

    use super::*;
    use crate::http::Caller;
    use crate::tokens::{Bearer, TokenHash};

    /// Knows every token, until all of them are taken back.
    #[derive(Debug, Clone, Default)]
    struct AllTokens {
        taken_back: Arc<AtomicBool>,
    }

    impl Authenticate for AllTokens {
        async fn authenticate(&self, _: TokenHash) -> Result<Option<Bearer>, Problem> {
            let bearer = Bearer {
                actor: Arc::new(Actor::plain(UserId::from_bytes([1; 16]), ActorKind::Staff)),
                session: None,
                viewer: None,
                scopes: None,
            };
            Ok((!self.taken_back.load(Ordering::Relaxed)).then_some(bearer))
        }
    }

    #[tokio::test]
    async fn a_token_that_is_taken_back_while_the_body_arrives_is_good_for_nothing() {
        for (taken_back, status) in [(false, 200), (true, 401)] {
            let tokens = AllTokens::default();
            let router = Router::new()
                .route("/v1/wish", post(async |_: Caller, ApiJson(_): ApiJson| "granted"))
                .with_state(tokens.clone());
            let arriving = futures::stream::once(async move {
                tokens.taken_back.store(taken_back, Ordering::Relaxed);
                Ok::<_, Infallible>("{}")
            });
            let request = Request::post("/v1/wish")
                .header("authorization", "Bearer rct_good")
                .header(CONTENT_TYPE, "application/json")
                .body(Body::from_stream(arriving))
                .unwrap();
            assert_eq!(router.oneshot(request).await.unwrap().status(), status);
        }
    }
}
