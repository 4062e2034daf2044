//! Tokens, kept in memory and followed in the log's bucket, so that no command waits for a
//! look-up and a revoked token is refused at once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::actor::Actor;
use event_log::{TokenChange, TokenStore, TokenStoreError};
use service_kit::clock::{SharedClock, pause};
use service_kit::health::Component;
use service_kit::problem::{Problem, types};
use service_kit::tokens::{TokenGrant, TokenHash};
use service_kit::{Shutdown, chain};

/// Between attempts to follow the bucket anew.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// The tokens that are known. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct TokenBook {
    /// Shared, because it is larger than it looks and every request clones the book.
    store: Arc<TokenStore>,
    /// `None`: the token is known to grant nothing.
    known: Arc<RwLock<HashMap<TokenHash, Option<Arc<Actor>>>>>,
}

impl TokenBook {
    pub(crate) fn new(store: TokenStore) -> Self {
        Self {
            store: Arc::new(store),
            known: Arc::default(),
        }
    }

    /// The actor of a token. A token not known here may have been made a moment ago, so the
    /// bucket itself is asked.
    pub(crate) async fn actor(&self, hash: TokenHash) -> Result<Option<Arc<Actor>>, Problem> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return Ok(known.clone());
        }
        match self.store.get(hash).await {
            // Unknown tokens are not kept: anybody can send as many as they like.
            Ok(grant) => Ok(grant.as_ref().and_then(actor)),
            Err(error) => {
                tracing::warn!(error = chain(&error), "tokens cannot be looked up");
                Err(Problem::new(&types::LOG_UNAVAILABLE)
                    .detail("Whether the token is valid cannot be found out now. Try again.")
                    .retry_after(1))
            }
        }
    }

    /// Follows the bucket until shutdown. Ready once all that is in it is known.
    pub(crate) async fn keep(self, clock: SharedClock, ready: Component, shutdown: Shutdown) {
        loop {
            let error = tokio::select! {
                () = shutdown.cancelled() => return,
                ended = self.follow(&ready) => ended,
            };
            tracing::warn!(error = chain(&error), "following tokens begins anew");
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = pause(clock.as_ref(), RETRY_PAUSE) => {}
            }
        }
    }

    async fn follow(&self, ready: &Component) -> TokenStoreError {
        let mut changes = match self.store.follow().await {
            Ok(changes) => changes,
            Err(error) => return error,
        };
        loop {
            match changes.next().await {
                Ok(TokenChange::CaughtUp) => ready.ready(),
                Ok(TokenChange::Granted(hash, grant)) => self.set(hash, actor(&grant)),
                Ok(TokenChange::Forgotten(hash)) => self.set(hash, None),
                Err(error) => return error,
            }
        }
    }

    fn set(&self, hash: TokenHash, actor: Option<Arc<Actor>>) {
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(hash, actor);
    }
}

fn actor(grant: &TokenGrant) -> Option<Arc<Actor>> {
    (!grant.is_revoked()).then(|| Arc::new(grant.actor()))
}
