//! Holidays out of iCalendar files (RFC 5545): their all-day events, as dates.
//!
//! Strict where a mistake would silently make a working day of a holiday: what cannot be read is
//! refused with its line. What is certainly no holiday, such as a meeting at an hour, is passed
//! over and reported.

mod event;
mod lines;
mod recurrence;
mod unreadable;

pub(crate) use event::{Holidays, holidays};
pub(crate) use unreadable::Unreadable;
