//! The projections: code that turns events into rows, each with a name and a generation.

mod directory;
mod tickets;

use std::fmt;
use std::future::Future;

use sqlx::postgres::PgConnection;
use wire::{Payload, Record};

pub(crate) use self::tickets::{CorruptRow, texts};
pub(crate) use self::{directory::Directory, tickets::Tickets};
use crate::checkpoint::Key;
use crate::lines::Lines;

/// A record and its place in its partition.
#[derive(Debug)]
pub(crate) struct Positioned<E> {
    pub(crate) sequence: u64,
    pub(crate) record: Record<E>,
}

/// Turns events into rows. Never decides and never skips.
pub(crate) trait Projection: Send + Sync + fmt::Debug {
    /// Its name in checkpoints, metrics and health.
    const NAME: &'static str;
    /// What it reads.
    type Event: Payload + Send + Sync;

    /// Applies records of the key's partition to the tables of its generation, in order, within the transaction
    /// that also advances the checkpoint. After an error the transaction is given up, so that nothing is applied
    /// by half.
    fn apply(
        &self,
        db: &mut PgConnection,
        key: Key,
        records: &[Positioned<Self::Event>],
    ) -> impl Future<Output = Result<(), ApplyError>> + Send;
}

/// A projection that can also be made of a whole partition at once, which is much faster.
pub(crate) trait Bulk: Projection {
    /// What is made on the way.
    type Fold<'p>: BulkFold<Self::Event>
    where
        Self: 'p;

    /// Begins before a partition's first record.
    fn bulk(&self, partition: u16) -> Self::Fold<'_>;
}

/// Folds a partition's records to the lines of its tables.
pub(crate) trait BulkFold<E>: Send {
    /// Applies the next records.
    fn apply(&mut self, records: &[Positioned<E>]) -> Result<(), Poison>;

    /// The lines so far, of tables that only grow.
    fn lines(&mut self) -> &mut Lines;

    /// The rest of the lines.
    fn finish(self) -> Lines;
}

/// Records could not be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error(transparent)]
    Poison(#[from] Poison),
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
}

/// A record that cannot be applied, now or later.
#[derive(Debug, thiserror::Error)]
#[error("record {sequence} cannot be applied")]
pub(crate) struct Poison {
    pub(crate) sequence: u64,
    #[source]
    pub(crate) reason: PoisonReason,
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PoisonReason {
    #[error("it cannot be decoded")]
    Undecodable(#[source] wire::DecodeError),
    #[error("it is revision {found} of its ticket, where revision {expected} comes next")]
    Revision { expected: u64, found: u64 },
    #[error("event {event} does not belong at this point of a ticket's history")]
    Creation { event: &'static str },
    #[error("it holds no event")]
    Empty,
    #[error("a row that it changes is corrupt")]
    CorruptRow(#[source] CorruptRow),
    #[error("Postgres refused its rows")]
    Refused(#[source] sqlx::Error),
}
