//! Postgres: the read models. Everything in it can be rebuilt from the log.

use std::{
    ffi::OsString,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::{
    sys::signal::Signal,
    unistd::{Uid, User, chown},
};

use crate::{
    Child, Error, Launcher, Server,
    child::Manners,
    files,
    launch::Launch,
    locate::PostgresBin,
    secret, user,
    wait::{self, Pause, Waited},
};

/// The role that owns everything, and the database.
const NAME: &str = "recourse";
/// A start after a crash replays what was written since the last checkpoint.
const READY_LIMIT: Duration = Duration::from_mins(2);
/// Making a new database takes a second; slow disks take longer.
const INITDB_LIMIT: Duration = Duration::from_mins(2);
/// The longest directory of a socket: the address holds 108 bytes, and the file's own name takes the rest.
const SOCKET_DIR_BYTES_MAX: usize = 88;
/// The line of `postmaster.pid` that says how far the start is.
const STATUS_LINE: usize = 7;
/// From here on `initdb` knows a locale of its own, the same on every machine.
const BUILTIN_LOCALE_SINCE: u32 = 17;
/// From here on reads and writes may go through worker processes.
const IO_METHOD_SINCE: u32 = 18;

/// SIGINT closes sessions and writes everything out; SIGQUIT ends at once and leaves the rest to recovery.
const MANNERS: Manners = Manners {
    polite: Signal::SIGINT,
    rude: Signal::SIGQUIT,
};

/// Nobody is left to insist when the parent has died, so that one signal must be enough in every state. SIGINT is not: a
/// server that is recovering from a crash of one of its processes then waits for its checkpointer for ever.
const ON_PARENT_DEATH: Signal = MANNERS.rude;

/// Small, because the whole idle desk is to fit in 250 MiB: a few dozen connections, no parallel workers, no replication.
/// What is sized by the machine's memory is [`buffers`].
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=60",
    "work_mem=8MB",
    "maintenance_work_mem=32MB",
    "max_worker_processes=2",
    "max_parallel_workers=0",
    "max_parallel_workers_per_gather=0",
    "max_parallel_maintenance_workers=0",
    "max_logical_replication_workers=0",
    "autovacuum_max_workers=2",
    "wal_level=minimal",
    "max_wal_senders=0",
    // Every page that changes after a checkpoint is written whole once more, and a busy projector changes most of them.
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    "wal_compression=on",
    // Disks of today find a page anywhere about as fast as the next one.
    "random_page_cost=1.1",
    "jit=off",
    "ssl=off",
    "huge_pages=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    // A power cut may lose the last moments of the read models, never their order. The projector resumes from the
    // checkpoint that was committed with the rows, and reads the rest from the log again.
    "synchronous_commit=off",
];

/// Part of the machine's memory that Postgres may keep pages in, one of so many. Pages count once they are used, so that an
/// idle desk does not have them.
const BUFFERS_PART: u64 = 8;
/// Below this Postgres does not fit its own catalogues.
const BUFFERS_MIN_MIB: u64 = 48;
/// Beyond this the operating system's cache does as well.
const BUFFERS_MAX_MIB: u64 = 2048;

/// Settings that follow from how much memory the machine has.
fn buffers(memory_mib: u64) -> [String; 2] {
    let buffers = (memory_mib / BUFFERS_PART).clamp(BUFFERS_MIN_MIB, BUFFERS_MAX_MIB);
    [
        format!("shared_buffers={buffers}MB"),
        // What the planner may count on to find in one cache or the other.
        format!("effective_cache_size={}MB", (memory_mib / 2).max(buffers)),
    ]
}

/// The machine's memory, as Linux tells it; where nobody tells, that of a small one.
fn memory_mib() -> u64 {
    const UNKNOWN: u64 = 1024;
    let told = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.map_or(UNKNOWN, |kib| kib / 1024)
}

/// For tests, whose data nobody wants back: no waiting for the disk, and room for many tests at once.
const SCRATCH_SETTINGS: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_connections=300",
    "shared_buffers=128MB",
];

/// What the data is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It survives crashes and power cuts (but for the last moments, which the log has).
    Kept,
    /// It survives nothing: for tests.
    Scratch,
}

/// What a Postgres is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The programs.
    pub bin: PostgresBin,
    /// Its directory: password, socket and data.
    pub dir: PathBuf,
    /// The file that takes its messages.
    pub log: PathBuf,
    /// What the data is worth.
    pub durability: Durability,
}

/// A running Postgres of our own, reached through a socket in a private directory.
#[derive(Debug)]
pub struct Postgres {
    home: Home,
    launcher: Launcher,
    password: String,
    child: Child,
}

/// The directory, and whose it is.
#[derive(Debug)]
struct Home {
    options: Options,
    user: Option<User>,
    socket_dir: PathBuf,
}

impl Postgres {
    /// Starts one, making its database first if there is none, and waits until it takes connections.
    pub fn start(options: Options, launcher: Launcher, pause: &mut Pause<'_>) -> Result<Self, Error> {
        let home = Home::open(options)?;
        let password = home.password()?;
        if !home.data().join("PG_VERSION").exists() {
            home.create_database(&launcher, pause)?;
        }
        home.check_major()?;
        let child = home.spawn(&launcher)?;
        let mut postgres = Self {
            home,
            launcher,
            password,
            child,
        };
        postgres.wait_until_ready(pause)?;
        Ok(postgres)
    }

    /// Starts it again with the same data, after it ended or was killed.
    pub fn restart(&mut self, pause: &mut Pause<'_>) -> Result<(), Error> {
        self.child.stop_now();
        self.child = self.home.spawn(&self.launcher)?;
        self.wait_until_ready(pause)
    }

    /// Where clients connect, with the password that lets them in.
    pub fn url(&self) -> String {
        self.url_of(NAME)
    }

    /// The same for another database of this server.
    pub fn url_of(&self, database: &str) -> String {
        let socket = percent_encoded(&self.home.socket_dir);
        // The socket stands in the query because an address without a host is no URL.
        format!("postgres://{NAME}:{}@localhost/{database}?host={socket}", self.password)
    }

    /// The process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    fn wait_until_ready(&mut self, pause: &mut Pause<'_>) -> Result<(), Error> {
        let (home, child) = (&self.home, &mut self.child);
        let id = child.id();
        let waited = wait::until(READY_LIMIT, pause, || match child.try_wait() {
            Some(_) => Some(false),
            None => home.is_ready(id).then_some(true),
        });
        home.outcome(waited, READY_LIMIT)
    }
}

impl Home {
    fn open(options: Options) -> Result<Self, Error> {
        let dir = &options.dir;
        let user = user::for_postgres(dir)?;
        let socket_dir = socket_dir(dir);
        for private in [dir, &socket_dir] {
            files::private_dir(private)?;
            files::check_owner(private, user.as_ref())?;
            give(private, user.as_ref())?;
        }
        Ok(Self {
            options,
            user,
            socket_dir,
        })
    }

    fn data(&self) -> PathBuf {
        self.options.dir.join("data")
    }

    fn password_file(&self) -> PathBuf {
        self.options.dir.join("password")
    }

    /// The password, made before the database so that a crash in between leaves no database without one.
    fn password(&self) -> Result<String, Error> {
        let path = self.password_file();
        if let Ok(password) = fs::read_to_string(&path)
            && !password.trim().is_empty()
        {
            return Ok(password.trim().to_owned());
        }
        let password = secret();
        files::write_private(&path, &password)?;
        give(&path, self.user.as_ref())?;
        Ok(password)
    }

    /// Makes the database beside its place and then moves it there, so that a crash in the middle leaves nothing
    /// that looks finished.
    fn create_database(&self, launcher: &Launcher, pause: &mut Pause<'_>) -> Result<(), Error> {
        let unfinished = self.options.dir.join("data.new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(Error::file("remove", &unfinished))?;
        }
        self.run(launcher, "initdb", self.initdb_args(&unfinished), "", pause)?;
        let mut single = vec!["--single".into(), "-D".into(), unfinished.clone().into()];
        single.extend(["-c", "exit_on_error=on", "-c", "fsync=off", "postgres"].map(OsString::from));
        self.run(
            launcher,
            "postgres",
            single,
            &format!("CREATE DATABASE {NAME}\n"),
            pause,
        )?;
        fs::rename(&unfinished, self.data()).map_err(Error::file("move", unfinished))
    }

    fn initdb_args(&self, data: &Path) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["--pgdata".into(), data.into()];
        args.extend(
            [
                "--username",
                NAME,
                "--encoding",
                "UTF8",
                "--auth",
                "scram-sha-256",
                "--data-checksums",
            ]
            .map(Into::into),
        );
        args.extend(["--pwfile".into(), self.password_file().into()]);
        let locale: &[&str] = if self.options.bin.version.major >= BUILTIN_LOCALE_SINCE {
            &["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        } else {
            &["--locale=C.UTF-8"]
        };
        args.extend(locale.iter().map(Into::into));
        if self.options.durability == Durability::Scratch {
            args.push("--no-sync".into());
        }
        args
    }

    fn spawn(&self, launcher: &Launcher) -> Result<Child, Error> {
        let scratch = match self.options.durability {
            Durability::Kept => &[][..],
            Durability::Scratch => SCRATCH_SETTINGS,
        };
        let io_method = ["io_method=sync"];
        let io_method = if self.options.bin.version.major >= IO_METHOD_SINCE {
            &io_method[..]
        } else {
            &[]
        };
        let mut args: Vec<OsString> = vec![
            "-D".into(),
            self.data().into(),
            "-k".into(),
            self.socket_dir.clone().into(),
        ];
        let buffers = buffers(memory_mib());
        let sized = buffers.iter().map(String::as_str);
        let settings = SETTINGS.iter().copied().chain(sized);
        for setting in settings.chain(scratch.iter().copied()).chain(io_method.iter().copied()) {
            args.extend(["-c".into(), setting.into()]);
        }
        self.child(launcher, "postgres", args, Stdio::null())
    }

    /// Runs one of the programs to its end.
    fn run(
        &self,
        launcher: &Launcher,
        program: &str,
        args: Vec<OsString>,
        input: &str,
        pause: &mut Pause<'_>,
    ) -> Result<(), Error> {
        let (reader, mut writer) = std::io::pipe().map_err(Error::file("make a pipe for", program))?;
        // Shorter than a pipe holds, so that this never waits for the reader.
        writer
            .write_all(input.as_bytes())
            .map_err(Error::file("write to", program))?;
        drop(writer);
        let mut child = self.child(launcher, program, args, reader.into())?;
        let waited = wait::until(INITDB_LIMIT, pause, || child.try_wait().map(|status| status.success()));
        self.outcome(waited, INITDB_LIMIT)
    }

    fn child(&self, launcher: &Launcher, program: &str, args: Vec<OsString>, input: Stdio) -> Result<Child, Error> {
        let program = self.options.bin.dir.join(program);
        let mut command = launcher.command(&Launch {
            program: program.clone(),
            args,
            user: self.user.clone(),
            on_parent_death: ON_PARENT_DEATH,
            reach: Some(self.options.dir.clone()),
        });
        let log = files::open_log(&self.options.log)?;
        let output = log.try_clone().map_err(Error::file("open", &self.options.log))?;
        // The current directory may be one that the other user cannot enter.
        command
            .current_dir("/")
            .env("LC_ALL", "C")
            .stdin(input)
            .stdout(output)
            .stderr(log);
        Child::spawn(command, MANNERS).map_err(|source| Error::Spawn { program, source })
    }

    /// What the server itself notes about its start, as `pg_ctl` reads it. An old file names an old process.
    fn is_ready(&self, id: u32) -> bool {
        let notes = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = notes.lines().map(str::trim);
        lines.next() == Some(&id.to_string()) && lines.nth(STATUS_LINE - 1) == Some("ready")
    }

    fn check_major(&self) -> Result<(), Error> {
        let found = self.options.bin.version.major;
        match major_of(&self.options.dir) {
            Some(made_by) if made_by != found => Err(Error::OtherMajor {
                dir: self.options.dir.clone(),
                made_by,
                found,
            }),
            _ => Ok(()),
        }
    }

    fn outcome(&self, waited: Waited<bool>, limit: Duration) -> Result<(), Error> {
        let log = self.options.log.clone();
        let server = Server::Postgres;
        match waited {
            Waited::Done(true) => Ok(()),
            Waited::Done(false) => Err(Error::Stopped {
                server,
                tail: files::tail(&log),
                log,
            }),
            Waited::TimedOut => Err(Error::Slow {
                server,
                seconds: limit.as_secs(),
                tail: files::tail(&log),
                log,
            }),
            Waited::Interrupted => Err(Error::Interrupted(server)),
        }
    }
}

/// The major version whose data is in `dir` (the one of [`Options`]), if there is any.
pub fn major_of(dir: &Path) -> Option<u32> {
    fs::read_to_string(dir.join("data/PG_VERSION"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Makes `user` the owner of a file or directory of ours.
fn give(path: &Path, user: Option<&User>) -> Result<(), Error> {
    match user {
        Some(user) => chown(path, Some(user.uid), Some(user.gid))
            .map_err(|errno| Error::file("change the owner of", path)(errno.into())),
        None => Ok(()),
    }
}

/// The socket stands in the data directory, or, where that has too long a name for a socket, in the directory for
/// temporary files under a name that the data directory always gets again.
fn socket_dir(dir: &Path) -> PathBuf {
    let beside = dir.join("socket");
    if beside.as_os_str().len() <= SOCKET_DIR_BYTES_MAX {
        return beside;
    }
    let mut hasher = DefaultHasher::new();
    (dir, Uid::effective().as_raw()).hash(&mut hasher);
    std::env::temp_dir().join(format!("recourse-{:016x}", hasher.finish()))
}

fn percent_encoded(path: &Path) -> String {
    use std::{fmt::Write as _, os::unix::ffi::OsStrExt as _};
    path.as_os_str()
        .as_bytes()
        .iter()
        .fold(String::new(), |mut text, byte| {
            if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
                text.push(char::from(*byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eighth_of_the_memory_holds_pages_within_limits() {
        let expected = [(128, "48MB"), (1024, "128MB"), (24_000, "2048MB")];
        for (memory, buffers) in expected {
            assert_eq!(super::buffers(memory)[0], format!("shared_buffers={buffers}"));
        }
        assert!(memory_mib() > 0);
    }

    #[test]
    fn a_path_with_blanks_survives_in_a_url() {
        assert_eq!(percent_encoded(Path::new("/my data/a?b")), "/my%20data/a%3Fb");
    }

    #[test]
    fn a_long_data_directory_has_its_socket_elsewhere_and_always_in_the_same_place() {
        let long = PathBuf::from("/x".repeat(60));
        assert!(socket_dir(&long).as_os_str().len() <= SOCKET_DIR_BYTES_MAX);
        assert_eq!(socket_dir(&long), socket_dir(&long));
        assert_eq!(
            socket_dir(Path::new("/data/postgres")),
            PathBuf::from("/data/postgres/socket")
        );
    }
}
