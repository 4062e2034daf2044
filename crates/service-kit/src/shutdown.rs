//! How a process ends: told once, everybody finishes what they have accepted.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;

/// Tells every task that the process is to end, and knows the tasks that must end first. Clones
/// share it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tracker: TaskTracker,
}

impl Shutdown {
    /// One that is triggered by code alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that SIGINT and SIGTERM trigger.
    pub fn from_signals() -> io::Result<Self> {
        let shutdown = Self::new();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let told = shutdown.clone();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            };
            tracing::info!(signal = name, "stopping on {name}");
            told.trigger();
        });
        Ok(shutdown)
    }

    /// Tells everybody to end. Telling them again changes nothing.
    pub fn trigger(&self) {
        self.token.cancel();
    }

    /// Returns once somebody has called [`Shutdown::trigger`].
    pub fn cancelled(&self) -> WaitForCancellationFutureOwned {
        self.token.clone().cancelled_owned()
    }

    /// Where tasks are spawned that must end before the process does.
    pub const fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// Returns once every tracked task has ended. Nobody may spawn more of them afterwards.
    pub async fn finished(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
