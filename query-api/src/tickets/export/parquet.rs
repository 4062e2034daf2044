//! Typed columns for programs that analyse.

use std::io::Write;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{
    ArrayRef, BooleanArray, Int16Array, Int64Array, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, DataType, Field as Typed, Fields, Schema, TimeUnit};
use jiff::Timestamp;

use super::super::item::{Field, TicketRow};
use super::column::{id, points_to};
use super::encode::{EncodeError, Encoder};
use super::reading::Batch;

/// Rows that are kept until their group is written: some ten megabytes of columns, compressed to a
/// few. Groups of this size are also what readers skip well.
const GROUP_ROWS_MAX: usize = 65_536;

/// All times are in it.
const UTC: &str = "UTC";

pub(super) struct Parquet<W: Write + Send> {
    to: ArrowWriter<W>,
    schema: Arc<Schema>,
    fields: Vec<Field>,
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn begin(to: W, fields: Vec<Field>) -> Result<Self, ParquetError> {
        let columns: Vec<Typed> = fields.iter().map(|field| typed(*field)).collect();
        let schema = Arc::new(Schema::new(columns));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
            .build();
        let to = ArrowWriter::try_new(to, Arc::clone(&schema), Some(properties))?;
        Ok(Self { to, schema, fields })
    }
}

impl<W: Write + Send> Encoder<W> for Parquet<W> {
    fn rows(&mut self, batch: &Batch) -> Result<(), EncodeError> {
        let columns: Result<Vec<ArrayRef>, ArrowError> =
            self.fields.iter().map(|field| column(*field, batch)).collect();
        let records = columns.and_then(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns));
        self.to.write(&records.map_err(ParquetError::from)?)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<W, EncodeError> {
        Ok(self.to.into_inner()?)
    }
}

/// Whoever a column points to, as the contract shows them.
fn entry() -> Fields {
    Fields::from(vec![
        Typed::new("id", DataType::Utf8, false),
        Typed::new("name", DataType::Utf8, true),
    ])
}

fn typed(field: Field) -> Typed {
    let (data_type, nullable) = match field {
        Field::Id | Field::Subject | Field::Status | Field::Type | Field::Priority => (DataType::Utf8, false),
        Field::Number | Field::Revision => (DataType::Int64, false),
        Field::Category
        | Field::System
        | Field::Environment
        | Field::Service
        | Field::Product
        | Field::PlatformVersion => (DataType::Utf8, true),
        Field::Requester => (DataType::Struct(entry()), false),
        Field::Organisation | Field::Group | Field::Project | Field::Assignee => (DataType::Struct(entry()), true),
        Field::CreatedAt | Field::UpdatedAt => (DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())), false),
        Field::DueAt => (DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())), true),
        Field::Overdue => (DataType::Boolean, false),
        Field::Rating => (DataType::Int16, true),
    };
    Typed::new(field.as_str(), data_type, nullable)
}

fn column(field: Field, batch: &Batch) -> Result<ArrayRef, ArrowError> {
    let rows = &batch.rows;
    Ok(match field {
        Field::Id => Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.id.to_string()))),
        Field::Number => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.number))),
        Field::Subject => texts(rows, |row| Some(&row.subject)),
        Field::Status => texts(rows, |row| Some(&row.status)),
        Field::Type => texts(rows, |row| Some(&row.ticket_type)),
        Field::Priority => texts(rows, |row| Some(&row.priority)),
        Field::Category => texts(rows, |row| row.category.as_deref()),
        Field::System => texts(rows, |row| row.system.as_deref()),
        Field::Environment => texts(rows, |row| row.environment.as_deref()),
        Field::Service => texts(rows, |row| row.service.as_deref()),
        Field::Product => texts(rows, |row| row.product.as_deref()),
        Field::PlatformVersion => texts(rows, |row| row.platform_version.as_deref()),
        Field::Requester | Field::Organisation | Field::Group | Field::Project | Field::Assignee => {
            entries(field, batch)?
        }
        Field::CreatedAt => times(rows, |row| Some(row.created_at)),
        Field::UpdatedAt => times(rows, |row| Some(row.updated_at)),
        Field::DueAt => times(rows, |row| row.due_at),
        Field::Overdue => {
            let overdue = rows.iter().map(|row| Some(row.is_overdue(batch.now)));
            Arc::new(overdue.collect::<BooleanArray>())
        }
        Field::Rating => Arc::new(rows.iter().map(|row| row.rating).collect::<Int16Array>()),
        Field::Revision => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.revision))),
    })
}

fn texts<'r>(rows: &'r [TicketRow], text: impl Fn(&'r TicketRow) -> Option<&'r str>) -> ArrayRef {
    Arc::new(rows.iter().map(text).collect::<StringArray>())
}

fn times(rows: &[TicketRow], time: impl Fn(&TicketRow) -> Option<jiff_sqlx::Timestamp>) -> ArrayRef {
    let micros = rows.iter().map(|row| {
        time(row)
            .map(jiff_sqlx::Timestamp::to_jiff)
            .map(Timestamp::as_microsecond)
    });
    Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone(UTC))
}

fn entries(field: Field, batch: &Batch) -> Result<ArrayRef, ArrowError> {
    let ids = batch.rows.iter().map(|row| id(row, field));
    let names: StringArray = ids
        .clone()
        .map(|id| {
            points_to(field)
                .zip(id)
                .and_then(|(kind, id)| batch.names.name(kind, id))
        })
        .collect();
    let ids: StringArray = ids.map(|id| id.map(|id| id.to_string())).collect();
    // Nobody is no entry at all, instead of one without an id.
    let nobody = arrow_array::Array::nulls(&ids).cloned();
    let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(names)];
    Ok(Arc::new(StructArray::try_new(entry(), columns, nobody)?))
}
