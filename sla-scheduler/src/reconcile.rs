//! One pass: what is due according to the read model, sent to the log, which decides.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use domain::Timestamp;
use domain::ids::TicketId;
use domain::policy::WaitKind;
use domain::sla::TimerKind;
use event_log::{ExecuteError, Tickets};
use futures::stream::{self, StreamExt};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use service_kit::{SharedClock, chain};
use sqlx::PgPool;

use crate::send::fire;
use crate::timers::{self, BATCH_MAX, Due, ReadError, Timer, Wait};

/// Commands in flight. Enough to work off an hour's backlog within seconds, few enough that people's
/// commands do not notice.
const CONCURRENT_MAX: usize = 16;

/// Timers that are remembered as handled while their rows are still there. A read model that is
/// further behind than this has its timers sent again, which costs time and changes nothing.
const HANDLED_MAX: usize = 100_000;

/// What a pass came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass {
    /// When the next timer is due.
    pub(crate) next_due: Option<Timestamp>,
    /// Commands that the log could not take; they are due still.
    pub(crate) failed: usize,
}

/// Whether something needs to be sent again.
enum Sent {
    /// Not while its row stays as it is.
    Settled(Due),
    /// In the next pass.
    Failed,
}

/// What the passes of one scheduler share.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pool: PgPool,
    tickets: Tickets,
    pub(crate) clock: SharedClock,
    handled: HashSet<Due>,
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
    /// a row that stays although it was handled: whatever the reason, somebody looks again.
    pub(crate) fn forget(&mut self) {
        self.handled.clear();
    }

    /// Sends what is due and has not been handled, and returns when there is more to do. May be cut
    /// off anywhere: the only state is what need not be sent again.
    pub(crate) async fn reconcile(&mut self) -> Result<Pass, ReadError> {
        let began = Instant::now();
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
                due.into_iter().partition(|timer| self.handled.contains(&timer.due));
            oldest = oldest.or_else(|| fresh.first().map(|timer| timer.due_at));
            self.figures.overdue_since(oldest, now);
            still_there.extend(known.into_iter().map(|timer| timer.due));

            let figures = &self.figures;
            let tickets = &self.tickets;
            let by_ticket = by_ticket(fresh);
            let mut sending = stream::iter(
                by_ticket
                    .into_iter()
                    .map(|timers| send_all(tickets, timers, now, figures)),
            )
            .buffer_unordered(CONCURRENT_MAX);
            while let Some(sent) = sending.next().await {
                for sent in sent {
                    match sent {
                        // Remembered at once, for a pass that is cut off.
                        Sent::Settled(due) if self.handled.len() < HANDLED_MAX => {
                            still_there.insert(due);
                            self.handled.insert(due);
                        }
                        Sent::Settled(_) => {}
                        Sent::Failed => failed = failed.saturating_add(1),
                    }
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
        let next_due = timers::next_due(&self.pool, now).await?;
        self.figures.pass.record(began.elapsed().as_secs_f64());
        Ok(Pass { next_due, failed })
    }
}

/// The timers of each ticket together, the tickets in the order of their oldest. What happened to a ticket first is
/// recorded first, so that an outage changes nothing of what follows from it.
fn by_ticket(timers: Vec<Timer>) -> Vec<Vec<Timer>> {
    let mut tickets: Vec<Vec<Timer>> = Vec::new();
    let mut places: HashMap<TicketId, usize> = HashMap::new();
    for timer in timers {
        let place = *places.entry(timer.due.ticket()).or_insert(tickets.len());
        match tickets.get_mut(place) {
            Some(timers) => timers.push(timer),
            None => tickets.push(vec![timer]),
        }
    }
    tickets
}

/// Sends what is due of one ticket, in order.
async fn send_all(tickets: &Tickets, timers: Vec<Timer>, now: Timestamp, figures: &Figures) -> Vec<Sent> {
    let mut sent = Vec::new();
    for timer in timers {
        sent.push(send(tickets, timer, now, figures).await);
    }
    sent
}

async fn send(tickets: &Tickets, timer: Timer, now: Timestamp, figures: &Figures) -> Sent {
    let (ticket, kind) = (timer.due.ticket(), timer.due.kind());
    match fire(tickets, timer.due).await {
        Ok(outcome) => {
            if !outcome.replayed && !outcome.events.is_empty() {
                figures.fired(&timer, now);
                tracing::info!(
                    ticket.id = %ticket, position = %outcome.position,
                    "the {kind} timer of ticket {ticket} fired at position {}", outcome.position
                );
            }
            Sent::Settled(timer.due)
        }
        Err(
            error @ (ExecuteError::Unavailable
            | ExecuteError::Contended
            | ExecuteError::OutcomeUnknown
            | ExecuteError::PoliciesUnread),
        ) => {
            tracing::warn!(ticket.id = %ticket, "the {kind} timer of ticket {ticket} will be fired later: {}", chain(&error));
            Sent::Failed
        }
        // Sending it again at once would change nothing. The next sweep tries.
        Err(error) => {
            figures.refused.increment(1);
            tracing::error!(ticket.id = %ticket, "the {kind} timer of ticket {ticket} cannot be fired: {}", chain(&error));
            Sent::Settled(timer.due)
        }
    }
}

/// The scheduler's metrics.
struct Figures {
    information: Counter,
    closure: Counter,
    warning: Counter,
    breach: Counter,
    refused: Counter,
    late: Histogram,
    pass: Histogram,
    oldest_overdue: Gauge,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}

impl Figures {
    fn register() -> Self {
        let fired = |kind: &'static str| counter!("sla_timers_fired_total", "kind" => kind);
        Self {
            information: fired(WaitKind::Information.as_str()),
            closure: fired(WaitKind::Closure.as_str()),
            warning: fired(TimerKind::Warning.as_str()),
            breach: fired(TimerKind::Breach.as_str()),
            refused: counter!("sla_timers_refused_total"),
            late: histogram!("sla_timer_lateness_seconds"),
            pass: histogram!("sla_pass_seconds"),
            oldest_overdue: gauge!("sla_oldest_overdue_seconds"),
        }
    }

    /// The oldest timer that is due and not handled yet.
    fn overdue_since(&self, oldest: Option<Timestamp>, now: Timestamp) {
        self.oldest_overdue
            .set(oldest.map_or(0.0, |due_at| now.duration_since(due_at).as_secs_f64()));
    }

    fn fired(&self, timer: &Timer, now: Timestamp) {
        let counter = match timer.due {
            Due::Wait(Wait {
                kind: WaitKind::Information,
                ..
            }) => &self.information,
            Due::Wait(Wait {
                kind: WaitKind::Closure,
                ..
            }) => &self.closure,
            Due::Clock { timer, .. } => match timer.kind {
                TimerKind::Warning => &self.warning,
                TimerKind::Breach => &self.breach,
            },
        };
        counter.increment(1);
        self.late.record(now.duration_since(timer.due_at).as_secs_f64());
    }
}
