//! Waiting for a condition, always with a limit.

use std::time::{Duration, Instant};

/// Between two looks. Short, because tests do little else than wait for each other.
const PAUSE: Duration = Duration::from_millis(5);

/// What a condition may answer: a `bool`, or an `Option` or `Result` of what was waited for.
pub trait Outcome {
    /// What the wait returns.
    type Value;
    /// The value, or what the condition looks like instead.
    fn outcome(self) -> Result<Self::Value, String>;
}

impl Outcome for bool {
    type Value = ();
    fn outcome(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".to_owned()) }
    }
}

impl<T> Outcome for Option<T> {
    type Value = T;
    fn outcome(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing".to_owned())
    }
}

impl<T, E: std::fmt::Debug> Outcome for Result<T, E> {
    type Value = T;
    fn outcome(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

/// Looks again and again until `condition` holds.
///
/// # Panics
///
/// If it does not within `limit`, with `what` was waited for and what was seen last.
#[track_caller]
pub fn wait_until<C, F, O>(what: &str, limit: Duration, mut condition: C) -> impl Future<Output = O::Value>
where
    C: FnMut() -> F,
    F: Future<Output = O>,
    O: Outcome,
{
    let place = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + limit;
        let mut seen = "no answer".to_owned();
        loop {
            // The condition itself may hang on a broken connection.
            let left = deadline.saturating_duration_since(Instant::now());
            if let Ok(answer) = tokio::time::timeout(left, condition()).await {
                match answer.outcome() {
                    Ok(value) => return value,
                    Err(instead) => seen = instead,
                }
            }
            assert!(
                Instant::now() < deadline,
                "{place}: waited {limit:?} for {what}; last seen: {seen}"
            );
            pause().await;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where tests let time pass; they wait for conditions"
)]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_wait_returns_what_the_condition_found() {
        let mut looks = 0;
        let found = wait_until("the third look", LIMIT, || {
            looks += 1;
            std::future::ready((looks == 3).then_some(looks))
        });
        assert_eq!(found.await, 3);
    }

    #[tokio::test]
    async fn a_wait_that_fails_says_for_what_and_what_it_saw() {
        let wait = tokio::spawn(async {
            wait_until("rain", Duration::from_millis(20), || async { Err::<(), _>("sunshine") }).await;
        });
        let panic = wait.await.expect_err("it never rains").into_panic();
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains("rain") && message.contains("sunshine"), "{message}");
    }

    #[tokio::test]
    async fn a_condition_that_hangs_does_not_hang_the_test() {
        let wait = tokio::spawn(wait_until(
            "a word",
            Duration::from_millis(20),
            std::future::pending::<bool>,
        ));
        assert!(wait.await.is_err());
    }
}
