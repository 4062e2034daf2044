//! Reading in order.

use std::time::Duration;

use domain::ids::TicketId;
use event_log::{Checkpoint, Entry, EventLog, ReadError, Reader, Source};
use test_harness::{ChaosProxy, wait_until};
use uuid::Uuid;

use crate::support::{Desk, LIMIT, connect, open, say, ticket_in, tickets};

const SOURCE: Source = Source::Tickets(1);

/// Opens a ticket of the source's partition and makes so many records in all.
async fn write(desk: &Desk, records: u64) -> TicketId {
    let ticket = ticket_in(1);
    open(&desk.tickets, ticket).await;
    go_on(desk, ticket, records - 1).await;
    ticket
}

async fn go_on(desk: &Desk, ticket: TicketId, records: u64) {
    for number in 0..records {
        say(&desk.tickets, ticket, &number.to_string()).await.unwrap();
    }
}

pub(crate) fn checkpoint(log: &EventLog, entry: &Entry) -> Checkpoint {
    Checkpoint {
        epoch: log.epoch(),
        sequence: entry.sequence,
        record_id: wire::record_id(&entry.payload).unwrap(),
    }
}

/// The next batch, asking again while the log does not answer.
pub(crate) async fn next_batch(reader: &mut Reader) -> Result<Vec<Entry>, ReadError> {
    let batch = async {
        loop {
            match reader.next_batch(100).await {
                Err(ReadError::Unavailable(_)) => {}
                batch => return batch,
            }
        }
    };
    tokio::time::timeout(LIMIT, batch).await.expect("a batch")
}

/// Reads until this many records have come.
pub(crate) async fn read(reader: &mut Reader, records: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    while entries.len() < records {
        entries.extend(next_batch(reader).await.unwrap());
    }
    entries
}

fn sequences(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.sequence).collect()
}

#[tokio::test]
async fn a_reader_gets_every_record_of_its_source_once_and_in_order() {
    let desk = Desk::start().await;
    let mut reader = desk.log.reader(SOURCE, None).await.unwrap();
    write(&desk, 250).await;
    open(&desk.tickets, ticket_in(0)).await;
    let entries = read(&mut reader, 250).await;
    assert!(sequences(&entries).into_iter().eq(1..=250));
    let stored = desk.raw().await.stored("RC_TICKETS_1").await;
    assert!(
        entries
            .iter()
            .map(|entry| &entry.payload)
            .eq(stored.iter().map(|(_, bytes)| bytes))
    );
    // There is nothing more, and nothing of other sources.
    let more = tokio::time::timeout(Duration::from_millis(50), reader.next_batch(1)).await;
    assert!(more.is_err(), "{more:?}");
    assert_eq!(desk.log.last_sequence(SOURCE).await.unwrap(), 250);
    assert_eq!(desk.log.last_sequence(Source::Tickets(0)).await.unwrap(), 1);
    assert_eq!(desk.log.last_sequence(Source::Directory).await.unwrap(), 0);
}

#[tokio::test]
async fn a_batch_is_no_longer_than_asked_for() {
    let desk = Desk::start().await;
    write(&desk, 30).await;
    let mut reader = desk.log.reader(SOURCE, None).await.unwrap();
    let mut read = Vec::new();
    while read.len() < 30 {
        let batch = reader.next_batch(7).await.unwrap();
        assert!((1..=7).contains(&batch.len()));
        read.extend(sequences(&batch));
    }
    assert!(read.into_iter().eq(1..=30));
}

#[tokio::test]
async fn a_reader_goes_on_after_its_checkpoint() {
    let desk = Desk::start().await;
    let ticket = write(&desk, 10).await;
    let mut first = desk.log.reader(SOURCE, None).await.unwrap();
    let entries = read(&mut first, 10).await;
    let at = checkpoint(&desk.log, &entries[3]);
    // Another process, after a restart of the server.
    desk.nats.restart().await;
    let log = connect(desk.nats.url()).await;
    let mut second = log.reader(SOURCE, Some(at)).await.unwrap();
    assert!(sequences(&read(&mut second, 6).await).into_iter().eq(5..=10));
    // At the very end it waits for what comes.
    let end = checkpoint(&log, &entries[9]);
    let mut third = log.reader(SOURCE, Some(end)).await.unwrap();
    go_on(&desk, ticket, 1).await;
    assert_eq!(sequences(&read(&mut third, 1).await), [11]);
}

#[tokio::test]
async fn a_checkpoint_that_does_not_fit_the_log_is_refused() {
    let desk = Desk::start().await;
    write(&desk, 3).await;
    let mut reader = desk.log.reader(SOURCE, None).await.unwrap();
    let fitting = checkpoint(&desk.log, &read(&mut reader, 3).await[1]);
    desk.log.reader(SOURCE, Some(fitting)).await.unwrap();
    let unfit = [
        (
            "this is another log",
            Checkpoint {
                epoch: Uuid::nil(),
                ..fitting
            },
        ),
        (
            "another record stands there",
            Checkpoint {
                record_id: Uuid::nil(),
                ..fitting
            },
        ),
        ("another record stands there", Checkpoint { sequence: 3, ..fitting }),
        ("the log ends before it", Checkpoint { sequence: 4, ..fitting }),
    ];
    for (expected, unfit) in unfit {
        let refused = desk.log.reader(SOURCE, Some(unfit)).await;
        let Err(ReadError::WentBackwards { sequence, found }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((sequence, &found[..]), (unfit.sequence, expected));
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_loses_nothing() {
    const ROUNDS: u64 = 100;
    const CALLS: u64 = 10;
    let desk = Desk::start().await;
    let mut reader = desk.log.reader(SOURCE, None).await.unwrap();
    let ticket = write(&desk, 1).await;
    let mut read = Vec::new();
    for round in 0..ROUNDS {
        // One record and many calls, most of which are dropped, wherever they wait.
        let calls = async {
            for call in 0..CALLS {
                let patience = Duration::from_micros(round * call * 7 % 2_000);
                if let Ok(batch) = tokio::time::timeout(patience, reader.next_batch(3)).await {
                    read.extend(sequences(&batch.unwrap()));
                }
            }
        };
        futures::future::join(go_on(&desk, ticket, 1), calls).await;
    }
    while read.last() != Some(&(ROUNDS + 1)) {
        read.extend(sequences(&next_batch(&mut reader).await.unwrap()));
    }
    assert!(read.into_iter().eq(1..=ROUNDS + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_goes_on_after_the_server_was_killed_with_no_gap_and_no_repetition() {
    let desk = Desk::start().await;
    let mut reader = desk.log.reader(SOURCE, None).await.unwrap();
    let ticket = write(&desk, 20).await;
    let mut all = read(&mut reader, 10).await;
    for _ in 0..3 {
        desk.nats.kill().await;
        desk.nats.restart().await;
        wait_until("a record", LIMIT, || async {
            say(&desk.tickets, ticket, "again").await
        })
        .await;
        let last = desk.log.last_sequence(SOURCE).await.unwrap();
        while all.last().is_none_or(|entry| entry.sequence < last) {
            all.extend(next_batch(&mut reader).await.unwrap());
        }
    }
    let last = all.last().unwrap().sequence;
    assert!(sequences(&all).into_iter().eq(1..=last));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_whose_connection_breaks_again_and_again_gets_everything_once() {
    const RECORDS: u64 = 400;
    let desk = Desk::start().await;
    let proxy = ChaosProxy::start(desk.nats.url()).await;
    let far = connect(proxy.url()).await;
    let mut reader = far.reader(SOURCE, None).await.unwrap();
    let writer = tokio::spawn(async move {
        write(&desk, RECORDS).await;
        desk
    });
    let mut all: Vec<Entry> = Vec::new();
    while all.last().is_none_or(|entry| entry.sequence < RECORDS) {
        let batch = next_batch(&mut reader).await.unwrap();
        // Not after every batch, or the reader would mostly connect.
        if batch.iter().any(|entry| entry.sequence % 50 == 0) {
            proxy.disconnect();
        }
        all.extend(batch);
    }
    assert!(sequences(&all).into_iter().eq(1..=RECORDS));
    writer.await.unwrap();
}

#[tokio::test]
async fn a_gap_is_an_error_and_not_jumped_over() {
    let desk = Desk::start().await;
    let raw = desk.raw().await;
    let mut later = raw.config("RC_TICKETS_1").await;
    later.first_sequence = Some(10);
    raw.context.delete_stream("RC_TICKETS_1").await.unwrap();
    raw.context.create_stream(later).await.unwrap();
    let log = connect(desk.nats.url()).await;
    open(&tickets(&log), ticket_in(1)).await;
    let mut reader = log.reader(SOURCE, None).await.unwrap();
    let refused = reader.next_batch(1).await;
    assert!(
        matches!(refused, Err(ReadError::Gap { expected: 1, found: 10 })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_log_that_is_down_is_unavailable_to_readers() {
    let desk = Desk::start().await;
    desk.nats.kill().await;
    let refused = desk.log.reader(SOURCE, None).await;
    assert!(matches!(refused, Err(ReadError::Unavailable(_))), "{refused:?}");
    let refused = desk.log.last_sequence(SOURCE).await;
    assert!(matches!(refused, Err(ReadError::Unavailable(_))), "{refused:?}");
}
