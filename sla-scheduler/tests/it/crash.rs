//! A scheduler that is cut off between any two of its steps.

use std::pin::Pin;
use std::task::{Context, Poll};

use domain::policy::WaitPolicy;
use test_harness::wait_until;

use crate::desk::{Desk, LIMIT};

/// Runs a future until it has been polled so often, and then drops it where it stands.
struct CutOff<F> {
    future: Pin<Box<F>>,
    polls_left: u32,
}

impl<F: Future<Output = ()>> Future for CutOff<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.polls_left.checked_sub(1) {
            None => Poll::Ready(()),
            Some(left) => {
                self.polls_left = left;
                let polled = self.future.as_mut().poll(cx);
                if left == 0 { Poll::Ready(()) } else { polled }
            }
        }
    }
}

/// A scheduler whose wait was already ended when it was cut off has been polled often enough. So many of them
/// come close to its second look.
const ENDED_BY_THE_FIRST: u32 = 5;

/// A scheduler that needs more polls than this hangs.
const POLLS_MAX: u32 = 200;

#[tokio::test]
async fn a_scheduler_cut_off_anywhere_and_started_again_ends_each_wait_once() {
    let desk = Desk::open(WaitPolicy::cabinet()).await;
    let mut ended_by_the_first = 0;
    let mut polls_left = 0;
    while ended_by_the_first < ENDED_BY_THE_FIRST {
        polls_left += 1;
        assert!(polls_left <= POLLS_MAX, "the scheduler never comes to its end");
        let ticket = desk.solved_ticket().await;
        desk.project().await;
        let due = desk.due(ticket).await;
        desk.clock.set(due);

        CutOff {
            future: Box::pin(desk.scheduler_future()),
            polls_left,
        }
        .await;
        if !desk.expiries(ticket).await.is_empty() {
            ended_by_the_first += 1;
        }
        let again = desk.scheduler().await;
        wait_until("the closing", LIMIT, async || !desk.expiries(ticket).await.is_empty()).await;
        again.is_ready(true).await;
        again.stop().await;
        assert_eq!(
            desk.expiries(ticket).await,
            [("closure_wait_expired", due)],
            "cut off after {polls_left} polls"
        );
    }
}
