//! The list as a file.
//!
//! Three stages, each at its own pace and each with a bound on what it holds: [`reading`] fetches
//! batches of rows from one moment of the database, an encoder ([`csv`], [`ndjson`], [`xlsx`] or
//! [`parquet`]) turns them into bytes on a thread of its own, and [`outlet`] hands those to the
//! caller. [`handler`] puts them together, and [`running`] bounds how many there are.

mod column;
mod csv;
mod encode;
pub(crate) mod format;
mod handler;
pub(crate) mod language;
mod ndjson;
mod outlet;
mod parquet;
mod reading;
mod running;
mod xlsx;

pub(crate) use handler::export;
pub(crate) use running::Exports;
