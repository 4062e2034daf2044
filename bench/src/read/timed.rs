//! Asking: one client, one question after the other.

use std::{net::SocketAddr, time::Duration};

use service_kit::{SystemClock, clock::pause};
use tokio::time::Instant;

use super::{cases::Case, state::Timing};
use crate::{
    http::{Connection, is_success},
    statistics::percentile,
};

/// How long one case is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// So often, if time allows.
    pub(crate) requests: usize,
    /// So long at most, warm-up included.
    pub(crate) time: Duration,
}

/// Before anything counts, each case is asked as often as this: caches are filled, and connections made.
const WARM_UP: usize = 20;
/// The warm-up takes at most this part of the time.
const WARM_UP_PART: u32 = 4;
/// However long a question takes, it is asked this often.
const REQUESTS_MIN: usize = 2;

/// The status of a question that was cut off: `query-too-expensive`.
const TOO_EXPENSIVE: u16 = 422;

/// A client of query-api.
#[derive(Debug)]
pub(crate) struct Client {
    connection: Connection,
    effort: Effort,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, effort: Effort) -> anyhow::Result<Self> {
        let connection = Connection::open(address).await?;
        Ok(Self { connection, effort })
    }

    /// Waits until a token that was just made is known.
    pub(crate) async fn wait_until_known(&mut self, token: &str) -> anyhow::Result<()> {
        const LIMIT: Duration = Duration::from_secs(30);
        const LOOK_EVERY: Duration = Duration::from_millis(50);
        let request =
            format!("GET /v1/tickets?limit=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        let began = Instant::now();
        while !is_success(self.connection.ask(request.as_bytes()).await?.status) {
            anyhow::ensure!(began.elapsed() < LIMIT, "query-api does not know a new token");
            pause(&SystemClock, LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Asks a case again and again, in turns with each of its variants.
    pub(crate) async fn time(&mut self, case: &Case) -> anyhow::Result<Timing> {
        let mut paths = case.requests.iter().cycle();
        let mut next = || paths.next().map(String::as_bytes).unwrap_or_default();
        let began = Instant::now();
        for _ in 0..WARM_UP {
            self.once(next()).await?;
            if began.elapsed() > self.effort.time / WARM_UP_PART {
                break;
            }
        }
        let mut micros = Vec::new();
        let mut refused = 0;
        while micros.len() < self.effort.requests && (micros.len() < REQUESTS_MIN || began.elapsed() < self.effort.time)
        {
            let sent = Instant::now();
            if !self.once(next()).await? {
                refused += 1;
            }
            micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
            // Another of these would take as long.
            if refused > 0 {
                break;
            }
        }
        micros.sort_unstable();
        let ms = |hundredths| percentile(&micros, hundredths).as_secs_f64() * 1e3;
        Ok(Timing {
            case: case.name.clone(),
            requests: u64::try_from(micros.len()).unwrap_or(u64::MAX),
            p50_ms: ms(50),
            p99_ms: ms(99),
            refused,
        })
    }

    /// Whether the question was answered; otherwise it was cut off.
    async fn once(&mut self, request: &[u8]) -> anyhow::Result<bool> {
        let answer = self.connection.ask(request).await?;
        if is_success(answer.status) {
            return Ok(true);
        }
        let body = String::from_utf8_lossy(answer.body);
        anyhow::ensure!(
            answer.status == TOO_EXPENSIVE && body.contains("query-too-expensive"),
            "{} was answered with status {}: {body}",
            String::from_utf8_lossy(request).lines().next().unwrap_or_default(),
            answer.status
        );
        Ok(false)
    }
}

impl Timing {
    /// How many times longer than another the slowest hundredth took.
    pub(crate) fn ratio(&self, base: &Self) -> f64 {
        self.p99_ms / base.p99_ms.max(0.001)
    }
}
