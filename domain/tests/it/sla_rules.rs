//! What each clock counts, and what becomes of it when the ticket or the policies change.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::{Actor, ActorKind};
use domain::calendar::{CalendarSpec, Interval, Week};
use domain::catalogue::Catalogue;
use domain::ids::GroupId;
use domain::policy::WaitPolicy;
use domain::sla::{BreachAction, Cancellation, ClockState, Counting, SlaEvent, SlaPolicy, Target, TimerKind, escalate};
use domain::testing::{CUSTOMER, agent, create};
use domain::text::Code;
use domain::ticket::{Assign, Change, Command, Event, Resume, Visibility};

use crate::sla_story::{
    FIRST, NEXT, SOLVED, Story, accept, answer, at, book, by_the_clock, calendar, clock, close, close_because,
    for_priority, minutes, office, policy, prioritise, promising, proposal, question, reopen, says, solution, working,
};

fn first_words_and_solution() -> SlaPolicy {
    let targets = [
        (FIRST, Target::new(working(4))),
        (NEXT, Target::new(working(2))),
        (SOLVED, solution(working(16))),
    ];
    policy(promising(targets), office(9, 17))
}

fn opened() -> Story {
    Story::opened(book([first_words_and_solution()]), "2026-06-01T09:00")
}

#[test]
fn a_new_ticket_starts_what_is_promised_and_says_by_which_versions() {
    let story = opened();
    assert_eq!(story.last_names(), ["sla_started", "sla_started"]);
    let explanation = story.explain(FIRST);
    assert_eq!(explanation.pin.policy.to_string(), "std/1");
    assert_eq!(explanation.pin.calendar.to_string(), "desk/1");
    assert_eq!(explanation.remaining, minutes(240));
}

#[test]
fn accepting_internal_comments_and_a_move_without_words_are_no_response() {
    opened()
        .staff(&accept())
        .staff(&says(Visibility::Internal))
        .stands(FIRST, ClockState::Running)
        .staff(&question())
        .stands(FIRST, ClockState::Met);
}

#[test]
fn going_on_without_a_word_is_no_response() {
    let mut story = opened();
    story
        .staff(&accept())
        .staff(&question())
        .requester(&answer())
        .staff(&question())
        .stands(NEXT, ClockState::Met)
        .requester(&says(Visibility::Public))
        .stands(NEXT, ClockState::Running)
        .staff(&question())
        .staff(&Command::Resume(Resume { comment: None }));
    assert_eq!(story.explain(NEXT).clock, clock(NEXT, 2));
}

#[test]
fn a_ticket_that_staff_opened_for_a_requester_still_waits_for_words_to_them() {
    let mut story = Story::new(book([first_words_and_solution()]), at("2026-06-01T09:00"));
    story.tell(&agent(), &create()).unwrap();
    story
        .stands(FIRST, ClockState::Running)
        .staff(&says(Visibility::Public))
        .stands(FIRST, ClockState::Met);
}

#[test]
fn what_staff_say_about_their_own_wish_is_no_response() {
    let requester = Actor::plain(CUSTOMER, ActorKind::Staff);
    let mut story = opened();
    story.tell(&requester, &says(Visibility::Public)).unwrap();
    story
        .stands(FIRST, ClockState::Running)
        .staff(&says(Visibility::Public))
        .stands(FIRST, ClockState::Met);
    story.tell(&requester, &says(Visibility::Public)).unwrap();
    story.stands(NEXT, ClockState::Running);
}

#[test]
fn whoever_answers_at_the_due_instant_is_in_time() {
    opened()
        .at("2026-06-01T13:00")
        .staff(&says(Visibility::Public))
        .stands(FIRST, ClockState::Met);
    opened()
        .at("2026-06-01T13:00:00.000001")
        .staff(&says(Visibility::Public))
        .stands(FIRST, ClockState::Breached);
}

#[test]
fn a_breached_clock_counts_on_until_it_is_fulfilled() {
    let mut story = opened();
    story
        .at("2026-06-01T15:00")
        .stands(FIRST, ClockState::Breached)
        .elapsed(FIRST, 360);
    assert_eq!(story.explain(FIRST).remaining, minutes(-120));
    story
        .at("2026-06-01T16:00")
        .staff(&says(Visibility::Public))
        .at("2026-06-04T16:00")
        .elapsed(FIRST, 420)
        .stands(FIRST, ClockState::Breached);
}

#[test]
fn a_proposed_solution_stops_the_clock_and_closing_meets_the_target() {
    let mut story = opened();
    story
        .staff(&accept())
        .at("2026-06-01T11:00")
        .staff(&proposal())
        .stands(SOLVED, ClockState::Paused);
    assert_eq!(story.explain(SOLVED).due_at, None);
    story
        .at("2026-06-09T11:00")
        .requester(&close())
        .stands(SOLVED, ClockState::Met)
        .elapsed(SOLVED, 120);
}

#[test]
fn a_declined_solution_goes_on_where_it_stopped() {
    opened()
        .staff(&accept())
        .at("2026-06-01T11:00")
        .staff(&proposal())
        .at("2026-06-03T10:00")
        .requester(&reopen())
        .stands(SOLVED, ClockState::Running)
        .elapsed(SOLVED, 120)
        .due(SOLVED, "2026-06-04T16:00")
        .due(NEXT, "2026-06-03T12:00");
}

#[test]
fn a_reopened_ticket_keeps_what_had_elapsed() {
    opened()
        .staff(&accept())
        .at("2026-06-01T11:00")
        .staff(&proposal())
        .at("2026-06-01T12:00")
        .requester(&close())
        .at("2026-06-10T09:00")
        .requester(&reopen())
        .stands(SOLVED, ClockState::Running)
        .due(SOLVED, "2026-06-11T15:00")
        .at("2026-06-10T10:00")
        .parts(
            SOLVED,
            &[
                ("2026-06-01T11:00", "running"),
                ("2026-06-01T12:00", "paused by 3: waiting_for_closure"),
                ("2026-06-10T09:00", "paused by 4: closed"),
                ("2026-06-10T10:00", "running"),
            ],
        );
}

#[test]
fn what_was_met_with_the_last_of_its_time_is_breached_once_it_is_reopened_and_not_in_hindsight() {
    let mut story = opened();
    story
        .staff(&accept())
        .at("2026-06-02T17:00")
        .staff(&proposal())
        .requester(&close())
        .at("2026-06-10T09:00")
        .stands(SOLVED, ClockState::Met)
        .requester(&reopen())
        .stands(SOLVED, ClockState::Running)
        .at("2026-06-10T09:01")
        .stands(SOLVED, ClockState::Breached);
    assert_eq!(story.explain(SOLVED).breached_at, Some(at("2026-06-10T09:00")));
}

#[test]
fn one_pause_after_the_other_is_told_apart() {
    let mut story = opened();
    story.waits = WaitPolicy::supportal();
    story.staff(&accept()).at("2026-06-01T10:00").staff(&question());
    let due_at = story.state().wait.as_ref().unwrap().due_at;
    story.now = due_at;
    story
        .tell(&Actor::system(), &Command::ExpireInformationWait(1))
        .unwrap();
    assert_eq!(story.last_names(), ["sla_paused"]);
    story.at("2026-06-09T10:00").parts(
        SOLVED,
        &[
            ("2026-06-01T10:00", "running"),
            ("2026-06-08T10:00", "paused by 3: waiting_for_info"),
            ("2026-06-09T10:00", "paused by 4: waiting_for_closure"),
        ],
    );
}

#[test]
fn an_answer_that_expiry_overtakes_is_no_longer_owed() {
    let mut story = opened();
    story.waits = WaitPolicy {
        reply_resumes: false,
        ..WaitPolicy::supportal()
    };
    story
        .staff(&accept())
        .staff(&question())
        .requester(&says(Visibility::Public))
        .stands(NEXT, ClockState::Running);
    story.now = story.state().wait.as_ref().unwrap().due_at;
    story
        .tell(&Actor::system(), &Command::ExpireInformationWait(1))
        .unwrap();
    // It was overdue long before; had it not been, it would end as cancelled.
    story.stands(NEXT, ClockState::Breached);
    let cancelled = SlaEvent::Cancelled {
        clock: clock(NEXT, 1),
        why: Cancellation::Resolved,
    };
    assert!(story.history.last().unwrap().sla_events.contains(&cancelled));
}

#[test]
fn timers_are_those_of_running_clocks_and_a_warning_comes_once() {
    let mut story = opened();
    let timers: Vec<_> = story
        .clocks
        .timers()
        .iter()
        .map(|timer| (timer.kind, timer.at))
        .collect();
    let expected = [
        (TimerKind::Warning, at("2026-06-01T12:12")),
        (TimerKind::Breach, at("2026-06-01T13:00")),
        (TimerKind::Warning, at("2026-06-02T13:48")),
        (TimerKind::Breach, at("2026-06-02T17:00")),
    ];
    assert_eq!(timers, expected);
    story.staff(&accept()).staff(&question());
    assert_eq!(story.clocks.timers(), []);
    story.requester(&answer()).at("2026-06-02T14:00").scheduler();
    story.staff(&question()).at("2026-06-03T10:00").requester(&answer());
    let kinds: Vec<_> = story
        .clocks
        .timers()
        .iter()
        .filter(|timer| timer.clock.target == SOLVED)
        .map(|timer| timer.kind)
        .collect();
    assert_eq!(kinds, [TimerKind::Breach]);
}

fn by_priority() -> Story {
    let urgent = promising([(FIRST, Target::new(working(1))), (SOLVED, solution(working(8)))]);
    let policies = [
        first_words_and_solution(),
        policy(for_priority("high", "urgent", urgent), office(9, 17)),
        policy(for_priority("low", "nothing", promising([])), office(9, 17)),
    ];
    Story::opened(book(policies), "2026-06-01T09:00")
}

#[test]
fn a_target_that_is_exceeded_when_it_begins_to_apply_is_breached_then_and_not_before() {
    let mut story = by_priority();
    story
        .at("2026-06-01T11:00")
        .staff(&prioritise("high"))
        .due(FIRST, "2026-06-01T11:00")
        .at("2026-06-01T11:30")
        .stands(FIRST, ClockState::Breached)
        .staff(&says(Visibility::Public));
    assert_eq!(story.explain(FIRST).breached_at, Some(at("2026-06-01T11:00")));
}

#[test]
fn a_breach_is_not_undone_by_a_more_generous_policy() {
    let mut story = by_priority();
    story
        .staff(&prioritise("high"))
        .at("2026-06-01T11:00")
        .staff(&prioritise("medium"))
        .stands(FIRST, ClockState::Breached)
        .due(SOLVED, "2026-06-02T17:00");
    assert_eq!(story.explain(FIRST).pin.policy.id, Code::new("urgent"));
}

#[test]
fn what_is_no_longer_promised_is_cancelled_and_goes_on_if_it_is_promised_again() {
    let mut story = by_priority();
    story
        .at("2026-06-01T10:00")
        .staff(&prioritise("low"))
        .stands(FIRST, ClockState::Cancelled)
        .stands(SOLVED, ClockState::Cancelled);
    assert_eq!(story.clocks.timers(), []);
    story
        .at("2026-06-01T12:00")
        .staff(&prioritise("medium"))
        .stands(FIRST, ClockState::Running)
        .due(FIRST, "2026-06-01T15:00")
        .at("2026-06-01T13:00")
        .parts(
            FIRST,
            &[
                ("2026-06-01T10:00", "running"),
                ("2026-06-01T12:00", "paused by 2: withdrawn"),
                ("2026-06-01T13:00", "running"),
            ],
        );
}

#[test]
fn what_was_never_promised_before_counts_from_the_change() {
    let policies = [policy(
        for_priority("high", "urgent", promising([(SOLVED, solution(working(8)))])),
        office(9, 17),
    )];
    let mut story = Story::opened(book(policies), "2026-06-01T09:00");
    story
        .has_no(SOLVED)
        .at("2026-06-02T09:00")
        .staff(&prioritise("high"))
        .has_no(FIRST)
        .due(SOLVED, "2026-06-02T17:00");
}

#[test]
fn a_change_that_leads_to_the_same_policy_changes_nothing_even_if_it_was_edited() {
    let mut story = opened();
    let edited = SlaPolicy::try_new(promising([(FIRST, Target::new(working(1)))]), 2, office(9, 17)).unwrap();
    story.book = book([edited]).with_earlier([first_words_and_solution()]);
    story.staff(&prioritise("high"));
    assert_eq!(story.last_names(), [""; 0]);
    story.due(FIRST, "2026-06-01T13:00");
}

#[test]
fn a_policy_that_came_later_does_not_apply_by_a_change_that_has_nothing_to_do_with_it() {
    let mut story = opened();
    let mut late = promising([(FIRST, Target::new(working(1)))]);
    late.id = Code::new("late");
    late.scope.ticket_type = Some(Code::new("consultation"));
    story.book = book([first_words_and_solution(), policy(late, office(9, 17))]);
    story.staff(&prioritise("high"));
    assert_eq!(story.last_names(), [""; 0]);
    story.due(FIRST, "2026-06-01T13:00");
    let names: Vec<_> = story.re_evaluate(Counting::Kept).iter().map(SlaEvent::name).collect();
    assert_eq!(names, ["sla_re_evaluated", "sla_cancelled"]);
    story.due(FIRST, "2026-06-01T10:00");
}

#[test]
fn each_further_response_is_pinned_to_what_is_in_force_when_it_begins() {
    let mut story = opened();
    story.staff(&accept()).staff(&question());
    let edited = SlaPolicy::try_new(promising([(NEXT, Target::new(by_the_clock(1)))]), 2, office(9, 17)).unwrap();
    story.book = book([edited]).with_earlier([first_words_and_solution()]);
    story.requester(&answer()).due(NEXT, "2026-06-01T10:00");
    assert_eq!(story.explain(NEXT).pin.policy.to_string(), "std/2");
    assert_eq!(story.explain(SOLVED).pin.policy.to_string(), "std/1");
}

#[test]
fn statuses_that_pause_are_re_evaluated_too() {
    let mut story = opened();
    story.staff(&accept()).at("2026-06-01T10:00").staff(&question());
    let edited = SlaPolicy::try_new(promising([(SOLVED, Target::new(working(16)))]), 2, office(9, 17)).unwrap();
    story.book = book([edited]).with_earlier([first_words_and_solution()]);
    story.at("2026-06-01T12:00");
    let names: Vec<_> = story.re_evaluate(Counting::Kept).iter().map(SlaEvent::name).collect();
    assert_eq!(names, ["sla_re_evaluated", "sla_resumed"]);
    story
        .stands(SOLVED, ClockState::Running)
        .due(SOLVED, "2026-06-03T11:00");
}

#[test]
fn a_longer_time_warns_again() {
    let mut story = opened();
    story.at("2026-06-01T12:30").scheduler();
    let edited = SlaPolicy::try_new(promising([(FIRST, Target::new(working(6)))]), 2, office(9, 17)).unwrap();
    story.book = book([edited]).with_earlier([first_words_and_solution()]);
    story.re_evaluate(Counting::Kept);
    assert_eq!(story.explain(FIRST).warn_at, Some(at("2026-06-01T13:48")));
    story.due(FIRST, "2026-06-01T15:00");
}

/// The example of `docs/sla.md`.
#[test]
fn every_minute_has_a_reason() {
    let spec = CalendarSpec {
        holidays: BTreeSet::from(["2026-03-09".parse().unwrap(), "2026-03-10".parse().unwrap()]),
        closures: BTreeMap::from([("2026-03-06".parse().unwrap(), vec![Interval::hours(16, 18)])]),
        ..CalendarSpec::weekly(
            "Desk",
            "Europe/Berlin",
            Week::monday_to_friday(&[Interval::hours(9, 13), Interval::hours(14, 18)]),
        )
    };
    let policies = [policy(promising([(SOLVED, solution(working(6)))]), calendar(spec))];
    let mut story = Story::opened(book(policies), "2026-03-06T12:00");
    story
        .staff(&accept())
        .due(SOLVED, "2026-03-11T12:00")
        .at("2026-03-06T14:30")
        .staff(&question())
        .at("2026-03-06T15:00")
        .requester(&answer())
        .due(SOLVED, "2026-03-11T12:30")
        .at("2026-03-11T10:00")
        .elapsed(SOLVED, 210)
        .parts(
            SOLVED,
            &[
                ("2026-03-06T13:00", "running"),
                ("2026-03-06T14:00", "outside_hours"),
                ("2026-03-06T14:30", "running"),
                ("2026-03-06T15:00", "paused by 3: waiting_for_info"),
                ("2026-03-06T16:00", "running"),
                ("2026-03-06T18:00", "closure 2026-03-06"),
                ("2026-03-09T00:00", "outside_hours"),
                ("2026-03-10T00:00", "holiday 2026-03-09"),
                ("2026-03-11T00:00", "holiday 2026-03-10"),
                ("2026-03-11T09:00", "outside_hours"),
                ("2026-03-11T10:00", "running"),
            ],
        );
    assert_eq!(story.explain(SOLVED).remaining, minutes(150));
}

#[test]
fn time_by_the_clock_is_all_running() {
    let policies = [policy(promising([(SOLVED, solution(by_the_clock(72)))]), office(9, 17))];
    Story::opened(book(policies), "2026-06-05T16:00")
        .due(SOLVED, "2026-06-08T16:00")
        .at("2026-06-07T16:00")
        .parts(SOLVED, &[("2026-06-07T16:00", "running")]);
}

const SECOND_LINE: GroupId = GroupId::from_bytes([9; 16]);

/// A ticket whose first words were due at ten, and what then happens to it.
fn escalating(priority: &str) -> Story {
    let on_breach = vec![
        BreachAction::RaisePriority(Code::new(priority)),
        BreachAction::Reassign(SECOND_LINE),
    ];
    let target = Target {
        on_breach,
        ..Target::new(working(1))
    };
    let policies = [
        policy(
            promising([(FIRST, target), (SOLVED, solution(working(16)))]),
            office(9, 17),
        ),
        policy(
            for_priority("critical", "urgent", promising([(SOLVED, solution(working(2)))])),
            office(9, 17),
        ),
    ];
    let mut story = Story::opened(book(policies), "2026-06-01T09:00");
    story.staff(&accept());
    story
}

fn escalated(story: &Story) -> Vec<&'static str> {
    let events = escalate(
        &story.clocks,
        story.state(),
        story.now,
        &story.book,
        &Catalogue::default(),
    );
    events.unwrap().iter().map(Event::name).collect()
}

#[test]
fn a_breach_raises_the_priority_and_hands_the_ticket_over_once() {
    let mut story = escalating("critical");
    assert_eq!(escalated(story.at("2026-06-01T10:00")), [""; 0]);
    story.at("2026-06-01T10:30");
    assert_eq!(escalated(&story), ["classified", "assigned"]);
    story.scheduler();
    assert_eq!(escalated(&story), [""; 0]);
}

#[test]
fn the_priority_that_a_breach_raised_is_followed_like_any_other_change() {
    let mut story = escalating("critical");
    story
        .at("2026-06-01T10:30")
        .staff(&prioritise("critical"))
        .due(SOLVED, "2026-06-01T11:00");
    assert_eq!(story.last_names(), ["sla_warned", "sla_breached", "sla_re_evaluated"]);
}

#[test]
fn a_breach_does_not_lower_a_priority_or_do_what_holds_or_touch_a_closed_ticket() {
    let mut story = escalating("low");
    story.at("2026-06-01T09:30").staff(&Command::Assign(Assign {
        group: Change::Set(Some(SECOND_LINE)),
        assignee: Change::Keep,
    }));
    assert_eq!(escalated(story.at("2026-06-01T10:30")), [""; 0]);

    let mut story = escalating("critical");
    let open = story.clocks.clone();
    story.at("2026-06-01T10:30").staff(&close_because());
    story.clocks = open;
    assert_eq!(escalated(&story), [""; 0]);
}
