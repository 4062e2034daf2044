//! One day by the wall clock: who works when, and why not.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::spec::{CalendarSpec, Interval, TimeOfDay, WEEKDAYS};
use super::walk::SegmentKind;

/// 1970-01-01, from which days are counted here, was a Thursday.
const EPOCH_FROM_MONDAY: i64 = 3;

/// A stretch of a day of one kind; `from` and `to` are seconds of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strip {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) kind: SegmentKind,
}

/// A day's strips, in order, without a gap from `00:00` to `24:00`.
type Day = Arc<[Strip]>;

/// The strips of every day there is, worked out once when the calendar is made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Days {
    /// Monday first.
    week: [Day; 7],
    /// Days whose strips differ from those of their weekday, by day number.
    special: BTreeMap<i64, Day>,
}

impl Days {
    pub(super) fn of(spec: &CalendarSpec) -> Self {
        let week = WEEKDAYS.map(|day| strips(spec.week.hours(day), &[]));
        let dates = spec
            .holidays
            .iter()
            .chain(spec.overrides.keys())
            .chain(spec.closures.keys());
        let special = dates.map(|date| (number(*date), special(spec, *date))).collect();
        Self { week, special }
    }

    /// The strips of a day, counted from 1970-01-01.
    pub(super) fn get(&self, number: i64) -> &[Strip] {
        self.special
            .get(&number)
            .or_else(|| self.weekday(number))
            .map_or(&[], |day| day)
    }

    /// Seconds of work in an ordinary week by the wall clock.
    pub(super) fn weekly(&self) -> i64 {
        self.week.iter().map(|day| working(day)).sum()
    }

    /// Seconds of work that all special dates together have less than their weekdays.
    pub(super) fn removed(&self) -> i64 {
        let less = |(number, day): (&i64, &Day)| {
            let ordinary = self.weekday(*number).map_or(0, |day| working(day));
            ordinary.saturating_sub(working(day)).max(0)
        };
        self.special.iter().map(less).sum()
    }

    /// Whether anybody ever works.
    pub(super) fn any_work(&self) -> bool {
        self.weekly() > 0 || self.special.values().any(|day| working(day) > 0)
    }

    fn weekday(&self, number: i64) -> Option<&Day> {
        let from_monday = number.saturating_add(EPOCH_FROM_MONDAY).rem_euclid(7);
        usize::try_from(from_monday).ok().and_then(|index| self.week.get(index))
    }
}

/// Days since 1970-01-01.
fn number(date: Date) -> i64 {
    Date::constant(1970, 1, 1).duration_until(date).as_hours() / 24
}

fn special(spec: &CalendarSpec, date: Date) -> Day {
    if spec.holidays.contains(&date) {
        let (from, to) = (TimeOfDay::MIDNIGHT.seconds(), TimeOfDay::END_OF_DAY.seconds());
        return Arc::from([Strip {
            from,
            to,
            kind: SegmentKind::Holiday,
        }]);
    }
    let hours = spec
        .overrides
        .get(&date)
        .map_or_else(|| spec.week.hours(date.weekday()), Vec::as_slice);
    strips(hours, spec.closures.get(&date).map_or(&[], Vec::as_slice))
}

/// Cuts a day at every end of an interval and says of each cut what it is. A closure is named
/// only where it takes hours away: nobody misses a desk that would not have been open.
fn strips(hours: &[Interval], closures: &[Interval]) -> Day {
    let ends = hours
        .iter()
        .chain(closures)
        .flat_map(|interval| [interval.start, interval.end]);
    let mut cuts: Vec<u32> = ends
        .chain([TimeOfDay::MIDNIGHT, TimeOfDay::END_OF_DAY])
        .map(TimeOfDay::seconds)
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let within = |intervals: &[Interval], at: u32| {
        intervals
            .iter()
            .any(|interval| interval.start.seconds() <= at && at < interval.end.seconds())
    };
    let strip = |(&from, &to): (&u32, &u32)| {
        let kind = match (within(hours, from), within(closures, from)) {
            (true, false) => SegmentKind::Working,
            (true, true) => SegmentKind::Closure,
            (false, _) => SegmentKind::OutsideHours,
        };
        Strip { from, to, kind }
    };
    cuts.iter().zip(cuts.iter().skip(1)).map(strip).collect()
}

fn working(day: &[Strip]) -> i64 {
    let work = day.iter().filter(|strip| strip.kind == SegmentKind::Working);
    work.map(|strip| i64::from(strip.to.saturating_sub(strip.from))).sum()
}
