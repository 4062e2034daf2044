//! The data directory: ours, writable, and used by one desk at a time.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    unistd::Uid,
};
use serde::{Deserialize, Serialize};
use servers::wait::{self, Pause, Waited};

/// What this program understands.
const FORMAT: u32 = 1;
const MARKER: &str = "recourse.json";
const LOCK: &str = "lock";
/// What may stand in a directory that is nobody's yet: leftovers of a first start that was cut short, and what file
/// systems put there.
const NOBODYS: [&str; 4] = [LOCK, "recourse.json.new", "run", "lost+found"];
/// Servers whose supervisor was killed need a moment to stop.
const LEFTOVER_LIMIT: Duration = Duration::from_secs(30);

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DataDirError {
    /// It cannot be created, read or written.
    #[error("cannot {action} {}: {reason}: make it writable, or choose another directory with --data-dir", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        // In the message because the advice comes after it; not a source, or it would be said twice.
        reason: io::Error,
    },
    /// It holds something else.
    #[error("{} is not empty and not a data directory of recourse: choose an empty or new one with --data-dir", .0.display())]
    Foreign(PathBuf),
    /// It was written by a later version of this program.
    #[error("{} has format {format}, and this program knows format {FORMAT}: use the newer program", path.display())]
    Newer { path: PathBuf, format: u32 },
    /// The marker cannot be read.
    #[error("{} is damaged: restore it from a backup, or choose another directory with --data-dir", .0.display())]
    Damaged(PathBuf),
    /// Another desk uses it.
    #[error("{} is in use by process {holder}: stop that one, or choose another directory with --data-dir", path.display())]
    Locked { path: PathBuf, holder: String },
    /// Whoever waited was told to stop.
    #[error("interrupted")]
    Interrupted,
}

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    format: u32,
}

/// A data directory that is ours until this value goes.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    /// Inherited by every child, so that the directory stays locked until the last of them has ended, even if this
    /// process is killed.
    _lock: File,
}

impl DataDir {
    /// Makes the directory, or finds it as it was, and locks it.
    pub(super) fn open(path: &Path, pause: &mut Pause<'_>) -> Result<Self, DataDirError> {
        // Root's servers run as somebody else, who must be able to pass; what is inside is private all the same.
        let mode = if Uid::effective().is_root() { 0o711 } else { 0o700 };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(path)
            .map_err(failed("create", path))?;
        let path = fs::canonicalize(path).map_err(failed("open", path))?;
        let is_ours = path.join(MARKER).exists();
        if !is_ours && !is_nobodys(&path)? {
            return Err(DataDirError::Foreign(path));
        }
        let lock = lock(&path, pause)?;
        if is_ours {
            check_marker(&path)?;
        } else {
            write_marker(&path)?;
        }
        let run = path.join("run");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&run)
            .map_err(failed("create", &run))?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is, as an absolute path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file for a server's messages. That of the run before is kept beside it, and older ones go, so that they do
    /// not fill the disk.
    pub(super) fn log(&self, name: &str) -> Result<PathBuf, DataDirError> {
        let path = self.path.join("run").join(format!("{name}.log"));
        match fs::rename(&path, path.with_extension("log.old")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("move", &path)(error)),
            _ => Ok(path),
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataDirError {
    let path = path.to_owned();
    move |reason| DataDirError::File { action, path, reason }
}

fn is_nobodys(path: &Path) -> Result<bool, DataDirError> {
    let entries = fs::read_dir(path).map_err(failed("read", path))?;
    Ok(entries
        .filter_map(Result::ok)
        .all(|entry| NOBODYS.iter().any(|name| entry.file_name() == *name)))
}

fn check_marker(path: &Path) -> Result<(), DataDirError> {
    let marker = path.join(MARKER);
    let text = fs::read(&marker).map_err(failed("read", &marker))?;
    match serde_json::from_slice(&text) {
        Ok(Marker { format }) if format > FORMAT => Err(DataDirError::Newer {
            path: path.to_owned(),
            format,
        }),
        Ok(_) => Ok(()),
        Err(_) => Err(DataDirError::Damaged(marker)),
    }
}

fn write_marker(path: &Path) -> Result<(), DataDirError> {
    let (marker, unfinished) = (path.join(MARKER), path.join("recourse.json.new"));
    let text = format!("{{\"format\": {FORMAT}}}\n");
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, &marker))
        .map_err(failed("write", &marker))
}

/// Locks the directory. Who holds it stands in the file.
fn lock(path: &Path, pause: &mut Pause<'_>) -> Result<File, DataDirError> {
    let lock_path = path.join(LOCK);
    let mut options = fs::OpenOptions::new();
    let open = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_path);
    let mut file = open.map_err(failed("write", &lock_path))?;
    let waited = wait::until(LEFTOVER_LIMIT, pause, || match file.try_lock() {
        Ok(()) => Some(Ok(())),
        Err(TryLockError::Error(error)) => Some(Err(failed("lock", &lock_path)(error))),
        // Its holder may be dead, and only the holder's servers still be stopping.
        Err(TryLockError::WouldBlock) => {
            let holder = holder(&lock_path);
            is_running(&holder).then(|| {
                Err(DataDirError::Locked {
                    path: path.to_owned(),
                    holder,
                })
            })
        }
    });
    match waited {
        Waited::Done(result) => result?,
        Waited::TimedOut => {
            let holder = format!("{} (which is gone, but its servers are not)", holder(&lock_path));
            return Err(DataDirError::Locked {
                path: path.to_owned(),
                holder,
            });
        }
        Waited::Interrupted => return Err(DataDirError::Interrupted),
    }
    let mut note = || -> io::Result<()> {
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
        Ok(())
    };
    note().map_err(failed("write", &lock_path))?;
    Ok(file)
}

fn holder(lock: &Path) -> String {
    let mut text = String::new();
    let read = File::open(lock).and_then(|mut file| file.read_to_string(&mut text));
    if read.is_ok() && !text.is_empty() {
        text
    } else {
        "unknown".to_owned()
    }
}

/// An unknown holder has locked the file and not yet written its id, so it runs.
fn is_running(holder: &str) -> bool {
    holder == "unknown" || Path::new("/proc").join(holder).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<DataDir, DataDirError> {
        DataDir::open(path, &mut wait::sleep)
    }

    #[test]
    fn a_new_directory_is_made_and_found_again() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b");
        drop(open(&path).unwrap());
        drop(open(&path).unwrap());
    }

    #[test]
    fn a_first_start_that_was_cut_short_does_not_make_the_directory_foreign() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(LOCK), "").unwrap();
        fs::write(home.path().join("recourse.json.new"), "{").unwrap();
        open(home.path()).unwrap();
    }

    #[test]
    fn a_directory_of_somebody_elses_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("letters.txt"), "Dear").unwrap();
        assert!(matches!(open(home.path()), Err(DataDirError::Foreign(_))));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_in_use_names_the_process_that_holds_it() {
        let home = tempfile::tempdir().unwrap();
        let _first = open(home.path()).unwrap();
        let message = open(home.path()).unwrap_err().to_string();
        assert!(
            message.contains(&format!("process {}", std::process::id())),
            "{message}"
        );
    }

    #[test]
    fn a_directory_of_a_later_program_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(MARKER), r#"{"format": 2}"#).unwrap();
        assert!(matches!(open(home.path()), Err(DataDirError::Newer { format: 2, .. })));
    }

    #[test]
    fn the_messages_of_the_run_before_are_kept() {
        let home = tempfile::tempdir().unwrap();
        let data = open(home.path()).unwrap();
        fs::write(data.log("nats").unwrap(), "first").unwrap();
        let log = data.log("nats").unwrap();
        assert!(!log.exists());
        assert_eq!(fs::read_to_string(log.with_extension("log.old")).unwrap(), "first");
    }
}
