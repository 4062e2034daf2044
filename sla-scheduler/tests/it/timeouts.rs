//! What ends when: S-30 to S-32, G13 and G19 of the cases.

use std::time::Duration;

use domain::policy::WaitPolicy;
use domain::testing::{body, customer};
use domain::ticket::{AddComment, Command, Visibility};
use jiff::SignedDuration;
use service_kit::Clock as _;
use test_harness::wait_until;

use crate::desk::{Desk, LIMIT};

const MICROSECOND: SignedDuration = SignedDuration::from_micros(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn an_unanswered_question_leads_to_a_proposal_and_then_to_closing_each_at_its_due_instant() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = desk.ticket_in_question().await;
    desk.project().await;
    let question_due = desk.due(ticket).await;

    desk.clock.set(question_due - MICROSECOND);
    let scheduler = desk.scheduler().await;
    scheduler.is_ready(true).await;
    assert_eq!(desk.expiries(ticket).await, [], "a microsecond is left");

    desk.clock.set(question_due);
    wait_until("the proposal to close", LIMIT, async || {
        desk.expiries(ticket).await.len() == 1
    })
    .await;
    desk.project().await;
    let closure_due = desk.due(ticket).await;
    desk.clock.set(closure_due);
    wait_until("the closing", LIMIT, async || desk.expiries(ticket).await.len() == 2).await;

    let expected = [
        ("information_wait_expired", question_due),
        ("closure_wait_expired", closure_due),
    ];
    assert_eq!(desk.expiries(ticket).await, expected);
    scheduler.stop().await;
}

#[tokio::test]
async fn after_an_hours_outage_a_wait_ends_once_and_as_of_its_due_instant() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = desk.ticket_in_question().await;
    desk.project().await;
    let due = desk.due(ticket).await;

    desk.clock.set(due + HOUR);
    let scheduler = desk.scheduler().await;
    wait_until("the proposal to close", LIMIT, async || {
        !desk.expiries(ticket).await.is_empty()
    })
    .await;
    scheduler.is_ready(true).await;
    scheduler.stop().await;

    assert_eq!(desk.expiries(ticket).await, [("information_wait_expired", due)]);
    let supportal = WaitPolicy::supportal();
    let next = supportal.due(domain::policy::WaitKind::Closure, due);
    assert_eq!(
        Some(desk.due(ticket).await),
        next,
        "lateness does not prolong the next wait"
    );
}

#[tokio::test]
async fn a_clock_that_is_set_forwards_and_back_loses_no_wait_and_ends_none_twice() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let before = desk.clock.now();
    let first = desk.ticket_in_question().await;
    desk.project().await;
    let due = desk.due(first).await;
    let scheduler = desk.scheduler().await;
    scheduler.is_ready(true).await;
    desk.clock.set(due + HOUR);
    desk.has_expiries(first, &[("information_wait_expired", due)]).await;
    desk.project().await;

    desk.clock.set(before - HOUR);
    let other = desk.scheduler().await;
    other.is_ready(true).await;
    let second = desk.ticket_in_question().await;
    desk.project().await;
    let second_due = desk.due(second).await;
    assert!(second_due < due, "its time is counted by the clock as it was set");
    desk.clock.set(second_due);
    desk.has_expiries(second, &[("information_wait_expired", second_due)])
        .await;
    scheduler.is_ready(true).await;
    other.is_ready(true).await;

    desk.project().await;
    let closure_due = desk.due(first).await;
    desk.clock.set(closure_due);
    let both = [("information_wait_expired", due), ("closure_wait_expired", closure_due)];
    desk.has_expiries(first, &both).await;
    scheduler.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_wait_that_became_due_long_ago_and_the_one_that_follows_it_both_end() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = desk.ticket_in_question().await;
    desk.project().await;
    desk.clock.advance(HOUR * 24 * 365);
    let scheduler = desk.scheduler().await;
    // The clock stands still from here on: the new timer is found by looking.
    wait_until("the closing", LIMIT, async || {
        desk.project().await;
        desk.expiries(ticket).await.len() == 2
    })
    .await;
    scheduler.stop().await;
}

#[tokio::test]
async fn a_proposal_stands_for_a_day_unless_the_requester_replies_although_the_read_model_is_behind() {
    let desk = Desk::open(WaitPolicy::cabinet()).await;
    let (silent, answered) = (desk.solved_ticket().await, desk.solved_ticket().await);
    desk.project().await;
    let due = desk.due(silent).await;
    desk.clock.set(due - SignedDuration::from_mins(1));
    let reply = AddComment {
        body: body("Not yet!"),
        visibility: Visibility::Public,
    };
    desk.give(answered, customer(), Command::Comment(reply)).await;

    desk.clock.set(due);
    let scheduler = desk.scheduler().await;
    wait_until("the closing", LIMIT, async || !desk.expiries(silent).await.is_empty()).await;
    scheduler.is_ready(true).await;
    scheduler.stop().await;

    assert_eq!(desk.expiries(silent).await, [("closure_wait_expired", due)]);
    assert_eq!(
        desk.expiries(answered).await,
        [],
        "the timer was there, but not the wait"
    );
}

#[tokio::test]
async fn a_backlog_of_more_than_one_batch_is_worked_off_by_two_schedulers_once() {
    const BACKLOG: usize = 520;
    let desk = Desk::open(WaitPolicy::cabinet()).await;
    let mut tickets = Vec::new();
    for _ in 0..BACKLOG {
        tickets.push(desk.solved_ticket().await);
    }
    desk.project().await;
    desk.clock.advance(HOUR * 25);
    let (one, other) = (desk.scheduler().await, desk.scheduler().await);
    wait_until("every closing", Duration::from_mins(1), async || {
        desk.all_expiries().await == BACKLOG
    })
    .await;
    one.is_ready(true).await;
    other.is_ready(true).await;
    one.stop().await;
    other.stop().await;
    assert_eq!(
        desk.all_expiries().await,
        BACKLOG,
        "neither did what the other had done"
    );
}
