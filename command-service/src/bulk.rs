//! Many commands in one request: a line each, a result each, in the order of input.
//!
//! Lines run concurrently, up to a bound, which is what holds back a caller that sends faster
//! than the log takes. Lines for one ticket wait for each other. Results are kept until the
//! caller reads them: callers that send everything before they read anything must not be
//! locked out, and the number of lines bounds what is kept.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use domain::ids::{TicketId, UserId};
use domain::ticket::CommandName;
use event_log::Outcome;
use futures::{Stream, StreamExt, stream};
use serde_json::{Map, Value};
use service_kit::body::object;
use service_kit::problem::{FieldError, Problem, types};
use service_kit::tokens::TokenHash;
use tokio::sync::{Semaphore, mpsc, oneshot};
use uuid::Uuid;

use crate::app::App;
use crate::command::{Sent, created_ticket};
use crate::http::answer;
use crate::http::is_key;
use crate::lines::{LINES_MAX, lines};

/// Lines at work at the same time. Enough to keep every partition's acknowledgements coming; four
/// times as many made bulk creations a tenth slower, because they no longer fit in the processor's
/// caches.
const LINES_IN_FLIGHT_MAX: usize = 512;
/// Bytes of lines at work at the same time, in units of 64 KiB: thousands of lines are small,
/// a few are large, and neither may fill the memory.
const IN_FLIGHT_UNITS_MAX: u32 = 1024;
const UNIT_BYTES: usize = 64 * 1024;

/// Whose lines these are.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) user: UserId,
    pub(crate) token: TokenHash,
    pub(crate) origin: Option<Uuid>,
}

/// Runs the lines of `input` for a caller, who is known by their token for each of them anew: a request may last for long,
/// and what is taken from them meanwhile is taken from it. Dropping the results stops reading; lines that were
/// read are carried out.
pub(crate) fn run<E: std::error::Error + Send + 'static>(
    app: App,
    sender: Sender,
    input: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> impl Stream<Item = Bytes> + Send {
    let (results, read) = mpsc::channel::<oneshot::Receiver<Bytes>>(LINES_MAX.saturating_add(1));
    tokio::spawn(async move {
        let in_flight = Arc::new(Semaphore::new(LINES_IN_FLIGHT_MAX));
        let bytes = Arc::new(Semaphore::new(
            usize::try_from(IN_FLIGHT_UNITS_MAX).unwrap_or(usize::MAX),
        ));
        let mut order = Order::default();
        let mut lines = std::pin::pin!(lines(input));
        while let Some(line) = lines.next().await {
            let (result, receiver) = oneshot::channel();
            if results.send(receiver).await.is_err() {
                return;
            }
            let units = line.as_ref().map_or(1, |line| line.len() / UNIT_BYTES + 1);
            let units = u32::try_from(units)
                .unwrap_or(IN_FLIGHT_UNITS_MAX)
                .min(IN_FLIGHT_UNITS_MAX);
            let (Ok(permit), Ok(room)) = (
                Arc::clone(&in_flight).acquire_owned().await,
                Arc::clone(&bytes).acquire_many_owned(units).await,
            ) else {
                return;
            };
            let line = line
                .map_err(Refused::unread)
                .and_then(|line| Line::read(&line, &sender));
            let turn = line.as_ref().ok().map(|line| order.turn(line.sent.ticket));
            let (app, token) = (app.clone(), sender.token);
            tokio::spawn(async move {
                let _permits = (permit, room);
                let written = match line {
                    Ok(line) => line.carry_out(&app, token, turn).await,
                    Err(refused) => refused.written(),
                };
                // Nobody reads any more: the command is carried out all the same.
                let _ = result.send(written);
            });
        }
    });
    stream::unfold(read, |mut read| async move {
        loop {
            let receiver = read.recv().await?;
            if let Ok(result) = receiver.await {
                return Some((result, read));
            }
        }
    })
}

/// Who comes after whom: lines for one ticket form a chain.
#[derive(Debug, Default)]
struct Order {
    last: HashMap<TicketId, oneshot::Receiver<()>>,
}

/// A line's place in its ticket's chain.
#[derive(Debug)]
struct Turn {
    before: Option<oneshot::Receiver<()>>,
    /// Dropped when the line is done, which wakes the next.
    _done: oneshot::Sender<()>,
}

impl Order {
    fn turn(&mut self, ticket: TicketId) -> Turn {
        let (done, after) = oneshot::channel();
        Turn {
            before: self.last.insert(ticket, after),
            _done: done,
        }
    }
}

/// A line that can be carried out.
#[derive(Debug)]
struct Line {
    key: String,
    sent: Sent,
}

/// A line that cannot, and the key by which its sender knows it, if it has one.
#[derive(Debug)]
struct Refused {
    key: Option<String>,
    problem: Box<Problem>,
}

impl Refused {
    fn unread(problem: Problem) -> Self {
        Self {
            key: None,
            problem: Box::new(problem),
        }
    }

    fn written(&self) -> Bytes {
        written(
            self.key.as_deref(),
            self.problem.kind.status,
            self.problem.body(Uuid::new_v4()),
        )
    }
}

impl Line {
    fn read(line: &[u8], sender: &Sender) -> Result<Self, Refused> {
        let refused = |key: Option<String>, problem| Refused {
            key,
            problem: Box::new(problem),
        };
        let fields = match service_kit::body::json(line) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err(refused(None, malformed("The line is not a JSON object.".to_owned()))),
            Err(error) => return Err(refused(None, malformed(format!("The line cannot be read: {error}.")))),
        };
        let key = fields.get("key").and_then(Value::as_str).map(str::to_owned);
        Self::from_fields(fields, sender).map_err(|problem| refused(key, problem))
    }

    fn from_fields(mut fields: Map<String, Value>, sender: &Sender) -> Result<Self, Problem> {
        let key = match fields.remove("key") {
            Some(Value::String(key)) if is_key(&key) => key,
            Some(_) => return Err(field("/key", "must be 1 to 255 visible ASCII characters")),
            None => return Err(field("/key", "is required: it makes the line repeatable")),
        };
        let name = match fields.remove("command") {
            Some(Value::String(name)) if name == CommandName::Create.as_str() => CommandName::Create,
            Some(Value::String(name)) => CommandName::parse(&name).ok_or_else(unknown_command)?,
            Some(_) | None => return Err(unknown_command()),
        };
        let ticket = match (name, fields.remove("ticket")) {
            (CommandName::Create, None | Some(Value::Null)) => created_ticket(sender.user, Some(&key)),
            (CommandName::Create, Some(_)) => return Err(field("/ticket", "a create makes its ticket; leave it out")),
            (_, Some(Value::String(ticket))) => named_ticket(&ticket, sender.user)?,
            (_, _) => {
                return Err(field(
                    "/ticket",
                    "must be a ticket's id, or $ and the key of the create",
                ));
            }
        };
        let body = match fields.remove("body") {
            None | Some(Value::Null) => Map::new(),
            Some(body) => object(body)?,
        };
        if let Some(unknown) = fields.keys().next() {
            return Err(malformed(format!(
                "A line has no field {unknown:?}; it takes command, ticket, key and body."
            )));
        }
        let sent = Sent {
            name,
            ticket,
            key: Some(key.clone()),
            if_match: None,
            traceparent: None,
            origin: sender.origin,
            body,
        };
        Ok(Self { key, sent })
    }

    async fn carry_out(self, app: &App, token: TokenHash, turn: Option<Turn>) -> Bytes {
        let mut turn = turn;
        if let Some(before) = turn.as_mut().and_then(|turn| turn.before.take()) {
            // Its sender is dropped when the line before is done, however it ended.
            let _ = before.await;
        }
        let (name, ticket) = (self.sent.name, self.sent.ticket);
        let outcome = async {
            let caller = app.bearer_by_now(token).await?.actor;
            app.carry_out(&caller, self.sent).await
        };
        match outcome.await {
            Ok(outcome) => written(Some(&self.key), status(name), result(name, ticket, &outcome)),
            Err(problem) => Refused {
                key: Some(self.key),
                problem: Box::new(problem),
            }
            .written(),
        }
    }
}

fn status(name: CommandName) -> u16 {
    if name == CommandName::Create { 201 } else { 200 }
}

/// The body of the single answer. Its `status` is the ticket's and moves aside for the
/// result's, which is the HTTP status.
fn result(name: CommandName, ticket: TicketId, outcome: &Outcome) -> Map<String, Value> {
    let mut body = answer(name, ticket, outcome);
    body.insert("ticket_status".to_owned(), outcome.status.as_str().into());
    body.insert("position".to_owned(), outcome.position.to_string().into());
    if outcome.replayed {
        body.insert("replayed".to_owned(), true.into());
    }
    body
}

fn written(key: Option<&str>, status: u16, mut body: Map<String, Value>) -> Bytes {
    body.insert("key".to_owned(), key.into());
    body.insert("status".to_owned(), status.into());
    let mut line = serde_json::to_vec(&body).expect("a map of JSON values is JSON");
    line.push(b'\n');
    line.into()
}

fn named_ticket(text: &str, caller: UserId) -> Result<TicketId, Problem> {
    match text.strip_prefix('$') {
        Some(key) if is_key(key) => Ok(created_ticket(caller, Some(key))),
        Some(_) => Err(field("/ticket", "$ must be followed by the key of a create")),
        None => text
            .parse()
            .map_err(|_| field("/ticket", "must be a ticket's id, or $ and the key of the create")),
    }
}

fn unknown_command() -> Problem {
    let names: Vec<_> = CommandName::ON_TICKET.iter().map(|name| name.as_str()).collect();
    field("/command", &format!("must be one of: create, {}", names.join(", ")))
}

fn field(pointer: &'static str, detail: &str) -> Problem {
    malformed("The line is not a command.".to_owned()).field(FieldError::new(pointer, "invalid", detail))
}

fn malformed(detail: String) -> Problem {
    Problem::new(&types::MALFORMED_REQUEST).detail(detail)
}
