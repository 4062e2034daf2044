//! Notices on their way to people.

use domain::ids::{Position, UserId};
use domain::notice::{Notice, NoticeKind, Reason};
use event_log::{Given, Lane, News, Outbox, OutboxError, Outgoing, Placed, Sending};
use futures::FutureExt as _;
use test_harness::wait_until;
use uuid::Uuid;

use crate::support::{Desk, LIMIT, connect, new_ticket, open, say, ticket_in};

fn outgoing(user: u8) -> Outgoing {
    let reason = |kind, event, not_before| Reason {
        kind,
        event,
        not_before,
    };
    let later = "2026-03-02T09:00:00.000001Z".parse().unwrap();
    Outgoing {
        ticket: new_ticket(),
        position: Position {
            partition: 1,
            sequence: 7,
        },
        record: Uuid::from_u128(5),
        notice: Notice {
            user: UserId::from_bytes([user; 16]),
            reasons: vec![
                reason(NoticeKind::Comment, 0, None),
                reason(NoticeKind::Progress, 2, Some(later)),
            ],
        },
    }
}

/// What either of two processes is given next.
async fn given(news: &mut [News; 2]) -> Given<Placed> {
    let [one, other] = news;
    let either = async {
        tokio::select! {
            given = one.next() => given,
            given = other.next() => given,
        }
    };
    tokio::time::timeout(LIMIT, either).await.expect("a record").unwrap()
}

async fn sent(sending: &mut Sending) -> Given<Outgoing> {
    let next = tokio::time::timeout(LIMIT, sending.next());
    next.await.expect("a notice").unwrap()
}

async fn waits(outbox: &Outbox, notices: u64) {
    wait_until("so many notices to wait", LIMIT, async || {
        outbox.waiting().await.unwrap() == notices
    })
    .await;
}

#[tokio::test]
async fn each_record_is_given_to_one_of_several_processes_until_one_says_that_it_is_done() {
    let desk = Desk::start().await;
    open(&desk.tickets, ticket_in(0)).await;
    let (one, other) = (desk.log.clone(), connect(desk.nats.url()).await);
    let (one, other) = (one.outbox().await.unwrap(), other.outbox().await.unwrap());
    let mut news = [one.news(0).await.unwrap(), other.news(0).await.unwrap()];

    let ticket = ticket_in(0);
    let opened = open(&desk.tickets, ticket).await;
    let first = given(&mut news).await;
    let piece = first.what.as_ref().unwrap();
    assert_eq!(piece.position, opened.position, "what came before is no news");
    assert_eq!(piece.record.header.aggregate_id, ticket.as_uuid());
    assert_eq!(first.times, 1);
    first.again(std::time::Duration::ZERO).await.unwrap();
    let again = given(&mut news).await;
    assert_eq!(
        (again.what.as_ref().unwrap().position, again.times),
        (opened.position, 2)
    );
    again.done().await.unwrap();

    let said = say(&desk.tickets, ticket, "Hello").await.unwrap();
    let second = given(&mut news).await;
    assert_eq!(
        (second.what.as_ref().unwrap().position, second.times),
        (said.position, 1)
    );
    second.done().await.unwrap();
    // Somebody who begins later goes on where the others are.
    drop(news);
    let mut later = one.news(0).await.unwrap();
    let last = say(&desk.tickets, ticket, "Hello?").await.unwrap();
    let third = tokio::time::timeout(LIMIT, later.next()).await.unwrap().unwrap();
    assert_eq!(third.what.as_ref().unwrap().position, last.position);
}

#[tokio::test]
async fn the_same_notice_is_kept_once_outlives_the_server_and_is_gone_once_it_is_done() {
    let desk = Desk::start().await;
    let outbox = desk.log.outbox().await.unwrap();
    let (ada, bob) = (outgoing(1), outgoing(2));
    outbox.put(&ada, Lane::First).await.unwrap();
    outbox.put(&ada, Lane::First).await.unwrap();
    assert_eq!(outbox.waiting().await.unwrap(), 1);
    outbox.put(&bob, Lane::First).await.unwrap();
    assert_ne!(ada.id(), bob.id());
    let mut deadline = ada.clone();
    for reason in &mut deadline.notice.reasons {
        reason.kind = NoticeKind::Deadline;
    }
    assert_ne!(ada.id(), deadline.id(), "it has a notice of its own");

    desk.nats.kill().await;
    desk.nats.restart().await;
    wait_until("the connection", LIMIT, async || desk.log.is_connected()).await;
    waits(&outbox, 2).await;
    let mut sending = outbox.sending(Lane::First).await.unwrap();
    let first = sent(&mut sending).await;
    assert_eq!(first.what.as_ref(), Some(&ada));
    first.done().await.unwrap();
    let second = sent(&mut sending).await;
    assert_eq!((second.what.as_ref(), second.times), (Some(&bob), 1));
    waits(&outbox, 1).await;
    second.again(std::time::Duration::ZERO).await.unwrap();
    let again = sent(&mut sending).await;
    assert_eq!((again.what.as_ref(), again.times), (Some(&bob), 2));
    // Whoever tries it later takes it from the other lane.
    outbox.put(&bob, Lane::Again).await.unwrap();
    again.done().await.unwrap();
    waits(&outbox, 1).await;
    let mut trying_again = outbox.sending(Lane::Again).await.unwrap();
    let later = sent(&mut trying_again).await;
    assert_eq!((later.what.as_ref(), later.times), (Some(&bob), 1));
    later.going_on().await.unwrap();
    later.done().await.unwrap();
    waits(&outbox, 0).await;
}

#[tokio::test]
async fn whoever_takes_notices_out_learns_that_the_connection_was_made_anew() {
    let desk = Desk::start().await;
    let outbox = desk.log.outbox().await.unwrap();
    let mut sending = outbox.sending(Lane::First).await.unwrap();
    assert!(sending.next().now_or_never().is_none());
    desk.nats.kill().await;
    desk.nats.restart().await;
    let ended = tokio::time::timeout(LIMIT, sending.next()).await.expect("an end");
    assert!(matches!(ended, Err(OutboxError { .. })), "{ended:?}");
}
