//! The scheduler against a real log and a real Postgres, with a clock that tests move.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod crash;
mod desk;
mod outage;
mod timeouts;
