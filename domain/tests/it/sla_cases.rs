//! Promised times by example. The cases named G come from bugs and manuals of other desks.

use std::collections::BTreeMap;

use domain::calendar::{Calendar, CalendarError, CalendarSpec, Interval, Week};
use domain::policy::{WaitKind, WaitPolicy};
use domain::sla::{
    BreachAction, ClockState, Counting, Delivery, Edition, Notified, SlaCalendar, SlaEvent, SlaPolicy, SlaPolicyError,
    Target, TargetError, compare, rehearse,
};
use domain::ticket::{Status, Visibility};

use crate::sla_story::{
    FIRST, NEXT, SOLVED, Story, accept, always, answer, at, book, by_the_clock, calendar, clock, close, close_because,
    for_priority, office, office_closed_on, policy, prioritise, promising, proposal, question, reopen, says, solution,
    weekly, working,
};

/// First words are promised within so many working hours.
#[track_caller]
fn first_words(calendar: SlaCalendar, opened: &str, hours: i64, due: &str) {
    let spec = promising([(FIRST, Target::new(working(hours)))]);
    Story::opened(book([policy(spec, calendar)]), opened).due(FIRST, due);
}

fn all_three() -> SlaPolicy {
    let targets = [
        (FIRST, Target::new(working(4))),
        (NEXT, Target::new(working(1))),
        (SOLVED, solution(working(16))),
    ];
    policy(promising(targets), office(9, 17))
}

// 2026-06-01 is a Monday.

#[test]
fn g1_what_does_not_fit_before_the_weekend_goes_on_on_monday() {
    first_words(office(9, 17), "2026-06-05T16:30", 1, "2026-06-08T09:30");
}

#[test]
fn g2_what_comes_before_opening_counts_from_opening() {
    first_words(office(9, 17), "2026-06-03T07:00", 2, "2026-06-03T11:00");
}

#[test]
fn g3_a_desk_that_works_daily_goes_on_the_next_day() {
    let daily = weekly(Week::daily(&[Interval::hours(8, 18)]));
    first_words(daily, "2026-06-05T16:00", 4, "2026-06-06T10:00");
}

#[test]
fn g4_a_whole_working_day_spans_the_weekend() {
    first_words(office(9, 17), "2026-06-05T16:00", 8, "2026-06-08T16:00");
}

#[test]
fn g5_two_hours_span_the_weekend() {
    first_words(office(9, 17), "2026-06-05T16:00", 2, "2026-06-08T10:00");
}

#[test]
fn g6_a_hold_from_closing_to_opening_moves_nothing() {
    let spec = promising([(SOLVED, solution(working(8)))]);
    let mut story = Story::opened(book([policy(spec, office(9, 17))]), "2026-06-01T09:00");
    story
        .staff(&accept())
        .due(SOLVED, "2026-06-01T17:00")
        .at("2026-06-01T17:00")
        .staff(&question())
        .due(SOLVED, "2026-06-01T17:00")
        .at("2026-06-02T09:00")
        .requester(&answer())
        .due(SOLVED, "2026-06-01T17:00")
        .elapsed(SOLVED, 8 * 60);
}

#[test]
fn g6_a_hold_over_night_that_ends_before_the_due_time_moves_nothing_either() {
    let spec = promising([(SOLVED, solution(working(10)))]);
    let mut story = Story::opened(book([policy(spec, office(9, 17))]), "2026-06-01T09:00");
    story
        .staff(&accept())
        .due(SOLVED, "2026-06-02T11:00")
        .at("2026-06-01T17:00")
        .staff(&question())
        .at("2026-06-02T09:00")
        .requester(&answer())
        .due(SOLVED, "2026-06-02T11:00");
}

#[test]
fn g7_a_hold_before_a_change_of_priority_stays_out_of_the_count() {
    let urgent = promising([(SOLVED, solution(working(4)))]);
    let policies = [
        policy(promising([(SOLVED, solution(working(8)))]), office(9, 17)),
        policy(for_priority("high", "urgent", urgent), office(9, 17)),
    ];
    let mut story = Story::opened(book(policies), "2026-06-01T09:00");
    story
        .staff(&accept())
        .at("2026-06-01T10:00")
        .staff(&question())
        .at("2026-06-01T12:00")
        .requester(&answer())
        .at("2026-06-01T13:00")
        .elapsed(SOLVED, 120)
        .staff(&prioritise("high"))
        .elapsed(SOLVED, 120)
        .due(SOLVED, "2026-06-01T15:00")
        .at("2026-06-01T14:00")
        .parts(
            SOLVED,
            &[
                ("2026-06-01T10:00", "running"),
                ("2026-06-01T12:00", "paused by 3: waiting_for_info"),
                ("2026-06-01T14:00", "running"),
            ],
        );
    assert_eq!(story.last_names(), ["sla_re_evaluated"]);
}

#[test]
fn g8_thanks_after_closing_start_nothing() {
    let mut story = Story::opened(book([all_three()]), "2026-06-01T09:00");
    story
        .staff(&accept())
        .staff(&proposal())
        .requester(&close())
        .requester(&says(Visibility::Public))
        .has_no(NEXT)
        .stands(SOLVED, ClockState::Met);
}

#[test]
fn g8_thanks_for_a_proposal_start_nothing_where_words_do_not_resume() {
    let mut story = Story::opened(book([all_three()]), "2026-06-01T09:00");
    story.waits = WaitPolicy {
        reply_resumes: false,
        ..WaitPolicy::cabinet()
    };
    story
        .staff(&accept())
        .staff(&proposal())
        .requester(&says(Visibility::Public))
        .has_no(NEXT);
    assert_eq!(story.state().status, Status::WaitingForClosure);
}

#[test]
fn g8_a_question_that_closing_overtakes_is_no_longer_owed_an_answer() {
    let mut story = Story::opened(book([all_three()]), "2026-06-01T09:00");
    story.waits.reply_resumes = false;
    story
        .staff(&accept())
        .staff(&proposal())
        .requester(&reopen())
        .stands(NEXT, ClockState::Running)
        .at("2026-06-01T09:30")
        .staff(&close_because())
        // The reason is words of staff.
        .stands(NEXT, ClockState::Met)
        .at("2026-06-03T09:00")
        .stands(NEXT, ClockState::Met);
    assert_eq!(story.scheduler(), []);
}

#[test]
fn g9_what_was_met_stays_met_and_the_rehearsal_shows_the_breach() {
    let spec = |hours| promising([(FIRST, Target::new(working(hours)))]);
    let generous = policy(spec(4), office(9, 17));
    let strict = SlaPolicy::try_new(spec(2), 2, office(9, 17)).unwrap();
    let mut story = Story::opened(book([generous.clone()]), "2026-06-01T09:00");
    story.at("2026-06-01T11:30").staff(&says(Visibility::Public));
    story.book = book([strict.clone()]).with_earlier([generous]);
    assert_eq!(story.re_evaluate(Counting::Afresh), []);
    story.stands(FIRST, ClockState::Met);

    let rehearsed = rehearse(&story.history, &book([strict]), story.now).unwrap();
    let verdicts = compare(&story.clocks, &rehearsed, story.now);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0].then.unwrap().state, ClockState::Met);
    let now = verdicts[0].now.unwrap();
    assert_eq!(
        (now.state, now.breached_at),
        (ClockState::Breached, Some(at("2026-06-01T11:00")))
    );
}

#[test]
fn g10_an_edited_calendar_moves_what_runs_only_when_somebody_asks() {
    let spec = || promising([(FIRST, Target::new(working(10)))]);
    let before = policy(spec(), office(9, 17));
    let mut story = Story::opened(book([before.clone()]), "2026-06-05T09:00");
    story.due(FIRST, "2026-06-08T11:00");

    story.book = book([policy(spec(), office_closed_on(&["2026-06-08"]))]).with_earlier([before.clone()]);
    story
        .at("2026-06-05T12:00")
        .staff(&accept())
        .due(FIRST, "2026-06-08T11:00");

    let preview = story.preview(Counting::Kept);
    story.due(FIRST, "2026-06-08T11:00");
    let [SlaEvent::ReEvaluated(change)] = preview.as_slice() else {
        panic!("{preview:?}")
    };
    assert_eq!(change.before.due_at, Some(at("2026-06-08T11:00")));
    assert_eq!(change.marks.due_at, Some(at("2026-06-09T11:00")));
    assert_eq!(&change.from, before.pin());
    assert_eq!(change.to.calendar, Edition::new("desk", 2));

    assert_eq!(story.re_evaluate(Counting::Kept), preview);
    story.due(FIRST, "2026-06-09T11:00");
    assert_eq!(story.preview(Counting::Kept), []);
}

#[test]
fn g10_a_holiday_that_was_forgotten_is_taken_out_of_the_past_if_one_asks_for_that() {
    let spec = || promising([(FIRST, Target::new(working(10)))]);
    let before = policy(spec(), office(9, 17));
    let mut story = Story::opened(book([before.clone()]), "2026-06-05T09:00");
    story.book = book([policy(spec(), office_closed_on(&["2026-06-05"]))]).with_earlier([before]);
    story.at("2026-06-08T09:00").elapsed(FIRST, 8 * 60);
    story.re_evaluate(Counting::Afresh);
    story
        .elapsed(FIRST, 0)
        .due(FIRST, "2026-06-09T11:00")
        .at("2026-06-08T10:00")
        .parts(
            FIRST,
            &[
                ("2026-06-06T00:00", "holiday 2026-06-05"),
                ("2026-06-08T09:00", "outside_hours"),
                ("2026-06-08T10:00", "running"),
            ],
        );
}

#[test]
fn g11_the_lunch_break_does_not_count() {
    let lunch = weekly(Week::monday_to_friday(&[
        Interval::hours(9, 13),
        Interval::hours(14, 18),
    ]));
    first_words(lunch, "2026-06-05T13:20", 1, "2026-06-05T15:00");
}

#[test]
fn g12_and_g13_the_presets_wait_as_before() {
    let friday: domain::Timestamp = "2026-10-23T14:00:00Z".parse().unwrap();
    let due = |policy: &SlaPolicy, kind| policy.waits().due(kind, friday);
    let week = Some("2026-10-30T14:00:00Z".parse().unwrap());
    assert_eq!(due(&SlaPolicy::supportal(), WaitKind::Information), week);
    let day = Some("2026-10-24T14:00:00Z".parse().unwrap());
    assert_eq!(due(&SlaPolicy::cabinet(), WaitKind::Closure), day);
    assert_eq!(due(&SlaPolicy::cabinet(), WaitKind::Information), None);
}

#[test]
fn g14_round_the_clock_the_long_day_counts_twenty_five_hours() {
    let spec = promising([(SOLVED, solution(working(25)))]);
    let mut story = Story::opened(book([policy(spec, always())]), "2026-10-25T00:00");
    story
        .due(SOLVED, "2026-10-26T00:00")
        .at("2026-10-26T00:00")
        .elapsed(SOLVED, 25 * 60);
}

#[test]
fn g14_office_hours_stay_where_the_wall_clock_has_them() {
    let daily = weekly(Week::daily(&[Interval::hours(9, 17)]));
    first_words(daily, "2026-10-24T16:00", 10, "2026-10-26T10:00");
}

#[test]
fn g15_until_staff_have_answered_the_first_response_governs() {
    let mut story = Story::opened(book([all_three()]), "2026-06-01T09:00");
    story
        .at("2026-06-01T09:30")
        .requester(&says(Visibility::Public))
        .has_no(NEXT)
        .due(FIRST, "2026-06-01T13:00")
        .at("2026-06-01T12:00")
        .staff(&says(Visibility::Public))
        .stands(FIRST, ClockState::Met)
        .has_no(NEXT)
        .at("2026-06-01T12:30")
        .requester(&says(Visibility::Public))
        .due(NEXT, "2026-06-01T13:30")
        // More words do not start it anew.
        .at("2026-06-01T13:00")
        .requester(&says(Visibility::Public))
        .due(NEXT, "2026-06-01T13:30");
}

#[test]
fn g16_where_staff_spoke_last_nothing_is_breached() {
    let mut story = Story::opened(book([all_three()]), "2026-06-01T09:00");
    story
        .staff(&accept())
        .at("2026-06-01T10:00")
        .requester(&says(Visibility::Public))
        .staff(&question())
        .at("2026-07-01T10:00")
        .stands(FIRST, ClockState::Met)
        .has_no(NEXT)
        .stands(SOLVED, ClockState::Paused);
    assert_eq!(story.scheduler(), []);
}

#[test]
fn g17_a_breach_on_saturday_happens_on_saturday_and_is_told_on_monday() {
    let tell = BreachAction::Notify(Notified::Assignee, Delivery::WorkingHours);
    let target = Target {
        on_breach: vec![tell],
        ..Target::new(by_the_clock(24))
    };
    let policy = policy(promising([(FIRST, target)]), office(9, 17));
    let mut story = Story::opened(book([policy.clone()]), "2026-06-05T12:00");
    story.at("2026-06-08T08:00");
    let breach = SlaEvent::Breached {
        clock: clock(FIRST, 1),
        at: at("2026-06-06T12:00"),
    };
    assert!(story.scheduler().contains(&breach));
    let told = policy.deliver_at(Delivery::WorkingHours, at("2026-06-06T12:00"));
    assert_eq!(told, at("2026-06-08T09:00"));
    assert_eq!(
        policy.deliver_at(Delivery::AtOnce, at("2026-06-06T12:00")),
        at("2026-06-06T12:00")
    );
}

#[test]
fn g18_a_policy_without_working_time_cannot_be_made() {
    let empty = CalendarSpec::weekly("Never", "Europe/Berlin", Week::default());
    assert_eq!(Calendar::try_new(empty), Err(vec![CalendarError::NoWorkingTime]));

    let one_day = BTreeMap::from([("2026-06-06".parse().unwrap(), vec![Interval::hours(9, 15)])]);
    let calendar = calendar(CalendarSpec {
        overrides: one_day,
        ..CalendarSpec::weekly("Once", "Europe/Berlin", Week::default())
    });
    let spec = promising([(FIRST, Target::new(working(1)))]);
    let error = SlaPolicyError::Target {
        kind: FIRST,
        error: TargetError::TooLittleWork,
    };
    assert_eq!(SlaPolicy::try_new(spec, 1, calendar), Err(vec![error]));
}

#[test]
fn g19_a_scheduler_that_was_down_records_each_breach_once_and_when_it_was_due() {
    let spec = promising([(FIRST, Target::new(working(1)))]);
    let mut story = Story::opened(book([policy(spec, office(9, 17))]), "2026-06-01T09:00");
    story.at("2026-06-01T11:00");
    let clock = clock(FIRST, 1);
    let expected = [
        SlaEvent::Warned {
            clock,
            at: at("2026-06-01T09:48"),
        },
        SlaEvent::Breached {
            clock,
            at: at("2026-06-01T10:00"),
        },
    ];
    assert_eq!(story.scheduler(), expected);
    assert_eq!(story.scheduler(), []);
    story.staff(&says(Visibility::Public));
    assert_eq!(story.last_names(), ["sla_fulfilled"]);
    story.stands(FIRST, ClockState::Breached);
}

#[test]
fn g19_whoever_acts_before_the_scheduler_is_back_records_the_breach_along() {
    let spec = promising([(FIRST, Target::new(working(1)))]);
    let mut story = Story::opened(book([policy(spec, office(9, 17))]), "2026-06-01T09:00");
    story
        .at("2026-06-01T11:00")
        // What one is told does not depend on the scheduler either.
        .stands(FIRST, ClockState::Breached)
        .staff(&says(Visibility::Public));
    assert_eq!(story.last_names(), ["sla_warned", "sla_breached", "sla_fulfilled"]);
    assert_eq!(story.explain(FIRST).breached_at, Some(at("2026-06-01T10:00")));
    assert_eq!(story.scheduler(), []);
}

#[test]
fn g20_four_hours_on_friday_afternoon_end_on_monday_and_not_on_tuesday() {
    first_words(office(8, 17), "2026-06-05T16:00", 4, "2026-06-08T11:00");
}
