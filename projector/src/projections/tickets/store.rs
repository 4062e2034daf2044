//! The fold's reading and writing.

use std::collections::{BTreeSet, HashMap};

use domain::calendar::Calendar;
use domain::ticket::Event;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;
use wire::Record;

use super::fold::{Additions, Changes, Fold};
use super::histogram;
use super::rows::{ClockRow, CounterRow, MeasureCountRow, TicketRow};
use super::texts;
use super::ticket::WholeRow;
use crate::checkpoint::Key;
use crate::generation::Schema;
use crate::projections::{ApplyError, Poison, PoisonReason, Positioned, Projection};
use crate::table;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Tickets {
    /// By which durations are counted in working time.
    pub(crate) calendar: Calendar,
}

impl Projection for Tickets {
    const NAME: &'static str = "tickets";
    type Event = Event;

    async fn apply(&self, db: &mut PgConnection, key: Key, records: &[Positioned<Event>]) -> Result<(), ApplyError> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Ok(());
        };
        // A ticket that the batch creates has no row yet.
        let known = records.iter().filter(|it| it.record.header.revision.0 > 1);
        let mut ids: Vec<Uuid> = known.map(|it| it.record.header.aggregate_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let schema = key.schema();
        let rows = load(db, schema, &ids).await.map_err(ApplyError::Database)?;
        // Only events of clocks change clocks, so that tickets without any cost no look.
        let promised = records
            .iter()
            .filter(|it| it.record.header.revision.0 > 1 && changes_clocks(&it.record));
        let promised: BTreeSet<Uuid> = promised.map(|it| it.record.header.aggregate_id).collect();
        let clocks = load_clocks(db, schema, &promised).await.map_err(ApplyError::Database)?;
        let mut fold = Fold::new(key.partition, &self.calendar, rows, clocks).map_err(|error| Poison {
            sequence: first.sequence,
            reason: PoisonReason::CorruptRow(error),
        })?;
        for record in records {
            fold.apply(record)?;
        }
        let (additions, changes) = (fold.take_additions(), fold.take_changes());
        let stored = async {
            add(db, schema, &additions).await?;
            change(db, key, &changes).await?;
            texts::write(db, key, &changes.heads, first.sequence..=last.sequence).await
        };
        stored.await.map_err(ApplyError::Database)
    }
}

async fn load(db: &mut PgConnection, schema: Schema, ids: &[Uuid]) -> Result<Vec<WholeRow>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT t.*, d.description
         FROM (SELECT {columns} FROM {schema}.tickets WHERE id = ANY($1)) AS t
         JOIN {schema}.descriptions d ON d.ticket_id = t.id AND d.revision = t.description_revision",
        columns = table::names::<TicketRow>(),
    );
    sqlx::query_as(AssertSqlSafe(sql)).bind(ids).fetch_all(db).await
}

fn changes_clocks(record: &Record<Event>) -> bool {
    record.events.iter().any(|event| event.sla().is_some())
}

async fn load_clocks(
    db: &mut PgConnection,
    schema: Schema,
    tickets: &BTreeSet<Uuid>,
) -> Result<Vec<ClockRow>, sqlx::Error> {
    if tickets.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {columns} FROM {schema}.ticket_clocks WHERE ticket_id = ANY($1)",
        columns = table::names::<ClockRow>(),
    );
    let tickets: Vec<Uuid> = tickets.iter().copied().collect();
    sqlx::query_as(AssertSqlSafe(sql)).bind(tickets).fetch_all(db).await
}

async fn add(db: &mut PgConnection, schema: Schema, additions: &Additions) -> Result<(), sqlx::Error> {
    let Additions {
        timeline,
        versions,
        descriptions,
        measures,
    } = additions;
    table::write(db, schema, timeline).await?;
    table::write(db, schema, versions).await?;
    table::write(db, schema, descriptions).await?;
    table::write(db, schema, measures).await
}

async fn change(db: &mut PgConnection, key: Key, changes: &Changes) -> Result<(), sqlx::Error> {
    let schema = key.schema();
    table::write(db, schema, &changes.tickets).await?;
    if !changes.timers_ended.is_empty() {
        let sql = format!("DELETE FROM {schema}.ticket_timers WHERE ticket_id = ANY($1)");
        sqlx::query(AssertSqlSafe(sql))
            .bind(&changes.timers_ended)
            .execute(&mut *db)
            .await?;
    }
    table::write(db, schema, &changes.timers).await?;
    table::write(db, schema, &changes.clocks).await?;
    table::write(db, schema, &changes.counters).await?;
    remove_empty(db, key, &changes.counters).await?;
    table::write(db, schema, &changes.days).await?;
    table::write(db, schema, &changes.ratings).await?;
    let measure_counts = summed(db, key, &changes.measure_counts).await?;
    table::write(db, schema, &measure_counts).await
}

/// The counts that there will be. They are added here because Postgres takes an array of hundreds apart for each sum; nobody
/// else changes those of a partition while its checkpoint is locked.
async fn summed(
    db: &mut PgConnection,
    key: Key,
    changes: &[MeasureCountRow],
) -> Result<Vec<MeasureCountRow>, sqlx::Error> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT changed.place, present.totals
         FROM UNNEST($1::text[], $2::text[], $3::text[], $4::date[]) WITH ORDINALITY
             AS changed (kind, clock, span, starts, place)
         JOIN {schema}.measure_counts present USING (kind, clock, span, starts)
         WHERE present.partition = $5",
        schema = key.schema(),
    );
    let present: Vec<(i64, Vec<i32>)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(changes.iter().map(|row| row.kind).collect::<Vec<_>>())
        .bind(changes.iter().map(|row| row.clock).collect::<Vec<_>>())
        .bind(changes.iter().map(|row| row.span).collect::<Vec<_>>())
        .bind(changes.iter().map(|row| row.starts).collect::<Vec<_>>())
        .bind(i32::from(key.partition))
        .fetch_all(db)
        .await?;
    let present: HashMap<i64, Vec<i32>> = present.into_iter().collect();
    let mut sums = changes.to_vec();
    for (place, row) in (1..).zip(&mut sums) {
        if let Some(totals) = present.get(&place) {
            histogram::add(&mut row.totals, totals);
        }
    }
    Ok(sums)
}

/// A counter that has come to nothing goes, so that the table does not depend on how the log was cut into batches.
async fn remove_empty(db: &mut PgConnection, key: Key, changes: &[CounterRow]) -> Result<(), sqlx::Error> {
    let lowered: Vec<&CounterRow> = changes.iter().filter(|row| row.total < 0).collect();
    if lowered.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM {schema}.counters AS present
         USING UNNEST($1::text[], $2::text[]) AS lowered (dimension, value)
         WHERE present.dimension = lowered.dimension
           AND present.value = lowered.value
           AND present.partition = $3
           AND present.total = 0",
        schema = key.schema(),
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(lowered.iter().map(|row| row.dimension).collect::<Vec<_>>())
        .bind(lowered.iter().map(|row| row.value.as_str()).collect::<Vec<_>>())
        .bind(i32::from(key.partition))
        .execute(db)
        .await?;
    Ok(())
}
