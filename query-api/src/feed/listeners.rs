//! How many may listen to the feed, and how much of the database they may use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::UserId;
use service_kit::Problem;
use service_kit::problem::types::TOO_MANY_REQUESTS;
use tokio::sync::Semaphore;

/// The most listeners at the same time. Each holds up to three chunks of the feed, which together
/// stay within some hundred megabytes.
const LISTENERS_MAX: usize = 256;

/// The most of one caller, so that a program that forgets to close its streams shuts out nobody else.
const LISTENERS_OF_ONE_MAX: usize = 32;

/// How many of the pool's connections listeners use at once. When something happens all of them want
/// to read, and other requests must not wait for that.
const READS_AT_ONCE: usize = 4;

/// Streams last. Whoever finds no room should not ask every second.
const RETRY_AFTER: u32 = 10;

/// Everybody who listens. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    /// By caller. Whoever does not listen is not there.
    places: Arc<Mutex<HashMap<UserId, usize>>>,
    pub(crate) reads: Arc<Semaphore>,
}

/// A listener's place, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    listeners: Listeners,
    user: UserId,
}

impl Default for Listeners {
    fn default() -> Self {
        Self {
            places: Arc::default(),
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
        }
    }
}

impl Listeners {
    /// A place for one more, or 429.
    pub(crate) fn enter(&self, user: UserId) -> Result<Place, Problem> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.values().sum::<usize>() >= LISTENERS_MAX {
            return Err(full(
                "As many listen to the feed as may at once. Read it in pages, or try again later.",
            ));
        }
        let theirs = places.entry(user).or_default();
        if *theirs >= LISTENERS_OF_ONE_MAX {
            return Err(full(
                "This caller listens as often as one may at once. Close a stream, or try again later.",
            ));
        }
        *theirs = theirs.saturating_add(1);
        metrics::gauge!("feed_listeners").increment(1.0);
        Ok(Place {
            listeners: self.clone(),
            user,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.listeners.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(theirs) = places.get_mut(&self.user) {
            *theirs = theirs.saturating_sub(1);
            if *theirs == 0 {
                places.remove(&self.user);
            }
        }
        metrics::gauge!("feed_listeners").decrement(1.0);
    }
}

fn full(detail: &'static str) -> Problem {
    Problem::new(&TOO_MANY_REQUESTS).detail(detail).retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(n: usize) -> UserId {
        UserId::from(Uuid::from_u128(n.try_into().unwrap()))
    }

    #[test]
    fn nobody_takes_all_the_places_and_a_place_that_is_left_is_free() {
        let listeners = Listeners::default();
        let mut theirs: Vec<Place> = (0..LISTENERS_OF_ONE_MAX)
            .map(|_| listeners.enter(user(0)).unwrap())
            .collect();
        let refused = listeners.enter(user(0)).unwrap_err();
        assert_eq!((refused.kind.status, refused.retry_after), (429, Some(RETRY_AFTER)));
        let others: Vec<Place> = (LISTENERS_OF_ONE_MAX..LISTENERS_MAX)
            .map(|n| listeners.enter(user(n)).unwrap())
            .collect();
        assert_eq!(listeners.enter(user(LISTENERS_MAX)).unwrap_err().kind.status, 429);
        theirs.pop();
        theirs.push(listeners.enter(user(0)).unwrap());
        drop((theirs, others));
        assert!(listeners.places.lock().unwrap().is_empty());
    }
}
