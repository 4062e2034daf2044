//! A checked calendar, and the walk through time that answers every question to it.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::ask::{self, Walk, instant};
use super::check::check;
use super::day::Days;
use super::error::{CalendarError, DueError};
use super::spec::{CalendarSpec, Week};

/// How far ahead a due time is looked for. Nobody waits for twenty years; a calendar that has too
/// little work in them is answered with an error instead of a search without an end.
pub const HORIZON: SignedDuration = SignedDuration::from_hours(20 * 365 * 24);

/// Whole weeks in [`HORIZON`], rounded down.
const HORIZON_WEEKS: i64 = 20 * 365 / 7;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 24 * 60 * 60 * MICROS_PER_SECOND;

/// When a desk works. Copies share their contents, so cloning costs nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    spec: CalendarSpec,
    zone: TimeZone,
    days: Days,
}

/// A stretch of time of one kind; see [`Calendar::segments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The first instant inside.
    pub from: Timestamp,
    /// The first instant after.
    pub to: Timestamp,
    /// What it is.
    pub kind: SegmentKind,
}

impl SegmentKind {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::OutsideHours => "outside_hours",
            Self::Holiday => "holiday",
            Self::Closure => "closure",
        }
    }
}

/// What a stretch of time is to a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
    /// Somebody works; only this counts.
    Working,
    /// The date has no hours then.
    OutsideHours,
    /// Any time of a date that is a holiday.
    Holiday,
    /// Hours of the date that a closure took away.
    Closure,
}

impl Calendar {
    /// Checks a calendar and reports everything that is wrong with it.
    pub fn try_new(spec: CalendarSpec) -> Result<Self, Vec<CalendarError>> {
        let zone = check(&spec)?;
        let days = Days::of(&spec);
        if !days.any_work() {
            return Err(vec![CalendarError::NoWorkingTime]);
        }
        Ok(Self(Arc::new(Inner { spec, zone, days })))
    }

    /// Works all the time, in universal time.
    ///
    /// # Panics
    ///
    /// Never: a test makes it.
    pub fn round_the_clock() -> Self {
        Self::try_new(CalendarSpec::weekly("Round the clock", "UTC", Week::round_the_clock()))
            .expect("it is valid: checked by `a_desk_round_the_clock_works_all_the_time`")
    }

    /// What the calendar was made from.
    pub fn spec(&self) -> &CalendarSpec {
        &self.0.spec
    }

    /// When `working` time has passed since `from`: the first instant by which that much was
    /// worked. It can be the very end of an interval, when work stops. No time at all is due at
    /// the first working instant at or after `from`.
    pub fn due(&self, from: Timestamp, working: SignedDuration) -> Result<Timestamp, DueError> {
        ask::due(self, from, working)
    }

    /// How much working time lies from `from` to `to`; none if `to` is not later.
    ///
    /// Looks at every day in between: a caller that takes `to` from a stranger keeps it within
    /// [`HORIZON`] of `from`.
    pub fn elapsed(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        ask::elapsed(self, from, to)
    }

    /// The stretch from `from` to `to` by kind, in order, without a gap; neighbours differ in
    /// kind. Empty if `to` is not later. As many as days or more, so bound `to` as for
    /// [`Calendar::elapsed`].
    pub fn segments(&self, from: Timestamp, to: Timestamp) -> Vec<Segment> {
        ask::segments(self, from, to, usize::MAX).unwrap_or_default()
    }

    /// The working time that is certain to lie within [`HORIZON`] of any instant at all: half of
    /// what so many ordinary weeks have, for the hours that clocks skip and zones drop, less all
    /// that special dates take away.
    pub(crate) fn certain(&self) -> SignedDuration {
        let days = &self.0.days;
        let weeks = days.weekly().saturating_mul(HORIZON_WEEKS) / 2;
        SignedDuration::from_secs(weeks.saturating_sub(days.removed()).max(0))
    }

    /// The first instant of a date in the calendar's zone, in microseconds; of a date that the
    /// zone left out, the first after it.
    pub(super) fn start_of(&self, date: Date) -> i64 {
        let zone = &self.0.zone;
        let midnight = zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0));
        let in_a_gap = matches!(midnight.offset(), AmbiguousOffset::Gap { .. });
        let Ok(at) = midnight.compatible() else {
            // Only the first date that there is begins before the first instant.
            return i64::MIN;
        };
        let gap = in_a_gap
            .then(|| at.checked_add(SignedDuration::from_micros(1)).ok())
            .flatten()
            .and_then(|after| zone.preceding(after).next());
        // Clocks may have jumped from before midnight to after it.
        gap.map_or(at, |gap| gap.timestamp()).as_microsecond()
    }

    /// What to add to universal time for local time at an instant, and the instant from which
    /// that may differ; both in microseconds.
    fn offset(&self, at: i64) -> (i64, i64) {
        let at = instant(at);
        let offset = i64::from(self.0.zone.to_offset(at).seconds()) * MICROS_PER_SECOND;
        let next = self.0.zone.following(at).next();
        (
            offset,
            next.map_or(i64::MAX, |change| change.timestamp().as_microsecond()),
        )
    }
}

impl Walk for Calendar {
    /// Between two changes of the zone's offset the wall clock runs evenly, so each step goes to
    /// the end of the local day or to the next such change, whichever comes first, and always
    /// forwards. That needs no case for a day that is cut, doubled or left out by the clocks.
    fn walk<B>(
        &self,
        from: i64,
        until: i64,
        mut visit: impl FnMut(i64, i64, SegmentKind) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut at = from;
        let (mut offset, mut offset_until) = self.offset(at);
        while at < until {
            if at >= offset_until {
                (offset, offset_until) = self.offset(at);
            }
            let day = at.saturating_add(offset).div_euclid(MICROS_PER_DAY);
            let midnight = day.saturating_mul(MICROS_PER_DAY).saturating_sub(offset);
            let end = midnight.saturating_add(MICROS_PER_DAY).min(offset_until).min(until);
            for strip in self.0.days.get(day) {
                let start = midnight
                    .saturating_add(i64::from(strip.from) * MICROS_PER_SECOND)
                    .max(at);
                let stop = midnight
                    .saturating_add(i64::from(strip.to) * MICROS_PER_SECOND)
                    .min(end);
                if start < stop {
                    visit(start, stop, strip.kind)?;
                }
            }
            at = end;
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_round_the_clock_works_all_the_time() {
        let from: Timestamp = "2026-10-23T17:00:00.000001Z".parse().unwrap();
        let wait = SignedDuration::new(90_061, 2_000);
        assert_eq!(Calendar::round_the_clock().due(from, wait), Ok(from + wait));
    }

    #[test]
    fn copies_of_a_calendar_are_equal_to_it() {
        let calendar = Calendar::round_the_clock();
        assert_eq!(calendar.clone(), calendar);
        assert_eq!(Calendar::round_the_clock(), calendar);
    }
}
