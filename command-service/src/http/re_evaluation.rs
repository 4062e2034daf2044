//! `POST /v1/policies/{id}/re-evaluate`: running clocks under the policies and calendars of today.
//!
//! The tickets are found by reading the log: this service needs nothing else, and nobody asks often. What is applied
//! are ordinary commands, one for each ticket, with ids that follow from the request's.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::actor::Actor;
use domain::calendar::WorkingTime;
use domain::ids::{CommandId, PolicyId, TicketId, TicketNumber};
use domain::policy::WaitPolicy;
use domain::sla::{Book, Counting, Desk, Happened, Matter, Moved, Promised, Running, Undecided, decide, moved};
use domain::text::Code;
use domain::ticket::{Command, Context};
use event_log::{ExecuteError, Request, ScanError, Seen};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Map, Value, json};
use service_kit::body::{Fields, Unreadable, object, string};
use service_kit::http::{ApiJson, Caller};
use service_kit::problem::types;
use service_kit::{Problem, chain};
use tokio::sync::SemaphorePermit;
use uuid::Uuid;

use super::headers::{CommandHeaders, Replayed, replayed};
use super::policies::staff;
use crate::app::App;
use crate::body;
use crate::command::command_id;
use crate::problem;

/// What the digests of such wishes begin with. Stored with records: never change it.
const RE_EVALUATE: &str = "policy.re-evaluate";

/// Tickets that are re-evaluated at the same time. More of them only wait for the log.
const CONCURRENT_MAX: usize = 64;

/// After how many seconds whoever found another one reading the log may try again.
const SCAN_RETRY_SECONDS: u32 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Say what would change.
    Preview,
    /// Change it.
    Apply,
}

/// What is asked.
#[derive(Debug)]
struct Ask {
    policy: Code,
    mode: Mode,
    counting: Counting,
    /// The id of the request, from which those of its commands follow.
    id: CommandId,
    caller: Arc<Actor>,
}

/// The clocks of a ticket that move.
#[derive(Debug)]
struct Change {
    ticket: TicketId,
    number: TicketNumber,
    moved: Vec<Moved>,
}

pub(super) async fn re_evaluate(
    State(app): State<App>,
    Caller(caller): Caller,
    path: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    staff(&caller)?;
    headers.refuse_if_match("does not go with this: it changes many tickets, and each has a revision of its own")?;
    let Path(id) = path?;
    // What is no id is the id of no policy.
    let id: PolicyId = id.parse().map_err(|_| problem::no_policy())?;
    let body = object(body)?;
    let (mode, counting) = read(&body)?;
    let ask = Ask {
        policy: Code::new(&id.to_string()),
        mode,
        counting,
        id: command_id(caller.user, headers.key.as_deref()),
        caller,
    };
    let _turn = app.scan()?;
    let book = app.book(&ask.caller)?;
    if !book.knows(&ask.policy) {
        return Err(problem::no_policy());
    }
    let digest = body::digest(RE_EVALUATE, &body);
    let (mut done, mut wanted) = (Vec::new(), Vec::new());
    for partition in 0..app.log.partitions() {
        let found = app.look_through(partition, &ask, &book).await?;
        done.extend(found.done);
        wanted.extend(found.wanted);
    }
    if ask.mode == Mode::Apply {
        app.apply(&ask, digest, &headers, &wanted).await?;
    }
    let headers = replayed((wanted.is_empty() && !done.is_empty()).then_some(Replayed));
    done.append(&mut wanted);
    done.sort_by_key(|change| change.number);
    Ok((headers, Json(answer(&ask, &done))).into_response())
}

fn read(body: &Map<String, Value>) -> Result<(Mode, Counting), Problem> {
    let mut fields = Fields::new(body);
    let preview = fields.flag("preview").unwrap_or(false);
    let counting = fields.optional("counting", |value| {
        let name = string(value)?;
        Counting::parse(name).ok_or_else(|| Unreadable::Value("invalid", "must be one of: kept, afresh".to_owned()))
    });
    fields.finish()?;
    let mode = if preview { Mode::Preview } else { Mode::Apply };
    Ok((mode, counting.unwrap_or(Counting::Kept)))
}

/// What a partition has for a request.
#[derive(Debug, Default)]
struct Found {
    /// What it has changed already, when it was made before.
    done: Vec<Change>,
    /// What it would change.
    wanted: Vec<Change>,
}

impl App {
    /// The turn of whoever reads the whole log.
    pub(super) fn scan(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.scans.try_acquire().map_err(|_| {
            Problem::new(&types::TOO_MANY_REQUESTS)
                .detail("Another request is reading the whole log. Try again when it is done.")
                .retry_after(SCAN_RETRY_SECONDS)
        })
    }

    /// The policies in force.
    pub(super) fn book(&self, caller: &Actor) -> Result<Arc<Book>, Problem> {
        let book = self.books.current();
        book.ok_or_else(|| problem::of_execution(&ExecuteError::PoliciesUnread, caller))
    }

    async fn look_through(&self, partition: u16, ask: &Ask, book: &Book) -> Result<Found, Problem> {
        let mut tickets: BTreeMap<TicketId, Promised> = BTreeMap::new();
        let mut found = Found::default();
        let scanned = self
            .log
            .each_record(partition, |seen| {
                let Seen {
                    ticket,
                    command_id,
                    happened,
                } = seen;
                let promised = tickets.entry(ticket).or_default();
                let asked = happened.events.iter().any(|event| event.sla().is_some());
                let before = (asked && command_id == ask.command_id(ticket)).then(|| promised.clocks.clone());
                promised.evolve(&happened);
                if let Some(before) = before {
                    let moved = moved(&before, &promised.clocks);
                    found.done.push(change(ticket, promised, moved));
                }
            })
            .await;
        scanned.map_err(|error| unreadable(&error))?;
        let waits = WaitPolicy::none();
        for (ticket, promised) in &tickets {
            if !concerns(promised, &ask.policy, book) {
                continue;
            }
            let moved = self.preview(promised, ask, book, &waits)?;
            if !moved.is_empty() {
                found.wanted.push(change(*ticket, promised, moved));
            }
        }
        Ok(found)
    }

    /// What re-evaluating a ticket now would move.
    fn preview(&self, promised: &Promised, ask: &Ask, book: &Book, waits: &WaitPolicy) -> Result<Vec<Moved>, Problem> {
        let ctx = Context {
            actor: &ask.caller,
            now: self.calendars.now(),
            occurred_at: None,
            honour_deadlines: false,
            policy: waits,
        };
        let desk = Desk {
            book,
            catalogue: &self.books.catalogue(),
            profiles: self.books.people(),
        };
        let revision = promised.revision.next();
        let decision = match decide(promised, revision, &Command::ReEvaluate(ask.counting), &ctx, &desk) {
            Ok(decision) => decision,
            // Whoever may not see a ticket does not change it.
            Err(Undecided::Rejected(_)) => return Ok(Vec::new()),
            Err(Undecided::UnknownPin(_)) => {
                return Err(problem::of_execution(&ExecuteError::PoliciesUnread, &ask.caller));
            }
        };
        let mut after = promised.clone();
        after.evolve(&Happened {
            revision,
            occurred_at: decision.occurred_at,
            actor: &ask.caller,
            events: &decision.events,
        });
        Ok(moved(&promised.clocks, &after.clocks))
    }

    async fn apply(
        &self,
        ask: &Ask,
        digest: [u8; 32],
        headers: &CommandHeaders,
        wanted: &[Change],
    ) -> Result<(), Problem> {
        let headers = CommandHeaders {
            traceparent: headers.traceparent.clone(),
            origin: headers.origin.clone(),
            ..CommandHeaders::default()
        };
        let request = headers.request(self, &ask.caller, digest).await?;
        let of_ticket = |change: &Change| Request {
            command_id: ask.command_id(change.ticket),
            ..request.clone()
        };
        let requests: Vec<(TicketId, Request)> =
            wanted.iter().map(|change| (change.ticket, of_ticket(change))).collect();
        stream::iter(requests)
            .map(|(ticket, request)| self.apply_to(ask, ticket, request))
            .buffer_unordered(CONCURRENT_MAX)
            .try_collect()
            .await
    }

    async fn apply_to(&self, ask: &Ask, ticket: TicketId, request: Request) -> Result<(), Problem> {
        let command = Command::ReEvaluate(ask.counting);
        match self.tickets.execute(ticket, &command, &request).await {
            // Refused: it was closed in between, and nothing of it runs any more.
            Ok(_) | Err(ExecuteError::Rejected { .. }) => Ok(()),
            Err(error) => Err(problem::of_execution(&error, &ask.caller)),
        }
    }
}

impl Ask {
    /// The id of the command for a ticket.
    fn command_id(&self, ticket: TicketId) -> CommandId {
        Uuid::new_v5(&self.id.as_uuid(), ticket.as_uuid().as_bytes()).into()
    }
}

/// Whether a ticket runs by a policy, in whichever version, or would if it were opened now.
fn concerns(promised: &Promised, policy: &Code, book: &Book) -> bool {
    let Some(ticket) = promised.ticket.state().filter(|ticket| ticket.status.is_open()) else {
        return false;
    };
    let mut open = promised.clocks.iter().filter(|clock| clock.is_open());
    open.any(|clock| clock.terms.pin.policy.id == *policy)
        || book
            .in_force(&Matter::from(ticket))
            .is_some_and(|in_force| in_force.spec().id == *policy)
}

fn change(ticket: TicketId, promised: &Promised, moved: Vec<Moved>) -> Change {
    let number = promised.ticket.state().map_or(TicketNumber(0), |state| state.number);
    Change { ticket, number, moved }
}

pub(super) fn unreadable(error: &ScanError) -> Problem {
    match error {
        ScanError::Read(_) => problem::log_unavailable(),
        ScanError::Corrupt(_) => {
            tracing::error!("the log cannot be read to its end: {}", chain(error));
            Problem::internal()
        }
    }
}

fn answer(ask: &Ask, changes: &[Change]) -> Value {
    let clocks = changes.iter().flat_map(|change| {
        change.moved.iter().map(|moved| {
            json!({
                "ticket": { "id": change.ticket.to_string(), "number": change.number.0 },
                "target": moved.clock.target.as_str(),
                "number": moved.clock.number,
                "from": moved.from.as_ref().map(running),
                "to": moved.to.as_ref().map(running),
            })
        })
    });
    json!({
        "policy": ask.policy.as_str(),
        "preview": ask.mode == Mode::Preview,
        "counting": ask.counting.as_str(),
        "tickets": changes.len(),
        "changes": clocks.collect::<Vec<_>>(),
    })
}

fn running(running: &Running) -> Value {
    json!({
        "policy": running.pin.policy.id.as_str(),
        "policy_version": running.pin.policy.version,
        "calendar": running.pin.calendar.id.as_str(),
        "calendar_version": running.pin.calendar.version,
        "within": WorkingTime(running.within.duration()).to_string(),
        "due_at": running.due_at.map(|at| at.to_string()),
    })
}
