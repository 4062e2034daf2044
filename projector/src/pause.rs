//! Pauses between attempts. They are about machines and not about the desk's business, so they
//! run on the runtime's timer and not on the desk's clock: a test that stops the latter still has
//! a projector that reconnects.

use std::future::pending;
use std::time::Duration;

/// The first pause after a failure.
const FIRST: Duration = Duration::from_millis(50);

/// No pause is longer: whoever brings a server back should see the desk return.
const LONGEST: Duration = Duration::from_secs(2);

/// Returns after `duration`.
pub(crate) async fn pause(duration: Duration) {
    let never: Result<(), _> = tokio::time::timeout(duration, pending()).await;
    debug_assert!(never.is_err(), "nothing else ends a pause");
}

/// Pauses that double until something succeeds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// Whether nothing has failed since the last success.
    pub(crate) fn is_fresh(&self) -> bool {
        self.next == FIRST
    }

    /// Something succeeded.
    pub(crate) const fn reset(&mut self) {
        self.next = FIRST;
    }

    /// Waits, and longer the next time.
    pub(crate) async fn wait(&mut self) {
        let duration = self.next;
        self.next = duration.saturating_mul(2).min(LONGEST);
        pause(duration).await;
    }
}
