//! The stored form: golden bytes, laws, damage, and the catalogue in `docs/events.md`.

// Helpers of integration tests stand outside of test functions, which these lints would spare.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod arbitrary;
mod arbitrary_policy;
mod catalogue;
mod clock_samples;
mod damage;
mod golden;
mod item_samples;
mod laws;
mod samples;
