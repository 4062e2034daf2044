//! A clock by which many lives run at the same time, each at its own.

use std::cell::Cell;

use domain::Timestamp;
use futures::future::{BoxFuture, FutureExt as _, ready};
use service_kit::clock::whole_microseconds;
use service_kit::{Clock, SystemClock};

tokio::task_local! {
    static NOW: Cell<Timestamp>;
}

/// Shows everybody within [`at`] the time that was given there, and everybody else the machine's.
///
/// The log asks its clock when it decides, in the task of whoever gave the command. So hundreds of lives share one
/// connection, with its cache and its ticket numbers, and each is in a year's day of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct LivedClock;

/// Does something at a time, as the log's clock shows it.
pub(super) async fn at<T>(time: Timestamp, doing: impl Future<Output = T>) -> T {
    NOW.scope(Cell::new(whole_microseconds(time)), doing).await
}

impl Clock for LivedClock {
    fn now(&self) -> Timestamp {
        NOW.try_with(Cell::get).unwrap_or_else(|_| SystemClock.now())
    }

    /// In a life that is told, waiting takes no time: it is later at once.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let told = NOW.try_with(|now| now.set(now.get().max(whole_microseconds(at))));
        match told {
            Ok(()) => ready(()).boxed(),
            Err(_) => async move { SystemClock.sleep_until(at).await }.boxed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lives_that_run_at_once_have_their_own_times() {
        let (one, other) = (Timestamp::constant(1_000, 0), Timestamp::constant(2_000, 0));
        let look = async || {
            tokio::task::yield_now().await;
            LivedClock.now()
        };
        assert_eq!(tokio::join!(at(one, look()), at(other, look())), (one, other));
        let later = async || {
            LivedClock.sleep_until(other).await;
            LivedClock.now()
        };
        assert_eq!(at(one, later()).await, other);
    }

    #[tokio::test]
    async fn outside_of_a_life_it_is_as_late_as_it_is() {
        let before = SystemClock.now();
        assert!(LivedClock.now() >= before);
    }
}
