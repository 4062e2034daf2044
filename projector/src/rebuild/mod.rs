//! Generations made from the log beside the one that serves, compared with it, and shown in its place.
//!
//! * `operator.rs`: what an operator can do, each in one call.
//! * `fill.rs`: a partition at once: read, fold in memory, copy.
//! * `compare.rs`: what the log makes of a partition, and what its tables hold.
//! * `switch.rs`: which generation readers see.
//! * `error.rs`: why not.

mod compare;
mod error;
mod fill;
mod operator;
mod switch;

pub use compare::Comparison;
pub use error::RebuildError;
pub use operator::{Listed, Operator, Pace, Progress};
