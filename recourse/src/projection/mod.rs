//! `recourse projection`: what operators do with the read models.

mod args;
mod report;
mod run;

pub(crate) use args::Args;
pub(crate) use run::run;
