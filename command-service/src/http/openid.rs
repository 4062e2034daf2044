//! `/v1/openid-sign-ins`: signing in with an account elsewhere.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use service_kit::Problem;
use service_kit::body::{Fields, object, text};
use service_kit::http::ApiJson;

use super::headers::refuse_parameters;
use super::origin::From;
use super::sessions::{NO_STORE, created};
use crate::app::App;
use crate::openid::Returned;

/// Codes of providers have some hundred characters, and no address has many thousands.
pub(crate) const RETURNED_CHARACTERS_MAX: usize = 4_096;

/// `POST /v1/openid-sign-ins`: begins.
pub(super) async fn begin(State(app): State<App>, uri: Uri, ApiJson(body): ApiJson) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    // There is nothing to say.
    Fields::new(&object(body)?).finish()?;
    let attempt = app.openid()?.begin().await?;
    let answer = json!({ "url": attempt.url, "attempt": attempt.attempt });
    Ok((StatusCode::CREATED, NO_STORE, Json(answer)).into_response())
}

/// `POST /v1/openid-sign-ins/redeem`: signs in who came back.
pub(super) async fn redeem(
    State(app): State<App>,
    uri: Uri,
    From(origin): From,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    let body = object(body)?;
    let mut fields = Fields::new(&body);
    let mut required = |name| fields.required(name, text(returned));
    let given = (required("attempt"), required("code"), required("state"));
    let issuer = fields.optional("iss", text(returned));
    fields.finish()?;
    let (Some(attempt), Some(code), Some(state)) = given else {
        return Err(Problem::internal());
    };
    let returned = Returned {
        attempt,
        code,
        state,
        issuer,
    };
    Ok(created(&app.sign_in_by_openid(returned, &origin).await?))
}

/// What a browser comes back with in an address.
fn returned(text: &str) -> Result<String, String> {
    let fits = (1..=RETURNED_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let error = || format!("must be 1 to {RETURNED_CHARACTERS_MAX} visible ASCII characters");
    fits.then(|| text.to_owned()).ok_or_else(error)
}
