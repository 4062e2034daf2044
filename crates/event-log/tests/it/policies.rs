//! Policies that are followed.

use domain::actor::Actor;
use domain::calendar::{Calendar, CalendarSpec, Interval, Week, stored as calendar};
use domain::directory::EntryKind;
use domain::ids::{CalendarId, PolicyId};
use domain::sla::stored::{Command, Draft, Version};
use domain::sla::{Book, Matter, Pin, SlaCalendar, SlaPolicy};
use domain::testing::agent;
use domain::text::{Code, Label};
use event_log::{BookKeeper, Books, EventLog, ExecuteError, PolicyOutcome};
use service_kit::{Health, Shutdown};
use test_harness::wait_until;
use uuid::Uuid;

use crate::support::{Desk, LIMIT, connect, wish};

const OFFICE: CalendarId = CalendarId::from_bytes([1; 16]);
const GOLD: PolicyId = PolicyId::from_bytes([2; 16]);

fn office(end: u32) -> Calendar {
    let week = Week::daily(&[Interval::hours(9, end)]);
    Calendar::try_new(CalendarSpec::weekly("Office", "UTC", week)).unwrap()
}

fn gold(name: &str) -> Draft {
    Draft {
        version: Version {
            calendar: Some(OFFICE),
            ..Version::new(Label::parse(name).unwrap())
        },
        hours: Some(SlaCalendar::stored(OFFICE, 1, office(17))),
    }
}

async fn give(log: &EventLog, command: &Command) -> PolicyOutcome {
    log.policies().execute(GOLD, command, &wish(agent())).await.unwrap()
}

/// What a ticket opened now is promised by.
fn pin(book: &Book) -> Pin {
    let (kind, priority) = (Code::new("outage"), Code::new("high"));
    let matter = Matter {
        organisation: None,
        service: None,
        ticket_type: &kind,
        priority: &priority,
    };
    book.in_force(&matter).unwrap().pin().clone()
}

fn editions(books: &Books) -> (u32, u32) {
    let pin = pin(&books.current().unwrap());
    (pin.policy.version, pin.calendar.version)
}

/// Books that are kept by a process of their own.
struct Kept {
    books: Books,
    health: Health,
    shutdown: Shutdown,
}

impl Kept {
    fn start((books, keeper): (Books, BookKeeper)) -> Self {
        let (health, shutdown) = (Health::default(), Shutdown::new());
        let ready = health.component("policies");
        shutdown.tracker().spawn(keeper.keep(ready, shutdown.clone()));
        Self {
            books,
            health,
            shutdown,
        }
    }

    async fn ready(&self) {
        wait_until("the policies to be known", LIMIT, async || self.health.report().ready).await;
    }
}

#[tokio::test]
async fn a_policy_applies_as_soon_as_its_position_is_reached_and_all_before_it_are_found() {
    let desk = Desk::start().await;
    let kept = Kept::start(desk.log.books(SlaPolicy::cabinet()));
    kept.ready().await;
    assert_eq!(pin(&kept.books.current().unwrap()), *SlaPolicy::cabinet().pin());
    let calendars = desk.log.calendars();
    let create = calendar::Command::Create(office(17), None);
    calendars.execute(OFFICE, &create, &wish(agent())).await.unwrap();
    let mut pins = Vec::new();
    for (command, expected) in [
        (Command::Create(gold("Gold")), (1, 1)),
        (Command::Replace(gold("Better")), (2, 1)),
    ] {
        let outcome = give(&desk.log, &command).await;
        kept.books.reached(outcome.position).await;
        assert_eq!(editions(&kept.books), expected);
        pins.push(pin(&kept.books.current().unwrap()));
    }
    let longer = calendar::Command::Replace(office(18), None);
    let outcome = calendars.execute(OFFICE, &longer, &wish(agent())).await.unwrap();
    kept.books.reached(outcome.position).await;
    assert_eq!(editions(&kept.books), (2, 2));
    let future = calendar::Command::Replace(office(19), Some("9000-01-01".parse().unwrap()));
    let outcome = calendars.execute(OFFICE, &future, &wish(agent())).await.unwrap();
    kept.books.reached(outcome.position).await;
    assert_eq!(editions(&kept.books), (2, 2));
    let book = kept.books.current().unwrap();
    assert!(pins.iter().all(|pin| book.pinned(pin).is_ok()));
    assert!(book.pinned(SlaPolicy::cabinet().pin()).is_ok());

    // A process that starts later knows as much once it is ready, and nothing before.
    let (books, keeper) = connect(desk.nats.url()).await.books(SlaPolicy::cabinet());
    assert_eq!(books.current(), None);
    let later = Kept::start((books, keeper));
    later.ready().await;
    assert_eq!(later.books.current(), kept.books.current());
    kept.shutdown.trigger();
    kept.shutdown.finished().await;
}

#[tokio::test]
async fn nothing_is_decided_about_tickets_before_the_policies_are_read() {
    let desk = Desk::start().await;
    let (books, keeper) = desk.log.books(SlaPolicy::cabinet());
    let tickets = desk.log.tickets(books.clone());
    let (ticket, request) = (Uuid::new_v4().into(), wish(domain::testing::customer()));
    let command = domain::testing::create();
    let early = tickets.execute(ticket, &command, &request).await;
    assert!(matches!(early, Err(ExecuteError::PoliciesUnread)), "{early:?}");
    let kept = Kept::start((books, keeper));
    kept.ready().await;
    let outcome = tickets.execute(ticket, &command, &request).await.unwrap();
    assert!(!outcome.replayed);
}

#[tokio::test]
async fn names_pass_by_without_a_change_and_a_restarted_log_is_followed_on() {
    let desk = Desk::start().await;
    let kept = Kept::start(desk.log.books(SlaPolicy::cabinet()));
    kept.ready().await;
    let before = kept.books.current().unwrap();
    let name = Label::parse("Ada").unwrap();
    let directory = desk.log.directory();
    directory
        .name(EntryKind::User, Uuid::new_v4(), &name, &Actor::system())
        .await
        .unwrap();
    desk.nats.kill().await;
    desk.nats.restart().await;
    let create = Command::Create(Draft {
        version: Version::new(Label::parse("Gold").unwrap()),
        hours: Some(SlaCalendar::round_the_clock()),
    });
    let request = wish(agent());
    wait_until("the policy to be written", LIMIT, async || {
        desk.log.policies().execute(GOLD, &create, &request).await.is_ok()
    })
    .await;
    let outcome = desk.log.policies().execute(GOLD, &create, &request).await.unwrap();
    kept.books.reached(outcome.position).await;
    assert_eq!(editions(&kept.books), (1, 1));
    assert_eq!(pin(&before), *SlaPolicy::cabinet().pin());
}
