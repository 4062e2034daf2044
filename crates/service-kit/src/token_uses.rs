//! When tokens were last used: noted in memory with each request, and told now and then.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::tokens::TokenHash;

/// How often a process tells when tokens were last used: who asks thinks in days, and a token costs one small write so often at
/// most. One that is killed forgets the uses since then.
pub const TELL_EVERY: Duration = Duration::from_mins(1);

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

    /// Takes out what was noted. Who cannot tell it gives it back with [`TokenUses::note`].
    pub fn take(&self) -> HashMap<TokenHash, Timestamp> {
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
