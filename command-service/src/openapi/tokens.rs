//! The routes of tokens for services.

use domain::text::Label;
use domain::token_scope::TokenScope;
use serde_json::json;
use service_kit::openapi::schema::{
    Property, Shape, array, array_up_to, instant, names, nullable, object, open_object, optional, reference, required,
    string, text, uuid,
};
use service_kit::openapi::{Api, Operation, json as json_body, path};
use service_kit::problem::types;
use utoipa::openapi::Required;

use super::sessions::{WITH_BODY, of_user};

/// Adds them, and what they take and answer.
pub(super) fn with_tokens(api: Api) -> Api {
    let made = [
        required("user", "", uuid()),
        required("token", "Shown this once.", string()),
    ];
    let listed = [
        required(
            "last_used_at",
            "To within some minutes; null: never. Services tell of uses a moment later.",
            nullable(instant()),
        ),
        required("revoked_at", "", nullable(instant())),
    ];
    api.schema(
        "NewToken",
        object([
            optional("purpose", "What it is for.", nullable(text(Label::CHARACTERS_MAX))),
            optional(
                "scopes",
                "What it may be used for, of all that its user may. If left out: everything.",
                nullable(array_up_to(TokenScope::ALL.len(), scope())),
            ),
            optional(
                "expires_at",
                "From when on it is worthless. If left out: it is good until it is revoked.",
                nullable(instant()),
            ),
        ]),
    )
    .schema("TokenMade", open_object(described().into_iter().chain(made)))
    .schema(
        "Tokens",
        open_object([required(
            "items",
            "The newest first.",
            array(open_object(described().into_iter().chain(listed))),
        )]),
    )
    .get("/v1/users/{id}/tokens", list())
    .post("/v1/users/{id}/tokens", create())
    .delete("/v1/users/{id}/tokens/{token}", revoke())
}

fn scope() -> Shape {
    names(TokenScope::ALL.map(TokenScope::as_str))
}

fn described() -> [Property; 5] {
    [
        required("id", "The hash of the token.", string()),
        required("purpose", "", nullable(string())),
        required("scopes", "Null: everything.", nullable(array(scope()))),
        required("created_at", "", instant()),
        required("expires_at", "", nullable(instant())),
    ]
}

fn list() -> Operation {
    of_user("listTokens", "List the tokens of a user's services")
        .about("For administrators. Those that are worthless are listed, too; sessions and views are none.")
        .answer(200, "The tokens.", json_body(reference("Tokens")))
}

fn create() -> Operation {
    let about = TokenScope::ALL.map(|scope| format!("`{}`: {}", scope.as_str(), scope.about()));
    let example = json!({ "purpose": "Monitoring", "scopes": ["tickets:read", "tickets:write"] });
    of_user("createToken", "Make a token for a service")
        .about(format!(
            "For administrators. Whoever presents it acts as the user. With scopes it does nothing else than they say: {}",
            about.join(" ")
        ))
        .body(Required::True, json_body(reference("NewToken")).example(example))
        .answer(201, "It is made.", json_body(reference("TokenMade")))
        .answers_with("Location", "The token.", &string())
        .problems(&WITH_BODY)
}

fn revoke() -> Operation {
    of_user("revokeToken", "Make a token worthless")
        .about("For administrators. It is refused at once, in every service. Doing it again changes nothing.")
        .parameters([path("token", "The token's id.", string())])
        .answer_without_body(204, "It is worthless.")
        .problems(&[&types::TOKEN_NOT_FOUND])
}
