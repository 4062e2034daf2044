//! Ticket numbers, taken from the counter stream in blocks.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use bytes::Bytes;
use domain::ids::TicketNumber;
use tokio::sync::Mutex;

use crate::append::AppendError;
use crate::connection::{Connection, Unanswered};
use crate::subject::TICKET_NUMBERS;

/// Numbers taken at once by a desk at rest. A process that stops leaves up to two blocks unused.
const BLOCK_MIN: u64 = 64;
/// Numbers taken at once under the heaviest load: tens of blocks a second.
const BLOCK_MAX: u64 = 1024;
/// A block that is used up sooner than this is followed by one twice as large, and one that
/// lasts longer by one half as large.
const BLOCK_LASTS: Duration = Duration::from_secs(1);

/// How often a block is asked for when the counter is silent. Each may cost a block.
const TAKES_MAX: u32 = 3;

const INCREMENT: &str = "Nats-Incr";

/// Hands out numbers, each once.
///
/// The next block is fetched while half of the last one is left: on a log that syncs every
/// write, creations would otherwise all stand still together, several times a second.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connection: Connection,
    stock: std::sync::Mutex<Stock>,
    /// Held by the one who fetches a block.
    fetching: Arc<Mutex<()>>,
}

/// Numbers that are ours and not given out yet.
#[derive(Debug)]
struct Stock {
    blocks: VecDeque<Range<u64>>,
    left: u64,
    /// How many the last block had, and when it came.
    size: u64,
    fetched: Option<Instant>,
}

impl Stock {
    fn new() -> Self {
        Self {
            blocks: VecDeque::new(),
            left: 0,
            size: BLOCK_MIN,
            fetched: None,
        }
    }

    fn take(&mut self) -> Option<u64> {
        let number = loop {
            match self.blocks.front_mut()?.next() {
                Some(number) => break number,
                None => self.blocks.pop_front(),
            };
        };
        self.left = self.left.saturating_sub(1);
        Some(number)
    }

    fn put(&mut self, block: Range<u64>, now: Instant) {
        self.size = block.end.saturating_sub(block.start);
        self.left = self.left.saturating_add(self.size);
        self.fetched = Some(now);
        self.blocks.push_back(block);
    }

    fn is_low(&self) -> bool {
        self.left <= self.size / 2
    }

    /// How many to take next.
    fn next_size(&self, now: Instant) -> u64 {
        match self.fetched {
            None => BLOCK_MIN,
            Some(fetched) if now.duration_since(fetched) < BLOCK_LASTS => self.size.saturating_mul(2).min(BLOCK_MAX),
            Some(_) => (self.size / 2).max(BLOCK_MIN),
        }
    }
}

impl Numbers {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            shared: Arc::new(Shared {
                connection,
                stock: std::sync::Mutex::new(Stock::new()),
                fetching: Arc::default(),
            }),
        }
    }

    /// A number that nobody else has or will have. A lost answer costs a block, never a
    /// number given twice.
    pub(crate) async fn next(&self) -> Result<TicketNumber, AppendError> {
        match self.take_stocked() {
            Some(number) => Ok(TicketNumber(number)),
            // In a box, because it is rare and its future large.
            None => Box::pin(self.fetched()).await,
        }
    }

    /// A number of a block that somebody fetches now.
    async fn fetched(&self) -> Result<TicketNumber, AppendError> {
        let _turn = self.shared.fetching.lock().await;
        // Whoever had the turn before may have left some.
        if let Some(number) = self.stock().take() {
            return Ok(TicketNumber(number));
        }
        let mut block = self.shared.fetch().await?;
        let number = block.start;
        block.start = number.saturating_add(1);
        self.stock().put(block, Instant::now());
        Ok(TicketNumber(number))
    }

    /// A number in stock. If few are left, somebody is sent for more.
    fn take_stocked(&self) -> Option<u64> {
        let (number, is_low) = {
            let mut stock = self.stock();
            (stock.take()?, stock.is_low())
        };
        if is_low && let Ok(turn) = Arc::clone(&self.shared.fetching).try_lock_owned() {
            let numbers = self.clone();
            tokio::spawn(async move {
                let _turn = turn;
                match numbers.shared.fetch().await {
                    Ok(block) => numbers.stock().put(block, Instant::now()),
                    // Whoever finds the stock empty tries again, and is told why not.
                    Err(error) => tracing::debug!(%error, "no ticket numbers could be fetched ahead"),
                }
            });
        }
        Some(number)
    }

    fn stock(&self) -> std::sync::MutexGuard<'_, Stock> {
        self.shared.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Raises the counter by a block, which is ours from then on.
    async fn fetch(&self) -> Result<Range<u64>, AppendError> {
        let size = {
            let stock = self.stock.lock().unwrap_or_else(PoisonError::into_inner);
            stock.next_size(Instant::now())
        };
        for _ in 0..TAKES_MAX {
            let mut headers = HeaderMap::new();
            headers.insert(INCREMENT, format!("+{size}").as_str());
            match self.connection.request(TICKET_NUMBERS, headers, Bytes::new()).await {
                Ok(message) => {
                    let end = raised(&message.payload)?.saturating_add(1);
                    return Ok(end.saturating_sub(size)..end);
                }
                Err(Unanswered::NotSent(error) | Unanswered::NobodyThere(error)) => {
                    return Err(AppendError::NotWritten(error));
                }
                // Perhaps a block was taken. Nobody will use it.
                Err(Unanswered::Silence) => {}
            }
        }
        Err(AppendError::NotWritten("the counter does not answer".into()))
    }
}

/// The counter's new value.
fn raised(answer: &[u8]) -> Result<u64, AppendError> {
    match serde_json::from_slice::<Response<PublishAck>>(answer) {
        Ok(Response::Ok(ack)) => ack
            .value
            .and_then(|value| value.parse().ok())
            .ok_or_else(|| AppendError::NotWritten("the counter's answer carries no value".into())),
        Ok(Response::Err { error }) => Err(AppendError::NotWritten(Box::new(error))),
        Err(error) => Err(AppendError::NotWritten(Box::new(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_order_across_blocks() {
        let mut stock = Stock::new();
        stock.put(1..3, Instant::now());
        stock.put(7..8, Instant::now());
        let taken: Vec<u64> = std::iter::from_fn(|| stock.take()).collect();
        assert_eq!(taken, [1, 2, 7]);
        assert_eq!(stock.left, 0);
    }

    #[test]
    fn blocks_grow_under_load_and_shrink_at_rest() {
        let (mut stock, mut now) = (Stock::new(), Instant::now());
        let mut sizes = Vec::new();
        for pause in [0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2] {
            now += Duration::from_secs(pause);
            let size = stock.next_size(now);
            stock.put(0..size, now);
            sizes.push(size);
        }
        assert_eq!(sizes, [64, 128, 256, 512, 1024, 1024, 512, 256, 128, 64, 64]);
    }
}
