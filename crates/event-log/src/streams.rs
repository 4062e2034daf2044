//! The streams: made at first start, compared ever after.

use std::collections::HashMap;
use std::fmt;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::CreateStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType};
use uuid::Uuid;

use crate::connection::ConnectError;
use crate::subject::{COUNTERS_STREAM, DIRECTORY_STREAM, ticket_stream};

/// Partitions of a new log, unless another number is asked for. Eight synced streams are as
/// fast as one disk gets; see `docs/benchmarks.md`.
pub const PARTITIONS_DEFAULT: u16 = 8;

/// The most partitions that a log may have. Each is a stream with its own files and index.
pub const PARTITIONS_MAX: u16 = 256;

const EPOCH: &str = "recourse.epoch";
const PARTITIONS: &str = "recourse.partitions";
const FORMAT: &str = "recourse.format";
const FORMAT_VERSION: &str = "1";

/// What the log was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Which log this is: random, made at first start.
    pub(crate) epoch: Uuid,
    /// How many partitions tickets are spread over. Fixed at first start.
    pub(crate) partitions: u16,
}

/// A stream is not as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Which stream.
    pub stream: String,
    /// Which settings differ, and how.
    pub differences: Vec<String>,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stream, self.differences.join("; "))
    }
}

/// What to do about a stream that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// The log is being made.
    Make,
    /// The log was complete: the stream was lost.
    Refuse,
}

/// Finds the log's streams, or makes them, and refuses those that are not as they should be.
///
/// The first ticket stream carries the layout. It is made first, so that a start cut short is
/// taken up by the next, and of two first starts at once one makes it and the other finds it.
/// The directory is made last: where it is, every other stream has been.
pub(crate) async fn ensure(
    context: &Context,
    partitions: Option<u16>,
    replicas: usize,
) -> Result<Layout, ConnectError> {
    if let Some(asked) = partitions
        && !(1..=PARTITIONS_MAX).contains(&asked)
    {
        return Err(ConnectError::PartitionsOutOfRange { asked });
    }
    let missing = match find(context, DIRECTORY_STREAM).await? {
        Some(_) => Missing::Refuse,
        None => Missing::Make,
    };
    let layout = ensure_first(context, partitions, replicas, missing).await?;
    if let Some(asked) = partitions
        && asked != layout.partitions
    {
        return Err(ConnectError::Partitions {
            asked,
            recorded: layout.partitions,
        });
    }
    for partition in 0..layout.partitions {
        ensure_one(context, ticket_config(partition, layout, replicas), missing).await?;
    }
    ensure_one(context, counters_config(layout, replicas), missing).await?;
    ensure_one(context, directory_config(layout, replicas), missing).await?;
    Ok(layout)
}

/// Whether the log's streams have copies. Asked of the server, because the operator may have
/// given them more since they were made, and settings name only what a new log gets.
pub(crate) async fn are_replicated(context: &Context) -> Result<bool, ConnectError> {
    let first = find(context, &ticket_stream(0)).await?;
    Ok(first.is_some_and(|config| config.num_replicas > 1))
}

async fn ensure_first(
    context: &Context,
    partitions: Option<u16>,
    replicas: usize,
    missing: Missing,
) -> Result<Layout, ConnectError> {
    let first = ticket_stream(0);
    match find(context, &first).await? {
        Some(config) => recorded(&config),
        None if missing == Missing::Refuse => Err(lost(first)),
        None => {
            let layout = Layout {
                epoch: Uuid::new_v4(),
                partitions: partitions.unwrap_or(PARTITIONS_DEFAULT),
            };
            recorded(&make(context, ticket_config(0, layout, replicas)).await?)
        }
    }
}

fn lost(stream: String) -> ConnectError {
    ConnectError::Drift(Drift {
        stream,
        differences: vec!["it is missing, and was there".to_owned()],
    })
}

/// A stream's settings; `None`: it is not there.
pub(crate) async fn find(context: &Context, name: &str) -> Result<Option<Config>, ConnectError> {
    use async_nats::jetstream::ErrorCode;
    use async_nats::jetstream::context::GetStreamErrorKind;
    match context.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(api) if api.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            _ => Err(ConnectError::Unavailable(Box::new(error))),
        },
    }
}

/// Makes a stream; if another process was faster with other settings, finds that one.
async fn make(context: &Context, config: Config) -> Result<Config, ConnectError> {
    let name = config.name.clone();
    match context.create_stream(config).await {
        Ok(stream) => Ok(stream.cached_info().config.clone()),
        Err(error) => match error.kind() {
            CreateStreamErrorKind::JetStream(_) => find(context, &name)
                .await?
                .ok_or_else(|| ConnectError::Refused(Box::new(error))),
            _ => Err(ConnectError::Unavailable(Box::new(error))),
        },
    }
}

async fn ensure_one(context: &Context, wanted: Config, missing: Missing) -> Result<(), ConnectError> {
    let mut found = match find(context, &wanted.name).await? {
        Some(found) => found,
        None if missing == Missing::Refuse => return Err(lost(wanted.name)),
        None => make(context, wanted.clone()).await?,
    };
    // Older releases made the directory without. To allow it takes nothing from what is there.
    let learns = wanted.allow_atomic_publish && !found.allow_atomic_publish;
    found.allow_atomic_publish |= learns;
    let differences = differences(&wanted, &found);
    if !differences.is_empty() {
        return Err(ConnectError::Drift(Drift {
            stream: wanted.name,
            differences,
        }));
    }
    if learns {
        let updated = context.update_stream(&found).await;
        updated.map_err(|error| ConnectError::Unavailable(Box::new(error)))?;
    }
    Ok(())
}

/// What a stream's metadata say the log was made with.
pub(crate) fn recorded(config: &Config) -> Result<Layout, ConnectError> {
    let drift = |what: &str| {
        ConnectError::Drift(Drift {
            stream: config.name.clone(),
            differences: vec![format!("{what} is missing or malformed")],
        })
    };
    let format = config.metadata.get(FORMAT).map(String::as_str);
    if format != Some(FORMAT_VERSION) {
        return Err(drift(FORMAT));
    }
    Ok(Layout {
        epoch: config
            .metadata
            .get(EPOCH)
            .and_then(|epoch| epoch.parse().ok())
            .ok_or_else(|| drift(EPOCH))?,
        partitions: config
            .metadata
            .get(PARTITIONS)
            .and_then(|partitions| partitions.parse().ok())
            .filter(|partitions| (1..=PARTITIONS_MAX).contains(partitions))
            .ok_or_else(|| drift(PARTITIONS))?,
    })
}

fn ticket_config(partition: u16, layout: Layout, replicas: usize) -> Config {
    Config {
        description: Some(format!(
            "Recourse: tickets, partition {partition} of {}",
            layout.partitions
        )),
        discard: DiscardPolicy::New,
        ..base_config(
            ticket_stream(partition),
            format!("rc.t.{partition}.*"),
            layout,
            replicas,
        )
    }
}

fn directory_config(layout: Layout, replicas: usize) -> Config {
    Config {
        description: Some("Recourse: people, organisations, groups, calendars".to_owned()),
        discard: DiscardPolicy::New,
        allow_atomic_publish: true,
        ..base_config(DIRECTORY_STREAM.to_owned(), "rc.d.>".to_owned(), layout, replicas)
    }
}

/// Counters cannot be combined with `discard: new`; without limits nothing is discarded.
fn counters_config(layout: Layout, replicas: usize) -> Config {
    Config {
        description: Some("Recourse: ticket numbers".to_owned()),
        allow_message_counter: true,
        ..base_config(COUNTERS_STREAM.to_owned(), "rc.c.>".to_owned(), layout, replicas)
    }
}

fn base_config(name: String, subject: String, layout: Layout, replicas: usize) -> Config {
    Config {
        name,
        subjects: vec![subject],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        num_replicas: replicas,
        metadata: HashMap::from([
            (EPOCH.to_owned(), layout.epoch.to_string()),
            (PARTITIONS.to_owned(), layout.partitions.to_string()),
            (FORMAT.to_owned(), FORMAT_VERSION.to_owned()),
        ]),
        ..Config::default()
    }
}

/// What differs between a stream as it should be and as it is.
fn differences(wanted: &Config, found: &Config) -> Vec<String> {
    settings(wanted)
        .into_iter()
        .zip(settings(found))
        .filter(|(wanted, found)| wanted != found)
        .map(|((what, wanted), (_, found))| format!("{what} should be {wanted} and is {found}"))
        .collect()
}

/// The settings that the log depends on, by the server's names. The others are the operator's
/// business, the number of replicas among them: clusters grow.
fn settings(config: &Config) -> Vec<(&'static str, String)> {
    let limit = |limit: i64| match limit {
        // The server writes "no limit" as -1, and takes 0 for it.
        ..=0 => "unlimited".to_owned(),
        limit => limit.to_string(),
    };
    let yes = |flag: bool| flag.to_string();
    let mut settings = vec![
        ("subjects", format!("{:?}", config.subjects)),
        ("storage", format!("{:?}", config.storage)),
        ("retention", format!("{:?}", config.retention)),
        ("discard", format!("{:?}", config.discard)),
        ("deny_delete", yes(config.deny_delete)),
        ("deny_purge", yes(config.deny_purge)),
        ("allow_direct", yes(config.allow_direct)),
        ("allow_rollup_hdrs", yes(config.allow_rollup)),
        ("allow_atomic", yes(config.allow_atomic_publish)),
        ("allow_msg_counter", yes(config.allow_message_counter)),
        ("allow_msg_ttl", yes(config.allow_message_ttl)),
        ("allow_msg_schedules", yes(config.allow_message_schedules)),
        ("sealed", yes(config.sealed)),
        ("no_ack", yes(config.no_ack)),
        (
            "persist_mode_async",
            yes(config.persist_mode == Some(PersistenceMode::Async)),
        ),
        ("max_age", format!("{:?}", config.max_age)),
        ("max_bytes", limit(config.max_bytes)),
        ("max_msgs", limit(config.max_messages)),
        ("max_msgs_per_subject", limit(config.max_messages_per_subject)),
        ("max_msg_size", limit(config.max_message_size.into())),
        ("mirror", yes(config.mirror.is_some())),
        (
            "sources",
            yes(config.sources.as_ref().is_some_and(|sources| !sources.is_empty())),
        ),
        ("subject_transform", yes(config.subject_transform.is_some())),
    ];
    settings.extend([EPOCH, PARTITIONS, FORMAT].map(|key| (key, format!("{:?}", config.metadata.get(key)))));
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_may_forget_is_a_drift() {
        let layout = Layout {
            epoch: Uuid::nil(),
            partitions: 8,
        };
        let wanted = ticket_config(3, layout, 1);
        let found = Config {
            max_messages: 1000,
            deny_purge: false,
            ..wanted.clone()
        };
        assert_eq!(
            differences(&wanted, &found),
            [
                "deny_purge should be true and is false",
                "max_msgs should be unlimited and is 1000"
            ]
        );
        assert!(
            differences(
                &wanted,
                &Config {
                    max_messages: -1,
                    num_replicas: 3,
                    ..wanted.clone()
                }
            )
            .is_empty()
        );
    }
}
