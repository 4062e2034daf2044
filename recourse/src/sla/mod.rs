//! `recourse sla`: promised times of a running desk, over its public HTTP API.

mod draft;
mod report;
mod run;

pub(crate) use run::{Args, run};
