//! Load → decide → append.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::actor::Actor;
use domain::ids::{CommandId, Position, Revision, TicketId, TicketNumber, UserId};
use domain::sla::{Desk, Undecided, decide};
use domain::ticket::{Command, Context, Decision, Event, Rejection, Status, TicketState};
use domain::workflow::Workflow;
use service_kit::clock::whole_microseconds;
use uuid::Uuid;
use wire::{Header, Record, RecordedActor};

use crate::append::{AppendError, Draft, append};
use crate::connection::pause;
use crate::history::{CorruptHistory, HISTORY_RECORDS_MAX, History, Recorded, Tip};
use crate::load::LoadError;
use crate::tickets::{Freshness, Tickets};

/// Writers that keep losing the race for a ticket give up after this many tries. Within one
/// process they queue; this covers a burst from several.
pub(crate) const ATTEMPTS_MAX: u32 = 12;
/// How long a command waits for policies that were not read yet, and how many changes of them it looks at. Reading one
/// takes milliseconds.
const BOOK_WAIT: Duration = Duration::from_secs(1);
const BOOKS_MAX: u32 = 4;
/// The longest pause before another try; the actual one is random, so that two losers part ways.
const CONFLICT_PAUSE_MAX_MICROS: u64 = 20_000;

/// A command's circumstances.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which wish this is. A repetition of the wish carries the same id.
    pub command_id: CommandId,
    /// SHA-256 of what is wished for, so that a reused id is noticed.
    pub digest: [u8; 32],
    /// Who asks.
    pub actor: Arc<Actor>,
    /// The importer, where one acts in the actor's name.
    pub via: Option<UserId>,
    /// When it happened, if an importer says so.
    pub occurred_at: Option<Timestamp>,
    /// Whether waits that begin in the past are due counting from then.
    pub honour_deadlines: bool,
    /// The revision that the ticket must have.
    pub if_match: Option<Revision>,
    /// From where it is asked: the id of an origin. `None`: from within.
    pub origin: Option<Uuid>,
    /// The W3C trace context of the request.
    pub traceparent: Option<String>,
}

impl Request {
    /// A wish for now, in the actor's own name, whatever the revision.
    pub const fn new(command_id: CommandId, digest: [u8; 32], actor: Arc<Actor>) -> Self {
        Self {
            command_id,
            digest,
            actor,
            via: None,
            occurred_at: None,
            honour_deadlines: false,
            if_match: None,
            origin: None,
            traceparent: None,
        }
    }
}

/// A command that was carried out, now or earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The ticket's number.
    pub number: TicketNumber,
    /// The ticket's status after the command.
    pub status: Status,
    /// The ticket's revision after the command.
    pub revision: Revision,
    /// Where the command's record is, or the ticket's last record if it made none.
    pub position: Position,
    /// Names of the events that it made.
    pub events: Vec<&'static str>,
    /// Whether the command had been carried out before.
    pub replayed: bool,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The rules say no.
    #[error("the rules say no")]
    Rejected {
        /// Why.
        rejection: Rejection,
        /// The ticket as it is, if the actor may see it.
        ticket: Option<Box<TicketState>>,
        /// How its organisation's tickets are worked on.
        workflow: Workflow,
    },
    /// The ticket does not have the revision that the caller expects.
    #[error("the ticket is at revision {actual}")]
    RevisionMismatch {
        /// The revision that it has.
        actual: Revision,
    },
    /// The id stands for another command.
    #[error("the key was used for another command")]
    KeyReused,
    /// The ticket has as many records as a ticket may have.
    #[error("the ticket has {HISTORY_RECORDS_MAX} records, as many as a ticket may have; it can only be closed")]
    HistoryTooLong,
    /// Others kept changing the ticket in between. Nothing was written.
    #[error("others kept changing the ticket")]
    Contended,
    /// The log cannot be reached. Nothing was written.
    #[error("the log cannot be reached")]
    Unavailable,
    /// The policies that the ticket is decided by were not read yet. Nothing was written.
    #[error("the policies have not been read from the log yet")]
    PoliciesUnread,
    /// The log did not say whether it took the record. A repetition with the same id finds out.
    #[error("the log did not say whether it took the command")]
    OutcomeUnknown,
    /// The ticket's history contradicts itself. Nothing was written.
    #[error("the history of the ticket contradicts itself")]
    Corrupt(#[source] CorruptHistory),
}

impl From<LoadError> for ExecuteError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unavailable => Self::Unavailable,
            LoadError::Status(status) => {
                tracing::error!(%status, "the log refuses a load");
                Self::Unavailable
            }
        }
    }
}

impl From<AppendError> for ExecuteError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { .. } => Self::Contended,
            AppendError::NotWritten(source) => {
                tracing::warn!(error = %source, "the log did not take a record");
                Self::Unavailable
            }
            AppendError::Unknown => Self::OutcomeUnknown,
        }
    }
}

impl Tickets {
    /// Carries a command out, once, however often it is asked for.
    ///
    /// The order of the checks matters: an earlier record of the same command is its answer,
    /// before `if_match` is looked at; and `if_match` comes before the rules. Every answer that
    /// rests on a history from the cache, and not on an append, is given only after the tip has
    /// been read again.
    pub async fn execute(&self, id: TicketId, command: &Command, request: &Request) -> Result<Outcome, ExecuteError> {
        let create = matches!(command, Command::Create(..));
        let _turn = if create { None } else { Some(self.turn(id).await) };
        let mut unanswered = Vec::new();
        match self.attempt(id, command.clone(), request, &mut unanswered).await {
            // Once the log was silent about a record, only the record itself tells.
            Err(ExecuteError::Unavailable | ExecuteError::Contended) if !unanswered.is_empty() => {
                Err(ExecuteError::OutcomeUnknown)
            }
            result => result,
        }
    }

    /// Notes in `unanswered` which records the log was silent about.
    async fn attempt(
        &self,
        id: TicketId,
        mut command: Command,
        request: &Request,
        unanswered: &mut Vec<Uuid>,
    ) -> Result<Outcome, ExecuteError> {
        let (mut history, mut freshness) = self.begin(id, &command).await?;
        for _ in 0..ATTEMPTS_MAX {
            let settled = match history.recorded(request.command_id) {
                Some(earlier) => Settled::Answer(Box::new(self.repeated(id, &history, earlier, request, unanswered))),
                None => self.settle(id, &history, &mut command, request).await?,
            };
            // What was loaded over a connection that is gone is neither appended to nor answered from.
            let doubtful = self.doubtful(&history);
            match settled {
                Settled::Append(decided) if !doubtful => {
                    match self.append(id, &history, decided, request, unanswered).await {
                        Ok(outcome) => return Ok(outcome),
                        Err(AppendError::Conflict { .. }) => pause(jitter()).await,
                        // The next round finds the record, or sends one that only one of both can win.
                        Err(AppendError::Unknown) if unanswered.len() == 1 => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Settled::Answer(answer) if !doubtful && freshness == Freshness::Confirmed => return *answer,
                Settled::Append(_) | Settled::Answer(_) => {}
            }
            history = self.reload(id, &history).await?;
            freshness = Freshness::Confirmed;
        }
        Err(ExecuteError::Contended)
    }

    fn repeated(
        &self,
        id: TicketId,
        history: &History,
        (revision, earlier): (Revision, &Recorded),
        request: &Request,
        unanswered: &[Uuid],
    ) -> Result<Outcome, ExecuteError> {
        if earlier.digest != request.digest {
            return Err(ExecuteError::KeyReused);
        }
        Ok(Outcome {
            number: number(history),
            status: earlier.status,
            revision,
            position: self.position(id, earlier.sequence),
            events: earlier.events.clone(),
            // What this very call wrote is no repetition, even if it learns so from the history.
            replayed: !unanswered.contains(&earlier.record_id),
        })
    }

    /// What the history and the rules say to the command.
    async fn settle(
        &self,
        id: TicketId,
        history: &History,
        command: &mut Command,
        request: &Request,
    ) -> Result<Settled, ExecuteError> {
        let actual = history.revision();
        if request.if_match.is_some_and(|expected| expected != actual) && visible(history, &request.actor) {
            return Ok(Settled::no(ExecuteError::RevisionMismatch { actual }));
        }
        if let Command::Create(create, _) = command
            && history.ticket().state().is_none()
            && create.number == TicketNumber(0)
        {
            create.number = self.next_number().await?;
        }
        let ctx = Context {
            actor: &request.actor,
            now: self.now(),
            // As the log keeps it, or the state here would not be the one that is read back.
            occurred_at: request.occurred_at.map(whole_microseconds),
            honour_deadlines: request.honour_deadlines,
            policy: self.no_waits(),
        };
        Ok(match self.decide(history, command, &ctx).await? {
            Err(rejection) => Settled::no(self.rejected(rejection, history, &request.actor)),
            Ok(decision) if decision.events.is_empty() => Settled::Answer(Box::new(Ok(self.unchanged(id, history)))),
            Ok(decision) if !self.have_place(&decision) => {
                Settled::no(self.rejected(Rejection::NoProject, history, &request.actor))
            }
            Ok(_) if actual.0 >= HISTORY_RECORDS_MAX && !ends(command) => Settled::no(ExecuteError::HistoryTooLong),
            Ok(decision) => Settled::Append(Decided {
                decision,
                recorded_at: ctx.now,
            }),
        })
    }

    /// What the rules say under the policies in force. Where these were not read yet, or the ticket runs by one that
    /// another process has only just put into force, it waits for them a little.
    async fn decide(
        &self,
        history: &History,
        command: &Command,
        ctx: &Context<'_>,
    ) -> Result<Result<Decision, Rejection>, ExecuteError> {
        let mut books = self.books().watch();
        for _ in 0..BOOKS_MAX {
            if let Some(book) = books.current() {
                let desk = Desk {
                    book: &book,
                    catalogue: &self.books().catalogue(),
                    profiles: self.books().people(),
                };
                let waits = history.ticket().state().and_then(|ticket| book.waits(ticket));
                let ctx = Context {
                    policy: waits.unwrap_or(ctx.policy),
                    ..ctx.clone()
                };
                match decide(&history.promised, history.revision().next(), command, &ctx, &desk) {
                    Ok(decision) => return Ok(Ok(decision)),
                    Err(Undecided::Rejected(rejection)) => return Ok(Err(rejection)),
                    Err(Undecided::UnknownPin(unknown)) => tracing::info!("a policy was not read yet: {unknown}"),
                }
            }
            if tokio::time::timeout(BOOK_WAIT, books.changed()).await.is_err() {
                break;
            }
        }
        Err(ExecuteError::PoliciesUnread)
    }

    /// Whether the project that a ticket goes into is there and takes it, as far as its profile is known here.
    fn have_place(&self, decision: &Decision) -> bool {
        decision.events.iter().all(|event| match event {
            Event::ProjectChanged { project: Some(project) } => self.books().people().takes_tickets(*project),
            _ => true,
        })
    }

    fn rejected(&self, rejection: Rejection, history: &History, actor: &Actor) -> ExecuteError {
        let ticket = history.ticket().state().filter(|_| visible(history, actor));
        let organisation = ticket.and_then(|ticket| ticket.organisation);
        let workflow = self
            .books()
            .current()
            .map(|book| book.agreements().contract(organisation).workflow());
        ExecuteError::Rejected {
            rejection,
            ticket: ticket.cloned().map(Box::new),
            workflow: workflow.unwrap_or(Workflow::USUAL),
        }
    }

    fn unchanged(&self, id: TicketId, history: &History) -> Outcome {
        Outcome {
            number: number(history),
            status: history.ticket().state().map_or(Status::New, |state| state.status),
            revision: history.revision(),
            position: self.position(id, history.tip.sequence),
            events: Vec::new(),
            replayed: false,
        }
    }

    async fn append(
        &self,
        id: TicketId,
        history: &Arc<History>,
        decided: Decided,
        request: &Request,
        unanswered: &mut Vec<Uuid>,
    ) -> Result<Outcome, AppendError> {
        let record = record(id, history, decided, request);
        let record_id = record.header.record_id;
        let bytes = wire::encode(&record).map_err(|error| AppendError::NotWritten(Box::new(error)))?;
        let hash = wire::hash(&bytes);
        let draft = Draft {
            subject: self.subject(id),
            expected: history.tip.sequence,
            record_id,
            record: bytes.into(),
        };
        let appended = append(self.inner(), &draft).await;
        if let Err(error) = &appended {
            self.histories().forget(id);
            match error {
                AppendError::Unknown | AppendError::Conflict { resent: true } => unanswered.push(record_id),
                AppendError::NotWritten(_) | AppendError::Conflict { resent: false } => {}
            }
        }
        let sequence = appended?;
        let mut next = History::clone(history);
        next.push(&record, sequence, hash);
        let outcome = Outcome {
            events: record.events.iter().map(Event::name).collect(),
            ..self.unchanged(id, &next)
        };
        self.histories().keep(id, Arc::new(next));
        Ok(outcome)
    }
}

fn visible(history: &History, actor: &Actor) -> bool {
    history
        .ticket()
        .state()
        .is_some_and(|state| domain::access::may_see(actor, state.audience()))
}

/// What is to be done about a command.
enum Settled {
    Append(Decided),
    Answer(Box<Result<Outcome, ExecuteError>>),
}

impl Settled {
    fn no(error: ExecuteError) -> Self {
        Self::Answer(Box::new(Err(error)))
    }
}

struct Decided {
    decision: Decision,
    recorded_at: Timestamp,
}

fn record(id: TicketId, history: &History, decided: Decided, request: &Request) -> Record<Event> {
    let occurred_at = decided.decision.occurred_at;
    Record {
        header: Header {
            occurred_at,
            ..header(
                id.as_uuid(),
                &history.tip,
                history.revision(),
                request,
                decided.recorded_at,
            )
        },
        events: decided.decision.events,
    }
}

/// The header of the record that follows `tip`, for what happens as it is recorded.
pub(crate) fn header(aggregate_id: Uuid, tip: &Tip, revision: Revision, request: &Request, now: Timestamp) -> Header {
    Header {
        record_id: Uuid::new_v4(),
        aggregate_id,
        command_id: request.command_id,
        digest: request.digest,
        actor: RecordedActor::from(&*request.actor),
        via: request.via,
        occurred_at: now,
        recorded_at: now,
        revision: revision.next(),
        previous_sequence: tip.sequence,
        previous_hash: tip.hash,
        causation: None,
        correlation: request.origin,
        traceparent: request.traceparent.clone(),
    }
}

fn number(history: &History) -> TicketNumber {
    history.ticket().state().map_or(TicketNumber(0), |state| state.number)
}

/// A random pause; the randomness of ids is good enough for it.
pub(crate) fn jitter() -> Duration {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    Duration::from_micros(low % CONFLICT_PAUSE_MAX_MICROS)
}

/// Whether a command leads to a ticket's end. Such a one is taken however long the history is, or the ticket would
/// stay open for ever; after at most three of them it is closed, and takes nothing more.
const fn ends(command: &Command) -> bool {
    matches!(
        command,
        Command::Close(_) | Command::ExpireInformationWait(_) | Command::ExpireClosureWait(_)
    )
}
