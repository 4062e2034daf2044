//! Command-line flags that several services share. Whoever flattens them documents them.

use std::fmt;

/// Where the log is.
#[derive(Clone, PartialEq, Eq, clap::Args)]
pub struct NatsArgs {
    /// The NATS server that holds the log: `nats://[token@]host:port`; several are separated by commas.
    #[arg(long, env = "RECOURSE_NATS_URL", hide_env_values = true, value_name = "URL")]
    pub nats_url: String,
}

/// Where the read models are.
#[derive(Clone, PartialEq, Eq, clap::Args)]
pub struct DatabaseArgs {
    /// The Postgres database that holds the read models: `postgres://user:password@host/name`.
    #[arg(long, env = "RECOURSE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,
}

/// Both URLs carry passwords, and configuration is printed in many places.
const HIDDEN: &str = "(hidden)";

impl fmt::Debug for NatsArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsArgs").field("nats_url", &HIDDEN).finish()
    }
}

impl fmt::Debug for DatabaseArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseArgs").field("database_url", &HIDDEN).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_printed() {
        let args = DatabaseArgs {
            database_url: "postgres://desk:secret@localhost/desk".to_owned(),
        };
        assert!(!format!("{args:?}").contains("secret"));
    }
}
