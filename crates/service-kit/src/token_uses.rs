//! When tokens were last used: noted in memory with each request, and told now and then.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::Shutdown;
use crate::clock::{Clock, pause};
use crate::tokens::TokenHash;

/// How often a process tells when tokens were last used: who asks thinks in days, and a token costs one small write so often at
/// most. One that is killed forgets the uses since then.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// How long a shutdown waits for the last uses to be told: whoever is silent must not keep the process from ending.
const LAST_WORD_MAX: Duration = Duration::from_secs(2);

/// When tokens were last used, as far as nobody was told yet. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct TokenUses(Arc<Mutex<HashMap<TokenHash, Timestamp>>>);

impl TokenUses {
    /// Notes that a token was used.
    pub fn note(&self, token: TokenHash, at: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = uses.entry(token).or_insert(at);
        *last = at.max(*last);
    }

    /// Has them told now and then, and once more at shutdown. `tell` returns those that it could not tell; they wait.
    pub async fn keep_telling<F>(
        &self,
        clock: &dyn Clock,
        shutdown: &Shutdown,
        tell: impl Fn(HashMap<TokenHash, Timestamp>) -> F,
    ) where
        F: Future<Output = HashMap<TokenHash, Timestamp>>,
    {
        let mut over = false;
        while !over {
            over = tokio::select! {
                () = shutdown.cancelled() => true,
                () = pause(clock, TELL_EVERY) => false,
            };
            let silence = async {
                shutdown.cancelled().await;
                pause(clock, LAST_WORD_MAX).await;
            };
            tokio::select! {
                untold = tell(self.take()) => {
                    for (token, at) in untold {
                        self.note(token, at);
                    }
                }
                () = silence => over = true,
            }
        }
    }

    /// Takes out what was noted.
    fn take(&self) -> HashMap<TokenHash, Timestamp> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_use_counts_until_it_is_told() {
        let (uses, token) = (TokenUses::default(), TokenHash::of("rct_ada"));
        let at = |second| Timestamp::from_second(second).unwrap();
        for second in [2, 3, 1] {
            uses.note(token, at(second));
        }
        assert_eq!(uses.take(), HashMap::from([(token, at(3))]));
        assert_eq!(uses.take(), HashMap::new());
    }
}
