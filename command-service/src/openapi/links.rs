//! The routes of links that are mailed.

use domain::sign_in::{Login, NewPassword};
use serde_json::json;
use service_kit::openapi::schema::{
    instant, names, nullable, object, opaque, open_object, optional, reference, required, string, text, uuid,
};
use service_kit::openapi::{Api, Operation, json as json_body, path};
use service_kit::problem::types;
use utoipa::openapi::Required;

use super::sessions::{TAG, WITH_BODY};

/// Adds them, and what they take and answer.
pub(super) fn with_links(api: Api) -> Api {
    api.schema(
        "Invitation",
        object([optional(
            "login",
            "By what they sign in. If left out: the login that they have, or else their e-mail address.",
            nullable(text(Login::CHARACTERS_MAX)),
        )]),
    )
    .schema(
        "Invited",
        open_object([
            required("user", "", uuid()),
            required("login", "", string()),
            required("expires_at", "Until when the link works.", instant()),
            required(
                "delivery",
                "Whether the mail server took the mail.",
                names(["sent", "not_configured", "failed"]),
            ),
            required("detail", "What became of it, and what to do.", string()),
        ]),
    )
    .schema("PasswordReset", object([required("login", "", string())]))
    .schema(
        "PasswordResetAsked",
        open_object([required("detail", "What to wait for.", string())]),
    )
    .schema(
        "ChosenPassword",
        object([
            required("token", "What the link has behind its `#`.", string()),
            required("password", "", opaque(NewPassword::CHARACTERS_MAX)),
        ]),
    )
    .schema(
        "PasswordChosen",
        open_object([required("login", "By what to sign in now.", string())]),
    )
    .post("/v1/users/{id}/invitation", invite())
    .post("/v1/password-resets", ask())
    .post("/v1/password-resets/redeem", redeem())
}

fn invite() -> Operation {
    Operation::new("inviteUser", TAG, "Invite a user by mail")
        .about(
            "Sends a link, good for 7 days and once, by which the user chooses a password. A newer link replaces it.",
        )
        .for_callers()
        .parameters([path("id", "The user's id.", uuid())])
        .body(
            Required::False,
            json_body(reference("Invitation")).example(json!({ "login": "ada@example.org" })),
        )
        .answer(200, "What became of it.", json_body(reference("Invited")))
        .problems(&WITH_BODY)
        .problems(&[
            &types::NOT_PERMITTED,
            &types::USER_NOT_FOUND,
            &types::NOT_INVITABLE,
            &types::LOGIN_TAKEN,
        ])
}

fn ask() -> Operation {
    Operation::new(
        "askForPasswordReset",
        TAG,
        "Ask for a link to choose another password by",
    )
    .about("Needs no token. The answer is the same whether there is such a login or not.")
    .body(
        Required::True,
        json_body(reference("PasswordReset")).example(json!({ "login": "ada@example.org" })),
    )
    .answer(202, "It will be seen to.", json_body(reference("PasswordResetAsked")))
    .problems(&WITH_BODY)
    .problems(&[&types::MAIL_NOT_CONFIGURED])
}

fn redeem() -> Operation {
    let example = json!({
        "token": format!("{}.rct_{}", "0".repeat(32), "0".repeat(64)), "password": "correct horse battery"
    });
    Operation::new("choosePassword", TAG, "Choose a password by a link")
        .about("Needs no token but the link's. The user's sessions end, and none begins.")
        .body(Required::True, json_body(reference("ChosenPassword")).example(example))
        .answer(200, "It is set.", json_body(reference("PasswordChosen")))
        .problems(&WITH_BODY)
        .problems(&[&types::LINK_WORTHLESS])
}
