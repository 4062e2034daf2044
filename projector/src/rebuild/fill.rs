//! A partition at once: read the log, fold in memory, copy into tables without indexes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use event_log::{Entry, EventLog, Source};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::error::RebuildError;
use super::operator::Progress;
use crate::checkpoint::{self, Advance, Key, Place, Skipped};
use crate::generation::Schema;
use crate::lines::{Chunk, Lines};
use crate::projections::{Bulk, BulkFold};
use crate::pump::decoded;

/// Records that are read at once: enough to make each step worth its while.
const BATCH_RECORDS_MAX: usize = 4096;

/// Lines of a table are sent when there are so many bytes of them: large against a round trip, small
/// against the memory that the tickets themselves take.
const CHUNK_BYTES: usize = 4 << 20;

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

/// What becomes of the lines.
pub(super) enum Target<'db> {
    /// They go to the tables of the key's generation.
    Tables(&'db mut PgConnection),
    /// They are only summed up.
    Sums,
}

/// Folds a stretch, and returns all its tables' sums and its last record's id.
pub(super) async fn fold<P: Bulk>(
    projection: &P,
    stretch: &Stretch,
    mut target: Target<'_>,
    progress: &Progress,
) -> Result<(Lines, Uuid), RebuildError> {
    let Stretch {
        log,
        source,
        key,
        until,
        skipped,
    } = stretch;
    let mut fold = projection.bulk(key.partition);
    let mut last = Uuid::nil();
    let mut at = 0;
    let mut reader = log.reader(*source, None).await?;
    while at < *until {
        let mut entries = reader.next_batch(BATCH_RECORDS_MAX).await?;
        entries.truncate(entries.partition_point(|entry| entry.sequence <= *until));
        let Some(end) = entries.last() else { break };
        at = end.sequence;
        last = wire::record_id(&end.payload).unwrap_or_default();
        apply(&mut fold, &entries, key.partition, skipped)?;
        match &mut target {
            Target::Tables(db) => copy_all(db, key.schema(), fold.lines().take(CHUNK_BYTES)).await?,
            Target::Sums => fold.lines().discard(),
        }
        progress.records.fetch_add(entries.len() as u64, Ordering::Relaxed);
    }
    let mut lines = fold.finish();
    match &mut target {
        Target::Tables(db) => copy_all(db, key.schema(), lines.take(1)).await?,
        Target::Sums => lines.discard(),
    }
    Ok((lines, last))
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

/// Fills the tables with a stretch; rows and checkpoint together, or neither.
pub(super) async fn fill<P: Bulk>(
    projection: &P,
    stretch: &Stretch,
    db: &mut PgConnection,
    progress: &Progress,
) -> Result<Lines, RebuildError> {
    let mut tx = db.begin().await?;
    let (lines, record_id) = fold(projection, stretch, Target::Tables(&mut tx), progress).await?;
    if stretch.until > 0 {
        let place = Place {
            sequence: stretch.until,
            record_id,
            epoch: stretch.log.epoch(),
        };
        if checkpoint::advance(&mut *tx, stretch.key, 0, place).await? == Advance::Overtaken {
            return Err(RebuildError::Disturbed {
                projection: stretch.key.projection,
                generation: stretch.key.generation,
            });
        }
    }
    tx.commit().await?;
    Ok(lines)
}

async fn copy_all(db: &mut PgConnection, schema: Schema, chunks: Vec<Chunk>) -> Result<(), sqlx::Error> {
    for Chunk { table, columns, text } in chunks {
        // Names of this crate alone.
        let sql = format!("COPY {schema}.{table} ({columns}) FROM STDIN");
        let mut copy = db.copy_in_raw(&sql).await?;
        copy.send(text.into_bytes()).await?;
        copy.finish().await?;
    }
    Ok(())
}
