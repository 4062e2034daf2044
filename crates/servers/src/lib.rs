//! Finds, fetches and runs the two servers under the desk: nats-server and Postgres.
//!
//! Synchronous on purpose: the supervisor that uses this spawns every child from its main thread,
//! because Linux reports the death of a parent when the *thread* that spawned the child is gone.
//!
//! * [`locate`] looks for servers that are there already; [`fetch`] gets the pinned ones.
//! * [`launch`] starts a child that cannot outlive its parent.
//! * [`nats`] and [`postgres`] configure, start and stop the two.

pub mod child;
pub mod fetch;
pub mod launch;
pub mod locate;
pub mod nats;
pub mod pinned;
pub mod postgres;
pub mod user;
pub mod version;
pub mod wait;

mod files;

use std::{fmt, io, path::PathBuf};

pub use child::Child;
pub use launch::Launcher;
pub use locate::Search;
pub use nats::Nats;
pub use postgres::Postgres;
pub use version::Version;

/// One of the two servers under the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// nats-server, which holds the log.
    Nats,
    /// Postgres, which holds the read models.
    Postgres,
}

impl Server {
    /// The oldest version that will do.
    ///
    /// nats-server 2.15.1 is what the log was measured on; older ones lack features it needs.
    /// Postgres 15 is the one that Debian 12 carries.
    pub const fn needed(self) -> Version {
        match self {
            Self::Nats => Version::new(2, 15, 1),
            Self::Postgres => Version::new(15, 0, 0),
        }
    }

    /// Its name in messages, in `runtime.lock` and in the cache directory.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nats => "nats-server",
            Self::Postgres => "postgres",
        }
    }

    /// The flag of `recourse up` that names one.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Nats => "--nats-server",
            Self::Postgres => "--postgres-bin",
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a server could not be started or kept running.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, as in "cannot create".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The program could not be started at all.
    #[error("cannot run {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The server ended before it was ready.
    #[error("{server} stopped before it was ready; the end of {} says:\n{tail}", log.display())]
    Stopped {
        /// Which server.
        server: Server,
        /// Where its messages are.
        log: PathBuf,
        /// The last of them.
        tail: String,
    },
    /// The server runs but did not become ready.
    #[error("{server} was not ready after {seconds} s; the end of {} says:\n{tail}", log.display())]
    Slow {
        /// Which server.
        server: Server,
        /// How long it was given.
        seconds: u64,
        /// Where its messages are.
        log: PathBuf,
        /// The last of them.
        tail: String,
    },
    /// Whoever waits was told to stop.
    #[error("interrupted while starting {0}")]
    Interrupted(Server),
    /// No port of the loopback interface is free.
    #[error("no port is free on 127.0.0.1")]
    NoPort,
    /// Postgres refuses to run as root and there is no other user.
    #[error(
        "Postgres does not run as root, and none of the users recourse, postgres, nobody exists: create one of them"
    )]
    NoUser,
    /// The data was written by another major version of Postgres.
    #[error("the database in {} was made by Postgres {made_by}, and this is Postgres {found}: name the right one with --postgres-bin, or delete that directory (it is rebuilt from the log)", dir.display())]
    OtherMajor {
        /// The database's directory.
        dir: PathBuf,
        /// The major version that it belongs to.
        made_by: u32,
        /// The major version that was found.
        found: u32,
    },
}

impl Error {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// A random string of 64 hexadecimal digits, for tokens and passwords.
pub(crate) fn secret() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}
