//! What an operator can do, each in one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::calendar::Calendar;
use event_log::{EventLog, Source};
use service_kit::Health;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::sync::watch;

use super::compare::{Comparison, compare};
use super::copies::Copies;
use super::error::RebuildError;
use super::fill::{self, Folded, Stretch};
use super::side_by_side::{Work, side_by_side, work_off};
use super::switch;
use crate::checkpoint::{self, Key, Skipped};
use crate::database::{Database, USUAL, begin};
use crate::generation::{self, LAYOUTS, Layout, Schema, Standing};
use crate::pause::pause;
use crate::projections::{Bulk, BulkFold as _, Directory, Tickets};
use crate::pumps::{Pumps, Role};

/// What is compared is compared as of one moment.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// How often it is looked whether a new generation has caught up.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The advisory lock of whoever rebuilds ("rcrebuil" in ASCII), held by a session: it ends with it.
const LOCK: i64 = i64::from_be_bytes(*b"rcrebuil");

/// How far a rebuild or a comparison has come. Shared with whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Records read.
    pub records: AtomicU64,
    /// Records that there are to read.
    pub total: AtomicU64,
    /// What is being done.
    pub stage: watch::Sender<&'static str>,
}

/// A projection's standing on a partition.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Listed {
    /// Its name.
    pub projection: String,
    /// Which generation of its tables.
    pub generation: i32,
    /// What the generation is: filling, ready, serving or kept.
    pub role: String,
    /// The partition.
    pub partition: i32,
    /// The last record whose rows are there.
    pub sequence: i64,
    /// The last record of the log.
    pub head: i64,
    /// running, halted or paused.
    pub state: String,
    /// Records passed over by an operator.
    pub skipped: i64,
    /// Why it halted.
    pub error: Option<String>,
}

/// An operator's access to the read models and the log that they are made from.
#[derive(Debug)]
pub struct Operator {
    log: EventLog,
    database: Arc<Database>,
    calendar: Calendar,
}

impl Operator {
    /// Nothing is connected to Postgres yet. `calendar` is the projector's own.
    pub fn new(log: EventLog, database_url: &str, calendar: Calendar) -> Result<Self, RebuildError> {
        let database = Arc::new(Database::new(database_url, log.partitions())?);
        Ok(Self {
            log,
            database,
            calendar,
        })
    }

    /// The same for a projector, which has a database already.
    pub(crate) const fn of_projector(log: EventLog, database: Arc<Database>, calendar: Calendar) -> Self {
        Self {
            log,
            database,
            calendar,
        }
    }

    /// Every projection's standing.
    pub async fn list(&self) -> Result<Vec<Listed>, RebuildError> {
        let listed = sqlx::query_as(
            "SELECT c.projection, c.generation, g.state AS role, c.partition, c.sequence, c.head, c.state, c.error,
                    (SELECT count(*) FROM recourse.skipped s
                     WHERE s.projection = c.projection AND s.generation = c.generation AND s.partition = c.partition) AS skipped
             FROM recourse.checkpoints c
             JOIN recourse.generations g USING (projection, generation)
             ORDER BY c.projection, c.generation, c.partition",
        );
        Ok(listed.fetch_all(self.database.pool()).await?)
    }

    /// Makes a generation from the log, compares it with the log, and switches readers to it. Returns the
    /// generation and the comparison.
    pub async fn rebuild(
        &self,
        projection: &str,
        to: Option<i32>,
        progress: &Arc<Progress>,
    ) -> Result<(i32, Vec<Comparison>), RebuildError> {
        let layout = layout(projection)?;
        self.database.ensure().await?;
        let mut locked = self.database.own_connection().await?;
        if !sqlx::query_scalar::<_, bool>("SELECT pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut locked)
            .await?
        {
            return Err(RebuildError::Busy);
        }
        let generation = self.begin(layout, to).await?;
        let comparisons = self.fill(layout, generation, progress).await?;
        progress.stage.send_replace("following the log");
        self.catch_up(layout, generation).await?;
        progress.stage.send_replace("switching readers");
        switch::switch(self.database.pool(), layout, generation).await?;
        // A connection that is closed goes on holding its lock for a moment.
        sqlx::query("SELECT pg_advisory_unlock($1)")
            .bind(LOCK)
            .execute(&mut locked)
            .await?;
        locked.close().await?;
        Ok((generation, comparisons))
    }

    /// Makes the tables of a new generation, and removes what a rebuild left that was cut off.
    async fn begin(&self, layout: &'static Layout, to: Option<i32>) -> Result<i32, RebuildError> {
        let projection = layout.projection;
        // Nobody else rebuilds: what no reader ever saw is what a rebuild left.
        let (remains, seen): (Vec<_>, Vec<_>) = self
            .generations(projection)
            .await?
            .into_iter()
            .partition(|standing| matches!(standing.state.as_str(), "filling" | "ready"));
        for standing in remains {
            self.remove(layout, standing.generation).await?;
        }
        let taken: Vec<i32> = seen.iter().map(|standing| standing.generation).collect();
        let next = taken.iter().max().map_or(1, |last| last.saturating_add(1));
        let generation = to.unwrap_or(next);
        if taken.contains(&generation) {
            return Err(RebuildError::Exists { projection, generation });
        }
        let mut connection = self.database.pool().acquire().await?;
        let mut tx = connection.begin().await?;
        generation::lock(&mut tx).await?;
        layout.make_tables(&mut tx, generation).await?;
        generation::note(&mut tx, layout, generation, "filling").await?;
        let keys = generation::keys(projection, generation, self.log.partitions());
        checkpoint::ensure(&mut *tx, &keys).await?;
        // What was passed over for the generation that serves is passed over for this one.
        sqlx::query(
            "INSERT INTO recourse.skipped (projection, generation, partition, sequence, aggregate_id, error, reason, skipped_at)
             SELECT s.projection, $2, s.partition, s.sequence, s.aggregate_id, s.error, s.reason, s.skipped_at
             FROM recourse.skipped s
             JOIN recourse.generations g USING (projection, generation)
             WHERE s.projection = $1 AND g.state = 'serving'
             ON CONFLICT DO NOTHING",
        )
        .bind(projection)
        .bind(generation)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(generation)
    }

    /// Fills a generation's tables up to where the log ends now, and makes its indexes.
    async fn fill(
        &self,
        layout: &'static Layout,
        generation: i32,
        progress: &Arc<Progress>,
    ) -> Result<Vec<Comparison>, RebuildError> {
        progress.stage.send_replace("reading the log");
        let projection = layout.projection;
        let stretches = self.stretches(projection, generation, progress).await?;
        let keys: Vec<Key> = stretches.iter().map(|stretch| stretch.key).collect();
        let comparisons = if projection == "tickets" {
            let tickets = Tickets {
                calendar: self.calendar.clone(),
            };
            self.fill_all(tickets, stretches, progress).await?
        } else {
            self.fill_all(Directory, stretches, progress).await?
        };
        refuse_differences(projection, generation, &comparisons)?;
        if projection == "tickets" {
            progress.stage.send_replace("collecting words");
            let words = keys.iter().map(|key| Work::Words(*key)).collect();
            work_off(&self.database, words).await?;
        }
        progress.stage.send_replace("making indexes");
        let (first, rest) = layout.index_statements(generation);
        for statements in [first, rest] {
            work_off(&self.database, statements.into_iter().map(Work::Statement).collect()).await?;
        }
        progress.stage.send_replace("collecting statistics");
        work_off(&self.database, self.statistics(projection, generation).await?).await?;
        let mut tx = begin(self.database.pool(), USUAL).await?;
        for key in keys {
            checkpoint::filled(&mut *tx, key).await?;
        }
        generation::note(&mut tx, layout, generation, "ready").await?;
        tx.commit().await?;
        Ok(comparisons)
    }

    /// What autovacuum would do some minutes later: until then, readers' plans would rest on guesses.
    async fn statistics(&self, projection: &'static str, generation: i32) -> Result<Vec<Work>, RebuildError> {
        let schema = Schema::new(projection, generation);
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1")
                .bind(schema.to_string())
                .fetch_all(self.database.pool())
                .await?;
        let analyze = |table| Work::Statement(format!("ANALYZE {schema}.{table}"));
        Ok(tables.into_iter().map(analyze).collect())
    }

    /// Every partition from the first record to the last that there is now.
    async fn stretches(
        &self,
        projection: &'static str,
        generation: i32,
        progress: &Progress,
    ) -> Result<Vec<Stretch>, RebuildError> {
        let mut stretches = Vec::new();
        for key in generation::keys(projection, generation, self.log.partitions()) {
            let source = source(key);
            stretches.push(Stretch {
                log: self.log.clone(),
                source,
                key,
                until: self.log.last_sequence(source).await?,
                skipped: Arc::new(Skipped::load(self.database.pool(), key).await?),
            });
        }
        let total = stretches.iter().map(|stretch| stretch.until).sum();
        progress.total.store(total, Ordering::Relaxed);
        Ok(stretches)
    }

    /// Fills the tables; then the checkpoints say so. Returns what the tables hold then.
    async fn fill_all<P: Bulk + Clone + 'static>(
        &self,
        projection: P,
        stretches: Vec<Stretch>,
        progress: &Arc<Progress>,
    ) -> Result<Vec<Comparison>, RebuildError> {
        let Some(schema) = stretches.first().map(|stretch| stretch.key.schema()) else {
            return Ok(Vec::new());
        };
        let tables = projection.bulk(0).lines().tables();
        let (copies, writers) = Copies::start(&self.database, schema, tables);
        let folded = match fold_all(projection, stretches, Some(copies), progress).await {
            Err(RebuildError::Unwritten) => writers.finish().await.and(Err(RebuildError::Unwritten)),
            Err(error) => Err(error),
            Ok(folded) => writers.finish().await.map(|()| folded),
        }?;
        progress.stage.send_replace("comparing");
        fill::note(self.database.pool(), &folded).await?;
        self.compare_all(schema, folded, None).await
    }

    /// Compares every table with what was folded: as of a snapshot, if one is given.
    async fn compare_all(
        &self,
        schema: Schema,
        folded: Vec<Folded>,
        snapshot: Option<String>,
    ) -> Result<Vec<Comparison>, RebuildError> {
        let tables = folded.first().map(|folded| folded.lines.tables()).unwrap_or_default();
        let (database, folded) = (Arc::clone(&self.database), Arc::new(folded));
        let compared = side_by_side(tables, move |table| {
            let (database, folded, snapshot) = (Arc::clone(&database), Arc::clone(&folded), snapshot.clone());
            async move {
                let mut db = database.own_connection().await?;
                let mut tx = db.begin_with(SNAPSHOT).await?;
                if let Some(snapshot) = snapshot {
                    let set = format!("SET TRANSACTION SNAPSHOT '{snapshot}'");
                    sqlx::query(AssertSqlSafe(set)).execute(&mut *tx).await?;
                }
                let compared = compare(&mut tx, schema, &table, &folded).await?;
                tx.rollback().await?;
                db.close().await?;
                Ok::<_, RebuildError>(compared)
            }
        });
        let mut comparisons: Vec<Comparison> = compared.await?.into_iter().flatten().collect();
        comparisons.sort_by(|a, b| (a.partition, &a.table).cmp(&(b.partition, &b.table)));
        Ok(comparisons)
    }

    /// Follows the log until the generation has come as far as the log had when this began. A projector that
    /// runs does the same, and whoever is faster is; without one, this is enough.
    async fn catch_up(&self, layout: &'static Layout, generation: i32) -> Result<(), RebuildError> {
        let projection = layout.projection;
        let pumps = Pumps {
            log: self.log.clone(),
            database: Arc::clone(&self.database),
            calendar: self.calendar.clone(),
            health: Health::default(),
            fill_from: u64::MAX,
        };
        let mut pumping = pumps.start((projection, generation), Role::Beside);
        let following = async {
            for key in generation::keys(projection, generation, self.log.partitions()) {
                let head = self.log.last_sequence(source(key)).await?;
                while checkpoint::load(self.database.pool(), key).await?.sequence() < head {
                    switch::refuse_stopped(self.database.pool(), projection, generation).await?;
                    pause(LOOK_EVERY).await;
                }
            }
            Ok(())
        };
        tokio::select! {
            followed = following => followed,
            // Pumps never end by themselves: one has panicked.
            Some(Err(panicked)) = pumping.join_next() => Err(RebuildError::Task(panicked)),
        }
    }

    /// Folds the log, and compares what it comes to with what a generation holds: the serving one, if none
    /// is named. All is compared as of one moment, while the projection goes on.
    pub async fn verify(
        &self,
        projection: &str,
        generation: Option<i32>,
        progress: &Arc<Progress>,
    ) -> Result<Vec<Comparison>, RebuildError> {
        let layout = layout(projection)?;
        let generation = self.chosen(layout.projection, generation).await?;
        progress.stage.send_replace("reading the log");
        let mut stretches = self.stretches(layout.projection, generation, progress).await?;
        let schema = Schema::new(layout.projection, generation);
        // The snapshot lasts as long as this transaction.
        let mut db = self.database.own_connection().await?;
        let mut tx = db.begin_with(SNAPSHOT).await?;
        let snapshot: String = sqlx::query_scalar("SELECT pg_export_snapshot()")
            .fetch_one(&mut *tx)
            .await?;
        for stretch in &mut stretches {
            stretch.until = checkpoint::load(&mut *tx, stretch.key).await?.sequence();
        }
        let folded = if layout.projection == "tickets" {
            let tickets = Tickets {
                calendar: self.calendar.clone(),
            };
            fold_all(tickets, stretches, None, progress).await?
        } else {
            fold_all(Directory, stretches, None, progress).await?
        };
        progress.stage.send_replace("comparing");
        let comparisons = self.compare_all(schema, folded, Some(snapshot)).await?;
        tx.rollback().await?;
        db.close().await?;
        Ok(comparisons)
    }

    /// Switches readers to a generation that is whole: to the newest that was kept, if none is named. Returns
    /// which.
    pub async fn switch(&self, projection: &str, to: Option<i32>) -> Result<i32, RebuildError> {
        let layout = layout(projection)?;
        let projection = layout.projection;
        let kept = self.generations(projection).await?;
        let newest = kept.iter().rfind(|standing| standing.state == "kept");
        let newest = newest.map(|standing| standing.generation);
        let generation = to.or(newest).ok_or(RebuildError::NoneKept { projection })?;
        switch::switch(self.database.pool(), layout, generation).await?;
        Ok(generation)
    }

    /// Removes a generation that does not serve.
    pub async fn drop(&self, projection: &str, generation: i32) -> Result<(), RebuildError> {
        let layout = layout(projection)?;
        let projection = layout.projection;
        let known = self.generations(projection).await?;
        match known.iter().find(|standing| standing.generation == generation) {
            None => Err(RebuildError::UnknownGeneration { projection, generation }),
            Some(_) => self.remove(layout, generation).await,
        }
    }

    /// Removes a generation, unless readers have been switched to it.
    async fn remove(&self, layout: &'static Layout, generation: i32) -> Result<(), RebuildError> {
        let projection = layout.projection;
        let mut tx = begin(self.database.pool(), USUAL).await?;
        generation::lock(&mut tx).await?;
        let known = generation::all(&mut *tx).await?;
        let standing = known
            .iter()
            .find(|standing| standing.projection == projection && standing.generation == generation);
        if standing.is_some_and(|standing| standing.state == "serving") {
            return Err(RebuildError::Serves { projection, generation });
        }
        layout.drop(&mut tx, generation).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes a generation wait, or lets it go on. Returns on how many partitions that changed something.
    pub async fn set_paused(
        &self,
        projection: &str,
        generation: Option<i32>,
        wanted: Pace,
    ) -> Result<u64, RebuildError> {
        let layout = layout(projection)?;
        let generation = self.chosen(layout.projection, generation).await?;
        let (from, to) = match wanted {
            Pace::Paused => ("running", "paused"),
            Pace::Running => ("paused", "running"),
        };
        let changed = sqlx::query(
            "UPDATE recourse.checkpoints SET state = $4 WHERE projection = $1 AND generation = $2 AND state = $3",
        )
        .bind(layout.projection)
        .bind(generation)
        .bind(from)
        .bind(to)
        .execute(self.database.pool())
        .await?;
        Ok(changed.rows_affected())
    }

    /// Passes over the record on which a projection has halted, and over all later ones of the same ticket.
    /// Returns the record's sequence.
    pub async fn skip(
        &self,
        projection: &str,
        generation: Option<i32>,
        partition: u16,
        reason: &str,
    ) -> Result<u64, RebuildError> {
        let layout = layout(projection)?;
        let projection = layout.projection;
        let key = Key {
            projection,
            generation: self.chosen(projection, generation).await?,
            partition,
        };
        let not_halted = RebuildError::NotHalted { projection, partition };
        let known = generation::keys(projection, key.generation, self.log.partitions());
        if !known.contains(&key) {
            return Err(not_halted);
        }
        let standing = checkpoint::load(self.database.pool(), key).await?;
        if !standing.halted() {
            return Err(not_halted);
        }
        let (at, source) = (standing.sequence(), source(key));
        if self.log.last_sequence(source).await? <= at {
            return Err(RebuildError::NoRecord {
                partition,
                sequence: at,
            });
        }
        let mut reader = self.log.reader(source, standing.resume()).await?;
        let entries = reader.next_batch(1).await?;
        let Some(entry) = entries.first() else {
            return Err(not_halted);
        };
        let place = checkpoint::Place {
            sequence: entry.sequence,
            record_id: wire::record_id(&entry.payload).unwrap_or_default(),
            epoch: self.log.epoch(),
        };
        let mut tx = begin(self.database.pool(), USUAL).await?;
        checkpoint::note_skipped(&mut tx, key, place.sequence, wire::aggregate_id(&entry.payload), reason).await?;
        if checkpoint::advance(&mut *tx, key, at, place).await? == checkpoint::Advance::Overtaken {
            return Err(not_halted);
        }
        tx.commit().await?;
        Ok(place.sequence)
    }

    /// The generation that is meant: the one that serves, if none is named.
    async fn chosen(&self, projection: &'static str, generation: Option<i32>) -> Result<i32, RebuildError> {
        let known = self.generations(projection).await?;
        let meant = match generation {
            Some(generation) => known.iter().find(|standing| standing.generation == generation),
            None => known.iter().find(|standing| standing.state == "serving"),
        };
        match meant {
            None => Err(RebuildError::UnknownGeneration {
                projection,
                generation: generation.unwrap_or(1),
            }),
            Some(Standing { generation, state, .. }) if state == "filling" => Err(RebuildError::NotWhole {
                projection,
                generation: *generation,
            }),
            Some(standing) if standing.layout().is_none() => Err(RebuildError::OtherLayout {
                projection,
                generation: standing.generation,
            }),
            Some(standing) => Ok(standing.generation),
        }
    }

    async fn generations(&self, projection: &'static str) -> Result<Vec<Standing>, RebuildError> {
        let mut all = generation::all(self.database.pool()).await?;
        all.retain(|standing| standing.projection == projection);
        Ok(all)
    }
}

/// Whether a generation follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It stays where it is.
    Paused,
    /// It goes on.
    Running,
}

/// Folds stretches, some at once.
async fn fold_all<P: Bulk + Clone + 'static>(
    projection: P,
    stretches: Vec<Stretch>,
    copies: Option<Copies>,
    progress: &Arc<Progress>,
) -> Result<Vec<Folded>, RebuildError> {
    let progress = Arc::clone(progress);
    side_by_side(stretches, move |stretch| {
        let (projection, copies, progress) = (projection.clone(), copies.clone(), Arc::clone(&progress));
        async move { fill::fold(&projection, stretch, copies.as_ref(), &progress).await }
    })
    .await
}

fn layout(projection: &str) -> Result<&'static Layout, RebuildError> {
    Layout::of(projection).ok_or_else(|| RebuildError::UnknownProjection {
        name: projection.to_owned(),
        known: LAYOUTS.map(|layout| layout.projection).join(", "),
    })
}

const fn source(key: Key) -> Source {
    match key.projection.as_bytes() {
        b"tickets" => Source::Tickets(key.partition),
        _ => Source::Directory,
    }
}

fn refuse_differences(
    projection: &'static str,
    generation: i32,
    comparisons: &[Comparison],
) -> Result<(), RebuildError> {
    let different = comparisons.iter().filter(|comparison| !comparison.is_equal());
    let differences: Vec<String> = different
        .map(|it| {
            format!(
                "{} on partition {} has {} rows, expected were {}",
                it.table, it.partition, it.found.rows, it.expected.rows
            )
        })
        .collect();
    if differences.is_empty() {
        return Ok(());
    }
    Err(RebuildError::Differs {
        projection,
        generation,
        differences: differences.join("; "),
    })
}
