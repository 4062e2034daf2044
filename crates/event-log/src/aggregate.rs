//! What stands beside the tickets, as the command side holds it: load → decide → append, as for
//! tickets.
//!
//! Calendars, policies and names are changed now and then, so that a history is loaded each time
//! and nothing is kept between commands.

use domain::actor::Actor;
use domain::directory::Event;
use domain::ids::{CommandId, DIRECTORY_PARTITION, Position, Revision};
use uuid::Uuid;
use wire::Record;

use crate::append::{AppendError, Draft, append_with};
use crate::connection::{Inner, pause};
use crate::execute::{ATTEMPTS_MAX, ExecuteError, Request, header, jitter};
use crate::history::{CorruptHistory, Tip};
use crate::load::{Stored, load_current};
use crate::subject::DIRECTORY_STREAM;

/// Things that are decided upon by one history, each command making one fact.
pub(crate) trait Aggregate {
    /// Which thing. Several may share a history.
    type Id: Copy + PartialEq;
    /// A wish to change a thing.
    type Command;
    /// What a record says.
    type Fact: Clone;
    /// What the facts of a history come to.
    type State: Default;
    /// Why a wish is refused.
    type Rejection: Send;

    /// Whether a thing of which nothing was said yet is there all the same, at revision 0.
    const IS_ALWAYS_THERE: bool = false;

    /// Where the thing's history is.
    fn subject(id: Self::Id) -> String;

    /// Whose history it is, as the headers of its records say.
    fn aggregate_id(id: Self::Id) -> Uuid;

    fn event(fact: Self::Fact) -> Event;

    /// `None`: the event is about something else, and has no place in such a history.
    fn fact(event: Event) -> Option<Self::Fact>;

    /// Which thing a fact of the history of `id` is about.
    fn subject_of(id: Self::Id, fact: &Self::Fact) -> Self::Id;

    fn evolve(state: Self::State, fact: &Self::Fact) -> Self::State;

    /// How many facts the thing has. 0: it does not exist.
    fn revision(state: &Self::State, id: Self::Id) -> Revision;

    /// The fact that the command makes; none if it holds already.
    fn decide(
        state: &Self::State,
        id: Self::Id,
        command: &Self::Command,
        actor: &Actor,
    ) -> Result<Option<Self::Fact>, Self::Rejection>;

    /// Records of other histories that the fact needs: they go into the log together with its own, or none does.
    fn companions(
        _inner: &Inner,
        _state: &Self::State,
        _id: Self::Id,
        _fact: &Self::Fact,
        _request: &Request,
    ) -> impl Future<Output = Result<Vec<Draft>, FactError<Self::Rejection>>> + Send {
        std::future::ready(Ok(Vec::new()))
    }
}

/// A command that was carried out, now or earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactOutcome<F> {
    /// The thing's revision after the command: the number of its last version then.
    pub revision: Revision,
    /// What that version's record says.
    pub fact: F,
    /// Where that record is.
    pub position: Position,
    /// Whether the command made that version, now or earlier; otherwise there was nothing to do.
    pub made: bool,
    /// Whether the command had been carried out before.
    pub replayed: bool,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum FactError<R> {
    /// The rules say no.
    #[error("the rules say no")]
    Rejected(#[source] R),
    /// What may happen to any command.
    #[error(transparent)]
    Failed(#[from] ExecuteError),
}

type Answer<A> = Result<FactOutcome<<A as Aggregate>::Fact>, FactError<<A as Aggregate>::Rejection>>;

/// All that is known from a history's records.
pub(crate) struct History<A: Aggregate> {
    pub(crate) state: A::State,
    tip: Tip,
    recorded: Vec<Recorded<A>>,
}

struct Recorded<A: Aggregate> {
    record_id: Uuid,
    command_id: CommandId,
    digest: [u8; 32],
    sequence: u64,
    id: A::Id,
    revision: Revision,
    fact: A::Fact,
}

impl<A: Aggregate> History<A> {
    pub(crate) async fn load(inner: &Inner, id: A::Id) -> Result<Self, ExecuteError> {
        let records = load_current(inner, DIRECTORY_STREAM, &A::subject(id), 0).await?;
        Self::read(id, records).map_err(ExecuteError::Corrupt)
    }

    fn read(id: A::Id, records: Vec<Stored>) -> Result<Self, CorruptHistory> {
        let mut history = Self {
            state: A::State::default(),
            tip: Tip::default(),
            recorded: Vec::with_capacity(records.len()),
        };
        for Stored { sequence, bytes } in records {
            let mut record: Record<Event> =
                wire::decode(&bytes).map_err(|source| CorruptHistory::Unreadable { sequence, source })?;
            let next = history.length().next();
            let follows = history.tip.precedes(&record.header, A::aggregate_id(id), next);
            let fact = record.events.pop().and_then(A::fact);
            let (Some(fact), true) = (fact, follows && record.events.is_empty()) else {
                return Err(CorruptHistory::BrokenChain { sequence });
            };
            let id = A::subject_of(id, &fact);
            history.state = A::evolve(history.state, &fact);
            history.tip = Tip {
                sequence,
                hash: wire::hash(&bytes),
            };
            history.recorded.push(Recorded {
                record_id: record.header.record_id,
                command_id: record.header.command_id,
                digest: record.header.digest,
                sequence,
                id,
                revision: A::revision(&history.state, id),
                fact,
            });
        }
        Ok(history)
    }

    /// The record that a fact of the thing makes, after the last of this history.
    pub(crate) fn draft(
        &self,
        inner: &Inner,
        id: A::Id,
        fact: A::Fact,
        request: &Request,
    ) -> Result<Draft, AppendError> {
        let now = inner.clock.now();
        let record = Record {
            header: header(A::aggregate_id(id), &self.tip, self.length(), request, now),
            events: vec![A::event(fact)],
        };
        let bytes = wire::encode(&record).map_err(|error| AppendError::NotWritten(Box::new(error)))?;
        Ok(Draft {
            subject: A::subject(id),
            expected: self.tip.sequence,
            record_id: record.header.record_id,
            record: bytes.into(),
        })
    }

    fn length(&self) -> Revision {
        Revision(u64::try_from(self.recorded.len()).expect("a length fits in 64 bits"))
    }
}

/// Carries a command out, once, however often it is asked for. The checks come in the order
/// that [`crate::Tickets::execute`] has: repetition, `if_match`, rules.
pub(crate) async fn execute<A: Aggregate>(
    inner: &Inner,
    id: A::Id,
    command: &A::Command,
    request: &Request,
) -> Answer<A> {
    let mut unanswered = Vec::new();
    match attempt::<A>(inner, id, command, request, &mut unanswered).await {
        // Once the log was silent about a record, only the record itself tells.
        Err(FactError::Failed(ExecuteError::Unavailable | ExecuteError::Contended)) if !unanswered.is_empty() => {
            Err(ExecuteError::OutcomeUnknown.into())
        }
        result => result,
    }
}

/// Notes in `unanswered` which records the log was silent about.
async fn attempt<A: Aggregate>(
    inner: &Inner,
    id: A::Id,
    command: &A::Command,
    request: &Request,
    unanswered: &mut Vec<Uuid>,
) -> Answer<A> {
    for _ in 0..ATTEMPTS_MAX {
        let connections = inner.connections();
        let history = History::<A>::load(inner, id).await?;
        let settled = settle(&history, id, command, request, unanswered);
        // What was loaded over a connection that is gone is neither appended to nor answered from.
        if inner.connections() != connections {
            continue;
        }
        let fact = match settled {
            Settled::Append(fact) => fact,
            Settled::Answer(answer) => return answer,
        };
        let companions = A::companions(inner, &history.state, id, &fact, request).await?;
        match record(inner, id, &history, fact, request, &companions, unanswered).await {
            Ok(outcome) => return Ok(outcome),
            Err(AppendError::Conflict { .. }) => pause(jitter()).await,
            // The next round finds the record, or sends one that only one of both can win.
            Err(AppendError::Unknown) if unanswered.len() == 1 => {}
            Err(error) => return Err(ExecuteError::from(error).into()),
        }
    }
    Err(ExecuteError::Contended.into())
}

/// What is to be done about a command.
enum Settled<A: Aggregate> {
    Append(A::Fact),
    Answer(Answer<A>),
}

/// What the history and the rules say to the command.
fn settle<A: Aggregate>(
    history: &History<A>,
    id: A::Id,
    command: &A::Command,
    request: &Request,
    unanswered: &[Uuid],
) -> Settled<A> {
    let mut recorded = history.recorded.iter();
    if let Some(earlier) = recorded.find(|recorded| recorded.command_id == request.command_id) {
        if earlier.digest != request.digest || earlier.id != id {
            return Settled::Answer(Err(ExecuteError::KeyReused.into()));
        }
        return Settled::Answer(Ok(FactOutcome {
            // What this very call wrote is no repetition, even if it learns so from the history.
            replayed: !unanswered.contains(&earlier.record_id),
            ..outcome(earlier)
        }));
    }
    let actual = A::revision(&history.state, id);
    let there = A::IS_ALWAYS_THERE || actual != Revision::default();
    if there && request.if_match.is_some_and(|expected| expected != actual) {
        return Settled::Answer(Err(ExecuteError::RevisionMismatch { actual }.into()));
    }
    match A::decide(&history.state, id, command, &request.actor) {
        Ok(Some(fact)) => Settled::Append(fact),
        Ok(None) => {
            let mut newest_first = history.recorded.iter().rev();
            let last = newest_first.find(|recorded| recorded.id == id);
            Settled::Answer(Ok(FactOutcome {
                made: false,
                ..outcome(last.expect("nothing is to be done only where a fact holds already"))
            }))
        }
        Err(rejection) => Settled::Answer(Err(FactError::Rejected(rejection))),
    }
}

async fn record<A: Aggregate>(
    inner: &Inner,
    id: A::Id,
    history: &History<A>,
    fact: A::Fact,
    request: &Request,
    companions: &[Draft],
    unanswered: &mut Vec<Uuid>,
) -> Result<FactOutcome<A::Fact>, AppendError> {
    let draft = history.draft(inner, id, fact.clone(), request)?;
    let appended = append_with(inner, companions, &draft).await;
    if let Err(AppendError::Unknown | AppendError::Conflict { resent: true }) = &appended {
        unanswered.push(draft.record_id);
    }
    Ok(FactOutcome {
        revision: A::revision(&history.state, id).next(),
        fact,
        position: position(appended?),
        made: true,
        replayed: false,
    })
}

fn outcome<A: Aggregate>(recorded: &Recorded<A>) -> FactOutcome<A::Fact> {
    FactOutcome {
        revision: recorded.revision,
        fact: recorded.fact.clone(),
        position: position(recorded.sequence),
        made: true,
        replayed: false,
    }
}

fn position(sequence: u64) -> Position {
    Position {
        partition: DIRECTORY_PARTITION,
        sequence,
    }
}
