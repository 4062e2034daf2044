//! How many exports run at the same time, and how they end when the service does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::UserId;
use service_kit::http::SHUTDOWN_GRACE;
use service_kit::problem::types::TOO_MANY_REQUESTS;
use service_kit::{Problem, Shutdown};
use tokio_util::sync::CancellationToken;

/// Each holds a connection for minutes; a quarter of the pool leaves the lists what they need.
const RUNNING_MAX: usize = 4;

/// One caller alone must not keep the others from exporting.
const RUNNING_OF_ONE_MAX: usize = 2;

/// Most exports are over in seconds.
const RETRY_AFTER: u32 = 10;

/// The exports that run. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Exports {
    callers: Arc<Mutex<Vec<UserId>>>,
    cut: CancellationToken,
}

/// One of them, until this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    exports: Exports,
    caller: UserId,
}

impl Exports {
    /// None yet. Those that run at the shutdown have as long as every request has then.
    pub(crate) fn new(shutdown: &Shutdown) -> Self {
        let exports = Self {
            callers: Arc::default(),
            cut: CancellationToken::new(),
        };
        let (cut, shutdown) = (exports.cut.clone(), shutdown.cancelled());
        // Not tracked: a service without exports need not wait for it.
        tokio::spawn(async move {
            shutdown.await;
            let _: Result<(), _> = tokio::time::timeout(SHUTDOWN_GRACE, std::future::pending()).await;
            cut.cancel();
        });
        exports
    }

    /// Lets one more in, if there is room.
    pub(super) fn enter(&self, caller: UserId) -> Result<Running, Problem> {
        let mut callers = self.callers();
        if callers.len() >= RUNNING_MAX {
            return Err(full(
                "As many exports are running as the service takes. Try again when one of them is over.",
            ));
        }
        if callers.iter().filter(|running| **running == caller).count() >= RUNNING_OF_ONE_MAX {
            return Err(full(
                "As many exports of yours are running as one caller may have. Try again when one of them is over.",
            ));
        }
        callers.push(caller);
        drop(callers);
        Ok(Running {
            exports: self.clone(),
            caller,
        })
    }

    fn callers(&self) -> MutexGuard<'_, Vec<UserId>> {
        // Nothing can panic half-way through a change of it.
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Cancelled when the export has to end, done or not.
    pub(super) fn cut(&self) -> CancellationToken {
        self.exports.cut.child_token()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut callers = self.exports.callers();
        if let Some(place) = callers.iter().position(|caller| *caller == self.caller) {
            callers.swap_remove(place);
        }
    }
}

fn full(detail: &'static str) -> Problem {
    Problem::new(&TOO_MANY_REQUESTS).detail(detail).retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId::from(Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn there_is_room_for_some_and_again_when_one_is_over() {
        let exports = Exports::new(&Shutdown::new());
        let first = exports.enter(user(1)).unwrap();
        let _second = exports.enter(user(1)).unwrap();
        let refused = exports.enter(user(1)).unwrap_err();
        assert_eq!((refused.kind.status, refused.retry_after), (429, Some(RETRY_AFTER)));
        let _others = [2, 3].map(|n| exports.enter(user(n)).unwrap());
        assert!(exports.enter(user(4)).is_err(), "all places are taken");
        drop(first);
        assert!(exports.enter(user(4)).is_ok());
    }
}
