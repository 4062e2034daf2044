//! A workbook for Excel and its kin.
//!
//! A workbook is a ZIP file whose members have to be whole before they are written, so that rows
//! are kept on the disk until the last of them has come.

use std::io::Write;

use domain::people::Language;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::super::item::{Field, TicketRow};
use super::column::{Cell, Column};
use super::encode::{EncodeError, Encoder};
use super::language;
use super::reading::Batch;

/// What Excel takes on one sheet, the titles included. More goes to further sheets.
const SHEET_ROWS_MAX: u32 = 1_048_576;

/// As wide as a time is; texts that are wider run over what is empty, as in every sheet.
const COLUMN_WIDTH: f64 = 20.0;

/// Bytes of XML around the content of a cell, at most.
const CELL_BYTES_MAX: u64 = 100;

/// Bytes of XML that one byte of a text becomes, at most: a control character is written `_x0001_`.
const ESCAPED_BYTES_MAX: u64 = 7;

/// Days begin to be dates here; Excel knows none before.
const FIRST_DAY: civil::Date = civil::date(1900, 1, 1);

pub(super) struct Xlsx<W> {
    to: W,
    workbook: Workbook,
    language: Language,
    columns: Vec<(u16, Column)>,
    sheet: Worksheet,
    sheets: u32,
    /// The next row of the sheet that is free.
    row: u32,
    rows_max: u32,
    /// More than all sheets can have.
    bytes_max: u64,
    title: Format,
    time: Format,
}

impl<W: Write> Xlsx<W> {
    pub(super) fn begin(to: W, fields: &[Field], language: Language) -> Result<Self, EncodeError> {
        Self::with_sheets_of(SHEET_ROWS_MAX, to, fields, language)
    }

    fn with_sheets_of(rows_max: u32, to: W, fields: &[Field], language: Language) -> Result<Self, EncodeError> {
        let mut workbook = Workbook::new();
        let sheet = workbook.new_worksheet_with_constant_memory()?;
        let mut xlsx = Self {
            to,
            workbook,
            language,
            columns: (0..).zip(Column::all(fields)).collect(),
            sheet,
            sheets: 1,
            row: 0,
            rows_max,
            bytes_max: 0,
            title: Format::new().set_bold(),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        };
        xlsx.titles()?;
        Ok(xlsx)
    }

    fn titles(&mut self) -> Result<(), XlsxError> {
        let name = match self.sheets {
            1 => language::tickets(self.language).to_owned(),
            number => format!("{} {number}", language::tickets(self.language)),
        };
        self.sheet.set_name(name)?;
        self.sheet.set_freeze_panes(1, 0)?;
        for (place, column) in &self.columns {
            let mut title = language::title(self.language, *column);
            if column.is_time() {
                title.push_str(" (UTC)");
            }
            self.sheet.set_column_width(*place, COLUMN_WIDTH)?;
            self.sheet.write_string_with_format(0, *place, title, &self.title)?;
        }
        self.row = 1;
        Ok(())
    }

    fn next_sheet(&mut self) -> Result<(), XlsxError> {
        let next = self.workbook.new_worksheet_with_constant_memory()?;
        let full = std::mem::replace(&mut self.sheet, next);
        self.workbook.push_worksheet(full);
        self.sheets = self.sheets.saturating_add(1);
        self.titles()
    }

    fn write_row(&mut self, row: &TicketRow, batch: &Batch) -> Result<(), XlsxError> {
        if self.row >= self.rows_max {
            self.next_sheet()?;
        }
        for (place, column) in &self.columns {
            let (at, place, sheet) = (self.row, *place, &mut self.sheet);
            self.bytes_max = self.bytes_max.saturating_add(CELL_BYTES_MAX);
            match column.cell(row, batch) {
                Cell::Nothing => {}
                // Written as what it is, so that it is never a formula, whatever it begins with.
                Cell::Words(text) | Cell::Code(text) => {
                    let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
                    self.bytes_max = self.bytes_max.saturating_add(bytes.saturating_mul(ESCAPED_BYTES_MAX));
                    sheet.write_string(at, place, text.as_ref())?;
                }
                Cell::Number(number) => {
                    // A double holds every whole number that a desk counts to.
                    sheet.write(at, place, number)?;
                }
                Cell::Flag(flag) => {
                    sheet.write_boolean(at, place, flag)?;
                }
                Cell::Time(time) => match civil_time(time) {
                    Some(time) => {
                        sheet.write_datetime_with_format(at, place, time, &self.time)?;
                    }
                    None => {
                        sheet.write_string(at, place, time.to_string())?;
                    }
                },
            }
        }
        self.row = self.row.saturating_add(1);
        Ok(())
    }
}

impl<W: Write + Send> Encoder<W> for Xlsx<W> {
    fn rows(&mut self, batch: &Batch) -> Result<(), EncodeError> {
        for row in &batch.rows {
            self.write_row(row, batch)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<W, EncodeError> {
        self.workbook.push_worksheet(self.sheet);
        // Only a file that may need it has the ZIP format's large form, because not everybody reads that.
        self.workbook.use_zip_large_file(self.bytes_max > u64::from(u32::MAX));
        self.workbook.save_to_writer(&mut self.to)?;
        Ok(self.to)
    }
}

/// The time in UTC, if sheets have it as a date.
fn civil_time(at: Timestamp) -> Option<civil::DateTime> {
    let time = at.to_zoned(TimeZone::UTC).datetime();
    (time.date() >= FIRST_DAY).then_some(time)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::Reader as _;
    use jiff_sqlx::ToSqlx as _;
    use uuid::Uuid;

    use super::*;
    use crate::names::Names;

    fn row(number: i64) -> TicketRow {
        let at = Timestamp::UNIX_EPOCH.to_sqlx();
        TicketRow {
            rank: None,
            id: Uuid::from_u128(1),
            number,
            subject: "=1+1".to_owned(),
            status: "new".to_owned(),
            status_rank: 0,
            ticket_type: "defect".to_owned(),
            priority: "low".to_owned(),
            priority_rank: 0,
            category: None,
            system: None,
            environment: None,
            service: None,
            product: None,
            platform_version: None,
            requester_id: Uuid::from_u128(2),
            organisation_id: None,
            group_id: None,
            project_id: None,
            assignee_id: None,
            created_at: at,
            updated_at: at,
            due_at: None,
            rating: None,
            revision: 1,
        }
    }

    #[test]
    fn what_does_not_fit_on_a_sheet_goes_on_on_the_next_under_the_same_titles() {
        let fields = [Field::Number, Field::Subject];
        let xlsx = Xlsx::with_sheets_of(4, Vec::new(), &fields, Language::English).unwrap();
        let mut xlsx = Box::new(xlsx);
        for rows in [vec![row(1), row(2)], vec![row(3), row(4), row(5), row(6), row(7)]] {
            let batch = Batch {
                rows,
                names: Names::default(),
                now: Timestamp::UNIX_EPOCH,
            };
            xlsx.rows(&batch).unwrap();
        }
        let file = xlsx.finish().unwrap();
        let mut book = calamine::Xlsx::new(Cursor::new(file)).unwrap();
        assert_eq!(book.sheet_names(), ["Tickets", "Tickets 2", "Tickets 3"]);
        let mut numbers = Vec::new();
        for (name, sheet) in book.worksheets() {
            let mut rows = sheet.rows();
            assert_eq!(rows.next().unwrap()[0].to_string(), "Number", "{name}");
            numbers.extend(rows.map(|row| row[0].to_string()));
        }
        assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7"]);
    }

    #[test]
    fn a_time_before_sheets_have_dates_is_no_date() {
        assert!(civil_time("1899-12-31T23:59:59Z".parse().unwrap()).is_none());
        assert!(civil_time("1900-01-01T00:00:00Z".parse().unwrap()).is_some());
    }
}
