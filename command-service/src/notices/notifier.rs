//! The tasks that tell people what happens.

use std::future::Future;
use std::time::Duration;

use event_log::{Given, Lane, OutboxError, People};
use service_kit::clock::{SharedClock, pause};
use service_kit::health::Component;
use service_kit::{Shutdown, chain};

use crate::app::App;
use crate::mail::Mail;

/// Mails that are sent at once, of those that are new and of those that were not taken. Each has a connection of its own to the
/// mail server.
const SENDERS: usize = 4;
/// How often the notices that wait are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// How long to wait before the server is asked for work anew.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// What this release cannot read may be for a newer one: it is given to somebody again so often, after so long.
const UNREADABLE_TIMES: u64 = 10;
const UNREADABLE_AGAIN: Duration = Duration::from_mins(1);
/// How soon something is tried again that waits for the log.
const LOG_AGAIN: Duration = Duration::from_secs(5);

/// Looks at records and sends notices, by mail.
#[derive(Debug, Clone)]
pub(crate) struct Notifier {
    pub(crate) app: App,
    pub(crate) mail: Mail,
    /// By which it waits for servers: no test's.
    pub(crate) clock: SharedClock,
    pub(crate) shutdown: Shutdown,
}

/// Why something is not done.
#[derive(Debug)]
pub(super) enum NotDone {
    /// The log does not answer, or is not read so far.
    Later(Box<dyn std::error::Error + Send + Sync>),
    /// It cannot be read here.
    Unreadable(Box<dyn std::error::Error + Send + Sync>),
}

impl NotDone {
    pub(super) fn later(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Later(why.into())
    }
}

impl Notifier {
    /// Begins to do so, as tasks, until shutdown. Ready once the server keeps what happens from then on.
    pub(crate) async fn run(self, ready: Component) {
        if self.begin(&ready).await.is_none() {
            return;
        }
        let shutdown = self.shutdown.clone();
        let tasks = shutdown.tracker();
        for partition in 0..self.app.log.partitions() {
            let notifier = self.clone();
            tasks.spawn(async move { notifier.on_and_on(|| notifier.look(partition)).await });
        }
        for lane in Lane::ALL {
            for _ in 0..SENDERS {
                let notifier = self.clone();
                tasks.spawn(async move { notifier.on_and_on(|| notifier.send(lane)).await });
            }
        }
        tasks.spawn(async move { self.on_and_on(|| self.count()).await });
    }

    /// Has the server keep what happens. `None`: there was a shutdown before it did.
    async fn begin(&self, ready: &Component) -> Option<()> {
        let begin = async || {
            let outbox = self.app.log.outbox().await?;
            for partition in 0..self.app.log.partitions() {
                outbox.news(partition).await?;
            }
            Ok::<_, OutboxError>(())
        };
        while let Err(error) = self.unless_shut_down(begin()).await? {
            self.wait(&error).await?;
        }
        ready.ready();
        Some(())
    }

    /// Does it, and does it anew whenever it fails, until shutdown.
    async fn on_and_on<F: Future<Output = Result<(), OutboxError>>>(&self, once: impl Fn() -> F) {
        while let Err(error) = once().await {
            if self.wait(&error).await.is_none() {
                return;
            }
        }
    }

    /// Waits a moment after an error. `None`: there was a shutdown.
    async fn wait(&self, error: &OutboxError) -> Option<()> {
        tracing::warn!(error = chain(error), "telling people what happens begins anew");
        self.unless_shut_down(pause(self.clock.as_ref(), RETRY_PAUSE)).await
    }

    pub(super) async fn unless_shut_down<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => None,
            value = future => Some(value),
        }
    }

    /// Says how many notices wait, until shutdown.
    async fn count(&self) -> Result<(), OutboxError> {
        let outbox = self.app.log.outbox().await?;
        loop {
            let waiting = u32::try_from(outbox.waiting().await?).unwrap_or(u32::MAX);
            metrics::gauge!("notices_waiting").set(f64::from(waiting));
            if self
                .unless_shut_down(pause(self.clock.as_ref(), COUNT_EVERY))
                .await
                .is_none()
            {
                return Ok(());
            }
        }
    }

    /// Who there is, once that is known.
    pub(super) fn people(&self) -> Result<&People, NotDone> {
        let books = &self.app.books;
        let people = books.are_read().then(|| books.people());
        people.ok_or_else(|| NotDone::later("profiles have not been read from the log yet"))
    }
}

/// Has somebody get again what was not done, or says that nobody will do it.
pub(super) async fn give_back<T>(given: &Given<T>, why: &NotDone) -> Result<(), OutboxError> {
    match why {
        NotDone::Later(error) => {
            tracing::debug!(error = chain(error.as_ref()), "a notice waits for the log");
            given.again(LOG_AGAIN).await
        }
        NotDone::Unreadable(error) if given.times < UNREADABLE_TIMES => {
            tracing::warn!(error = chain(error.as_ref()), "a notice is left to a newer release");
            given.again(UNREADABLE_AGAIN).await
        }
        NotDone::Unreadable(error) => {
            tracing::error!(error = chain(error.as_ref()), "what cannot be read, nobody is told");
            given.done().await
        }
    }
}
