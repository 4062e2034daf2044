//! `POST` and `PUT` on `/v1/calendars`: creating, changing, adding holidays, explaining.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::actor::{Actor, ActorKind};
use domain::calendar::stored::{Change, Command};
use domain::calendar::{Answer, Question, Segment, Timeline, explain};
use domain::ids::{CalendarId, Revision};
use event_log::{CalendarOutcome, ExecuteError};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use service_kit::Problem;
use service_kit::body::{calendar, object};
use service_kit::http::{ApiJson, Caller, WholeBody, media_type};
use service_kit::problem::{FieldError, types};
use sha2::{Digest, Sha256};

use super::headers::{CommandHeaders, Replayed, committed, created};
use crate::app::App;
use crate::body;
use crate::command::created_calendar;
use crate::ical::{self, Holidays};
use crate::problem;

/// What the digests of wishes begin with. Stored with records: never change one.
const CREATE: &str = "calendar.create";
const REPLACE: &str = "calendar.replace";
const ADD_HOLIDAYS: &str = "calendar.add_holidays";

/// `POST /v1/calendars`
pub(super) async fn create(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    staff(&caller)?;
    headers.refuse_if_match("does not go with creating: a calendar that is not there has no revision")?;
    let body = object(body)?;
    let (calendar, effective_from) = calendar::calendar(&body)?;
    let id = created_calendar(caller.user, headers.key.as_deref());
    let command = Command::Create(calendar, effective_from);
    let outcome = app
        .revise(&caller, id, &command, headers, body::digest(CREATE, &body))
        .await?;
    Ok(created(
        &format!("/v1/calendars/{id}"),
        of(&outcome),
        answer(id, &outcome),
    ))
}

/// `PUT /v1/calendars/{id}`
pub(super) async fn replace(
    State(app): State<App>,
    Caller(caller): Caller,
    path: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let id = calendar_id(path)?;
    let body = object(body)?;
    let (calendar, effective_from) = calendar::calendar(&body)?;
    let command = Command::Replace(calendar, effective_from);
    let outcome = app
        .revise(&caller, id, &command, headers, body::digest(REPLACE, &body))
        .await?;
    Ok((of(&outcome), Json(answer(id, &outcome))).into_response())
}

/// `POST /v1/calendars/{id}/holidays`
pub(super) async fn add_holidays(
    State(app): State<App>,
    Caller(caller): Caller,
    path: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    all_headers: HeaderMap,
    WholeBody(file): WholeBody,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let id = calendar_id(path)?;
    let file = icalendar(&all_headers, &file)?;
    let digest = Sha256::digest(format!("{ADD_HOLIDAYS} {file}")).into();
    let today = TimeZone::UTC.to_datetime(app.calendars.now()).date();
    let holidays = ical::holidays(&file, today).map_err(unreadable)?;
    let command = Command::AddHolidays(holidays.dates.clone());
    let outcome = app.revise(&caller, id, &command, headers, digest).await?;
    let mut body = answer(id, &outcome);
    report(&holidays, &outcome, &mut body);
    Ok((of(&outcome), Json(body)).into_response())
}

/// `POST /v1/calendars/{id}/explain`
pub(super) async fn explain_stored(
    State(app): State<App>,
    Caller(caller): Caller,
    path: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    let id = calendar_id(path)?;
    let question = calendar::question(&object(body)?)?;
    let (versions, revision) = app
        .calendars
        .versions(id)
        .await
        .map_err(|error| problem::of_execution(&error, &caller))?;
    if revision == Revision::default() {
        return Err(problem::no_calendar());
    }
    if headers.if_match.is_some_and(|expected| expected != revision) {
        let mismatch = ExecuteError::RevisionMismatch { actual: revision };
        return Err(problem::of_calendar(&mismatch.into(), &caller));
    }
    let timeline = versions.timeline().map_err(|errors| {
        tracing::error!(calendar.id = %id, ?errors, "a stored calendar is not acceptable any more");
        Problem::internal()
    })?;
    let mut response = explained(&timeline, question)?;
    if let Ok(etag) = HeaderValue::try_from(format!("\"{revision}\"")) {
        response.headers_mut().insert(ETAG, etag);
    }
    Ok(response)
}

/// `POST /v1/calendars/explain`
pub(super) async fn explain_given(
    State(_app): State<App>,
    Caller(_caller): Caller,
    _headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    let (timeline, question) = calendar::question_with_calendar(&object(body)?)?;
    explained(&timeline, question)
}

fn explained(timeline: &Timeline, question: Question) -> Result<Response, Problem> {
    let explained = explain(timeline, question).map_err(|error| calendar::unanswered(question, error))?;
    let segments: Vec<Value> = explained.segments.iter().map(segment).collect();
    let body = match explained.answer {
        Answer::Due(due) => json!({ "due": written(due), "segments": segments }),
        Answer::Elapsed(elapsed) => json!({ "elapsed": elapsed.to_string(), "segments": segments }),
    };
    Ok(Json(body).into_response())
}

fn segment(segment: &Segment) -> Value {
    json!({
        "from": written(segment.from),
        "to": written(segment.to),
        "kind": segment.kind.as_str(),
    })
}

fn written(at: Timestamp) -> String {
    at.to_string()
}

impl App {
    async fn revise(
        &self,
        caller: &std::sync::Arc<Actor>,
        id: CalendarId,
        command: &Command,
        headers: CommandHeaders,
        digest: [u8; 32],
    ) -> Result<CalendarOutcome, Problem> {
        let request = headers.request(self, caller, digest).await?;
        let outcome = self.calendars.execute(id, command, &request).await;
        let outcome = outcome.map_err(|error| problem::of_calendar(&error, caller))?;
        self.applied(outcome.position).await;
        Ok(outcome)
    }
}

/// Said before the body is looked at: whoever may not write need not know how.
fn staff(caller: &Actor) -> Result<(), Problem> {
    if caller.kind == ActorKind::Staff {
        Ok(())
    } else {
        Err(problem::only_staff())
    }
}

/// A calendar's id in a path. What is no id is the id of no calendar.
fn calendar_id(path: Result<Path<String>, PathRejection>) -> Result<CalendarId, Problem> {
    let Path(id) = path?;
    id.parse().map_err(|_| problem::no_calendar())
}

fn of(outcome: &CalendarOutcome) -> HeaderMap {
    committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed))
}

/// The body of a command's answer. A calendar's versions are counted by its revisions.
fn answer(id: CalendarId, outcome: &CalendarOutcome) -> Map<String, Value> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("id", id.to_string().into());
    set("name", outcome.fact.version.spec.name.clone().into());
    set("version", outcome.revision.0.into());
    set("revision", outcome.revision.0.into());
    set(
        "effective_from",
        outcome.fact.version.effective_from.map(|date| date.to_string()).into(),
    );
    body
}

/// What became of the events of a file.
fn report(holidays: &Holidays, outcome: &CalendarOutcome, body: &mut Map<String, Value>) {
    let added = match outcome.fact.change {
        Change::HolidaysAdded { added } if outcome.made => added,
        Change::HolidaysAdded { .. } | Change::Created | Change::Changed => 0,
    };
    let skipped: Vec<Value> = holidays
        .skipped
        .iter()
        .map(|event| json!({ "line": event.line, "summary": event.summary, "reason": event.reason }))
        .collect();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("events", holidays.events.into());
    set("dates", holidays.dates.len().into());
    set("added", added.into());
    set("skipped", skipped.into());
    set(
        "recurrences_until",
        holidays.written_out_until.map(|date| date.to_string()).into(),
    );
}

fn icalendar(headers: &HeaderMap, body: &Bytes) -> Result<String, Problem> {
    if !media_type(headers).eq_ignore_ascii_case("text/calendar") {
        return Err(Problem::new(&types::UNSUPPORTED_MEDIA_TYPE)
            .detail("Send an iCalendar file, with Content-Type: text/calendar."));
    }
    String::from_utf8(body.to_vec())
        .map_err(|_| Problem::new(&types::MALFORMED_REQUEST).detail("The file is not written in UTF-8."))
}

fn unreadable(errors: Vec<ical::Unreadable>) -> Problem {
    let errors = errors
        .into_iter()
        .map(|error| FieldError::new(format!("line {}", error.line), "unreadable", error.detail));
    Problem::new(&types::INVALID_FIELDS)
        .detail("The file holds events that cannot be read. Nothing was imported. See errors for each line.")
        .fields(errors.collect())
}
