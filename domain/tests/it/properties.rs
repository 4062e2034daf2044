//! What holds for every history that the rules let happen. Histories are made by giving random
//! commands of random people at random times; whatever is refused simply does not happen.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::actor::Actor;
use domain::calendar::Calendar;
use domain::catalogue::{Catalogue, TicketType};
use domain::ids::UserId;
use domain::policy::{WaitLength, WaitPolicy};
use domain::testing::{AGENT, COLLEAGUE, NOON, body, create};
use domain::text::{Label, Subject};
use domain::ticket::{
    Accept, AddComment, Assign, Await, Change, Classify, Close, Command, Context, CustomValue, Decision, Edit, Event,
    ProposeClosure, ProvideInfo, Rate, Rejection, Reopen, RequestInfo, Resume, Status, Ticket, TicketState, Visibility,
    decide,
};
use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;

use crate::people::{FOLLOWER, GROUP, Person};

/// Commands in a history. Long enough to go round the whole life a few times.
const STEPS_MAX: usize = 40;

/// A wish, and the circumstances in which it is uttered.
#[derive(Debug, Clone)]
struct Step {
    command: Command,
    actor: Actor,
    /// Time since the step before.
    pause: SignedDuration,
    /// How long ago it happened, if the caller says so.
    ago: Option<SignedDuration>,
    honour_deadlines: bool,
}

/// A step of a history that was taken.
struct Taken {
    step: Step,
    before: Ticket,
    decision: Decision,
    after: Ticket,
    now: Timestamp,
}

fn label() -> impl Strategy<Value = Label> {
    select(vec!["Windows", "Linux", "prod"]).prop_map(|text| Label::parse(text).unwrap())
}

fn change<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Change<T>> {
    option::of(value).prop_map(Change::from)
}

fn user() -> impl Strategy<Value = UserId> {
    select(vec![AGENT, COLLEAGUE, FOLLOWER])
}

fn ticket_type() -> impl Strategy<Value = TicketType> {
    select(vec!["outage", "defect", "consultation", "feature_request"])
        .prop_map(|code| Catalogue::default().ticket_type(code).unwrap().ticket_type.clone())
}

/// The sample ticket's creation, with that type.
fn creation(ticket_type: TicketType) -> Step {
    let Command::Create(mut create, project) = create() else {
        panic!("the sample is a creation")
    };
    create.ticket_type = ticket_type;
    Step {
        command: Command::Create(create, project),
        actor: Person::Requester.actor(),
        pause: SignedDuration::ZERO,
        ago: None,
        honour_deadlines: false,
    }
}

fn classify() -> impl Strategy<Value = Command> {
    let priority = select(vec!["low", "high"]).prop_map(|code| Catalogue::default().priority(code).unwrap().clone());
    let system = change(option::of(label()));
    (change(ticket_type()), change(priority), system).prop_map(|(ticket_type, priority, system)| {
        Command::Classify(Box::new(Classify {
            ticket_type,
            priority,
            system,
            ..Classify::default()
        }))
    })
}

fn edit() -> impl Strategy<Value = Command> {
    let subject = change(select(vec!["Export", "Import"]).prop_map(|text| Subject::parse(text).unwrap()));
    let fields =
        change((label(), any::<i64>()).prop_map(|(name, value)| BTreeMap::from([(name, CustomValue::Number(value))])));
    (subject, fields, change(option::of(label()))).prop_map(|(subject, custom_fields, platform_version)| {
        let description = Change::Keep;
        Command::Edit(Box::new(Edit {
            subject,
            description,
            custom_fields,
            platform_version,
        }))
    })
}

fn assign() -> impl Strategy<Value = Command> {
    (change(option::of(user())), change(option::of(Just(GROUP))))
        .prop_map(|(assignee, group)| Command::Assign(Assign { assignee, group }))
}

fn command() -> impl Strategy<Value = Command> {
    let words = || body("words");
    let wait = Await {
        comment: None,
        reference: None,
    };
    let one_of = |commands: Vec<Command>| select(commands);
    let comment = |visibility| {
        Command::Comment(AddComment {
            body: words(),
            visibility,
        })
    };
    prop_oneof![
        1 => Just(create()),
        12 => one_of(vec![
            Command::Accept(Accept { assignee: None }),
            Command::RequestInfo(RequestInfo { comment: words() }),
            Command::ProvideInfo(ProvideInfo { comment: words() }),
            Command::AwaitFix(wait.clone()),
            Command::AwaitImplementation(wait),
            Command::Resume(Resume { comment: None }),
            Command::ProposeClosure(ProposeClosure { solution: words() }),
            Command::Close(Close { comment: None, reason: None }),
            Command::Close(Close { comment: None, reason: Some(words()) }),
            Command::Reopen(Reopen { comment: words() }),
            comment(Visibility::Public),
            comment(Visibility::Internal),
        ]),
        1 => (1_u8..=5).prop_map(|score| Command::Rate(Rate { score, comment: None })),
        1 => classify(),
        1 => edit(),
        1 => assign(),
        1 => option::of(user()).prop_map(Command::Follow),
        1 => option::of(user()).prop_map(Command::Unfollow),
        2 => (0_u32..8).prop_map(Command::ExpireInformationWait),
        2 => (0_u32..8).prop_map(Command::ExpireClosureWait),
    ]
}

/// Mostly people who can do something, so that histories get somewhere.
fn person() -> impl Strategy<Value = Person> {
    prop_oneof![3 => Just(Person::Lead), 2 => Just(Person::Requester), 1 => select(Person::ALL.as_slice())]
}

fn step() -> impl Strategy<Value = Step> {
    let minutes = |most: i64| (0..=most).prop_map(SignedDuration::from_mins);
    (
        command(),
        person(),
        minutes(4 * 24 * 60),
        option::weighted(0.2, minutes(24 * 60)),
        any::<bool>(),
    )
        .prop_map(|(command, person, pause, ago, honour_deadlines)| {
            let actor = match &command {
                Command::ExpireInformationWait(_) | Command::ExpireClosureWait(_) => Actor::system(),
                _ => person.actor(),
            };
            Step {
                command,
                actor,
                pause,
                ago,
                honour_deadlines,
            }
        })
}

fn policy() -> impl Strategy<Value = WaitPolicy> {
    let hour = Some(WaitLength::Elapsed(SignedDuration::from_hours(1)));
    let quick = WaitPolicy::try_new("quick/1", hour, hour, Calendar::round_the_clock()).unwrap();
    let silent = WaitPolicy {
        reply_resumes: false,
        ..WaitPolicy::supportal()
    };
    select(vec![WaitPolicy::supportal(), WaitPolicy::cabinet(), quick, silent])
}

/// A policy, and the steps that follow a creation.
fn history() -> impl Strategy<Value = (WaitPolicy, Vec<Step>)> {
    (policy(), ticket_type(), vec(step(), 0..STEPS_MAX)).prop_map(|(policy, ticket_type, mut steps)| {
        steps.insert(0, creation(ticket_type));
        (policy, steps)
    })
}

fn ask(ticket: &Ticket, step: &Step, now: Timestamp, policy: &WaitPolicy) -> Result<Decision, Rejection> {
    let occurred_at = step.ago.map(|ago| now - ago);
    let honour_deadlines = step.honour_deadlines;
    decide(
        ticket,
        &step.command,
        &Context {
            actor: &step.actor,
            now,
            occurred_at,
            honour_deadlines,
            policy,
        },
    )
}

fn evolve(ticket: Ticket, decision: &Decision) -> Ticket {
    decision
        .events
        .iter()
        .fold(ticket, |ticket, event| ticket.evolve(event, decision.occurred_at))
}

/// Takes every step that the rules allow.
fn live(policy: &WaitPolicy, steps: &[Step]) -> Vec<Taken> {
    let (mut ticket, mut now, mut taken) = (Ticket::Absent, NOON, Vec::new());
    for step in steps {
        now += step.pause;
        let Ok(decision) = ask(&ticket, step, now, policy) else {
            continue;
        };
        let before = ticket.clone();
        ticket = evolve(ticket, &decision);
        taken.push(Taken {
            step: step.clone(),
            before,
            decision,
            after: ticket.clone(),
            now,
        });
    }
    taken
}

/// Every move that the contract's table knows.
fn is_legal(from: Status, to: Status) -> bool {
    use Status::{
        Closed, InProgress, New, Reopened, WaitingForClosure, WaitingForFix, WaitingForImplementation, WaitingForInfo,
    };
    match (from, to) {
        (_, Closed) => true,
        (Closed, to) => to == Reopened,
        (New | WaitingForClosure, to) => to == InProgress,
        (Reopened, to) => [InProgress, WaitingForInfo].contains(&to),
        (InProgress, to) => [
            WaitingForInfo,
            WaitingForFix,
            WaitingForImplementation,
            WaitingForClosure,
        ]
        .contains(&to),
        (WaitingForInfo | WaitingForFix | WaitingForImplementation, to) => {
            [InProgress, WaitingForClosure].contains(&to)
        }
    }
}

fn state(ticket: &Ticket) -> &TicketState {
    ticket.state().expect("only an existing ticket takes steps")
}

/// The ticket as though nothing had told it the time.
fn timeless(ticket: &Ticket) -> Option<TicketState> {
    ticket.state().cloned().map(|state| TicketState {
        last_occurred_at: Timestamp::UNIX_EPOCH,
        ..state
    })
}

proptest! {
    #[test]
    fn the_same_question_has_the_same_answer((policy, steps) in history()) {
        let (mut ticket, mut now) = (Ticket::Absent, NOON);
        for step in &steps {
            now += step.pause;
            let answer = ask(&ticket, step, now, &policy);
            prop_assert_eq!(&answer, &ask(&ticket.clone(), step, now, &policy));
            ticket = answer.map_or(ticket.clone(), |decision| evolve(ticket, &decision));
        }
    }

    #[test]
    fn replaying_gives_what_was_lived_at_once_and_in_two_parts((policy, steps) in history(), cut in 0_usize..100) {
        let taken = live(&policy, &steps);
        let events: Vec<(&Event, Timestamp)> = taken
            .iter()
            .flat_map(|taken| taken.decision.events.iter().map(|event| (event, taken.decision.occurred_at)))
            .collect();
        let lived = taken.last().map(|taken| taken.after.clone()).unwrap_or_default();
        prop_assert_eq!(&Ticket::replay(events.iter().copied()), &lived);
        let (first, second) = events.split_at(cut.min(events.len()));
        let half = Ticket::replay(first.iter().copied());
        let whole = second.iter().fold(half, |ticket, (event, at)| ticket.evolve(event, *at));
        prop_assert_eq!(whole, lived);
    }

    #[test]
    fn a_command_given_twice_adds_nothing_the_second_time((policy, steps) in history()) {
        for taken in live(&policy, &steps) {
            let again = ask(&taken.after, &taken.step, taken.now, &policy);
            // Saying something twice is saying two things.
            if !matches!(taken.step.command, Command::Comment(_)) {
                prop_assert!(again.as_ref().map_or(true, |again| again.events.is_empty()), "{:?}", again);
            }
        }
    }

    #[test]
    fn every_change_of_status_is_in_the_table((policy, steps) in history()) {
        for taken in live(&policy, &steps) {
            let Some(before) = taken.before.state() else { continue };
            let (from, to) = (before.status, state(&taken.after).status);
            prop_assert!(from == to || is_legal(from, to), "{:?}: {:?} to {:?}", taken.step.command, from, to);
        }
    }

    #[test]
    fn every_event_changes_the_ticket_but_a_comment((policy, steps) in history()) {
        for taken in live(&policy, &steps) {
            let mut ticket = taken.before.clone();
            for event in &taken.decision.events {
                let after = ticket.clone().evolve(event, taken.decision.occurred_at);
                let changed = timeless(&after) != timeless(&ticket);
                prop_assert_eq!(changed, !matches!(event, Event::Commented { .. }), "{:?}", event);
                ticket = after;
            }
        }
    }

    #[test]
    fn waits_run_only_where_tickets_wait_and_are_numbered_upwards((policy, steps) in history()) {
        for taken in live(&policy, &steps) {
            let after = state(&taken.after);
            if let Some(wait) = &after.wait {
                prop_assert!([Status::WaitingForInfo, Status::WaitingForClosure].contains(&after.status));
                prop_assert_eq!(wait.number, after.waits);
            }
            let Some(before) = taken.before.state() else { continue };
            prop_assert!(before.waits <= after.waits);
            // A wait goes on as it began, or it is another one.
            if before.wait.is_some() && before.waits == after.waits {
                prop_assert!(after.wait == before.wait || after.wait.is_none());
            }
        }
    }

    #[test]
    fn a_wait_can_be_ended_from_its_due_time_on_and_not_before(
        (policy, steps) in history(),
        late in 0_i64..10_000_000_000,
        early in 1_i64..10_000_000_000,
    ) {
        for taken in live(&policy, &steps) {
            let after = state(&taken.after);
            let Some(wait) = &after.wait else { continue };
            let command = match after.status {
                Status::WaitingForInfo => Command::ExpireInformationWait(wait.number),
                _ => Command::ExpireClosureWait(wait.number),
            };
            let step = Step { command, actor: Actor::system(), ago: None, ..taken.step.clone() };
            let before = ask(&taken.after, &step, wait.due_at - SignedDuration::from_micros(early), &policy).unwrap();
            prop_assert_eq!(before.events.len(), 0);
            let due = ask(&taken.after, &step, wait.due_at, &policy).unwrap();
            prop_assert_eq!(due.events.len(), 1);
            prop_assert_eq!(due.occurred_at, wait.due_at);
            // However late the scheduler is, it comes to the same.
            let later = ask(&taken.after, &step, wait.due_at + SignedDuration::from_micros(late), &policy).unwrap();
            prop_assert_eq!(later, due);
        }
    }

    #[test]
    fn nothing_but_an_expiry_happens_before_what_happened_last((policy, steps) in history()) {
        for taken in live(&policy, &steps).iter().filter(|taken| !taken.decision.events.is_empty()) {
            let Some(before) = taken.before.state() else { continue };
            let expiry = matches!(taken.step.command, Command::ExpireInformationWait(_) | Command::ExpireClosureWait(_));
            prop_assert!(expiry || before.last_occurred_at <= taken.decision.occurred_at);
            prop_assert!(taken.decision.occurred_at <= taken.now);
            prop_assert!(before.last_occurred_at <= state(&taken.after).last_occurred_at);
        }
    }

    #[test]
    fn only_a_creation_makes_a_ticket(steps in vec(step(), 1..10)) {
        let policy = WaitPolicy::supportal();
        for step in steps.iter().filter(|step| !matches!(step.command, Command::Create(..))) {
            prop_assert_eq!(ask(&Ticket::Absent, step, NOON, &policy), Err(Rejection::Absent));
        }
    }
}

/// The histories are worth something only if they reach every status and every event.
#[test]
fn random_histories_reach_every_status_and_every_event() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut statuses, mut events) = (Vec::new(), Vec::new());
    for _ in 0..1_000 {
        let (policy, steps) = history().new_tree(&mut runner).unwrap().current();
        for taken in live(&policy, &steps) {
            statuses.push(state(&taken.after).status);
            events.extend(taken.decision.events.iter().map(Event::name));
        }
    }
    statuses.sort_unstable();
    statuses.dedup();
    events.sort_unstable();
    events.dedup();
    assert_eq!(statuses.len(), Status::ALL.len(), "{statuses:?}");
    // Every event there is: 20 of them.
    assert_eq!(events.len(), 20, "{events:?}");
}
