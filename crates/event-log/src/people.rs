//! Whom users act as, according to their profiles, followed in the log, so that no request waits for it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::actor::Actor;
use domain::ids::UserId;
use domain::people::Profile;
use uuid::Uuid;

/// The users that have a profile. Cheap to clone; clones share them.
#[derive(Debug, Clone, Default)]
pub struct People(Arc<RwLock<HashMap<UserId, Standing>>>);

/// What a user's profile says of how they come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// As this actor, whatever their token says.
    Actor(Arc<Actor>),
    /// Not at all.
    Disabled,
}

impl People {
    /// `None`: there is no profile of the user.
    pub fn standing(&self, user: UserId) -> Option<Standing> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&user)
            .cloned()
    }

    /// Takes in a profile of the entry of this id.
    pub(crate) fn add(&self, id: Uuid, profile: &Profile) {
        let Profile::User(user) = profile else { return };
        let id = UserId::from(id);
        let standing = user
            .actor(id)
            .map_or(Standing::Disabled, |actor| Standing::Actor(Arc::new(actor)));
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, standing);
    }
}
