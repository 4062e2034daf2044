//! What callers may ask and what they are answered, for the OpenAPI document.

use std::borrow::Cow;

use domain::actor::{ActorKind, Category};
use domain::contract::Support;
use domain::sla::{ClockState, PartKind};
use domain::text::{Label, Subject};
use domain::ticket::{CommandName, Status, Visibility};
use domain::token_scope::TokenScope;
use domain::workflow::Workflow;
use service_kit::openapi::people::{language, permission, staff_scope};
use service_kit::openapi::schema::{
    Property, Shape, all_of, any_of, array, array_up_to, boolean, code, date, instant, integer, integer_from, names,
    nullable, opaque, open_object, optional, pattern, reference, required, string, text, uuid,
};
use service_kit::openapi::{Api, Operation, Payload, header, json, path, query};
use service_kit::problem::types;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterStyle};
use utoipa::{PartialSchema, ToSchema};

use crate::cursor;
use crate::dashboard::answer::Dashboard;
use crate::dashboard::ask::Grouping;
use crate::feed::page::Page as EventPage;
use crate::feed::schema::SCHEMA_JSON;
use crate::feed::stream::EVENT_STREAM;
use crate::feed::{described, page as feed};
use crate::names::Named;
use crate::page::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::params::VALUES_MAX;
use crate::positions::{WAIT_DEFAULT, WAIT_MAX};
use crate::projections::Standing;
use crate::tickets::export::format::Format;
use crate::tickets::filter::{NOT_OVERDUE, OVERDUE, SCORES};
use crate::tickets::item::{Field, Item};
use crate::tickets::one::Whole;
use crate::tickets::sort::Sort;
use crate::tickets::view::View;
use crate::tickets::{search, sla, timeline};
use crate::{openapi_people, openapi_versions};

const TAG: &str = "queries";

/// The service's routes.
pub fn openapi() -> Api {
    let api = Api::new()
        .schema("ListedTicket", open_object(columns(optional)))
        .schema_of::<Whole<'static>>()
        .schema_of::<timeline::Item>()
        .schema_of::<sla::Promises>()
        .schema_of::<Named>()
        .schema_of::<Dashboard>()
        .schema_of::<EventPage>()
        .schema_of::<Standing>()
        .get("/v1/tickets", list())
        .get("/v1/tickets/export", export())
        .get("/v1/tickets/{id}", one())
        .get("/v1/tickets/{id}/timeline", happened())
        .get("/v1/tickets/{id}/sla", promised())
        .get("/v1/dashboard", dashboard())
        .get("/v1/events", events())
        .get("/v1/schemas/{name}", schema())
        .get("/v1/projections", projections());
    described::with_events(openapi_people::with_people(openapi_versions::with_versions(api)))
}

fn list() -> Operation {
    reading("listTickets", "List tickets")
        .about(
            "Only tickets that the caller may see. Each filter may be repeated for \"any of\"; together they are \"and\". \
             A cursor belongs to the sort that made it.",
        )
        .parameters(selection())
        .parameters([query("count", "`exact` adds `total`.", names(["exact"]))])
        .parameters(paging())
        .answer(200, "A page.", json(page(reference("ListedTicket"))))
        .answers_with("Link", NEXT_PAGE, &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::NOT_PERMITTED, &types::INVALID_FIELDS])
}

fn export() -> Operation {
    let format = required_query("format", "What the file is.", names(Format::ALL.map(Format::as_str)));
    let operation = reading("exportTickets", "The list as a file")
        .about(
            "Every ticket that the caller may see and that the parameters select, as they were when the export began. What \
             goes wrong after the first row breaks the connection: a file whose answer ended in order is whole.",
        )
        .parameters([
            format,
            query(
                "lang",
                "The language of the titles in `csv` and `xlsx`; `en` if nothing is said.",
                language(),
            ),
        ])
        .parameters(selection());
    let with_files = Format::ALL.into_iter().fold(operation, |operation, format| {
        operation.answer(200, "The file.", file(format))
    });
    with_files
        .answers_with("Content-Disposition", "How the file may be called.", &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::NOT_PERMITTED, &types::INVALID_FIELDS])
}

/// A file of that format. Whether it is text in UTF-8 is not the document's to say.
fn file(format: Format) -> Payload {
    let (essence, _) = format
        .content_type()
        .split_once(';')
        .unwrap_or((format.content_type(), ""));
    match format {
        Format::Csv | Format::Ndjson => Payload::new(essence, string()),
        Format::Xlsx | Format::Parquet => Payload::bytes(essence),
    }
}

/// Which tickets.
fn selection() -> Vec<Parameter> {
    let any = |name, about, shape| query(name, about, array_up_to(VALUES_MAX, shape));
    let label = || text(Label::CHARACTERS_MAX);
    let or_none = || any_of([uuid(), names(["none"])]);
    vec![
        query(
            "view",
            "Which of the tickets that the caller may see.",
            names(View::ALL.map(View::as_str)),
        ),
        any("status", "", statuses()),
        any("type", "", code()),
        any("priority", "", code()),
        any("category", "", label()),
        any("system", "", label()),
        any("environment", "", label()),
        any("service", "", label()),
        any("product", "", label()),
        any("platform_version", "", label()),
        any("requester", "", uuid()),
        any("organisation", "", uuid()),
        any("assignee", "`none` for tickets that nobody works on.", or_none()),
        any("group", "", uuid()),
        any("project", "`none` for tickets of no project.", or_none()),
        any("number", "", integer_from(1)),
        query("created_from", "Created then or later.", time()),
        query("created_to", "Created before that.", time()),
        query("updated_from", "Changed then or later.", time()),
        query("updated_to", "Last changed before that.", time()),
        query("due_from", "Due then or later.", time()),
        query("due_to", "Due before that.", time()),
        query(
            "overdue",
            "A ticket without a due time is not overdue.",
            names([OVERDUE.0, NOT_OVERDUE.0]),
        ),
        query("rating_from", "Rated so or better.", score()),
        query("rating_to", "Rated so or worse.", score()),
        query(
            "q",
            "Words of subject, description and comments, a fragment of the subject, or a number.",
            text(search::CHARACTERS_MAX),
        ),
        as_of(),
        query(
            "sort",
            "With `-` for descending; `relevance` with `q` alone. If nothing is said, `relevance` with `q` and else `-created_at`.",
            names(Sort::ALL.map(Sort::as_str)),
        ),
        comma_separated(query(
            "fields",
            "Which columns; all of them if none is named.",
            array_up_to(VALUES_MAX, names(Field::ALL.map(Field::as_str))),
        )),
    ]
}

fn one() -> Operation {
    reading("getTicket", "One ticket")
        .parameters([id(), as_of()])
        .answer(200, "The ticket.", json(reference("Ticket")))
        .answers_with(
            "ETag",
            "The ticket's revision, for If-Match.",
            &pattern(r#"^"[0-9]+"$"#),
        )
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::TICKET_NOT_FOUND, &types::INVALID_FIELDS])
}

fn happened() -> Operation {
    reading("getTimeline", "What happened to a ticket, newest last")
        .parameters([id(), as_of()])
        .parameters(paging())
        .answer(200, "A page.", json(page(reference("TimelineEvent"))))
        .answers_with("Link", NEXT_PAGE, &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::TICKET_NOT_FOUND, &types::INVALID_FIELDS])
}

fn promised() -> Operation {
    reading(
        "getTicketSla",
        "Where every minute of the times promised to a ticket went",
    )
    .about(
        "For staff. The running segments are what has elapsed, and all of them follow each other without a gap from \
             the clock's start to its end or now.",
    )
    .parameters([id(), as_of()])
    .answer(
        200,
        "The clocks, in the order in which they started.",
        json(reference("TicketSla")),
    )
    .answers_with("Read-Position", READ_POSITION, &positions())
    .problems(&[&types::TICKET_NOT_FOUND, &types::INVALID_FIELDS, &types::NOT_PERMITTED])
}

fn dashboard() -> Operation {
    reading("getDashboard", "Figures within what the caller may see")
        .parameters([
            query("from", "The first day in UTC of what happened.", time()),
            query("to", "The last day in UTC of what happened.", time()),
            query(
                "group_by",
                "Adds `groups`: the periods in which anything happened, or the tickets told apart by a property.",
                names(Grouping::ALL.map(Grouping::as_str)),
            ),
            as_of(),
        ])
        .answer(200, "The figures.", json(reference("Dashboard")))
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::INVALID_FIELDS])
}

fn events() -> Operation {
    let types = described::types();
    reading("listEvents", "Every event that the caller may see, in the order of the log")
        .about(
            "Go on from `position`. With `Accept: text/event-stream` the feed is live: all that comes after `after`, and then \
             each event as it happens, each a `data:` with an `Event`. A type that is not known is one to pass over.",
        )
        .parameters([
            query(
                "after",
                "Where the page begins: `position` of the one before, or positions as in Read-Position. If nothing is said, at the beginning.",
                pattern(MARKS),
            ),
            query(
                "limit",
                &format!("The page's size; {} if nothing is said.", feed::LIMIT_DEFAULT),
                integer(1..=feed::LIMIT_MAX.into()),
            ),
            query("type", "", array_up_to(VALUES_MAX, names(types.iter().map(String::as_str)))),
            query("ticket", "Of one ticket: its id or its number.", any_of([uuid(), integer_from(1)])),
            header(
                "Last-Event-ID",
                "For the live feed: the id of the last event that arrived. Wins over `after`.",
                pattern(MARKS),
            ),
        ])
        .answer(200, "A page, or the feed itself.", json(reference("EventPage")))
        .answer(200, "", Payload::new(EVENT_STREAM, string()))
        .answers_with("Link", NEXT_PAGE, &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::INVALID_FIELDS])
}

/// A reader's place: positions, of which each may be in the middle of a record.
const MARKS: &str = "^([0-9]{1,4}:[0-9]{1,18}(:[0-9]{1,9})?(,[0-9]{1,4}:[0-9]{1,18}(:[0-9]{1,9})?)*)?$";

fn schema() -> Operation {
    let files: Vec<String> = described::types().iter().map(|kind| format!("{kind}.json")).collect();
    Operation::new("getSchema", TAG, "The JSON Schema of a type of event")
        .parameters([path(
            "name",
            "The type, and `.json`.",
            names(files.iter().map(String::as_str)),
        )])
        .answer(200, "A JSON Schema.", Payload::new(SCHEMA_JSON, open_object([])))
        .problems(&[&types::MALFORMED_REQUEST, &types::NOT_FOUND])
}

fn projections() -> Operation {
    reading("listProjections", "How the projections are doing, for staff")
        .answer(200, "All of them.", json(page(reference("Projection"))))
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::NOT_PERMITTED])
}

/// A route that reads the read models: every one takes a token, may wait for a position, and refuses parameters that
/// it does not know.
pub(crate) fn reading(id: &str, summary: &str) -> Operation {
    Operation::new(id, TAG, summary)
        .for_callers()
        .parameters([
            header(
                "Min-Position",
                "Waits until the read models include these records, such as a command's Commit-Position.",
                pattern("^[0-9]{1,5}:[0-9]{1,19}(,[0-9]{1,5}:[0-9]{1,19})*$"),
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
            &types::QUERY_TOO_EXPENSIVE,
            &types::READ_MODEL_BEHIND,
            &types::READ_MODEL_UNAVAILABLE,
        ])
}

pub(crate) const NEXT_PAGE: &str = "The next page, if there is one: `<…>; rel=\"next\"`.";

pub(crate) const READ_POSITION: &str = "The last record of each partition that is in the answer.";

pub(crate) fn positions() -> Shape {
    pattern("^([0-9]+:[0-9]+(,[0-9]+:[0-9]+)*)?$")
}

fn id() -> Parameter {
    path(
        "id",
        "The ticket's id or its number.",
        any_of([uuid(), integer_from(1)]),
    )
}

pub(crate) fn paging() -> [Parameter; 2] {
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

pub(crate) fn page(items: Shape) -> Shape {
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
pub(crate) fn time() -> Shape {
    any_of([instant(), date()])
}

/// The instant that is asked about.
fn as_of() -> Parameter {
    query(
        "as_of",
        "What the same request was answered then: an instant of the past, or a date for its beginning in UTC.",
        time(),
    )
}

fn score() -> Shape {
    integer((*SCORES.start()).into()..=(*SCORES.end()).into())
}

/// A query parameter that has to be there.
fn required_query(name: &str, about: &str, shape: Shape) -> Parameter {
    let mut parameter = query(name, about, shape);
    parameter.required = Required::True;
    parameter
}

pub(crate) fn statuses() -> Shape {
    names(Status::ALL.map(Status::as_str))
}

pub(crate) fn commands() -> Shape {
    array(names(CommandName::ON_TICKET.map(CommandName::as_str)))
}

pub(crate) fn visibilities() -> Shape {
    names([Visibility::Public, Visibility::Internal].map(Visibility::as_str))
}

pub(crate) fn permissions() -> Shape {
    array(permission())
}

/// Which tickets a member of staff sees.
pub(crate) fn nullable_scope() -> Shape {
    nullable(staff_scope())
}

/// What permissions are about.
pub(crate) fn permission_categories() -> Shape {
    names(Category::ALL.map(Category::as_str))
}

/// Whether somebody is supported.
pub(crate) fn support() -> Shape {
    names(Support::ALL.map(Support::as_str))
}

pub(crate) fn nullable_support() -> Shape {
    nullable(support())
}

/// What a token may be used for.
pub(crate) fn nullable_token_scopes() -> Shape {
    nullable(array(names(TokenScope::ALL.map(TokenScope::as_str))))
}

/// What a ticket may wait for.
pub(crate) fn clock_states() -> Shape {
    names(ClockState::ALL.map(ClockState::as_str))
}

pub(crate) fn part_kinds() -> Shape {
    names(PartKind::NAMES)
}

pub(crate) fn workflows() -> Shape {
    names(Workflow::ALL.map(|workflow| workflow.name))
}

pub(crate) fn waits() -> Shape {
    names(["information", "closure"])
}

pub(crate) fn actor() -> Shape {
    let kinds = [ActorKind::Staff, ActorKind::Customer, ActorKind::System];
    all_of([
        named(),
        open_object([required("kind", "", names(kinds.map(ActorKind::as_str)))]),
    ])
}

fn named() -> Shape {
    reference("Named")
}

pub(crate) fn nullable_named() -> Shape {
    nullable(named())
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
        Field::Category
        | Field::System
        | Field::Environment
        | Field::Service
        | Field::Product
        | Field::PlatformVersion => label(),
        Field::Requester => named(),
        Field::Organisation | Field::Group | Field::Project | Field::Assignee => nullable_named(),
        Field::CreatedAt | Field::UpdatedAt => instant(),
        Field::DueAt => nullable(instant()),
        Field::Overdue => boolean(),
        Field::Rating => nullable(score()),
    }
}

/// Every column, as a member of an object.
fn columns(member: fn(&str, &str, Shape) -> Property) -> [Property; 23] {
    Field::ALL.map(|field| member(field.as_str(), "", shape(field)))
}

/// With all of its columns.
impl PartialSchema for Item<'_> {
    fn schema() -> Shape {
        open_object(columns(required))
    }
}

impl ToSchema for Item<'_> {
    fn name() -> Cow<'static, str> {
        "TicketColumns".into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;

    fn keys(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn every_member_of_a_page_is_described() {
        let answered = crate::page::Page::<u8> {
            items: Vec::new(),
            next_cursor: None,
            total: Some(0),
        };
        assert_eq!(keys(&json!(answered)), keys(&json!(page(string()))["properties"]));
    }
}
