//! A log that lost its end, in a power cut or by being restored.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::ids::{Revision, TicketId};
use domain::testing::agent;
use event_log::{EventLog, ReadError, Reader, Source, Tickets};
use tempfile::TempDir;

use crate::reader::{checkpoint, next_batch, read};
use crate::support::{Desk, comment, connect, open, say, ticket_in, tickets, wish};

const SOURCE: Source = Source::Tickets(1);

/// The server's data as they were at some moment.
struct Copy {
    dir: TempDir,
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to: PathBuf = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Copy {
    /// Stops the server, copies its data and starts it again.
    async fn take(desk: &Desk) -> Self {
        let dir = tempfile::tempdir().unwrap();
        desk.nats.kill().await;
        copy_dir(&desk.nats.store_dir(), dir.path());
        desk.nats.restart().await;
        Self { dir }
    }

    /// Puts the copy in the place of the server's data.
    async fn restore(&self, desk: &Desk) {
        desk.nats.kill().await;
        fs::remove_dir_all(desk.nats.store_dir()).unwrap();
        copy_dir(self.dir.path(), &desk.nats.store_dir());
        desk.nats.restart().await;
    }
}

/// A log that had five records in the partition, all read; the last two of them are lost.
struct Lost {
    desk: Desk,
    ticket: TicketId,
    reader: Reader,
    last: event_log::Checkpoint,
}

impl Lost {
    async fn end() -> Self {
        let desk = Desk::start().await;
        let ticket = ticket_in(1);
        open(&desk.tickets, ticket).await;
        say(&desk.tickets, ticket, "second").await.unwrap();
        say(&desk.tickets, ticket, "third").await.unwrap();
        let copy = Copy::take(&desk).await;
        say(&desk.tickets, ticket, "fourth").await.unwrap();
        say(&desk.tickets, ticket, "fifth").await.unwrap();
        let mut reader = desk.log.reader(SOURCE, None).await.unwrap();
        let entries = read(&mut reader, 5).await;
        let last = checkpoint(&desk.log, &entries[4]);
        copy.restore(&desk).await;
        Self {
            desk,
            ticket,
            reader,
            last,
        }
    }

    /// A process that knows nothing of what was lost.
    async fn other_process(&self) -> (EventLog, Tickets) {
        let log = connect(self.desk.nats.url()).await;
        let tickets = tickets(&log);
        (log, tickets)
    }
}

fn assert_went_backwards<T: std::fmt::Debug>(refused: Result<T, ReadError>, expected: &str) {
    match refused {
        Err(ReadError::WentBackwards { found, .. }) => assert_eq!(found, expected),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_running_reader_notices_a_log_that_ends_before_what_it_has_read() {
    let mut lost = Lost::end().await;
    assert_went_backwards(next_batch(&mut lost.reader).await, "the log ends before it");
}

#[tokio::test]
async fn a_running_reader_notices_a_log_that_has_grown_again_otherwise() {
    let mut lost = Lost::end().await;
    let (_log, tickets) = lost.other_process().await;
    for word in ["another fourth", "another fifth", "sixth"] {
        say(&tickets, lost.ticket, word).await.unwrap();
    }
    assert_went_backwards(next_batch(&mut lost.reader).await, "another record stands there");
}

#[tokio::test]
async fn a_reader_notices_when_it_starts() {
    let lost = Lost::end().await;
    let (log, tickets) = lost.other_process().await;
    let refused = log.reader(SOURCE, Some(lost.last)).await;
    assert_went_backwards(refused, "the log ends before it");
    say(&tickets, lost.ticket, "another fourth").await.unwrap();
    say(&tickets, lost.ticket, "another fifth").await.unwrap();
    let refused = log.reader(SOURCE, Some(lost.last)).await;
    assert_went_backwards(refused, "another record stands there");
}

#[tokio::test]
async fn a_reader_that_is_dropped_while_it_verifies_verifies_again() {
    let mut lost = Lost::end().await;
    let (_log, tickets) = lost.other_process().await;
    for word in ["another fourth", "another fifth", "sixth"] {
        say(&tickets, lost.ticket, word).await.unwrap();
    }
    for micros in 0..500 {
        let patience = Duration::from_micros(micros);
        if let Ok(refused) = tokio::time::timeout(patience, lost.reader.next_batch(10)).await {
            assert_went_backwards(refused, "another record stands there");
        }
    }
    // Sooner than a reader grows suspicious of silence, which it would not if it heard something.
    let refused = tokio::time::timeout(Duration::from_secs(4), next_batch(&mut lost.reader)).await;
    assert_went_backwards(refused.expect("an answer"), "another record stands there");
}

#[tokio::test]
async fn a_reader_of_which_nothing_was_lost_goes_on() {
    let desk = Desk::start().await;
    let ticket = ticket_in(1);
    open(&desk.tickets, ticket).await;
    let mut reader = desk.log.reader(SOURCE, None).await.unwrap();
    read(&mut reader, 1).await;
    let copy = Copy::take(&desk).await;
    say(&desk.tickets, ticket, "never read").await.unwrap();
    copy.restore(&desk).await;
    say(&desk.tickets, ticket, "read").await.unwrap();
    let batch = next_batch(&mut reader).await.unwrap();
    assert_eq!(batch[0].sequence, 2);
}

#[tokio::test]
async fn another_log_in_the_place_of_the_first_is_noticed_even_before_anything_was_read() {
    let desk = Desk::start().await;
    let mut reader = desk.log.reader(SOURCE, None).await.unwrap();
    desk.nats.kill().await;
    fs::remove_dir_all(desk.nats.store_dir()).unwrap();
    desk.nats.restart().await;
    let other = connect(desk.nats.url()).await;
    assert_ne!(other.epoch(), desk.log.epoch());
    open(&tickets(&other), ticket_in(1)).await;
    assert_went_backwards(next_batch(&mut reader).await, "this is another log");
}

#[tokio::test]
async fn commands_do_not_build_on_what_was_lost() {
    let lost = Lost::end().await;
    // This process still remembers five records.
    let said = say(&lost.desk.tickets, lost.ticket, "another fourth").await.unwrap();
    assert_eq!(said.revision, Revision(4));
    assert_eq!(lost.desk.raw().await.history(lost.ticket).await.len(), 4);
}

#[tokio::test]
async fn commands_do_not_build_on_what_others_have_replaced() {
    let lost = Lost::end().await;
    let (_log, tickets) = lost.other_process().await;
    for word in ["another fourth", "another fifth"] {
        say(&tickets, lost.ticket, word).await.unwrap();
    }
    // The sequence is the one that this process expects. The record is not.
    let said = say(&lost.desk.tickets, lost.ticket, "sixth").await.unwrap();
    assert_eq!(said.revision, Revision(6));
    assert_eq!(lost.desk.raw().await.history(lost.ticket).await.len(), 6);
}

#[tokio::test]
async fn a_command_that_was_lost_is_carried_out_when_it_is_repeated() {
    let desk = Desk::start().await;
    let ticket = ticket_in(1);
    open(&desk.tickets, ticket).await;
    let copy = Copy::take(&desk).await;
    let repeated = wish(agent());
    let first = desk.tickets.execute(ticket, &comment("once"), &repeated).await.unwrap();
    copy.restore(&desk).await;
    let again = desk.tickets.execute(ticket, &comment("once"), &repeated).await.unwrap();
    assert!(!again.replayed, "the record of the first is gone");
    assert_eq!(again.revision, first.revision);
    assert_eq!(desk.raw().await.history(ticket).await.len(), 2);
}
