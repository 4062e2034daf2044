//! The one entry point for developers and CI: `cargo xtask up | test | check | bench | openapi | provide`.

mod cargo;
mod check;
mod packages;
mod provide;
mod test;

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Builds, runs, tests and measures the desk.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the desk, provide nats-server and Postgres, and start everything; arguments go to `recourse up`.
    Up {
        /// Arguments of `recourse up`; see `cargo xtask up -- --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Provide the servers and run every test of the workspace; arguments go to `cargo test`.
    Test {
        /// Arguments of `cargo test`, such as a filter or `-p domain`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Check formatting, lints, documentation and the rules of the repository.
    Check,
    /// Provide the servers and measure; the first argument says what.
    Bench {
        /// What to measure, and its arguments; see `cargo xtask bench -- --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, default_value = "commands")]
        args: Vec<OsString>,
    },
    /// Write `docs/openapi.json` as the code has it.
    Openapi,
    /// Fetch nats-server, Postgres, and what tests need besides, where they are missing, and say where they are.
    Provide,
    /// Start a child that cannot outlive its parent.
    #[command(name = servers::launch::SUBCOMMAND, hide = true)]
    ExecServer {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up { args } => up(&args),
        Command::Test { args } => test::run(&args),
        Command::Check => check::run(),
        Command::Bench { args } => bench(&args),
        Command::Openapi => openapi(),
        Command::Provide => provide_all(),
        Command::ExecServer { args } => Err(servers::launch::exec(args).into()),
    }
}

#[expect(clippy::print_stdout, reason = "this is what the command was asked for")]
fn provide_all() -> anyhow::Result<()> {
    provide::servers()?.announce();
    println!("schemathesis: {}", packages::schemathesis()?.display());
    println!("oidc-provider: {}", packages::oidc_provider()?.display());
    Ok(())
}

fn up(args: &[OsString]) -> anyhow::Result<()> {
    cargo::run(["build", "--release", "--package", "recourse"])?;
    let servers = provide::servers()?;
    let program = cargo::target_dir().join("release/recourse");
    // This process becomes the supervisor, so that signals meant for it reach it.
    let error = servers
        .name_in(std::process::Command::new(&program).arg("up").args(args))
        .exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}

/// The document that is served is the committed one, so that a build that writes it still has the one before.
fn openapi() -> anyhow::Result<()> {
    cargo::run(["build", "--package", "recourse"])?;
    let program = cargo::target_dir().join("debug/recourse");
    let output = std::process::Command::new(&program)
        .arg("openapi")
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    anyhow::ensure!(output.status.success(), "`recourse openapi` failed: {}", output.status);
    std::fs::write(cargo::root().join("docs/openapi.json"), output.stdout).context("cannot write docs/openapi.json")
}

fn bench(args: &[OsString]) -> anyhow::Result<()> {
    cargo::run(["build", "--release", "--package", "recourse", "--package", "bench"])?;
    let servers = provide::servers()?;
    let release = cargo::target_dir().join("release");
    let mut command = std::process::Command::new(release.join("bench"));
    let error = servers
        .name_in(command.args(args).env("RECOURSE_BIN", release.join("recourse")))
        .exec();
    Err(error).context("cannot run the benchmark")
}
