//! Working time by example. The cases named G come from bugs and manuals of other desks.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::calendar::{Calendar, CalendarError, CalendarSpec, DueError, Interval, Place, SegmentKind, Week};
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZoneDatabase;

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn interval(start: &str, end: &str) -> Interval {
    Interval::parse(start, end).unwrap()
}

fn office(start: u32, end: u32) -> CalendarSpec {
    CalendarSpec::weekly(
        "Office",
        "Europe/Berlin",
        Week::monday_to_friday(&[Interval::hours(start, end)]),
    )
}

/// A desk that closes for lunch.
fn moscow() -> CalendarSpec {
    let week = Week::monday_to_friday(&[Interval::hours(9, 13), Interval::hours(14, 18)]);
    CalendarSpec::weekly("Support desk Moscow", "Europe/Moscow", week)
}

fn round_the_clock(zone: &str) -> CalendarSpec {
    CalendarSpec::weekly("Always", zone, Week::round_the_clock())
}

/// A calendar under test; the times of its examples are read off its own wall clock.
struct Desk(Calendar);

fn desk(spec: CalendarSpec) -> Desk {
    Desk(Calendar::try_new(spec).unwrap())
}

impl Desk {
    fn at(&self, local: &str) -> Timestamp {
        let zone = TimeZoneDatabase::bundled().get(&self.0.spec().time_zone).unwrap();
        zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap()
    }

    fn shows(&self, instant: Timestamp) -> String {
        let zone = TimeZoneDatabase::bundled().get(&self.0.spec().time_zone).unwrap();
        zone.to_datetime(instant).to_string()
    }

    #[track_caller]
    fn due(&self, from: &str, working: SignedDuration, expected: &str) {
        let due = self.0.due(self.at(from), working).unwrap();
        assert_eq!(
            self.shows(due),
            format!("{expected}:00"),
            "{working} of work after {from}"
        );
        assert_eq!(due, self.at(expected));
    }

    #[track_caller]
    fn elapsed(&self, from: &str, to: &str, expected: SignedDuration) {
        assert_eq!(
            self.0.elapsed(self.at(from), self.at(to)),
            expected,
            "from {from} to {to}"
        );
    }

    fn kinds(&self, from: &str, to: &str) -> Vec<(String, SegmentKind)> {
        let segments = self.0.segments(self.at(from), self.at(to));
        segments
            .iter()
            .map(|segment| (self.shows(segment.to), segment.kind))
            .collect()
    }
}

// 2026-06-05 is a Friday.

#[test]
fn g1_what_does_not_fit_before_the_weekend_goes_on_on_monday() {
    desk(office(9, 17)).due("2026-06-05T16:30", hours(1), "2026-06-08T09:30");
}

#[test]
fn g2_what_comes_before_opening_counts_from_opening() {
    desk(office(9, 17)).due("2026-06-03T07:00", hours(2), "2026-06-03T11:00");
}

#[test]
fn g3_a_desk_that_works_daily_goes_on_the_next_day() {
    let week = Week::daily(&[Interval::hours(8, 18)]);
    desk(CalendarSpec::weekly("Daily", "Europe/Berlin", week)).due("2026-06-05T16:00", hours(4), "2026-06-06T10:00");
}

#[test]
fn g4_a_whole_working_day_spans_the_weekend() {
    desk(office(9, 17)).due("2026-06-05T16:00", hours(8), "2026-06-08T16:00");
}

#[test]
fn g5_two_hours_span_the_weekend() {
    desk(office(9, 17)).due("2026-06-05T16:00", hours(2), "2026-06-08T10:00");
}

#[test]
fn g6_a_hold_from_closing_to_opening_costs_nothing() {
    let desk = desk(office(9, 17));
    desk.due("2026-06-01T09:00", hours(8), "2026-06-01T17:00");
    desk.elapsed("2026-06-01T17:00", "2026-06-02T09:00", SignedDuration::ZERO);
}

#[test]
fn g11_the_lunch_break_does_not_count() {
    desk(moscow()).due("2026-06-05T13:20", hours(1), "2026-06-05T15:00");
}

#[test]
fn g12_forty_working_hours_after_friday_evening_end_on_friday_evening() {
    desk(moscow()).due("2026-10-23T17:00", hours(40), "2026-10-30T17:00");
}

#[test]
fn g12_a_holiday_in_between_moves_it_by_one_working_day() {
    let holidays = BTreeSet::from([date("2026-10-26")]);
    desk(CalendarSpec { holidays, ..moscow() }).due("2026-10-23T17:00", hours(40), "2026-11-02T17:00");
}

#[test]
fn a_wait_from_closing_time_ends_at_closing_time_and_not_at_the_next_opening() {
    let desk = desk(moscow());
    desk.due("2026-10-23T18:00", hours(40), "2026-10-30T18:00");
    desk.due("2026-10-26T09:00", hours(4), "2026-10-26T13:00");
}

#[test]
fn g13_round_the_clock_a_day_is_twenty_four_hours() {
    desk(round_the_clock("UTC")).due("2026-06-05T12:00", hours(24), "2026-06-06T12:00");
}

#[test]
fn g14_round_the_clock_the_long_day_counts_twenty_five_hours() {
    let desk = desk(round_the_clock("Europe/Berlin"));
    desk.elapsed("2026-10-25T00:00", "2026-10-26T00:00", hours(25));
    desk.due("2026-10-25T00:00", hours(25), "2026-10-26T00:00");
}

#[test]
fn g14_round_the_clock_the_short_day_counts_twenty_three_hours() {
    desk(round_the_clock("Europe/Berlin")).elapsed("2026-03-29T00:00", "2026-03-30T00:00", hours(23));
}

#[test]
fn g14_office_hours_stay_where_the_wall_clock_has_them() {
    let week = Week::daily(&[Interval::hours(9, 17)]);
    let desk = desk(CalendarSpec::weekly("Daily", "Europe/Berlin", week));
    desk.elapsed("2026-10-24T00:00", "2026-10-27T00:00", hours(24));
    desk.due("2026-10-24T16:00", hours(2), "2026-10-25T10:00");
    desk.due("2026-10-25T16:00", hours(2), "2026-10-26T10:00");
}

#[test]
fn working_time_that_the_clocks_skip_does_not_exist() {
    let week = Week::daily(&[Interval::hours(1, 4)]);
    let desk = desk(CalendarSpec::weekly("Nights", "Europe/Berlin", week));
    desk.elapsed("2026-03-29T00:00", "2026-03-30T00:00", hours(2));
    desk.due("2026-03-29T01:00", hours(2), "2026-03-29T04:00");
}

#[test]
fn working_time_that_the_clocks_repeat_counts_twice() {
    let week = Week::daily(&[interval("02:15", "02:45")]);
    let desk = desk(CalendarSpec::weekly("Nights", "Europe/Berlin", week));
    desk.elapsed("2026-10-25T00:00", "2026-10-26T00:00", hours(1));
    let midnight = desk.at("2026-10-25T00:00");
    // The second time that the clock shows 02:45, in winter time.
    assert_eq!(
        desk.0.due(midnight, hours(1)),
        Ok("2026-10-25T01:45:00Z".parse().unwrap())
    );
}

#[test]
fn a_day_that_a_zone_left_out_has_no_work() {
    let desk = desk(round_the_clock("Pacific/Apia"));
    desk.elapsed("2011-12-29T00:00", "2011-12-31T00:00", hours(24));
}

#[test]
fn g18_a_calendar_without_any_hours_is_refused() {
    let empty = CalendarSpec {
        week: Week::default(),
        ..office(9, 17)
    };
    assert_eq!(Calendar::try_new(empty), Err(vec![CalendarError::NoWorkingTime]));
}

#[test]
fn g18_a_calendar_whose_only_days_are_holidays_is_refused() {
    let (day, hours) = (date("2026-06-06"), vec![Interval::hours(9, 15)]);
    let overrides = BTreeMap::from([(day, hours)]);
    let spec = CalendarSpec {
        week: Week::default(),
        overrides,
        holidays: BTreeSet::from([day]),
        ..office(9, 17)
    };
    assert_eq!(Calendar::try_new(spec), Err(vec![CalendarError::NoWorkingTime]));
}

#[test]
fn g18_a_calendar_whose_work_ends_answers_with_an_error() {
    let overrides = BTreeMap::from([(date("2026-06-06"), vec![Interval::hours(9, 15)])]);
    let desk = desk(CalendarSpec {
        week: Week::default(),
        overrides,
        ..office(9, 17)
    });
    desk.due("2026-06-01T00:00", hours(6), "2026-06-06T15:00");
    let from = desk.at("2026-06-01T00:00");
    assert_eq!(desk.0.due(from, hours(7)), Err(DueError::BeyondHorizon));
    assert_eq!(desk.0.due(from, SignedDuration::MAX), Err(DueError::BeyondHorizon));
}

#[test]
fn g18_years_of_nothing_but_holidays_are_walked_past() {
    let holidays = date("2026-06-06")
        .series(jiff::Span::new().days(1))
        .take(1_000)
        .collect();
    desk(CalendarSpec {
        holidays,
        ..office(9, 17)
    })
    .due("2026-06-05T16:00", hours(2), "2029-03-02T10:00");
}

#[test]
fn g20_four_hours_on_friday_afternoon_end_on_monday_and_not_on_tuesday() {
    desk(office(8, 17)).due("2026-06-05T16:00", hours(4), "2026-06-08T11:00");
}

#[test]
fn no_time_at_all_is_due_at_the_first_working_instant_at_or_after() {
    let desk = desk(moscow());
    desk.due("2026-06-05T10:00", hours(0), "2026-06-05T10:00");
    desk.due("2026-06-05T13:00", hours(0), "2026-06-05T14:00");
    desk.due("2026-06-05T18:00", hours(0), "2026-06-08T09:00");
}

#[test]
fn time_cannot_run_backwards() {
    let desk = desk(moscow());
    assert_eq!(desk.0.due(Timestamp::UNIX_EPOCH, hours(-1)), Err(DueError::Negative));
    desk.elapsed("2026-06-05T12:00", "2026-06-05T10:00", SignedDuration::ZERO);
}

#[test]
fn due_times_keep_microseconds_and_nothing_finer() {
    let calendar = Calendar::try_new(office(9, 17)).unwrap();
    let from: Timestamp = "2026-06-05T10:00:00.123456789Z".parse().unwrap();
    assert_eq!(
        calendar.due(from, hours(1)),
        Ok("2026-06-05T11:00:00.123456Z".parse().unwrap())
    );
}

#[test]
fn a_moved_saturday_is_worked_by_the_hours_of_its_override() {
    let overrides = BTreeMap::from([(date("2026-02-14"), vec![interval("09:00", "15:00")])]);
    let desk = desk(CalendarSpec { overrides, ..moscow() });
    desk.due("2026-02-13T17:00", hours(3), "2026-02-14T11:00");
    desk.elapsed("2026-02-14T00:00", "2026-02-15T00:00", hours(6));
}

#[test]
fn an_override_replaces_the_hours_of_its_weekday() {
    let overrides = BTreeMap::from([(date("2026-06-05"), vec![interval("09:00", "11:00")])]);
    desk(CalendarSpec { overrides, ..moscow() }).elapsed("2026-06-05T00:00", "2026-06-06T00:00", hours(2));
}

#[test]
fn a_holiday_wins_over_override_and_closure() {
    let day = date("2026-06-05");
    let hours = vec![Interval::hours(9, 15)];
    let desk = desk(CalendarSpec {
        holidays: BTreeSet::from([day]),
        overrides: BTreeMap::from([(day, hours.clone())]),
        closures: BTreeMap::from([(day, hours)]),
        ..moscow()
    });
    assert_eq!(
        desk.kinds("2026-06-05T00:00", "2026-06-06T00:00"),
        [("2026-06-06T00:00:00".to_owned(), SegmentKind::Holiday)]
    );
}

#[test]
fn segments_say_why_time_does_not_count() {
    let desk = desk(CalendarSpec {
        closures: BTreeMap::from([(date("2026-03-06"), vec![interval("16:00", "19:00")])]),
        holidays: BTreeSet::from([date("2026-03-09")]),
        ..moscow()
    });
    let kinds = desk.kinds("2026-03-06T12:00", "2026-03-10T09:30");
    let kinds: Vec<(&str, SegmentKind)> = kinds.iter().map(|(to, kind)| (to.as_str(), *kind)).collect();
    let expected = [
        ("2026-03-06T13:00:00", SegmentKind::Working),
        ("2026-03-06T14:00:00", SegmentKind::OutsideHours),
        ("2026-03-06T16:00:00", SegmentKind::Working),
        ("2026-03-06T18:00:00", SegmentKind::Closure),
        ("2026-03-09T00:00:00", SegmentKind::OutsideHours),
        ("2026-03-10T00:00:00", SegmentKind::Holiday),
        ("2026-03-10T09:00:00", SegmentKind::OutsideHours),
        ("2026-03-10T09:30:00", SegmentKind::Working),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn everything_wrong_with_a_calendar_is_reported_at_once() {
    let (empty, reversed) = (interval("09:00", "09:00"), interval("22:00", "06:00"));
    let (first, second) = (interval("09:00", "13:00"), interval("12:59:59", "18:00"));
    let day = date("2026-03-06");
    let spec = CalendarSpec {
        name: String::new(),
        time_zone: "Europe/Atlantis".to_owned(),
        week: Week::default().with(Weekday::Monday, vec![second, first]),
        holidays: BTreeSet::new(),
        overrides: BTreeMap::from([(day, vec![reversed])]),
        closures: BTreeMap::from([(day, vec![empty])]),
    };
    let expected = vec![
        CalendarError::Name,
        CalendarError::UnknownZone {
            time_zone: "Europe/Atlantis".to_owned(),
        },
        CalendarError::OverlappingIntervals {
            place: Place::Week(Weekday::Monday),
            first,
            second,
        },
        CalendarError::ReversedInterval {
            place: Place::Override(day),
            interval: reversed,
        },
        CalendarError::EmptyInterval {
            place: Place::Closure(day),
            interval: empty,
        },
    ];
    assert_eq!(Calendar::try_new(spec), Err(expected));
}

#[test]
fn intervals_that_only_touch_are_allowed() {
    let touching = [Interval::hours(9, 13), Interval::hours(13, 17)];
    let spec = CalendarSpec {
        week: Week::monday_to_friday(&touching),
        ..office(9, 17)
    };
    desk(spec).due("2026-06-05T12:00", hours(2), "2026-06-05T14:00");
}
