//! The fold's reading and writing.

use domain::ticket::Event;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::fold::{Changes, Fold};
use super::rows::{CounterRow, TicketRow};
use crate::projections::{ApplyError, Poison, PoisonReason, Positioned, Projection};
use crate::table;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tickets;

impl Projection for Tickets {
    const NAME: &'static str = "tickets";
    const GENERATION: i32 = 1;
    type Event = Event;

    async fn apply(
        &self,
        db: &mut PgConnection,
        partition: u16,
        records: &[Positioned<Event>],
    ) -> Result<(), ApplyError> {
        // A ticket that the batch creates has no row yet.
        let known = records.iter().filter(|it| it.record.header.revision.0 > 1);
        let mut ids: Vec<Uuid> = known.map(|it| it.record.header.aggregate_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = load(db, &ids).await.map_err(ApplyError::Database)?;
        let first = records.first().map_or(0, |it| it.sequence);
        let mut fold = Fold::new(partition, rows).map_err(|error| Poison {
            sequence: first,
            reason: PoisonReason::CorruptRow(error),
        })?;
        for record in records {
            fold.apply(record)?;
        }
        store(db, partition, &fold.finish()).await.map_err(ApplyError::Database)
    }
}

async fn load(db: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<TicketRow>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as(
        "SELECT id, partition, sequence, revision, number, subject, description, status, status_rank, ticket_type,
                awaits, priority, priority_rank, category, system, environment, service, platform_version,
                custom_fields, requester_id, organisation_id, group_id, assignee_id, followers, wait_kind, wait_number,
                wait_policy, due_at, waits, rating, created_at, updated_at, closed_at
         FROM desk_1.tickets
         WHERE id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(db)
    .await
}

async fn store(db: &mut PgConnection, partition: u16, changes: &Changes) -> Result<(), sqlx::Error> {
    table::write(db, &changes.tickets).await?;
    table::write(db, &changes.timeline).await?;
    if !changes.timers_ended.is_empty() {
        sqlx::query("DELETE FROM desk_1.ticket_timers WHERE ticket_id = ANY($1)")
            .bind(&changes.timers_ended)
            .execute(&mut *db)
            .await?;
    }
    table::write(db, &changes.timers).await?;
    table::write(db, &changes.counters).await?;
    remove_empty(db, partition, &changes.counters).await?;
    table::write(db, &changes.days).await
}

/// A counter that has come to nothing goes, so that the table does not depend on how the log was cut into batches.
async fn remove_empty(db: &mut PgConnection, partition: u16, changes: &[CounterRow]) -> Result<(), sqlx::Error> {
    let lowered: Vec<&CounterRow> = changes.iter().filter(|row| row.total < 0).collect();
    if lowered.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM desk_1.counters AS present
         USING UNNEST($1::text[], $2::text[]) AS lowered (dimension, value)
         WHERE present.dimension = lowered.dimension
           AND present.value = lowered.value
           AND present.partition = $3
           AND present.total = 0",
    )
    .bind(lowered.iter().map(|row| row.dimension).collect::<Vec<_>>())
    .bind(lowered.iter().map(|row| row.value.as_str()).collect::<Vec<_>>())
    .bind(i32::from(partition))
    .execute(db)
    .await?;
    Ok(())
}
