//! Settings.

use service_kit::flags::{DatabaseArgs, NatsArgs};

use crate::retention::Retention;

/// Settings of the projector. Each is a flag or the environment variable that `--help` names.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Where the log is.
    #[command(flatten)]
    pub nats: NatsArgs,

    /// Where the read models are. The database is made if it does not exist.
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// How long what no longer serves is kept.
    #[command(flatten)]
    pub retention: Retention,

    /// Copies of each stream, should the log not exist yet: 1, or 3 on a cluster.
    #[arg(long, env = "RECOURSE_REPLICAS", default_value_t = 1, value_name = "COPIES")]
    pub replicas: u8,
}
