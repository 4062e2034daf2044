//! What callers may ask and what they are answered, for the OpenAPI document.

use domain::actor::ActorKind;
use domain::catalogue::Catalogue;
use domain::text::{Body, Label, Subject};
use domain::ticket::{CommandName, Status, Visibility};
use service_kit::openapi::schema::{
    Property, Shape, all_of, any_of, array, array_up_to, boolean, date, instant, integer, integer_from, names,
    nullable, opaque, open_object, optional, pattern, reference, required, string, text, uuid,
};
use service_kit::openapi::{Api, Operation, header, json, path, query};
use service_kit::problem::types;
use utoipa::openapi::path::{Parameter, ParameterStyle};

use crate::cursor;
use crate::dashboard::Dashboard;
use crate::page::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::params::VALUES_MAX;
use crate::positions::{WAIT_DEFAULT, WAIT_MAX};
use crate::projections::Standing;
use crate::tickets::item::Field;
use crate::tickets::sort::Sort;
use crate::tickets::view::View;

const TAG: &str = "queries";

/// The service's routes.
pub fn openapi() -> Api {
    Api::new()
        .schema("Named", open_object([required("id", "", uuid()), name_of("")]))
        .schema(
            "ListedTicket",
            open_object(Field::ALL.map(|field| optional(field.as_str(), "", shape(field)))),
        )
        .schema("Ticket", ticket())
        .schema("Wait", wait())
        .schema("TimelineEvent", timeline_event())
        .schema_of::<Dashboard>()
        .schema_of::<Standing>()
        .get("/v1/tickets", list())
        .get("/v1/tickets/{id}", one())
        .get("/v1/tickets/{id}/timeline", timeline())
        .get("/v1/dashboard", dashboard())
        .get("/v1/projections", projections())
}

fn list() -> Operation {
    reading("listTickets", "List tickets")
        .about("Only tickets that the caller may see. Each filter may be repeated for \"any of\"; together they are \"and\".")
        .parameters(selection())
        .parameters([
            query("sort", "With `-` for descending.", names(Sort::ALL.map(Sort::as_str))),
            comma_separated(query(
                "fields",
                "Which columns; all of them if none is named.",
                array_up_to(VALUES_MAX, names(Field::ALL.map(Field::as_str))),
            )),
            query("count", "`exact` adds `total`.", names(["exact"])),
        ])
        .parameters(paging())
        .answer(200, "A page.", json(page(reference("ListedTicket"))))
        .answers_with("Link", "The next page, if there is one: `<…>; rel=\"next\"`.", &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::NOT_PERMITTED, &types::INVALID_FIELDS])
}

/// Which tickets.
fn selection() -> Vec<Parameter> {
    let catalogue = Catalogue::default();
    let any = |name, about, shape| query(name, about, array_up_to(VALUES_MAX, shape));
    let label = || text(Label::CHARACTERS_MAX);
    let nobody = any_of([uuid(), names(["none"])]);
    vec![
        query(
            "view",
            "Which of the tickets that the caller may see.",
            names(View::ALL.map(View::as_str)),
        ),
        any("status", "", statuses()),
        any("type", "", names(catalogue.type_codes())),
        any("priority", "", names(catalogue.priority_codes())),
        any("category", "", label()),
        any("system", "", label()),
        any("environment", "", label()),
        any("service", "", label()),
        any("platform_version", "", label()),
        any("requester", "", uuid()),
        any("organisation", "", uuid()),
        any("assignee", "`none` for tickets that nobody works on.", nobody),
        any("group", "", uuid()),
        any("number", "", integer_from(1)),
        query("created_from", "Created then or later.", time()),
        query("created_to", "Created before that.", time()),
        query("updated_from", "Changed then or later.", time()),
        query("updated_to", "Last changed before that.", time()),
    ]
}

fn one() -> Operation {
    reading("getTicket", "One ticket")
        .parameters([id()])
        .answer(200, "The ticket.", json(reference("Ticket")))
        .answers_with(
            "ETag",
            "The ticket's revision, for If-Match.",
            &pattern(r#"^"[0-9]+"$"#),
        )
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::TICKET_NOT_FOUND])
}

fn timeline() -> Operation {
    reading("getTimeline", "What happened to a ticket, newest last")
        .parameters([id()])
        .parameters(paging())
        .answer(200, "A page.", json(page(reference("TimelineEvent"))))
        .answers_with(
            "Link",
            "The next page, if there is one: `<…>; rel=\"next\"`.",
            &string(),
        )
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::TICKET_NOT_FOUND, &types::INVALID_FIELDS])
}

fn dashboard() -> Operation {
    reading("getDashboard", "Counts within what the caller may see")
        .parameters([
            query("from", "The first day in UTC.", time()),
            query("to", "The last day in UTC.", time()),
        ])
        .answer(200, "The figures.", json(reference("Dashboard")))
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::INVALID_FIELDS])
}

fn projections() -> Operation {
    reading("listProjections", "How the projections are doing, for staff")
        .answer(200, "All of them.", json(page(reference("Projection"))))
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::NOT_PERMITTED])
}

/// A route that reads the read models: every one takes a token, may wait for a position, and refuses parameters that
/// it does not know.
fn reading(id: &str, summary: &str) -> Operation {
    Operation::new(id, TAG, summary)
        .for_callers()
        .parameters([
            header(
                "Min-Position",
                "Waits until the read models include these records, such as a command's Commit-Position.",
                pattern("^[0-9]{1,4}:[0-9]{1,19}(,[0-9]{1,4}:[0-9]{1,19})*$"),
            ),
            header(
                "Max-Wait-Ms",
                &format!(
                    "How long to wait for Min-Position; {} if nothing is said.",
                    WAIT_DEFAULT.as_millis()
                ),
                integer(0..=i64::try_from(WAIT_MAX.as_millis()).unwrap_or(i64::MAX)),
            ),
        ])
        .problems(&[
            &types::MALFORMED_REQUEST,
            &types::READ_MODEL_BEHIND,
            &types::READ_MODEL_UNAVAILABLE,
        ])
}

const READ_POSITION: &str = "The last record of each partition that is in the answer.";

fn positions() -> Shape {
    pattern("^([0-9]+:[0-9]+(,[0-9]+:[0-9]+)*)?$")
}

fn id() -> Parameter {
    path(
        "id",
        "The ticket's id or its number.",
        any_of([uuid(), integer_from(1)]),
    )
}

fn paging() -> [Parameter; 2] {
    [
        query(
            "limit",
            &format!("The page's size; {LIMIT_DEFAULT} if nothing is said."),
            integer(1..=LIMIT_MAX.into()),
        ),
        query(
            "cursor",
            "Where the page begins: next_cursor of the one before.",
            opaque(cursor::LENGTH_MAX),
        ),
    ]
}

/// A list in one value, besides the parameter repeated.
fn comma_separated(mut parameter: Parameter) -> Parameter {
    parameter.style = Some(ParameterStyle::Form);
    parameter.explode = Some(false);
    parameter
}

fn page(items: Shape) -> Shape {
    open_object([
        required("items", "", array(items)),
        required("next_cursor", "Null on the last page.", nullable(string())),
        optional(
            "total",
            "How many there are on all pages, with `count=exact`.",
            integer_from(0),
        ),
    ])
}

/// An instant, or a date for its beginning in UTC.
fn time() -> Shape {
    any_of([instant(), date()])
}

fn statuses() -> Shape {
    names(Status::ALL.map(Status::as_str))
}

fn name_of(about: &str) -> Property {
    required("name", about, nullable(string()))
}

fn named() -> Shape {
    reference("Named")
}

fn label() -> Shape {
    nullable(text(Label::CHARACTERS_MAX))
}

/// A column's values.
fn shape(field: Field) -> Shape {
    match field {
        Field::Id => uuid(),
        Field::Number | Field::Revision => integer_from(1),
        Field::Subject => text(Subject::CHARACTERS_MAX),
        Field::Status => statuses(),
        Field::Type | Field::Priority => string(),
        Field::Category | Field::System | Field::Environment | Field::Service | Field::PlatformVersion => label(),
        Field::Requester => named(),
        Field::Organisation | Field::Group | Field::Assignee => nullable(named()),
        Field::CreatedAt | Field::UpdatedAt => instant(),
        Field::DueAt => nullable(instant()),
        Field::Overdue => boolean(),
        Field::Rating => nullable(integer(1..=5)),
    }
}

fn ticket() -> Shape {
    let listed = Field::ALL.map(|field| required(field.as_str(), "", shape(field)));
    let more = [
        required("description", "", text(Body::CHARACTERS_MAX)),
        required("custom_fields", "", open_object([])),
        required("closed_at", "", nullable(instant())),
        required("followers", "", array(named())),
        required("sla", "The wait that runs, if one does.", nullable(reference("Wait"))),
        required(
            "allowed_commands",
            "What the caller may do now.",
            array(names(CommandName::ON_TICKET.map(CommandName::as_str))),
        ),
    ];
    open_object(listed.into_iter().chain(more))
}

fn wait() -> Shape {
    open_object([
        required("wait", "What for.", names(["information", "closure"])),
        required("number", "Which of the ticket's waits.", integer_from(1)),
        required("due_at", "", instant()),
        required("overdue", "", boolean()),
        required("policy", "The policy that it was begun under.", nullable(string())),
    ])
}

fn timeline_event() -> Shape {
    let kinds = [ActorKind::Staff, ActorKind::Customer, ActorKind::System];
    let actor = all_of([
        named(),
        open_object([required("kind", "", names(kinds.map(ActorKind::as_str)))]),
    ]);
    open_object([
        required("revision", "The record that it is in.", integer_from(1)),
        required("event", "", string()),
        required("status", "The ticket's status after it.", statuses()),
        required("actor", "", actor),
        required("via", "The importer, if one brought it.", nullable(named())),
        required("occurred_at", "When it happened.", instant()),
        required("recorded_at", "When the log took it.", instant()),
        required(
            "visibility",
            "",
            names([Visibility::Public, Visibility::Internal].map(Visibility::as_str)),
        ),
        required(
            "details",
            "Its own fields, named as in the command; a correction has from and to.",
            open_object([]),
        ),
    ])
}
