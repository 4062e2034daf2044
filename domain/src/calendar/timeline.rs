//! Calendars one after another, each in force from a date on.

use std::ops::ControlFlow;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::ask::{self, Walk, instant};
use super::error::DueError;
use super::walk::{Calendar, Segment, SegmentKind};

/// Working time by the calendar that is in force at each instant.
///
/// A calendar is in force from the first instant of its date, by its own wall clock, until the
/// next; so a stretch that crosses a change counts each side by its own calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// The first instant inside, in microseconds since 1970.
    from: i64,
    calendar: Calendar,
}

impl Timeline {
    /// Calendars in the order in which they were written down. Each takes the place of all
    /// before it from its date on; one without a date, everywhere.
    pub fn of(versions: impl IntoIterator<Item = (Calendar, Option<Date>)>) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for (calendar, effective_from) in versions {
            let from = effective_from.map_or(i64::MIN, |date| calendar.start_of(date));
            pieces.retain(|piece| piece.from < from);
            pieces.push(Piece { from, calendar });
        }
        Self(pieces)
    }

    /// The first instant at which a calendar is in force; `None`: there always was one.
    pub fn begins(&self) -> Option<Timestamp> {
        let from = self.0.first().map_or(i64::MAX, |piece| piece.from);
        (from != i64::MIN).then(|| instant(from))
    }

    /// As [`Calendar::due`].
    pub fn due(&self, from: Timestamp, working: SignedDuration) -> Result<Timestamp, DueError> {
        ask::due(self, from, working)
    }

    /// As [`Calendar::elapsed`].
    pub fn elapsed(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        ask::elapsed(self, from, to)
    }

    /// As [`Calendar::segments`], unless there are more than `most` of them.
    pub fn segments(&self, from: Timestamp, to: Timestamp, most: usize) -> Option<Vec<Segment>> {
        ask::segments(self, from, to, most)
    }
}

impl From<Calendar> for Timeline {
    fn from(calendar: Calendar) -> Self {
        Self::of([(calendar, None)])
    }
}

impl Walk for Timeline {
    /// Before the first calendar nobody works.
    fn walk<B>(
        &self,
        from: i64,
        until: i64,
        mut visit: impl FnMut(i64, i64, SegmentKind) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let first = self.0.first().map_or(i64::MAX, |piece| piece.from);
        if from < first.min(until) {
            visit(from, first.min(until), SegmentKind::OutsideHours)?;
        }
        let ends = self.0.iter().skip(1).map(|piece| piece.from).chain([i64::MAX]);
        for (piece, end) in self.0.iter().zip(ends) {
            piece.calendar.walk(from.max(piece.from), until.min(end), &mut visit)?;
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{CalendarSpec, Interval, Week};

    fn daily(zone: &str, start: u32, end: u32) -> Calendar {
        let week = Week::daily(&[Interval::hours(start, end)]);
        Calendar::try_new(CalendarSpec::weekly("Daily", zone, week)).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// From which date on.
    fn since(text: &str) -> Option<Date> {
        text.parse().ok()
    }

    #[test]
    fn each_side_of_a_change_counts_by_its_own_calendar() {
        let timeline = Timeline::of([(daily("UTC", 9, 17), None), (daily("UTC", 10, 12), since("2026-07-01"))]);
        let (from, to) = (at("2026-06-30T00:00:00Z"), at("2026-07-02T00:00:00Z"));
        assert_eq!(timeline.elapsed(from, to), SignedDuration::from_hours(8 + 2));
        assert_eq!(
            timeline.due(from, SignedDuration::from_hours(9)),
            Ok(at("2026-07-01T11:00:00Z"))
        );
        // By its end the first calendar has given all of it.
        assert_eq!(
            timeline.due(from, SignedDuration::from_hours(8)),
            Ok(at("2026-06-30T17:00:00Z"))
        );
        assert_eq!(timeline.begins(), None);
    }

    #[test]
    fn a_later_calendar_replaces_all_before_it_from_its_date_on() {
        let timeline = Timeline::of([
            (daily("UTC", 9, 17), None),
            (daily("UTC", 10, 12), since("2026-07-01")),
            (daily("UTC", 0, 24), since("2026-06-01")),
        ]);
        let expected = Timeline::of([(daily("UTC", 9, 17), None), (daily("UTC", 0, 24), since("2026-06-01"))]);
        assert_eq!(timeline, expected);
        let everywhere = Timeline::of([(daily("UTC", 9, 17), since("2026-07-01")), (daily("UTC", 0, 24), None)]);
        assert_eq!(everywhere, Timeline::from(daily("UTC", 0, 24)));
    }

    #[test]
    fn before_the_first_calendar_nobody_works() {
        let timeline = Timeline::of([(daily("Europe/Berlin", 0, 24), since("2026-07-01"))]);
        let begins = at("2026-06-30T22:00:00Z");
        assert_eq!(timeline.begins(), Some(begins));
        let due = timeline.due(at("2026-06-01T00:00:00Z"), SignedDuration::from_hours(1));
        assert_eq!(due, Ok(at("2026-06-30T23:00:00Z")));
        let kinds = timeline.segments(at("2026-06-01T00:00:00Z"), at("2026-06-30T23:00:00Z"), 2);
        let kinds: Vec<SegmentKind> = kinds.unwrap().iter().map(|segment| segment.kind).collect();
        assert_eq!(kinds, [SegmentKind::OutsideHours, SegmentKind::Working]);
    }

    #[test]
    fn a_date_begins_where_its_wall_clock_first_shows_it() {
        for (zone, day, start) in [
            ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"),
            // Midnight was skipped.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            // Clocks went from 23:30 of the day before to 00:30.
            ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z"),
            // The whole date was skipped.
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ] {
            let calendar = daily(zone, 0, 24);
            assert_eq!(
                instant(calendar.start_of(day.parse().unwrap())),
                at(start),
                "{zone} {day}"
            );
        }
    }
}
