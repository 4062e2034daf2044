//! The log or the read model goes away and comes back.

use domain::policy::WaitPolicy;
use domain::testing::{body, customer};
use domain::ticket::{AddComment, Command, Visibility};
use jiff::SignedDuration;

use crate::desk::Desk;

#[tokio::test]
async fn what_became_due_while_the_log_was_away_is_ended_once_when_it_is_back() {
    let desk = Desk::open(WaitPolicy::cabinet()).await;
    let ticket = desk.solved_ticket().await;
    desk.project().await;
    let due = desk.due(ticket).await;
    let scheduler = desk.scheduler().await;
    scheduler.is_ready(true).await;

    desk.nats.kill().await;
    desk.clock.set(due);
    scheduler.is_ready(false).await;
    desk.nats.restart().await;
    scheduler.is_ready(true).await;
    scheduler.stop().await;
    assert_eq!(desk.expiries(ticket).await, [("closure_wait_expired", due)]);
}

#[tokio::test]
async fn the_scheduler_waits_for_a_read_model_that_is_not_there() {
    let desk = Desk::open(WaitPolicy::cabinet()).await;
    let ticket = desk.solved_ticket().await;
    desk.project().await;
    let due = desk.due(ticket).await;
    desk.hide_read_model().await;
    let scheduler = desk.scheduler().await;
    scheduler.is_ready(false).await;

    desk.clock.set(due);
    desk.show_read_model().await;
    desk.has_expiries(ticket, &[("closure_wait_expired", due)]).await;
    scheduler.is_ready(true).await;
    scheduler.stop().await;
    assert_eq!(desk.expiries(ticket).await, [("closure_wait_expired", due)]);
}

#[tokio::test]
async fn a_timer_that_stays_although_its_wait_has_ended_is_left_alone_until_the_next_sweep() {
    let desk = Desk::open(WaitPolicy::cabinet()).await;
    let ticket = desk.solved_ticket().await;
    desk.project().await;
    let due = desk.due(ticket).await;
    let reply = AddComment {
        body: body("Not yet!"),
        visibility: Visibility::Public,
    };
    desk.give(ticket, customer(), Command::Comment(reply)).await;
    desk.clock.set(due);
    let scheduler = desk.scheduler().await;
    scheduler.is_ready(true).await;

    // Whoever sends the command now notices that the log is away.
    desk.nats.kill().await;
    desk.hide_read_model().await;
    scheduler.is_ready(false).await;
    desk.show_read_model().await;
    scheduler.is_ready(true).await;

    desk.clock.advance(SignedDuration::from_mins(1));
    scheduler.is_ready(false).await;
    desk.nats.restart().await;
    scheduler.is_ready(true).await;
    scheduler.stop().await;
    assert_eq!(desk.expiries(ticket).await, []);
}
