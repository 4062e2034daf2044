//! The rules of the support desk.
//!
//! Everything here is a pure function of its arguments: no input or output, no clock, no
//! randomness, no stored form. Services are loops around this crate.
//!
//! * [`ticket`]: a ticket's life. [`ticket::decide`] turns a command into events or a
//!   [`ticket::Rejection`]; [`ticket::Ticket::evolve`] turns events into state.
//! * [`access`]: who may see what.
//! * [`calendar`] and [`policy`]: working time, and how long a ticket waits.
//! * [`sla`]: what the desk promises, and how each minute of that counts.
//! * [`contract`]: what was agreed with organisations and users.
//! * [`digest`]: of which stretches of time digests are.
//! * [`workflow`]: which statuses and commands are used for whom, and what people call them.
//! * [`catalogue`]: the types, priorities and categories that a desk offers.
//! * [`address`]: whose an e-mail address is.
//! * [`people`]: what is known of users, groups, organisations, roles, permission sets, projects and portals.
//! * [`rights`]: what users may do by them.
//! * [`project`]: named sets of tickets, and who follows them.
//! * [`portal`]: what customers see of the desk, and what of it they may change.
//! * [`sign_in`]: logins, which passwords may be chosen, and how long who guesses has to wait.
//! * [`notice`]: whom what happens concerns, and who is told of it.
//! * [`settings`]: what users choose for themselves.
//! * [`token_scope`]: what a token may be used for.
//! * [`directory`]: the names behind the ids.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

pub mod access;
pub mod actor;
pub mod address;
pub mod calendar;
pub mod catalogue;
pub mod contract;
pub mod digest;
pub mod directory;
pub mod durations;
pub mod ids;
pub mod notice;
pub mod people;
pub mod policy;
pub mod portal;
pub mod project;
pub mod reference;
pub mod rights;
pub mod settings;
pub mod sign_in;
pub mod sla;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod ticket;
pub mod token_scope;
mod words;
pub mod workflow;

pub use jiff::Timestamp;

/// Nothing happens before the year 1. RFC 3339 writes no year before 0, and Postgres keeps none long before it: a
/// record from such a time could never be shown.
pub const EARLIEST: Timestamp = Timestamp::constant(-62_135_596_800, 0);
