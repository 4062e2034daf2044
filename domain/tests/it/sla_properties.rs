//! What holds for the clocks of every history that the rules let happen.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::policy::WaitPolicy;
use domain::sla::{
    Book, ClockState, Clocks, Counting, Explanation, Happened, PartKind, Rehearsal, SlaEvent, SlaPolicy, Target,
    TargetKind, Verdict, compare, rehearse,
};
use domain::testing::create;
use domain::ticket::{Await, Command, Event, Status, Visibility};
use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::people::Person;
use crate::sla_story::{
    FIRST, NEXT, SOLVED, Story, accept, always, answer, at, book, by_the_clock, close, close_because, for_priority,
    office, office_closed_on, policy, prioritise, promising, proposal, question, reopen, says, solution, working,
};

const STEPS_MAX: usize = 25;

#[derive(Debug, Clone)]
struct Move {
    what: What,
    /// Time since the move before.
    pause: SignedDuration,
}

#[derive(Debug, Clone)]
enum What {
    Give(Person, Command),
    Scheduler,
    ReEvaluate(Counting),
}

fn books() -> Vec<Book> {
    let hours = || {
        let urgent = promising([(FIRST, Target::new(by_the_clock(1))), (SOLVED, solution(working(4)))]);
        let relaxed = promising([(NEXT, Target::new(working(16)))]);
        let std = promising([
            (FIRST, Target::new(working(4))),
            (NEXT, Target::new(working(2))),
            (SOLVED, solution(working(16))),
        ]);
        [
            std,
            for_priority("high", "urgent", urgent),
            for_priority("low", "relaxed", relaxed),
        ]
    };
    let strict = promising([
        (FIRST, Target::new(working(1)).paused_in([Status::New])),
        (
            NEXT,
            Target::new(by_the_clock(3)).paused_in([Status::WaitingForInfo, Status::Reopened]),
        ),
        (
            SOLVED,
            Target::new(by_the_clock(30)).paused_in([Status::New, Status::WaitingForInfo]),
        ),
    ]);
    vec![
        book(hours().map(|spec| policy(spec, office(9, 17)))),
        book(hours().map(|spec| policy(spec, always()))),
        book([policy(strict, office_closed_on(&["2026-06-03", "2026-06-04"]))]),
        Book::default(),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let wait = Await {
        comment: None,
        reference: None,
    };
    prop_oneof![
        8 => select(vec![
            accept(),
            question(),
            answer(),
            proposal(),
            close(),
            close_because(),
            reopen(),
            says(Visibility::Public),
            says(Visibility::Public),
            says(Visibility::Internal),
            Command::AwaitFix(wait),
        ]),
        2 => select(vec!["low", "medium", "high"]).prop_map(prioritise),
        1 => (1_u32..5).prop_map(Command::ExpireInformationWait),
        1 => (1_u32..5).prop_map(Command::ExpireClosureWait),
    ]
}

fn given_command() -> impl Strategy<Value = What> {
    let person =
        prop_oneof![3 => Just(Person::Lead), 3 => Just(Person::Requester), 1 => select(Person::ALL.as_slice())];
    (person, command()).prop_map(|(person, command)| match command {
        Command::ExpireInformationWait(_) | Command::ExpireClosureWait(_) => What::Give(Person::System, command),
        command => What::Give(person, command),
    })
}

/// Whole minutes and often whole hours, so that instants often coincide.
fn moves(what: impl Strategy<Value = What>) -> impl Strategy<Value = Vec<Move>> {
    let pause = prop_oneof![
        (0_i64..=30).prop_map(SignedDuration::from_hours),
        (0_i64..=600).prop_map(SignedDuration::from_mins),
        (0_i64..=10_000_000_000).prop_map(SignedDuration::from_micros),
    ];
    vec(
        (what, pause).prop_map(|(what, pause)| Move { what, pause }),
        0..STEPS_MAX,
    )
}

fn story(book: Book, waits: WaitPolicy, moves: &[Move]) -> Story {
    let mut story = Story::new(book, at("2026-06-01T07:00"));
    story.waits = waits;
    story.tell(&Person::Requester.actor(), &create()).unwrap();
    for step in moves {
        story.now += step.pause;
        match &step.what {
            // What the rules refuse does not happen.
            What::Give(person, command) => drop(story.tell(&person.actor(), command)),
            What::Scheduler => drop(story.scheduler()),
            What::ReEvaluate(counting) => {
                story.re_evaluate(*counting);
            }
        }
    }
    story
}

fn waits() -> impl Strategy<Value = WaitPolicy> {
    let silent = WaitPolicy {
        reply_resumes: false,
        ..WaitPolicy::supportal()
    };
    select(vec![WaitPolicy::supportal(), WaitPolicy::cabinet(), silent])
}

/// Everything that can happen to clocks, under policies that change on the way.
fn any_story() -> impl Strategy<Value = Story> {
    let what = prop_oneof![
        8 => given_command(),
        1 => Just(What::Scheduler),
        1 => select(vec![Counting::Kept, Counting::Afresh]).prop_map(What::ReEvaluate),
    ];
    let half = || moves(prop_oneof![8 => given_command(), 1 => Just(What::Scheduler)]);
    (select(books()), half(), waits(), moves(what), 0_u32..2).prop_map(|(first, moves, waits, more, edited)| {
        let mut told = story(first.clone(), waits, &moves);
        if edited == 1 {
            // Version 2 of the policy `std`, by another calendar, in place of all others.
            let spec = promising([(FIRST, Target::new(working(3))), (SOLVED, solution(by_the_clock(20)))]);
            let next = SlaPolicy::try_new(spec, 2, office_closed_on(&["2026-06-05"])).unwrap();
            let earlier = told
                .history
                .iter()
                .flat_map(|recorded| &recorded.sla_events)
                .filter_map(|event| match event {
                    SlaEvent::Started { pin, .. } => Some(first.pinned(pin).unwrap().clone()),
                    SlaEvent::ReEvaluated(change) => Some(first.pinned(&change.to).unwrap().clone()),
                    SlaEvent::Paused { .. }
                    | SlaEvent::Resumed { .. }
                    | SlaEvent::Fulfilled { .. }
                    | SlaEvent::Cancelled { .. }
                    | SlaEvent::Warned { .. }
                    | SlaEvent::Breached { .. }
                    | SlaEvent::NoticeDue { .. } => None,
                });
            told.book = book([next]).with_earlier(earlier.collect::<Vec<_>>());
        }
        for step in &more {
            told.now += step.pause;
            match &step.what {
                What::Give(person, command) => drop(told.tell(&person.actor(), command)),
                What::Scheduler => drop(told.scheduler()),
                What::ReEvaluate(counting) => drop(told.re_evaluate(*counting)),
            }
        }
        told
    })
}

impl std::fmt::Debug for Story {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for recorded in &self.history {
            let names: Vec<_> = recorded.events.iter().map(Event::name).collect();
            writeln!(
                f,
                "{} {} {names:?} {:?}",
                recorded.revision, recorded.occurred_at, recorded.sla_events
            )?;
        }
        write!(f, "now {}", self.now)
    }
}

fn explained(story: &Story, now: Timestamp) -> Vec<Explanation> {
    story.clocks.explain(now, &story.book).unwrap()
}

/// The running time of an explanation that lies before an instant.
fn running_before(explanation: &Explanation, instant: Timestamp) -> SignedDuration {
    let running = explanation.parts.iter().filter(|part| part.kind == PartKind::Running);
    running
        .map(|part| part.from.min(instant).duration_until(part.to.min(instant)))
        .fold(SignedDuration::ZERO, |sum, part| sum + part)
}

/// Whether a wait ended no later than a breach that had been recorded before. Both are timers: whoever keeps them lets
/// the earlier one go first, and of two at one instant the wait, which may be what meets the target.
fn breach_overtook_a_wait(story: &Story) -> bool {
    let mut breached = None;
    story.history.iter().any(|recorded| {
        let overtaken = !recorded.events.is_empty() && breached.is_some_and(|at| recorded.occurred_at <= at);
        for event in &recorded.sla_events {
            if let SlaEvent::Breached { at, .. } = event {
                breached = breached.max(Some(*at));
            }
        }
        overtaken
    })
}

/// The story's history, played record by record.
fn played(story: &Story, draft: &Book) -> Vec<Verdict> {
    let mut rehearsal = Rehearsal::default();
    for recorded in &story.history {
        let of_clocks = recorded
            .sla_events
            .iter()
            .map(|event| Event::Sla(Box::new(event.clone())));
        let record = Happened {
            revision: recorded.revision,
            occurred_at: recorded.occurred_at,
            actor: &recorded.actor,
            events: &recorded.events.iter().cloned().chain(of_clocks).collect::<Vec<_>>(),
        };
        rehearsal.take(&record, draft).unwrap();
    }
    rehearsal.verdicts(story.now)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn parts_cover_a_clocks_life_without_a_gap_and_add_up(story in any_story(), later in 0_i64..=200) {
        let now = story.now + SignedDuration::from_hours(later);
        for (explanation, clock) in explained(&story, now).iter().zip(story.clocks.iter()) {
            let end = explanation.ended_at.unwrap_or(now);
            let mut reached = explanation.started_at;
            for part in &explanation.parts {
                prop_assert_eq!(part.from, reached);
                prop_assert!(part.from < part.to);
                reached = part.to;
            }
            prop_assert!(reached == end || (explanation.parts.is_empty() && explanation.started_at == end));
            for (one, next) in explanation.parts.iter().zip(explanation.parts.iter().skip(1)) {
                prop_assert_ne!(one.kind, next.kind);
            }
            prop_assert_eq!(explanation.elapsed, clock.elapsed(now, &story.book).unwrap());
            prop_assert_eq!(explanation.elapsed + explanation.remaining, explanation.within.duration());
        }
    }

    #[test]
    fn a_stretch_in_two_parts_adds_up(story in any_story(), first in 0_i64..=100, second in 0_i64..=100) {
        let middle = story.now + SignedDuration::from_mins(first * 17);
        let end = middle + SignedDuration::from_mins(second * 23);
        for (before, after) in explained(&story, middle).iter().zip(&explained(&story, end)) {
            prop_assert_eq!(before.elapsed, running_before(after, middle));
        }
    }

    #[test]
    fn a_clock_that_goes_on_reaches_its_time_when_it_is_due(story in any_story()) {
        for explanation in explained(&story, story.now) {
            if explanation.state != ClockState::Running {
                continue;
            }
            let due_at = explanation.due_at.expect("what runs is due some time");
            let clock = story.clocks.get(explanation.clock).unwrap();
            let elapsed = clock.elapsed(due_at, &story.book).unwrap();
            if due_at > story.now {
                prop_assert_eq!(elapsed, explanation.within.duration());
            } else {
                prop_assert!(elapsed >= explanation.within.duration());
            }
        }
    }

    #[test]
    fn what_was_recorded_replays_to_the_same_clocks(story in any_story()) {
        prop_assert_eq!(Clocks::replay(&story.history), story.clocks);
    }

    #[test]
    fn rehearsing_with_the_policies_in_force_gives_what_happened(
        book in select(books()),
        waits in waits(),
        moves in moves(prop_oneof![6 => given_command(), 1 => Just(What::Scheduler)]),
        later in 1_i64..=100,
    ) {
        let mut story = story(book.clone(), waits, &moves);
        story.now += SignedDuration::from_hours(later);
        story.scheduler();
        prop_assume!(!breach_overtook_a_wait(&story));
        let rehearsed = rehearse(&story.history, &book, story.now).unwrap();
        let verdicts = compare(&story.clocks, &rehearsed, story.now);
        prop_assert!(verdicts.iter().all(|verdict| verdict.then == verdict.now), "{:?}", verdicts);
        prop_assert!(story.clocks.iter().eq(rehearsed.iter()));
        prop_assert_eq!(played(&story, &book), verdicts);
    }

    #[test]
    fn a_late_scheduler_changes_no_outcome(
        book in select(books()),
        waits in waits(),
        moves in moves(given_command()),
        late in 0_i64..=100,
    ) {
        let mut punctual: Vec<Move> = Vec::new();
        for step in &moves {
            punctual.push(Move { what: What::Scheduler, pause: step.pause });
            punctual.push(Move { pause: SignedDuration::ZERO, ..step.clone() });
        }
        let mut one = story(book.clone(), waits.clone(), &punctual);
        let mut other = story(book, waits, &moves);
        let now = one.now + SignedDuration::from_hours(late);
        one.now = now;
        other.now = now;
        one.scheduler();
        other.scheduler();
        prop_assume!(!breach_overtook_a_wait(&one) && !breach_overtook_a_wait(&other));
        let verdicts = compare(&one.clocks, &other.clocks, now);
        prop_assert!(verdicts.iter().all(|verdict| verdict.then == verdict.now), "{:?}", verdicts);
    }

    #[test]
    fn a_breach_is_recorded_once_and_never_undone(story in any_story(), later in 0_i64..=1000) {
        let mut story = story;
        story.now += SignedDuration::from_hours(later);
        story.scheduler();
        prop_assert!(story.clocks.overdue(story.now).is_empty());
        for clock in story.clocks.iter() {
            let breaches = story.history.iter().flat_map(|recorded| &recorded.sla_events)
                .filter(|event| matches!(event, SlaEvent::Breached { clock: breached, .. } if *breached == clock.id))
                .count();
            prop_assert_eq!(breaches, usize::from(clock.breached_at.is_some()));
        }
    }

    #[test]
    fn a_pause_outside_of_working_hours_changes_nothing(
        within in 1_i64..=40,
        day in 0_i64..=6,
        from in 17 * 60_i64..=33 * 60,
        to in 17 * 60_i64..=33 * 60,
        end in 1_i64..=200,
    ) {
        // From 17:00 to 9:00 of the next day nobody works, whichever day it is.
        let evening = |minutes: i64| at("2026-06-01T00:00") + SignedDuration::from_hours(24 * day) + SignedDuration::from_mins(minutes);
        let policies = || book([policy(promising([(SOLVED, solution(working(within)))]), office(9, 17))]);
        let mut told = [Story::opened(policies(), "2026-06-01T08:00"), Story::opened(policies(), "2026-06-01T08:00")];
        for story in &mut told {
            story.staff(&accept());
        }
        let [held, free] = &mut told;
        held.now = evening(from.min(to));
        held.staff(&question());
        held.now = evening(from.max(to));
        held.requester(&answer());
        let now = held.now + SignedDuration::from_hours(end);
        for story in [&mut *held, &mut *free] {
            story.now = now;
            story.scheduler();
        }
        let (held, free) = (held.explain(SOLVED), free.explain(SOLVED));
        prop_assert_eq!(held.elapsed, free.elapsed);
        prop_assert_eq!((held.state, held.due_at, held.warn_at, held.breached_at), (free.state, free.due_at, free.warn_at, free.breached_at));
    }
}

/// The properties above mean little if nothing happens in the histories that they look at.
#[test]
fn the_histories_hold_everything_that_can_happen_to_a_clock() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for _ in 0..2048 {
        let story = any_story().new_tree(&mut runner).unwrap().current();
        let events = story.history.iter().flat_map(|recorded| &recorded.sla_events);
        seen.extend(events.map(|event| (event.clock().target.as_str(), event.name())));
    }
    for target in TargetKind::ALL {
        for name in [
            "sla_started",
            "sla_paused",
            "sla_resumed",
            "sla_fulfilled",
            "sla_cancelled",
            "sla_warned",
            "sla_breached",
            "sla_re_evaluated",
        ] {
            assert!(
                seen.contains(&(target.as_str(), name)),
                "no {name} of {}",
                target.as_str()
            );
        }
    }
}
