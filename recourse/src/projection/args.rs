//! The subcommands and their flags.

use std::path::PathBuf;

use clap::Subcommand;

/// Arguments of `recourse projection`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do. A projection is `tickets` or `directory`; its tables exist in generations, one of which serves readers.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show every projection on every partition: generation, position, lag, state.
    List {
        #[command(flatten)]
        desk: DeskArgs,
    },
    /// Make a new generation from the log beside the one that serves, compare it with the log, and switch readers to it.
    ///
    /// Readers notice nothing. The old generation is kept, and goes on following the log, until it is dropped.
    Rebuild {
        /// The projection.
        name: String,
        /// The new generation's number; the next one if nothing is said.
        #[arg(long, value_name = "GENERATION", value_parser = clap::value_parser!(i32).range(1..))]
        to: Option<i32>,
        #[command(flatten)]
        desk: DeskArgs,
    },
    /// Fold the log, and compare what it comes to with what a generation holds: rows and checksums by partition.
    ///
    /// Ends with status 1 if they differ. Nothing is paused for it.
    Verify {
        /// The projection.
        name: String,
        #[command(flatten)]
        generation: GenerationArg,
        #[command(flatten)]
        desk: DeskArgs,
    },
    /// Switch readers back to the generation that served before, or to any other that is whole.
    SwitchBack {
        /// The projection.
        name: String,
        /// To which generation; the newest that was kept if nothing is said.
        #[arg(long, value_name = "GENERATION")]
        to: Option<i32>,
        #[command(flatten)]
        desk: DeskArgs,
    },
    /// Let a projection wait: its rows stay as they are until `resume`.
    Pause {
        /// The projection.
        name: String,
        #[command(flatten)]
        generation: GenerationArg,
        #[command(flatten)]
        desk: DeskArgs,
    },
    /// Let a paused projection go on.
    Resume {
        /// The projection.
        name: String,
        #[command(flatten)]
        generation: GenerationArg,
        #[command(flatten)]
        desk: DeskArgs,
    },
    /// Pass over the record on which a projection has halted, and over all later records of the same ticket.
    ///
    /// The ticket's rows stay as they were before it. The reason is kept with the record's position.
    Skip {
        /// The projection.
        name: String,
        /// The partition on which it has halted.
        #[arg(long)]
        partition: u16,
        /// Why this is right.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        generation: GenerationArg,
        #[command(flatten)]
        desk: DeskArgs,
    },
    /// Remove a generation that does not serve, with its tables.
    Drop {
        /// The projection.
        name: String,
        /// Which generation.
        #[arg(long)]
        generation: i32,
        #[command(flatten)]
        desk: DeskArgs,
    },
}

/// Which generation is meant.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct GenerationArg {
    /// Which generation; the one that serves if nothing is said.
    #[arg(long)]
    pub(super) generation: Option<i32>,
}

/// Which desk is meant.
#[derive(Debug, clap::Args)]
pub(super) struct DeskArgs {
    /// The data directory of a desk on this machine that `recourse up` runs.
    #[arg(
        long,
        env = "RECOURSE_DATA_DIR",
        default_value = "./recourse-data",
        value_name = "DIR"
    )]
    pub(super) data_dir: PathBuf,
    /// The NATS server of a desk elsewhere; goes with --database-url, instead of a data directory.
    #[arg(
        long,
        env = "RECOURSE_NATS_URL",
        hide_env_values = true,
        value_name = "URL",
        requires = "database_url"
    )]
    pub(super) nats_url: Option<String>,
    /// The Postgres database of a desk elsewhere; goes with --nats-url.
    #[arg(
        long,
        env = "RECOURSE_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        requires = "nats_url"
    )]
    pub(super) database_url: Option<String>,
    /// The policy that the projector runs with, for durations in working time. With --data-dir it is the desk's own; with --nats-url it has to be named.
    #[arg(long, env = "RECOURSE_POLICY", value_name = "supportal|cabinet|FILE.toml")]
    pub(super) policy: Option<String>,
}
