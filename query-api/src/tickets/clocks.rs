//! A ticket's clocks, put together again from its timeline.

use std::collections::HashMap;

use domain::calendar::WorkingTime;
use domain::ids::Revision;
use domain::policy::WaitLength;
use domain::sla::{
    Cancellation, ClockId, Clocks, Counting, Edition, Marks, Pin, ReEvaluation, SlaEvent, TargetKind, Why,
};
use domain::ticket::Status;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgPool;

use super::timeline::Found;
use crate::feed::details::{
    self, CancelledBecause, CountedBefore, CountedTime, ReEvaluatedBecause, SlaBreached, SlaCancelled, SlaFulfilled,
    SlaPaused, SlaReEvaluated, SlaResumed, SlaStarted, SlaWarned, Target,
};

/// What the timeline says of clocks, with the times of everything else, because clocks do not run backwards.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    revision: i64,
    event: String,
    occurred_at: jiff_sqlx::Timestamp,
    details: Option<Value>,
}

/// The clocks of a ticket, and what else its explanation needs.
#[derive(Debug, Default)]
pub(super) struct Promised {
    pub(super) clocks: Clocks,
    /// The first event of each record that is about more than clocks.
    pub(super) causes: HashMap<Revision, String>,
}

/// The read model says something about clocks that no projector of this release writes.
#[derive(Debug, thiserror::Error)]
#[error("the timeline's event {event} cannot be read")]
pub(super) struct Unreadable {
    event: String,
    #[source]
    source: Option<serde_json::Error>,
}

/// Why the clocks cannot be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClocksError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// The clocks as the records up to that revision left them.
pub(super) async fn clocks(db: &PgPool, ticket: Found) -> Result<Promised, ClocksError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT revision, event, occurred_at, CASE WHEN event LIKE 'sla\\_%' THEN details END AS details
         FROM desk.timeline
         WHERE ticket_id = $1 AND revision <= $2
         ORDER BY revision, place",
    )
    .bind(ticket.id)
    .bind(ticket.revision)
    .fetch_all(db)
    .await?;
    let mut promised = Promised::default();
    for record in rows.chunk_by(|one, next| one.revision == next.revision) {
        promised.take(record)?;
    }
    Ok(promised)
}

impl Promised {
    fn take(&mut self, record: &[Row]) -> Result<(), Unreadable> {
        // A breach that somebody recorded along happened before the record; the latest of its events is the record's.
        let occurred_at = record.iter().map(|row| row.occurred_at.to_jiff()).max();
        let Some((first, occurred_at)) = record.first().zip(occurred_at) else {
            return Ok(());
        };
        let by = Revision(first.revision.unsigned_abs());
        let mut of_clocks = Vec::new();
        for row in record {
            match &row.details {
                Some(details) => of_clocks.extend(event(&row.event, details)?),
                None => {
                    self.causes.entry(by).or_insert_with(|| row.event.clone());
                }
            }
        }
        self.clocks.record(occurred_at, by, &of_clocks);
        Ok(())
    }
}

/// `None`: it changes no clock.
fn event(name: &str, details: &Value) -> Result<Option<SlaEvent>, Unreadable> {
    let unknown = || Unreadable {
        event: name.to_owned(),
        source: None,
    };
    Ok(Some(match name {
        "sla_started" => {
            let said: SlaStarted = read(name, details)?;
            SlaEvent::Started {
                clock: id(said.target, said.number),
                pin: pin(&said.policy, &said.calendar),
                within: length(said.time, &said.within).ok_or_else(unknown)?,
                marks: marks(said.warn_at, said.due_at),
            }
        }
        "sla_paused" => {
            let said: SlaPaused = read(name, details)?;
            SlaEvent::Paused {
                clock: id(said.target, said.number),
                status: Status::parse(&said.status).ok_or_else(unknown)?,
            }
        }
        "sla_resumed" => {
            let said: SlaResumed = read(name, details)?;
            SlaEvent::Resumed {
                clock: id(said.target, said.number),
                marks: marks(said.warn_at, said.due_at),
            }
        }
        "sla_fulfilled" => {
            let said: SlaFulfilled = read(name, details)?;
            let clock = id(said.target, said.number);
            SlaEvent::Fulfilled { clock }
        }
        "sla_cancelled" => {
            let said: SlaCancelled = read(name, details)?;
            SlaEvent::Cancelled {
                clock: id(said.target, said.number),
                why: match said.why {
                    CancelledBecause::Resolved => Cancellation::Resolved,
                    CancelledBecause::Withdrawn => Cancellation::Withdrawn,
                },
            }
        }
        "sla_warned" => {
            let said: SlaWarned = read(name, details)?;
            let clock = id(said.target, said.number);
            SlaEvent::Warned { clock, at: said.at }
        }
        "sla_breached" => {
            let said: SlaBreached = read(name, details)?;
            let clock = id(said.target, said.number);
            SlaEvent::Breached { clock, at: said.at }
        }
        "sla_re_evaluated" => re_evaluated(&read(name, details)?).ok_or_else(unknown)?,
        "sla_notice_due" => return Ok(None),
        _ => return Err(unknown()),
    }))
}

fn read<T: DeserializeOwned>(event: &str, details: &Value) -> Result<T, Unreadable> {
    serde_json::from_value(details.clone()).map_err(|error| Unreadable {
        event: event.to_owned(),
        source: Some(error),
    })
}

fn re_evaluated(said: &SlaReEvaluated) -> Option<SlaEvent> {
    let SlaReEvaluated { from, to, .. } = said;
    Some(SlaEvent::ReEvaluated(Box::new(ReEvaluation {
        clock: id(said.target, said.number),
        why: match said.why {
            ReEvaluatedBecause::TicketChanged => Why::TicketChanged,
            ReEvaluatedBecause::Asked => Why::Asked,
        },
        counting: match said.counting {
            CountedBefore::Kept => Counting::Kept,
            CountedBefore::Afresh => Counting::Afresh,
        },
        from: pin(&from.policy, &from.calendar),
        to: pin(&to.policy, &to.calendar),
        within: length(to.time, &to.within)?,
        before: marks(from.warn_at, from.due_at),
        marks: marks(to.warn_at, to.due_at),
    })))
}

fn id(target: Target, number: u32) -> ClockId {
    let target = match target {
        Target::FirstResponse => TargetKind::FirstResponse,
        Target::NextResponse => TargetKind::NextResponse,
        Target::Resolution => TargetKind::Resolution,
    };
    ClockId { target, number }
}

fn pin(policy: &details::Edition, calendar: &details::Edition) -> Pin {
    let edition = |said: &details::Edition| Edition::new(&said.id, said.version);
    Pin {
        policy: edition(policy),
        calendar: edition(calendar),
    }
}

fn length(time: CountedTime, within: &str) -> Option<WaitLength> {
    let WorkingTime(length) = WorkingTime::parse(within).ok()?;
    Some(match time {
        CountedTime::Working => WaitLength::Working(length),
        CountedTime::Elapsed => WaitLength::Elapsed(length),
    })
}

fn marks(warn_at: Option<Timestamp>, due_at: Option<Timestamp>) -> Marks {
    Marks { warn_at, due_at }
}
