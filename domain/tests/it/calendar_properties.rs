//! Working time against a second implementation that looks at every minute, over random
//! calendars around the instants at which real zones changed their clocks.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::calendar::{Calendar, CalendarSpec, HORIZON, Interval, SegmentKind, TimeOfDay, Week};
use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Span};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Zones with an instant near which something happens to their clocks.
const CHANGES: [(&str, &str); 13] = [
    ("UTC", "2026-06-05T00:00:00Z"),
    ("Asia/Kathmandu", "2026-06-05T00:00:00Z"),
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    // Half an hour only.
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    // At one minute past midnight: a date is left, entered and left again.
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    // At midnight: a day without its first hour, and one with 25 hours up to its end.
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
    // A whole day was left out.
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    // Clocks went from 23:30 to 00:30.
    ("America/Toronto", "1919-03-31T04:30:00Z"),
    // Leap days, one of them of a century.
    ("Europe/Moscow", "2028-02-29T09:00:00Z"),
    ("America/New_York", "2000-02-29T17:00:00Z"),
    // The zone itself moved.
    ("Europe/Moscow", "2014-10-25T22:00:00Z"),
];

/// The minute-by-minute search stops here; so far the two are compared.
const COMPARED: SignedDuration = SignedDuration::from_hours(12 * 24);

const MINUTE: i64 = 60_000_000;

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) spec: CalendarSpec,
    pub(crate) from: Timestamp,
    /// How long after `from` to look, and how much working time to wait for.
    pub(crate) stretch: SignedDuration,
    pub(crate) working: SignedDuration,
}

/// Up to three intervals of whole minutes that do not overlap.
fn day() -> impl Strategy<Value = Vec<Interval>> {
    vec(0_u32..=1440, 0..=6).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts.dedup();
        let pairs = cuts.chunks_exact(2);
        pairs
            .map(|pair| Interval {
                start: minute(pair[0]),
                end: minute(pair[1]),
            })
            .collect()
    })
}

fn minute(minute: u32) -> TimeOfDay {
    TimeOfDay::parse(&format!("{:02}:{:02}", minute / 60, minute % 60)).unwrap()
}

fn week() -> impl Strategy<Value = Week> {
    prop_oneof![
        vec(day(), 7).prop_map(
            |days| (0_i8..).zip(days).fold(Week::default(), |week, (offset, hours)| {
                week.with(Weekday::from_monday_zero_offset(offset).unwrap(), hours)
            })
        ),
        day().prop_map(|hours| Week::daily(&hours)),
        Just(Week::round_the_clock()),
    ]
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let hours_by_day = || vec((-6_i32..=6, day()), 0..3);
    let micros = |most: SignedDuration| 0..=i64::try_from(most.as_micros()).unwrap();
    let around = micros(SignedDuration::from_hours(10 * 24));
    let short = micros(SignedDuration::from_hours(30));
    (
        select(CHANGES.as_slice()),
        week(),
        vec(-6_i32..=6, 0..3),
        hours_by_day(),
        hours_by_day(),
        around.clone(),
        around,
        short,
    )
        .prop_map(
            |((zone, change), week, holidays, overrides, closures, before, stretch, working)| {
                let change: Timestamp = change.parse().unwrap();
                let date = |days: i32| -> Date { zone_of(zone).to_datetime(change).date() + Span::new().days(days) };
                let dated = |days: Vec<(i32, Vec<Interval>)>| -> BTreeMap<Date, Vec<Interval>> {
                    days.into_iter().map(|(days, hours)| (date(days), hours)).collect()
                };
                let spec = CalendarSpec {
                    holidays: holidays.into_iter().map(date).collect(),
                    overrides: dated(overrides),
                    closures: dated(closures),
                    ..CalendarSpec::weekly("Random", zone, week)
                };
                // From five days before the change to five after it.
                let from = change + SignedDuration::from_hours(5 * 24) - SignedDuration::from_micros(before);
                let (stretch, working) = (
                    SignedDuration::from_micros(stretch),
                    SignedDuration::from_micros(working),
                );
                Case {
                    spec,
                    from,
                    stretch,
                    working,
                }
            },
        )
        .prop_filter("the calendar has no working time", |case| {
            Calendar::try_new(case.spec.clone()).is_ok()
        })
}

pub(crate) fn zone_of(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// The definition itself: what does the wall clock show, and does anybody work then?
pub(crate) fn works(spec: &CalendarSpec, zone: &TimeZone, at: Timestamp) -> bool {
    let local = zone.to_datetime(at);
    let time = i64::from(local.hour()) * 3600 + i64::from(local.minute()) * 60 + i64::from(local.second());
    let within = |intervals: &[Interval]| {
        intervals
            .iter()
            .any(|it| i64::from(it.start.seconds()) <= time && time < i64::from(it.end.seconds()))
    };
    let date = local.date();
    let ordinary = || within(spec.week.hours(local.weekday()));
    !spec.holidays.contains(&date)
        && spec.overrides.get(&date).map_or_else(ordinary, |hours| within(hours))
        && !spec.closures.get(&date).is_some_and(|hours| within(hours))
}

/// Every minute, or part of one, between two instants, and whether it is worked.
fn minutes(spec: &CalendarSpec, from: Timestamp, to: Timestamp) -> impl Iterator<Item = (i64, i64, bool)> {
    let zone = zone_of(&spec.time_zone);
    let end = to.as_microsecond();
    let mut at = from.as_microsecond();
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let start = at;
        at = ((start.div_euclid(MINUTE) + 1) * MINUTE).min(end);
        Some((
            start,
            at,
            works(spec, &zone, Timestamp::from_microsecond(start).unwrap()),
        ))
    })
}

fn slow_elapsed(spec: &CalendarSpec, from: Timestamp, to: Timestamp) -> SignedDuration {
    let worked = minutes(spec, from, to).filter(|(_, _, works)| *works);
    SignedDuration::from_micros(worked.map(|(start, end, _)| end - start).sum())
}

fn slow_due(spec: &CalendarSpec, from: Timestamp, working: SignedDuration) -> Option<Timestamp> {
    let mut left = i64::try_from(working.as_micros()).unwrap();
    for (start, end, _) in minutes(spec, from, from + COMPARED).filter(|(_, _, works)| *works) {
        if left <= end - start {
            return Some(Timestamp::from_microsecond(start + left).unwrap());
        }
        left -= end - start;
    }
    None
}

proptest! {
    #[test]
    fn elapsed_time_is_what_counting_minutes_gives(case in case()) {
        let calendar = Calendar::try_new(case.spec.clone()).unwrap();
        let to = case.from + case.stretch;
        prop_assert_eq!(calendar.elapsed(case.from, to), slow_elapsed(&case.spec, case.from, to));
    }

    #[test]
    fn due_times_are_what_counting_minutes_gives(case in case()) {
        let calendar = Calendar::try_new(case.spec.clone()).unwrap();
        let due = calendar.due(case.from, case.working);
        match slow_due(&case.spec, case.from, case.working) {
            Some(expected) => prop_assert_eq!(due, Ok(expected)),
            None => prop_assert!(due.is_err() || due.unwrap() > case.from + COMPARED),
        }
    }

    #[test]
    fn by_the_due_time_exactly_the_wait_has_passed(case in case()) {
        let calendar = Calendar::try_new(case.spec).unwrap();
        if let Ok(due) = calendar.due(case.from, case.working) {
            prop_assert_eq!(calendar.elapsed(case.from, due), case.working);
            prop_assert!(due < case.from + HORIZON);
        }
    }

    #[test]
    fn waiting_in_two_parts_is_waiting_at_once(case in case(), second in 1_i64..=30 * 3_600_000_000) {
        let calendar = Calendar::try_new(case.spec).unwrap();
        let second = SignedDuration::from_micros(second);
        if let (Ok(first), Ok(whole)) =
            (calendar.due(case.from, case.working), calendar.due(case.from, case.working + second))
        {
            prop_assert!(first < whole);
            prop_assert_eq!(calendar.due(first, second), Ok(whole));
        }
    }

    #[test]
    fn a_stretch_in_two_parts_adds_up(case in case(), more in 0_i64..=10 * 24 * 3_600_000_000) {
        let calendar = Calendar::try_new(case.spec).unwrap();
        let middle = case.from + case.stretch;
        let end = middle + SignedDuration::from_micros(more);
        let parts = calendar.elapsed(case.from, middle) + calendar.elapsed(middle, end);
        prop_assert_eq!(calendar.elapsed(case.from, end), parts);
    }

    #[test]
    fn segments_cover_the_stretch_without_a_gap_and_neighbours_differ(case in case()) {
        let calendar = Calendar::try_new(case.spec).unwrap();
        let to = case.from + case.stretch;
        let segments = calendar.segments(case.from, to);
        let mut at = case.from;
        let mut worked = SignedDuration::ZERO;
        for segment in &segments {
            prop_assert_eq!(segment.from, at);
            prop_assert!(segment.from < segment.to);
            at = segment.to;
            if segment.kind == SegmentKind::Working {
                worked += segment.from.duration_until(segment.to);
            }
        }
        prop_assert_eq!(at, to);
        prop_assert_eq!(worked, calendar.elapsed(case.from, to));
        for (one, next) in segments.iter().zip(segments.iter().skip(1)) {
            prop_assert_ne!(one.kind, next.kind);
        }
    }
}
