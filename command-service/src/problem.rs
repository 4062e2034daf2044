//! Why a command was not carried out, as a problem that says what to do.

use std::borrow::Cow;

use axum::http::HeaderValue;
use axum::http::header::WWW_AUTHENTICATE;
use domain::actor::{Actor, Permission};
use domain::address::Taken;
use domain::calendar::stored;
use domain::contract;
use domain::directory::EntryKind;
use domain::people;
use domain::portal::Property;
use domain::rights::permission_to_write;
use domain::sla::stored as policies;
use domain::ticket::{CommandName, NotOffered, Rejection, TicketState, allowed_commands};
use domain::workflow::Workflow;
use event_log::{
    AuditError, CalendarError, ContractError, CredentialError, DirectoryError, ExecuteError, PolicyError, ProfileError,
    SettingsError, TokenStoreError,
};
use service_kit::body::calendar::unacceptable;
use service_kit::body::{pointer, policy};
use service_kit::chain;
use service_kit::problem::{FieldError, Problem, ProblemType, types};
use uuid::Uuid;

/// Overload and outages pass; a caller that tries again after a second does no harm.
const RETRY_AFTER_SECONDS: u32 = 1;

/// The problem for a command on a ticket that failed.
pub(crate) fn of_execution(error: &ExecuteError, actor: &Actor) -> Problem {
    of_command("ticket", error, actor)
}

/// The problem for a command that failed; `thing`: what it was given to.
fn of_command(thing: &str, error: &ExecuteError, actor: &Actor) -> Problem {
    match error {
        ExecuteError::Rejected {
            rejection,
            ticket,
            workflow,
        } => of_rejection(rejection, ticket.as_deref(), workflow, actor),
        ExecuteError::RevisionMismatch { actual } => Problem::new(&types::REVISION_MISMATCH)
            .detail(format!("The {thing} is at revision {actual}. Read it again, and repeat the command with If-Match: \"{actual}\" if it still makes sense."))
            .with("revision", actual.0),
        ExecuteError::KeyReused => Problem::new(&types::IDEMPOTENCY_KEY_REUSED)
            .detail("The key was used for another command, or for this one with another body. Use a new key for a new wish."),
        ExecuteError::HistoryTooLong => Problem::new(&types::HISTORY_TOO_LONG)
            .detail("The ticket takes no more commands. Open a new one and refer to this one."),
        ExecuteError::Contended => retry(
            &types::CONTENDED,
            format!("Others kept changing the {thing}. Nothing was written; try again."),
        ),
        ExecuteError::Unavailable => log_unavailable(),
        ExecuteError::PoliciesUnread => retry(
            &types::LOG_UNAVAILABLE,
            "The policies have not been read from the log yet. Nothing was written; try again.",
        ),
        ExecuteError::OutcomeUnknown => retry(
            &types::OUTCOME_UNKNOWN,
            "The log did not say whether it took the command. Repeat it with the same Idempotency-Key to find out; another key might do it twice.",
        ),
        ExecuteError::Corrupt(_) => {
            tracing::error!(error = chain(error), "a history contradicts itself");
            Problem::internal()
        }
    }
}

/// The problem for a command on a calendar that failed.
pub(crate) fn of_calendar(error: &CalendarError, actor: &Actor) -> Problem {
    match error {
        CalendarError::Rejected(rejection) => match rejection {
            stored::Rejection::Absent => no_calendar(),
            stored::Rejection::NotPermitted => only_staff(),
            stored::Rejection::Invalid(errors) => unacceptable(errors),
            stored::Rejection::TooManyVersions => Problem::new(&types::HISTORY_TOO_LONG).detail(format!(
                "The calendar has {} versions, as many as one may have. Create a new one and use that.",
                stored::VERSIONS_MAX
            )),
            // Its id comes from the key, and the key's own record would have been the answer.
            stored::Rejection::AlreadyCreated => of_execution(&ExecuteError::KeyReused, actor),
        },
        CalendarError::Failed(error) => of_command("calendar", error, actor),
    }
}

/// The problem for a command on a policy that failed.
pub(crate) fn of_policy(error: &PolicyError, actor: &Actor) -> Problem {
    match error {
        PolicyError::Rejected(rejection) => match rejection {
            policies::Rejection::Absent => no_policy(),
            policies::Rejection::NotPermitted => policies_only_staff(),
            policies::Rejection::Invalid(flaws) => policy::unacceptable("", flaws),
            policies::Rejection::SameScope { other, name } => Problem::new(&types::POLICY_SCOPE_TAKEN)
                .detail(format!(
                    "The policy {} is for exactly the same tickets. Change that one, take it out of force with in_force: false, or give this one another scope.",
                    name.as_str()
                ))
                .with("policy", serde_json::json!({ "id": other.to_string(), "name": name.as_str() })),
            policies::Rejection::TooManyVersions => Problem::new(&types::HISTORY_TOO_LONG).detail(format!(
                "The policy has {} versions, as many as one may have. Take it out of force, if a version is left for that, and create a new one.",
                policies::VERSIONS_MAX
            )),
            policies::Rejection::TooManyPolicies => Problem::new(&types::HISTORY_TOO_LONG).detail(format!(
                "There are {} policies, as many as a desk may have. Change one that is not in force any more.",
                policies::POLICIES_MAX
            )),
            // Its id comes from the key, and the key's own record would have been the answer.
            policies::Rejection::AlreadyCreated => of_execution(&ExecuteError::KeyReused, actor),
        },
        PolicyError::Failed(error) => of_command("policy", error, actor),
    }
}

/// The problem for a contract that was not agreed upon.
pub(crate) fn of_contract(error: &ContractError, actor: &Actor) -> Problem {
    match error {
        ContractError::Rejected(contract::Rejection::NotPermitted) => contracts_only_staff(),
        ContractError::Rejected(contract::Rejection::Backwards) => Problem::new(&types::INVALID_FIELDS)
            .detail("Support would end before it begins. See errors.")
            .field(FieldError::new(
                "/support_until",
                "invalid",
                "must be after support_from",
            )),
        ContractError::Rejected(contract::Rejection::TooManyVersions) => {
            Problem::new(&types::HISTORY_TOO_LONG).detail(format!(
                "The contract has {} versions, as many as one may have.",
                contract::VERSIONS_MAX
            ))
        }
        ContractError::Failed(error) => of_command("contract", error, actor),
    }
}

/// The problem for a profile of the entry of this id that was not written.
pub(crate) fn of_profile(error: &ProfileError, id: Uuid, actor: &Actor) -> Problem {
    match error {
        ProfileError::Rejected(people::Rejection::NotPermitted(kind)) => profile_not_permitted(*kind),
        ProfileError::Rejected(rejection @ people::Rejection::OwnAccount) => Problem::new(&types::INVALID_FIELDS)
            .detail("You would shut yourself out; another administrator can do that.")
            .field(FieldError::new("", "own_account", rejection.to_string())),
        ProfileError::Rejected(people::Rejection::AddressTaken(Taken { by })) => Problem::new(&types::EMAIL_TAKEN)
            .detail(format!(
                "Another user, {by}, has this address. Give them another one first, or choose another one here."
            )),
        ProfileError::Rejected(people::Rejection::AlreadyThere) => Problem::new(&types::ITEM_EXISTS)
            .detail(format!(
                "It has the id {id}, and may be archived. Change that one with PUT, or choose another code or name."
            ))
            .with("id", id.to_string()),
        ProfileError::Rejected(people::Rejection::TooManyVersions) => {
            Problem::new(&types::HISTORY_TOO_LONG).detail(format!(
                "The entry has {} versions, as many as one may have.",
                people::VERSIONS_MAX
            ))
        }
        ProfileError::Failed(error) => of_command("entry", error, actor),
    }
}

/// The problem while it is not known yet whom users act as.
pub(crate) fn profiles_unread() -> Problem {
    retry(
        &types::LOG_UNAVAILABLE,
        "The directory has not been read from the log yet. Nothing was done; try again.",
    )
}

/// The problem with what users sign in with.
pub(crate) fn of_credential(error: &CredentialError) -> Problem {
    match error {
        CredentialError::Taken => Problem::new(&types::LOGIN_TAKEN).detail("Choose another login."),
        CredentialError::Contended => retry(
            &types::CONTENDED,
            "Somebody else does the same at this moment. Nothing was done; try again.",
        ),
        CredentialError::Unavailable(_) => {
            tracing::warn!(error = chain(error), "credentials cannot be reached");
            log_unavailable()
        }
    }
}

/// The problem with what happened around signing in and could not be kept or read.
pub(crate) fn of_audit(error: &AuditError) -> Problem {
    tracing::warn!(error = chain(error), "the audit cannot be reached");
    log_unavailable()
}

/// The problem with settings that could not be kept or read.
pub(crate) fn of_settings(error: &SettingsError) -> Problem {
    tracing::warn!(error = chain(error), "settings cannot be reached");
    log_unavailable()
}

/// The problem with a session that could not be written.
pub(crate) fn of_token(error: &TokenStoreError) -> Problem {
    tracing::warn!(error = chain(error), "sessions cannot be written");
    log_unavailable()
}

/// The problem for somebody who has not got the password, or perhaps not even the login: which of them, nobody learns.
pub(crate) fn wrong_credentials() -> Problem {
    Problem::new(&types::WRONG_CREDENTIALS)
        .detail("Check both. An administrator can give you another password.")
        .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// The problem for callers who may not write profiles.
pub(crate) fn only_administrators() -> Problem {
    Problem::new(&types::NOT_PERMITTED).detail("Only staff with the permission administer do that.")
}

/// The problem for callers who may not write profiles of this kind.
pub(crate) fn profile_not_permitted(kind: EntryKind) -> Problem {
    match permission_to_write(kind) {
        None => Problem::new(&types::NOT_PERMITTED).detail(
            "Only staff who see every ticket create and change projects: whoever follows one sees its tickets.",
        ),
        Some(Permission::Administer) => only_administrators(),
        Some(permission) => Problem::new(&types::NOT_PERMITTED).detail(format!(
            "Only staff with the permission {} or administer do that.",
            permission.as_str()
        )),
    }
}

/// The problem for callers whom contracts do not concern.
pub(crate) fn contracts_only_staff() -> Problem {
    Problem::new(&types::NOT_PERMITTED).detail("Only staff agree upon contracts.")
}

/// The problem for a policy that is not there.
pub(crate) fn no_policy() -> Problem {
    Problem::new(&types::POLICY_NOT_FOUND)
        .detail("There is no policy with this id. Ids are UUIDs; GET /v1/policies lists them.")
}

/// The problem for callers whom policies do not concern.
pub(crate) fn policies_only_staff() -> Problem {
    Problem::new(&types::NOT_PERMITTED)
        .detail("Only staff who see every ticket create and change policies: they decide what becomes of all of them.")
}

/// The problem for a calendar that is not there.
pub(crate) fn no_calendar() -> Problem {
    Problem::new(&types::CALENDAR_NOT_FOUND)
        .detail("There is no calendar with this id. Ids are UUIDs; GET /v1/calendars lists them.")
}

/// The problem for callers who may look but not touch.
pub(crate) fn only_staff() -> Problem {
    Problem::new(&types::NOT_PERMITTED)
        .detail("Only staff create and change calendars. Reading and explaining them is for all.")
}

/// The problem for a name that could not be kept.
pub(crate) fn of_directory(error: &DirectoryError) -> Problem {
    match error {
        DirectoryError::Unavailable => retry(
            &types::LOG_UNAVAILABLE,
            "The log cannot be reached. The command was not carried out; try again.",
        ),
        DirectoryError::Corrupt(_) => {
            tracing::error!(error = chain(error), "the directory cannot be read");
            Problem::internal()
        }
    }
}

/// The problem where nothing could be read or written.
pub(crate) fn log_unavailable() -> Problem {
    retry(
        &types::LOG_UNAVAILABLE,
        "The log cannot be reached. Nothing was written; try again.",
    )
}

fn retry(kind: &'static ProblemType, detail: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(kind).detail(detail).retry_after(RETRY_AFTER_SECONDS)
}

fn of_rejection(rejection: &Rejection, ticket: Option<&TicketState>, workflow: &Workflow, actor: &Actor) -> Problem {
    let problem = match rejection {
        Rejection::Absent => {
            return Problem::new(&types::TICKET_NOT_FOUND)
                .detail("There is no ticket with this id, or none that you may see.");
        }
        Rejection::ReasonRequired => {
            let error = FieldError::new("/reason", "required", rejection.to_string());
            return Problem::new(&types::INVALID_FIELDS)
                .detail("Say why the ticket is closed although nobody proposed it.")
                .field(error);
        }
        Rejection::NoProject => {
            let error = FieldError::new("/project", "unknown", rejection.to_string());
            return Problem::new(&types::INVALID_FIELDS)
                .detail("Name a project that is there and not archived, and as a customer one that you follow; or leave it out.")
                .field(error);
        }
        Rejection::NotOffered(refused) => {
            let errors = refused.iter().map(|NotOffered { field, code, detail }| {
                let at: String = field.iter().map(|part| pointer(part)).collect();
                FieldError::new(at, *code, detail.clone())
            });
            return Problem::new(&types::INVALID_FIELDS)
                .detail("Some fields say what the desk does not offer. See errors for each of them.")
                .fields(errors.collect());
        }
        Rejection::OutOfOrder { .. } => {
            let error = FieldError::new("/occurred_at", "out_of_order", rejection.to_string());
            return Problem::new(&types::OUT_OF_ORDER)
                .detail(sentence(rejection))
                .field(error);
        }
        Rejection::NotEditable(properties) => {
            let at = |property: &Property| match property.custom_field() {
                Some(name) => format!("/custom_fields{}", pointer(name.as_str())),
                None => pointer(&property.to_text()),
            };
            let detail = "is not yours to change: leave it out";
            let errors = properties
                .iter()
                .map(|property| FieldError::new(at(property), "not_editable", detail));
            Problem::new(&types::NOT_PERMITTED).fields(errors.collect())
        }
        Rejection::NotPermitted { .. } => Problem::new(&types::NOT_PERMITTED),
        Rejection::AlreadyCreated => Problem::new(&types::TICKET_EXISTS),
        Rejection::Closed => Problem::new(&types::TICKET_CLOSED),
        Rejection::WrongStatus { .. } => Problem::new(&types::WRONG_STATUS),
        Rejection::WrongType { .. } => Problem::new(&types::WRONG_TYPE),
        Rejection::AlreadyRated => Problem::new(&types::ALREADY_RATED),
        Rejection::NotInWorkflow { .. } => Problem::new(&types::NOT_IN_WORKFLOW),
        Rejection::SupportExpired { .. } => Problem::new(&types::SUPPORT_PERIOD_EXPIRED),
        Rejection::OrganisationArchived => Problem::new(&types::ORGANISATION_ARCHIVED),
    };
    let problem = problem.detail(sentence(rejection));
    match ticket {
        Some(ticket) => problem
            .with(
                "allowed_commands",
                names(&allowed_commands(&ticket.standing(), workflow, actor)),
            )
            .with("ticket_status", ticket.status.as_str()),
        None => problem,
    }
}

fn names(commands: &[CommandName]) -> Vec<&'static str> {
    commands.iter().map(|command| command.as_str()).collect()
}

/// A rejection's fragment as a sentence.
fn sentence(rejection: &Rejection) -> String {
    let fragment = rejection.to_string();
    let mut characters = fragment.chars();
    let first: String = characters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
