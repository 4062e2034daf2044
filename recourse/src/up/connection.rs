//! `connection.json` in the data directory: how tools on this machine reach a running desk.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// A running desk: its URLs, secrets included, and its policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connection {
    /// The API.
    pub(crate) http: String,
    /// The log, with its token.
    pub(crate) nats: String,
    /// The read models, with their password.
    pub(crate) database: String,
    /// The policy that it runs with; unknown of a desk that an older version started.
    #[serde(default)]
    pub(crate) policy: Option<String>,
}

impl Connection {
    /// How the desk of this data directory is reached.
    pub(crate) fn read(data_dir: &Path) -> anyhow::Result<Self> {
        let path = path(data_dir);
        let text = fs::read(&path).with_context(|| {
            format!(
                "cannot read {}: start the desk with `recourse up`, or name its --data-dir",
                path.display()
            )
        })?;
        serde_json::from_slice(&text).with_context(|| format!("{} is not what `recourse up` writes", path.display()))
    }

    /// Leaves it for the tools, readable by the owner alone.
    pub(super) fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        let (path, unfinished) = (path(data_dir), data_dir.join("connection.json.new"));
        let write = || -> anyhow::Result<()> {
            // A new file, so that the mode is this one; renamed, so that nobody reads half of it.
            let _ = fs::remove_file(&unfinished);
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            Ok(fs::rename(&unfinished, &path)?)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("connection.json")
}
