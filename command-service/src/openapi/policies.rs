//! The routes of policies.

use domain::sla::{ACTIONS_MAX, ClockState, Counting, Delivery, Notified, TargetKind};
use domain::text::Label;
use domain::ticket::Status;
use domain::workflow::Workflow;
use serde_json::json;
use service_kit::openapi::schema::{
    Property, Shape, any_of, array, array_up_to, boolean, code, instant, integer, integer_from, names, nullable,
    object, open_object, optional, reference, required, string, text, uuid,
};
use service_kit::openapi::{Api, Operation, json as json_body, path};
use service_kit::problem::types;
use utoipa::openapi::Required;

use crate::http::NAMED_MAX;

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
        .schema("Rehearsed", object(rehearsed()))
        .schema("ReEvaluated", object(re_evaluated()))
        .schema("ClockMoved", object(clock_moved()))
        .schema("ClockTerms", object(clock_terms()))
        .schema("ContractWritten", open_object(contract_written()))
        .schema("UserContractWritten", open_object(user_contract_written()))
        .put("/v1/organisations/{id}/contract", agree_with_organisation())
        .put("/v1/users/{id}/contract", agree_with_user())
        .post("/v1/policies", create())
        .put("/v1/policies/{id}", replace())
        .post("/v1/policies/{id}/re-evaluate", re_evaluate())
        .post("/v1/policies/rehearse", rehearse())
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

fn agree_with_organisation() -> Operation {
    let workflow = required("workflow", "", names(Workflow::ALL.map(|workflow| workflow.name)));
    let contract = object([workflow, support_from(), support_until(optional)]);
    let example = json!({ "workflow": "cabinet", "support_until": "2027-01-01" });
    let operation = Operation::new("agreeUponContract", TAG, "Agree upon how an organisation is supported")
        .about(
            "From now on its tickets take the commands of the workflow, and new ones are opened from `support_from` until \
             `support_until`. A new version; one like the last makes none.",
        )
        .parameters([path("id", "The organisation's id.", uuid())])
        .body(Required::True, json_body(contract).example(example))
        .answer(200, "It holds.", json_body(reference("ContractWritten")));
    agreeing(operation)
}

fn agree_with_user() -> Operation {
    let example = json!({ "support_from": "2026-01-01", "support_until": "2027-01-01" });
    let operation = Operation::new("agreeUponUserContract", TAG, "Agree upon when a user is supported")
        .about(
            "From now on new tickets are opened by the user, or on the user's behalf, from `support_from` until `support_until`, \
             and as the organisation's contract says. A new version; one like the last makes none.",
        )
        .parameters([path("id", "The user's id.", uuid())])
        .body(Required::True, json_body(object([support_from(), support_until(required)])).example(example))
        .answer(200, "It holds.", json_body(reference("UserContractWritten")));
    agreeing(operation)
}

fn support_from() -> Property {
    optional(
        "support_from",
        "An instant, or a date in UTC; always, if left out.",
        nullable(string()),
    )
}

fn support_until(presence: fn(&str, &str, Shape) -> Property) -> Property {
    presence(
        "support_until",
        "The first instant without support; null: never.",
        nullable(string()),
    )
}

fn agreeing(operation: Operation) -> Operation {
    operation
        .for_callers()
        .parameters(headers())
        .answers_with("ETag", "The contract's revision.", &etag())
        .answers_with("Commit-Position", POSITION, &position())
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
        .problems(&PROBLEMS)
        .problems(&[&types::NOT_FOUND])
}

fn contract_written() -> Vec<Property> {
    let mut properties = vec![required("organisation", "", uuid()), required("workflow", "", string())];
    properties.extend(version_agreed());
    properties
}

fn user_contract_written() -> Vec<Property> {
    let mut properties = vec![required("user", "", uuid())];
    properties.extend(version_agreed());
    properties
}

fn version_agreed() -> [Property; 4] {
    [
        required("version", "Counted from 1.", integer_from(1)),
        required("revision", "The same.", integer_from(1)),
        required("support_from", "", nullable(instant())),
        required("support_until", "", nullable(instant())),
    ]
}

fn re_evaluate() -> Operation {
    Operation::new("reEvaluatePolicy", TAG, "Put running clocks under the policies and calendars of today")
        .about(
            "Concerns the tickets that run by the policy, in whichever version, and those that it applies to now. With \
             `preview` nothing is changed, and the answer is what would be. Reads the whole log, so that there is one \
             such request at a time. Repeated with the same key it does what is left, and answers with all that it did.",
        )
        .for_callers()
        .parameters([path("id", "The policy's id.", uuid()), idempotency_key()])
        .body(Required::False, json_body(object(asked())).example(json!({ "preview": true })))
        .answer(200, "The clocks that move.", json_body(reference("ReEvaluated")))
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
        .problems(&PROBLEMS)
        .problems(&[&types::POLICY_NOT_FOUND])
}

fn rehearse() -> Operation {
    Operation::new("rehearsePolicy", TAG, "What would have become of the desk's history under a draft")
        .about(
            "Changes nothing. The draft takes the place of the policy in force for the same tickets; all others stay. Reads \
             the whole log, so that there is one such request at a time.",
        )
        .for_callers()
        .parameters([idempotency_key()])
        .body(Required::True, json_body(object(rehearsal())).example(json!({ "policy": example() })))
        .answer(200, "What happened, beside what would have.", json_body(reference("Rehearsed")))
        .problems(&PROBLEMS)
}

fn rehearsal() -> Vec<Property> {
    vec![
        required("policy", "The draft.", reference("Policy")),
        optional(
            "calendar",
            "Hours to count by, in place of those of the calendar that the policy names.",
            nullable(reference("Calendar")),
        ),
        optional(
            "from",
            "Only tickets created at or after this instant, or date in UTC.",
            nullable(string()),
        ),
        optional(
            "to",
            "Only tickets created before this instant, or date in UTC.",
            nullable(string()),
        ),
        optional(
            "limit",
            "How many tickets that differ are named; 100 if left out.",
            nullable(integer(0..=i64::from(NAMED_MAX))),
        ),
    ]
}

fn rehearsed() -> Vec<Property> {
    let tally = || object(ClockState::ALL.map(|state| required(state.as_str(), "", integer_from(0))));
    let compared = || {
        object([
            required("then", "As recorded.", tally()),
            required("now", "Under the draft.", tally()),
        ])
    };
    let targets = || object(TargetKind::ALL.map(|kind| optional(kind.as_str(), "", compared())));
    let group = |name: &'static str, shape: Shape| {
        array(object([required(name, "", shape), required("targets", "", targets())]))
    };
    let outcome = || {
        nullable(object([
            required("state", "", names(ClockState::ALL.map(ClockState::as_str))),
            required("due_at", "", nullable(instant())),
            required("breached_at", "", nullable(instant())),
            required("ended_at", "", nullable(instant())),
        ]))
    };
    let clock = object([
        required("target", "", names(TargetKind::ALL.map(TargetKind::as_str))),
        required("number", "", integer_from(1)),
        required("then", "Null: it was not promised.", outcome()),
        required("now", "Null: it is not promised.", outcome()),
    ]);
    let ticket = object([
        required("id", "", uuid()),
        required("number", "", integer_from(1)),
        required("clocks", "Those that come out otherwise.", array(clock)),
    ]);
    vec![
        required("from", "", nullable(instant())),
        required("to", "", nullable(instant())),
        required("until", "The present, in which open clocks stand.", instant()),
        required("tickets", "How many were looked at.", integer_from(0)),
        required("targets", "All of them.", targets()),
        required(
            "by_month",
            "By the month in UTC in which they were created.",
            group("month", string()),
        ),
        required(
            "by_priority",
            "By their priority in the end.",
            group("priority", string()),
        ),
        required(
            "by_group",
            "By the group that has them in the end.",
            group("group", nullable(uuid())),
        ),
        required(
            "differing",
            "How many have clocks that come out otherwise.",
            integer_from(0),
        ),
        required("differing_tickets", "The first of them by number.", array(ticket)),
    ]
}

fn asked() -> Vec<Property> {
    vec![
        optional(
            "preview",
            "Whether to change nothing; false if left out.",
            nullable(boolean()),
        ),
        optional(
            "counting",
            "Whether what has elapsed stays as it was counted, as if nothing is said, or is counted again from the start.",
            nullable(countings()),
        ),
    ]
}

fn countings() -> Shape {
    names([Counting::Kept, Counting::Afresh].map(Counting::as_str))
}

fn re_evaluated() -> Vec<Property> {
    vec![
        required("policy", "", uuid()),
        required("preview", "", boolean()),
        required("counting", "", countings()),
        required("tickets", "How many tickets have clocks that move.", integer_from(0)),
        required(
            "changes",
            "The clocks, by the tickets' numbers.",
            array(reference("ClockMoved")),
        ),
    ]
}

fn clock_moved() -> Vec<Property> {
    let ticket = object([required("id", "", uuid()), required("number", "", integer_from(1))]);
    vec![
        required("ticket", "", ticket),
        required("target", "", names(TargetKind::ALL.map(TargetKind::as_str))),
        required(
            "number",
            "Which of the ticket's clocks for that target.",
            integer_from(1),
        ),
        required(
            "from",
            "By what it ran; null: it did not.",
            nullable(reference("ClockTerms")),
        ),
        required(
            "to",
            "By what it runs; null: it does not any more.",
            nullable(reference("ClockTerms")),
        ),
    ]
}

fn clock_terms() -> Vec<Property> {
    vec![
        required("policy", "", string()),
        required("policy_version", "", integer_from(1)),
        required("calendar", "", string()),
        required("calendar_version", "", integer_from(1)),
        required("within", "The time allowed, such as `PT4H`.", string()),
        required(
            "due_at",
            "Null while it stands still with time left.",
            nullable(instant()),
        ),
    ]
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
    object([
        optional("organisation", "", nullable(uuid())),
        optional("service", "", nullable(text(Label::CHARACTERS_MAX))),
        optional("type", "", nullable(code())),
        optional("priority", "", nullable(code())),
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
    any_of([
        object([
            required("action", "", names(["raise_priority"])),
            required("priority", "At least this.", code()),
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
