//! The same wish, asked for more than once.

use domain::ids::Revision;
use domain::policy::WaitPolicy;
use domain::testing::{agent, customer};
use domain::ticket::{Command, Resume};
use event_log::{Books, ExecuteError, Outcome, Request, Tickets};
use futures::future::join_all;

use crate::support::{Desk, comment, connect, create, new_ticket, open, say, tickets, wish};

/// The outcome but for whether it is a repetition.
fn answer(outcome: &Outcome) -> Outcome {
    Outcome {
        replayed: false,
        ..outcome.clone()
    }
}

fn assert_done_once(outcomes: &[Outcome]) {
    let first_hand = outcomes.iter().filter(|outcome| !outcome.replayed).count();
    assert_eq!(first_hand, 1, "{outcomes:?}");
    assert!(
        outcomes.iter().all(|outcome| answer(outcome) == answer(&outcomes[0])),
        "{outcomes:?}"
    );
}

async fn all_at_once(tickets: &[Tickets], command: &Command, request: &Request) -> Vec<Outcome> {
    let ticket = new_ticket();
    if !matches!(command, Command::Create(..)) {
        open(&tickets[0], ticket).await;
    }
    let attempts = tickets.iter().cycle().take(12).map(|tickets| {
        let (tickets, command, request) = (tickets.clone(), command.clone(), request.clone());
        tokio::spawn(async move { tickets.execute(ticket, &command, &request).await.unwrap() })
    });
    join_all(attempts).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_repeated_at_once_within_a_process_is_carried_out_once() {
    let desk = Desk::start().await;
    for command in [create(), comment("once")] {
        assert_done_once(&all_at_once(std::slice::from_ref(&desk.tickets), &command, &wish(customer())).await);
    }
    // Every command is in the log once, or this says so.
    desk.raw().await.histories().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_repeated_at_once_through_three_processes_is_carried_out_once() {
    let desk = Desk::start().await;
    let logs = [connect(desk.nats.url()).await, connect(desk.nats.url()).await];
    let processes = [desk.tickets.clone(), tickets(&logs[0]), tickets(&logs[1])];
    for round in 0..10 {
        let command = if round % 2 == 0 { create() } else { comment("once") };
        assert_done_once(&all_at_once(&processes, &command, &wish(customer())).await);
    }
    desk.raw().await.histories().await;
}

#[tokio::test]
async fn a_repetition_is_answered_as_the_first_was_whatever_has_happened_since() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    let first_wish = wish(customer());
    let first = desk.tickets.execute(ticket, &create(), &first_wish).await.unwrap();
    let accept = Command::Accept(domain::ticket::Accept { assignee: None });
    let second_wish = Request {
        if_match: Some(Revision(1)),
        ..wish(agent())
    };
    let second = desk.tickets.execute(ticket, &accept, &second_wish).await.unwrap();
    say(&desk.tickets, ticket, "and on it goes").await.unwrap();

    // Neither the rules nor `if_match` would allow them now. The last has an empty cache.
    let fresh = desk.log.tickets(Books::waiting(&WaitPolicy::cabinet()));
    for tickets in [&desk.tickets, &fresh] {
        for (command, wish, earlier) in [(&create(), &first_wish, &first), (&accept, &second_wish, &second)] {
            let again = tickets.execute(ticket, command, wish).await.unwrap();
            assert!(again.replayed);
            assert_eq!(answer(&again), answer(earlier));
        }
    }
    assert_eq!(desk.raw().await.history(ticket).await.len(), 3);
}

#[tokio::test]
async fn an_id_that_stands_for_another_wish_is_refused() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let first = wish(agent());
    desk.tickets.execute(ticket, &comment("one"), &first).await.unwrap();
    let other = Request {
        digest: [8; 32],
        ..first
    };
    let refused = desk.tickets.execute(ticket, &comment("two"), &other).await;
    assert!(matches!(refused, Err(ExecuteError::KeyReused)), "{refused:?}");
    assert_eq!(desk.raw().await.history(ticket).await.len(), 2);
}

#[tokio::test]
async fn what_was_refused_is_decided_afresh() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let resume = Command::Resume(Resume { comment: None });
    let repeated = wish(agent());
    let refused = desk.tickets.execute(ticket, &resume, &repeated).await;
    assert!(matches!(refused, Err(ExecuteError::Rejected { .. })), "{refused:?}");
    for command in [
        Command::Accept(domain::ticket::Accept { assignee: None }),
        Command::RequestInfo(domain::ticket::RequestInfo {
            comment: domain::testing::body("Which one?"),
        }),
    ] {
        desk.tickets.execute(ticket, &command, &wish(agent())).await.unwrap();
    }
    let taken = desk.tickets.execute(ticket, &resume, &repeated).await.unwrap();
    assert!(!taken.replayed);
}
