//! Tokens, kept in memory and followed in the log's bucket, so that no command waits for a
//! look-up and a revoked token is refused at once.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
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
    known: Arc<RwLock<HashMap<TokenHash, Arc<Granted>>>>,
}

/// What a token grants, and as whom its bearer comes if there is no profile of them.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) grant: TokenGrant,
    bearer: Bearer,
}

impl From<TokenGrant> for Granted {
    fn from(grant: TokenGrant) -> Self {
        let bearer = Bearer::new(&grant, Arc::new(grant.actor()));
        Self { grant, bearer }
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
            Some(known) => Some(known),
            // Unknown tokens are not kept: anybody can send as many as they like.
            None => match self.store.get(hash).await {
                Ok(grant) => grant.map(|grant| Arc::new(Granted::from(grant))),
                Err(error) => {
                    tracing::warn!(error = chain(&error), "tokens cannot be looked up");
                    return Err(Problem::new(&types::LOG_UNAVAILABLE)
                        .detail("Whether the token is valid cannot be found out now. Try again.")
                        .retry_after(1));
                }
            },
        };
        let good = granted.filter(|granted| granted.grant.is_good(now));
        Ok(good.map(|granted| granted.bearer.clone()))
    }

    /// The sessions that a user has at an instant, the newest first.
    pub(crate) fn sessions_of(&self, user: UserId, now: Timestamp) -> Vec<(TokenHash, Arc<Granted>)> {
        self.good(now, |grant| grant.session.is_some() && grant.user == user.as_uuid())
    }

    /// The tokens by which a member of staff looks through others' eyes at an instant, the newest first.
    pub(crate) fn views_of(&self, viewer: UserId, now: Timestamp) -> Vec<(TokenHash, Arc<Granted>)> {
        let theirs = |grant: &TokenGrant| grant.viewer.as_ref().is_some_and(|by| by.user == viewer.as_uuid());
        self.good(now, theirs)
    }

    /// The tokens by which others look through a user's eyes at an instant.
    pub(crate) fn views_on(&self, user: UserId, now: Timestamp) -> Vec<(TokenHash, Arc<Granted>)> {
        self.good(now, |grant| grant.viewer.is_some() && grant.user == user.as_uuid())
    }

    /// Those of the good tokens that are meant, the newest first.
    fn good(&self, now: Timestamp, meant: impl Fn(&TokenGrant) -> bool) -> Vec<(TokenHash, Arc<Granted>)> {
        self.meant(|grant| meant(grant) && grant.is_good(now))
    }

    /// Those of all tokens that are meant, the newest first.
    fn meant(&self, meant: impl Fn(&TokenGrant) -> bool) -> Vec<(TokenHash, Arc<Granted>)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().filter(|(_, granted)| meant(&granted.grant));
        let mut found: Vec<_> = found.map(|(hash, granted)| (*hash, Arc::clone(granted))).collect();
        found.sort_by_key(|(hash, granted)| (Reverse(granted.grant.created_at), *hash));
        found
    }

    /// The tokens that were made for a user's services, the newest first: those that are worthless, too.
    pub(crate) fn of_services(&self, user: UserId) -> Vec<(TokenHash, Arc<Granted>)> {
        self.meant(|grant| grant.is_of_a_service() && grant.user == user.as_uuid())
    }

    /// Keeps what a service's token grants, here and in the bucket.
    pub(crate) async fn keep_of_service(&self, hash: TokenHash, grant: TokenGrant) -> Result<(), TokenStoreError> {
        self.store.put(hash, &grant).await?;
        self.set(hash, grant);
        Ok(())
    }

    /// When a token was last used. `None`: never, as far as services have told.
    pub(crate) async fn last_use(&self, hash: TokenHash) -> Result<Option<Timestamp>, TokenStoreError> {
        self.store.last_use(hash).await
    }

    /// Keeps a token that has an end until then, here and in the bucket.
    pub(crate) async fn begin(&self, hash: TokenHash, grant: TokenGrant) -> Result<(), TokenStoreError> {
        let lifetime = grant.expires_at.map_or(Duration::ZERO, |end| {
            end.duration_since(grant.created_at).unsigned_abs()
        });
        self.store.put_for(hash, &grant, lifetime).await?;
        self.set(hash, grant);
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
            let Err(error) = tokio::select! {
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

    async fn follow(&self, ready: &Component) -> Result<Infallible, TokenStoreError> {
        let mut changes = self.store.follow().await?;
        // In place of what was known: what is not there any more was forgotten while nobody followed.
        let standing = changes.standing().await?;
        let standing = standing.into_iter().map(|(hash, grant)| (hash, Arc::new(grant.into())));
        *self.write() = standing.collect();
        ready.ready();
        loop {
            match changes.next().await? {
                TokenChange::Granted(hash, grant) => self.set(hash, *grant),
                TokenChange::Forgotten(hash) => self.forget(hash),
                TokenChange::CaughtUp => {}
            }
        }
    }

    fn set(&self, hash: TokenHash, grant: TokenGrant) {
        self.write().insert(hash, Arc::new(grant.into()));
    }

    fn forget(&self, hash: TokenHash) {
        self.write().remove(&hash);
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<TokenHash, Arc<Granted>>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}
