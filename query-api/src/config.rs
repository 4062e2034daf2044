//! Settings.

use std::net::SocketAddr;

use service_kit::flags::DatabaseArgs;

/// Settings of the query service. Each is a flag or the environment variable that `--help` names.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Address to listen on. Port 0 picks a free one.
    #[arg(
        long,
        env = "RECOURSE_LISTEN",
        default_value = "127.0.0.1:8082",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,

    /// Where the read models are.
    #[command(flatten)]
    pub database: DatabaseArgs,
}
