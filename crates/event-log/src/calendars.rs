//! Calendars as the command side holds them: load → decide → append, as for tickets.
//!
//! A calendar is changed a few times a year, so that its history is loaded each time and nothing
//! is kept between commands.

use std::sync::Arc;

use domain::Timestamp;
use domain::calendar::stored::{Change, Command, Rejection, Revised, Version, Versions, decide};
use domain::directory::Event;
use domain::ids::{CalendarId, CommandId, DIRECTORY_PARTITION, Position, Revision};
use uuid::Uuid;
use wire::Record;

use crate::append::{AppendError, append};
use crate::connection::{Inner, pause};
use crate::execute::{ATTEMPTS_MAX, ExecuteError, Request, header, jitter};
use crate::history::{CorruptHistory, Tip};
use crate::load::{Stored, load_current};
use crate::subject::{DIRECTORY_STREAM, calendar_subject};

/// Commands on calendars, and their versions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Calendars {
    inner: Arc<Inner>,
}

/// A command on a calendar that was carried out, now or earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarOutcome {
    /// The calendar's revision after the command: the number of its last version then.
    pub revision: Revision,
    /// What that version says.
    pub version: Version,
    /// How that version came to be.
    pub change: Change,
    /// Where the version's record is.
    pub position: Position,
    /// Whether the command made that version, now or earlier; otherwise there was nothing to do.
    pub made: bool,
    /// Whether the command had been carried out before.
    pub replayed: bool,
}

/// Why a command on a calendar was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// The rules say no.
    #[error("the rules say no")]
    Rejected(#[source] Rejection),
    /// What may happen to any command.
    #[error(transparent)]
    Failed(#[from] ExecuteError),
}

/// All that is known of a calendar from its records. Empty: it does not exist.
#[derive(Debug, Default)]
struct History {
    versions: Versions,
    tip: Tip,
    recorded: Vec<Recorded>,
}

#[derive(Debug)]
struct Recorded {
    record_id: Uuid,
    command_id: CommandId,
    digest: [u8; 32],
    sequence: u64,
    revised: Revised,
}

impl History {
    fn revision(&self) -> Revision {
        Revision(u64::try_from(self.recorded.len()).expect("a length fits in 64 bits"))
    }

    fn read(id: CalendarId, records: Vec<Stored>) -> Result<Self, CorruptHistory> {
        let mut history = Self::default();
        for Stored { sequence, bytes } in records {
            let mut record: Record<Event> =
                wire::decode(&bytes).map_err(|source| CorruptHistory::Unreadable { sequence, source })?;
            let follows = history
                .tip
                .precedes(&record.header, id.as_uuid(), history.revision().next());
            // Each command on a calendar makes one version.
            let (Some(Event::Calendar(revised)), true) = (record.events.pop(), follows && record.events.is_empty())
            else {
                return Err(CorruptHistory::BrokenChain { sequence });
            };
            history.versions = history.versions.evolve(&revised);
            history.tip = Tip {
                sequence,
                hash: wire::hash(&bytes),
            };
            history.recorded.push(Recorded {
                record_id: record.header.record_id,
                command_id: record.header.command_id,
                digest: record.header.digest,
                sequence,
                revised: *revised,
            });
        }
        Ok(history)
    }

    /// What an earlier record with this command id came to, and the revision that it made.
    fn recorded(&self, command_id: CommandId) -> Option<(Revision, &Recorded)> {
        (1..)
            .map(Revision)
            .zip(&self.recorded)
            .find(|(_, recorded)| recorded.command_id == command_id)
    }
}

impl Calendars {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// What the time is.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// A calendar's versions as the log has them now, and its revision. Of a calendar that does
    /// not exist: none, and 0.
    pub async fn versions(&self, id: CalendarId) -> Result<(Versions, Revision), ExecuteError> {
        let history = self.load(id).await?;
        let revision = history.revision();
        Ok((history.versions, revision))
    }

    /// Carries a command out, once, however often it is asked for. The checks come in the order
    /// that [`crate::Tickets::execute`] has: repetition, `if_match`, rules.
    pub async fn execute(
        &self,
        id: CalendarId,
        command: &Command,
        request: &Request,
    ) -> Result<CalendarOutcome, CalendarError> {
        let mut unanswered = Vec::new();
        match self.attempt(id, command, request, &mut unanswered).await {
            // Once the log was silent about a record, only the record itself tells.
            Err(CalendarError::Failed(ExecuteError::Unavailable | ExecuteError::Contended))
                if !unanswered.is_empty() =>
            {
                Err(ExecuteError::OutcomeUnknown.into())
            }
            result => result,
        }
    }

    /// Notes in `unanswered` which records the log was silent about.
    async fn attempt(
        &self,
        id: CalendarId,
        command: &Command,
        request: &Request,
        unanswered: &mut Vec<Uuid>,
    ) -> Result<CalendarOutcome, CalendarError> {
        for _ in 0..ATTEMPTS_MAX {
            let connections = self.inner.connections();
            let history = self.load(id).await?;
            let settled = settle(&history, command, request, unanswered);
            // What was loaded over a connection that is gone is neither appended to nor answered from.
            if self.inner.connections() != connections {
                continue;
            }
            let revised = match settled {
                Settled::Append(revised) => *revised,
                Settled::Answer(answer) => return *answer,
            };
            match self.append(id, &history, revised, request, unanswered).await {
                Ok(outcome) => return Ok(outcome),
                Err(AppendError::Conflict { .. }) => pause(jitter()).await,
                // The next round finds the record, or sends one that only one of both can win.
                Err(AppendError::Unknown) if unanswered.len() == 1 => {}
                Err(error) => return Err(ExecuteError::from(error).into()),
            }
        }
        Err(ExecuteError::Contended.into())
    }

    async fn load(&self, id: CalendarId) -> Result<History, ExecuteError> {
        let records = load_current(&self.inner, DIRECTORY_STREAM, &calendar_subject(id), 0).await?;
        History::read(id, records).map_err(ExecuteError::Corrupt)
    }

    async fn append(
        &self,
        id: CalendarId,
        history: &History,
        revised: Revised,
        request: &Request,
        unanswered: &mut Vec<Uuid>,
    ) -> Result<CalendarOutcome, AppendError> {
        let now = self.inner.clock.now();
        let record = Record {
            header: header(id.as_uuid(), &history.tip, history.revision(), request, now),
            events: vec![Event::Calendar(Box::new(revised.clone()))],
        };
        let record_id = record.header.record_id;
        let bytes = wire::encode(&record).map_err(|error| AppendError::NotWritten(Box::new(error)))?;
        let subject = calendar_subject(id);
        let appended = append(&self.inner, &subject, history.tip.sequence, record_id, bytes.into()).await;
        if let Err(AppendError::Unknown | AppendError::Conflict { resent: true }) = &appended {
            unanswered.push(record_id);
        }
        Ok(CalendarOutcome {
            revision: history.revision().next(),
            version: revised.version,
            change: revised.change,
            position: position(appended?),
            made: true,
            replayed: false,
        })
    }
}

/// What is to be done about a command.
enum Settled {
    Append(Box<Revised>),
    Answer(Box<Result<CalendarOutcome, CalendarError>>),
}

/// What the history and the rules say to the command.
fn settle(history: &History, command: &Command, request: &Request, unanswered: &[Uuid]) -> Settled {
    let answer = |answer| Settled::Answer(Box::new(answer));
    if let Some((revision, earlier)) = history.recorded(request.command_id) {
        if earlier.digest != request.digest {
            return answer(Err(ExecuteError::KeyReused.into()));
        }
        // What this very call wrote is no repetition, even if it learns so from the history.
        let replayed = !unanswered.contains(&earlier.record_id);
        return answer(Ok(CalendarOutcome {
            replayed,
            ..outcome(revision, earlier)
        }));
    }
    let actual = history.revision();
    let exists = history.recorded.last();
    if exists.is_some() && request.if_match.is_some_and(|expected| expected != actual) {
        return answer(Err(ExecuteError::RevisionMismatch { actual }.into()));
    }
    match (decide(&history.versions, command, &request.actor), exists) {
        (Ok(Some(revised)), _) => Settled::Append(Box::new(revised)),
        (Ok(None), Some(last)) => answer(Ok(CalendarOutcome {
            made: false,
            ..outcome(actual, last)
        })),
        (Ok(None), None) => answer(Err(CalendarError::Rejected(Rejection::Absent))),
        (Err(rejection), _) => answer(Err(CalendarError::Rejected(rejection))),
    }
}

fn outcome(revision: Revision, recorded: &Recorded) -> CalendarOutcome {
    CalendarOutcome {
        revision,
        version: recorded.revised.version.clone(),
        change: recorded.revised.change,
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
