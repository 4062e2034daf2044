//! Which policy is for a ticket, and which policies cannot be.

use std::collections::BTreeSet;

use domain::ids::OrganisationId;
use domain::policy::{PolicyError, WaitKind};
use domain::sla::{
    Book, BookError, BreachAction, Edition, Matter, Scope, SlaPolicy, SlaPolicyError, SlaPolicySpec, Target,
    TargetError, UnknownPin,
};
use domain::text::{Code, Label};
use domain::ticket::Status;
use proptest::prelude::*;

use crate::sla_story::{FIRST, NEXT, SOLVED, always, book, by_the_clock, office, policy, promising, working};

const OURS: OrganisationId = OrganisationId::from_bytes([1; 16]);

fn scoped(id: &str, scope: Scope) -> SlaPolicy {
    let spec = SlaPolicySpec {
        scope,
        ..SlaPolicySpec::new(id, "desk")
    };
    policy(spec, always())
}

/// Bits, from the least specific: priority, type, service, organisation.
fn scope(bits: u8) -> Scope {
    let set = |bit: u8| bits & bit != 0;
    Scope {
        organisation: set(8).then_some(OURS),
        service: set(4).then(|| Label::parse("mail").unwrap()),
        ticket_type: set(2).then(|| Code::new("outage")),
        priority: set(1).then(|| Code::new("high")),
    }
}

#[test]
fn an_agreement_with_the_organisation_goes_before_service_type_and_priority_together() {
    let book = book([
        scoped("gold", scope(8)),
        scoped("rest", scope(7)),
        scoped("all", scope(0)),
    ]);
    let (service, kind, priority) = (Label::parse("mail").unwrap(), Code::new("outage"), Code::new("high"));
    let mut matter = Matter {
        organisation: Some(OURS),
        service: Some(&service),
        ticket_type: &kind,
        priority: &priority,
    };
    let chosen = |matter: &Matter<'_>| book.in_force(matter).map(|policy| policy.pin().policy.to_string());
    assert_eq!(chosen(&matter).as_deref(), Some("gold/1"));
    matter.organisation = None;
    assert_eq!(chosen(&matter).as_deref(), Some("rest/1"));
    matter.service = None;
    assert_eq!(chosen(&matter).as_deref(), Some("all/1"));
}

#[test]
fn where_no_policy_fits_nothing_is_promised() {
    let book = book([scoped("mail", scope(4))]);
    let (kind, priority) = (Code::new("outage"), Code::new("high"));
    let matter = Matter {
        organisation: None,
        service: None,
        ticket_type: &kind,
        priority: &priority,
    };
    assert_eq!(book.in_force(&matter), None);
}

#[test]
fn two_policies_for_the_same_tickets_and_two_versions_of_one_are_refused() {
    let (one, other) = (scoped("one", scope(5)), scoped("other", scope(5)));
    let second = SlaPolicy::try_new(SlaPolicySpec::new("one", "desk"), 2, always()).unwrap();
    let edition = |id, version| Edition::new(id, version);
    assert_eq!(
        Book::try_new(vec![one, other, second]),
        Err(vec![
            BookError::SameScope {
                first: edition("one", 1),
                second: edition("other", 1),
            },
            BookError::SamePolicy {
                first: edition("one", 1),
                second: edition("one", 2),
            },
        ])
    );
}

#[test]
fn earlier_versions_are_found_by_their_pin_and_apply_to_nothing_new() {
    let (old, new) = (scoped("std", scope(0)), scoped("new", scope(0)));
    let book = book([new.clone()]).with_earlier([old.clone()]);
    assert_eq!(book.pinned(old.pin()), Ok(&old));
    let (kind, priority) = (Code::new("outage"), Code::new("high"));
    let matter = Matter {
        organisation: None,
        service: None,
        ticket_type: &kind,
        priority: &priority,
    };
    assert_eq!(book.in_force(&matter), Some(&new));
    let unknown = scoped("other", scope(0));
    assert_eq!(
        book.pinned(unknown.pin()),
        Err(UnknownPin {
            pin: unknown.pin().clone(),
        })
    );
}

#[test]
fn everything_wrong_with_a_policy_is_reported_at_once() {
    let open = Status::ALL.into_iter().filter(|status| status.is_open());
    let raise = BreachAction::RaisePriority(Code::new("high"));
    let targets = [
        (
            FIRST,
            Target {
                warn_percent: Some(100),
                on_breach: vec![raise; 9],
                ..Target::new(working(20_000))
            },
        ),
        (NEXT, Target::new(by_the_clock(0)).paused_in([Status::Closed])),
        (SOLVED, Target::new(working(9_000)).paused_in(open)),
    ];
    let spec = SlaPolicySpec {
        id: Code::new("Gold plan"),
        calendar: Code::new("other"),
        information: Some(by_the_clock(20_000)),
        ..promising(targets)
    };
    let target = |kind, error| SlaPolicyError::Target { kind, error };
    let sundays = domain::calendar::Week::default().with(
        jiff::civil::Weekday::Sunday,
        vec![domain::calendar::Interval::hours(2, 3)],
    );
    let expected = vec![
        SlaPolicyError::Id,
        SlaPolicyError::Version,
        SlaPolicyError::OtherCalendar {
            named: Code::new("other"),
            given: Code::new("desk"),
        },
        target(FIRST, TargetError::Length),
        target(FIRST, TargetError::Warning),
        target(FIRST, TargetError::TooManyActions { count: 9 }),
        target(NEXT, TargetError::Length),
        target(NEXT, TargetError::PausedWhenClosed),
        target(SOLVED, TargetError::TooLittleWork),
        target(SOLVED, TargetError::NeverRuns),
        SlaPolicyError::Wait(PolicyError::Length {
            kind: WaitKind::Information,
        }),
    ];
    assert_eq!(
        SlaPolicy::try_new(spec, 0, crate::sla_story::weekly(sundays)),
        Err(expected)
    );
}

#[test]
fn a_policy_may_promise_nothing() {
    assert!(SlaPolicy::try_new(SlaPolicySpec::new("internal", "desk"), 1, office(9, 17)).is_ok());
}

proptest! {
    #[test]
    fn there_is_one_most_specific_policy_whatever_the_order(mut scopes in proptest::collection::vec(0_u8..16, 1..16), ticket in 0_u8..16) {
        scopes.sort_unstable();
        scopes.dedup();
        let policies: Vec<SlaPolicy> = scopes.iter().map(|bits| scoped(&format!("p{bits}"), scope(*bits))).collect();
        let forwards = Book::try_new(policies.clone()).unwrap();
        let backwards = Book::try_new(policies.into_iter().rev().collect()).unwrap();
        let is = scope(ticket);
        let (kind, priority) = (
            is.ticket_type.unwrap_or(Code::new("defect")),
            is.priority.unwrap_or(Code::new("low")),
        );
        let matter = Matter { organisation: is.organisation, service: is.service.as_ref(), ticket_type: &kind, priority: &priority };
        let chosen = |book: &Book| book.in_force(&matter).map(|policy| policy.spec().id.to_string());
        let fitting: BTreeSet<u8> = scopes.into_iter().filter(|bits| bits & ticket == *bits).collect();
        prop_assert_eq!(chosen(&forwards), chosen(&backwards));
        prop_assert_eq!(chosen(&forwards), fitting.last().map(|bits| format!("p{bits}")));
    }
}
