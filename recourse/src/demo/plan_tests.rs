//! Whole demos, held against the desk's own rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::Timestamp;
use domain::actor::Actor;
use domain::policy::{WaitKind, WaitPolicy};
use domain::ticket::{Command, Context, Status, Ticket, decide};

use super::life::{Step, What, life};
use super::world::{Plan, World};

const TICKETS: u64 = 2_000;

fn until() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn world(seed: u64, policy: WaitPolicy) -> World {
    let plan = Plan {
        tickets: TICKETS,
        seed,
        days: 365,
        until: until(),
        policy: Arc::new(policy),
    };
    World::new(plan).unwrap()
}

fn lives(world: &World) -> Vec<Vec<Step>> {
    (0_u64..)
        .zip(world.arrivals())
        .map(|(index, at)| life(world, index, at))
        .collect()
}

/// Carries a life out by the rules; every command has to change something.
fn lived(world: &World, steps: &[Step]) -> Ticket {
    let mut ticket = Ticket::default();
    let mut last = world.from;
    for step in steps {
        assert!(last <= step.at && step.at <= until(), "{step:?} after {last}");
        last = step.at;
        let (actor, command) = match &step.what {
            What::Command(actor, command) => (Arc::clone(actor), command.clone()),
            What::Expiry(WaitKind::Information, number) => {
                (Arc::new(Actor::system()), Command::ExpireInformationWait(*number))
            }
            What::Expiry(WaitKind::Closure, number) => (Arc::new(Actor::system()), Command::ExpireClosureWait(*number)),
        };
        let context = Context {
            actor: &actor,
            now: step.at,
            occurred_at: None,
            honour_deadlines: false,
            policy: &world.plan.policy,
        };
        let decision = decide(&ticket, &command, &context).unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(!decision.events.is_empty(), "{command:?} changes nothing");
        for event in &decision.events {
            ticket = ticket.evolve(event, decision.occurred_at);
        }
    }
    ticket
}

#[test]
fn every_life_is_one_that_the_rules_allow() {
    for policy in [WaitPolicy::supportal(), WaitPolicy::cabinet()] {
        for seed in [1, 2] {
            let world = world(seed, policy.clone());
            for steps in lives(&world) {
                lived(&world, &steps);
            }
        }
    }
}

#[test]
fn no_wait_is_overdue_at_the_end_of_the_history() {
    let world = world(3, WaitPolicy::supportal());
    let mut waiting = 0;
    for steps in lives(&world) {
        let ticket = lived(&world, &steps);
        if let Some(wait) = &ticket.state().unwrap().wait {
            waiting += 1;
            // The scheduler may notice it a second later.
            assert!(wait.due_at > until() - jiff::SignedDuration::from_secs(1), "{wait:?}");
        }
    }
    assert!(waiting > 5, "only {waiting} tickets wait");
}

#[test]
fn the_same_parameters_make_the_same_demo_and_another_seed_another() {
    let told = |seed| format!("{:?}", lives(&world(seed, WaitPolicy::supportal())));
    let (one, again, other) = (told(1), told(1), told(2));
    assert!(one == again && one != other);
    let ids = |seed| {
        let world = world(seed, WaitPolicy::supportal());
        let of = |index| {
            (
                world.ticket_id(index),
                world.command_id(index, 0),
                world.command_id(index, 1),
            )
        };
        (0..TICKETS).map(of).collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(1), ids(1));
    assert!(ids(1).is_disjoint(&ids(2)));
}

#[test]
fn records_statuses_and_commands_are_mixed_like_real_ones() {
    let world = world(4, WaitPolicy::supportal());
    let lives = lives(&world);
    let (mut statuses, mut commands) = (BTreeMap::<&str, u64>::new(), BTreeMap::<&str, u64>::new());
    let mut records = 0;
    for steps in &lives {
        records += u64::try_from(steps.len()).unwrap();
        let status = lived(&world, steps).state().unwrap().status;
        *statuses.entry(status.as_str()).or_default() += 1;
        for step in steps {
            let name = match &step.what {
                What::Command(_, command) => command.name().as_str(),
                What::Expiry(kind, _) => kind.as_str(),
            };
            *commands.entry(name).or_default() += 1;
        }
    }
    let each = records * 10 / TICKETS;
    assert!(
        (50..=75).contains(&each),
        "{each} tenths of a record for each ticket: {commands:?}"
    );
    let closed = statuses.get(Status::Closed.as_str()).copied().unwrap_or(0) * 100 / TICKETS;
    assert!((70..=97).contains(&closed), "{statuses:?}");
    assert!(statuses.len() >= 6, "{statuses:?}");
    for command in [
        "accept",
        "assign",
        "await-fix",
        "await-implementation",
        "classify",
        "close",
        "closure",
        "comment",
        "edit",
        "follow",
        "information",
        "propose-closure",
        "provide-info",
        "rate",
        "reopen",
        "request-info",
        "resume",
    ] {
        assert!(commands.contains_key(command), "nobody gives {command}: {commands:?}");
    }
}
