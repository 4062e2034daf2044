//! Explanations: their limits, and what they say over random calendars and changes of calendar, against a second
//! implementation that asks of each minute which calendar is in force and whether it works then.

use domain::Timestamp;
use domain::calendar::{
    Answer, Calendar, CalendarSpec, DueError, HORIZON, Interval, Question, QuestionError, SEGMENTS_MAX, SegmentKind,
    Timeline, Week, WorkingTime, explain,
};
use jiff::SignedDuration;
use jiff::civil::Date;
use proptest::prelude::*;

use crate::calendar_properties::{Case, case, works, zone_of};

const MINUTE: i64 = 60_000_000;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn office() -> Timeline {
    let week = Week::monday_to_friday(&[Interval::hours(9, 17)]);
    Calendar::try_new(CalendarSpec::weekly("Office", "Europe/Berlin", week))
        .unwrap()
        .into()
}

fn due(from: &str, working: &str) -> Question {
    let working = WorkingTime::parse(working).unwrap();
    Question::Due {
        from: at(from),
        working,
    }
}

fn elapsed(from: &str, to: &str) -> Question {
    Question::Elapsed {
        from: at(from),
        to: at(to),
    }
}

#[test]
fn no_time_at_all_is_explained_up_to_the_first_working_instant() {
    // A Saturday.
    let explained = explain(&office(), due("2026-06-06T10:00:00Z", "PT0S")).unwrap();
    assert_eq!(explained.answer, Answer::Due(at("2026-06-08T07:00:00Z")));
    assert_eq!(explained.segments.len(), 1);
    assert_eq!(explained.segments[0].kind, SegmentKind::OutsideHours);
    let at_work = explain(&office(), due("2026-06-08T07:00:00Z", "PT0S")).unwrap();
    assert_eq!(at_work.answer, Answer::Due(at("2026-06-08T07:00:00Z")));
    assert!(at_work.segments.is_empty());
    let nothing = explain(&office(), elapsed("2026-06-06T10:00:00Z", "2026-06-06T10:00:00Z")).unwrap();
    assert_eq!(nothing.answer, Answer::Elapsed(WorkingTime(SignedDuration::ZERO)));
    assert!(nothing.segments.is_empty());
}

#[test]
fn what_is_asked_backwards_or_too_far_ahead_has_no_answer() {
    let backwards = explain(
        &office(),
        elapsed("2026-06-06T10:00:00.000001Z", "2026-06-06T10:00:00Z"),
    );
    assert_eq!(backwards, Err(QuestionError::Backwards));
    let from = at("2026-06-06T10:00:00Z");
    let to = from + HORIZON;
    assert!(explain(&office(), Question::Elapsed { from, to }).is_ok());
    let to = to + SignedDuration::from_micros(1);
    let too_far = explain(&office(), Question::Elapsed { from, to });
    assert_eq!(too_far, Err(QuestionError::TooFar));
    let never = explain(&office(), due("2026-06-06T10:00:00Z", "PT100000H"));
    assert_eq!(never, Err(QuestionError::Due(DueError::BeyondHorizon)));
}

#[test]
fn an_explanation_is_no_longer_than_its_limit() {
    let hours: Vec<Interval> = (0..12).map(|hour| Interval::hours(hour * 2, hour * 2 + 1)).collect();
    let often: Timeline = Calendar::try_new(CalendarSpec::weekly("Often", "UTC", Week::daily(&hours)))
        .unwrap()
        .into();
    let asked = |days: usize| Question::Elapsed {
        from: at("2026-01-01T00:00:00Z"),
        to: at("2026-01-01T00:00:00Z") + SignedDuration::from_hours(24) * i32::try_from(days).unwrap(),
    };
    let whole_days = SEGMENTS_MAX / 24;
    assert!(explain(&often, asked(whole_days)).is_ok());
    assert_eq!(
        explain(&often, asked(whole_days + 1)),
        Err(QuestionError::TooManySegments)
    );
}

#[test]
fn a_question_about_a_time_before_any_version_is_refused() {
    let week = Week::monday_to_friday(&[Interval::hours(9, 17)]);
    let calendar = Calendar::try_new(CalendarSpec::weekly("Office", "Europe/Berlin", week)).unwrap();
    let timeline = Timeline::of([(calendar, Some("2026-07-01".parse().unwrap()))]);
    let begins = at("2026-06-30T22:00:00Z");
    assert_eq!(
        explain(&timeline, due("2026-06-30T21:59:59.999999Z", "PT1H")),
        Err(QuestionError::NotInForce { begins })
    );
    assert!(explain(&timeline, due("2026-06-30T22:00:00Z", "PT1H")).is_ok());
}

/// Two versions, the second in force from a date near the beginning of the stretch.
#[derive(Debug, Clone)]
struct Changing {
    first: Case,
    second: CalendarSpec,
    from_date: Date,
}

fn changing() -> impl Strategy<Value = Changing> {
    (case(), case(), 0_i32..8).prop_map(|(first, second, days)| {
        // In the first one's zone: which calendar is in force can then be read off one wall clock.
        let second = CalendarSpec {
            time_zone: first.spec.time_zone.clone(),
            ..second.spec
        };
        let date = zone_of(&second.time_zone).to_datetime(first.from).date();
        Changing {
            first,
            second,
            from_date: date + jiff::Span::new().days(days),
        }
    })
}

impl Changing {
    fn timeline(&self) -> Timeline {
        let calendar = |spec: &CalendarSpec| Calendar::try_new(spec.clone()).unwrap();
        Timeline::of([
            (calendar(&self.first.spec), None),
            (calendar(&self.second), Some(self.from_date)),
        ])
    }

    /// Counts minutes by whichever calendar the wall clock's date calls for; once the second came into force it stays.
    fn slow_elapsed(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        let zone = zone_of(&self.second.time_zone);
        // Days before, so that a date that was entered and left again counts as entered.
        let mut second = false;
        let mut at = from.as_microsecond() - 3 * 24 * 60 * MINUTE;
        let mut sum = 0;
        while at < to.as_microsecond() {
            let end = ((at.div_euclid(MINUTE) + 1) * MINUTE).min(to.as_microsecond());
            let start = Timestamp::from_microsecond(at).unwrap();
            second |= zone.to_datetime(start).date() >= self.from_date;
            let spec = if second { &self.second } else { &self.first.spec };
            if works(spec, &zone, start) {
                sum += (end - at.max(from.as_microsecond())).max(0);
            }
            at = end;
        }
        SignedDuration::from_micros(sum)
    }
}

proptest! {
    #[test]
    fn across_a_change_of_version_each_minute_counts_by_the_calendar_of_its_date(changing in changing()) {
        let (from, to) = (changing.first.from, changing.first.from + changing.first.stretch);
        prop_assert_eq!(changing.timeline().elapsed(from, to), changing.slow_elapsed(from, to));
    }

    #[test]
    fn explanations_cover_the_stretch_and_add_up(changing in changing()) {
        let timeline = changing.timeline();
        let from = changing.first.from;
        let asked = [
            Question::Due { from, working: WorkingTime(changing.first.working) },
            Question::Elapsed { from, to: from + changing.first.stretch },
        ];
        for question in asked {
            let Ok(explained) = explain(&timeline, question) else { continue };
            let (to, working) = match (question, explained.answer) {
                (Question::Due { working, .. }, Answer::Due(due)) => (due, working.0),
                (Question::Elapsed { to, .. }, Answer::Elapsed(elapsed)) => (to, elapsed.0),
                other => panic!("{other:?}"),
            };
            let mut at = from;
            let mut worked = SignedDuration::ZERO;
            let mut last = None;
            for segment in explained.segments {
                prop_assert_eq!(segment.from, at);
                prop_assert!(segment.from < segment.to);
                prop_assert_ne!(last, Some(segment.kind));
                (at, last) = (segment.to, Some(segment.kind));
                if segment.kind == SegmentKind::Working {
                    worked += segment.from.duration_until(segment.to);
                }
            }
            prop_assert_eq!(at, to);
            prop_assert_eq!(worked, working);
        }
    }
}
