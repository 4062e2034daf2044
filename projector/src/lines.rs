//! Rows as lines of `COPY`: on their way to Postgres, and summed up on the way.

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
    /// Adds a row, as `COPY` writes it.
    pub(crate) fn add(&mut self, line: &[u8]) {
        // Its keys are constant, so that two processes come to the same.
        let mut hasher = DefaultHasher::new();
        hasher.write(line);
        self.rows = self.rows.wrapping_add(1);
        self.checksum = self.checksum.wrapping_add(hasher.finish());
    }
}

/// Lines of one table that belong together.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) table: &'static str,
    /// As a list in SQL.
    pub(crate) columns: String,
    pub(crate) text: String,
}

#[derive(Debug)]
struct TableLines {
    columns: String,
    text: String,
    sum: Sum,
}

/// Lines of several tables.
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
            text: String::new(),
            sum: Sum::default(),
        });
        for row in rows {
            let start = lines.text.len();
            row.copy(&mut lines.text);
            lines.sum.add(lines.text.as_bytes().get(start..).unwrap_or_default());
            lines.text.push('\n');
        }
    }

    /// Takes out what has grown to this many bytes.
    pub(crate) fn take(&mut self, bytes_min: usize) -> Vec<Chunk> {
        let full = self
            .tables
            .iter_mut()
            .filter(|(_, lines)| lines.text.len() >= bytes_min);
        full.map(|(table, lines)| Chunk {
            table,
            columns: lines.columns.clone(),
            text: std::mem::take(&mut lines.text),
        })
        .collect()
    }

    /// Forgets the lines themselves.
    pub(crate) fn discard(&mut self) {
        self.tables.values_mut().for_each(|lines| lines.text.clear());
    }

    /// Each table with its columns, and the sum of all rows that were ever added.
    pub(crate) fn sums(&self) -> impl Iterator<Item = (&'static str, &str, Sum)> {
        self.tables
            .iter()
            .map(|(table, lines)| (*table, lines.columns.as_str(), lines.sum))
    }
}
