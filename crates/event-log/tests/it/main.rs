//! The log on a real nats-server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of integration tests stand outside of test functions; a test that cannot go on panics"
)]

mod addresses;
mod backwards;
mod chain;
mod commands;
mod contracts;
mod credentials;
mod directory;
mod faults;
mod origins;
mod outbox;
mod policies;
mod reader;
mod streams;
mod support;
mod tokens;
mod twice;
mod two_processes;
