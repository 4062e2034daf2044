//! The key-value buckets: for what must be possible to forget.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::kv::{self, Store};
use async_nats::jetstream::stream::StorageType;

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
