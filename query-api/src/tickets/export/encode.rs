//! From batches of rows to bytes.

use std::io::{self, Write};

use ::parquet::errors::ParquetError;
use domain::people::Language;
use rust_xlsxwriter::XlsxError;
use tokio::sync::mpsc;

use super::super::item::Field;
use super::csv::Csv;
use super::format::Format;
use super::ndjson::Ndjson;
use super::outlet::Outlet;
use super::parquet::Parquet;
use super::reading::Batch;
use super::running::Running;
use super::xlsx::Xlsx;

/// What the database has to say to an encoder. Rows that stop without `End` were not all.
#[derive(Debug)]
pub(super) enum Input {
    Batch(Batch),
    End,
}

/// Why a file did not become whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum EncodeError {
    #[error("a row cannot be written as CSV")]
    Csv(#[from] ::csv::Error),
    #[error("a row cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("a row cannot be written to a sheet")]
    Xlsx(#[from] XlsxError),
    #[error("a row cannot be written as Parquet")]
    Parquet(#[from] ParquetError),
    #[error("the file cannot be written")]
    Write(#[from] io::Error),
    #[error("the rows broke off")]
    Unfinished,
}

/// Writes one kind of file to a `W`.
pub(super) trait Encoder<W>: Send {
    /// Writes some rows.
    fn rows(&mut self, batch: &Batch) -> Result<(), EncodeError>;

    /// Writes what comes after the last row.
    fn finish(self: Box<Self>) -> Result<W, EncodeError>;
}

/// What a file is like.
#[derive(Debug)]
pub(super) struct Style {
    pub(super) format: Format,
    pub(super) language: Language,
    pub(super) fields: Vec<Field>,
}

impl Style {
    /// An encoder, which has written what comes before the first row.
    pub(super) fn begin<W: Write + Send + 'static>(self, to: W) -> Result<Box<dyn Encoder<W>>, EncodeError> {
        Ok(match self.format {
            Format::Csv => Box::new(Csv::begin(to, &self.fields, self.language)?),
            Format::Ndjson => Box::new(Ndjson::begin(to, self.fields)),
            Format::Xlsx => Box::new(Xlsx::begin(to, &self.fields, self.language)?),
            Format::Parquet => Box::new(Parquet::begin(to, self.fields)?),
        })
    }
}

/// Encodes all that comes in, and returns how many rows it was. Blocks: for a thread of its own.
/// The place among those that run is taken for as long as it is at it.
pub(super) fn encode(
    style: Style,
    mut input: mpsc::Receiver<Input>,
    outlet: Outlet,
    place: Running,
) -> Result<usize, EncodeError> {
    let mut count = 0_usize;
    let mut encoder = style.begin(outlet)?;
    loop {
        match input.blocking_recv() {
            Some(Input::Batch(batch)) => {
                encoder.rows(&batch)?;
                count = count.saturating_add(batch.rows.len());
            }
            Some(Input::End) => break,
            None => return Err(EncodeError::Unfinished),
        }
    }
    encoder.finish()?.finish()?;
    drop(place);
    Ok(count)
}
