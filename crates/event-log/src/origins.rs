//! Where users did what they did from. A record of the log keeps an id alone, for ever; which address that is stands in a
//! key-value bucket, because addresses of people must be possible to forget, and are a year after they were last seen.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store};
use bytes::Bytes;
use domain::ids::UserId;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use crate::audit::Origin;
use crate::buckets::{Bucket, BucketChange, BucketChanges};
use crate::connection::{Connection, pause};
use crate::execute::jitter;

const ORIGINS: Bucket = Bucket {
    name: "rc-origins",
    description: "Recourse: from where users did what they did",
    max_age: Some(Duration::from_hours(366 * 24)),
    history: 1,
};

/// An origin that is used on and on is noted again after so long, and forgotten that much earlier than a year after its last
/// use, at most.
const NOTED_AGAIN_AFTER: Duration = Duration::from_hours(24);

/// Origins that need not be looked up again: more people than one desk's service hears of in a day, at some hundred bytes
/// each.
const REMEMBERED_MAX: u64 = 100_000;

/// A user whose origins are more than this within a day makes them up, or is many: the rest has no id. Each is kept for a
/// year.
const NEW_IN_A_DAY_MAX: u32 = 1_000;

/// Of those who note the same origin at once one wins, and the others find it, though not at once where a replica lags.
const TRIES: usize = 10;

/// What was kept of origins cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("where users come from cannot be kept or read")]
pub struct OriginError(#[source] async_nats::Error);

fn unavailable(error: impl Into<async_nats::Error>) -> OriginError {
    OriginError(error.into())
}

/// From where a user did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownOrigin {
    /// What records call it.
    pub id: Uuid,
    /// The user.
    pub user: Uuid,
    /// Where that is.
    #[serde(flatten)]
    pub origin: Origin,
}

/// What happens to origins. The key tells them apart, and is nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginChange {
    /// It is known, or was seen again.
    Known(String, KnownOrigin),
    /// It is forgotten.
    Forgotten(String),
    /// All that was known when following began has been told.
    CaughtUp,
}

/// Origins of users. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OriginStore {
    bucket: Arc<Store>,
    remembered: Cache<(UserId, Origin), Uuid>,
    /// How many origins of each user were noted lately.
    noted: Cache<UserId, Arc<AtomicU32>>,
    established: watch::Receiver<u64>,
}

impl OriginStore {
    pub(crate) async fn ensure(connection: &Connection, replicas: usize) -> Result<Self, OriginError> {
        let bucket = ORIGINS
            .ensure(&connection.context, replicas)
            .await
            .map_err(unavailable)?;
        Ok(Self {
            bucket: Arc::new(bucket),
            remembered: for_a_day(),
            noted: for_a_day(),
            established: connection.established.clone(),
        })
    }

    /// The id by which records name this origin of this user; `None`: it is one too many.
    pub async fn id(&self, user: UserId, origin: &Origin) -> Result<Option<Uuid>, OriginError> {
        let whose = (user, origin.clone());
        if let Some(id) = self.remembered.get(&whose) {
            return Ok(Some(id));
        }
        let noted = self.noted.get_with(user, Arc::default);
        if noted.fetch_add(1, Ordering::Relaxed) >= NEW_IN_A_DAY_MAX {
            return Ok(None);
        }
        let id = self.note(user, origin).await?;
        self.remembered.insert(whose, id);
        Ok(Some(id))
    }

    async fn note(&self, user: UserId, origin: &Origin) -> Result<Uuid, OriginError> {
        let key = key(user, origin);
        for _ in 0..TRIES {
            let entry = self.bucket.entry(&key).await.map_err(unavailable)?;
            let entry = entry.filter(|entry| entry.operation == Operation::Put);
            // What is no origin, nobody here wrote.
            let kept = entry.and_then(|entry| {
                let known = serde_json::from_slice::<KnownOrigin>(&entry.value).ok()?;
                Some((known.id, entry.revision))
            });
            let id = kept.map_or_else(Uuid::new_v4, |(id, _)| id);
            let known = KnownOrigin {
                id,
                user: user.as_uuid(),
                origin: origin.clone(),
            };
            let value: Bytes = serde_json::to_vec(&known).map_err(unavailable)?.into();
            // Whoever forgets it meanwhile, or notes it, is not undone.
            let written = match kept {
                Some((_, revision)) => self.bucket.update(&key, value, revision).await.is_ok(),
                None => match self.bucket.create(&key, value).await {
                    Ok(_) => true,
                    Err(error) if error.kind() == CreateErrorKind::AlreadyExists => false,
                    Err(error) => return Err(unavailable(error)),
                },
            };
            if written {
                return Ok(id);
            }
            pause(jitter()).await;
        }
        Err(unavailable("others note the same origin all the time"))
    }

    /// Follows what becomes known and is forgotten, beginning with all that is known.
    pub async fn follow(&self) -> Result<OriginChanges, OriginError> {
        let changes = BucketChanges::follow(&self.bucket, self.established.clone()).await;
        changes.map(OriginChanges).map_err(unavailable)
    }
}

/// Changes of what is known, in order.
#[derive(Debug)]
pub struct OriginChanges(BucketChanges);

impl OriginChanges {
    /// The next change. An error ends the following; begin anew.
    pub async fn next(&mut self) -> Result<OriginChange, OriginError> {
        loop {
            return Ok(match self.0.next().await.map_err(unavailable)? {
                BucketChange::Put(key, value) => {
                    let Ok(known) = serde_json::from_slice(&value) else {
                        continue;
                    };
                    OriginChange::Known(key, known)
                }
                BucketChange::Gone(key) => OriginChange::Forgotten(key),
                BucketChange::CaughtUp => OriginChange::CaughtUp,
            });
        }
    }
}

fn for_a_day<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>() -> Cache<K, V> {
    Cache::builder()
        .max_capacity(REMEMBERED_MAX)
        .time_to_live(NOTED_AGAIN_AFTER)
        .build()
}

/// One for each origin of each user, so that the bucket does not grow with every visit.
fn key(user: UserId, origin: &Origin) -> String {
    let parts = [&origin.address, &origin.forwarded_for, &origin.agent];
    // None of them holds a line feed: no header does.
    let text = parts.map(|part| part.as_deref().unwrap_or_default()).join("\n");
    let half = wire::hash(text.as_bytes()).first_chunk().copied().unwrap_or_default();
    format!("{}.{}", user.as_uuid().simple(), Uuid::from_bytes(half).simple())
}
