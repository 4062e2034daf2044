//! Reading JSON bodies, with everything that is wrong with one told at once.
//!
//! * [`Fields`]: the fields of one flat body.
//! * [`calendar`], [`policy`]: calendars and policies as people write them, and as [`crate::written`] writes them.

pub mod calendar;
mod fields;
pub mod policy;
mod reader;

pub use fields::{Fields, Unreadable, few, instant, instant_or_date, object, pointer, string, text, uuid};
