//! Waiting for a condition, in a way that the caller can interrupt.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// Between two looks at a condition. Short beside the 20 ms that nats-server takes to start.
const PAUSE: Duration = Duration::from_millis(5);

/// How the caller lets time pass. It breaks when the caller was told to stop meanwhile.
pub type Pause<'a> = dyn FnMut(Duration) -> ControlFlow<()> + 'a;

/// What became of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited<T> {
    /// The condition came to hold.
    Done(T),
    /// It did not within the limit.
    TimedOut,
    /// The caller was told to stop.
    Interrupted,
}

/// Lets time pass, deaf to everything: for callers that cannot be told to stop, such as tests.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where time passes; everything else waits for a condition through `until`"
)]
pub fn sleep(duration: Duration) -> ControlFlow<()> {
    std::thread::sleep(duration);
    ControlFlow::Continue(())
}

/// Looks again and again until `probe` has something, at most for `limit`.
pub fn until<T>(limit: Duration, pause: &mut Pause<'_>, mut probe: impl FnMut() -> Option<T>) -> Waited<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = probe() {
            return Waited::Done(value);
        }
        if Instant::now() >= deadline {
            return Waited::TimedOut;
        }
        if pause(PAUSE).is_break() {
            return Waited::Interrupted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_when_the_condition_holds() {
        let mut looks = 0;
        let waited = until(Duration::from_mins(1), &mut |_| ControlFlow::Continue(()), || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(waited, Waited::Done(3));
    }

    #[test]
    fn a_wait_ends_when_its_limit_is_reached() {
        assert_eq!(until(Duration::ZERO, &mut sleep, || None::<()>), Waited::TimedOut);
    }

    #[test]
    fn a_wait_ends_when_the_caller_is_told_to_stop() {
        let waited = until(Duration::from_mins(1), &mut |_| ControlFlow::Break(()), || None::<()>);
        assert_eq!(waited, Waited::Interrupted);
    }
}
