//! The servers that are fetched where none is found: `runtime.lock`, compiled in.

use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use serde::Deserialize;

use crate::Server;

/// How many digits of the hash a directory's name carries: enough to tell two builds of one version apart.
const HASH_DIGITS: usize = 8;

/// Where an artefact is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registry {
    /// A wheel, got with pip.
    Pypi,
    /// A tarball, got with npm.
    Npm,
}

/// One artefact: this version, for this kind of machine, with these bytes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// The server's name, as [`Server::name`] has it.
    pub name: String,
    /// The version.
    pub version: String,
    /// The processor it is for, as Rust names it.
    pub platform: String,
    /// Where it is published.
    pub registry: Registry,
    /// What to ask the registry for.
    pub package: String,
    /// SHA-256 of the archive, in hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
    /// The licence it comes under.
    pub licence: String,
}

impl Pinned {
    /// The one for this machine, if there is one.
    pub fn of(server: Server) -> Option<Self> {
        let here = |pinned: &Self| pinned.name == server.name() && pinned.platform == std::env::consts::ARCH;
        all().into_iter().filter(|_| cfg!(target_os = "linux")).find(here)
    }

    /// Where it is unpacked.
    pub fn dir(&self, runtime_dir: &Path) -> PathBuf {
        let hash = self.sha256.get(..HASH_DIGITS).unwrap_or_default();
        runtime_dir.join(format!("{}-{}-{hash}", self.name, self.version))
    }
}

fn all() -> Vec<Pinned> {
    serde_json::from_str(include_str!("../runtime.lock")).expect("runtime.lock is well-formed: checked by a test")
}

/// Where fetched servers are kept if nothing else is said.
///
/// For root this is a directory that others can read, because Postgres then runs as another user.
pub fn default_runtime_dir() -> PathBuf {
    if Uid::effective().is_root() {
        return PathBuf::from("/var/cache/recourse");
    }
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute());
    cache.or_else(home).unwrap_or_else(std::env::temp_dir).join("recourse")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_is_pinned_for_both_platforms_with_a_whole_hash() {
        for server in [Server::Nats, Server::Postgres] {
            for platform in ["x86_64", "aarch64"] {
                let pinned = all()
                    .into_iter()
                    .find(|one| one.name == server.name() && one.platform == platform);
                let pinned = pinned.unwrap_or_else(|| panic!("{server} is not pinned for {platform}"));
                assert_eq!(pinned.sha256.len(), 64, "{pinned:?}");
                assert!(crate::Version::find(&pinned.version).is_some_and(|version| version >= server.needed()));
            }
        }
    }
}
