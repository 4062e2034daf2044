//! A fresh log for each measurement, so that none starts with what another left behind.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use async_nats::{Client, ConnectOptions, ServerAddr, jetstream};
use bytes::Bytes;
use event_log::{EventLog, LogConfig};
use servers::{
    Launcher, Nats, Search, locate,
    nats::{Options, Sync},
    pinned, wait,
};
use service_kit::{
    clock::{Clock, SystemClock},
    tokens::{GrantKind, TokenGrant, generate},
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::requests::Tokens;

/// Where nats-server is.
pub(crate) fn nats_server() -> anyhow::Result<locate::NatsServer> {
    Ok(locate::nats(&search("RECOURSE_NATS_SERVER"))?)
}

/// Where a server is looked for: where the variable says, or where fetched ones are.
pub(crate) fn search(variable: &str) -> Search {
    Search {
        explicit: env::var_os(variable).map(PathBuf::from),
        runtime_dir: env::var_os("RECOURSE_RUNTIME_DIR").map_or_else(pinned::default_runtime_dir, PathBuf::from),
    }
}

/// A nats-server with the desk's streams, all of them empty, and two tokens.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) tokens: Tokens,
    // Fields are dropped in order: the server before its directory.
    nats: Nats,
    dir: TempDir,
}

impl Site {
    /// Starts one below `dir`. The streams are made as the desk makes them.
    pub(crate) async fn start(dir: &Path, sync: Sync) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(dir)
            .context("cannot make a directory")?;
        let options = Options {
            program: nats_server()?.program,
            dir: dir.path().join("nats"),
            log: dir.path().join("nats.log"),
            sync,
        };
        let nats = Nats::start(options, Launcher::this_executable()?, &mut wait::sleep)?;
        let config = LogConfig {
            url: nats.url(),
            partitions: None,
            replicas: 1,
        };
        let log = EventLog::connect(&config, SystemClock::shared()).await?;
        let tokens = Tokens {
            staff: token(&log, GrantKind::Staff).await?,
            customer: token(&log, GrantKind::Customer).await?,
        };
        Ok(Self { tokens, nats, dir })
    }

    /// Where clients find the server.
    pub(crate) fn url(&self) -> String {
        self.nats.url()
    }

    /// A file of this name in the site's directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The process of the server.
    pub(crate) fn nats_pid(&mut self) -> u32 {
        self.nats.child().id()
    }
}

async fn token(log: &EventLog, kind: GrantKind) -> anyhow::Result<String> {
    token_of(log, kind, Uuid::new_v4(), None).await
}

/// Connects as the desk does. A user without a password is a token.
pub(crate) async fn connect(url: &str) -> anyhow::Result<Client> {
    /// Requests that may wait for the client's task, as the desk has it.
    const CAPACITY: usize = 8192;
    let address: ServerAddr = url.parse()?;
    let options = ConnectOptions::new().client_capacity(CAPACITY);
    let options = match address.username() {
        Some(token) if address.password().is_none() => options.token(token.to_owned()),
        Some(_) | None => options,
    };
    Ok(options.connect(address).await?)
}

/// What the ticket streams hold.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LogSize {
    pub(crate) records: u64,
    /// As the server counts them: with subject, headers and framing.
    pub(crate) bytes: u64,
}

/// How many partitions a log has that was made without asking for a number.
pub(crate) const PARTITIONS: u16 = event_log::PARTITIONS_DEFAULT;

/// A token for somebody with this name, of this organisation.
pub(crate) async fn token_of(
    log: &EventLog,
    kind: GrantKind,
    user: Uuid,
    organisation: Option<Uuid>,
) -> anyhow::Result<String> {
    let (token, hash) = generate();
    let grant = TokenGrant {
        user,
        name: "Benchmark".to_owned(),
        kind,
        organisation,
        groups: Vec::new(),
        leading: false,
        permissions: Vec::new(),
        created_at: SystemClock.now(),
        revoked_at: None,
        expires_at: None,
        session: None,
        viewer: None,
        scopes: None,
        purpose: None,
    };
    log.tokens().put(hash, &grant).await?;
    Ok(token)
}

fn stream_name(partition: u16) -> String {
    format!("RC_TICKETS_{partition}")
}

/// The size of all ticket streams together.
pub(crate) async fn log_size(url: &str) -> anyhow::Result<LogSize> {
    let context = jetstream::new(connect(url).await?);
    let mut size = LogSize::default();
    for partition in 0..PARTITIONS {
        let stream = context.get_stream(stream_name(partition)).await?;
        let state = &stream.cached_info().state;
        size.records += state.messages;
        size.bytes += state.bytes;
    }
    Ok(size)
}

/// The first record of a partition: what a raw publisher is to publish.
pub(crate) async fn first_record(url: &str) -> anyhow::Result<Bytes> {
    let context = jetstream::new(connect(url).await?);
    let stream = context.get_stream(stream_name(0)).await?;
    Ok(stream
        .get_raw_message(1)
        .await
        .context("the first partition has no record")?
        .payload)
}
