//! Histories that something else has written to or altered are not acted upon.

use domain::ids::TicketId;
use domain::ticket::Event;
use event_log::{CorruptHistory, ExecuteError};
use wire::Record;

use crate::support::{Desk, Raw, new_ticket, open, say, tickets};

async fn last_record(raw: &Raw, ticket: TicketId) -> Record<Event> {
    raw.history(ticket).await.pop().unwrap()
}

/// Writes to a ticket's subject past the crate under test.
async fn write(raw: &Raw, ticket: TicketId, bytes: Vec<u8>) {
    let partition = event_log::partition_of(ticket, crate::support::PARTITIONS);
    let subject = format!("rc.t.{partition}.{}", ticket.as_uuid().as_simple());
    raw.context.publish(subject, bytes.into()).await.unwrap().await.unwrap();
}

async fn verdict(desk: &Desk, ticket: TicketId) -> CorruptHistory {
    let fresh = tickets(&desk.log);
    match say(&fresh, ticket, "hello").await {
        Err(ExecuteError::Corrupt(corrupt)) => corrupt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_record_that_does_not_follow_from_the_one_before_it_is_noticed() {
    type Fault = fn(&mut Record<Event>);
    let faults: [(&str, Fault); 5] = [
        ("a copy of the last", |_| {}),
        ("a revision left out", |record| record.header.revision.0 += 2),
        ("another sequence before it", |record| {
            record.header.revision.0 += 1;
            record.header.previous_sequence += 7;
        }),
        ("another record before it", |record| {
            record.header.revision.0 += 1;
            record.header.previous_sequence = 1;
        }),
        ("another ticket's", |record| {
            record.header.aggregate_id = uuid::Uuid::nil();
        }),
    ];
    for (fault, spoil) in faults {
        let desk = Desk::start().await;
        let raw = desk.raw().await;
        let ticket = new_ticket();
        open(&desk.tickets, ticket).await;
        let mut record = last_record(&raw, ticket).await;
        spoil(&mut record);
        write(&raw, ticket, wire::encode(&record).unwrap()).await;
        let found = verdict(&desk, ticket).await;
        assert!(
            matches!(found, CorruptHistory::BrokenChain { sequence: 2 }),
            "{fault}: {found}"
        );
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_noticed_and_other_tickets_go_on() {
    let desk = Desk::start().await;
    let raw = desk.raw().await;
    let (ticket, other) = (new_ticket(), new_ticket());
    open(&desk.tickets, ticket).await;
    open(&desk.tickets, other).await;
    write(&raw, ticket, b"scribble".to_vec()).await;
    assert!(matches!(
        verdict(&desk, ticket).await,
        CorruptHistory::Unreadable { .. }
    ));
    // Whoever has the history in the cache finds out when the append does not fit.
    let known = say(&desk.tickets, ticket, "hello").await;
    assert!(matches!(known, Err(ExecuteError::Corrupt(_))), "{known:?}");
    say(&desk.tickets, other, "hello").await.unwrap();
}
