use std::collections::BTreeMap;

use domain::actor::ActorKind;
use domain::ids::{CommandId, ProjectId, Revision};
use domain::policy::WaitPolicy;
use domain::testing::{AGENT, CLIENT, COLLEAGUE, CUSTOMER, NOON, accepted, body, closed, closure_proposed, opened};
use domain::text::{Label, Subject};
use domain::ticket::{Assigned, Change, Edited, Event, Visibility, Wait};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;
use wire::{Header, Record, RecordedActor};

use super::fold::{Additions, Changes, Fold};
use super::histogram::add;
use super::rows::TicketRow;
use super::ticket::WholeRow;
use crate::projections::{Poison, PoisonReason, Positioned};

const TICKET: Uuid = Uuid::from_u128(7);

/// One record for each list of events, an hour apart.
fn history(ticket: Uuid, records: &[Vec<Event>]) -> Vec<Positioned<Event>> {
    (1..)
        .zip(records)
        .map(|(revision, events)| record(ticket, revision, revision, events.clone()))
        .collect()
}

fn record(ticket: Uuid, sequence: u64, revision: u64, events: Vec<Event>) -> Positioned<Event> {
    let at = NOON + SignedDuration::from_hours(i64::try_from(sequence).unwrap() - 1);
    let header = Header {
        record_id: Uuid::from_u128(sequence.into()),
        aggregate_id: ticket,
        command_id: CommandId::from(Uuid::nil()),
        digest: [0; 32],
        actor: RecordedActor {
            user: AGENT,
            kind: ActorKind::Staff,
            organisation: None,
        },
        via: None,
        occurred_at: at,
        recorded_at: at,
        revision: Revision(revision),
        previous_sequence: 0,
        previous_hash: [0; 32],
        causation: None,
        correlation: None,
        traceparent: None,
    };
    Positioned {
        sequence,
        record: Record { header, events },
    }
}

/// What a batch comes to, on top of these rows.
#[derive(Debug)]
struct Folded {
    changes: Changes,
    additions: Additions,
}

fn fold(rows: Vec<TicketRow>, records: &[Positioned<Event>]) -> Result<Folded, Poison> {
    let whole = |row| WholeRow {
        row,
        description: "I cannot find the button.".to_owned(),
    };
    let calendar = WaitPolicy::supportal().calendar;
    let mut fold = Fold::new(0, &calendar, rows.into_iter().map(whole).collect(), Vec::new()).unwrap();
    records.iter().try_for_each(|record| fold.apply(record))?;
    Ok(Folded {
        additions: fold.take_additions(),
        changes: fold.take_changes(),
    })
}

fn folded(records: &[Vec<Event>]) -> Folded {
    fold(Vec::new(), &history(TICKET, records)).unwrap()
}

fn wait() -> Wait {
    Wait {
        number: 1,
        due_at: NOON + SignedDuration::from_hours(100),
        policy: Label::parse("supportal/1").unwrap(),
    }
}

fn asked() -> Event {
    Event::InformationRequested {
        comment: body("Which version?"),
        wait: Some(wait()),
    }
}

#[test]
fn a_new_ticket_has_a_row_and_counts() {
    let Folded { changes, .. } = folded(&[vec![opened()]]);
    let [row] = &changes.tickets[..] else {
        panic!("one ticket")
    };
    assert_eq!((row.status.as_str(), row.revision, row.number), ("new", 1, 1));
    assert_eq!(
        (row.requester_id, row.organisation_id),
        (CUSTOMER.as_uuid(), Some(CLIENT.as_uuid()))
    );
    assert_eq!(row.followers, [CUSTOMER.as_uuid()]);
    assert_eq!(row.created_at.to_jiff(), NOON);
    let counted = |dimension: &str, value: &str| {
        let row = changes
            .counters
            .iter()
            .find(|row| row.dimension == dimension && row.value == value);
        row.map(|row| (row.total, row.open))
    };
    assert_eq!(counted("all", ""), Some((1, 1)));
    assert_eq!(counted("status", "new"), Some((1, 1)));
    assert_eq!(counted("assignee", ""), Some((1, 1)), "nobody is a value as well");
    assert_eq!(
        changes
            .days
            .iter()
            .map(|day| (day.created, day.closed))
            .collect::<Vec<_>>(),
        [(1, 0)]
    );
}

#[test]
fn a_wait_has_a_timer_until_it_ends() {
    let records = [vec![opened()], vec![accepted(AGENT)], vec![asked()]];
    let Folded { changes, .. } = folded(&records);
    let [timer] = &changes.timers[..] else {
        panic!("one timer")
    };
    assert_eq!(
        (timer.kind, timer.number, timer.due_at.to_jiff()),
        ("information", 1, wait().due_at)
    );

    let answered = record(TICKET, 4, 4, vec![Event::InformationProvided { comment: body("7") }]);
    let Folded { changes, .. } = fold(changes.tickets, &[answered]).unwrap();
    assert_eq!(changes.timers, []);
    assert_eq!(changes.timers_ended, [TICKET]);
}

#[test]
fn a_wait_that_begins_and_ends_within_a_batch_leaves_nothing() {
    let answered = Event::InformationProvided { comment: body("7") };
    let Folded { changes, .. } = folded(&[vec![opened()], vec![accepted(AGENT)], vec![asked()], vec![answered]]);
    assert_eq!((changes.timers, changes.timers_ended), (vec![], vec![]));
}

#[test]
fn a_closed_ticket_says_when_and_a_reopened_one_no_longer_does() {
    let Folded { changes, .. } = folded(&[
        vec![opened()],
        vec![accepted(AGENT)],
        vec![closure_proposed()],
        vec![closed()],
    ]);
    let row = &changes.tickets[0];
    assert_eq!(
        row.closed_at.map(jiff_sqlx::Timestamp::to_jiff),
        Some(NOON + SignedDuration::from_hours(3))
    );
    assert_eq!(changes.days[0].closed, 1);

    let reopened = record(
        TICKET,
        5,
        5,
        vec![Event::Reopened {
            comment: body("it is back"),
        }],
    );
    let Folded { changes, .. } = fold(changes.tickets, &[reopened]).unwrap();
    assert_eq!(changes.tickets[0].closed_at, None);
    let counters: Vec<_> = changes
        .counters
        .iter()
        .map(|row| (row.dimension, row.value.as_str(), row.total))
        .collect();
    assert!(counters.contains(&("status", "closed", -1)), "{counters:?}");
    assert!(counters.contains(&("status", "reopened", 1)), "{counters:?}");
    assert!(counters.contains(&("all", "", 0)), "one more is open: {counters:?}");
}

#[test]
fn the_timeline_shows_corrections_before_and_after() {
    let assigned = Assigned {
        assignee: Change::Set(Some(COLLEAGUE)),
        group: Change::Keep,
    };
    let Folded { additions, .. } = folded(&[vec![opened()], vec![accepted(AGENT)], vec![Event::Assigned(assigned)]]);
    let row = additions.timeline.last().unwrap();
    assert_eq!(
        (row.event, row.status, row.revision, row.place),
        ("assigned", "in_progress", 3, 0)
    );
    assert_eq!(
        row.details,
        json!({ "assignee": { "from": AGENT.to_string(), "to": COLLEAGUE.to_string() } })
    );
}

#[test]
fn internal_comments_are_marked() {
    let said = |visibility| Event::Commented {
        body: body("hm"),
        visibility,
    };
    let Folded { additions, .. } = folded(&[
        vec![opened()],
        vec![said(Visibility::Public), said(Visibility::Internal)],
    ]);
    let seen: Vec<_> = additions
        .timeline
        .iter()
        .map(|row| (row.place, row.visibility))
        .collect();
    assert_eq!(seen, [(0, "public"), (0, "public"), (1, "internal")]);
}

#[test]
fn a_record_that_skips_a_revision_is_poison() {
    let records = [
        record(TICKET, 1, 1, vec![opened()]),
        record(TICKET, 2, 3, vec![accepted(AGENT)]),
    ];
    let poison = fold(Vec::new(), &records).unwrap_err();
    assert_eq!(poison.sequence, 2);
    assert!(
        matches!(poison.reason, PoisonReason::Revision { expected: 2, found: 3 }),
        "{poison:?}"
    );
}

#[test]
fn a_history_that_does_not_begin_with_a_creation_is_poison() {
    let poison = fold(Vec::new(), &[record(TICKET, 1, 1, vec![accepted(AGENT)])]).unwrap_err();
    assert!(
        matches!(poison.reason, PoisonReason::Creation { event: "accepted" }),
        "{poison:?}"
    );
}

#[test]
fn what_a_ticket_was_holds_until_the_next_record() {
    let Folded { changes, additions } = folded(&[vec![opened()], vec![accepted(AGENT)], vec![closure_proposed()]]);
    let seen: Vec<_> = additions
        .versions
        .iter()
        .map(|version| {
            let row = &version.row;
            (
                row.revision,
                row.status.as_str(),
                row.recorded_at.to_jiff(),
                version.valid_to.to_jiff(),
            )
        })
        .collect();
    let at = |hours| NOON + SignedDuration::from_hours(hours);
    assert_eq!(seen, [(1, "new", at(0), at(1)), (2, "in_progress", at(1), at(2))]);
    assert_eq!(changes.tickets[0].recorded_at.to_jiff(), at(2));
}

#[test]
fn a_record_whose_writers_clock_is_behind_holds_from_when_the_one_before_it_did() {
    let mut late = record(TICKET, 2, 2, vec![accepted(AGENT)]);
    late.record.header.recorded_at = NOON - SignedDuration::from_hours(1);
    let records = [record(TICKET, 1, 1, vec![opened()]), late];
    let Folded { changes, additions } = fold(Vec::new(), &records).unwrap();
    assert_eq!(changes.tickets[0].recorded_at.to_jiff(), NOON);
    assert_eq!(additions.versions[0].valid_to.to_jiff(), NOON);
}

#[test]
fn the_first_words_of_staff_to_the_requester_are_the_first_response() {
    let said = |visibility| Event::Commented {
        body: body("hm"),
        visibility,
    };
    let Folded { changes, additions } = folded(&[
        vec![opened()],
        vec![accepted(AGENT)],
        vec![said(Visibility::Internal)],
        vec![said(Visibility::Public)],
        vec![closure_proposed()],
        vec![closed()],
    ]);
    let measured: Vec<_> = additions
        .measures
        .iter()
        .map(|row| (row.kind, row.revision, row.micros / 3_600_000_000))
        .collect();
    assert_eq!(measured, [("first_response", 4, 3), ("closing", 6, 5)]);
    let first = changes.tickets[0].first_response_at.map(jiff_sqlx::Timestamp::to_jiff);
    assert_eq!(first, Some(NOON + SignedDuration::from_hours(3)));
    assert_eq!(
        changes.measure_counts.len(),
        8,
        "two measures by two clocks, in a day and in a month"
    );
}

#[test]
fn a_description_is_kept_with_the_record_that_wrote_it() {
    let edited = |description: Change<_>| {
        Event::Edited(Box::new(Edited {
            description,
            subject: Change::Set(Subject::parse("Another").unwrap()),
            ..Edited::default()
        }))
    };
    let Folded { changes, additions } = folded(&[
        vec![opened()],
        vec![edited(Change::Keep)],
        vec![edited(Change::Set(body("It starts, and stops.")))],
    ]);
    let kept: Vec<_> = additions.descriptions.iter().map(|row| row.revision).collect();
    assert_eq!(kept, [1, 3]);
    let row = &changes.tickets[0];
    assert_eq!((row.description_revision, row.edited), (3, true));
    assert_eq!(additions.versions[0].row.description_revision, 1);
    assert!(!additions.versions[0].row.edited);
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(accepted(AGENT)),
        Just(accepted(COLLEAGUE)),
        Just(asked()),
        Just(Event::InformationProvided { comment: body("7") }),
        Just(Event::ClosureProposed {
            solution: body("F5"),
            wait: Some(wait())
        }),
        Just(closed()),
        Just(Event::Reopened { comment: body("again") }),
        Just(Event::Rated {
            score: 4,
            comment: None
        }),
        Just(Event::Followed { user: COLLEAGUE }),
        Just(Event::Unfollowed { user: COLLEAGUE }),
        Just(Event::ProjectChanged {
            project: Some(ProjectId::from_bytes([8; 16]))
        }),
        Just(Event::ProjectChanged { project: None }),
        Just(Event::Assigned(Assigned {
            assignee: Change::Set(None),
            group: Change::Keep
        })),
    ]
}

/// What tables a log makes that comes in batches of these sizes.
fn tables(records: &[Positioned<Event>], sizes: &[usize]) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut tickets = BTreeMap::new();
    let mut timers = BTreeMap::new();
    let mut counters = BTreeMap::new();
    let mut days = BTreeMap::new();
    let mut measure_counts = BTreeMap::new();
    let (mut timeline, mut versions, mut measures) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = records;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (batch, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        rest = after;
        let Folded { changes, additions } = fold(tickets.values().cloned().collect(), batch).unwrap();
        tickets.extend(changes.tickets.into_iter().map(|row| (row.id, row)));
        timeline.extend(additions.timeline);
        versions.extend(additions.versions);
        measures.extend(additions.measures);
        for id in changes.timers_ended {
            timers.remove(&id);
        }
        timers.extend(changes.timers.into_iter().map(|row| (row.ticket_id, row)));
        for row in changes.counters {
            let count = counters.entry((row.dimension, row.value)).or_insert((0, 0));
            *count = (count.0 + row.total, count.1 + row.open);
        }
        counters.retain(|_, count| count.0 != 0);
        for row in changes.days {
            let count = days.entry(row.day).or_insert((0, 0, None, None));
            let numbers = (row.first_number.0, row.last_number.0);
            *count = (
                count.0 + row.created,
                count.1 + row.closed,
                count.2.into_iter().chain(numbers.0).min(),
                count.3.into_iter().chain(numbers.1).max(),
            );
        }
        for row in changes.measure_counts {
            let key = (row.kind, row.clock, row.span, row.starts);
            add(measure_counts.entry(key).or_insert_with(Vec::new), &row.totals);
        }
    }
    (
        (tickets, versions, timeline, timers),
        (counters, days, measures, measure_counts),
    )
}

proptest! {
    #[test]
    fn batches_make_no_difference(
        steps in prop::collection::vec((0_u128..4, any_event()), 0..40),
        sizes in prop::collection::vec(1_usize..7, 1..5),
    ) {
        let mut revisions: BTreeMap<u128, u64> = BTreeMap::new();
        let mut records = Vec::new();
        for (ticket, event) in steps {
            let revision = revisions.entry(ticket).or_insert(0);
            let event = if *revision == 0 { opened() } else { event };
            *revision += 1;
            let sequence = u64::try_from(records.len()).unwrap() + 1;
            records.push(record(Uuid::from_u128(ticket), sequence, *revision, vec![event]));
        }
        let whole = tables(&records, &[1000]);
        let cut = tables(&records, &sizes);
        prop_assert_eq!(format!("{whole:?}"), format!("{cut:?}"));
    }
}
