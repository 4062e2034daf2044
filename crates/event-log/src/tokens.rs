//! Tokens and what they grant, in a key-value bucket: not events, because a token must be
//! possible to forget.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use domain::Timestamp;
use service_kit::tokens::{TokenGrant, TokenHash};
use tokio::sync::watch;

use crate::buckets::{Bucket, BucketChange, BucketChanges, MARKERS_KEPT_FOR};
use crate::connection::Connection;

const BUCKET: Bucket = Bucket {
    name: "rc-tokens",
    description: "Recourse: hashed tokens and what they grant",
    max_age: None,
    history: 1,
};

/// A use that lies further back is as good as none.
const USES_KEPT_FOR: Duration = Duration::from_hours(24 * 400);

/// Beside the tokens, so that nobody who follows them is told of every use.
const USES: Bucket = Bucket {
    name: "rc-token-uses",
    description: "Recourse: when tokens were last used",
    max_age: Some(USES_KEPT_FOR),
    history: 1,
};

/// The bucket of tokens could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenStoreError {
    /// It cannot be reached.
    #[error("the bucket of tokens cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is kept for a token is not a grant.
    #[error("what is kept for token {hash} is not a grant")]
    Malformed {
        /// Which token.
        hash: TokenHash,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> TokenStoreError {
    TokenStoreError::Unavailable(Box::new(error))
}

/// Tokens by their hash. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TokenStore {
    bucket: Store,
    /// Shared, because it is larger than it looks.
    uses: Arc<Store>,
    established: watch::Receiver<u64>,
}

/// What happens in the bucket.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenChange {
    /// The token grants this from now on, or nothing more if the grant is revoked.
    Granted(TokenHash, Box<TokenGrant>),
    /// The token is forgotten.
    Forgotten(TokenHash),
    /// All that was in the bucket when following began has been told.
    CaughtUp,
}

impl TokenStore {
    pub(crate) async fn ensure(connection: &Connection, replicas: usize) -> Result<Self, TokenStoreError> {
        let ensure = async |bucket: Bucket| {
            let ensured = bucket.ensure(&connection.context, replicas).await;
            ensured.map_err(TokenStoreError::Unavailable)
        };
        Ok(Self {
            bucket: ensure(BUCKET).await?,
            uses: Arc::new(ensure(USES).await?),
            established: connection.established.clone(),
        })
    }

    /// Keeps what a token grants, in place of what it granted before.
    pub async fn put(&self, hash: TokenHash, grant: &TokenGrant) -> Result<(), TokenStoreError> {
        let value = serde_json::to_vec(grant).map_err(|source| TokenStoreError::Malformed { hash, source })?;
        self.bucket
            .put(hash.to_string(), value.into())
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// Keeps what a session's token grants, for so long. Nothing is left of it then, whether anybody ends it or not.
    pub async fn put_for(
        &self,
        hash: TokenHash,
        grant: &TokenGrant,
        lifetime: Duration,
    ) -> Result<(), TokenStoreError> {
        let value = serde_json::to_vec(grant).map_err(|source| TokenStoreError::Malformed { hash, source })?;
        self.bucket
            .create_with_ttl(hash.to_string(), value.into(), lifetime)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// Forgets a token: nothing is left of it.
    pub async fn forget(&self, hash: TokenHash) -> Result<(), TokenStoreError> {
        self.bucket
            .purge_with_ttl(hash.to_string(), MARKERS_KEPT_FOR)
            .await
            .map_err(unavailable)
    }

    /// What a token grants. `None`: there is no such token.
    pub async fn get(&self, hash: TokenHash) -> Result<Option<TokenGrant>, TokenStoreError> {
        let value = self.bucket.get(hash.to_string()).await.map_err(unavailable)?;
        value.map(|value| grant(hash, &value)).transpose()
    }

    /// Keeps that a token was used, unless a later use is known. Whoever says so at the same time may win with an earlier one: it
    /// is a minute's difference.
    pub async fn note_use(&self, hash: TokenHash, at: Timestamp) -> Result<(), TokenStoreError> {
        if self.last_use(hash).await?.is_some_and(|known| known >= at) {
            return Ok(());
        }
        let value = at.to_string().into();
        self.uses.put(hash.to_string(), value).await.map_err(unavailable)?;
        Ok(())
    }

    /// When a token was last used, as far as services have told. `None`: never, or very long ago.
    pub async fn last_use(&self, hash: TokenHash) -> Result<Option<Timestamp>, TokenStoreError> {
        let value = self.uses.get(hash.to_string()).await.map_err(unavailable)?;
        // What is no time, nobody here wrote.
        Ok(value.and_then(|value| str::from_utf8(&value).ok()?.parse().ok()))
    }

    /// Follows the bucket: first what is in it, then [`TokenChange::CaughtUp`], then what happens
    /// for as long as the connection holds.
    pub async fn follow(&self) -> Result<TokenChanges, TokenStoreError> {
        let changes = BucketChanges::follow(&self.bucket, self.established.clone()).await;
        changes.map(TokenChanges).map_err(TokenStoreError::Unavailable)
    }
}

/// Changes of the bucket, in order.
#[derive(Debug)]
pub struct TokenChanges(BucketChanges);

impl TokenChanges {
    /// What is in the bucket when following begins: everything until [`TokenChange::CaughtUp`]. To be asked for first;
    /// [`TokenChanges::next`] says what happens then.
    pub async fn standing(&mut self) -> Result<BTreeMap<TokenHash, TokenGrant>, TokenStoreError> {
        let mut standing = BTreeMap::new();
        loop {
            match self.next().await? {
                TokenChange::Granted(hash, grant) => drop(standing.insert(hash, *grant)),
                TokenChange::Forgotten(hash) => drop(standing.remove(&hash)),
                TokenChange::CaughtUp => return Ok(standing),
            }
        }
    }

    /// The next change. An error ends the following; begin anew.
    pub async fn next(&mut self) -> Result<TokenChange, TokenStoreError> {
        loop {
            let change = self.0.next().await.map_err(TokenStoreError::Unavailable)?;
            return Ok(match change {
                BucketChange::Put(key, value) => {
                    let Ok(hash) = key.parse() else { continue };
                    TokenChange::Granted(hash, Box::new(grant(hash, &value)?))
                }
                BucketChange::Gone(key) => {
                    let Ok(hash) = key.parse() else { continue };
                    TokenChange::Forgotten(hash)
                }
                BucketChange::CaughtUp => TokenChange::CaughtUp,
            });
        }
    }
}

fn grant(hash: TokenHash, value: &[u8]) -> Result<TokenGrant, TokenStoreError> {
    serde_json::from_slice(value).map_err(|source| TokenStoreError::Malformed { hash, source })
}
