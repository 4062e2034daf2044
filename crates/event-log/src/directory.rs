//! Names of people, organisations and groups: an entry each, the last name given wins.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::actor::Actor;
use domain::directory::{EntryKind, Event};
use domain::ids::{CommandId, Revision};
use domain::text::Label;
use moka::sync::Cache;
use uuid::Uuid;
use wire::{Header, Record, RecordedActor};

use crate::append::{AppendError, append};
use crate::connection::Inner;
use crate::load::{LoadError, load};
use crate::subject::{DIRECTORY_STREAM, directory_subject};

/// Names written lately are not looked up again for so long: an import repeats the same few
/// names thousands of times.
const REMEMBERED_FOR: Duration = Duration::from_secs(10);
const REMEMBERED_MAX: u64 = 10_000;
/// Writers that keep losing the race for an entry give up after this many tries.
const ATTEMPTS_MAX: u32 = 12;

/// A name could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The log cannot be reached, or did not say whether it took the name. Giving the name
    /// again is safe.
    #[error("the log cannot be reached")]
    Unavailable,
    /// The entry's last record cannot be read.
    #[error("the directory's record cannot be read")]
    Corrupt(#[source] wire::DecodeError),
}

/// The directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory {
    inner: Arc<Inner>,
    remembered: Cache<(EntryKind, Uuid), Label>,
}

impl Directory {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        let remembered = Cache::builder()
            .max_capacity(REMEMBERED_MAX)
            .time_to_live(REMEMBERED_FOR)
            .build();
        Self { inner, remembered }
    }

    /// Makes an entry go by a name. Does nothing if it does already.
    pub async fn name(&self, kind: EntryKind, id: Uuid, name: &Label, actor: &Actor) -> Result<(), DirectoryError> {
        if self.remembered.get(&(kind, id)).as_ref() == Some(name) {
            return Ok(());
        }
        for _ in 0..ATTEMPTS_MAX {
            match self.try_name(kind, id, name, actor).await {
                Ok(()) => {
                    self.remembered.insert((kind, id), name.clone());
                    return Ok(());
                }
                Err(TryError::Conflict) => {}
                Err(TryError::Final(error)) => return Err(error),
            }
        }
        Err(DirectoryError::Unavailable)
    }

    async fn try_name(&self, kind: EntryKind, id: Uuid, name: &Label, actor: &Actor) -> Result<(), TryError> {
        let subject = directory_subject(kind, id);
        let stored = load(&self.inner, DIRECTORY_STREAM, &subject, 0).await?;
        let last = match stored.last() {
            Some(stored) => {
                let record: Record<Event> =
                    wire::decode(&stored.bytes).map_err(|error| TryError::Final(DirectoryError::Corrupt(error)))?;
                Some((stored.sequence, wire::hash(&stored.bytes), record))
            }
            None => None,
        };
        let event = Event::Named {
            kind,
            name: name.clone(),
        };
        if last
            .as_ref()
            .is_some_and(|(_, _, record)| record.events.last() == Some(&event))
        {
            return Ok(());
        }
        let now = self.inner.clock.now();
        let (previous_sequence, previous_hash, revision) = match &last {
            Some((sequence, hash, record)) => (*sequence, *hash, record.header.revision.next()),
            None => (0, [0; 32], Revision(1)),
        };
        let record = Record {
            header: Header {
                record_id: Uuid::new_v4(),
                aggregate_id: id,
                command_id: CommandId::from(Uuid::new_v4()),
                digest: [0; 32],
                actor: RecordedActor::from(actor),
                via: None,
                occurred_at: now,
                recorded_at: now,
                revision,
                previous_sequence,
                previous_hash,
                causation: None,
                correlation: None,
                traceparent: None,
            },
            events: vec![event],
        };
        let bytes = wire::encode(&record).map_err(|_| TryError::Final(DirectoryError::Unavailable))?;
        append(
            &self.inner,
            &subject,
            previous_sequence,
            record.header.record_id,
            Bytes::from(bytes),
        )
        .await?;
        Ok(())
    }
}

enum TryError {
    Conflict,
    Final(DirectoryError),
}

impl From<LoadError> for TryError {
    fn from(_: LoadError) -> Self {
        Self::Final(DirectoryError::Unavailable)
    }
}

impl From<AppendError> for TryError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { .. } => Self::Conflict,
            AppendError::NotWritten(_) | AppendError::Unknown => Self::Final(DirectoryError::Unavailable),
        }
    }
}
