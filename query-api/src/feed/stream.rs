//! The feed over server-sent events.
//!
//! Each listener is a task that reads a stretch, hands it to the connection and waits for the read
//! model to move. It holds one stretch; a reader who does not keep up makes it wait.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use domain::actor::Actor;
use futures::FutureExt as _;
use service_kit::Problem;
use service_kit::http::token_hash;
use service_kit::problem::types::READ_MODEL_UNAVAILABLE;
use service_kit::tokens::TokenHash;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout_at};

use super::listeners::Place;
use super::page::{Asked, known, public};
use super::read::{Amount, Stretch, read};
use super::vector::{Mark, Vector};
use crate::app::{App, LOOKED_AT_EVERY};
use crate::database::unavailable;
use crate::positions::Movements;

/// The media type of server-sent events.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// After so many checks without an event a sign of life is sent: every 10 s. Proxies give up a
/// connection that is silent for a minute.
const HEARTBEAT_CHECKS: u32 = 20;

/// How long a reader may take nothing at all before it is sent away. It can come back and go on.
const STALL_MAX: Duration = Duration::from_secs(30);

/// What the details of one chunk's events may add up to, because every listener holds some.
const CHUNK_BYTES_MAX: i64 = 256 * 1024;

/// Chunks between the task and the connection.
const CHUNKS_WAITING_MAX: usize = 1;

/// What listeners are told to wait before they come back.
const COME_BACK_AFTER: Duration = Duration::from_secs(1);

/// Buffering proxies would keep events back.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// The stream has ended: its token is revoked, its reader stalls or is gone, or the feed is broken.
#[derive(Debug)]
struct Ended;

/// When there is more to read.
enum More {
    Now,
    WhenItMoves,
}

struct Listener {
    app: App,
    token: TokenHash,
    actor: Arc<Actor>,
    asked: Asked,
    /// What the reader will have got.
    at: Vector,
    /// What the reader has been told as an id.
    told: Vector,
    chunks: mpsc::Sender<Bytes>,
    checks: Interval,
    silent_checks: u32,
    /// Whether the last look at the token found it good.
    vouched: bool,
    _place: Place,
}

/// Opens a stream. Whatever is wrong with the request is told here, before it begins.
pub(super) async fn open(app: App, actor: Arc<Actor>, headers: &HeaderMap, asked: Asked) -> Result<Response, Problem> {
    let token = token_hash(headers).ok_or_else(Problem::internal)?;
    let place = app.listeners.enter(actor.user)?;
    let movements = app.positions.listen();
    let (chunks, waiting) = mpsc::channel(CHUNKS_WAITING_MAX);
    let mut checks = interval(LOOKED_AT_EVERY);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let at = asked.after.clone();
    let listener = Listener {
        token,
        actor,
        told: at.clone(),
        at,
        asked,
        chunks,
        checks,
        silent_checks: 0,
        vouched: true,
        _place: place,
        app: app.clone(),
    };
    let first = listener.read().await?;
    known(&listener.at, &first)?;

    let cancelled = app.shutdown.cancelled();
    app.shutdown.tracker().spawn(async move {
        let gone = listener.chunks.clone();
        tokio::select! {
            () = cancelled => {}
            () = gone.closed() => {}
            _ = listener.listen(first, movements) => {}
        }
    });
    let chunks = futures::stream::unfold(waiting, |mut waiting| async {
        let chunk: Bytes = waiting.recv().await?;
        Some((Ok::<_, Infallible>(chunk), waiting))
    });
    let headers = [
        (CONTENT_TYPE.as_str(), EVENT_STREAM),
        (CACHE_CONTROL.as_str(), "no-cache"),
        UNBUFFERED,
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

impl Listener {
    async fn read(&self) -> Result<Stretch, Problem> {
        if !self.vouched {
            return Err(unavailable(
                "Nobody can tell at present whether the token is still good.",
            ));
        }
        let amount = Amount {
            events: self.asked.limit,
            bytes: CHUNK_BYTES_MAX,
        };
        let _turn = self.app.listeners.reads.acquire().await;
        read(&self.app.db, &self.actor, &self.asked.wanted, &self.at, amount).await
    }

    /// Delivers until it ends. May be dropped at any point: the reader knows what it has got.
    async fn listen(mut self, first: Stretch, mut movements: Movements) -> Result<(), Ended> {
        let greeting = format!(": events after {}\nretry: {}\n\n", self.at, COME_BACK_AFTER.as_millis());
        self.send(greeting.into()).await?;
        let mut next = Ok(first);
        loop {
            let delivered = match next {
                Ok(stretch) => self.deliver(stretch).await?,
                Err(problem) => Err(problem),
            };
            match delivered {
                Ok(More::Now) => {
                    if self.checks.tick().now_or_never().is_some() {
                        self.check().await?;
                    }
                }
                Ok(More::WhenItMoves) => self.until_it_moves(&mut movements).await?,
                Err(problem) if problem.kind == &READ_MODEL_UNAVAILABLE => self.until_the_next_check().await?,
                // A bug, which is in the log already. Coming back would not help, but loses nothing.
                Err(_) => return Err(Ended),
            }
            next = self.read().await;
        }
    }

    /// Hands a stretch to the connection. If its names cannot be read, it is read again later.
    async fn deliver(&mut self, stretch: Stretch) -> Result<Result<More, Problem>, Ended> {
        let Stretch { rows, end, more, .. } = stretch;
        let marks: Vec<(u16, Mark)> = rows.iter().map(|row| (row.partition(), row.mark())).collect();
        let events = match public(&self.app.db, rows, &self.asked.base).await {
            Ok(events) => events,
            Err(problem) => return Ok(Err(problem)),
        };
        if !events.is_empty() {
            let mut chunk = String::new();
            for (event, (partition, mark)) in events.iter().zip(marks) {
                self.at.pass(partition, mark);
                let Ok(json) = serde_json::to_string(event) else {
                    return Err(Ended);
                };
                // Writing to a text cannot fail.
                let _ = write!(chunk, "id: {}\nevent: {}\ndata: {json}\n\n", self.at, event.kind());
            }
            self.told = self.at.clone();
            self.send(chunk.into()).await?;
        }
        self.at = end;
        Ok(Ok(if more { More::Now } else { More::WhenItMoves }))
    }

    async fn until_it_moves(&mut self, movements: &mut Movements) -> Result<(), Ended> {
        loop {
            // Both arms may be dropped.
            tokio::select! {
                reached = movements.next() => {
                    if self.at.is_before(&reached) {
                        return Ok(());
                    }
                }
                _ = self.checks.tick() => self.check().await?,
            }
        }
    }

    async fn until_the_next_check(&mut self) -> Result<(), Ended> {
        self.checks.tick().await;
        self.check().await
    }

    /// Looks at the token again, and gives a sign of life if there was none for long.
    async fn check(&mut self) -> Result<(), Ended> {
        match self.app.bearer(self.token).await {
            Ok(Some(bearer)) => {
                self.app.note_use(self.token, Some(&bearer));
                self.actor = bearer.actor;
                self.vouched = true;
            }
            Ok(None) => return Err(Ended),
            Err(_) => self.vouched = false,
        }
        self.silent_checks = self.silent_checks.saturating_add(1);
        if self.silent_checks >= HEARTBEAT_CHECKS {
            self.silent_checks = 0;
            // A reader who takes nothing needs no sign of life. Who sees nothing of what happens still
            // moves on: an id without data is kept by the reader and shown to nobody.
            let id = if self.told == self.at {
                String::new()
            } else {
                format!("id: {}\n", self.at)
            };
            if self.chunks.try_send(format!(": alive\n{id}\n").into()).is_ok() {
                self.told = self.at.clone();
            }
        }
        Ok(())
    }

    /// Waits until the connection takes the chunk, as long as the token is good, and not for ever.
    async fn send(&mut self, chunk: Bytes) -> Result<(), Ended> {
        let chunks = self.chunks.clone();
        let patience = Instant::now() + STALL_MAX;
        loop {
            // Both arms may be dropped.
            tokio::select! {
                place = timeout_at(patience, chunks.reserve()) => {
                    let Ok(Ok(place)) = place else { return Err(Ended) };
                    place.send(chunk);
                    self.silent_checks = 0;
                    return Ok(());
                }
                _ = self.checks.tick() => {
                    if let Ok(None) = self.app.bearer(self.token).await {
                        return Err(Ended);
                    }
                }
            }
        }
    }
}
