//! Looking for servers that are there already.
//!
//! In this order: where the caller says; the cache of fetched ones; the `PATH` and the places where distributions
//! put Postgres. A server that is too old is passed over and remembered for the message.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Server, Version, pinned::Pinned};

/// Where Debian and its kin put Postgres, newest first.
const DEBIAN_MAJORS: [u32; 5] = [19, 18, 17, 16, 15];

/// Where to look.
#[derive(Debug, Clone)]
pub struct Search {
    /// A place named by the caller. Nothing else is then considered.
    pub explicit: Option<PathBuf>,
    /// The cache of fetched servers.
    pub runtime_dir: PathBuf,
}

/// A nats-server that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsServer {
    /// The program.
    pub program: PathBuf,
    /// Its version.
    pub version: Version,
}

/// The programs of a Postgres that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresBin {
    /// The directory of `initdb` and `postgres`.
    pub dir: PathBuf,
    /// Their version.
    pub version: Version,
}

/// Why there is no server to run.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// There is none anywhere.
    #[error("no {server} found; version {} or later is needed", server.needed())]
    Missing {
        /// Which server.
        server: Server,
    },
    /// There is none but these.
    #[error("{} is {server} {found}; version {} or later is needed", path.display(), server.needed())]
    TooOld {
        /// Which server.
        server: Server,
        /// The newest that was found.
        path: PathBuf,
        /// Its version.
        found: Version,
    },
    /// The place that the caller named holds no such server.
    #[error("{} ({}) is not a {server} that runs on this machine", path.display(), server.flag())]
    NotThere {
        /// Which server.
        server: Server,
        /// The named place.
        path: PathBuf,
    },
    /// There are data already, and only another version than the one that made them.
    #[error("the database was made by Postgres {made_by}, and only Postgres {found} was found")]
    OtherMajor {
        /// The major version that made the data.
        made_by: u32,
        /// What was found.
        found: Version,
    },
}

/// Looks for a nats-server.
pub fn nats(search: &Search) -> Result<NatsServer, LocateError> {
    let places = match &search.explicit {
        Some(path) => vec![path.clone()],
        None => cached(Server::Nats, search, "nats-server")
            .into_iter()
            .chain(path_dirs().map(|dir| dir.join("nats-server")))
            .collect(),
    };
    let (program, version) = first_good(Server::Nats, search, &places, |_| true)?;
    Ok(NatsServer { program, version })
}

/// Looks for a Postgres, of exactly this major version if there are data of it already.
pub fn postgres(search: &Search, made_by: Option<u32>) -> Result<PostgresBin, LocateError> {
    let places: Vec<PathBuf> = match &search.explicit {
        Some(dir) => vec![dir.join("postgres")],
        None => cached(Server::Postgres, search, "bin/postgres")
            .into_iter()
            .chain(path_dirs().chain(distribution_dirs()).map(|dir| dir.join("postgres")))
            .collect(),
    };
    let fits = |version: Version| made_by.is_none_or(|major| major == version.major);
    let (program, version) =
        first_good(Server::Postgres, search, &places, fits).map_err(|error| match (error, made_by) {
            (LocateError::TooOld { found, .. }, Some(made_by)) if found >= Server::Postgres.needed() => {
                LocateError::OtherMajor { made_by, found }
            }
            (error, _) => error,
        })?;
    let dir = program.parent().unwrap_or(Path::new("/")).to_owned();
    Ok(PostgresBin { dir, version })
}

fn cached(server: Server, search: &Search, program: &str) -> Option<PathBuf> {
    Some(Pinned::of(server)?.dir(&search.runtime_dir).join(program))
}

fn path_dirs() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

fn distribution_dirs() -> impl Iterator<Item = PathBuf> {
    let debian = DEBIAN_MAJORS.map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")));
    let fedora = DEBIAN_MAJORS.map(|major| PathBuf::from(format!("/usr/pgsql-{major}/bin")));
    debian.into_iter().chain(fedora)
}

/// The first program that runs, is new enough and fits; otherwise the error names the best of the others.
fn first_good(
    server: Server,
    search: &Search,
    places: &[PathBuf],
    fits: impl Fn(Version) -> bool,
) -> Result<(PathBuf, Version), LocateError> {
    let mut best: Option<(PathBuf, Version)> = None;
    for path in places {
        // A Postgres without its initdb cannot make a database.
        let whole = server == Server::Nats || path.with_file_name("initdb").is_file();
        let Some(version) = version_of(path).filter(|_| whole) else {
            continue;
        };
        if version >= server.needed() && fits(version) {
            return Ok((path.clone(), version));
        }
        if best.as_ref().is_none_or(|(_, other)| version > *other) {
            best = Some((path.clone(), version));
        }
    }
    Err(match (best, &search.explicit) {
        (Some((path, found)), _) => LocateError::TooOld { server, path, found },
        (None, Some(path)) => LocateError::NotThere {
            server,
            path: path.clone(),
        },
        (None, None) => LocateError::Missing { server },
    })
}

fn version_of(program: &Path) -> Option<Version> {
    if !program.is_file() {
        return None;
    }
    let output = Command::new(program).arg("--version").output().ok()?;
    Version::find(&String::from_utf8_lossy(&output.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fake(dir: &Path, name: &str, prints: &str) -> PathBuf {
        let path = dir.join(name);
        // Written by a process of its own: a file that this process has open for writing while another test forks
        // cannot be run.
        let write = format!("printf '#!/bin/sh\necho \"{prints}\"\n' > \"$0\" && chmod 755 \"$0\"");
        assert!(
            Command::new("sh")
                .arg("-c")
                .arg(write)
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        path
    }

    fn at(path: &Path) -> Search {
        Search {
            explicit: Some(path.to_owned()),
            runtime_dir: "/nonexistent".into(),
        }
    }

    #[test]
    fn a_named_server_that_is_new_enough_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let program = fake(dir.path(), "nats-server", "nats-server: v2.16.0");
        let found = nats(&at(&program)).unwrap();
        assert_eq!(
            found,
            NatsServer {
                program,
                version: Version::new(2, 16, 0)
            }
        );
    }

    #[test]
    fn a_server_that_is_too_old_is_refused_with_both_versions() {
        let dir = tempfile::tempdir().unwrap();
        let program = fake(dir.path(), "nats-server", "nats-server: v2.9.10");
        let message = nats(&at(&program)).unwrap_err().to_string();
        assert!(message.contains("2.9.10") && message.contains("2.15.1"), "{message}");
    }

    #[test]
    fn a_named_place_without_a_server_is_refused_with_the_flag() {
        let message = postgres(&at(Path::new("/nonexistent")), None).unwrap_err().to_string();
        assert!(message.contains("--postgres-bin"), "{message}");
    }

    #[test]
    fn data_of_another_major_version_are_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        fake(dir.path(), "postgres", "postgres (PostgreSQL) 18.4");
        fake(dir.path(), "initdb", "");
        assert_eq!(postgres(&at(dir.path()), Some(18)).unwrap().version.major, 18);
        let error = postgres(&at(dir.path()), Some(15)).unwrap_err();
        assert!(
            matches!(error, LocateError::OtherMajor { made_by: 15, .. }),
            "{error:?}"
        );
    }
}
