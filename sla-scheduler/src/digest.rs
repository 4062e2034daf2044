//! Draws digests: one at each time of a cron expression, once, however many schedulers there are.
//!
//! It keeps nothing of its own that matters: which one is next follows from the last that the read model has. Times that went by
//! while nobody drew are made up for, oldest first, and one that was drawn already is left alone by the log.

use domain::Timestamp;
use domain::digest::Digest;
use event_log::{Digests, ExecuteError};
use jiff::SignedDuration;
use metrics::counter;
use service_kit::clock::pause;
use service_kit::cron::Cron;
use service_kit::health::Component;
use service_kit::{SharedClock, Shutdown, SystemClock, chain};
use sqlx::PgPool;

use crate::timers::{self, ReadError};
use crate::wake::{backoff, until};

/// Digests missed longer ago than this are not made up for one by one: the next tells of all that time.
const MADE_UP_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What there is to do.
enum Next {
    /// One was drawn; perhaps another is due.
    Drawn(Timestamp),
    /// The next is due then; `None`: never again.
    Due(Option<Timestamp>),
}

/// Why no digest was drawn.
#[derive(Debug, thiserror::Error)]
enum DrawError {
    #[error("cannot tell which digest is next")]
    Read(#[from] ReadError),
    #[error("the digest was not recorded")]
    Record(#[from] ExecuteError),
}

/// Draws digests until the shutdown. Their times begin when this begins, or with the last digest.
pub(crate) async fn run(
    pool: &PgPool,
    digests: &Digests,
    clock: &SharedClock,
    cron: &Cron,
    health: &Component,
    shutdown: &Shutdown,
) {
    // The read model may not have the one that was drawn last.
    let mut last = None;
    let began = clock.now();
    let mut failures: u32 = 0;
    loop {
        let drawing = draw(pool, digests, clock, cron, (last, began));
        let next = tokio::select! {
            next = drawing => next,
            () = shutdown.cancelled() => return,
        };
        let due = match next {
            Ok(Next::Drawn(at)) => {
                last = Some(at);
                continue;
            }
            Ok(Next::Due(due)) => {
                health.ready();
                failures = 0;
                due
            }
            Err(error) => {
                tracing::debug!("{}", chain(&error));
                health.unready(format!("{error}"));
                failures = failures.saturating_add(1);
                None
            }
        };
        tokio::select! {
            () = until(&**clock, due), if failures == 0 => {}
            () = pause(&SystemClock, backoff(failures)), if failures > 0 => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Draws the digest that is due, if one is. `last`: the last that was drawn here, and when this began.
async fn draw(
    pool: &PgPool,
    digests: &Digests,
    clock: &SharedClock,
    cron: &Cron,
    (last, began): (Option<Timestamp>, Timestamp),
) -> Result<Next, DrawError> {
    let last = timers::last_digest(pool).await?.max(last);
    let now = clock.now();
    let since = last
        .unwrap_or(began)
        .max(now.saturating_sub(MADE_UP_FOR).unwrap_or(began));
    match cron.next_after(since) {
        Some(until) if until <= now => {
            let outcome = digests.draw(Digest { from: last, until }).await?;
            if outcome.made && !outcome.replayed {
                counter!("sla_digests_total").increment(1);
                tracing::info!("the digest until {until} is drawn");
            }
            Ok(Next::Drawn(until))
        }
        due => Ok(Next::Due(due)),
    }
}
