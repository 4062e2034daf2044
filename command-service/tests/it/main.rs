//! The command service over HTTP, in front of a real log.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of integration tests stand outside of test functions; a test that cannot go on panics"
)]

mod access;
mod bulk;
mod calendars;
mod commands;
mod desk;
mod idempotency;
mod links;
mod notices;
mod outage;
mod policies;
mod refusals;
mod settings;
mod times;
