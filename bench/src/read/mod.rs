//! `bench read`: everything that is asked of the read models, at two sizes, and how fast they are made.
//!
//! * [`run()`] goes through the phases; [`state`] keeps what each of them found, so that a run can be split.
//! * [`crate::desk`] is a desk of so many made-up tickets; [`values`] what they can be asked by.
//! * [`cases`] enumerates the requests, and [`timed`] asks them.
//! * [`fills`] measures the live projection, the rebuild, and their raw limits; [`exports`] and [`visible`] the rest.
//! * [`tables`] is the report.

mod cases;
mod exports;
pub(crate) mod fills;
mod run;
pub(crate) mod state;
mod tables;
pub(crate) mod timed;
mod values;
mod visible;

pub(crate) use run::{Args, make, run};
