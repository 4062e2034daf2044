//! Tokens, kept in memory and followed in the log's bucket, so that no command waits for a
//! look-up and a revoked token is refused at once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::Timestamp;
use domain::ids::UserId;
use event_log::{TokenChange, TokenStore, TokenStoreError};
use service_kit::clock::{SharedClock, pause};
use service_kit::health::Component;
use service_kit::problem::{Problem, types};
use service_kit::tokens::{Bearer, TokenGrant, TokenHash};
use service_kit::{Shutdown, chain};

/// Between attempts to follow the bucket anew.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// The tokens that are known. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct TokenBook {
    /// Shared, because it is larger than it looks and every request clones the book.
    store: Arc<TokenStore>,
    /// `None`: the token is known to grant nothing.
    known: Arc<RwLock<HashMap<TokenHash, Option<Arc<Granted>>>>>,
}

/// What a token grants.
#[derive(Debug)]
pub(crate) struct Granted {
    /// As whom its bearer comes, if there is no profile of them.
    pub(crate) bearer: Bearer,
    /// Since when.
    pub(crate) created_at: Timestamp,
    /// Until when.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Granted {
    fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl TokenBook {
    pub(crate) fn new(store: TokenStore) -> Self {
        Self {
            store: Arc::new(store),
            known: Arc::default(),
        }
    }

    /// Who bears a token at an instant. A token not known here may have been made a moment ago, so the
    /// bucket itself is asked.
    pub(crate) async fn bearer(&self, hash: TokenHash, now: Timestamp) -> Result<Option<Bearer>, Problem> {
        let known = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&hash)
            .cloned();
        let granted = match known {
            Some(known) => known,
            None => match self.store.get(hash).await {
                // Unknown tokens are not kept: anybody can send as many as they like.
                Ok(grant) => grant.as_ref().and_then(granted),
                Err(error) => {
                    tracing::warn!(error = chain(&error), "tokens cannot be looked up");
                    return Err(Problem::new(&types::LOG_UNAVAILABLE)
                        .detail("Whether the token is valid cannot be found out now. Try again.")
                        .retry_after(1));
                }
            },
        };
        let good = granted.filter(|granted| !granted.is_over(now));
        Ok(good.map(|granted| granted.bearer.clone()))
    }

    /// The sessions that a user has at an instant, the newest first.
    pub(crate) fn sessions_of(&self, user: UserId, now: Timestamp) -> Vec<(TokenHash, Arc<Granted>)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let granted = known
            .iter()
            .filter_map(|(hash, granted)| Some((*hash, granted.clone()?)));
        let theirs = granted.filter(|(_, granted)| {
            granted.bearer.session.is_some() && granted.bearer.actor.user == user && !granted.is_over(now)
        });
        let mut sessions: Vec<_> = theirs.collect();
        sessions.sort_by_key(|(hash, granted)| (std::cmp::Reverse(granted.created_at), *hash));
        sessions
    }

    /// Keeps a session's token until it is over, here and in the bucket.
    pub(crate) async fn begin(&self, hash: TokenHash, grant: &TokenGrant) -> Result<(), TokenStoreError> {
        let lifetime = grant.expires_at.map_or(Duration::ZERO, |end| {
            end.duration_since(grant.created_at).unsigned_abs()
        });
        self.store.put_for(hash, grant, lifetime).await?;
        self.set(hash, granted(grant));
        Ok(())
    }

    /// Forgets a session's token, here and in the bucket.
    pub(crate) async fn end(&self, hash: TokenHash) -> Result<(), TokenStoreError> {
        self.store.forget(hash).await?;
        self.forget(hash);
        Ok(())
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
        // What is not told was forgotten while nobody followed.
        let mut told = Some(HashSet::new());
        loop {
            match changes.next().await {
                Ok(TokenChange::CaughtUp) => {
                    if let Some(told) = told.take() {
                        self.keep_only(&told);
                    }
                    ready.ready();
                }
                Ok(TokenChange::Granted(hash, grant)) => {
                    told.as_mut().map(|told| told.insert(hash));
                    self.set(hash, granted(&grant));
                }
                Ok(TokenChange::Forgotten(hash)) => self.forget(hash),
                Err(error) => return error,
            }
        }
    }

    fn set(&self, hash: TokenHash, granted: Option<Arc<Granted>>) {
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(hash, granted);
    }

    fn forget(&self, hash: TokenHash) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(&hash);
    }

    fn keep_only(&self, told: &HashSet<TokenHash>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|hash, _| told.contains(hash));
    }
}

/// What a grant comes to; `None`: nothing, because it is revoked.
fn granted(grant: &TokenGrant) -> Option<Arc<Granted>> {
    (!grant.is_revoked()).then(|| {
        Arc::new(Granted {
            bearer: Bearer {
                actor: Arc::new(grant.actor()),
                session: grant.session.clone().map(Arc::new),
            },
            created_at: grant.created_at,
            expires_at: grant.expires_at,
        })
    })
}
