//! Reading JSON bodies, with everything that is wrong with one told at once.
//!
//! * [`json`]: what a body says, if it says it once.
//! * [`Fields`]: the fields of one flat body.
//! * [`calendar`], [`policy`], [`people`]: calendars, policies and profiles, portals and items of the catalogue among
//!   them, as people write them, and as [`crate::written`] writes them.

pub mod calendar;
mod catalogue;
mod fields;
pub mod people;
pub mod policy;
mod portal;
mod reader;
mod strict;

pub use fields::{
    Fields, Unreadable, few, instant, instant_or_date, object, one_of, pointer, string, text, uuid, whole,
};
pub use strict::json;
