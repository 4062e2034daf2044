//! Small file operations with the modes that secrets need.

use std::{
    fs, io,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use nix::unistd::{Uid, User};

use crate::Error;

/// How much of a server's log a message quotes: enough for its reason, little enough for a screen.
const TAIL_BYTES: u64 = 2000;

/// Creates a directory that only its owner may enter, with its parents; an existing one is taken as it is.
pub(crate) fn private_dir(dir: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(Error::file("create", dir))
}

/// Refuses a directory that somebody else has put in our place, as anybody can in the directory for temporary files.
pub(crate) fn check_owner(dir: &Path, user: Option<&User>) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(dir).map_err(Error::file("open", dir))?;
    let owner = Uid::from_raw(metadata.uid());
    if metadata.is_dir() && (owner == Uid::effective() || user.is_some_and(|user| user.uid == owner)) {
        return Ok(());
    }
    Err(Error::file("use", dir)(io::Error::other("it belongs to another user")))
}

/// Writes a file that only its owner may read, in place of an existing one.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        // An older file may have a wider mode.
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(Error::file("write", path))
}

/// Opens a log for appending; who starts a new run decides what becomes of the old one.
pub(crate) fn open_log(path: &Path) -> Result<fs::File, Error> {
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::file("open", path))
}

/// The last lines of a log, for a message.
pub(crate) fn tail(path: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = fs::File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    read().unwrap_or_default()
}
