//! `recourse calendar`: calendars of a running desk, over its public HTTP API.

mod run;

pub(crate) use run::{Args, run};
