//! Promised times between their rows and the domain's clocks. Events change a clock by the domain's own `evolve`; a row
//! keeps what that needs to go on, and not where every minute went.

use std::collections::{BTreeSet, HashMap};

use domain::ids::Revision;
use domain::policy::WaitLength;
use domain::sla::{Cancellation, Clock, ClockId, Edition, Ended, Marks, Pause, PauseReason, Pin, TargetKind, Terms};
use domain::text::Code;
use domain::ticket::{Event, Status};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use uuid::Uuid;
use wire::Record;

use super::rows::ClockRow;
use super::ticket::{CorruptRow, corrupt, signed, unsigned};
use crate::projections::PoisonReason;

const TABLE: &str = "ticket_clocks";

/// The clocks that a fold knows, and which of them have changed.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    known: HashMap<(Uuid, ClockId), Clock>,
    changed: BTreeSet<(Uuid, ClockId)>,
}

impl Clocks {
    /// Those of these rows.
    pub(super) fn of(rows: Vec<ClockRow>) -> Result<Self, CorruptRow> {
        let known = rows.into_iter().map(|row| {
            let ticket = row.ticket_id;
            let clock = clock(row)?;
            Ok(((ticket, clock.id), clock))
        });
        Ok(Self {
            known: known.collect::<Result<_, CorruptRow>>()?,
            changed: BTreeSet::new(),
        })
    }

    /// Applies what a record says of clocks. `last_at`: the greatest time of the ticket's records before it.
    pub(super) fn apply(&mut self, record: &Record<Event>, last_at: Option<Timestamp>) -> Result<(), PoisonReason> {
        let header = &record.header;
        let at = last_at.map_or(header.occurred_at, |last| last.max(header.occurred_at));
        for event in record.events.iter().filter_map(Event::sla) {
            let key = (header.aggregate_id, event.clock());
            if let Some(clock) = Clock::start(event, at, header.revision) {
                self.known.insert(key, clock);
            } else {
                let clock = self.known.get_mut(&key);
                let clock = clock.ok_or(PoisonReason::Creation { event: event.name() })?;
                clock.evolve(event, at, header.revision);
            }
            self.changed.insert(key);
        }
        Ok(())
    }

    /// The rows of what has changed since this was called last.
    pub(super) fn take_rows(&mut self, partition: u16) -> Vec<ClockRow> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let clocks = changed.filter_map(|key| Some((key.0, self.known.get(&key)?)));
        clocks.map(|(ticket, clock)| row(ticket, partition, clock)).collect()
    }
}

fn row(ticket: Uuid, partition: u16, clock: &Clock) -> ClockRow {
    let Terms { pin, within, .. } = &clock.terms;
    let counts = match within {
        WaitLength::Working(_) => "working",
        WaitLength::Elapsed(_) => "elapsed",
    };
    let pause = clock.pause();
    let timer = clock.timers().min();
    ClockRow {
        ticket_id: ticket,
        partition: partition.into(),
        target: clock.id.target.as_str().to_owned(),
        number: clock.id.number.cast_signed(),
        policy: pin.policy.id.to_string(),
        policy_version: pin.policy.version.into(),
        calendar: pin.calendar.id.to_string(),
        calendar_version: pin.calendar.version.into(),
        counts: counts.to_owned(),
        within_micros: i64::try_from(within.duration().as_micros()).unwrap_or(i64::MAX),
        started_at: clock.started_at.to_sqlx(),
        started_by: signed(clock.started_by.0),
        paused_in: pause.map(|pause| paused_in(pause.reason).to_owned()),
        paused_at: pause.map(|pause| pause.from.to_sqlx()),
        paused_by: pause.map(|pause| signed(pause.by.0)),
        warn_at: clock.marks.warn_at.map(Timestamp::to_sqlx),
        due_at: clock.marks.due_at.map(Timestamp::to_sqlx),
        warned_at: clock.warned_at.map(Timestamp::to_sqlx),
        breached_at: clock.breached_at.map(Timestamp::to_sqlx),
        ended_at: clock.ended.map(|ended| ended.at.to_sqlx()),
        ended_by: clock.ended.map(|ended| signed(ended.by.0)),
        cancelled: clock
            .ended
            .and_then(|ended| ended.cancelled)
            .map(|why| why.as_str().to_owned()),
        wakes: timer.map(|timer| timer.kind.as_str().to_owned()),
        wakes_at: timer.map(|timer| timer.at.to_sqlx()),
    }
}

/// A clock that was withdrawn has ended, so that a pause that lasts is one of a status.
const fn paused_in(reason: PauseReason) -> &'static str {
    match reason {
        PauseReason::Status(status) => status.as_str(),
        PauseReason::Withdrawn => "withdrawn",
    }
}

/// The clock as it goes on. What it was paused for before, and by what terms it counted, is not in the row: nothing
/// that happens to it depends on that.
fn clock(row: ClockRow) -> Result<Clock, CorruptRow> {
    let corrupt = |column| corrupt(TABLE, column);
    let target = TargetKind::parse(&row.target).ok_or(corrupt("target"))?;
    let duration = SignedDuration::from_micros(row.within_micros);
    let within = match row.counts.as_str() {
        "working" => WaitLength::Working(duration),
        "elapsed" => WaitLength::Elapsed(duration),
        _ => return Err(corrupt("counts")),
    };
    let version = |version: i64, column| u32::try_from(version).map_err(|_| corrupt(column));
    let pin = Pin {
        policy: Edition {
            id: Code::new(&row.policy),
            version: version(row.policy_version, "policy_version")?,
        },
        calendar: Edition {
            id: Code::new(&row.calendar),
            version: version(row.calendar_version, "calendar_version")?,
        },
    };
    let revision = |revision, column| unsigned(revision, TABLE, column).map(Revision);
    let pause = match (row.paused_in, row.paused_at, row.paused_by) {
        (Some(status), Some(from), Some(by)) => Some(Pause {
            from: from.to_jiff(),
            to: None,
            by: revision(by, "paused_by")?,
            reason: PauseReason::Status(Status::parse(&status).ok_or(corrupt("paused_in"))?),
        }),
        _ => None,
    };
    let cancelled = row
        .cancelled
        .map(|why| Cancellation::parse(&why).ok_or(corrupt("cancelled")))
        .transpose()?;
    let ended = match (row.ended_at, row.ended_by) {
        (Some(at), Some(by)) => Some(Ended {
            at: at.to_jiff(),
            by: revision(by, "ended_by")?,
            cancelled,
        }),
        _ => None,
    };
    let started_at = row.started_at.to_jiff();
    Ok(Clock {
        id: ClockId {
            target,
            number: row.number.cast_unsigned(),
        },
        started_at,
        started_by: revision(row.started_by, "started_by")?,
        earlier: Vec::new(),
        terms: Terms {
            from: started_at,
            pin,
            within,
        },
        pauses: pause.into_iter().collect(),
        marks: Marks {
            warn_at: row.warn_at.map(jiff_sqlx::Timestamp::to_jiff),
            due_at: row.due_at.map(jiff_sqlx::Timestamp::to_jiff),
        },
        warned_at: row.warned_at.map(jiff_sqlx::Timestamp::to_jiff),
        breached_at: row.breached_at.map(jiff_sqlx::Timestamp::to_jiff),
        ended,
    })
}
