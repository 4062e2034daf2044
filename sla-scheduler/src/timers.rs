//! The waits that run, as the read model has them. It may be behind; the log decides.

use std::time::Duration;

use domain::ids::TicketId;
use domain::policy::WaitKind;
use jiff::Timestamp;
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

/// A wait and when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timer {
    pub(crate) wait: Wait,
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
    number: i32,
    due_at: SqlTimestamp,
}

/// The first [`BATCH_MAX`] timers that are due at `now`, in the order of their due times, after `last`.
pub(crate) async fn due(pool: &PgPool, now: Timestamp, last: Option<Timer>) -> Result<Vec<Timer>, ReadError> {
    let rows = sqlx::query_as::<_, TimerRow>(
        "SELECT ticket_id, kind, number, due_at
           FROM desk.ticket_timers
          WHERE due_at <= $1
            AND (due_at, ticket_id) > (COALESCE($2, '-infinity'::timestamptz), $3)
          ORDER BY due_at, ticket_id
          LIMIT $4",
    )
    .bind(now.to_sqlx())
    .bind(last.map(|timer| timer.due_at.to_sqlx()))
    .bind(last.map_or(Uuid::nil(), |timer| timer.wait.ticket.as_uuid()))
    .bind(i64::try_from(BATCH_MAX).unwrap_or(i64::MAX))
    .fetch_all(pool);
    bounded(rows).await?.into_iter().map(Timer::try_from).collect()
}

/// When the next timer that is not due at `now` will be.
pub(crate) async fn next_due(pool: &PgPool, now: Timestamp) -> Result<Option<Timestamp>, ReadError> {
    let next = sqlx::query_scalar::<_, Option<SqlTimestamp>>(
        "SELECT min(due_at)
           FROM desk.ticket_timers
          WHERE due_at > $1",
    )
    .bind(now.to_sqlx())
    .fetch_one(pool);
    Ok(bounded(next).await?.map(SqlTimestamp::to_jiff))
}

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
        let unknown = |column, value| ReadError::Column { ticket, column, value };
        let kind = WaitKind::parse(&row.kind).ok_or_else(|| unknown("kind", row.kind.clone()))?;
        let number = u32::try_from(row.number).map_err(|_| unknown("number", row.number.to_string()))?;
        Ok(Self {
            wait: Wait {
                ticket: ticket.into(),
                kind,
                number,
            },
            due_at: row.due_at.to_jiff(),
        })
    }
}
