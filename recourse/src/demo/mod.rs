//! `recourse demo`: tickets with whole lives, in any number, for a desk that has none yet.
//!
//! A life is planned first, as a pure function of the run's parameters and the ticket's number in the run, and
//! then carried out command by command through the log's own path, each at its own time.

mod clock;
mod dice;
mod figures;
mod hours;
mod life;
mod make;
mod people;
#[cfg(test)]
mod plan_tests;
mod run;
mod text;
mod ticket;
mod words;
mod world;

pub(crate) use run::{DemoArgs as Args, run};
