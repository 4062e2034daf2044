//! Which generation readers see.

use std::time::Duration;

use sqlx::PgExecutor;
use sqlx::postgres::{PgConnection, PgPool};

use super::error::RebuildError;
use crate::database::{USUAL, begin};
use crate::generation::{self, Layout};
use crate::pause::pause;

/// How long the switch waits for queries that hold on to the views. New queries queue up behind it, so
/// it gives way soon.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '100ms'";

/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// Five minutes. A query that is still there then is longer than any that the desk itself makes, and a
/// generation that is still behind has nobody who makes it follow.
const TRIES_MAX: u32 = 3000;

/// What came of a try.
enum Tried {
    Switched,
    /// The generation has not come as far as the one that serves.
    Behind,
    /// Queries hold on to the views.
    Held,
}

/// Shows a generation to readers in place of the one that serves; in one transaction, and not before it has
/// come as far, so that nobody reads what is older than what they read before.
pub(super) async fn switch(db: &PgPool, layout: &'static Layout, generation: i32) -> Result<(), RebuildError> {
    let projection = layout.projection;
    let mut last = Tried::Behind;
    for _ in 0..TRIES_MAX {
        last = try_switch(db, layout, generation).await?;
        match last {
            Tried::Switched => return Ok(()),
            Tried::Behind | Tried::Held => pause(TRY_EVERY).await,
        }
    }
    Err(match last {
        Tried::Held => RebuildError::ReadersInTheWay { projection, generation },
        Tried::Switched | Tried::Behind => RebuildError::StaysBehind { projection, generation },
    })
}

/// Refuses a generation that will follow the log no further until somebody decides.
pub(super) async fn refuse_stopped(
    db: impl PgExecutor<'_>,
    projection: &'static str,
    generation: i32,
) -> Result<(), RebuildError> {
    let stopped: Option<(i32, String, Option<String>)> = sqlx::query_as(
        "SELECT partition, state, error
         FROM recourse.checkpoints
         WHERE projection = $1 AND generation = $2 AND state <> 'running'
         ORDER BY partition
         LIMIT 1",
    )
    .bind(projection)
    .bind(generation)
    .fetch_optional(db)
    .await?;
    match stopped {
        None => Ok(()),
        Some((partition, state, error)) => Err(RebuildError::Stopped {
            projection,
            generation,
            partition,
            why: error.map_or_else(|| state.clone(), |error| format!("{state}: {error}")),
        }),
    }
}

async fn try_switch(db: &PgPool, layout: &'static Layout, generation: i32) -> Result<Tried, RebuildError> {
    let mut tx = begin(db, USUAL).await?;
    let tried = switch_within(&mut tx, layout, generation).await?;
    // Waiting for a roll-back here, because a connection that is only dropped may keep its locks until it is
    // used again, and every pump of the projection waits for those.
    match tried {
        Tried::Switched => tx.commit().await?,
        Tried::Behind | Tried::Held => tx.rollback().await?,
    }
    Ok(tried)
}

async fn switch_within(tx: &mut PgConnection, layout: &'static Layout, generation: i32) -> Result<Tried, RebuildError> {
    let projection = layout.projection;
    generation::lock(tx).await?;
    let all = generation::all(&mut *tx).await?;
    let meant = all
        .iter()
        .find(|standing| standing.projection == projection && standing.generation == generation);
    match meant.map(|standing| standing.state.as_str()) {
        Some("ready" | "kept") if meant.is_some_and(|standing| standing.layout().is_none()) => {
            return Err(RebuildError::OtherLayout { projection, generation });
        }
        Some("ready" | "kept") => {}
        Some("serving") => return Ok(Tried::Switched),
        Some(_) => return Err(RebuildError::NotWhole { projection, generation }),
        None => return Err(RebuildError::UnknownGeneration { projection, generation }),
    }
    // The checkpoints' locks keep the serving generation where it is.
    let behind: i64 = sqlx::query_scalar(
        "WITH locked AS (
             SELECT generation, partition, sequence FROM recourse.checkpoints WHERE projection = $1
             ORDER BY generation, partition
             FOR UPDATE
         )
         SELECT count(*)
         FROM recourse.generations g
         JOIN locked serving ON serving.generation = g.generation
         LEFT JOIN locked next ON next.partition = serving.partition AND next.generation = $2
         WHERE g.projection = $1 AND g.state = 'serving' AND COALESCE(next.sequence, -1) < serving.sequence",
    )
    .bind(projection)
    .bind(generation)
    .fetch_one(&mut *tx)
    .await?;
    if behind > 0 {
        refuse_stopped(&mut *tx, projection, generation).await?;
        return Ok(Tried::Behind);
    }
    sqlx::query(
        "UPDATE recourse.generations SET state = 'kept', since = now() WHERE projection = $1 AND state = 'serving'",
    )
    .bind(projection)
    .execute(&mut *tx)
    .await?;
    generation::note(tx, layout, generation, "serving").await?;
    sqlx::query(LOCK_TIMEOUT).execute(&mut *tx).await?;
    match layout.show(tx, generation).await {
        Err(error) if is_lock_timeout(&error) => Ok(Tried::Held),
        shown => shown.map(|()| Tried::Switched).map_err(RebuildError::from),
    }
}

/// The lock timed out, or the wait for it was a deadlock with a reader.
fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "55P03" || code == "40P01")
}
