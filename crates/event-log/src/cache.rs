//! Histories of tickets lately used, so that most commands need no load.
//!
//! An entry stands for what the log held at some moment. A decision that appends is safe
//! however old the entry is: the expected sequence protects it. A "no" or a "nothing to do"
//! is not: it is given only after the tip has been read again.
//!
//! Every command passes here twice, so that what it costs counts: a lock that is hardly ever
//! waited for, and two generations in place of an order of use. When the young generation is
//! full it becomes the old one, and what was old is forgotten; what is asked for while old
//! becomes young again. An order of use, kept exactly by a concurrent cache, cost a tenth of a
//! command's processor time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::TicketId;

use crate::history::History;

/// Histories take up at most about this much memory in a process.
const BYTES_MAX: u64 = 48 * 1024 * 1024;
/// Locks, so that commands rarely wait for each other: several times the processors of a large
/// machine.
const SHARDS: u64 = 64;
/// What a generation of a shard may take up. There are two of them in each shard.
const GENERATION_BYTES_MAX: u64 = BYTES_MAX / SHARDS / 2;

#[derive(Debug, Clone)]
pub(crate) struct Histories {
    shards: Arc<[Mutex<Shard>]>,
}

#[derive(Debug, Default)]
struct Shard {
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    entries: HashMap<TicketId, Arc<History>>,
    bytes: u64,
}

impl Histories {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards }
    }

    pub(crate) fn get(&self, id: TicketId) -> Option<Arc<History>> {
        self.shard(id).get(id)
    }

    /// Keeps what the log has confirmed, and nothing else.
    pub(crate) fn keep(&self, id: TicketId, history: Arc<History>) {
        let forgotten = self.shard(id).keep(id, history);
        // Thousands of histories, freed only now that nobody waits for the lock.
        drop(forgotten);
    }

    pub(crate) fn forget(&self, id: TicketId) {
        self.shard(id).forget(id);
    }

    fn shard(&self, id: TicketId) -> MutexGuard<'_, Shard> {
        // Not the lowest bits, by which tickets are spread over partitions.
        let shard = (id.as_uuid().as_u128() >> 16) % u128::from(SHARDS);
        let shard = usize::try_from(shard).ok().and_then(|shard| self.shards.get(shard));
        let shard = shard.expect("a shard for every remainder");
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn get(&mut self, id: TicketId) -> Option<Arc<History>> {
        if let Some(history) = self.young.entries.get(&id) {
            return Some(Arc::clone(history));
        }
        let history = self.old.take(id)?;
        // At most the old generation becomes young this way, so that no check is needed here.
        self.young.put(id, Arc::clone(&history));
        Some(history)
    }

    /// Returns the generation that is forgotten for it, if it is time for one to be.
    fn keep(&mut self, id: TicketId, history: Arc<History>) -> Option<Generation> {
        self.forget(id);
        self.young.put(id, history);
        let full = self.young.bytes > GENERATION_BYTES_MAX;
        full.then(|| std::mem::replace(&mut self.old, std::mem::take(&mut self.young)))
    }

    fn forget(&mut self, id: TicketId) {
        self.young.take(id);
        self.old.take(id);
    }
}

impl Generation {
    fn put(&mut self, id: TicketId, history: Arc<History>) {
        self.bytes += u64::from(history.weight());
        self.entries.insert(id, history);
    }

    fn take(&mut self, id: TicketId) -> Option<Arc<History>> {
        let history = self.entries.remove(&id)?;
        self.bytes -= u64::from(history.weight());
        Some(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ticket of the one shard that these tests use.
    fn ticket(number: u64) -> TicketId {
        TicketId::from_bytes((u128::from(number) << 64).to_be_bytes())
    }

    fn history() -> Arc<History> {
        Arc::new(History::nothing(0))
    }

    fn fits() -> u64 {
        GENERATION_BYTES_MAX / u64::from(history().weight())
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let histories = Histories::new();
        let (used, unused) = (ticket(0), ticket(1));
        histories.keep(used, history());
        histories.keep(unused, history());
        for number in 2..fits() * 3 {
            histories.keep(ticket(number), history());
            assert!(histories.get(used).is_some(), "after {number} others");
        }
        assert!(histories.get(unused).is_none());
    }

    #[test]
    fn no_more_is_kept_than_two_generations() {
        let histories = Histories::new();
        for number in 0..fits() * 5 {
            histories.keep(ticket(number), history());
        }
        let kept = (0..fits() * 5)
            .filter(|number| histories.get(ticket(*number)).is_some())
            .count();
        assert!(u64::try_from(kept).unwrap() <= 2 * fits() + 1, "{kept}");
    }

    #[test]
    fn what_is_forgotten_is_gone_from_both_generations() {
        let histories = Histories::new();
        for number in 0..fits() + 2 {
            histories.keep(ticket(number), history());
        }
        for number in [0, fits() + 1] {
            assert!(histories.get(ticket(number)).is_some());
            histories.forget(ticket(number));
            assert!(histories.get(ticket(number)).is_none());
        }
    }

    #[test]
    fn a_history_that_grows_is_counted_once() {
        let histories = Histories::new();
        for _ in 0..fits() * 3 {
            histories.keep(ticket(0), history());
        }
        assert_eq!(histories.shard(ticket(0)).young.bytes, u64::from(history().weight()));
    }
}
