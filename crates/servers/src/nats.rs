//! nats-server: the log.

use std::{
    ffi::OsString,
    fmt,
    io::Read as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::sys::signal::Signal;

use crate::{
    Child, Error, Launcher, Server,
    child::Manners,
    files,
    launch::Launch,
    secret,
    wait::{self, Pause, Waited},
};

/// A start on a large log reads every stream's state first.
const READY_LIMIT: Duration = Duration::from_mins(2);
/// The server speaks first, at once.
const GREETING_LIMIT: Duration = Duration::from_secs(1);
/// How many free ports are tried before giving up: another process may take one between our look and the server's.
const PORTS_TRIED: usize = 8;
/// Ports are taken from below those that Linux hands to outgoing connections (from 32768), so that none of these
/// takes the port while the server restarts.
const PORT_FIRST: u16 = 20_000;
const PORT_LAST: u16 = 32_767;
/// Records are at most 1 MiB; the rest is room for headers.
const MAX_PAYLOAD_BYTES: u32 = 2 * 1024 * 1024;

const MANNERS: Manners = Manners {
    polite: Signal::SIGTERM,
    rude: Signal::SIGKILL,
};

/// When an acknowledged record is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sync {
    /// Before it is acknowledged.
    #[default]
    Always,
    /// Within two minutes.
    Lazy,
}

impl Sync {
    fn interval(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Lazy => "\"2m\"",
        }
    }
}

impl fmt::Display for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::Lazy => "lazy",
        })
    }
}

/// What a nats-server is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program.
    pub program: PathBuf,
    /// Its directory: configuration and streams.
    pub dir: PathBuf,
    /// The file that takes its messages.
    pub log: PathBuf,
    /// When acknowledged records are on the disk.
    pub sync: Sync,
}

/// A running nats-server of our own. Port and token stay the same through restarts, so that clients find it again.
#[derive(Debug)]
pub struct Nats {
    options: Options,
    launcher: Launcher,
    port: u16,
    token: String,
    child: Child,
}

impl Nats {
    /// Starts one on a free port and waits until it takes connections.
    pub fn start(options: Options, launcher: Launcher, pause: &mut Pause<'_>) -> Result<Self, Error> {
        files::private_dir(&options.dir)?;
        let (port, token) = (free_port()?, secret());
        write_config(&options, port, &token)?;
        let child = spawn(&options, &launcher)?;
        let mut nats = Self {
            options,
            launcher,
            port,
            token,
            child,
        };
        for _ in 1..PORTS_TRIED {
            match nats.wait_until_ready(pause) {
                Err(Error::Stopped { tail, .. }) if tail.contains("address already in use") => {
                    nats.port = free_port()?;
                    write_config(&nats.options, nats.port, &nats.token)?;
                    nats.child = spawn(&nats.options, &nats.launcher)?;
                }
                outcome => return outcome.map(|()| nats),
            }
        }
        nats.wait_until_ready(pause).map(|()| nats)
    }

    /// Starts it again on the same port with the same data, after it ended or was killed.
    pub fn restart(&mut self, pause: &mut Pause<'_>) -> Result<(), Error> {
        self.child.stop_now();
        self.child = spawn(&self.options, &self.launcher)?;
        self.wait_until_ready(pause)
    }

    /// Where clients connect, with the token that lets them in.
    pub fn url(&self) -> String {
        format!("nats://{}@127.0.0.1:{}", self.token, self.port)
    }

    /// The port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    fn wait_until_ready(&mut self, pause: &mut Pause<'_>) -> Result<(), Error> {
        let (port, child) = (self.port, &mut self.child);
        let waited = wait::until(READY_LIMIT, pause, || {
            if child.try_wait().is_some() {
                return Some(false);
            }
            greets(port).then_some(true)
        });
        let log = self.options.log.clone();
        let tail = || files::tail(&log);
        match waited {
            Waited::Done(true) => Ok(()),
            Waited::Done(false) => Err(Error::Stopped {
                server: Server::Nats,
                tail: tail(),
                log,
            }),
            Waited::TimedOut => Err(Error::Slow {
                server: Server::Nats,
                seconds: READY_LIMIT.as_secs(),
                tail: tail(),
                log,
            }),
            Waited::Interrupted => Err(Error::Interrupted(Server::Nats)),
        }
    }
}

fn spawn(options: &Options, launcher: &Launcher) -> Result<Child, Error> {
    let mut command = launcher.command(&Launch {
        program: options.program.clone(),
        args: vec![OsString::from("--config"), config_path(&options.dir).into()],
        user: None,
        on_parent_death: MANNERS.polite,
        reach: None,
    });
    let log = files::open_log(&options.log)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    Child::spawn(command, MANNERS).map_err(|source| Error::Spawn {
        program: options.program.clone(),
        source,
    })
}

fn config_path(dir: &Path) -> PathBuf {
    dir.join("nats.conf")
}

fn write_config(options: &Options, port: u16, token: &str) -> Result<(), Error> {
    let store = options.dir.join("jetstream");
    let store = quoted(&store);
    let sync = options.sync.interval();
    let config = format!(
        "# Written anew at every start.\n\
         server_name: recourse\n\
         listen: \"127.0.0.1:{port}\"\n\
         authorization {{ token: \"{token}\" }}\n\
         max_payload: {MAX_PAYLOAD_BYTES}\n\
         jetstream {{ store_dir: {store}, sync_interval: {sync} }}\n"
    );
    files::write_private(&config_path(&options.dir), &config)
}

/// A path as a string of the configuration's language.
fn quoted(path: &Path) -> String {
    format!(
        "\"{}\"",
        path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"")
    )
}

/// A TCP port of the loopback interface that is free now and that no outgoing connection will take.
pub fn free_port() -> Result<u16, Error> {
    let span = PORT_LAST - PORT_FIRST + 1;
    // Random, so that several starts at once rarely look at the same one.
    let start = u16::from_le_bytes([uuid::Uuid::new_v4().as_bytes()[0], uuid::Uuid::new_v4().as_bytes()[1]]) % span;
    (0..span)
        .map(|step| PORT_FIRST + (start + step) % span)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or(Error::NoPort)
}

/// Whether a nats-server answers on this port: it speaks first.
fn greets(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let greeting = || -> std::io::Result<[u8; 4]> {
        let mut stream = TcpStream::connect_timeout(&address, GREETING_LIMIT)?;
        stream.set_read_timeout(Some(GREETING_LIMIT))?;
        let mut word = [0; 4];
        stream.read_exact(&mut word)?;
        Ok(word)
    };
    greeting().is_ok_and(|word| &word == b"INFO")
}
