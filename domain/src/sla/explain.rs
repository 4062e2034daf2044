//! Where every minute of a clock went.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::book::{Book, UnknownPin};
use super::clock::{Clock, PauseReason, Piece};
use super::clocks::Clocks;
use super::event::ClockId;
use super::policy::{Pin, SlaPolicy};
use crate::calendar::{Calendar, Segment, SegmentKind};
use crate::ids::Revision;
use crate::policy::WaitLength;

/// How a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockState {
    /// It runs, though perhaps not at this hour.
    Running,
    /// It stands still in the ticket's status.
    Paused,
    /// The desk did in time what it had promised.
    Met,
    /// The time was over before that, whether it has been done since or not.
    Breached,
    /// Nobody waits for it any more.
    Cancelled,
}

impl ClockState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Running, Self::Paused, Self::Met, Self::Breached, Self::Cancelled];

    /// Its name in JSON and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Met => "met",
            Self::Breached => "breached",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A clock at an instant, with the reason for everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Which clock.
    pub clock: ClockId,
    /// How it stands.
    pub state: ClockState,
    /// The versions of policy and calendar that it runs by.
    pub pin: Pin,
    /// The time allowed.
    pub within: WaitLength,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it warns, or warned last.
    pub warn_at: Option<Timestamp>,
    /// When it is due if it goes on as it does, or was when it ended; none if it stands still with
    /// time left, or did when it ended.
    pub due_at: Option<Timestamp>,
    /// When its time was over.
    pub breached_at: Option<Timestamp>,
    /// How much of the time has elapsed: the sum of the running parts.
    pub elapsed: SignedDuration,
    /// How much is left; negative beyond it.
    pub remaining: SignedDuration,
    /// From its start to its end or now, in order, without a gap; neighbours differ.
    pub parts: Vec<Part>,
}

/// A stretch of time with one reason why it counts or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first instant inside.
    pub from: Timestamp,
    /// The first instant after.
    pub to: Timestamp,
    /// Why.
    pub kind: PartKind,
}

/// Why a stretch of time counts or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// It counts.
    Running,
    /// The clock stood still, whatever the hour.
    Paused {
        /// The record that began it.
        by: Revision,
        /// Why.
        reason: PauseReason,
    },
    /// Nobody works then.
    OutsideHours,
    /// Nobody works on this date.
    Holiday(Date),
    /// The desk was closed for once in hours of this date.
    Closure(Date),
}

impl PartKind {
    /// The names of all of them.
    pub const NAMES: [&str; 5] = ["running", "paused", "outside_hours", "holiday", "closure"];

    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused { .. } => "paused",
            Self::OutsideHours => "outside_hours",
            Self::Holiday(_) => "holiday",
            Self::Closure(_) => "closure",
        }
    }
}

impl Clocks {
    /// Explains every clock, in the order in which they started. For an instant of the past, apply
    /// the records up to it and no more.
    ///
    /// Looks at every day of their lives.
    pub fn explain(&self, now: Timestamp, book: &Book) -> Result<Vec<Explanation>, UnknownPin> {
        self.explain_by(now, |pin| book.pinned(pin).map(SlaPolicy::calendar))
    }

    /// The same with the calendar of each pin, of which nothing else is needed.
    pub fn explain_by<'h, E>(
        &self,
        now: Timestamp,
        hours: impl Fn(&Pin) -> Result<&'h Calendar, E> + Copy,
    ) -> Result<Vec<Explanation>, E> {
        self.iter().map(|clock| explain(clock, self.at(now), hours)).collect()
    }
}

/// At an instant not before its last record.
fn explain<'h, E>(
    clock: &Clock,
    now: Timestamp,
    hours: impl Fn(&Pin) -> Result<&'h Calendar, E>,
) -> Result<Explanation, E> {
    let mut parts: Vec<Part> = Vec::new();
    for piece in clock.pieces(now) {
        for part in attribute(&piece, hours(&piece.terms.pin)?) {
            match parts.last_mut() {
                Some(last) if last.kind == part.kind => last.to = part.to,
                Some(_) | None => parts.push(part),
            }
        }
    }
    let elapsed = parts
        .iter()
        .filter(|part| part.kind == PartKind::Running)
        .map(|part| part.from.duration_until(part.to))
        .fold(SignedDuration::ZERO, SignedDuration::saturating_add);
    let breached_at = breached_at(clock, now);
    Ok(Explanation {
        clock: clock.id,
        state: state(clock, breached_at),
        pin: clock.terms.pin.clone(),
        within: clock.terms.within,
        started_at: clock.started_at,
        ended_at: clock.ended.map(|ended| ended.at),
        warn_at: clock.marks.warn_at.or(clock.warned_at),
        due_at: clock.marks.due_at,
        breached_at,
        elapsed,
        remaining: clock.terms.within.duration().saturating_sub(elapsed),
        parts,
    })
}

/// What the clock's breach is to whoever looks at it now: a scheduler that is late changes no
/// answer.
pub(super) fn breached_at(clock: &Clock, now: Timestamp) -> Option<Timestamp> {
    let passed = || clock.marks.due_at.filter(|due| clock.is_open() && *due < now);
    clock.breached_at.or_else(passed)
}

pub(super) fn state(clock: &Clock, breached_at: Option<Timestamp>) -> ClockState {
    match clock.ended {
        _ if breached_at.is_some() => ClockState::Breached,
        Some(ended) if ended.cancelled.is_some() => ClockState::Cancelled,
        Some(_) => ClockState::Met,
        None if clock.pause().is_some() => ClockState::Paused,
        None => ClockState::Running,
    }
}

/// A pause is a pause at any hour; else the calendar says what the time was.
fn attribute(piece: &Piece<'_>, calendar: &Calendar) -> Vec<Part> {
    let whole = |kind| {
        vec![Part {
            from: piece.from,
            to: piece.to,
            kind,
        }]
    };
    match (piece.pause, piece.terms.within) {
        (Some(pause), _) => whole(PartKind::Paused {
            by: pause.by,
            reason: pause.reason,
        }),
        (None, WaitLength::Elapsed(_)) => whole(PartKind::Running),
        (None, WaitLength::Working(_)) => {
            let zone = TimeZoneDatabase::bundled().get(&calendar.spec().time_zone);
            // The calendar was checked, so its zone is known.
            let zone = zone.unwrap_or(TimeZone::UTC);
            let segments = calendar.segments(piece.from, piece.to);
            segments
                .into_iter()
                .flat_map(|segment| by_date(segment, &zone))
                .collect()
        }
    }
}

/// Tells neighbouring holidays and closures apart, which the calendar joins.
fn by_date(segment: Segment, zone: &TimeZone) -> Vec<Part> {
    let Segment { from, to, kind } = segment;
    let dated: fn(Date) -> PartKind = match kind {
        SegmentKind::Working => {
            return vec![Part {
                from,
                to,
                kind: PartKind::Running,
            }];
        }
        SegmentKind::OutsideHours => {
            let kind = PartKind::OutsideHours;
            return vec![Part { from, to, kind }];
        }
        SegmentKind::Holiday => PartKind::Holiday,
        SegmentKind::Closure => PartKind::Closure,
    };
    let mut parts: Vec<Part> = Vec::new();
    let mut at = from;
    while at < to {
        let date = zone.to_datetime(at).date();
        let next = date
            .tomorrow()
            .ok()
            .and_then(|tomorrow| tomorrow.to_zoned(zone.clone()).ok())
            // Clocks that go back over midnight show a date twice; time goes on all the same.
            .map(|midnight| midnight.timestamp())
            .filter(|midnight| *midnight > at && *midnight < to)
            .unwrap_or(to);
        parts.push(Part {
            from: at,
            to: next,
            kind: dated(date),
        });
        at = next;
    }
    parts
}
