//! Every kind of problem that a caller can meet. `docs/problems.md` says what each of them means
//! and what to do; `/problems/<code>` serves it.

use super::ProblemType;

macro_rules! problem_types {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $title:literal;)*) => {
        $($(#[$doc])* pub static $name: ProblemType = ProblemType { code: $code, status: $status, title: $title };)*

        /// All of them.
        pub static ALL: &[&ProblemType] = &[$(&$name),*];
    };
}

problem_types! {
    /// The request cannot be read: bad JSON, an unknown field or parameter, a value of the wrong type.
    MALFORMED_REQUEST = 400 "malformed-request" "The request cannot be read";
    /// No token, or none that is known.
    UNAUTHENTICATED = 401 "unauthenticated" "A valid token is needed";
    /// There is no such login, or its password is another.
    WRONG_CREDENTIALS = 401 "wrong-credentials" "The login or the password is wrong";
    /// The caller may not do that.
    NOT_PERMITTED = 403 "not-permitted" "This is not permitted";
    /// The caller signed in with a password that was given to them.
    PASSWORD_CHANGE_REQUIRED = 403 "password-change-required" "The password has to be changed first";
    /// The token is for looking through a customer's eyes.
    VIEWING_ONLY = 403 "viewing-only" "Whoever views as somebody changes nothing";
    /// The token was made for other things.
    INSUFFICIENT_SCOPE = 403 "insufficient-scope" "The token is not for this";
    /// The password was right, and its user may not come in.
    ACCOUNT_DISABLED = 403 "account-disabled" "The account is disabled";
    /// The OpenID provider did not say who somebody is, or nobody that this desk knows.
    OPENID_REFUSED = 403 "openid-refused" "Nobody was signed in";
    /// There is no such ticket, or none that the caller may know of.
    TICKET_NOT_FOUND = 404 "ticket-not-found" "There is no such ticket";
    /// There is no such calendar.
    CALENDAR_NOT_FOUND = 404 "calendar-not-found" "There is no such calendar";
    /// There is no such policy.
    POLICY_NOT_FOUND = 404 "policy-not-found" "There is no such policy";
    /// There is no such workflow.
    WORKFLOW_NOT_FOUND = 404 "workflow-not-found" "There is no such workflow";
    /// There is no such digest.
    DIGEST_NOT_FOUND = 404 "digest-not-found" "There is no such digest";
    /// There is no such user, or none with a profile.
    USER_NOT_FOUND = 404 "user-not-found" "There is no such user";
    /// The caller has no such session.
    SESSION_NOT_FOUND = 404 "session-not-found" "There is no such session";
    /// The user has no such token.
    TOKEN_NOT_FOUND = 404 "token-not-found" "There is no such token";
    /// The link to choose a password by is good for nothing, or no more.
    LINK_WORTHLESS = 404 "link-worthless" "The link is good for nothing any more";
    /// There is nothing at that path.
    NOT_FOUND = 404 "not-found" "There is nothing here";
    /// The path exists, but not for that method.
    METHOD_NOT_ALLOWED = 405 "method-not-allowed" "The path does not take this method";
    /// The body did not arrive.
    REQUEST_TIMEOUT = 408 "request-timeout" "The body took too long";
    /// Closed tickets do not change this way.
    TICKET_CLOSED = 409 "ticket-closed" "The ticket is closed";
    /// The ticket's status does not allow the command.
    WRONG_STATUS = 409 "wrong-status" "The ticket's status does not allow this";
    /// The ticket's type does not allow the command.
    WRONG_TYPE = 409 "wrong-type" "The ticket's type does not allow this";
    /// The workflow of the requester's organisation does without the command.
    NOT_IN_WORKFLOW = 409 "command-not-in-workflow" "The workflow does without this";
    /// The requester's organisation is not supported now.
    SUPPORT_PERIOD_EXPIRED = 409 "support-period-expired" "The support period is over, or has not begun";
    /// The requester's organisation is out of use.
    ORGANISATION_ARCHIVED = 409 "organisation-archived" "The organisation is archived";
    /// This closing has been rated.
    ALREADY_RATED = 409 "already-rated" "This closing is rated already";
    /// A ticket of that id exists.
    TICKET_EXISTS = 409 "ticket-exists" "The ticket exists already";
    /// Another user signs in with that login.
    LOGIN_TAKEN = 409 "login-taken" "Another user has this login";
    /// Another user has that e-mail address.
    EMAIL_TAKEN = 409 "email-taken" "Another user has this address";
    /// The user may not come in, or cannot be written to.
    NOT_INVITABLE = 409 "not-invitable" "The user cannot be invited";
    /// The desk was started without a mail server.
    MAIL_NOT_CONFIGURED = 409 "mail-not-configured" "This desk sends no mail";
    /// The desk was started without an OpenID provider.
    OPENID_NOT_CONFIGURED = 409 "openid-not-configured" "This desk has no OpenID provider";
    /// The catalogue has an item of that code or name.
    ITEM_EXISTS = 409 "catalogue-item-exists" "The catalogue has this already";
    /// Another policy is for exactly the same tickets.
    POLICY_SCOPE_TAKEN = 409 "policy-scope-taken" "Another policy is for the same tickets";
    /// The ticket, calendar or policy has as many records as one may have.
    HISTORY_TOO_LONG = 409 "history-too-long" "The history is full";
    /// The ticket, calendar or policy is not at the revision that the caller expects.
    REVISION_MISMATCH = 412 "revision-mismatch" "It has changed meanwhile";
    /// The body is too large.
    BODY_TOO_LARGE = 413 "body-too-large" "The body is too large";
    /// The body is not of the type that the path takes.
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported-media-type" "The body's type is not supported";
    /// Fields have values that are not acceptable.
    INVALID_FIELDS = 422 "invalid-fields" "Some fields are not acceptable";
    /// `occurred_at` is impossible.
    OUT_OF_ORDER = 422 "out-of-order" "The time is out of order";
    /// The idempotency key was used for another command.
    IDEMPOTENCY_KEY_REUSED = 422 "idempotency-key-reused" "The idempotency key was used for something else";
    /// The query ran into its limit of time.
    QUERY_TOO_EXPENSIVE = 422 "query-too-expensive" "The query takes too long";
    /// Too many sign-ins with this login have failed.
    SIGN_IN_LOCKED = 429 "sign-in-locked" "Too many failed sign-ins";
    /// The service has as many requests in hand as it takes.
    TOO_MANY_REQUESTS = 429 "too-many-requests" "Too many requests";
    /// A bug.
    INTERNAL = 500 "internal" "Something is wrong here";
    /// Others keep changing the ticket, calendar or policies.
    CONTENDED = 503 "contended" "Others are changing it";
    /// The log cannot be reached; nothing was written.
    LOG_UNAVAILABLE = 503 "log-unavailable" "The log cannot be reached";
    /// The command may or may not have been written.
    OUTCOME_UNKNOWN = 503 "outcome-unknown" "It is not known whether this was done";
    /// The OpenID provider does not answer.
    OPENID_UNAVAILABLE = 503 "openid-unavailable" "The OpenID provider cannot be reached";
    /// The read model has not reached the position asked for.
    READ_MODEL_BEHIND = 503 "read-model-behind" "The read model is behind";
    /// The read model cannot be reached, or is being rebuilt.
    READ_MODEL_UNAVAILABLE = 503 "read-model-unavailable" "The read model cannot be reached";
}
