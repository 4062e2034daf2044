//! How far a projection has come on a partition: the one row that says so, and the one way to
//! advance it.

use std::collections::BTreeSet;

use event_log::Checkpoint;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{PgExecutor, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::generation::Schema;

/// Which checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) projection: &'static str,
    pub(crate) generation: i32,
    pub(crate) partition: u16,
}

impl Key {
    /// The schema of the tables that it belongs to.
    pub(crate) const fn schema(self) -> Schema {
        Schema::new(self.projection, self.generation)
    }
}

/// A checkpoint as it stands.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Standing {
    sequence: i64,
    record_id: Option<Uuid>,
    epoch: Option<Uuid>,
    state: String,
    filled: bool,
}

/// The new place of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) sequence: u64,
    pub(crate) record_id: Uuid,
    pub(crate) epoch: Uuid,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advance {
    /// It is made, and locks others out until the transaction ends.
    Done,
    /// The checkpoint is not where we left it, or is paused: another projector or an operator is at work.
    Overtaken,
}

impl Standing {
    /// The last sequence whose rows are committed.
    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence.cast_unsigned()
    }

    /// Whether the projection stopped here.
    pub(crate) fn halted(&self) -> bool {
        self.state == "halted"
    }

    /// Whether an operator wants it to wait.
    pub(crate) fn paused(&self) -> bool {
        self.state == "paused"
    }

    /// Whether the rows have ever held all that the log did.
    pub(crate) const fn filled(&self) -> bool {
        self.filled
    }

    /// Where a reader goes on; `None`: from the first record.
    pub(crate) fn resume(&self) -> Option<Checkpoint> {
        let (Some(record_id), Some(epoch)) = (self.record_id, self.epoch) else {
            return None;
        };
        Some(Checkpoint {
            epoch,
            sequence: self.sequence(),
            record_id,
        })
    }
}

/// Makes the checkpoints that do not exist, before the first record; all at once, so that no
/// reader takes some partitions for all of them. Returns how many it made.
pub(crate) async fn ensure(db: impl PgExecutor<'_>, keys: &[Key]) -> Result<u64, sqlx::Error> {
    let mut insert: QueryBuilder<Postgres> = QueryBuilder::new(
        "INSERT INTO recourse.checkpoints (projection, generation, partition, sequence, state, head, filled) ",
    );
    insert.push_values(keys, |mut row, key| {
        row.push_bind(key.projection)
            .push_bind(key.generation)
            .push_bind(i32::from(key.partition))
            .push("0, 'running', 0, false");
    });
    insert.push(" ON CONFLICT (projection, generation, partition) DO NOTHING");
    Ok(insert.build().execute(db).await?.rows_affected())
}

/// Reads a checkpoint.
pub(crate) async fn load(db: impl PgExecutor<'_>, key: Key) -> Result<Standing, sqlx::Error> {
    sqlx::query_as(
        "SELECT sequence, record_id, epoch, state, filled
         FROM recourse.checkpoints
         WHERE projection = $1 AND generation = $2 AND partition = $3",
    )
    .bind(key.projection)
    .bind(key.generation)
    .bind(i32::from(key.partition))
    .fetch_one(db)
    .await
}

/// A checkpoint and its partition.
#[derive(Debug, sqlx::FromRow)]
struct Located {
    partition: i32,
    #[sqlx(flatten)]
    standing: Standing,
}

/// Reads all checkpoints of a generation, by partition.
pub(crate) async fn all(
    db: impl PgExecutor<'_>,
    projection: &str,
    generation: i32,
) -> Result<Vec<(u16, Standing)>, sqlx::Error> {
    let located: Vec<Located> = sqlx::query_as(
        "SELECT partition, sequence, record_id, epoch, state, filled
         FROM recourse.checkpoints
         WHERE projection = $1 AND generation = $2
         ORDER BY partition",
    )
    .bind(projection)
    .bind(generation)
    .fetch_all(db)
    .await?;
    Ok(located
        .into_iter()
        .filter_map(|it| Some((u16::try_from(it.partition).ok()?, it.standing)))
        .collect())
}

/// Moves a checkpoint from a place to another, if it is at the former.
pub(crate) async fn advance(db: impl PgExecutor<'_>, key: Key, from: u64, to: Place) -> Result<Advance, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE recourse.checkpoints
         SET sequence = $5, record_id = $6, epoch = $7, state = 'running', error = NULL, head = GREATEST(head, $5)
         WHERE projection = $1 AND generation = $2 AND partition = $3 AND sequence = $4 AND state <> 'paused'",
    )
    .bind(key.projection)
    .bind(key.generation)
    .bind(i32::from(key.partition))
    .bind(from.cast_signed())
    .bind(to.sequence.cast_signed())
    .bind(to.record_id)
    .bind(to.epoch)
    .execute(db)
    .await?;
    Ok(if moved.rows_affected() == 1 {
        Advance::Done
    } else {
        Advance::Overtaken
    })
}

/// Notes that the rows hold all that the log does.
pub(crate) async fn filled(db: impl PgExecutor<'_>, key: Key) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE recourse.checkpoints SET filled = true WHERE projection = $1 AND generation = $2 AND partition = $3",
    )
    .bind(key.projection)
    .bind(key.generation)
    .bind(i32::from(key.partition))
    .execute(db)
    .await?;
    Ok(())
}

/// Gives what is no projection of the log a number that it has never had, also not in a database that is gone: query-api
/// remembers callers by that of the tokens. Microseconds since 1970, or one more than before where the clock stands or goes
/// back.
pub(crate) async fn renumber(db: impl PgExecutor<'_>, key: Key) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE recourse.checkpoints
         SET sequence = GREATEST(sequence + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
         WHERE projection = $1 AND generation = $2 AND partition = $3",
    )
    .bind(key.projection)
    .bind(key.generation)
    .bind(i32::from(key.partition))
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that the projection stopped after `at`, and why.
pub(crate) async fn halt(db: impl PgExecutor<'_>, key: Key, at: u64, error: &str) -> Result<Advance, sqlx::Error> {
    let noted = sqlx::query(
        "UPDATE recourse.checkpoints
         SET state = 'halted', error = $5
         WHERE projection = $1 AND generation = $2 AND partition = $3 AND sequence = $4",
    )
    .bind(key.projection)
    .bind(key.generation)
    .bind(i32::from(key.partition))
    .bind(at.cast_signed())
    .bind(error)
    .execute(db)
    .await?;
    Ok(if noted.rows_affected() == 1 {
        Advance::Done
    } else {
        Advance::Overtaken
    })
}

/// A projection that has not caught up with its log.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Behind {
    projection: String,
    generation: i32,
    partition: i32,
    sequence: i64,
}

/// Notes that a record is passed over, with the error that it halted the projection by.
pub(crate) async fn note_skipped(
    db: &mut PgConnection,
    key: Key,
    sequence: u64,
    aggregate: Option<Uuid>,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO recourse.skipped (projection, generation, partition, sequence, aggregate_id, error, reason)
         SELECT projection, generation, partition, $4, $5, error, $6
         FROM recourse.checkpoints
         WHERE projection = $1 AND generation = $2 AND partition = $3",
    )
    .bind(key.projection)
    .bind(key.generation)
    .bind(i32::from(key.partition))
    .bind(sequence.cast_signed())
    .bind(aggregate)
    .bind(reason)
    .execute(db)
    .await?;
    Ok(())
}

/// Notes how far the log reaches on each partition, for all generations, and returns who is behind and
/// neither halted nor paused. What would change nothing is not written.
pub(crate) async fn note_heads(db: &PgPool, heads: &[(&'static str, u16, u64)]) -> Result<Vec<Behind>, sqlx::Error> {
    sqlx::query(
        // In an order, as whoever switches generations locks them: or else each could wait for the other.
        "WITH moved AS (
             SELECT c.projection, c.generation, c.partition, noted.head
             FROM recourse.checkpoints c
             JOIN UNNEST($1::text[], $2::integer[], $3::bigint[]) AS noted (projection, partition, head)
                 USING (projection, partition)
             WHERE c.head <> noted.head
             ORDER BY c.projection, c.generation, c.partition
             FOR UPDATE OF c
         )
         UPDATE recourse.checkpoints AS present
         SET head = moved.head
         FROM moved
         WHERE present.projection = moved.projection
           AND present.generation = moved.generation
           AND present.partition = moved.partition",
    )
    .bind(heads.iter().map(|(projection, ..)| *projection).collect::<Vec<_>>())
    .bind(
        heads
            .iter()
            .map(|(_, partition, _)| i32::from(*partition))
            .collect::<Vec<_>>(),
    )
    .bind(heads.iter().map(|(.., head)| head.cast_signed()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    sqlx::query_as(
        "SELECT projection, generation, partition, sequence
         FROM recourse.checkpoints
         WHERE sequence < head AND state = 'running'
         ORDER BY projection, generation, partition",
    )
    .fetch_all(db)
    .await
}

/// Records that an operator passed over on a partition: their tickets' rows stay as they were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    sequences: BTreeSet<u64>,
    aggregates: BTreeSet<Uuid>,
}

impl Skipped {
    /// Reads what was passed over.
    pub(crate) async fn load(db: impl PgExecutor<'_>, key: Key) -> Result<Self, sqlx::Error> {
        let rows: Vec<(i64, Option<Uuid>)> = sqlx::query_as(
            "SELECT sequence, aggregate_id FROM recourse.skipped
             WHERE projection = $1 AND generation = $2 AND partition = $3",
        )
        .bind(key.projection)
        .bind(key.generation)
        .bind(i32::from(key.partition))
        .fetch_all(db)
        .await?;
        Ok(Self {
            sequences: rows.iter().map(|(sequence, _)| sequence.cast_unsigned()).collect(),
            aggregates: rows.into_iter().filter_map(|(_, aggregate)| aggregate).collect(),
        })
    }

    /// Whether a record at this place is to be passed over unread.
    pub(crate) fn has(&self, sequence: u64) -> bool {
        self.sequences.contains(&sequence)
    }

    /// Whether a record is one of a ticket whose rows stay as they were.
    pub(crate) fn concerns(&self, aggregate: Uuid) -> bool {
        self.aggregates.contains(&aggregate)
    }
}
