//! `recourse import`: other systems' histories, as commands over the public HTTP API.
//!
//! A source is read twice. The first reading maps all of it and sends nothing: it finds out how
//! much there is, what cannot be taken over and why, and which waits still run at the end. The
//! second reading maps the same rows to the same commands and sends them.

mod fields;
mod incident;
mod line;
mod mapping;
#[cfg(test)]
mod mapping_tests;
mod names;
mod path;
mod pending;
mod report;
mod run;
mod send;
mod source;

pub(crate) use run::{ImportArgs as Args, run};
