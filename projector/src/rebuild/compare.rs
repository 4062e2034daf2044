//! What the log makes of a partition, and what its tables hold.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use sqlx::postgres::PgConnection;

use super::fill::Folded;
use crate::generation::Schema;
use crate::lines::{COPY_START, CopyTable, Sum};

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

/// Compares a table with what folds of all its partitions came to.
pub(super) async fn compare(
    db: &mut PgConnection,
    schema: Schema,
    table: &CopyTable,
    folded: &[Folded],
) -> Result<Vec<Comparison>, sqlx::Error> {
    let mut found = found(db, schema, table).await?;
    let mut comparisons = Vec::new();
    let mut compare = |partition, expected, found| {
        comparisons.push(Comparison {
            table: format!("{schema}.{}", table.name),
            partition,
            expected,
            found,
        });
    };
    for Folded { stretch, lines, .. } in folded {
        let partition = stretch.key.partition;
        let found = found.remove(&i32::from(partition)).unwrap_or_default();
        compare(partition, lines.sum(table.name), found);
    }
    // Nothing may be there of partitions that do not exist.
    for (partition, found) in found {
        compare(u16::try_from(partition).unwrap_or(u16::MAX), Sum::default(), found);
    }
    Ok(comparisons)
}

/// Sums up a table by partition, in one pass.
async fn found(db: &mut PgConnection, schema: Schema, table: &CopyTable) -> Result<BTreeMap<i32, Sum>, sqlx::Error> {
    let (name, columns) = (table.name, &table.columns);
    let partition = if table.has_partition() {
        "partition"
    } else {
        "0::integer"
    };
    let sql = format!("COPY (SELECT {columns}, {partition} FROM {schema}.{name}) TO STDOUT (FORMAT binary)");
    let mut stream = db.copy_out_raw(&sql).await?;
    let mut sums: BTreeMap<i32, Sum> = BTreeMap::new();
    // Postgres sends each tuple in a message of its own, the first together with the start.
    let mut start = Some(COPY_START);
    while let Some(message) = stream.try_next().await? {
        let mut tuple = &message[..];
        if let Some(start) = start.take() {
            tuple = tuple.strip_prefix(start).ok_or_else(unreadable)?;
        }
        if let Some((values, partition)) = split(tuple) {
            sums.entry(partition).or_default().add(values);
        } else if tuple.len() > size_of::<i16>() {
            return Err(unreadable());
        }
    }
    Ok(sums)
}

/// A tuple's values without the last, and the last: a number of 32 bits after its length. None of the end.
fn split(tuple: &[u8]) -> Option<(&[u8], i32)> {
    let (_, values) = tuple.split_first_chunk::<2>()?;
    let (values, partition) = values.split_last_chunk::<4>()?;
    let (values, length) = values.split_last_chunk::<4>()?;
    (i32::from_be_bytes(*length) == 4).then_some((values, i32::from_be_bytes(*partition)))
}

fn unreadable() -> sqlx::Error {
    sqlx::Error::Protocol("a binary COPY is not as its documentation says".to_owned())
}
