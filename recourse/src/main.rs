//! The one binary: the whole desk, each service, and the operators' tools.

mod api;
mod calendar;
mod cli;
mod demo;
mod files;
mod import;
mod openapi;
mod progress;
mod projection;
mod serve;
mod services;
mod sla;
mod token;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

/// Many small allocations of short life, from several threads: what it is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("recourse: {error:#}");
            ExitCode::FAILURE
        }
    }
}
