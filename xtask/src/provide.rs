//! Providing the two servers: those that are there, or else the pinned ones.

use std::{env, path::PathBuf, process::Command};

use servers::{Search, fetch, locate, pinned};

/// Servers that will do.
#[derive(Debug)]
pub(crate) struct Servers {
    nats: Option<locate::NatsServer>,
    postgres: Option<locate::PostgresBin>,
}

/// Finds or fetches the servers, but for those that run elsewhere.
pub(crate) fn servers() -> anyhow::Result<Servers> {
    let nats = match env::var_os("RECOURSE_NATS_URL") {
        Some(_) => None,
        None => Some(fetch::nats(&search("RECOURSE_NATS_SERVER"), &say)?),
    };
    let postgres = match env::var_os("RECOURSE_DATABASE_URL") {
        Some(_) => None,
        None => Some(postgres()?),
    };
    Ok(Servers { nats, postgres })
}

/// Finds or fetches Postgres.
pub(crate) fn postgres() -> anyhow::Result<locate::PostgresBin> {
    Ok(fetch::postgres(&search("RECOURSE_POSTGRES_BIN"), None, &say)?)
}

impl Servers {
    /// Tells a command where nats-server is. Which Postgres to run depends on the data that there
    /// are, and only the command knows those: it looks for itself, in the same places.
    pub(crate) fn name_in<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        if let Some(nats) = &self.nats {
            command.env("RECOURSE_NATS_SERVER", &nats.program);
        }
        command
    }

    #[expect(clippy::print_stdout, reason = "this is what the command was asked for")]
    pub(crate) fn announce(&self) {
        if let Some(locate::NatsServer { program, version }) = &self.nats {
            println!("nats-server {version}: {}", program.display());
        }
        if let Some(locate::PostgresBin { dir, version }) = &self.postgres {
            println!("postgres {version}: {}", dir.display());
        }
    }
}

fn search(variable: &str) -> Search {
    Search {
        explicit: env::var_os(variable).map(PathBuf::from),
        runtime_dir: runtime_dir(),
    }
}

/// Where fetched programs are kept.
pub(crate) fn runtime_dir() -> PathBuf {
    env::var_os("RECOURSE_RUNTIME_DIR").map_or_else(pinned::default_runtime_dir, PathBuf::from)
}

#[expect(clippy::print_stderr, reason = "progress of something that may take a minute")]
pub(crate) fn say(what: &str) {
    eprintln!("xtask: {what}");
}
