//! `POST /v1/commands`: NDJSON in, NDJSON out.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use service_kit::Problem;
use service_kit::http::{Caller, media_type, token_hash, worthless_token};
use service_kit::problem::types;

use super::headers::refuse_parameters;
use super::origin::From;
use crate::app::App;
use crate::bulk;

pub(crate) const NDJSON: &str = "application/x-ndjson";

/// `POST /v1/commands`
pub(super) async fn commands(
    State(app): State<App>,
    Caller(caller): Caller,
    From(origin): From,
    request: Request,
) -> Result<Response, Problem> {
    refuse_parameters(request.uri())?;
    if !media_type(request.headers()).eq_ignore_ascii_case(NDJSON) {
        return Err(Problem::new(&types::UNSUPPORTED_MEDIA_TYPE)
            .detail("Send one JSON object a line, with Content-Type: application/x-ndjson."));
    }
    let token = token_hash(request.headers()).ok_or_else(worthless_token)?;
    let input = request.into_body().into_data_stream();
    let sender = bulk::Sender {
        user: caller.user,
        token,
        origin: app.origin(caller.user, &origin).await?,
    };
    let results = bulk::run(app, sender, input).map(Ok::<_, std::convert::Infallible>);
    Ok((
        [(CONTENT_TYPE, HeaderValue::from_static(NDJSON))],
        Body::from_stream(results),
    )
        .into_response())
}
