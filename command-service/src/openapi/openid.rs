//! The routes of signing in with an account elsewhere.

use serde_json::json;
use service_kit::openapi::schema::{nullable, object, opaque, open_object, optional, reference, required, string};
use service_kit::openapi::{Api, Operation, json as json_body};
use service_kit::problem::types;
use utoipa::openapi::Required;

use super::sessions::{TAG, WITH_BODY};
use crate::http::RETURNED_CHARACTERS_MAX;

/// Adds them, and what they take and answer.
pub(super) fn with_openid(api: Api) -> Api {
    let returned = || opaque(RETURNED_CHARACTERS_MAX);
    api.schema("OpenIdSignIn", object([]))
        .schema(
            "OpenIdAttempt",
            open_object([
                required("url", "Where to send the browser.", string()),
                required(
                    "attempt",
                    "A secret, which stays in the browser until it is back.",
                    string(),
                ),
            ]),
        )
        .schema(
            "OpenIdReturn",
            object([
                required("attempt", "That of the answer with which this began.", returned()),
                required("code", "What the provider sent the browser back with.", returned()),
                required("state", "The same.", returned()),
                optional(
                    "iss",
                    "The same, where the provider says who it is (RFC 9207).",
                    nullable(returned()),
                ),
            ]),
        )
        .post("/v1/openid-sign-ins", begin())
        .post("/v1/openid-sign-ins/redeem", redeem())
}

fn begin() -> Operation {
    Operation::new("beginOpenIdSignIn", TAG, "Begin to sign in with an account elsewhere")
        .about("Needs no token. The provider sends the browser back to `<public-url>/sign-in` with `code` and `state`.")
        .body(Required::False, json_body(reference("OpenIdSignIn")).example(json!({})))
        .answer(
            201,
            "Where to go, and what to keep.",
            json_body(reference("OpenIdAttempt")),
        )
        .problems(&WITH_BODY)
        .problems(&[
            &types::OPENID_NOT_CONFIGURED,
            &types::TOO_MANY_REQUESTS,
            &types::OPENID_UNAVAILABLE,
        ])
}

fn redeem() -> Operation {
    let example = json!({ "attempt": "a".repeat(43), "code": "code", "state": "0".repeat(32) });
    Operation::new("endOpenIdSignIn", TAG, "Sign in with what the provider sent back")
        .about(
            "Needs no token. Whoever has the e-mail address that the provider has verified is signed in, as with \
             `POST /v1/sessions`. A code works once.",
        )
        .body(Required::True, json_body(reference("OpenIdReturn")).example(example))
        .answer(201, "The session.", json_body(reference("SessionBegun")))
        .problems(&WITH_BODY)
        .problems(&[
            &types::OPENID_REFUSED,
            &types::ACCOUNT_DISABLED,
            &types::OPENID_NOT_CONFIGURED,
            &types::TOO_MANY_REQUESTS,
            &types::OPENID_UNAVAILABLE,
        ])
}
