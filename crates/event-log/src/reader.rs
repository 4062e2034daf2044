//! Reading the log in order.
//!
//! An unfiltered ordered consumer from the checkpoint on. Streams that delete nothing have
//! contiguous sequences, so a gap is an error and not something to jump over. The checkpoint
//! is verified at the start and after every reconnection: a log that lost its end in a power
//! cut, or was restored, may hold other records under the same sequences.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::stream::{Info, Stream};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use tokio::sync::watch;
use uuid::Uuid;

use crate::connection::Inner;
use crate::streams::recorded;
use crate::subject::{DIRECTORY_STREAM, ticket_stream};

/// A reader that hears nothing for so long asks whether there is nothing to hear.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Tickets of a partition.
    Tickets(u16),
    /// Names of people, organisations and groups.
    Directory,
}

impl Source {
    fn stream(self) -> String {
        match self {
            Self::Tickets(partition) => ticket_stream(partition),
            Self::Directory => DIRECTORY_STREAM.to_owned(),
        }
    }
}

/// How far somebody has read: the last record, by its place and its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub epoch: Uuid,
    /// The record's sequence in its stream.
    pub sequence: u64,
    /// The record's id.
    pub record_id: Uuid,
}

/// A record as it is stored. Who reads it decodes it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its sequence in its stream.
    pub sequence: u64,
    /// Its bytes; see [`wire::decode`].
    pub payload: Bytes,
}

/// Reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The log is not the one that was read, or has lost or changed what was read. What was
    /// derived from it is not to be trusted.
    #[error("the log went backwards: the record read at sequence {sequence} is not there any more ({found})")]
    WentBackwards {
        /// Where the checkpoint stands.
        sequence: u64,
        /// What was found instead.
        found: String,
    },
    /// A sequence was left out.
    #[error("the log has a gap: after sequence {expected} was to come, {found} came")]
    Gap {
        /// The sequence that was to come.
        expected: u64,
        /// The sequence that came.
        found: u64,
    },
    /// The log does not answer now.
    #[error("the log does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> ReadError {
    ReadError::Unavailable(Box::new(error))
}

/// Reads one source in order.
pub struct Reader {
    inner: Arc<Inner>,
    source: Source,
    messages: Ordered,
    established: watch::Receiver<u64>,
    last: u64,
    last_payload: Option<Bytes>,
    checkpoint: Option<Checkpoint>,
    /// Whether what was read is to be verified before anything else is read. It stays so until
    /// that has been done, however often a call is dropped or fails in between.
    unverified: bool,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("source", &self.source)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl Reader {
    pub(crate) async fn open(inner: Arc<Inner>, source: Source, after: Option<Checkpoint>) -> Result<Self, ReadError> {
        let mut established = inner.reads.established.clone();
        established.mark_unchanged();
        verify_log(&inner, source, after.map_or(0, |checkpoint| checkpoint.sequence)).await?;
        if let Some(checkpoint) = after {
            verify(&inner, source, checkpoint).await?;
        }
        let last = after.map_or(0, |checkpoint| checkpoint.sequence);
        let messages = consume(&inner, source, last).await?;
        Ok(Self {
            inner,
            source,
            messages,
            established,
            last,
            last_payload: None,
            checkpoint: after,
            unverified: false,
        })
    }

    /// Waits for at least one record and returns what is there, at most `max`. May be dropped
    /// at any time: records not returned are returned by the next call. So may a call that
    /// failed with [`ReadError::Unavailable`] be made again.
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<Entry>, ReadError> {
        let mut batch = Vec::new();
        while batch.is_empty() {
            if self.unverified {
                self.begin_anew().await?;
            }
            self.hear(&mut batch).await?;
        }
        while batch.len() < max
            && !self.established.has_changed().unwrap_or(true)
            && let Some(Some(Ok(message))) = self.messages.next().now_or_never()
        {
            self.take(&message, &mut batch)?;
        }
        Ok(batch)
    }

    /// Waits for a record, or for a reason to begin anew.
    async fn hear(&mut self, batch: &mut Vec<Entry>) -> Result<(), ReadError> {
        let message = tokio::select! {
            biased;
            _ = self.established.changed() => {
                self.unverified = true;
                return Ok(());
            }
            message = tokio::time::timeout(SILENCE_MAX, self.messages.next()) => message,
        };
        match message {
            Ok(Some(Ok(message))) => self.take(&message, batch)?,
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, source = ?self.source, "the reader begins anew");
                self.unverified = true;
            }
            Ok(None) => self.unverified = true,
            // Nothing heard: fine if there is nothing, else the consumer is stuck.
            Err(_) => self.unverified = last_sequence(&self.inner, self.source).await? != self.last,
        }
        Ok(())
    }

    fn take(&mut self, message: &async_nats::jetstream::Message, batch: &mut Vec<Entry>) -> Result<(), ReadError> {
        let found = message.info().map_err(ReadError::Unavailable)?.stream_sequence;
        let expected = self.last.saturating_add(1);
        if found != expected {
            return Err(ReadError::Gap { expected, found });
        }
        let payload = message.payload.clone();
        self.last = found;
        self.last_payload = Some(payload.clone());
        batch.push(Entry {
            sequence: found,
            payload,
        });
        Ok(())
    }

    /// Verifies that the log still holds what was read last, and reads on from there.
    async fn begin_anew(&mut self) -> Result<(), ReadError> {
        self.established.mark_unchanged();
        verify_log(&self.inner, self.source, self.last).await?;
        match &self.last_payload {
            Some(payload) => {
                let found = raw(&self.inner, self.source, self.last).await?;
                if found.as_ref() != Some(payload) {
                    return Err(went_backwards(self.last, found.as_ref()));
                }
            }
            None => {
                if let Some(checkpoint) = self.checkpoint {
                    verify(&self.inner, self.source, checkpoint).await?;
                }
            }
        }
        self.messages = consume(&self.inner, self.source, self.last).await?;
        self.unverified = false;
        Ok(())
    }
}

async fn consume(inner: &Inner, source: Source, last: u64) -> Result<Ordered, ReadError> {
    let stream = unasked(inner, source).await?;
    let config = OrderedConfig {
        deliver_policy: DeliverPolicy::ByStartSequence {
            start_sequence: last.saturating_add(1),
        },
        ..OrderedConfig::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(unavailable)?;
    consumer.messages().await.map_err(unavailable)
}

/// Checks that the server still holds the log that this process connected to: it may have been
/// started with other data in the meantime.
async fn verify_log(inner: &Inner, source: Source, last: u64) -> Result<(), ReadError> {
    let epoch = recorded(&info(inner, source).await?.config).map(|layout| layout.epoch);
    if epoch.is_ok_and(|epoch| epoch == inner.layout.epoch) {
        return Ok(());
    }
    Err(another_log(last))
}

/// Checks that this is the log that the checkpoint was taken of, and that the record is there.
async fn verify(inner: &Inner, source: Source, checkpoint: Checkpoint) -> Result<(), ReadError> {
    let sequence = checkpoint.sequence;
    if checkpoint.epoch != inner.layout.epoch {
        return Err(another_log(sequence));
    }
    let found = raw(inner, source, sequence).await?;
    // A record that an operator passed over may not even tell its id.
    let found_id = found.as_ref().map(|bytes| wire::record_id(bytes).unwrap_or_default());
    let same = found_id == Some(checkpoint.record_id);
    if same {
        Ok(())
    } else {
        Err(went_backwards(sequence, found.as_ref()))
    }
}

fn another_log(sequence: u64) -> ReadError {
    ReadError::WentBackwards {
        sequence,
        found: "this is another log".to_owned(),
    }
}

fn went_backwards(sequence: u64, instead: Option<&Bytes>) -> ReadError {
    let found = match instead {
        Some(_) => "another record stands there",
        None => "the log ends before it",
    };
    ReadError::WentBackwards {
        sequence,
        found: found.to_owned(),
    }
}

/// The bytes at a sequence; `None`: there are none.
pub(crate) async fn raw(inner: &Inner, source: Source, sequence: u64) -> Result<Option<Bytes>, ReadError> {
    use async_nats::jetstream::stream::RawMessageErrorKind;
    let stream = unasked(inner, source).await?;
    match stream.get_raw_message(sequence).await {
        Ok(message) => Ok(Some(message.payload)),
        Err(error) => match error.kind() {
            RawMessageErrorKind::NoMessageFound => Ok(None),
            _ => Err(unavailable(error)),
        },
    }
}

pub(crate) async fn last_sequence(inner: &Inner, source: Source) -> Result<u64, ReadError> {
    Ok(info(inner, source).await?.state.last_sequence)
}

/// A source's stream, without asking the server about it.
async fn unasked(inner: &Inner, source: Source) -> Result<Stream<()>, ReadError> {
    let stream = inner.reads.context.get_stream_no_info(source.stream()).await;
    stream.map_err(unavailable)
}

/// What the server says of a source's stream now.
async fn info(inner: &Inner, source: Source) -> Result<Info, ReadError> {
    let stream = inner.reads.context.get_stream(source.stream()).await;
    Ok(stream.map_err(unavailable)?.cached_info().clone())
}
