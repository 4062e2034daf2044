//! Generations made from the log beside the one that serves, compared with it, and shown in its place.
//!
//! * `operator.rs`: what an operator can do, each in one call.
//! * `fill.rs`: a partition at once: read, fold in memory.
//! * `copies.rs`: what was folded on its way to the tables.
//! * `side_by_side.rs`: what is done at once.
//! * `compare.rs`: what the log makes of a partition, and what its tables hold.
//! * `switch.rs`: which generation readers see.
//! * `error.rs`: why not.

mod compare;
mod copies;
mod error;
mod fill;
mod operator;
mod side_by_side;
mod switch;

pub use compare::Comparison;
pub use error::RebuildError;
pub use operator::{Listed, Operator, Pace, Progress};
