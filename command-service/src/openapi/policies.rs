//! The routes of policies.

use domain::catalogue::Catalogue;
use domain::sla::{ACTIONS_MAX, Delivery, Notified, TargetKind};
use domain::text::Label;
use domain::ticket::Status;
use serde_json::json;
use service_kit::openapi::schema::{
    Property, Shape, any_of, array, array_up_to, boolean, integer, integer_from, names, nullable, object, open_object,
    optional, reference, required, string, text, uuid,
};
use service_kit::openapi::{Api, Operation, json as json_body, path};
use service_kit::problem::types;
use utoipa::openapi::Required;

use super::routes::{POSITION, PROBLEMS, REPLAYED, etag, headers, idempotency_key, position};

const TAG: &str = "policies";

/// Adds them, and what they take and answer.
pub(super) fn with_policies(api: Api) -> Api {
    api.schema("Policy", object(definition()))
        .schema("PolicyWritten", open_object(written()))
        .schema("PolicyScope", scope())
        .schema("PolicyTarget", target())
        .schema("BreachAction", action())
        .schema("TimeAllowed", time_allowed())
        .post("/v1/policies", create())
        .put("/v1/policies/{id}", replace())
}

fn create() -> Operation {
    writing("createPolicy", "Create a policy")
        .parameters([idempotency_key()])
        .body(Required::True, json_body(reference("Policy")).example(example()))
        .answer(
            201,
            "It is kept, and applies to what is opened from now on.",
            json_body(reference("PolicyWritten")),
        )
        .answers_with("Location", "The policy.", &string())
        .answers_with("ETag", "The policy's revision.", &etag())
        .answers_with("Commit-Position", POSITION, &position())
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
}

fn replace() -> Operation {
    writing("replacePolicy", "Write a policy anew")
        .about("A new version; those before are kept, and what runs by them goes on. One like the last makes none.")
        .parameters([path("id", "The policy's id.", uuid())])
        .parameters(headers())
        .body(Required::True, json_body(reference("Policy")).example(example()))
        .answer(200, "It is kept.", json_body(reference("PolicyWritten")))
        .answers_with("ETag", "The policy's revision.", &etag())
        .answers_with("Commit-Position", POSITION, &position())
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
        .problems(&[&types::POLICY_NOT_FOUND])
}

fn writing(id: &str, summary: &str) -> Operation {
    Operation::new(id, TAG, summary)
        .for_callers()
        .problems(&PROBLEMS)
        .problems(&[&types::POLICY_SCOPE_TAKEN])
}

fn example() -> serde_json::Value {
    json!({
        "name": "Critical outages", "scope": { "type": "outage", "priority": "critical" },
        "targets": {
            "first_response": { "within": { "elapsed": "PT30M" } },
            "resolution": { "within": { "elapsed": "PT8H" }, "paused_in": ["waiting_for_info"] }
        }
    })
}

fn definition() -> Vec<Property> {
    let targets = object(TargetKind::ALL.map(|kind| optional(kind.as_str(), "", nullable(reference("PolicyTarget")))));
    let wait = |about: &str, name: &str| optional(name, about, nullable(reference("TimeAllowed")));
    vec![
        required("name", "", text(Label::CHARACTERS_MAX)),
        optional("in_force", "Whether it applies; true if left out.", nullable(boolean())),
        optional(
            "scope",
            "Which tickets it is for; all, if left out.",
            nullable(reference("PolicyScope")),
        ),
        optional(
            "calendar",
            "Whose hours are working time; all hours, if left out.",
            nullable(uuid()),
        ),
        optional("targets", "What is promised.", nullable(targets)),
        wait("How long an answer may take; for ever, if left out.", "information"),
        wait(
            "How long the requester's side may object to closing; for ever, if left out.",
            "closure",
        ),
        optional(
            "reply_resumes",
            "Whether a reply puts a waiting ticket back into work; true if left out.",
            nullable(boolean()),
        ),
    ]
}

fn scope() -> Shape {
    let catalogue = Catalogue::default();
    object([
        optional("organisation", "", nullable(uuid())),
        optional("service", "", nullable(text(Label::CHARACTERS_MAX))),
        optional("type", "", nullable(names(catalogue.type_codes()))),
        optional("priority", "", nullable(names(catalogue.priority_codes()))),
    ])
}

fn target() -> Shape {
    let open = Status::ALL.into_iter().filter(|status| status.is_open());
    object([
        required("within", "", reference("TimeAllowed")),
        optional(
            "paused_in",
            "Statuses in which its clock stands still.",
            nullable(array(names(open.map(Status::as_str)))),
        ),
        optional(
            "warn_percent",
            "Warns after so much of the time; 80 if left out, never if null.",
            nullable(integer(1..=99)),
        ),
        optional(
            "on_breach",
            "What happens on a breach besides its event.",
            nullable(array_up_to(ACTIONS_MAX, reference("BreachAction"))),
        ),
    ])
}

fn action() -> Shape {
    let catalogue = Catalogue::default();
    any_of([
        object([
            required("action", "", names(["raise_priority"])),
            required("priority", "At least this.", names(catalogue.priority_codes())),
        ]),
        object([
            required("action", "", names(["reassign"])),
            required("group", "Who gets the ticket.", uuid()),
        ]),
        object([
            required("action", "", names(["notify"])),
            required("whom", "", names(Notified::ALL.map(Notified::as_str))),
            optional(
                "delivery",
                "`at_once` if left out.",
                nullable(names(Delivery::ALL.map(Delivery::as_str))),
            ),
        ]),
    ])
}

fn time_allowed() -> Shape {
    any_of([
        object([required(
            "working",
            "Working time of the calendar, such as `PT40H`.",
            string(),
        )]),
        object([required("elapsed", "Time by the clock, such as `PT24H`.", string())]),
    ])
}

fn written() -> Vec<Property> {
    vec![
        required("id", "", uuid()),
        required("name", "", string()),
        required("version", "Counted from 1.", integer_from(1)),
        required("revision", "The same.", integer_from(1)),
        required("in_force", "", boolean()),
    ]
}
