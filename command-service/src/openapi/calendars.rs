//! The routes of calendars.

use domain::calendar::{NAME_CHARS_MAX, SPECIAL_DATES_MAX, WEEKDAYS, weekday_name};
use serde_json::json;
use service_kit::openapi::schema::{
    Property, Shape, any_of, array, array_up_to, date, instant, integer_from, names, nullable, object, open_object,
    optional, pair, reference, required, string, text, uuid,
};
use service_kit::openapi::{Api, Operation, Payload, json as json_body, path};
use service_kit::problem::types;
use utoipa::openapi::Required;
use utoipa::openapi::path::Parameter;

use super::routes::{POSITION, PROBLEMS, REPLAYED, etag, headers, idempotency_key, position};

const TAG: &str = "calendars";

/// Adds them, and what they take and answer.
pub(super) fn with_calendars(api: Api) -> Api {
    api.schema("Calendar", object(definition()))
        .schema("CalendarWritten", open_object(written()))
        .schema("CalendarSegment", segment())
        .post("/v1/calendars", create())
        .put("/v1/calendars/{id}", replace())
        .post("/v1/calendars/{id}/holidays", add_holidays())
        .post("/v1/calendars/{id}/explain", explain_stored())
        .post("/v1/calendars/explain", explain_given())
}

fn create() -> Operation {
    writing("createCalendar", "Create a calendar")
        .parameters([idempotency_key()])
        .body(Required::True, json_body(reference("Calendar")).example(example()))
        .answer(201, "It is kept.", json_body(reference("CalendarWritten")))
        .answers_with("Location", "The calendar.", &string())
        .answers_with("ETag", "The calendar's revision.", &etag())
        .answers_with("Commit-Position", POSITION, &position())
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
}

fn replace() -> Operation {
    writing("replaceCalendar", "Write a calendar anew")
        .about("A new version; those before are kept. One like the last makes none.")
        .parameters([id()])
        .parameters(headers())
        .body(Required::True, json_body(reference("Calendar")).example(example()))
        .answer(200, "It is kept.", json_body(reference("CalendarWritten")))
        .answers_with("ETag", "The calendar's revision.", &etag())
        .answers_with("Commit-Position", POSITION, &position())
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
        .problems(&[&types::CALENDAR_NOT_FOUND])
}

fn add_holidays() -> Operation {
    let skipped = open_object([
        required("line", "Where the event begins in the file.", integer_from(1)),
        required("summary", "", nullable(string())),
        required("reason", "", string()),
    ]);
    let report = [
        required("events", "In the file.", integer_from(0)),
        required("dates", "Distinct ones.", integer_from(0)),
        required("added", "That were no holidays before.", integer_from(0)),
        required("skipped", "Events that are no holidays.", array(skipped)),
        required(
            "recurrences_until",
            "Until when events that recur were written out; null if none does.",
            nullable(date()),
        ),
    ];
    writing("addHolidays", "Add the holidays of an iCalendar file")
        .about("All-day events become holidays of a new version. A file with an event that cannot be read is refused whole.")
        .parameters([id()])
        .parameters(headers())
        .body(Required::True, Payload::new("text/calendar", string()))
        .answer(200, "They are kept.", json_body(open_object(written().into_iter().chain(report))))
        .answers_with("ETag", "The calendar's revision.", &etag())
        .answers_with("Commit-Position", POSITION, &position())
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
        .problems(&[&types::CALENDAR_NOT_FOUND])
}

fn explain_stored() -> Operation {
    writing(
        "explainCalendar",
        "When something is due, or how much was worked, and why",
    )
    .parameters([id()])
    .parameters(headers())
    .body(
        Required::True,
        json_body(object(question())).example(json!({ "from": "2026-10-23T14:00:00Z", "working": "PT40H" })),
    )
    .answer(200, "The answer, with every segment of the stretch.", explained())
    .answers_with("ETag", "The calendar's revision.", &etag())
    .problems(&[&types::CALENDAR_NOT_FOUND])
}

fn explain_given() -> Operation {
    let calendar = required("calendar", "It is not stored.", reference("Calendar"));
    writing("explainGivenCalendar", "The same for a calendar in the body")
        .parameters(headers())
        .body(
            Required::True,
            json_body(object(question().into_iter().chain([calendar]))).example(json!({
                "calendar": example(), "from": "2026-10-23T14:00:00Z", "to": "2026-10-30T14:00:00Z"
            })),
        )
        .answer(200, "The answer, with every segment of the stretch.", explained())
}

fn writing(id: &str, summary: &str) -> Operation {
    Operation::new(id, TAG, summary).for_callers().problems(&PROBLEMS)
}

fn id() -> Parameter {
    path("id", "The calendar's id.", uuid())
}

fn example() -> serde_json::Value {
    json!({
        "name": "Support desk Moscow", "time_zone": "Europe/Moscow",
        "week": { "mon": [["09:00", "13:00"], ["14:00", "18:00"]] }, "holidays": ["2026-01-01"]
    })
}

fn definition() -> Vec<Property> {
    let intervals = || array(pair(string()));
    let week = object(WEEKDAYS.map(|day| {
        optional(
            weekday_name(day),
            "Intervals of wall time; none if left out.",
            nullable(intervals()),
        )
    }));
    let on_dates = || {
        array_up_to(
            SPECIAL_DATES_MAX,
            object([required("date", "", date()), required("intervals", "", intervals())]),
        )
    };
    vec![
        required("name", "", text(NAME_CHARS_MAX)),
        required("time_zone", "An IANA name.", string()),
        optional("week", "", nullable(week)),
        optional(
            "holidays",
            "Dates without hours, whatever else is said of them.",
            nullable(array_up_to(SPECIAL_DATES_MAX, date())),
        ),
        optional("overrides", "Other hours for one date.", nullable(on_dates())),
        optional("closures", "Time taken out of a date's hours.", nullable(on_dates())),
        optional(
            "effective_from",
            "The first date on which the version counts; all, if left out.",
            nullable(date()),
        ),
    ]
}

fn written() -> Vec<Property> {
    vec![
        required("id", "", uuid()),
        required("name", "", string()),
        required("version", "Counted from 1.", integer_from(1)),
        required("revision", "The same.", integer_from(1)),
        required("effective_from", "", nullable(date())),
    ]
}

fn question() -> Vec<Property> {
    vec![
        required("from", "", instant()),
        optional(
            "working",
            "How much work, such as `PT40H`; this or `to`.",
            nullable(string()),
        ),
        optional("to", "Until when; this or `working`.", nullable(instant())),
    ]
}

fn explained() -> Payload {
    let segments = || {
        required(
            "segments",
            "The whole stretch, in order, without a gap.",
            array(reference("CalendarSegment")),
        )
    };
    json_body(any_of([
        open_object([required("due", "", instant()), segments()]),
        open_object([required("elapsed", "Such as `PT39H30M`.", string()), segments()]),
    ]))
}

fn segment() -> Shape {
    let kinds = ["working", "outside_hours", "holiday", "closure"];
    open_object([
        required("from", "", instant()),
        required("to", "", instant()),
        required("kind", "", names(kinds)),
    ])
}
