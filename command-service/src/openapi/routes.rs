//! The service's routes, and those of tickets.

use domain::text::{Body, Label, Subject};
use domain::ticket::{CommandName, Status, Visibility, rule_in_words};
use serde_json::json;
use service_kit::openapi::schema::{
    Property, Shape, all_of, any_of, array, boolean, code, having, instant, integer, integer_from, map, names,
    nullable, object, open_object, optional, pattern, reference, required, string, text, uuid,
};
use service_kit::openapi::{Api, Operation, Payload, header, json as json_body, path};
use service_kit::problem::{ProblemType, types};
use utoipa::openapi::Required;
use utoipa::openapi::path::Parameter;

use super::{calendars, links, openid, people, policies, sessions, settings, tokens};
use crate::body::{ASSIGNED, CLASSIFIED, CUSTOM_FIELDS_MAX, EDITED, SCORES};
use crate::http::{KEY_CHARACTERS_MAX, NDJSON};
use crate::lines::LINES_MAX;

const TAG: &str = "commands";

/// What any command may meet.
pub(super) const PROBLEMS: [&ProblemType; 13] = [
    &types::MALFORMED_REQUEST,
    &types::NOT_PERMITTED,
    &types::REQUEST_TIMEOUT,
    &types::REVISION_MISMATCH,
    &types::BODY_TOO_LARGE,
    &types::UNSUPPORTED_MEDIA_TYPE,
    &types::INVALID_FIELDS,
    &types::OUT_OF_ORDER,
    &types::IDEMPOTENCY_KEY_REUSED,
    &types::HISTORY_TOO_LONG,
    &types::CONTENDED,
    &types::LOG_UNAVAILABLE,
    &types::OUTCOME_UNKNOWN,
];

/// The service's routes.
pub fn openapi() -> Api {
    let api = Api::new()
        .schema("Reference", named_reference())
        .schema("CustomFields", custom_fields())
        .schema("Created", outcome([]))
        .schema("Outcome", outcome([events()]))
        .schema("BulkLine", bulk_line())
        .schema("BulkResult", bulk_result())
        .post("/v1/tickets", create())
        .post("/v1/commands", bulk());
    let others: [fn(Api) -> Api; 8] = [
        calendars::with_calendars,
        policies::with_policies,
        people::with_people,
        sessions::with_sessions,
        links::with_links,
        openid::with_openid,
        settings::with_settings,
        tokens::with_tokens,
    ];
    let api = others.into_iter().fold(api, |api, with| with(api));
    CommandName::ON_TICKET
        .into_iter()
        .fold(api, |api, name| {
            api.schema(schema_name(name), body(name))
                .post(format!("/v1/tickets/{{id}}/{}", name.as_str()), on_ticket(name))
        })
        .schema(schema_name(CommandName::Create), body(CommandName::Create))
}

fn create() -> Operation {
    let example = json!({ "subject": "The printer smokes", "description": "Second floor.", "type": "outage" });
    Operation::new("createTicket", TAG, "Open a ticket")
        .about(rule_in_words(CommandName::Create))
        .for_callers()
        .parameters([idempotency_key()])
        .body(Required::True, body_of(CommandName::Create).example(example))
        .answer(201, "It is open.", json_body(reference("Created")))
        .answers_with("Location", "The ticket.", &string())
        .answers_with("ETag", "The ticket's revision.", &etag())
        .answers_with("Commit-Position", POSITION, &position())
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
        .problems(&PROBLEMS)
        .problems(&[&types::TICKET_EXISTS])
}

fn on_ticket(name: CommandName) -> Operation {
    Operation::new(operation_id(name), TAG, summary(name))
        .about(rule_in_words(name))
        .for_callers()
        .parameters([path("id", "The ticket's id; its number will not do.", uuid())])
        .parameters(headers())
        .body(need_of_body(name), body_of(name))
        .answer(
            200,
            "Done, or so already: then there are no events and the revision is unchanged.",
            json_body(reference("Outcome")),
        )
        .answers_with("ETag", "The ticket's revision.", &etag())
        .answers_with("Commit-Position", POSITION, &position())
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
        .problems(&PROBLEMS)
        .problems(&[&types::TICKET_NOT_FOUND, &types::TICKET_CLOSED, &types::WRONG_STATUS])
        .problems(&rejections(name))
}

/// Why the rules say no to this command alone.
fn rejections(name: CommandName) -> Vec<&'static ProblemType> {
    match name {
        CommandName::AwaitFix | CommandName::AwaitImplementation => vec![&types::WRONG_TYPE],
        CommandName::Rate => vec![&types::ALREADY_RATED],
        _ => Vec::new(),
    }
}

fn bulk() -> Operation {
    let lines = r#"{"command": "create", "key": "k1", "body": {"subject": "The printer smokes", "description": "Second floor.", "type": "outage"}}
{"command": "accept", "ticket": "$k1", "key": "k2"}
"#;
    let results = r#"{"key":"k1","status":201,"id":"60ac625e-cdcc-52e2-964b-15cbab51693c","number":7,"revision":1,"ticket_status":"new","position":"3:12"}
{"key":"k2","status":200,"id":"60ac625e-cdcc-52e2-964b-15cbab51693c","number":7,"revision":2,"events":["accepted"],"ticket_status":"in_progress","position":"3:13"}
"#;
    Operation::new("giveCommands", TAG, "Give many commands at once")
        .about(format!(
            "At most {LINES_MAX} lines, each a `BulkLine`; one `BulkResult` for each, in the order of input, while the rest is \
             still being read. Lines for one ticket are applied in order; one bad line spoils no other."
        ))
        .for_callers()
        .body(Required::True, Payload::new(NDJSON, string()).example(lines.into()))
        .answer(200, "A `BulkResult` a line.", Payload::new(NDJSON, string()).example(results.into()))
        .problems(&[
            &types::MALFORMED_REQUEST,
            &types::UNSUPPORTED_MEDIA_TYPE,
            &types::LOG_UNAVAILABLE,
        ])
}

fn bulk_line() -> Shape {
    let create = CommandName::Create.as_str();
    object([
        required(
            "command",
            "",
            names(CommandName::ON_TICKET.iter().map(|name| name.as_str()).chain([create])),
        ),
        required("key", "As the header Idempotency-Key.", pattern(&key_pattern())),
        optional(
            "ticket",
            "An id, or `$` and the key of a create, in this request or ever. Not for a create.",
            string(),
        ),
        optional("body", "As of the single request.", nullable(open_object([]))),
    ])
}

fn bulk_result() -> Shape {
    open_object([
        required("key", "The line's key; null if it has none.", nullable(string())),
        required("status", "The HTTP status of the single request.", integer(200..=599)),
        optional("id", "", uuid()),
        optional("number", "", integer_from(1)),
        optional("revision", "", integer_from(1)),
        events(),
        optional("ticket_status", "", statuses()),
        optional("position", POSITION, position()),
        optional("replayed", REPLAYED, boolean()),
        optional(
            "code",
            "The problem's code, with the other members of `Problem`.",
            string(),
        ),
    ])
}

pub(super) const POSITION: &str =
    "The place of the command's record in the log. Send it as Min-Position to read what is at least as new.";

pub(super) const REPLAYED: &str =
    "The command was carried out before, under the same key; this is the same answer again.";

pub(super) fn idempotency_key() -> Parameter {
    header(
        "Idempotency-Key",
        "Makes the command safe to repeat, for ever. Take a new key for each wish.",
        pattern(&key_pattern()),
    )
}

pub(super) fn headers() -> [Parameter; 2] {
    [
        idempotency_key(),
        header(
            "If-Match",
            "The ticket's ETag as the caller knows it; another revision is 412. `*` is any.",
            pattern(r#"^(\*|(W/)?([0-9]{1,19}|"[0-9]{1,19}"))$"#),
        ),
    ]
}

fn key_pattern() -> String {
    format!("^[!-~]{{1,{KEY_CHARACTERS_MAX}}}$")
}

pub(super) fn etag() -> Shape {
    pattern(r#"^"[0-9]+"$"#)
}

pub(super) fn position() -> Shape {
    pattern("^[0-9]+:[0-9]+$")
}

fn statuses() -> Shape {
    names(Status::ALL.into_iter().map(Status::as_str))
}

fn events() -> Property {
    optional(
        "events",
        "What happened, in the order in which it did. Empty if the wish already held.",
        array(string()),
    )
}

fn outcome(more: impl IntoIterator<Item = Property>) -> Shape {
    let common = [
        required("id", "The ticket.", uuid()),
        required("number", "Its number for people.", integer_from(1)),
        required("status", "Its status after the command.", statuses()),
        required("revision", "How many records it has.", integer_from(1)),
    ];
    open_object(common.into_iter().chain(more))
}

/// A command's name for generated clients.
fn operation_id(name: CommandName) -> String {
    let mut id = String::new();
    for (index, word) in name.as_str().split('-').enumerate() {
        id += &if index == 0 { word.to_owned() } else { capitalised(word) };
    }
    id + "Ticket"
}

fn schema_name(name: CommandName) -> String {
    name.as_str().split('-').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

fn body_of(name: CommandName) -> Payload {
    json_body(reference(&schema_name(name)))
}

/// A command all of whose fields are optional needs no body.
fn need_of_body(name: CommandName) -> Required {
    match name {
        CommandName::Accept
        | CommandName::AwaitFix
        | CommandName::AwaitImplementation
        | CommandName::Resume
        | CommandName::Close
        | CommandName::Follow
        | CommandName::Unfollow => Required::False,
        _ => Required::True,
    }
}

/// What a command's body may be. Held against what reads it by a test.
fn body(name: CommandName) -> Shape {
    let properties = fields(name).into_iter().chain(everywhere());
    let body = object(properties);
    match one_of_these(name) {
        [] => body,
        some => all_of([body, any_of(some.iter().map(|name| having(name)))]),
    }
}

/// Of these fields at least one must be there.
fn one_of_these(name: CommandName) -> &'static [&'static str] {
    match name {
        CommandName::Classify => &CLASSIFIED,
        CommandName::Assign => &ASSIGNED,
        CommandName::Edit => &EDITED,
        _ => &[],
    }
}

/// What importers may add to every command, and staff to a create.
fn everywhere() -> [Property; 3] {
    let person = object([
        required("id", "", uuid()),
        optional("name", "", nullable(label())),
        optional(
            "kind",
            "If nothing is said, it follows from the command.",
            nullable(names(["staff", "customer"])),
        ),
        optional("organisation", "", nullable(reference("Reference"))),
    ]);
    [
        optional(
            "on_behalf_of",
            "The person in whose name the command is given: for importers, and on a create for staff.",
            nullable(any_of([uuid(), person])),
        ),
        optional(
            "occurred_at",
            "When it happened, for importers. Not before the ticket's last event.",
            nullable(instant()),
        ),
        optional(
            "honour_deadlines",
            "For importers: waits count from occurred_at instead of from now.",
            nullable(boolean()),
        ),
    ]
}

fn label() -> Shape {
    text(Label::CHARACTERS_MAX)
}

fn words() -> Shape {
    text(Body::CHARACTERS_MAX)
}

fn named_reference() -> Shape {
    any_of([
        uuid(),
        object([
            required("id", "", uuid()),
            optional(
                "name",
                "Is kept in the directory; for staff and importers.",
                nullable(label()),
            ),
        ]),
    ])
}

fn custom_fields() -> Shape {
    let value = any_of([label(), integer(i64::MIN..=i64::MAX), boolean()]);
    map(CUSTOM_FIELDS_MAX, label(), value)
}

fn fields(name: CommandName) -> Vec<Property> {
    let types = code;
    let priorities = code;
    let cleared = |name, about| optional(name, about, nullable(label()));
    match name {
        CommandName::Create => vec![
            required(
                "subject",
                "One line that says what it is about.",
                text(Subject::CHARACTERS_MAX),
            ),
            required("description", "", words()),
            required("type", "", types()),
            optional(
                "priority",
                "If nothing is said, it follows from the type.",
                nullable(priorities()),
            ),
            cleared("category", ""),
            cleared("system", ""),
            cleared("environment", ""),
            cleared("service", ""),
            cleared(
                "product",
                "Of those in use; customers choose among what their organisation has bought.",
            ),
            cleared("platform_version", ""),
            optional("custom_fields", "", nullable(reference("CustomFields"))),
            optional(
                "project",
                "For staff, and customers who follow it; not an archived one.",
                nullable(uuid()),
            ),
        ],
        CommandName::Accept => vec![optional(
            "assignee",
            "Who works on it; the caller if nobody is named.",
            nullable(reference("Reference")),
        )],
        CommandName::RequestInfo => vec![required("comment", "The question.", words())],
        CommandName::ProvideInfo => vec![required("comment", "The answer.", words())],
        CommandName::AwaitFix | CommandName::AwaitImplementation => vec![
            optional("comment", "", nullable(words())),
            cleared("reference", "Where the work is tracked."),
        ],
        CommandName::Resume => vec![optional("comment", "", nullable(words()))],
        CommandName::ProposeClosure => vec![required("solution", "", words())],
        CommandName::Close => vec![
            optional("comment", "", nullable(words())),
            optional("reason", "Needed where nobody proposed the closure.", nullable(words())),
        ],
        CommandName::Reopen => vec![required("comment", "Why.", words())],
        CommandName::Rate => vec![
            required("score", "", integer((*SCORES.start()).into()..=(*SCORES.end()).into())),
            optional("comment", "", nullable(words())),
        ],
        CommandName::Comment => vec![
            required("body", "", words()),
            required(
                "visibility",
                "Who sees it: everybody who sees the ticket, or staff alone.",
                names([Visibility::Public, Visibility::Internal].map(Visibility::as_str)),
            ),
        ],
        CommandName::Classify => vec![
            optional("type", "", types()),
            optional("priority", "", priorities()),
            cleared("category", CLEARED),
            cleared("system", CLEARED),
            cleared("environment", CLEARED),
            cleared("service", CLEARED),
            cleared("product", CLEARED),
            optional("project", "Null for none; not an archived one.", nullable(uuid())),
        ],
        CommandName::Assign => vec![
            optional("assignee", "Null for nobody.", nullable(reference("Reference"))),
            optional("group", "Null for none.", nullable(reference("Reference"))),
        ],
        CommandName::Edit => vec![
            optional("subject", "", text(Subject::CHARACTERS_MAX)),
            optional("description", "", words()),
            optional(
                "custom_fields",
                "Replaces all of them.",
                nullable(reference("CustomFields")),
            ),
            cleared("platform_version", CLEARED),
        ],
        CommandName::Follow | CommandName::Unfollow => vec![optional(
            "user",
            "Who; the caller if nobody is named. Somebody else: for staff.",
            nullable(reference("Reference")),
        )],
        // The scheduler's commands have no route.
        CommandName::ExpireInformationWait
        | CommandName::ExpireClosureWait
        | CommandName::FireTimer
        | CommandName::ReEvaluate => Vec::new(),
    }
}

const CLEARED: &str = "Null clears it.";

fn summary(name: CommandName) -> &'static str {
    match name {
        CommandName::Create => "Open a ticket",
        CommandName::Accept => "Take a ticket into work",
        CommandName::RequestInfo => "Ask the requester's side a question",
        CommandName::ProvideInfo => "Answer the question",
        CommandName::AwaitFix => "Wait for a correction",
        CommandName::AwaitImplementation => "Wait for a feature",
        CommandName::Resume => "Go on working",
        CommandName::ProposeClosure => "Propose a solution",
        CommandName::Close => "Close a ticket",
        CommandName::Reopen => "Reopen a ticket, or decline its closure",
        CommandName::Rate => "Rate how it was closed",
        CommandName::Comment => "Add a comment",
        CommandName::Classify => "Change type, priority, category, system, environment, service, product or project",
        CommandName::Assign => "Give a ticket to a person or a group",
        CommandName::Edit => "Correct subject, description or fields",
        CommandName::Follow => "Hear of a ticket",
        CommandName::Unfollow => "Hear of it no more",
        CommandName::ExpireInformationWait
        | CommandName::ExpireClosureWait
        | CommandName::FireTimer
        | CommandName::ReEvaluate => "Not for callers",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::catalogue::Catalogue;
    use serde_json::{Map, Value};

    use super::*;
    use crate::body::read;

    #[test]
    fn every_field_that_a_command_takes_is_described_and_every_described_one_is_taken() {
        for name in CommandName::ON_TICKET.into_iter().chain([CommandName::Create]) {
            let body: Map<String, Value> = [("no_such_field".to_owned(), true.into())].into_iter().collect();
            let problem = read(name, &body, &Catalogue::default(), None).unwrap_err();
            let refused = problem
                .errors
                .iter()
                .find(|error| error.pointer == "/no_such_field")
                .unwrap();
            // "is not a field of this command; it takes comment, reason"
            let taken = refused.detail.split_once("it takes ").unwrap().1;
            let properties = fields(name).into_iter().chain(everywhere());
            let described: BTreeSet<String> = properties.map(|property| property.name().to_owned()).collect();
            assert_eq!(
                taken.split(", ").map(str::to_owned).collect::<BTreeSet<_>>(),
                described,
                "{name:?}"
            );
        }
    }
}
