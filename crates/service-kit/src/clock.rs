//! Time as something that is handed in, so that a test can hold it in its hand.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{pending, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present, in whole microseconds: what the log, Postgres and the API all keep.
    fn now(&self) -> Timestamp;

    /// Returns once the present is `at` or later; at once if it is already. May be dropped.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()>;

    /// Returns after `duration`. May be dropped.
    fn sleep_for(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let at = SignedDuration::try_from(duration)
            .ok()
            .and_then(|duration| self.now().checked_add(duration).ok());
        match at {
            Some(at) => self.sleep_until(at),
            // Beyond the end of time.
            None => pending().boxed(),
        }
    }
}

/// A clock that several tasks read.
pub type SharedClock = Arc<dyn Clock>;

/// Waits for `duration` from now; for ever, if that lies beyond the end of time.
pub async fn pause(clock: &dyn Clock, duration: Duration) {
    clock.sleep_for(duration).await;
}

/// The machine's clock, which may be set at any time, forwards and back. Who sleeps until an instant wakes when the clock
/// shows it; who sleeps for a duration wakes after it, whatever the clock shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// Sleeping until an instant in steps of this length means that nobody oversleeps by more when the clock is set forwards.
const SLEEP_STEP_MAX: Duration = Duration::from_secs(10);

impl SystemClock {
    /// The machine's clock, to be shared.
    pub fn shared() -> SharedClock {
        Arc::new(Self)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else takes")]
        whole_microseconds(Timestamp::now())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        sleep_in_steps(|| self.now(), at, SLEEP_STEP_MAX).boxed()
    }

    fn sleep_for(&self, duration: Duration) -> BoxFuture<'_, ()> {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else takes")]
        tokio::time::sleep(duration).boxed()
    }
}

async fn sleep_in_steps(now: impl Fn() -> Timestamp, at: Timestamp, step: Duration) {
    // A negative difference is no duration at all: the time has come.
    while let Ok(left) = Duration::try_from(at.duration_since(now())) {
        if left.is_zero() {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else takes")]
        tokio::time::sleep(left.min(step)).await;
    }
}

/// An instant as the log, Postgres and the API keep it; what is finer is cut off.
pub fn whole_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// A clock that moves when it is told to. Clones share their time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    state: Arc<Mutex<ManualState>>,
}

#[derive(Debug)]
struct ManualState {
    now: Timestamp,
    /// Sleepers by the time that they wait for, then by the order in which they lay down.
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
    slept: u64,
}

impl ManualClock {
    /// A clock that stands at `start`, cut to whole microseconds.
    pub fn new(start: Timestamp) -> Self {
        let state = ManualState {
            now: whole_microseconds(start),
            sleepers: BTreeMap::new(),
            slept: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Moves the clock on, or back if the duration is negative.
    ///
    /// # Panics
    /// If that leads beyond the end of time.
    pub fn advance(&self, by: SignedDuration) {
        let at = self
            .now()
            .checked_add(by)
            .expect("tests stay within the years that there are");
        self.set(at);
    }

    /// Sets the clock. Sleepers whose time has come are woken in the order of their times, each
    /// while the clock shows that time; a clock that is set back wakes nobody.
    pub fn set(&self, to: Timestamp) {
        let to = whole_microseconds(to);
        loop {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let due = state
                .sleepers
                .first_key_value()
                .map(|(key, _)| *key)
                .filter(|(at, _)| *at <= to);
            let Some(key) = due else {
                state.now = to;
                return;
            };
            state.now = state.now.max(key.0);
            if let Some(sleeper) = state.sleepers.remove(&key) {
                drop(state);
                // Whoever no longer listens has no interest in being woken.
                let _ = sleeper.send(());
            }
        }
    }

    /// The earliest time that somebody sleeps until, so that a test can see that a service has
    /// gone to sleep, and move the clock to exactly there.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.sleepers.retain(|_, sleeper| !sleeper.is_closed());
        state.sleepers.first_key_value().map(|((at, _), _)| *at)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if at <= state.now {
            return ready(()).boxed();
        }
        let (wake, woken) = oneshot::channel();
        let order = state.slept;
        state.slept = order.saturating_add(1);
        state.sleepers.insert((at, order), wake);
        woken.map(|_| ()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    #[tokio::test]
    async fn sleepers_wake_in_the_order_of_their_times() {
        let clock = ManualClock::new(START);
        let later = clock.sleep_until(after(2)).map(|()| "later");
        let sooner = clock.sleep_until(after(1)).map(|()| "sooner");
        clock.advance(SignedDuration::from_secs(1));
        let (first, _) = futures::future::select(later, sooner).await.factor_first();
        assert_eq!(first, "sooner");
        assert_eq!(clock.next_wake(), None, "whoever is dropped sleeps no more");
    }

    #[tokio::test]
    async fn nobody_sleeps_until_a_time_that_has_passed() {
        let clock = ManualClock::new(START);
        clock.sleep_until(START).await;
        clock.sleep_until(after(-1)).await;
        SystemClock.sleep_until(after(0)).await;
    }

    #[tokio::test]
    async fn a_sleeper_stays_asleep_until_its_time() {
        let clock = ManualClock::new(START);
        let mut sleeper = clock.sleep_until(after(10));
        clock.set(after(9));
        assert!((&mut sleeper).now_or_never().is_none());
        assert_eq!(clock.next_wake(), Some(after(10)));
        clock.set(after(10));
        sleeper.await;
    }

    #[tokio::test]
    async fn a_clock_that_is_set_wakes_who_sleeps_until_its_time_and_nobody_else() {
        let set_by = AtomicI64::new(0);
        let now = || SystemClock.now() + SignedDuration::from_secs(set_by.load(Ordering::SeqCst));
        let step = Duration::from_millis(1);
        let mut sleeper = std::pin::pin!(sleep_in_steps(now, now() + SignedDuration::from_hours(1), step));
        for hours in [0, -1] {
            set_by.store(hours * 3600, Ordering::SeqCst);
            let limit = SystemClock.sleep_for(step * 10);
            let (first, _) = futures::future::select(sleeper.as_mut().map(|()| "sleeper"), limit.map(|()| "limit"))
                .await
                .factor_first();
            assert_eq!(first, "limit");
        }
        set_by.store(3600, Ordering::SeqCst);
        sleeper.await;
    }

    #[test]
    fn the_machines_clock_shows_whole_microseconds() {
        assert_eq!(SystemClock.now().subsec_nanosecond() % 1_000, 0);
    }
}
