//! Rows as tuples of a binary `COPY`: on their way to Postgres, and summed up on the way.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};

use crate::table::{Table, names};

/// Rows of one table: how many, and a checksum that does not depend on their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many rows.
    pub rows: u64,
    /// The sum of the rows' hashes.
    pub checksum: u64,
}

impl Sum {
    /// Adds a row: its values as a binary `COPY` has them.
    pub(crate) fn add(&mut self, values: &[u8]) {
        // Its keys are constant, so that two processes come to the same.
        let mut hasher = DefaultHasher::new();
        hasher.write(values);
        self.rows = self.rows.wrapping_add(1);
        self.checksum = self.checksum.wrapping_add(hasher.finish());
    }
}

/// What a binary `COPY` begins with: its signature, no flags, no extension.
pub(crate) const COPY_START: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What it ends with, in place of a tuple's number of values.
pub(crate) const COPY_END: i16 = -1;

/// A table, and its columns as a list in SQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CopyTable {
    pub(crate) name: &'static str,
    pub(crate) columns: String,
}

impl CopyTable {
    /// Whether its rows say which partition they come from. A directory has no partitions.
    pub(crate) fn has_partition(&self) -> bool {
        self.columns.split(", ").any(|column| column == "partition")
    }
}

#[derive(Debug)]
struct TableLines {
    columns: String,
    tuples: Vec<u8>,
    sum: Sum,
}

/// Tuples of several tables.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    tables: BTreeMap<&'static str, TableLines>,
}

impl Lines {
    /// A table that is there although it has no rows yet.
    #[must_use]
    pub(crate) fn with<T: Table>(mut self) -> Self {
        self.push::<T>(&[]);
        self
    }

    /// Adds rows.
    pub(crate) fn push<T: Table>(&mut self, rows: &[T]) {
        let lines = self.tables.entry(T::NAME).or_insert_with(|| TableLines {
            columns: names::<T>(),
            tuples: Vec::new(),
            sum: Sum::default(),
        });
        // Tables have some dozen columns.
        let values = i16::try_from(T::columns().len()).unwrap_or(i16::MAX).to_be_bytes();
        for row in rows {
            lines.tuples.extend(values);
            let start = lines.tuples.len();
            row.copy(&mut lines.tuples);
            lines.sum.add(lines.tuples.get(start..).unwrap_or_default());
        }
    }

    /// Takes out the tuples of each table that have grown to this many bytes.
    pub(crate) fn take(&mut self, bytes_min: usize) -> Vec<(&'static str, Vec<u8>)> {
        let full = self
            .tables
            .iter_mut()
            .filter(|(_, lines)| lines.tuples.len() >= bytes_min);
        // The next will come to as much.
        full.map(|(table, lines)| {
            let next = Vec::with_capacity(lines.tuples.capacity());
            (*table, std::mem::replace(&mut lines.tuples, next))
        })
        .collect()
    }

    /// Forgets the tuples themselves.
    pub(crate) fn discard(&mut self) {
        self.tables.values_mut().for_each(|lines| lines.tuples.clear());
    }

    /// Each table.
    pub(crate) fn tables(&self) -> Vec<CopyTable> {
        let table = |(name, lines): (&&'static str, &TableLines)| CopyTable {
            name,
            columns: lines.columns.clone(),
        };
        self.tables.iter().map(table).collect()
    }

    /// The sum of all rows that were ever added to a table.
    pub(crate) fn sum(&self, table: &str) -> Sum {
        self.tables.get(table).map_or_else(Sum::default, |lines| lines.sum)
    }
}
