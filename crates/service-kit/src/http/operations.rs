//! Routes for those who run the desk, and the documentation of problems.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::health::Health;
use crate::openapi;
use crate::problem::{Problem, types};
use crate::telemetry::Metrics;

/// What every problem means and what to do about it.
pub(crate) const PROBLEMS_MARKDOWN: &str = include_str!("../../../../docs/problems.md");

const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /healthz`: the process runs. `GET /readyz`: it can do its work, else 503 and why not.
/// `GET /metrics`: for Prometheus. `GET /problems` and `/problems/{code}`: what problems mean.
/// `GET /v1/openapi.json`: the whole desk's routes, whichever service is asked. None of them needs a token.
pub fn operations(health: Health, metrics: Metrics) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async move || ready(&health)))
        .route(
            "/metrics",
            get(async move || ([(CONTENT_TYPE, PROMETHEUS_TEXT)], metrics.render())),
        )
        .route(
            "/problems",
            get(async || ([(CONTENT_TYPE, MARKDOWN)], PROBLEMS_MARKDOWN)),
        )
        .route(
            "/problems/{code}",
            get(async |code: Result<Path<String>, PathRejection>| problem(&code?)),
        )
        .route(
            "/v1/openapi.json",
            get(async || ([(CONTENT_TYPE, JSON)], openapi::COMMITTED)),
        )
}

fn ready(health: &Health) -> Response {
    let report = health.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report)).into_response()
}

fn problem(code: &str) -> Result<impl IntoResponse + use<>, Problem> {
    let section = section(PROBLEMS_MARKDOWN, code).ok_or_else(|| {
        Problem::new(&types::NOT_FOUND).detail("There is no problem of that name. GET /problems lists all of them.")
    })?;
    Ok(([(CONTENT_TYPE, MARKDOWN)], section))
}

/// The part of a Markdown document under the heading `## <heading>`, with that heading.
fn section(document: &'static str, heading: &str) -> Option<&'static str> {
    let mut starts = document
        .match_indices("\n## ")
        .map(|(at, _)| at.saturating_add(1))
        .peekable();
    while let Some(start) = starts.next() {
        let end = starts.peek().copied().unwrap_or(document.len());
        let section = document.get(start..end)?;
        if section.lines().next()?.strip_prefix("## ")?.trim() == heading {
            return Some(section);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_has_a_section_of_its_own() {
        for kind in types::ALL {
            let section = section(PROBLEMS_MARKDOWN, kind.code).unwrap();
            assert!(section.starts_with(&format!("## {}\n", kind.code)), "{section}");
            assert_eq!(section.matches("\n## ").count(), 0, "{section}");
        }
        assert_eq!(section(PROBLEMS_MARKDOWN, "no-such-problem"), None);
    }
}
