//! What is kept of a request: one line in the log, and its place in the metrics.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use metrics::{Counter, Histogram};

use crate::log_writer::REQUESTS;
use crate::problem::Occurrence;

/// Routes that machines ask again and again, at any load.
pub(super) const OPERATIONS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// A request and its answer.
#[derive(Debug)]
pub(super) struct Answered<'a> {
    pub(super) method: &'a Method,
    pub(super) route: &'a str,
    pub(super) response: &'a Response,
    pub(super) elapsed: Duration,
}

impl Answered<'_> {
    /// One line for each request: never its body, its query or its token. The route stands for the
    /// path; handlers log which ticket they mean. Health checks are nobody's wish, and what they
    /// find is logged by who found it: DEBUG.
    pub(super) fn log(&self) {
        let status = self.response.status();
        let occurrence = self.response.extensions().get::<Occurrence>();
        let (code, instance) = match occurrence {
            Some(occurrence) => (
                Some(occurrence.code),
                Some(tracing::field::display(occurrence.instance)),
            ),
            None => (None, None),
        };
        let (method, route) = (self.method.as_str(), self.route);
        let elapsed_us = u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX);
        macro_rules! line {
            ($level:ident) => {
                tracing::event!(
                    target: REQUESTS, tracing::Level::$level, http.method = method, http.route = route, http.status = status.as_u16(),
                    problem.code = code, problem.instance = instance, elapsed_us,
                    "{method} {route} {}", status.as_u16()
                )
            };
        }
        if OPERATIONS.contains(&route) {
            line!(DEBUG);
        } else if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
            line!(ERROR);
        } else if status.is_server_error() {
            line!(WARN);
        } else {
            line!(INFO);
        }
    }
}

/// Counters and histograms by method, route and status, looked up once and kept: asking the
/// recorder for each request would build and hash the labels anew.
#[derive(Debug, Default)]
pub(super) struct RouteMetrics {
    routes: RwLock<HashMap<String, Vec<Handles>>>,
}

struct Handles {
    method: Method,
    status: StatusCode,
    requests: Counter,
    seconds: Histogram,
}

impl std::fmt::Debug for Handles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handles")
            .field("method", &self.method)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Methods are the caller's words too: those that no route takes share one label.
const OTHER_METHOD: &str = "other";

impl RouteMetrics {
    pub(super) fn record(&self, answered: &Answered<'_>) {
        let status = answered.response.status();
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let handles = known.get(answered.route).into_iter().flatten();
        for handles in handles {
            if handles.status == status && handles.method == *answered.method {
                handles.add(answered.elapsed);
                return;
            }
        }
        drop(known);
        let handles = Handles::register(answered.method, answered.route, status);
        handles.add(answered.elapsed);
        if label(answered.method) != OTHER_METHOD {
            let mut known = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            known.entry(answered.route.to_owned()).or_default().push(handles);
        }
    }
}

impl Handles {
    fn register(method: &Method, route: &str, status: StatusCode) -> Self {
        let labels = [
            ("method", label(method).to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        Self {
            method: method.clone(),
            status,
            requests: metrics::counter!("http_requests_total", &labels),
            seconds: metrics::histogram!("http_request_duration_seconds", &labels),
        }
    }

    fn add(&self, elapsed: Duration) {
        self.requests.increment(1);
        self.seconds.record(elapsed);
    }
}

fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER_METHOD,
    }
}
