//! One item of the list a line, exactly as the list shows it.

use std::io::Write;

use super::super::item::{Field, Item};
use super::encode::{EncodeError, Encoder};
use super::reading::Batch;

pub(super) struct Ndjson<W> {
    to: W,
    fields: Vec<Field>,
}

impl<W: Write> Ndjson<W> {
    pub(super) const fn begin(to: W, fields: Vec<Field>) -> Self {
        Self { to, fields }
    }
}

impl<W: Write + Send> Encoder<W> for Ndjson<W> {
    fn rows(&mut self, batch: &Batch) -> Result<(), EncodeError> {
        for row in &batch.rows {
            let item = Item {
                row,
                fields: &self.fields,
                names: &batch.names,
                now: batch.now,
            };
            serde_json::to_writer(&mut self.to, &item)?;
            self.to.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<W, EncodeError> {
        Ok(self.to)
    }
}
