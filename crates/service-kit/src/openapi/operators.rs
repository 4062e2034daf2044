//! The routes of `service_kit::http::operations`.

use crate::health::Report;
use crate::openapi::{Api, Operation, Payload, json, path};
use crate::problem::types;

use super::schema::{names, open_object, reference, string};

const TAG: &str = "operators";

/// Health, metrics, problems and this document. None of them needs a token.
pub fn operators() -> Api {
    let plain = || Payload::new("text/plain", string());
    let markdown = || Payload::new("text/markdown", string());
    Api::new()
        .schema_of::<Report>()
        .get(
            "/healthz",
            Operation::new("healthz", TAG, "Whether the process runs")
                .always()
                .answer(200, "It does.", plain()),
        )
        .get(
            "/readyz",
            Operation::new("readyz", TAG, "Whether the process can do its work")
                .always()
                .answer(200, "Every component can work.", json(reference("Report")))
                .answer(503, "Some component cannot; it says why.", json(reference("Report"))),
        )
        .get(
            "/metrics",
            Operation::new("metrics", TAG, "Metrics for Prometheus")
                .always()
                .answer(200, "Text.", plain()),
        )
        .get(
            "/problems",
            Operation::new("listProblems", TAG, "What every problem means").answer(200, "A document.", markdown()),
        )
        .get(
            "/problems/{code}",
            Operation::new("getProblem", TAG, "What one problem means, and what to do about it")
                .parameters([path(
                    "code",
                    "The problem's code.",
                    names(types::ALL.iter().map(|kind| kind.code)),
                )])
                .answer(200, "A section of a document.", markdown())
                .problems(&[&types::MALFORMED_REQUEST, &types::NOT_FOUND]),
        )
        .get(
            "/v1/openapi.json",
            Operation::new("getOpenApi", TAG, "This document").answer(
                200,
                "An OpenAPI 3.1 document.",
                json(open_object([])),
            ),
        )
}
