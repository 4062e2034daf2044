//! The key-value buckets: for what must be possible to forget.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::kv::{self, Operation, Store, Watch};
use async_nats::jetstream::stream::StorageType;
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::watch;

/// How long a bucket says that something is gone. Whoever follows it and was away for longer reads it anew.
pub(crate) const MARKERS_KEPT_FOR: Duration = Duration::from_mins(1);

/// A bucket, as it is made at first start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// After so long what is in it is forgotten. `None`: never.
    pub(crate) max_age: Option<Duration>,
    /// How many values of a key it keeps.
    pub(crate) history: i64,
}

impl Bucket {
    /// Opens the bucket; makes it if it is not there.
    pub(crate) async fn ensure(self, context: &Context, replicas: usize) -> Result<Store, async_nats::Error> {
        if let Ok(store) = context.get_key_value(self.name).await {
            return forgetful(context, store).await;
        }
        let config = kv::Config {
            bucket: self.name.to_owned(),
            description: self.description.to_owned(),
            history: self.history,
            storage: StorageType::File,
            num_replicas: replicas,
            max_age: self.max_age.unwrap_or_default(),
            limit_markers: Some(MARKERS_KEPT_FOR),
            ..kv::Config::default()
        };
        match context.create_key_value(config).await {
            Ok(store) => Ok(store),
            // Another process was faster, perhaps with other settings: its bucket is the bucket.
            Err(error) => match context.get_key_value(self.name).await {
                Ok(store) => Ok(store),
                Err(_) => Err(error.into()),
            },
        }
    }
}

/// Buckets that older releases made keep everything for ever. The rest of their settings is the operator's.
async fn forgetful(context: &Context, store: Store) -> Result<Store, async_nats::Error> {
    let config = store.stream.cached_info().config.clone();
    if config.allow_message_ttl {
        return Ok(store);
    }
    let config = async_nats::jetstream::stream::Config {
        allow_message_ttl: true,
        subject_delete_marker_ttl: Some(MARKERS_KEPT_FOR),
        ..config
    };
    context.update_stream(config).await?;
    Ok(store)
}

/// Something that happens in a bucket.
#[derive(Debug)]
pub(crate) enum BucketChange {
    /// The key has this value from now on.
    Put(String, Bytes),
    /// The key is gone.
    Gone(String),
    /// All that was in the bucket when following began has been told.
    CaughtUp,
}

/// What happens in a bucket, in order: first what is in it, then [`BucketChange::CaughtUp`], then what happens for as long as
/// the connection holds.
pub(crate) struct BucketChanges {
    watch: Watch,
    established: watch::Receiver<u64>,
    told: Told,
}

/// What has been told of the keys that were there when following began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// There are more to come.
    Some,
    /// The last one; saying so is what comes next.
    All,
    /// All of them, and that these were all.
    CaughtUp,
}

impl fmt::Debug for BucketChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketChanges").finish_non_exhaustive()
    }
}

impl BucketChanges {
    /// Follows a bucket whose connection counts in `established` how often it was made.
    pub(crate) async fn follow(
        bucket: &Store,
        mut established: watch::Receiver<u64>,
    ) -> Result<Self, async_nats::Error> {
        established.mark_unchanged();
        // Asked of the server: the bucket's own status is from when it was opened.
        let empty = bucket.stream.get_info().await?.state.messages == 0;
        Ok(Self {
            watch: bucket.watch_with_history(">").await?,
            established,
            told: if empty { Told::All } else { Told::Some },
        })
    }

    /// The next change. An error ends the following; begin anew.
    pub(crate) async fn next(&mut self) -> Result<BucketChange, async_nats::Error> {
        if self.told == Told::All {
            self.told = Told::CaughtUp;
            return Ok(BucketChange::CaughtUp);
        }
        let entry = tokio::select! {
            biased;
            // The watch would notice too, after seconds in which what was forgotten, such as a token, is still known.
            _ = self.established.changed() => return Err("the connection was made anew".into()),
            entry = self.watch.next() => entry,
        };
        let entry = entry.ok_or("the bucket's changes ended")??;
        // The last of what was there is told before saying so.
        if self.told == Told::Some && entry.delta == 0 {
            self.told = Told::All;
        }
        Ok(match entry.operation {
            Operation::Put => BucketChange::Put(entry.key, entry.value),
            Operation::Delete | Operation::Purge => BucketChange::Gone(entry.key),
        })
    }
}
