//! Why an operator's wish cannot be carried out.

use event_log::ReadError;

use crate::database::DatabaseError;
use crate::projections::Poison;

/// An operator's wish cannot be carried out. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Postgres.
    #[error("Postgres refused or was not there: nothing that readers see has changed, run it again")]
    Database(#[from] sqlx::Error),
    /// The read models cannot be used.
    #[error("the read models cannot be used")]
    Schema(#[from] DatabaseError),
    /// The log.
    #[error("the log cannot be read: nothing that readers see has changed, run it again")]
    Log(#[from] ReadError),
    /// A record cannot be applied.
    #[error(
        "record {sequence} of partition {partition} cannot be applied. A projector of the version that knows it can; \
         or skip it where the serving generation has halted on it, and rebuild again"
    )]
    Poison {
        /// Where.
        partition: u16,
        /// Its sequence.
        sequence: u64,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A task failed.
    #[error("a part of the work failed")]
    Task(#[from] tokio::task::JoinError),
    /// A table takes no more rows.
    #[error("a table could not be written: nothing that readers see has changed, run it again")]
    Unwritten,
    /// There is no such projection.
    #[error("there is no projection `{name}`; there are: {known}")]
    UnknownProjection {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// There is no such generation.
    #[error("projection {projection} has no generation {generation}; `recourse projection list` shows what there is")]
    UnknownGeneration {
        /// Of which projection.
        projection: &'static str,
        /// What was asked for.
        generation: i32,
    },
    /// Its tables exist.
    #[error("generation {generation} of {projection} exists already; name another, or drop it first")]
    Exists {
        /// Of which projection.
        projection: &'static str,
        /// Which.
        generation: i32,
    },
    /// It is what readers see.
    #[error("generation {generation} of {projection} serves readers; switch to another before it is dropped")]
    Serves {
        /// Of which projection.
        projection: &'static str,
        /// Which.
        generation: i32,
    },
    /// It is not whole.
    #[error(
        "generation {generation} of {projection} is not whole: it is for the rebuild alone that fills it, or for the next one to remove"
    )]
    NotWhole {
        /// Of which projection.
        projection: &'static str,
        /// Which.
        generation: i32,
    },
    /// Another release made it.
    #[error(
        "generation {generation} of {projection} was made by another release, whose tools it takes; \
         `recourse projection rebuild {projection}` makes one of this release"
    )]
    OtherLayout {
        /// Of which projection.
        projection: &'static str,
        /// Which.
        generation: i32,
    },
    /// There is none to go back to.
    #[error("no other generation of {projection} has been kept to switch back to")]
    NoneKept {
        /// Of which projection.
        projection: &'static str,
    },
    /// Another rebuild is under way.
    #[error("another rebuild is under way; wait for it, or stop it")]
    Busy,
    /// What was made is not what the log says.
    #[error("generation {generation} of {projection} does not hold what the log says, and is not shown: {differences}")]
    Differs {
        /// Of which projection.
        projection: &'static str,
        /// Which.
        generation: i32,
        /// Where.
        differences: String,
    },
    /// Readers held on to the old views for too long.
    #[error(
        "some query went on for so long that readers could not be switched; \
         run `recourse projection switch-back {projection} --to {generation}`"
    )]
    ReadersInTheWay {
        /// Of which projection.
        projection: &'static str,
        /// Which was to be shown.
        generation: i32,
    },
    /// Nobody makes the generation follow the log, or not fast enough.
    #[error(
        "generation {generation} of {projection} does not come as far as the one that serves: see that a projector runs, \
         then run `recourse projection switch-back {projection} --to {generation}`"
    )]
    StaysBehind {
        /// Of which projection.
        projection: &'static str,
        /// Which was to be shown.
        generation: i32,
    },
    /// The generation follows the log no further.
    #[error(
        "generation {generation} of {projection} follows the log no further on partition {partition} ({why}): \
         resume it, or skip the record (both take --generation {generation}); or rebuild again"
    )]
    Stopped {
        /// Of which projection.
        projection: &'static str,
        /// Which.
        generation: i32,
        /// Where.
        partition: i32,
        /// Paused, or what it halted by.
        why: String,
    },
    /// Somebody else wrote to a generation that is being filled.
    #[error("generation {generation} of {projection} was changed while it was filled; rebuild again")]
    Disturbed {
        /// Of which projection.
        projection: &'static str,
        /// Which.
        generation: i32,
    },
    /// There is nothing to pass over.
    #[error("projection {projection} has not halted on partition {partition}, so that there is nothing to skip")]
    NotHalted {
        /// Which.
        projection: &'static str,
        /// Where.
        partition: u16,
    },
    /// The log ends there.
    #[error(
        "the log holds no record after {sequence} on partition {partition}: what halted the projection is not a record"
    )]
    NoRecord {
        /// Where.
        partition: u16,
        /// The last one.
        sequence: u64,
    },
}

impl RebuildError {
    /// A record of a partition that cannot be applied.
    pub(super) fn poison(partition: u16, poison: Poison) -> Self {
        Self::Poison {
            partition,
            sequence: poison.sequence,
            source: Box::new(poison.reason),
        }
    }
}
