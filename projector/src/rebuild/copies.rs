//! The tables of a new generation, each written by one `COPY` in a transaction of its own.
//!
//! The transaction empties the table first. So Postgres need not log what it would remove again after a crash (where
//! it logs no more than it must), and may mark the rows as old at once, which a vacuum would have to do later.
//! Nobody sees a generation before it is whole: what a crash leaves of one is removed by the next rebuild.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::error::RebuildError;
use crate::database::Database;
use crate::generation::Schema;
use crate::lines::{COPY_END, COPY_START, CopyTable};

/// Chunks that wait for their table: one while another is written.
const CHUNKS_WAITING: usize = 1;

/// Takes tuples to their tables. When the last clone is gone, the tables are complete.
#[derive(Debug, Clone)]
pub(super) struct Copies {
    tables: BTreeMap<&'static str, mpsc::Sender<Vec<u8>>>,
}

/// The tasks that write.
#[derive(Debug)]
pub(super) struct Writers {
    tasks: JoinSet<Result<(), RebuildError>>,
}

impl Copies {
    /// Begins to write all these tables.
    pub(super) fn start(database: &Arc<Database>, schema: Schema, tables: Vec<CopyTable>) -> (Self, Writers) {
        let mut writers = JoinSet::new();
        let mut senders = BTreeMap::new();
        for table in tables {
            let (sender, chunks) = mpsc::channel(CHUNKS_WAITING);
            senders.insert(table.name, sender);
            let database = Arc::clone(database);
            writers.spawn(async move {
                let mut db = database.own_connection().await?;
                write(&mut db, schema, &table, chunks).await?;
                db.close().await?;
                Ok(())
            });
        }
        (Self { tables: senders }, Writers { tasks: writers })
    }

    /// Sends chunks on their way. A table whose writer has failed takes no more: what [`Writers::finish`] says is
    /// why.
    pub(super) async fn send(&self, chunks: Vec<(&'static str, Vec<u8>)>) -> Result<(), RebuildError> {
        for (table, tuples) in chunks {
            let sender = self.tables.get(table).ok_or(RebuildError::Unwritten)?;
            sender.send(tuples).await.map_err(|_| RebuildError::Unwritten)?;
        }
        Ok(())
    }
}

impl Writers {
    /// Waits until all tables are complete.
    pub(super) async fn finish(mut self) -> Result<(), RebuildError> {
        while let Some(written) = self.tasks.join_next().await {
            written??;
        }
        Ok(())
    }
}

async fn write(
    db: &mut PgConnection,
    schema: Schema,
    table: &CopyTable,
    mut chunks: mpsc::Receiver<Vec<u8>>,
) -> Result<(), sqlx::Error> {
    // Names of this crate alone.
    let CopyTable { name, columns } = table;
    let mut tx = db.begin().await?;
    sqlx::query(sqlx::AssertSqlSafe(format!("TRUNCATE {schema}.{name}")))
        .execute(&mut *tx)
        .await?;
    let sql = format!("COPY {schema}.{name} ({columns}) FROM STDIN (FORMAT binary, FREEZE)");
    let mut copy = tx.copy_in_raw(&sql).await?;
    copy.send(COPY_START).await?;
    while let Some(tuples) = chunks.recv().await {
        copy.send(tuples).await?;
    }
    copy.send(&COPY_END.to_be_bytes()[..]).await?;
    copy.finish().await?;
    tx.commit().await
}
