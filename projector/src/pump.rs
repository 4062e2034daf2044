//! From the log to a projection's rows: read a batch, apply it, advance the checkpoint, commit.

use std::sync::Arc;
use std::time::Duration;

use event_log::{Entry, EventLog, ReadError, Source};
use service_kit::chain;
use service_kit::health::Component;

use crate::checkpoint::{self, Advance, Key, Place, Skipped};
use crate::database::{Database, DatabaseError, USUAL, begin, is_refusal};
use crate::pause::{Backoff, pause};
use crate::projections::{ApplyError, Poison, PoisonReason, Positioned, Projection};

/// The most records that one transaction takes. Enough to make the round trips cheap; few enough
/// that a batch of the longest descriptions stays within some megabytes.
const BATCH_RECORDS_MAX: usize = 512;

/// How long a projector that was overtaken leaves the field to the other one. Whoever stands by
/// should cost little, and take over soon.
const OVERTAKEN_PAUSE: Duration = Duration::from_millis(200);

/// How often a halted projection looks whether an operator, or another projector that knows
/// more, has passed the record.
const HALTED_POLL: Duration = Duration::from_secs(1);

/// A gap that is still there after so many looks is a hole in the log, and not a consumer that lost its thread.
const GAP_LOOKS_MAX: u32 = 3;

/// Runs one projection on one partition.
#[derive(Debug)]
pub(crate) struct Pump<P> {
    pub(crate) projection: P,
    pub(crate) key: Key,
    pub(crate) source: Source,
    pub(crate) log: EventLog,
    pub(crate) database: Arc<Database>,
    pub(crate) component: Component,
}

/// Why a pump is not pumping.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("Postgres cannot be used")]
    Database(#[source] sqlx::Error),
    #[error("Postgres cannot be used")]
    Schema(#[source] DatabaseError),
    #[error("the log cannot be read")]
    Log(#[source] ReadError),
    #[error("a record is missing after record {at}")]
    Gap {
        at: u64,
        #[source]
        source: ReadError,
    },
    #[error("the checkpoint was set back")]
    SetBack,
    #[error("paused after record {at} by an operator")]
    Paused { at: u64 },
    #[error("halted after record {at}")]
    Halted {
        at: u64,
        #[source]
        source: Halt,
    },
}

/// Why a projection goes no further until somebody decides.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error(transparent)]
    Poison(Poison),
    #[error("the log is not the one that the rows were made from")]
    Log(#[source] ReadError),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl<P: Projection> Pump<P> {
    /// Pumps for ever. May be dropped at any point: what is not committed is done again.
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::default();
        let mut gap_looks = 0;
        loop {
            let Err(mut stop) = self.follow(&mut backoff).await;
            if let Stop::Gap { at, source } = stop {
                gap_looks = if backoff.is_fresh() { 1 } else { gap_looks + 1 };
                stop = if gap_looks < GAP_LOOKS_MAX {
                    Stop::Gap { at, source }
                } else {
                    Stop::Halted {
                        at,
                        source: Halt::Log(source),
                    }
                };
            }
            if let Stop::Halted { at, .. } = &stop {
                self.stay_halted(*at, &stop).await;
                continue;
            }
            if let Stop::Paused { .. } = &stop {
                self.stay_paused(&stop).await;
                continue;
            }
            if backoff.is_fresh() {
                tracing::warn!(
                    projection = P::NAME,
                    partition = self.key.partition,
                    "projection {} waits: {}",
                    P::NAME,
                    chain(&stop)
                );
            }
            self.component.unready(stop.to_string());
            backoff.wait().await;
        }
    }

    /// Follows the log until something is in the way.
    async fn follow(&self, backoff: &mut Backoff) -> Result<std::convert::Infallible, Stop> {
        self.database.ensure().await.map_err(Stop::Schema)?;
        let mut nudges = self.database.nudges();
        let standing = checkpoint::load(self.database.pool(), self.key).await?;
        let mut at = standing.sequence();
        if standing.paused() {
            return Err(Stop::Paused { at });
        }
        let skipped = Skipped::load(self.database.pool(), self.key).await?;
        let mut reader = self
            .log
            .reader(self.source, standing.resume())
            .await
            .map_err(|error| log_stop(at, error))?;
        let mut filling = None;
        if !standing.filled() {
            filling = Some(
                self.log
                    .last_sequence(self.source)
                    .await
                    .map_err(|error| log_stop(at, error))?,
            );
        }
        if !standing.halted() {
            self.running(at);
        }
        loop {
            // All that was in the log when the filling began is in the rows.
            if filling.take_if(|goal| *goal <= at).is_some() {
                checkpoint::filled(self.database.pool(), self.key).await?;
            }
            // Both arms can be dropped: the reader keeps what it has not returned.
            let entries = tokio::select! {
                entries = reader.next_batch(BATCH_RECORDS_MAX) => entries.map_err(|error| log_stop(at, error))?,
                Ok(()) = nudges.changed() => {
                    let standing = checkpoint::load(self.database.pool(), self.key).await?;
                    if standing.sequence() < at || (filling.is_none() && !standing.filled()) {
                        return Err(Stop::SetBack);
                    }
                    continue;
                }
            };
            self.commit_all(&mut at, &entries, &skipped).await?;
            self.running(at);
            backoff.reset();
        }
    }

    /// Commits the entries that come after `at`, and moves `at` along.
    async fn commit_all(&self, at: &mut u64, entries: &[Entry], skipped: &Skipped) -> Result<(), Stop> {
        let mut at_most = entries.len();
        loop {
            let rest = entries
                .get(entries.partition_point(|entry| entry.sequence <= *at)..)
                .unwrap_or_default();
            let Some(first) = rest.first() else { return Ok(()) };
            if first.sequence != at.saturating_add(1) {
                return Err(Stop::SetBack);
            }
            let batch = rest.get(..at_most.min(rest.len())).unwrap_or_default();
            match self.commit(*at, batch, skipped).await {
                Ok(Advance::Done) => *at = batch.last().map_or(*at, |entry| entry.sequence),
                Ok(Advance::Overtaken) => {
                    pause(OVERTAKEN_PAUSE).await;
                    let standing = checkpoint::load(self.database.pool(), self.key).await?;
                    *at = standing.sequence();
                    if standing.paused() {
                        return Err(Stop::Paused { at: *at });
                    }
                }
                // What comes before the record is committed; then it is the first, and stops us.
                Err(ApplyError::Poison(poison)) => {
                    at_most = batch.partition_point(|entry| entry.sequence < poison.sequence);
                    if at_most == 0 {
                        return Err(Stop::Halted {
                            at: *at,
                            source: Halt::Poison(poison),
                        });
                    }
                }
                // One by one, until it is clear which of them is refused.
                Err(ApplyError::Database(error)) if is_refusal(&error) => {
                    if batch.len() == 1 {
                        let poison = Poison {
                            sequence: first.sequence,
                            reason: PoisonReason::Refused(error),
                        };
                        return Err(Stop::Halted {
                            at: *at,
                            source: Halt::Poison(poison),
                        });
                    }
                    at_most = 1;
                }
                Err(ApplyError::Database(error)) => return Err(Stop::Database(error)),
            }
        }
    }

    /// One transaction: the rows and the checkpoint, or neither. The checkpoint goes first: its
    /// row's lock makes a second projector wait, and then fall away.
    async fn commit(&self, at: u64, entries: &[Entry], skipped: &Skipped) -> Result<Advance, ApplyError> {
        let Some(last) = entries.last() else {
            return Ok(Advance::Done);
        };
        let records = decoded(entries, skipped)?;
        let place = Place {
            sequence: last.sequence,
            record_id: wire::record_id(&last.payload).unwrap_or_default(),
            epoch: self.log.epoch(),
        };
        let mut tx = begin(self.database.pool(), USUAL).await.map_err(ApplyError::Database)?;
        if checkpoint::advance(&mut *tx, self.key, at, place)
            .await
            .map_err(ApplyError::Database)?
            == Advance::Overtaken
        {
            return Ok(Advance::Overtaken);
        }
        self.projection.apply(&mut tx, self.key, &records).await?;
        tx.commit().await.map_err(ApplyError::Database)?;
        Ok(Advance::Done)
    }

    fn running(&self, at: u64) {
        self.component.ready();
        let labels = labels(self.key);
        metrics::gauge!("projection_halted", &labels).set(0.0);
        metrics::gauge!("projection_position", &labels).set(gauge_value(at));
    }

    /// Says loudly that somebody has to decide, and returns when somebody has.
    async fn stay_halted(&self, at: u64, stop: &Stop) {
        let why = chain(stop);
        tracing::error!(
            projection = P::NAME,
            partition = self.key.partition,
            position = at,
            "projection {} on partition {}: {why}",
            P::NAME,
            self.key.partition
        );
        self.component.unready(why.clone());
        metrics::gauge!("projection_halted", &labels(self.key)).set(1.0);
        let mut noted = checkpoint::halt(self.database.pool(), self.key, at, &why).await;
        // Without Postgres there is nothing to look at; following again begins with waiting for it.
        while let Ok(Advance::Done) = noted {
            pause(HALTED_POLL).await;
            noted = match checkpoint::load(self.database.pool(), self.key).await {
                Ok(standing) if standing.halted() && standing.sequence() == at => Ok(Advance::Done),
                Ok(_) => Ok(Advance::Overtaken),
                Err(error) => Err(error),
            };
        }
    }

    /// Returns when the operator lets it go on.
    async fn stay_paused(&self, stop: &Stop) {
        tracing::info!(
            projection = P::NAME,
            partition = self.key.partition,
            "projection {} on partition {}: {stop}",
            P::NAME,
            self.key.partition
        );
        self.component.unready(stop.to_string());
        // Without Postgres there is nothing to look at; following again begins with waiting for it.
        while let Ok(standing) = checkpoint::load(self.database.pool(), self.key).await
            && standing.paused()
        {
            pause(HALTED_POLL).await;
        }
    }
}

/// A generation that is gone has not halted.
pub(crate) fn forget(key: Key) {
    metrics::gauge!("projection_halted", &labels(key)).set(0.0);
}

/// Kept generations follow the log beside the one that serves, and halt for themselves.
fn labels(key: Key) -> [(&'static str, String); 3] {
    [
        ("projection", key.projection.to_owned()),
        ("generation", key.generation.to_string()),
        ("partition", key.partition.to_string()),
    ]
}

/// The records of the entries, without those that an operator passed over.
pub(crate) fn decoded<E: wire::Payload>(entries: &[Entry], skipped: &Skipped) -> Result<Vec<Positioned<E>>, Poison> {
    let read = entries.iter().filter(|entry| !skipped.has(entry.sequence)).map(decode);
    let wanted = |it: &Result<Positioned<E>, Poison>| {
        it.as_ref()
            .map_or(true, |it| !skipped.concerns(it.record.header.aggregate_id))
    };
    read.filter(wanted).collect()
}

fn decode<E: wire::Payload>(entry: &Entry) -> Result<Positioned<E>, Poison> {
    let sequence = entry.sequence;
    let record = wire::decode(&entry.payload).map_err(|error| Poison {
        sequence,
        reason: PoisonReason::Undecodable(error),
    })?;
    Ok(Positioned { sequence, record })
}

/// A log that cannot be reached is waited for. One that contradicts the checkpoint is not.
fn log_stop(at: u64, error: ReadError) -> Stop {
    match error {
        ReadError::WentBackwards { .. } => Stop::Halted {
            at,
            source: Halt::Log(error),
        },
        ReadError::Gap { .. } => Stop::Gap { at, source: error },
        ReadError::Unavailable { .. } => Stop::Log(error),
    }
}

/// Metrics are floating-point numbers; up to 2⁵³ they are exact.
#[expect(clippy::cast_precision_loss, reason = "a figure for people to look at")]
pub(crate) fn gauge_value(count: u64) -> f64 {
    count as f64
}
