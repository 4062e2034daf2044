//! Measurements, each beside its raw limit taken in the same run. Started by `cargo xtask bench`.

mod access;
mod bare;
mod bulk;
mod cell;
mod chunked;
mod commands;
mod desk;
mod http;
mod idle;
mod load;
mod machine;
mod process;
mod raw;
mod read;
mod report;
mod requests;
mod site;
mod statistics;
mod time;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

/// The allocator of `recourse`, so that the bare handler is given the same means.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the desk against the raw limits of what stands under it.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Commands and queries with a large directory, and with none.
    Access(access::Args),
    /// Commands a second over HTTP, against a bare publisher.
    Commands(commands::Args),
    /// Lists, search, dashboard, exports, and the read models themselves, at two sizes.
    Read(read::Args),
    /// Rehearsing history, and firing timers.
    Time(time::Args),
    /// The bare handler, as a process of its own.
    #[command(hide = true)]
    BareHandler(bare::Args),
    /// Start a child that cannot outlive its parent.
    #[command(name = servers::launch::SUBCOMMAND, hide = true)]
    ExecServer {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Access(args) => access::run(&args),
        Command::Commands(args) => commands::run(&args),
        Command::Read(args) => read::run(&args),
        Command::Time(args) => time::run(&args),
        Command::BareHandler(args) => bare::run(&args),
        Command::ExecServer { args } => Err(servers::launch::exec(args).into()),
    }
}
