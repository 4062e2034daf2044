//! The outermost layer of every router.
//!
//! One function instead of a stack of middleware: every request passes it, and the path of a
//! command has to stay close to that of a bare handler.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::BoxFuture;
use tower::{Layer, Service};

use super::observe::{Answered, OPERATIONS, RouteMetrics};
use crate::problem::{Problem, types};

/// How much a service takes on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests in hand at the same time; more get 429. Health and metrics are not counted.
    pub requests_in_hand: usize,
    /// Bytes of a body that is read whole; more get 413.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_in_hand: REQUESTS_IN_HAND_MAX,
            body_bytes: BODY_BYTES_MAX,
        }
    }
}

/// Four times as many as the largest load that the desk is measured under. Each may hold a body
/// of [`BODY_BYTES_MAX`], so that more could fill the memory of a small machine.
const REQUESTS_IN_HAND_MAX: usize = 1024;

/// As the HTTP contract says.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A request in hand takes milliseconds, so that a second later there is room.
const OVERLOAD_RETRY_AFTER: u32 = 1;

/// The route label of requests that no route matches. Their paths are not labels: whoever scans
/// for open doors would make thousands of them.
const UNMATCHED: &str = "unmatched";

/// Completes a router with what is the same for all: 404 and 405 as problems, a panic as a 500,
/// limits, one log line and metrics for each request. Call it once, on the merged router.
pub fn finish(router: Router, limits: Limits) -> Router {
    let gate = Gate {
        in_hand: AtomicUsize::new(0),
        limits,
        metrics: RouteMetrics::default(),
    };
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(Outermost(Arc::new(gate)))
}

async fn not_found() -> Problem {
    Problem::new(&types::NOT_FOUND).detail("No route has this path. Check it against the API's documentation.")
}

async fn method_not_allowed() -> Problem {
    Problem::new(&types::METHOD_NOT_ALLOWED).detail("Use one of the methods that the header Allow names.")
}

#[derive(Debug)]
struct Gate {
    in_hand: AtomicUsize,
    limits: Limits,
    metrics: RouteMetrics,
}

/// A request in hand, also if its caller goes away and it is dropped half-way.
struct InHand<'g>(&'g AtomicUsize);

impl Gate {
    fn enter(&self) -> (InHand<'_>, usize) {
        let before = self.in_hand.fetch_add(1, Ordering::Relaxed);
        (InHand(&self.in_hand), before)
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The layer. Not one of axum's functions as middleware: these clone and box what is inside once
/// more for each request.
#[derive(Debug, Clone)]
struct Outermost(Arc<Gate>);

#[derive(Debug, Clone)]
struct Passing<S> {
    gate: Arc<Gate>,
    inner: S,
}

impl<S> Layer<S> for Outermost {
    type Service = Passing<S>;

    fn layer(&self, inner: S) -> Passing<S> {
        let gate = Arc::clone(&self.0);
        Passing { gate, inner }
    }
}

impl<S> Service<Request> for Passing<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> task::Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let gate = Arc::clone(&self.gate);
        let method = request.method().clone();
        let matched = request.extensions().get::<MatchedPath>().cloned();
        DefaultBodyLimit::max(gate.limits.body_bytes).apply(&mut request);
        // Nothing of the handler runs before its future does.
        let answer = self.inner.call(request);
        async move { Ok(pass(&gate, &method, matched.as_ref(), answer).await) }.boxed()
    }
}

async fn pass(
    gate: &Gate,
    method: &Method,
    matched: Option<&MatchedPath>,
    answer: impl Future<Output = Result<Response, Infallible>>,
) -> Response {
    // Durations are not business time, so that no clock is asked for them.
    let started = Instant::now();
    let route = matched.map_or(UNMATCHED, MatchedPath::as_str);
    let (in_hand, others) = gate.enter();
    // Health answers under any load, because load is when operators need it.
    let response = if others >= gate.limits.requests_in_hand && !OPERATIONS.contains(&route) {
        overloaded()
    } else {
        match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(response)) => response,
            Err(panic) => panicked(&*panic, route),
        }
    };
    drop(in_hand);

    let answered = Answered {
        method,
        route,
        response: &response,
        elapsed: started.elapsed(),
    };
    gate.metrics.record(&answered);
    answered.log();
    response
}

fn overloaded() -> Response {
    Problem::new(&types::TOO_MANY_REQUESTS)
        .detail("The service has as many requests in hand as it takes. Send this one again a little later.")
        .retry_after(OVERLOAD_RETRY_AFTER)
        .into_response()
}

fn panicked(panic: &(dyn Any + Send), route: &str) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(
        http.route = route,
        "a handler panicked: {}",
        message.unwrap_or("no message")
    );
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::Body;
    use axum::http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
    use axum::http::{HeaderValue, StatusCode};
    use axum::routing::post;
    use domain::actor::{Actor, ActorKind};
    use domain::ids::UserId;
    use serde_json::Value;
    use tokio::sync::Notify;
    use tower::ServiceExt;
    use uuid::Uuid;

    use super::*;
    use crate::health::Health;
    use crate::http::{ApiJson, Caller, operations};
    use crate::telemetry::Metrics;
    use crate::tokens::{Authenticate, Bearer, Session, TokenHash};

    #[derive(Debug, Clone)]
    struct OneToken;

    impl Authenticate for OneToken {
        async fn authenticate(&self, hash: TokenHash) -> Result<Option<Bearer>, Problem> {
            let actor = Arc::new(Actor::plain(UserId::from_bytes([1; 16]), ActorKind::Staff));
            let session = (hash == TokenHash::of("rct_first")).then(|| Arc::new(first_session()));
            let known = [TokenHash::of("rct_good"), TokenHash::of("rct_first")].contains(&hash);
            Ok(known.then_some(Bearer {
                actor,
                session,
                viewer: None,
                scopes: None,
            }))
        }
    }

    fn first_session() -> Session {
        Session {
            id: Uuid::nil(),
            agent: None,
            change_password: true,
            address: None,
        }
    }

    fn small() -> Limits {
        Limits {
            requests_in_hand: 1,
            body_bytes: 64,
        }
    }

    fn router() -> Router {
        Router::new()
            .route("/v1/wish", post(async |_: Caller, ApiJson(_): ApiJson| "granted"))
            .route("/v1/panic", post(async || -> &'static str { panic!("a bug") }))
            .with_state(OneToken)
    }

    fn request(method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer rct_good")
    }

    fn wish(content_type: &str, body: impl Into<Body>) -> Request {
        request("POST", "/v1/wish")
            .header(CONTENT_TYPE, content_type)
            .body(body.into())
            .unwrap()
    }

    async fn answer(request: Request) -> Response {
        finish(router(), small()).oneshot(request).await.unwrap()
    }

    async fn text(response: Response) -> String {
        String::from_utf8(
            axum::body::to_bytes(response.into_body(), 1 << 20)
                .await
                .unwrap()
                .to_vec(),
        )
        .unwrap()
    }

    async fn assert_problem(response: Response, status: u16, code: &str) {
        assert_eq!(response.status().as_u16(), status, "{code}");
        assert_eq!(
            response.headers().get(CONTENT_TYPE).unwrap(),
            "application/problem+json"
        );
        let body: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(body.get("code").unwrap(), code);
        assert_eq!(body.get("type").unwrap(), &format!("/problems/{code}"));
        assert_eq!(body.get("status").unwrap(), status);
        assert!(
            !body.get("detail").unwrap().as_str().unwrap().is_empty(),
            "{code} says what to do"
        );
        assert!(body.get("instance").unwrap().as_str().unwrap().starts_with("urn:uuid:"));
    }

    #[tokio::test]
    async fn what_is_right_passes() {
        let response = answer(wish("application/json; charset=utf-8", r#"{"score": 5}"#)).await;
        assert_eq!(
            (response.status(), text(response).await.as_str()),
            (StatusCode::OK, "granted")
        );
    }

    #[tokio::test]
    async fn an_unknown_path_is_a_problem() {
        assert_problem(
            answer(request("GET", "/v2").body(Body::empty()).unwrap()).await,
            404,
            "not-found",
        )
        .await;
    }

    #[tokio::test]
    async fn a_wrong_method_is_a_problem_that_names_the_right_ones() {
        let response = answer(request("DELETE", "/v1/wish").body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers().get(ALLOW).unwrap(), "POST");
        assert_problem(response, 405, "method-not-allowed").await;
    }

    #[tokio::test]
    async fn two_services_on_one_path_name_the_methods_of_both() {
        let reads = Router::new().route("/v1/wish", axum::routing::get(async || "wish"));
        let response = finish(router().merge(reads), small())
            .oneshot(request("DELETE", "/v1/wish").body(Body::empty()).unwrap())
            .await
            .unwrap();
        let allow = response.headers().get(ALLOW).unwrap().to_str().unwrap();
        assert!(allow.contains("POST") && allow.contains("GET"), "{allow}");
        assert_problem(response, 405, "method-not-allowed").await;
    }

    #[tokio::test]
    async fn a_body_that_is_no_json_is_a_problem() {
        for body in ["{", r#"{"score": 1, "score": 2}"#, "{} {}"] {
            assert_problem(answer(wish("application/json", body)).await, 400, "malformed-request").await;
        }
    }

    #[tokio::test]
    async fn a_body_of_another_type_is_a_problem() {
        assert_problem(
            answer(wish("text/plain", "score=1")).await,
            415,
            "unsupported-media-type",
        )
        .await;
    }

    #[tokio::test]
    async fn a_compressed_body_is_a_problem() {
        let mut request = wish("application/json", r#"{"score": 5}"#);
        request
            .headers_mut()
            .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_problem(answer(request).await, 415, "unsupported-media-type").await;
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_a_problem() {
        assert_problem(
            answer(wish("application/json", vec![b' '; 65])).await,
            413,
            "body-too-large",
        )
        .await;
    }

    #[tokio::test]
    async fn a_caller_without_a_known_token_learns_how_to_present_one() {
        let without = Request::post("/v1/wish").body(Body::empty()).unwrap();
        let unknown = Request::post("/v1/wish")
            .header("authorization", "bearer rct_bad")
            .body(Body::empty())
            .unwrap();
        let basic = Request::post("/v1/wish")
            .header("authorization", "Basic rct_good")
            .body(Body::empty())
            .unwrap();
        for request in [without, unknown, basic] {
            let response = answer(request).await;
            assert!(
                response
                    .headers()
                    .get(WWW_AUTHENTICATE)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with("Bearer")
            );
            assert_problem(response, 401, "unauthenticated").await;
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() {
        let response = answer(request("POST", "/v1/panic").body(Body::empty()).unwrap()).await;
        assert_problem(response, 500, "internal").await;
    }

    #[tokio::test]
    async fn more_requests_than_the_limit_are_told_to_come_again_but_health_answers() {
        let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (inside, may_leave) = (Arc::clone(&entered), Arc::clone(&leave));
        let slow = post(async move || {
            inside.notify_one();
            may_leave.notified().await;
        });
        let router = Router::new()
            .route("/v1/slow", slow)
            .merge(operations(Health::default(), Metrics::install()));
        let router = finish(router, small());
        let first = tokio::spawn(
            router
                .clone()
                .oneshot(request("POST", "/v1/slow").body(Body::empty()).unwrap()),
        );
        entered.notified().await;

        let second = router
            .clone()
            .oneshot(request("POST", "/v1/slow").body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(second.headers().get(RETRY_AFTER).unwrap(), "1");
        assert_problem(second, 429, "too-many-requests").await;
        let health = router
            .clone()
            .oneshot(Request::get("/readyz").body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(health.status(), StatusCode::OK);

        leave.notify_one();
        assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::OK);
        let metrics = text(
            router
                .oneshot(Request::get("/metrics").body(Body::empty()).unwrap())
                .await
                .unwrap(),
        )
        .await;
        assert!(
            metrics.contains(r#"http_requests_total{method="POST",route="/v1/slow",status="429"} 1"#),
            "{metrics}"
        );
        assert!(metrics.contains("http_request_duration_seconds_bucket{"), "{metrics}");
    }

    #[tokio::test]
    async fn a_problem_is_documented_where_its_type_points() {
        let router = finish(operations(Health::default(), Metrics::install()), small());
        let found = router
            .clone()
            .oneshot(Request::get("/problems/wrong-status").body(Body::empty()).unwrap())
            .await;
        assert!(text(found.unwrap()).await.starts_with("## wrong-status\n"));
        let missing = router
            .oneshot(Request::get("/problems/none").body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_problem(missing, 404, "not-found").await;
    }
}
