//! `POST /v1/policies/rehearse`: what would have become of the desk's history under a draft.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::actor::Actor;
use domain::ids::{PolicyId, TicketId};
use domain::sla::stored::ROUND_THE_CLOCK;
use domain::sla::{
    Book, ClockState, Compared, Differing, Edition, Group, Outcome, Report, SlaCalendar, Tally, TargetKind, Window,
};
use event_log::RehearsalError;
use serde_json::{Map, Value, json};
use service_kit::body::{Fields, Unreadable, calendar, instant_or_date, object, policy, whole};
use service_kit::http::{ApiJson, Caller};
use service_kit::{Problem, chain};
use uuid::Uuid;

use super::headers::CommandHeaders;
use super::policies::staff;
use super::re_evaluation::unreadable;
use crate::app::App;

/// How many tickets that differ are told by name, if nothing is said.
const NAMED_DEFAULT: usize = 100;
/// And at most: an answer of some twenty megabytes.
pub(crate) const NAMED_MAX: u32 = 100_000;

pub(super) async fn rehearse(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Json<Value>, Problem> {
    let caller = app.by_now(&caller)?;
    staff(&caller)?;
    headers.refuse_if_match("does not go with this: it changes nothing")?;
    let body = object(body)?;
    let (draft, window) = app.draft_book(&caller, &body).await?;
    let _turn = app.scan()?;
    let report = app.log.rehearse(Arc::new(draft), window).await.map_err(failed)?;
    Ok(Json(answer(&report, window)))
}

impl App {
    /// The policies in force with the draft among them, and which tickets to look at.
    async fn draft_book(&self, caller: &Actor, body: &Map<String, Value>) -> Result<(Book, Window), Problem> {
        let mut fields = Fields::new(body);
        let draft = fields.required("policy", |value| {
            value.as_object().ok_or(Unreadable::Type("an object")).cloned()
        });
        let hours = calendar::part("calendar", &mut fields);
        let from = fields.optional("from", instant_or_date);
        let to = fields.optional("to", instant_or_date);
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            fields.refuse("/to", "invalid", "must be after from");
        }
        let limit = fields.optional("limit", named);
        let errors = fields.errors();
        let mut reading = policy::read("/policy", &draft.unwrap_or_default(), &self.books.catalogue())?;
        reading.take_in(errors);
        let named = reading.calendar();
        let hours = match (hours, named) {
            (Some(calendar), named) => Some(SlaCalendar {
                edition: Edition::new(&named.map_or(ROUND_THE_CLOCK.to_owned(), |id| id.to_string()), 1),
                calendar,
            }),
            (None, None) => Some(SlaCalendar::round_the_clock()),
            (None, Some(named)) => self.hours(caller, named).await?,
        };
        let draft = reading.finish(hours)?;
        let id = PolicyId::from(Uuid::nil());
        let flaws = draft.flaws(id);
        if !flaws.is_empty() {
            return Err(policy::unacceptable("/policy", &flaws));
        }
        let hours = draft.hours.ok_or_else(Problem::internal)?;
        let draft = draft
            .version
            .with_hours(id, 1, hours)
            .map_err(|_| Problem::internal())?;
        let window = Window {
            from,
            to,
            until: self.calendars.now(),
            limit: limit.unwrap_or(NAMED_DEFAULT),
        };
        Ok((Book::clone(&*self.book(caller)?).with_draft(draft), window))
    }
}

fn named(value: &Value) -> Result<usize, Unreadable> {
    let limit = u32::try_from(whole(value)?).ok().filter(|limit| *limit <= NAMED_MAX);
    limit
        .and_then(|limit| usize::try_from(limit).ok())
        .ok_or_else(|| Unreadable::Value("out_of_range", format!("must be at most {NAMED_MAX}")))
}

fn failed(error: RehearsalError) -> Problem {
    match error {
        RehearsalError::Scan(error) => unreadable(&error),
        error @ (RehearsalError::UnknownPin(_) | RehearsalError::Cut(_)) => {
            tracing::error!("a rehearsal failed: {}", chain(&error));
            Problem::internal()
        }
    }
}

fn answer(report: &Report<TicketId>, window: Window) -> Value {
    let (mut months, mut priorities, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    let mut all = json!({});
    for (group, targets) in &report.compared {
        let targets = targets_of(targets);
        match group {
            Group::All => all = targets,
            Group::Month(first) => {
                let month = format!("{:04}-{:02}", first.year(), first.month());
                months.push(json!({ "month": month, "targets": targets }));
            }
            Group::Priority(code) => priorities.push(json!({ "priority": code.as_str(), "targets": targets })),
            Group::Of(id) => {
                let id = id.map(|id| id.to_string());
                groups.push(json!({ "group": id, "targets": targets }));
            }
        }
    }
    json!({
        "from": window.from.map(|at| at.to_string()),
        "to": window.to.map(|at| at.to_string()),
        "until": window.until.to_string(),
        "tickets": report.tickets,
        "targets": all,
        "by_month": months,
        "by_priority": priorities,
        "by_group": groups,
        "differing": report.differing,
        "differing_tickets": report.first.iter().map(differing).collect::<Vec<_>>(),
    })
}

fn targets_of(targets: &std::collections::BTreeMap<TargetKind, Compared>) -> Value {
    let of_target = |(target, compared): (&TargetKind, &Compared)| {
        let both = json!({ "then": tally(&compared.then), "now": tally(&compared.now) });
        (target.as_str().to_owned(), both)
    };
    Value::Object(targets.iter().map(of_target).collect())
}

fn tally(tally: &Tally) -> Value {
    let counts = ClockState::ALL.map(|state| (state.as_str().to_owned(), tally.of(state).into()));
    Value::Object(counts.into_iter().collect())
}

fn differing(ticket: &Differing<TicketId>) -> Value {
    let clocks = ticket.verdicts.iter().map(|verdict| {
        json!({
            "target": verdict.clock.target.as_str(),
            "number": verdict.clock.number,
            "then": verdict.then.as_ref().map(outcome),
            "now": verdict.now.as_ref().map(outcome),
        })
    });
    json!({
        "id": ticket.ticket.to_string(),
        "number": ticket.number.0,
        "clocks": clocks.collect::<Vec<_>>(),
    })
}

fn outcome(outcome: &Outcome) -> Value {
    json!({
        "state": outcome.state.as_str(),
        "due_at": outcome.due_at.map(|at| at.to_string()),
        "breached_at": outcome.breached_at.map(|at| at.to_string()),
        "ended_at": outcome.ended_at.map(|at| at.to_string()),
    })
}
