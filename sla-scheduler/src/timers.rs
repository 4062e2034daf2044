//! The waits and the clocks that run, and the last digest, as the read model has them. It may be behind; the log decides.

use std::time::Duration;

use domain::ids::TicketId;
use domain::policy::WaitKind;
use domain::sla::{self, ClockId, TargetKind, TimerKind};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use sqlx::PgPool;
use uuid::Uuid;

/// Rows that one query reads. Enough that the round trip is lost among their commands, few enough
/// that a backlog of any size takes little memory.
pub(crate) const BATCH_MAX: usize = 500;

/// How long a read may take. It is one look into an index; longer means that the server is gone.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// One wait of one ticket: what a command ends, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wait {
    /// Whose wait it is.
    pub ticket: TicketId,
    /// What the ticket waits for.
    pub kind: WaitKind,
    /// Which of the ticket's waits it is.
    pub number: u32,
}

/// What a command does when its time has come, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Due {
    /// A wait is over: the desk acts.
    Wait(Wait),
    /// A promised time is nearly over, or over.
    Clock {
        /// Whose promise it is.
        ticket: TicketId,
        /// What happens to which clock, and when.
        timer: sla::Timer,
    },
}

impl Due {
    /// The ticket that it happens to.
    pub const fn ticket(&self) -> TicketId {
        match self {
            Self::Wait(wait) => wait.ticket,
            Self::Clock { ticket, .. } => *ticket,
        }
    }

    /// What it is, in messages and metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Wait(wait) => wait.kind.as_str(),
            Self::Clock { timer, .. } => timer.kind.as_str(),
        }
    }
}

/// Something that happens by itself, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timer {
    pub(crate) due: Due,
    pub(crate) due_at: Timestamp,
}

/// Why the timers cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("cannot read the timers")]
    Database(#[source] sqlx::Error),
    #[error("reading the timers took too long")]
    Slow,
    #[error("the timer of ticket {ticket} has a {column} that is not known here: {value}")]
    Column {
        ticket: Uuid,
        column: &'static str,
        value: String,
    },
}

#[derive(sqlx::FromRow)]
struct TimerRow {
    ticket_id: Uuid,
    kind: String,
    target: String,
    number: i32,
    due_at: SqlTimestamp,
}

/// The target of a row that is a wait.
const NO_TARGET: &str = "";

/// The first [`BATCH_MAX`] timers that are due at `now`, in the order of their due times, after `last`. Waits are over at
/// their instant; a clock's timer is over after it, because who answers at it is in time.
pub(crate) async fn due(pool: &PgPool, now: Timestamp, last: Option<Timer>) -> Result<Vec<Timer>, ReadError> {
    let rows = sqlx::query_as::<_, TimerRow>(
        "(SELECT ticket_id, kind, '' AS target, number, due_at
            FROM desk.ticket_timers
           WHERE due_at <= $1
             AND (due_at, ticket_id, '') > (COALESCE($2, '-infinity'::timestamptz), $3, $4)
           ORDER BY due_at, ticket_id
           LIMIT $5)
         UNION ALL
         (SELECT ticket_id, wakes, target, number, wakes_at
            FROM desk.ticket_clocks
           WHERE wakes_at < $1
             AND (wakes_at, ticket_id, target) > (COALESCE($2, '-infinity'::timestamptz), $3, $4)
           ORDER BY wakes_at, ticket_id, target
           LIMIT $5)
         ORDER BY due_at, ticket_id, target
         LIMIT $5",
    )
    .bind(now.to_sqlx())
    .bind(last.map(|timer| timer.due_at.to_sqlx()))
    .bind(last.map_or(Uuid::nil(), |timer| timer.due.ticket().as_uuid()))
    .bind(last.map_or(NO_TARGET, |timer| target(&timer.due)))
    .bind(i64::try_from(BATCH_MAX).unwrap_or(i64::MAX))
    .fetch_all(pool);
    bounded(rows).await?.into_iter().map(Timer::try_from).collect()
}

/// A ticket has at most one running clock of each target.
const fn target(due: &Due) -> &'static str {
    match due {
        Due::Wait(_) => NO_TARGET,
        Due::Clock { timer, .. } => timer.clock.target.as_str(),
    }
}

/// When the next timer that is not due at `now` will be.
pub(crate) async fn next_due(pool: &PgPool, now: Timestamp) -> Result<Option<Timestamp>, ReadError> {
    let next = sqlx::query_as::<_, (Option<SqlTimestamp>, Option<SqlTimestamp>)>(
        "SELECT (SELECT min(due_at) FROM desk.ticket_timers WHERE due_at > $1),
                (SELECT min(wakes_at) FROM desk.ticket_clocks WHERE wakes_at >= $1)",
    )
    .bind(now.to_sqlx())
    .fetch_one(pool);
    let (wait, clock) = bounded(next).await?;
    let clock = clock.map(|at| at.to_jiff().saturating_add(JUST_AFTER).unwrap_or(Timestamp::MAX));
    Ok(wait.map(SqlTimestamp::to_jiff).into_iter().chain(clock).min())
}

/// The last instant of the last digest; `None`: none was drawn yet.
pub(crate) async fn last_digest(pool: &PgPool) -> Result<Option<Timestamp>, ReadError> {
    let last = sqlx::query_scalar::<_, Option<SqlTimestamp>>("SELECT max(ended_at) FROM desk.digests").fetch_one(pool);
    Ok(bounded(last).await?.map(SqlTimestamp::to_jiff))
}

/// How long after its instant a clock's timer is over.
const JUST_AFTER: SignedDuration = SignedDuration::from_micros(1);

async fn bounded<T>(read: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, ReadError> {
    let read = tokio::time::timeout(READ_TIMEOUT, read)
        .await
        .map_err(|_| ReadError::Slow)?;
    read.map_err(ReadError::Database)
}

impl TryFrom<TimerRow> for Timer {
    type Error = ReadError;

    fn try_from(row: TimerRow) -> Result<Self, ReadError> {
        let ticket = row.ticket_id;
        let due_at = row.due_at.to_jiff();
        let unknown = |column, value| ReadError::Column { ticket, column, value };
        let number = u32::try_from(row.number).map_err(|_| unknown("number", row.number.to_string()))?;
        let due = if row.target == NO_TARGET {
            Due::Wait(Wait {
                ticket: ticket.into(),
                kind: WaitKind::parse(&row.kind).ok_or_else(|| unknown("kind", row.kind))?,
                number,
            })
        } else {
            let target = TargetKind::parse(&row.target).ok_or_else(|| unknown("target", row.target))?;
            Due::Clock {
                ticket: ticket.into(),
                timer: sla::Timer {
                    at: due_at,
                    kind: TimerKind::parse(&row.kind).ok_or_else(|| unknown("wakes", row.kind))?,
                    clock: ClockId { target, number },
                },
            }
        };
        Ok(Self { due, due_at })
    }
}
