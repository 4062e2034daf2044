//! The routes of logins, sessions and passwords.

use domain::sign_in::{Login, NewPassword};
use event_log::Happening;
use serde_json::json;
use service_kit::openapi::schema::{
    Shape, array, boolean, instant, names, nullable, object, opaque, open_object, optional, reference, required,
    string, text, uuid,
};
use service_kit::openapi::{Api, Operation, json as json_body, path};
use service_kit::problem::{ProblemType, types};
use utoipa::openapi::Required;

pub(super) const TAG: &str = "sessions";

/// What any of them may meet that has a body.
pub(super) const WITH_BODY: [&ProblemType; 7] = [
    &types::MALFORMED_REQUEST,
    &types::REQUEST_TIMEOUT,
    &types::BODY_TOO_LARGE,
    &types::UNSUPPORTED_MEDIA_TYPE,
    &types::INVALID_FIELDS,
    &types::CONTENDED,
    &types::LOG_UNAVAILABLE,
];
/// What any of them may meet that has none.
pub(super) const BARE: [&ProblemType; 2] = [&types::MALFORMED_REQUEST, &types::LOG_UNAVAILABLE];

/// Adds them, and what they take and answer.
pub(super) fn with_sessions(api: Api) -> Api {
    let login = text(Login::CHARACTERS_MAX);
    let password = opaque(NewPassword::CHARACTERS_MAX);
    api.schema(
        "SignIn",
        object([
            required("login", "", string()),
            required("password", "", password.clone()),
        ]),
    )
    .schema(
        "PasswordChange",
        object([
            required("password", "The one until now.", password.clone()),
            required("new_password", "Another one.", password.clone()),
        ]),
    )
    .schema(
        "Login",
        object([
            required("login", "Upper and lower case are the same.", login),
            required("password", "The first one.", password),
            optional(
                "change_at_first_login",
                "Whether it has to be changed before anything else. `true` if left out.",
                nullable(boolean()),
            ),
        ]),
    )
    .schema(
        "LoginGiven",
        open_object([
            required("user", "", uuid()),
            required("login", "", string()),
            required("change_at_first_login", "", boolean()),
        ]),
    )
    .schema(
        "SessionBegun",
        open_object([
            required("id", "", uuid()),
            required("token", "Shown this once.", string()),
            required("user", "", uuid()),
            required("expires_at", "", instant()),
            required(
                "change_password",
                "Whether everything but `PUT /v1/password` is refused until the password is changed.",
                boolean(),
            ),
        ]),
    )
    .schema(
        "Sessions",
        open_object([required(
            "items",
            "The newest first.",
            array(open_object([
                required("id", "", uuid()),
                required("agent", "The `User-Agent` that signed in.", nullable(string())),
                required("created_at", "", instant()),
                required("expires_at", "", nullable(instant())),
                required("current", "Whether the request came with its token.", boolean()),
            ])),
        )]),
    )
    .post("/v1/sessions", sign_in())
    .get("/v1/sessions", list())
    .delete("/v1/sessions/{id}", end())
    .put("/v1/password", change_password())
    .schema(
        "LoginKept",
        open_object([
            required("user", "", uuid()),
            required("login", "", string()),
            required("has_password", "Not until an invited user has chosen one.", boolean()),
            required(
                "change_at_first_login",
                "Whether the password has to be changed before anything else.",
                boolean(),
            ),
            required("changed_at", "Since when it is this login and password.", instant()),
        ]),
    )
    .get("/v1/users/{id}/sessions", list_of_user())
    .delete("/v1/users/{id}/sessions", end_all_of_user())
    .delete("/v1/users/{id}/sessions/{session}", end_of_user())
    .get("/v1/users/{id}/login", login_of_user())
    .put("/v1/users/{id}/login", give_login())
    .delete("/v1/users/{id}/login", take_login())
    .schema("Audit", audited())
    .schema("View", viewed())
    .post("/v1/users/{id}/view-as", view_as())
    .get("/v1/users/{id}/audit", audit())
}

/// A view that has begun.
fn viewed() -> Shape {
    open_object([
        required(
            "token",
            "Shown this once. It reads what the customer sees, and changes nothing.",
            string(),
        ),
        required("user", "The customer.", uuid()),
        required("expires_at", "", instant()),
    ])
}

/// What happened to a user.
fn audited() -> Shape {
    open_object([required(
        "items",
        "The newest first.",
        array(open_object([
            required("event", "", names(Happening::ALL.map(Happening::as_str))),
            required("at", "", instant()),
            required("by", "Who did it, if it was not the user.", nullable(uuid())),
            required(
                "whom",
                "To whom it happened, if that was not the user.",
                nullable(uuid()),
            ),
            required(
                "address",
                "The other end of the connection: the proxy's, where there is one.",
                nullable(string()),
            ),
            required("forwarded_for", "What `X-Forwarded-For` said.", nullable(string())),
            required("agent", "What `User-Agent` said.", nullable(string())),
        ])),
    )])
}

fn audit() -> Operation {
    of_user("getUserAudit", "Who came in as a user, from where, and who tried to")
        .about("The last 64 failures and the last 64 of everything else, for a year; and whom the user viewed the desk as.")
        .answer(200, "What happened.", json_body(reference("Audit")))
}

fn view_as() -> Operation {
    Operation::new("viewAs", TAG, "Look at the desk through a customer's eyes")
        .about(
            "For staff with the permission `view_as`. Answers a token, good for 30 minutes at most, with which every query is \
             answered as it is for the customer, and nothing else is possible but `DELETE /v1/sessions/current`. It is \
             worthless as soon as the token that this was asked with is, or its bearer loses the permission. Both users' \
             audits note it.",
        )
        .for_callers()
        .parameters([path("id", "The customer's id.", uuid())])
        .answer(201, "The view has begun.", json_body(reference("View")))
        .problems(&WITH_BODY)
        .problems(&[&types::NOT_PERMITTED, &types::USER_NOT_FOUND, &types::ACCOUNT_DISABLED])
}

fn sign_in() -> Operation {
    let example = json!({ "login": "ada@example.org", "password": "correct horse battery" });
    Operation::new("signIn", TAG, "Sign in")
        .about("Needs no token and answers one, good for 12 hours. After a few failures a login has to wait, longer each time.")
        .body(Required::True, json_body(reference("SignIn")).example(example))
        .answer(201, "A session has begun.", json_body(reference("SessionBegun")))
        .answers_with("Location", "The session.", &string())
        .problems(&WITH_BODY)
        .problems(&[&types::WRONG_CREDENTIALS, &types::ACCOUNT_DISABLED, &types::SIGN_IN_LOCKED])
}

fn list() -> Operation {
    Operation::new("listSessions", TAG, "List one's own sessions")
        .for_callers()
        .answer(200, "Those that are not over.", json_body(reference("Sessions")))
        .problems(&BARE)
}

fn end() -> Operation {
    Operation::new("endSession", TAG, "Sign out")
        .about("Its token is worthless at once, in every service.")
        .for_callers()
        .parameters([path("id", "The session's id, or `current`.", string())])
        .answer_without_body(204, "It has ended.")
        .problems(&BARE)
        .problems(&[&types::SESSION_NOT_FOUND])
}

fn list_of_user() -> Operation {
    of_user("listUserSessions", "List a user's sessions").answer(
        200,
        "Those that are not over.",
        json_body(reference("Sessions")),
    )
}

fn end_all_of_user() -> Operation {
    of_user("endUserSessions", "Sign a user out everywhere")
        .about(
            "For administrators. Their tokens are worthless at once, in every service. Doing it again changes nothing.",
        )
        .answer_without_body(204, "They have ended.")
}

fn end_of_user() -> Operation {
    of_user("endUserSession", "End one session of a user")
        .about("For administrators.")
        .parameters([path("session", "The session's id.", string())])
        .answer_without_body(204, "It has ended.")
        .problems(&[&types::SESSION_NOT_FOUND])
}

fn login_of_user() -> Operation {
    of_user("readLogin", "By what a user signs in")
        .answer(200, "The login.", json_body(reference("LoginKept")))
        .problems(&[&types::NOT_FOUND])
}

/// What administrators ask and do about a user, without a body.
pub(super) fn of_user(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, TAG, summary)
        .for_callers()
        .parameters([path("id", "The user's id.", uuid())])
        .problems(&BARE)
        .problems(&[&types::NOT_PERMITTED, &types::USER_NOT_FOUND])
}

fn change_password() -> Operation {
    let example = json!({ "password": "correct horse battery", "new_password": "staple, and correct" });
    Operation::new("changePassword", TAG, "Change one's own password")
        .about("All sessions of the user end, this one too, and the answer has the token of a new one.")
        .for_callers()
        .body(Required::True, json_body(reference("PasswordChange")).example(example))
        .answer(200, "It is changed.", json_body(reference("SessionBegun")))
        .problems(&WITH_BODY)
        .problems(&[
            &types::WRONG_CREDENTIALS,
            &types::NOT_PERMITTED,
            &types::ACCOUNT_DISABLED,
            &types::SIGN_IN_LOCKED,
        ])
}

fn give_login() -> Operation {
    let example = json!({ "login": "ada@example.org", "password": "for the first time" });
    Operation::new("giveLogin", TAG, "Give a user a login and a password")
        .about("In place of those that the user has. The user's sessions end.")
        .for_callers()
        .parameters([path("id", "The user's id.", uuid())])
        .body(Required::True, json_body(reference("Login")).example(example))
        .answer(200, "The user can sign in.", json_body(reference("LoginGiven")))
        .problems(&WITH_BODY)
        .problems(&[&types::NOT_PERMITTED, &types::USER_NOT_FOUND, &types::LOGIN_TAKEN])
}

fn take_login() -> Operation {
    of_user("takeLogin", "Take a user's login away")
        .about("The user's sessions end. Doing it again changes nothing.")
        .answer_without_body(204, "The user has no login.")
}
