//! Pieces of work, as many at once as there is use for.

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::error::RebuildError;
use crate::checkpoint::Key;
use crate::database::Database;
use crate::projections::texts;

/// Partitions that are folded at once, and statements that Postgres carries out at once. Each fold keeps its
/// tickets in memory; more than the machine has cores would only take more of it.
const PARALLEL: usize = 2;

/// What sorting for an index may take. Whoever rebuilds has the machine's attention.
const INDEX_SESSION: &str = "SET maintenance_work_mem = '256MB'";

/// Does something with every piece, [`PARALLEL`] at once. Returns what came of them, in the order in which they were
/// done; when one fails the others are stopped.
pub(super) async fn side_by_side<W, T, E, F>(
    pieces: Vec<W>,
    carry_out: impl Fn(W) -> F + Clone + Send + 'static,
) -> Result<Vec<T>, E>
where
    W: Send + 'static,
    T: Send + 'static,
    E: From<tokio::task::JoinError> + Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(PARALLEL));
    let mut tasks = JoinSet::new();
    for piece in pieces {
        let (carry_out, slots) = (carry_out.clone(), Arc::clone(&slots));
        tasks.spawn(async move {
            let _slot = slots.acquire().await;
            carry_out(piece).await
        });
    }
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.push(done??);
    }
    Ok(all)
}

/// One thing to do in Postgres.
#[derive(Debug)]
pub(super) enum Work {
    Words(Key),
    Statement(String),
}

impl Work {
    async fn carry_out(self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Words(key) => texts::fill(db, key).await,
            Self::Statement(sql) => {
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await?;
                Ok(())
            }
        }
    }
}

/// Has Postgres do all of it, each piece with a connection of its own.
pub(super) async fn work_off(database: &Arc<Database>, work: Vec<Work>) -> Result<(), RebuildError> {
    let database = Arc::clone(database);
    side_by_side(work, move |work: Work| {
        let database = Arc::clone(&database);
        async move {
            let mut db = database.own_connection().await?;
            sqlx::query(INDEX_SESSION).execute(&mut db).await?;
            work.carry_out(&mut db).await?;
            db.close().await?;
            Ok::<(), RebuildError>(())
        }
    })
    .await?;
    Ok(())
}
