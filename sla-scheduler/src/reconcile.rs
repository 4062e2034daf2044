//! One pass: what is due according to the read model, sent to the log, which decides.

use std::collections::HashSet;

use domain::Timestamp;
use domain::policy::WaitKind;
use event_log::{ExecuteError, Tickets};
use futures::stream::{self, StreamExt};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use service_kit::{SharedClock, chain};
use sqlx::PgPool;

use crate::send::expire;
use crate::timers::{self, BATCH_MAX, ReadError, Timer, Wait};

/// Commands in flight. Enough to work off an hour's backlog within seconds, few enough that people's
/// commands do not notice.
const CONCURRENT_MAX: usize = 16;

/// Waits that are remembered as handled while their rows are still there. A read model that is
/// further behind than this has its waits sent again, which costs time and changes nothing.
const HANDLED_MAX: usize = 100_000;

/// What a pass came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass {
    /// When the next timer is due.
    pub(crate) next_due: Option<Timestamp>,
    /// Commands that the log could not take; they are due still.
    pub(crate) failed: usize,
}

/// Whether a wait needs to be sent again.
enum Sent {
    /// Not while its row stays as it is.
    Settled(Wait),
    /// In the next pass.
    Failed,
}

/// What the passes of one scheduler share.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pool: PgPool,
    tickets: Tickets,
    pub(crate) clock: SharedClock,
    handled: HashSet<Wait>,
    figures: Figures,
}

impl Scheduler {
    pub(crate) fn new(pool: PgPool, tickets: Tickets, clock: SharedClock) -> Self {
        Self {
            pool,
            tickets,
            clock,
            handled: HashSet::new(),
            figures: Figures::register(),
        }
    }

    /// Forgets what was handled, so that the next pass sends everything that is due once more. For
    /// a row that stays although its wait was handled: whatever the reason, somebody looks again.
    pub(crate) fn forget(&mut self) {
        self.handled.clear();
    }

    /// Sends what is due and has not been handled, and returns when there is more to do. May be cut
    /// off anywhere: the only state is what need not be sent again.
    pub(crate) async fn reconcile(&mut self) -> Result<Pass, ReadError> {
        let now = self.clock.now();
        let mut still_there = HashSet::new();
        let mut failed: usize = 0;
        let mut last = None;
        let mut oldest = None;
        loop {
            let due = timers::due(&self.pool, now, last).await?;
            last = due.last().copied();
            let whole = due.len() < BATCH_MAX;
            let (known, fresh): (Vec<Timer>, Vec<Timer>) =
                due.into_iter().partition(|timer| self.handled.contains(&timer.wait));
            oldest = oldest.or_else(|| fresh.first().map(|timer| timer.due_at));
            self.figures.overdue_since(oldest, now);
            still_there.extend(known.into_iter().map(|timer| timer.wait));

            let figures = &self.figures;
            let tickets = &self.tickets;
            let mut sending = stream::iter(fresh.into_iter().map(|timer| send(tickets, timer, now, figures)))
                .buffer_unordered(CONCURRENT_MAX);
            while let Some(sent) = sending.next().await {
                match sent {
                    // Remembered at once, for a pass that is cut off.
                    Sent::Settled(wait) if self.handled.len() < HANDLED_MAX => {
                        still_there.insert(wait);
                        self.handled.insert(wait);
                    }
                    Sent::Settled(_) => {}
                    Sent::Failed => failed = failed.saturating_add(1),
                }
            }
            // Without the log there is no use in reading on.
            if whole || failed > 0 {
                break;
            }
        }
        if failed == 0 {
            // Whatever the read model no longer shows as due need not be remembered.
            self.handled = still_there;
            self.figures.overdue_since(None, now);
        }
        Ok(Pass {
            next_due: timers::next_due(&self.pool, now).await?,
            failed,
        })
    }
}

async fn send(tickets: &Tickets, timer: Timer, now: Timestamp, figures: &Figures) -> Sent {
    let Wait { ticket, kind, number } = timer.wait;
    match expire(tickets, timer.wait).await {
        Ok(outcome) => {
            if !outcome.replayed && !outcome.events.is_empty() {
                figures.fired(kind, timer.due_at, now);
                tracing::info!(
                    ticket.id = %ticket, position = %outcome.position,
                    "the {} wait {number} of ticket {ticket} ended at position {}", kind.as_str(), outcome.position
                );
            }
            Sent::Settled(timer.wait)
        }
        Err(error @ (ExecuteError::Unavailable | ExecuteError::Contended | ExecuteError::OutcomeUnknown)) => {
            tracing::warn!(ticket.id = %ticket, "the {} wait of ticket {ticket} will be ended later: {}", kind.as_str(), chain(&error));
            Sent::Failed
        }
        // Sending it again at once would change nothing. The next sweep tries.
        Err(error) => {
            figures.refused.increment(1);
            tracing::error!(ticket.id = %ticket, "the {} wait of ticket {ticket} cannot be ended: {}", kind.as_str(), chain(&error));
            Sent::Settled(timer.wait)
        }
    }
}

/// The scheduler's metrics.
struct Figures {
    information: Counter,
    closure: Counter,
    refused: Counter,
    late: Histogram,
    oldest_overdue: Gauge,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}

impl Figures {
    fn register() -> Self {
        let fired = |kind: WaitKind| counter!("sla_timers_fired_total", "kind" => kind.as_str());
        Self {
            information: fired(WaitKind::Information),
            closure: fired(WaitKind::Closure),
            refused: counter!("sla_timers_refused_total"),
            late: histogram!("sla_timer_lateness_seconds"),
            oldest_overdue: gauge!("sla_oldest_overdue_seconds"),
        }
    }

    /// The oldest timer that is due and not handled yet.
    fn overdue_since(&self, oldest: Option<Timestamp>, now: Timestamp) {
        self.oldest_overdue
            .set(oldest.map_or(0.0, |due_at| now.duration_since(due_at).as_secs_f64()));
    }

    fn fired(&self, kind: WaitKind, due_at: Timestamp, now: Timestamp) {
        match kind {
            WaitKind::Information => self.information.increment(1),
            WaitKind::Closure => self.closure.increment(1),
        }
        self.late.record(now.duration_since(due_at).as_secs_f64());
    }
}
