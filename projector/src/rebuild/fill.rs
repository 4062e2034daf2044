//! A partition at once: read the log, fold in memory, send what comes of it to the tables.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use event_log::{Entry, EventLog, Source};
use sqlx::postgres::PgPool;

use super::copies::Copies;
use super::error::RebuildError;
use super::operator::Progress;
use crate::checkpoint::{self, Advance, Key, Place, Skipped};
use crate::database::{USUAL, begin};
use crate::lines::Lines;
use crate::projections::{Bulk, BulkFold};
use crate::pump::decoded;

/// Records that are read at once: enough to make each step worth its while.
const BATCH_RECORDS_MAX: usize = 4096;

/// Tuples of a table are sent when there are so many bytes of them: large against a round trip, small
/// against the memory that the tickets themselves take.
const CHUNK_BYTES: usize = 256 << 10;

/// One partition of a log, up to a record.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) log: EventLog,
    pub(super) source: Source,
    pub(super) key: Key,
    /// The last record.
    pub(super) until: u64,
    pub(super) skipped: Arc<Skipped>,
}

/// A stretch and what it came to.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) stretch: Stretch,
    /// The sums of all its tables.
    pub(super) lines: Lines,
    /// Where it ends.
    place: Place,
}

/// Folds a stretch. What comes of it goes to the tables, or is only summed up.
pub(super) async fn fold<P: Bulk>(
    projection: &P,
    stretch: Stretch,
    copies: Option<&Copies>,
    progress: &Progress,
) -> Result<Folded, RebuildError> {
    let Stretch {
        log,
        source,
        key,
        until,
        skipped,
    } = &stretch;
    let mut fold = projection.bulk(key.partition);
    let mut place = Place {
        sequence: 0,
        record_id: uuid::Uuid::nil(),
        epoch: log.epoch(),
    };
    let mut reader = log.reader(*source, None).await?;
    while place.sequence < *until {
        let mut entries = reader.next_batch(BATCH_RECORDS_MAX).await?;
        entries.truncate(entries.partition_point(|entry| entry.sequence <= *until));
        let Some(end) = entries.last() else { break };
        place.sequence = end.sequence;
        place.record_id = wire::record_id(&end.payload).unwrap_or_default();
        apply(&mut fold, &entries, key.partition, skipped)?;
        send(fold.lines(), CHUNK_BYTES, copies).await?;
        progress.records.fetch_add(entries.len() as u64, Ordering::Relaxed);
    }
    let mut lines = fold.finish();
    send(&mut lines, 1, copies).await?;
    Ok(Folded { stretch, lines, place })
}

async fn send(lines: &mut Lines, bytes_min: usize, copies: Option<&Copies>) -> Result<(), RebuildError> {
    let Some(copies) = copies else {
        lines.discard();
        return Ok(());
    };
    copies.send(lines.take(bytes_min)).await
}

fn apply<E: wire::Payload>(
    fold: &mut impl BulkFold<E>,
    entries: &[Entry],
    partition: u16,
    skipped: &Skipped,
) -> Result<(), RebuildError> {
    let records = decoded(entries, skipped).map_err(|poison| RebuildError::poison(partition, poison))?;
    fold.apply(&records)
        .map_err(|poison| RebuildError::poison(partition, poison))
}

/// Notes that the tables hold what was folded.
pub(super) async fn note(db: &PgPool, folded: &[Folded]) -> Result<(), RebuildError> {
    let mut tx = begin(db, USUAL).await?;
    for Folded { stretch, place, .. } in folded {
        let key = stretch.key;
        if place.sequence > 0 && checkpoint::advance(&mut *tx, key, 0, *place).await? == Advance::Overtaken {
            return Err(RebuildError::Disturbed {
                projection: key.projection,
                generation: key.generation,
            });
        }
    }
    tx.commit().await?;
    Ok(())
}
