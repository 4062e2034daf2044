//! RFC 4180, in UTF-8 without a byte order mark, which programs take for a part of the first name.

use std::borrow::Cow;
use std::io::Write;

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use domain::people::Language;

use super::super::item::{Field, TicketRow};
use super::column::{Cell, Column};
use super::encode::{EncodeError, Encoder};
use super::language;
use super::reading::Batch;

/// Beginnings that make some spreadsheet take a text for a formula.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

pub(super) struct Csv<W: Write> {
    to: Writer<W>,
    columns: Vec<Column>,
}

impl<W: Write> Csv<W> {
    pub(super) fn begin(to: W, fields: &[Field], language: Language) -> Result<Self, EncodeError> {
        let columns = Column::all(fields);
        let mut to = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .quote_style(QuoteStyle::Necessary)
            .from_writer(to);
        // The contract's names are English, and programs look for them.
        let title = |column: &Column| match language {
            Language::English => column.name().into_owned(),
            Language::Russian | Language::Spanish => language::title(language, *column),
        };
        to.write_record(columns.iter().map(title))?;
        Ok(Self { to, columns })
    }

    fn row(&mut self, row: &TicketRow, batch: &Batch) -> Result<(), EncodeError> {
        for column in &self.columns {
            self.to.write_field(text(column.cell(row, batch)).as_bytes())?;
        }
        self.to.write_record(None::<&[u8]>)?;
        Ok(())
    }
}

impl<W: Write + Send> Encoder<W> for Csv<W> {
    fn rows(&mut self, batch: &Batch) -> Result<(), EncodeError> {
        batch.rows.iter().try_for_each(|row| self.row(row, batch))
    }

    fn finish(self: Box<Self>) -> Result<W, EncodeError> {
        self.to
            .into_inner()
            .map_err(|unwritten| EncodeError::Write(unwritten.into_error()))
    }
}

fn text(cell: Cell<'_>) -> Cow<'_, str> {
    match cell {
        Cell::Nothing => "".into(),
        Cell::Words(words) => harmless(words),
        Cell::Code(code) => code,
        Cell::Number(number) => number.to_string().into(),
        Cell::Flag(flag) => flag.to_string().into(),
        Cell::Time(at) => at.to_string().into(),
    }
}

/// People write what they like, and other people open the file: a formula would run as theirs.
fn harmless(words: Cow<'_, str>) -> Cow<'_, str> {
    if words.starts_with(FORMULA) {
        format!("'{words}").into()
    } else {
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peoples_words_are_no_formulas() {
        for words in ["=1+1", "+7 495", "-", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(text(Cell::Words(words.into())), format!("'{words}"));
        }
        for words in ["a=b", " =1", "'=1", "Печать", ""] {
            assert_eq!(text(Cell::Words(words.into())), words);
        }
    }

    #[test]
    fn what_is_ours_stays_as_it_is() {
        assert_eq!(text(Cell::Number(-1)), "-1");
        assert_eq!(text(Cell::Code("in_progress".into())), "in_progress");
        assert_eq!(
            text(Cell::Time("2026-03-02T09:00:00.000001Z".parse().unwrap())),
            "2026-03-02T09:00:00.000001Z"
        );
    }
}
