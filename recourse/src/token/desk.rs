//! A running desk, as the token commands reach it.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use event_log::{EventLog, LogConfig};
use reqwest::{Client, StatusCode};
use service_kit::clock::pause;
use service_kit::tokens::{TRIED_WITHIN, TokenGrant, TokenHash};
use service_kit::{SystemClock, chain};

use super::DeskArgs;
use crate::up::Connection;

/// How long the desk may take to notice. It needs milliseconds; a desk that needs longer is down,
/// and the token is good all the same.
const NOTICE_LIMIT: Duration = TRIED_WITHIN;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A desk that runs.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) log: EventLog,
    url: Option<String>,
}

/// What the desk is to make of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Accepted,
    Refused,
}

impl Desk {
    pub(super) async fn open(args: &DeskArgs) -> anyhow::Result<Self> {
        let (nats_url, url) = if let Some(nats_url) = &args.nats_url {
            (nats_url.clone(), args.url.clone())
        } else {
            let connection = Connection::read(&args.data_dir)?;
            (connection.nats, Some(args.url.clone().unwrap_or(connection.http)))
        };
        // What the log is made of was decided when it was made.
        let config = LogConfig {
            url: nats_url,
            partitions: None,
            replicas: 1,
        };
        let log = EventLog::connect(&config, SystemClock::shared())
            .await
            .context("the desk does not run: start it with `recourse up`")?;
        Ok(Self { log, url })
    }

    /// Every token that the desk knows.
    pub(super) async fn grants(&self) -> anyhow::Result<Vec<(TokenHash, TokenGrant)>> {
        let standing = async { self.log.tokens().follow().await?.standing().await };
        let listed = tokio::time::timeout(NOTICE_LIMIT, standing).await;
        let grants = listed.context("the desk did not list its tokens in time: try again")??;
        Ok(grants.into_iter().collect())
    }

    /// Returns once the desk makes of the token what is expected, for commands and for queries, so
    /// that a script may go on. A desk that takes long is waited for no longer than [`NOTICE_LIMIT`].
    #[expect(clippy::print_stderr, reason = "says that the desk has not taken notice")]
    pub(super) async fn wait_until(&self, expected: Expected, token: &str) {
        let Some(url) = &self.url else { return };
        let started = Instant::now();
        loop {
            let seen = expected.is_seen(url, token).await;
            if matches!(seen, Ok(true)) {
                return;
            }
            if started.elapsed() >= NOTICE_LIMIT {
                let why = seen
                    .err()
                    .map(|error| format!(" ({})", chain(&error)))
                    .unwrap_or_default();
                let seconds = NOTICE_LIMIT.as_secs();
                eprintln!("recourse: done, but the desk at {url} has not taken notice within {seconds} s{why}");
                return;
            }
            pause(&SystemClock, LOOK_EVERY).await;
        }
    }
}

impl Expected {
    async fn is_seen(self, url: &str, token: &str) -> reqwest::Result<bool> {
        // Fails only if a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(NOTICE_LIMIT).build()?;
        let url = url.trim_end_matches('/');
        // Neither has an effect: a list of one, and no commands at all.
        let query = client
            .get(format!("{url}/v1/tickets?limit=1"))
            .bearer_auth(token)
            .send()
            .await?
            .status();
        let command = client
            .post(format!("{url}/v1/commands"))
            .header("content-type", "application/x-ndjson")
            .bearer_auth(token)
            .send()
            .await?
            .status();
        let expected = |status: StatusCode| match self {
            Self::Accepted => status.is_success() || (status.is_client_error() && status != StatusCode::UNAUTHORIZED),
            Self::Refused => status == StatusCode::UNAUTHORIZED,
        };
        Ok(expected(query) && expected(command))
    }
}
