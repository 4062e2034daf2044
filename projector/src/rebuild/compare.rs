//! What the log makes of a partition, and what its tables hold.

use futures::TryStreamExt as _;
use sqlx::postgres::PgConnection;

use crate::checkpoint::Key;
use crate::lines::{Lines, Sum};

/// One table on one partition: what the log makes of it, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The table, with its schema.
    pub table: String,
    /// The partition.
    pub partition: u16,
    /// What a fold of the log comes to.
    pub expected: Sum,
    /// What Postgres has.
    pub found: Sum,
}

impl Comparison {
    /// Whether the table is what the log says.
    pub fn is_equal(&self) -> bool {
        self.expected == self.found
    }
}

/// Compares the tables of a partition with the lines that a fold of the log came to.
pub(super) async fn compare(db: &mut PgConnection, key: Key, lines: &Lines) -> Result<Vec<Comparison>, sqlx::Error> {
    let mut comparisons = Vec::new();
    for (table, columns, expected) in lines.sums() {
        comparisons.push(Comparison {
            table: format!("{}.{table}", key.schema()),
            partition: key.partition,
            expected,
            found: found(db, key, table, columns).await?,
        });
    }
    Ok(comparisons)
}

async fn found(db: &mut PgConnection, key: Key, table: &str, columns: &str) -> Result<Sum, sqlx::Error> {
    // A directory has no partitions.
    let condition = if columns.split(", ").any(|column| column == "partition") {
        format!(" WHERE partition = {}", key.partition)
    } else {
        String::new()
    };
    let schema = key.schema();
    let sql = format!("COPY (SELECT {columns} FROM {schema}.{table}{condition}) TO STDOUT");
    let mut stream = db.copy_out_raw(&sql).await?;
    let mut sum = Sum::default();
    let mut begun: Vec<u8> = Vec::new();
    while let Some(bytes) = stream.try_next().await? {
        // A line feed within a value is written as an escape, so that this one ends a row.
        let mut rest = &bytes[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            begun.extend_from_slice(line);
            sum.add(&begun);
            begun.clear();
            rest = after.get(1..).unwrap_or_default();
        }
        begun.extend_from_slice(rest);
    }
    Ok(sum)
}
