//! What the desk offers, followed in the log, so that no decision waits for it.

use std::sync::{Arc, PoisonError, RwLock};

use domain::catalogue::{Catalogue, Item};
use uuid::Uuid;

/// The catalogue as the log has it. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offers(Arc<RwLock<Arc<Catalogue>>>);

impl Offers {
    /// As it is now.
    pub(crate) fn now(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in what is known of the item of this id.
    pub(crate) fn add(&self, id: Uuid, item: &Item) {
        let mut offered = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever decides by the one before goes on with that.
        Arc::make_mut(&mut offered).add(id, item);
    }
}
