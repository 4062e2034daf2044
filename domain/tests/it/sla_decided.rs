//! Whole records: what a command, what time has done by then, and what follows from both come to.

use domain::actor::Actor;
use domain::catalogue::Catalogue;
use domain::ids::Revision;
use domain::policy::WaitPolicy;
use domain::sla::{
    Book, BreachAction, ClockState, Delivery, Desk, Notified, Promised, SlaEvent, Target, Timer, TimerKind, decide,
};
use domain::testing::{NoProfiles, agent, create, customer};
use domain::text::Code;
use domain::ticket::{Command, Context, Decision, Event, Rejection, Visibility};
use proptest::prelude::*;

use crate::sla_story::{
    FIRST, SOLVED, Story, accept, at, book, by_the_clock, clock, for_priority, office, policy, prioritise, promising,
    says, solution, working,
};

fn first_words(actions: Vec<BreachAction>) -> Book {
    let target = Target {
        on_breach: actions,
        ..Target::new(working(1))
    };
    let urgent = for_priority(
        "critical",
        "urgent",
        promising([(FIRST, Target::new(by_the_clock(9))), (SOLVED, solution(working(2)))]),
    );
    book([
        policy(
            promising([(FIRST, target), (SOLVED, solution(working(16)))]),
            office(9, 17),
        ),
        policy(urgent, office(9, 17)),
    ])
}

fn timer(kind: TimerKind, local: &str) -> Command {
    Command::FireTimer(Timer {
        at: at(local),
        kind,
        clock: clock(FIRST, 1),
    })
}

fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::name).collect()
}

fn last(story: &Story) -> Vec<&'static str> {
    let last = story.history.last().unwrap();
    let of_clocks = last.sla_events.iter().map(SlaEvent::name);
    names(&last.events).into_iter().chain(of_clocks).collect()
}

#[test]
fn a_record_tells_the_command_first_then_what_breaches_ask_for_then_the_clocks() {
    let actions = vec![
        BreachAction::RaisePriority(Code::new("critical")),
        BreachAction::Notify(Notified::Group, Delivery::AtOnce),
    ];
    let mut story = Story::opened(first_words(actions), "2026-06-01T09:00");
    story.at("2026-06-01T10:30").staff(&accept());
    let expected = [
        "accepted",
        "classified",
        "sla_warned",
        "sla_breached",
        "sla_notice_due",
        "sla_re_evaluated",
    ];
    assert_eq!(last(&story), expected);
}

#[test]
fn a_timer_fires_once_its_instant_is_over_and_says_that_instant() {
    let mut story = Story::opened(first_words(vec![]), "2026-06-01T09:00");
    let breach = timer(TimerKind::Breach, "2026-06-01T10:00");
    let system = Actor::system();
    story.at("2026-06-01T10:00").tell(&system, &breach).unwrap();
    assert_eq!(story.history.len(), 1, "at the instant itself everybody is in time");

    story.now = at("2026-06-01T10:00") + jiff::SignedDuration::from_micros(1);
    story.tell(&system, &breach).unwrap();
    assert_eq!(last(&story), ["sla_warned", "sla_breached"]);
    assert_eq!(story.history[1].occurred_at, at("2026-06-01T10:00"));
    assert_eq!(story.state().last_occurred_at, at("2026-06-01T10:00"));
    story.tell(&system, &breach).unwrap();
    assert_eq!(story.history.len(), 2, "it fires once");
}

#[test]
fn an_answer_at_the_due_instant_is_in_time_whatever_the_scheduler_does() {
    let mut story = Story::opened(first_words(vec![]), "2026-06-01T09:00");
    story
        .at("2026-06-01T10:00")
        .staff(&says(Visibility::Public))
        .at("2026-06-01T11:00");
    let breach = timer(TimerKind::Breach, "2026-06-01T10:00");
    story.tell(&Actor::system(), &breach).unwrap();
    story.stands(FIRST, ClockState::Met);
}

#[test]
fn a_timer_that_the_ticket_has_not_got_fires_nothing() {
    let mut story = Story::opened(first_words(vec![]), "2026-06-01T09:00");
    story.at("2026-06-02T09:00");
    let other = timer(TimerKind::Breach, "2026-06-01T09:59");
    story.tell(&Actor::system(), &other).unwrap();
    assert_eq!(story.history.len(), 1);
    let refused = story.tell(&agent(), &timer(TimerKind::Breach, "2026-06-01T10:00"));
    assert!(matches!(refused, Err(Rejection::NotPermitted { .. })));
}

#[test]
fn what_a_breach_asks_for_happens_with_the_timer_and_moves_the_other_clocks() {
    let actions = vec![BreachAction::RaisePriority(Code::new("critical"))];
    let mut story = Story::opened(first_words(actions), "2026-06-01T09:00");
    story.at("2026-06-01T15:00").scheduler();
    // Two hours are allowed now, of which one had elapsed. That was over at eleven, which the same pass has seen.
    story
        .stands(FIRST, ClockState::Breached)
        .stands(SOLVED, ClockState::Breached);
    assert_eq!(story.explain(SOLVED).breached_at, Some(at("2026-06-01T11:00")));
    assert_eq!(story.state().priority.code.as_str(), "critical");
    let rehearsed = domain::sla::rehearse(&story.history, &story.book, story.now).unwrap();
    assert!(
        rehearsed.iter().eq(story.clocks.iter()),
        "the rehearsal gives what happened"
    );
}

#[test]
fn g17_people_are_told_when_the_desk_opens_of_what_was_breached_at_night() {
    let target = Target {
        on_breach: vec![
            BreachAction::Notify(Notified::Assignee, Delivery::AtOnce),
            BreachAction::Notify(Notified::Followers, Delivery::WorkingHours),
        ],
        ..Target::new(by_the_clock(20))
    };
    let mut story = Story::opened(
        book([policy(promising([(SOLVED, target)]), office(9, 17))]),
        "2026-06-05T16:00",
    );
    story.at("2026-06-06T13:00").scheduler();
    let told = story.history.last().unwrap().sla_events.iter();
    let told: Vec<_> = told
        .filter_map(|event| match event {
            SlaEvent::NoticeDue { whom, at, .. } => Some((*whom, *at)),
            _ => None,
        })
        .collect();
    let expected = [
        (Notified::Assignee, at("2026-06-06T12:00")),
        (Notified::Followers, at("2026-06-08T09:00")),
    ];
    assert_eq!(told, expected);
}

fn decided(promised: &Promised, command: &Command, ctx: &Context<'_>, book: &Book) -> Decision {
    let catalogue = Catalogue::default();
    let desk = Desk {
        book,
        catalogue: &catalogue,
        profiles: &NoProfiles,
    };
    decide(promised, Revision(1), command, ctx, &desk).unwrap()
}

#[test]
fn an_import_begins_no_promises_that_it_would_break_unless_it_asks_for_them() {
    let (actor, waits, said) = (customer(), WaitPolicy::cabinet(), at("2020-06-01T09:00"));
    let ctx = |occurred_at, honour_deadlines| Context {
        actor: &actor,
        now: at("2026-06-01T09:00"),
        occurred_at,
        honour_deadlines,
        policy: &waits,
    };
    let book = first_words(vec![]);
    let opened = |ctx| names(&decided(&Promised::default(), &create(), &ctx, &book).events);
    assert_eq!(opened(ctx(Some(said), false)), ["created"]);
    assert_eq!(opened(ctx(Some(said), true)), ["created", "sla_started", "sla_started"]);
    assert_eq!(opened(ctx(None, false)), ["created", "sla_started", "sla_started"]);
}

#[test]
fn an_empty_book_changes_nothing() {
    let mut story = Story::opened(Book::default(), "2026-06-01T09:00");
    story.staff(&accept()).staff(&prioritise("critical"));
    assert!(story.clocks.is_empty());
    assert_eq!(last(&story), ["classified"]);
}

proptest! {
    /// Whenever the scheduler looks, and however often: a breach is recorded once, with its instant.
    #[test]
    fn however_late_and_often_timers_are_fired_a_breach_is_recorded_once(
        looks in proptest::collection::vec(0_i64..=300, 1..6),
        answered in 0_i64..=240,
    ) {
        let mut story = Story::opened(first_words(vec![BreachAction::RaisePriority(Code::new("critical"))]), "2026-06-01T09:00");
        let answered = at("2026-06-01T09:00") + jiff::SignedDuration::from_mins(answered);
        let mut spoken = false;
        for look in looks {
            let now = story.now + jiff::SignedDuration::from_mins(look);
            if !spoken && answered <= now {
                story.now = answered.max(story.now);
                story.staff(&says(Visibility::Public));
                spoken = true;
            }
            story.now = now;
            story.scheduler();
        }
        let breaches = |wanted| story.history.iter().flat_map(|it| &it.sla_events)
            .filter(|event| matches!(event, SlaEvent::Breached { clock, .. } if clock.target == wanted))
            .count();
        let first = story.clocks.last(FIRST).unwrap();
        prop_assert_eq!(breaches(FIRST), usize::from(first.breached_at.is_some()));
        prop_assert!(breaches(SOLVED) <= 1);
        if let Some(breached_at) = first.breached_at {
            prop_assert_eq!(breached_at, at("2026-06-01T10:00"));
        }
    }
}
