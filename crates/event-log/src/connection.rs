//! Connecting to the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::client::{Request, RequestErrorKind};
use async_nats::connection::State;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, Event, HeaderMap, Message, ServerAddr};
use bytes::Bytes;
use domain::ids::Position;
use domain::sla::SlaPolicy;
use domain::ticket::Event as TicketEvent;
use service_kit::clock::SharedClock;
use tokio::sync::watch;
use uuid::Uuid;
use wire::Record;

use crate::append::AppendMetrics;
use crate::audit::{AuditError, AuditStore};
use crate::books::{BookKeeper, Books};
use crate::calendars::Calendars;
use crate::contracts::Contracts;
use crate::credentials::{CredentialError, CredentialStore};
use crate::digests::Digests;
use crate::directory::Directory;
use crate::history::CorruptHistory;
use crate::numbers::Numbers;
use crate::origins::{OriginError, OriginStore};
use crate::outbox::{Outbox, OutboxError};
use crate::policies::Policies;
use crate::reader::{Checkpoint, ReadError, Reader, Source, raw};
use crate::scan::ScanError;
use crate::settings::{SettingsError, SettingsStore};
use crate::streams::{self, Drift, Layout, PARTITIONS_MAX};
use crate::tickets::Tickets;
use crate::tokens::{TokenStore, TokenStoreError};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How much longer than the last each pause between attempts to reconnect is, and the longest:
/// short, because a restarted server is back at once.
const RECONNECT_DELAY_STEP: Duration = Duration::from_millis(10);
const RECONNECT_DELAY_MAX: Duration = Duration::from_millis(500);
/// How long a request may wait for a connection that is down. A restarted server is back sooner.
const RECONNECT_WAIT: Duration = Duration::from_secs(2);
/// Between looks at a connection that is down.
const RECONNECT_LOOK: Duration = Duration::from_millis(20);
/// How long one request may wait for its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Requests that may wait for the connection's task. Above the most commands in flight.
const CLIENT_CAPACITY: usize = 8192;

/// Where the log is and how it is made if it does not exist.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `nats://[token@]host:port`, several with commas between them.
    pub url: String,
    /// Partitions of a new log. An existing log must have as many. `None`: as recorded, and
    /// [`crate::PARTITIONS_DEFAULT`] for a new one.
    pub partitions: Option<u16>,
    /// Copies of each stream of a new log: 1, or 3 on a cluster.
    pub replicas: usize,
}

/// The log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is malformed.
    #[error("the address of the NATS server is malformed; it is written nats://[token@]host:port")]
    Address(#[source] std::io::Error),
    /// No server answers, or not in time. It may come up later.
    #[error("the NATS server does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server refuses to make a stream.
    #[error("the NATS server refuses to make a stream")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The streams are not as they were made. Nothing is written to such a log.
    #[error("a stream of the log is not as it was made: {0}; put it back, or start with another log")]
    Drift(Drift),
    /// No log can have so many partitions, or none.
    #[error("a log has from 1 to {PARTITIONS_MAX} partitions, and {asked} were asked for")]
    PartitionsOutOfRange {
        /// What was asked for.
        asked: u16,
    },
    /// The number of partitions is fixed at first start.
    #[error("the log has {recorded} partitions, and {asked} were asked for; the number is fixed at first start")]
    Partitions {
        /// What was asked for.
        asked: u16,
        /// What there is.
        recorded: u16,
    },
    /// The bucket of tokens cannot be used.
    #[error("the bucket of tokens cannot be used")]
    Tokens(#[source] TokenStoreError),
    /// The bucket of the audit cannot be used.
    #[error("the bucket of the audit cannot be used")]
    Audit(#[source] AuditError),
    /// The bucket of origins cannot be used.
    #[error("the bucket of origins cannot be used")]
    Origins(#[source] OriginError),
    /// The bucket of settings cannot be used.
    #[error("the bucket of settings cannot be used")]
    Settings(#[source] SettingsError),
    /// The buckets of credentials cannot be used.
    #[error("the buckets of credentials cannot be used")]
    Credentials(#[source] CredentialError),
}

impl ConnectError {
    /// Whether waiting may help. What is left is for people.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable(_)
            | Self::Tokens(_)
            | Self::Audit(_)
            | Self::Origins(_)
            | Self::Settings(_)
            | Self::Credentials(_) => true,
            Self::Address(_)
            | Self::Refused(_)
            | Self::Drift(_)
            | Self::PartitionsOutOfRange { .. }
            | Self::Partitions { .. } => false,
        }
    }
}

/// A connection to the log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EventLog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) layout: Layout,
    pub(crate) clock: SharedClock,
    /// Publishes alone: a cold read must not stand before an acknowledgement.
    pub(crate) writes: Connection,
    /// Loads of histories: a cold one runs inside the server's loop for its connection.
    pub(crate) gets: Connection,
    /// Readers in order.
    pub(crate) reads: Connection,
    /// Whether a direct get may be answered by a replica that lags.
    pub(crate) replicated: bool,
    pub(crate) numbers: Numbers,
    pub(crate) appends: AppendMetrics,
    tokens: TokenStore,
    credentials: CredentialStore,
    audit: AuditStore,
    origins: OriginStore,
    settings: SettingsStore,
}

impl Inner {
    /// Goes up whenever commands get a new connection. A new one may lead to a log that went
    /// backwards while the server was away, of which nothing known before need hold.
    pub(crate) fn connections(&self) -> u64 {
        [&self.writes, &self.gets]
            .map(|connection| *connection.established.borrow())
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

/// The connection is down.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("there is no connection to the NATS server")]
pub(crate) struct Down;

/// A request without an answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It was not sent, and will not be.
    NotSent(Box<dyn std::error::Error + Send + Sync>),
    /// The server says that nobody takes such requests now.
    NobodyThere(Box<dyn std::error::Error + Send + Sync>),
    /// It may have been sent, and may have had its effect.
    Silence,
}

/// One connection, and how often it has been established.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) context: Context,
    /// Goes up whenever the connection is established anew.
    pub(crate) established: watch::Receiver<u64>,
}

impl Connection {
    async fn open(url: &str, name: &str) -> Result<Self, ConnectError> {
        let addresses: Vec<ServerAddr> = url
            .split(',')
            .map(|address| address.trim().parse::<ServerAddr>())
            .collect::<Result<_, _>>()
            .map_err(ConnectError::Address)?;
        let (sender, mut established) = watch::channel(0_u64);
        let count = Arc::new(AtomicU64::new(0));
        let mut options = ConnectOptions::new()
            .name(name)
            .connection_timeout(CONNECT_TIMEOUT)
            .client_capacity(CLIENT_CAPACITY)
            .reconnect_delay_callback(|attempts| {
                let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
                RECONNECT_DELAY_STEP.saturating_mul(attempts).min(RECONNECT_DELAY_MAX)
            })
            .event_callback(move |event| {
                let sender = sender.clone();
                let count = Arc::clone(&count);
                async move {
                    match event {
                        Event::Connected => {
                            sender.send_replace(count.fetch_add(1, Ordering::Relaxed).saturating_add(1));
                        }
                        Event::Disconnected => tracing::warn!("disconnected from the log"),
                        other => tracing::debug!(event = %other, "connection to the log"),
                    }
                }
            });
        // A URL with a user and no password carries a token. One is enough for a whole cluster.
        let token = addresses
            .iter()
            .filter(|address| address.password().is_none())
            .find_map(ServerAddr::username);
        if let Some(token) = token {
            options = options.token(token.to_owned());
        }
        let client = options
            .connect(addresses)
            .await
            .map_err(|error| ConnectError::Unavailable(Box::new(error)))?;
        // The event of this connection comes a moment later. Whoever watches for new connections
        // must not take it for one.
        let first = established.wait_for(|count| *count > 0).await.map(|_| ());
        first.map_err(|error| ConnectError::Unavailable(Box::new(error)))?;
        let context = jetstream::new(client.clone());
        Ok(Self {
            client,
            context,
            established,
        })
    }

    /// Returns when the connection is up: at once, or after a while.
    ///
    /// The client keeps what is sent while the connection is down, and sends it when it is up
    /// again. Whoever wants to know whether something was sent looks here first.
    pub(crate) async fn up(&self) -> Result<(), Down> {
        let up = || self.client.connection_state() == State::Connected;
        let coming = async {
            while !up() {
                pause(RECONNECT_LOOK).await;
            }
        };
        tokio::time::timeout(RECONNECT_WAIT, coming).await.map_err(|_| Down)
    }

    /// Sends what is answered together with the request after it.
    pub(crate) async fn publish(&self, subject: &str, headers: HeaderMap, payload: Bytes) -> Result<(), Unanswered> {
        self.up().await.map_err(|down| Unanswered::NotSent(Box::new(down)))?;
        let sent = self.client.publish_with_headers(subject.to_owned(), headers, payload);
        sent.await.map_err(|error| Unanswered::NotSent(Box::new(error)))
    }

    /// Sends a request and waits for its answer on the same connection.
    pub(crate) async fn request(
        &self,
        subject: &str,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Message, Unanswered> {
        if let Err(down) = self.up().await {
            return Err(Unanswered::NotSent(Box::new(down)));
        }
        let mut established = self.established.clone();
        established.mark_unchanged();
        let request = Request::new()
            .payload(payload)
            .headers(headers)
            .timeout(Some(ANSWER_TIMEOUT));
        tokio::select! {
            answer = self.client.send_request(subject.to_owned(), request) => {
                answer.map_err(|error| match error.kind() {
                    RequestErrorKind::NoResponders => Unanswered::NobodyThere(Box::new(error)),
                    RequestErrorKind::MaxPayloadExceeded | RequestErrorKind::InvalidSubject => {
                        Unanswered::NotSent(Box::new(error))
                    }
                    RequestErrorKind::TimedOut | RequestErrorKind::Other => Unanswered::Silence,
                })
            }
            // What was asked on the old connection will not be answered on the new one.
            _ = established.changed() => Err(Unanswered::Silence),
        }
    }
}

/// A pause that waits for a server and not for business time, so that no test's clock holds it up.
pub(crate) async fn pause(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "waits for a server, not for business time")]
    tokio::time::sleep(duration).await;
}

impl EventLog {
    /// Connects, and makes the log's streams if this is its first start.
    pub async fn connect(config: &LogConfig, clock: SharedClock) -> Result<Self, ConnectError> {
        let writes = Connection::open(&config.url, "recourse writes").await?;
        let gets = Connection::open(&config.url, "recourse gets").await?;
        let reads = Connection::open(&config.url, "recourse reads").await?;
        // On the heap: what it takes to make streams is much, and is done once.
        let layout = Box::pin(streams::ensure(&writes.context, config.partitions, config.replicas)).await?;
        let tokens = Box::pin(TokenStore::ensure(&gets, config.replicas))
            .await
            .map_err(ConnectError::Tokens)?;
        let credentials = Box::pin(CredentialStore::ensure(&gets, config.replicas))
            .await
            .map_err(ConnectError::Credentials)?;
        let audit = Box::pin(AuditStore::ensure(&gets, config.replicas))
            .await
            .map_err(ConnectError::Audit)?;
        let origins = Box::pin(OriginStore::ensure(&gets, config.replicas))
            .await
            .map_err(ConnectError::Origins)?;
        let settings = Box::pin(SettingsStore::ensure(&gets, config.replicas))
            .await
            .map_err(ConnectError::Settings)?;
        let numbers = Numbers::new(writes.clone());
        let replicated = streams::are_replicated(&writes.context).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                layout,
                clock,
                writes,
                gets,
                reads,
                replicated,
                numbers,
                appends: AppendMetrics::register(),
                tokens,
                credentials,
                audit,
                origins,
                settings,
            }),
        })
    }

    /// By which it says when things happen.
    pub fn clock(&self) -> &SharedClock {
        &self.inner.clock
    }

    /// Which log this is: made at random at its first start.
    pub fn epoch(&self) -> Uuid {
        self.inner.layout.epoch
    }

    /// How many partitions tickets are spread over.
    pub fn partitions(&self) -> u16 {
        self.inner.layout.partitions
    }

    /// Commands on tickets, decided by the policies of these books.
    pub fn tickets(&self, books: Books) -> Tickets {
        Tickets::new(Arc::clone(&self.inner), books)
    }

    /// Names of people, organisations and groups.
    pub fn directory(&self) -> Directory {
        Directory::new(Arc::clone(&self.inner))
    }

    /// Commands on calendars.
    pub fn calendars(&self) -> Calendars {
        Calendars::new(Arc::clone(&self.inner))
    }

    /// Commands on policies.
    pub fn policies(&self) -> Policies {
        Policies::new(Arc::clone(&self.inner))
    }

    /// Digests.
    pub fn digests(&self) -> Digests {
        Digests::new(Arc::clone(&self.inner))
    }

    /// What is agreed with organisations and users.
    pub fn contracts(&self) -> Contracts {
        Contracts::new(Arc::clone(&self.inner))
    }

    /// The policies in force, once their keeper runs. The policy `usual` applies where no stored
    /// one is for all tickets.
    pub fn books(&self, usual: SlaPolicy) -> (Books, BookKeeper) {
        BookKeeper::new(Arc::clone(&self.inner), usual)
    }

    /// Tokens and what they grant.
    pub fn tokens(&self) -> TokenStore {
        self.inner.tokens.clone()
    }

    /// What users sign in with.
    pub fn credentials(&self) -> CredentialStore {
        self.inner.credentials.clone()
    }

    /// Who came in, from where.
    pub fn audit(&self) -> AuditStore {
        self.inner.audit.clone()
    }

    /// From where users do what they do.
    pub fn origins(&self) -> OriginStore {
        self.inner.origins.clone()
    }

    /// What users chose for themselves.
    pub fn settings(&self) -> SettingsStore {
        self.inner.settings.clone()
    }

    /// Where notices wait until they are sent; makes it if it is not there.
    pub async fn outbox(&self) -> Result<Outbox, OutboxError> {
        Outbox::ensure(Arc::clone(&self.inner)).await
    }

    /// The record of a ticket at a position; `None`: there is none.
    pub async fn record(&self, position: Position) -> Result<Option<Record<TicketEvent>>, ScanError> {
        let Position { partition, sequence } = position;
        let bytes = raw(&self.inner, Source::Tickets(partition), sequence).await?;
        let record = bytes.map(|bytes| wire::decode(&bytes)).transpose();
        record.map_err(|source| ScanError::Corrupt(CorruptHistory::Unreadable { sequence, source }))
    }

    /// Reads a source in order, from after a checkpoint; from its beginning without one.
    pub async fn reader(&self, source: Source, after: Option<Checkpoint>) -> Result<Reader, ReadError> {
        Reader::open(Arc::clone(&self.inner), source, after).await
    }

    /// The sequence of a source's last record; 0 if it has none.
    pub async fn last_sequence(&self, source: Source) -> Result<u64, ReadError> {
        crate::reader::last_sequence(&self.inner, source).await
    }

    /// Whether the server answers now.
    pub fn is_connected(&self) -> bool {
        self.inner.writes.client.connection_state() == State::Connected
    }
}
