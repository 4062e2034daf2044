//! Two processes on one log, each with a cache of its own.

use std::collections::BTreeSet;

use domain::ids::Revision;
use domain::testing::{COLLEAGUE, agent, customer};
use domain::ticket::{Accept, Close, Command, Rejection, Status};
use event_log::{EventLog, ExecuteError, Tickets};
use futures::future::join_all;

use crate::support::{Desk, connect, new_ticket, open, say, tickets, wish};

/// A desk, and a second process beside it.
async fn two() -> (Desk, EventLog, Tickets) {
    let desk = Desk::start().await;
    let log = connect(desk.nats.url()).await;
    let other = tickets(&log);
    (desk, log, other)
}

fn accept() -> Command {
    Command::Accept(Accept { assignee: None })
}

#[tokio::test]
async fn a_rejection_is_not_given_from_a_stale_history() {
    let (desk, _log, other) = two().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let ask = Command::RequestInfo(domain::ticket::RequestInfo {
        comment: domain::testing::body("Which one?"),
    });
    // Here it is new, and a new ticket's requester is not asked.
    let refused = desk.tickets.execute(ticket, &ask, &wish(agent())).await;
    assert!(matches!(
        refused,
        Err(ExecuteError::Rejected {
            rejection: Rejection::WrongStatus { .. },
            ..
        })
    ));
    other.execute(ticket, &accept(), &wish(agent())).await.unwrap();
    let asked = desk.tickets.execute(ticket, &ask, &wish(agent())).await.unwrap();
    assert_eq!((asked.status, asked.revision), (Status::WaitingForInfo, Revision(3)));
}

#[tokio::test]
async fn a_nothing_to_do_is_not_said_from_a_stale_history() {
    let (desk, _log, other) = two().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let (follow, unfollow) = (Command::Follow(Some(COLLEAGUE)), Command::Unfollow(Some(COLLEAGUE)));
    desk.tickets.execute(ticket, &follow, &wish(agent())).await.unwrap();
    other.execute(ticket, &unfollow, &wish(agent())).await.unwrap();
    let again = desk.tickets.execute(ticket, &follow, &wish(agent())).await.unwrap();
    assert_eq!((&again.events[..], again.revision), (&["followed"][..], Revision(4)));
}

#[tokio::test]
async fn an_acceptance_from_a_stale_history_is_decided_again() {
    let (desk, _log, other) = two().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let close = Command::Close(Close {
        comment: None,
        reason: Some(domain::testing::body("duplicate")),
    });
    other.execute(ticket, &close, &wish(agent())).await.unwrap();
    // By the cache it is new and could be accepted.
    let refused = desk.tickets.execute(ticket, &accept(), &wish(agent())).await;
    assert!(
        matches!(&refused, Err(ExecuteError::Rejected { ticket: Some(state), .. }) if state.status == Status::Closed),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_if_match_is_not_refused_from_a_stale_history() {
    let (desk, _log, other) = two().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    say(&other, ticket, "news").await.unwrap();
    let mut matching = wish(agent());
    matching.if_match = Some(Revision(2));
    let accepted = desk.tickets.execute(ticket, &accept(), &matching).await.unwrap();
    assert_eq!(accepted.revision, Revision(3));
    // And not taken from one either.
    let mut stale = wish(customer());
    stale.if_match = Some(Revision(2));
    let refused = other.execute(ticket, &crate::support::comment("late"), &stale).await;
    assert!(
        matches!(refused, Err(ExecuteError::RevisionMismatch { actual: Revision(3) })),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn both_write_to_one_ticket_and_everything_finds_its_place() {
    /// Rounds of one word from each, so that they run into each other again and again.
    const ROUNDS: usize = 50;
    let (desk, _log, other) = two().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let writers = [desk.tickets.clone(), other].map(|tickets| {
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                say(&tickets, ticket, &round.to_string()).await.unwrap();
            }
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(desk.raw().await.history(ticket).await.len(), 1 + 2 * ROUNDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn ticket_numbers_are_unique_over_all_processes() {
    /// More than one block from each.
    const EACH: usize = 100;
    let (desk, _log, other) = two().await;
    let opened = [desk.tickets.clone(), other].into_iter().flat_map(|tickets| {
        (0..EACH).map(move |_| {
            let tickets = tickets.clone();
            tokio::spawn(async move { open(&tickets, new_ticket()).await.number.0 })
        })
    });
    let numbers: BTreeSet<u64> = join_all(opened).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(numbers.len(), 2 * EACH);
    assert_eq!(numbers.first(), Some(&1));
}
