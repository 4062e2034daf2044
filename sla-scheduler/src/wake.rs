//! When a pass runs: at the next due time, every second, at each sweep, and again after a failure.

use std::time::Duration;

use domain::Timestamp;
use service_kit::clock::pause;
use service_kit::cron::Cron;
use service_kit::health::Component;
use service_kit::{Clock, Shutdown, SystemClock, chain};

use crate::reconcile::{Pass, Scheduler};
use crate::timers::ReadError;

/// How often the read model is looked at for timers that were not there before. A new wait is due
/// in hours, so that only waits that begin overdue (an outage, a policy of seconds) are late by this
/// much; and a look is two reads of one index.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The pause after the first failure; it doubles with each further one.
const RETRY_FIRST: Duration = Duration::from_millis(100);

/// The longest pause after a failure: how much later than the outage's end everything due is fired.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Reconciles until the shutdown. A pass that has begun is not waited for: it may be cut off.
pub(crate) async fn run(mut scheduler: Scheduler, sweep: &Cron, health: &Component, shutdown: &Shutdown) {
    let mut failures: u32 = 0;
    loop {
        let sweep_at = sweep.next_after(scheduler.clock.now());
        let passed = tokio::select! {
            passed = scheduler.reconcile() => passed,
            () = shutdown.cancelled() => return,
        };
        failures = if report(&passed, health) {
            0
        } else {
            failures.saturating_add(1)
        };
        let next_due = passed.ok().and_then(|pass| pass.next_due);

        let clock = &*scheduler.clock;
        let swept = tokio::select! {
            () = until(clock, next_due), if failures == 0 => false,
            () = until(clock, sweep_at), if failures == 0 => true,
            // By the machine's time: what another process does to the read model, and how long an
            // outage lasts, does not depend on what the business's clock shows.
            () = pause(&SystemClock, if failures == 0 { LOOK_EVERY } else { backoff(failures) }) => false,
            () = shutdown.cancelled() => return,
        };
        if swept {
            scheduler.forget();
        }
    }
}

/// Whether the pass did all that there was to do; tells the health, too.
fn report(passed: &Result<Pass, ReadError>, health: &Component) -> bool {
    match passed {
        Ok(Pass { failed: 0, .. }) => {
            health.ready();
            true
        }
        Ok(Pass { failed, .. }) => {
            health.unready(format!("the log did not take {failed} commands"));
            false
        }
        Err(error) => {
            tracing::debug!("{}", chain(error));
            health.unready(format!("{error}"));
            false
        }
    }
}

pub(crate) async fn until(clock: &dyn Clock, at: Option<Timestamp>) {
    match at {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

pub(crate) fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1);
    RETRY_FIRST
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(RETRY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit() {
        assert_eq!(backoff(1), RETRY_FIRST);
        assert_eq!(backoff(2), RETRY_FIRST * 2);
        assert_eq!(backoff(60), RETRY_MAX);
    }
}
