//! Problems as answers, and what the framework refuses as problems.

use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::{Problem, types};

/// The media type of every problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Left on an answer that is a problem, so that the request's line in the log names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occurrence {
    pub(crate) code: &'static str,
    pub(crate) instance: Uuid,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let occurrence = Occurrence {
            code: self.kind.code,
            instance: Uuid::new_v4(),
        };
        let status = StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::Value::Object(self.body(occurrence.instance)).to_string();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers.extend(self.headers.into_iter().map(|(name, value)| (Some(name), value)));
        response.extensions_mut().insert(occurrence);
        response
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::new(&types::BODY_TOO_LARGE)
                .detail("Send less at once: a body has at most 1 MiB, unless the path says otherwise.")
        } else {
            Self::new(&types::MALFORMED_REQUEST)
                .detail("The body broke off before its end. Send the request again, whole.")
        }
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        if rejection.status().is_server_error() {
            tracing::error!("a handler does not fit its route: {rejection}");
            return Self::internal();
        }
        Self::new(&types::MALFORMED_REQUEST).detail(format!(
            "A part of the path is not what belongs there. {}",
            rejection.body_text()
        ))
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(&types::MALFORMED_REQUEST).detail(format!("The query cannot be read. {}", rejection.body_text()))
    }
}
