//! How far the read models have come, and waiting until they have come far enough.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::ids::{DIRECTORY_PARTITION, Position};
use serde::Deserialize;
use service_kit::Problem;
use service_kit::http::{Caller, SignedIn};
use service_kit::problem::types::{MALFORMED_REQUEST, READ_MODEL_BEHIND};
use service_kit::tokens::Bearer;
use sqlx::postgres::PgPool;
use tokio::sync::watch;

use crate::app::{App, Callers};
use crate::database::{problem, unavailable};

/// How long a request waits if it does not say.
pub(crate) const WAIT_DEFAULT: Duration = Duration::from_secs(2);

/// The longest that a request may wait.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);

/// How often the checkpoints are looked at while somebody waits. A commit of the projector takes
/// about as long.
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// How often they are looked at for those who listen to the feed, hour after hour: soon enough for
/// people and programs, and no burden on a desk where nothing happens.
const LISTEN_EVERY: Duration = Duration::from_millis(10);

const MIN_POSITION: HeaderName = HeaderName::from_static("min-position");
const MAX_WAIT_MS: HeaderName = HeaderName::from_static("max-wait-ms");
const READ_POSITION: HeaderName = HeaderName::from_static("read-position");

/// The last sequence of each partition whose rows are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    sequences: BTreeMap<u16, u64>,
    /// The last sequence of the directory whose rows are there. Commands on calendars give it.
    directory: u64,
    /// Which generation of the directory serves: one that was made anew may have what another left out.
    generation: i32,
    /// Which state of the tokens is mirrored: another number after each change.
    tokens: i64,
    /// Whether the tables have ever held all that the log did, and all tokens.
    filled: bool,
}

/// How far one projection is on one partition.
#[derive(Debug, Deserialize, sqlx::FromRow)]
pub(crate) struct CheckpointRow {
    projection: String,
    partition: i32,
    sequence: i64,
    filled: bool,
    #[serde(default)]
    generation: i32,
}

/// A state of the directory and of the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    directory: u64,
    generation: i32,
    tokens: i64,
}

impl Known {
    /// Whether another state has another number: a projector of an older release does not number those of the tokens.
    pub(crate) const fn is_numbered(&self) -> bool {
        self.tokens > 0
    }
}

impl Reached {
    async fn read(db: &PgPool) -> Result<Self, sqlx::Error> {
        let rows: Vec<CheckpointRow> = sqlx::query_as(
            "SELECT projection, partition, sequence, filled, generation
             FROM desk.checkpoints
             WHERE projection IN ('tickets', 'directory', 'tokens')",
        )
        .fetch_all(db)
        .await?;
        Ok(Self::of(&rows))
    }

    /// What the checkpoints of tickets, directory and tokens say.
    pub(crate) fn of(rows: &[CheckpointRow]) -> Self {
        let filled = !rows.is_empty() && rows.iter().all(|row| row.filled);
        let tickets = rows.iter().filter(|row| row.projection == "tickets");
        let sequences = tickets
            .filter_map(|row| Some((u16::try_from(row.partition).ok()?, u64::try_from(row.sequence).ok()?)))
            .collect();
        let directory = rows.iter().find(|row| row.projection == "directory");
        let tokens = rows.iter().find(|row| row.projection == "tokens");
        Self {
            sequences,
            directory: directory.map_or(0, |row| u64::try_from(row.sequence).unwrap_or(0)),
            generation: directory.map_or(0, |row| row.generation),
            tokens: tokens.map_or(0, |row| row.sequence),
            filled,
        }
    }

    /// Whether the tables have ever held all that the log did.
    pub(crate) const fn filled(&self) -> bool {
        self.filled
    }

    /// What it depends on who bears a token: while it is the same, so are all of them.
    pub(crate) const fn known_of_callers(&self) -> Known {
        Known {
            directory: self.directory,
            generation: self.generation,
            tokens: self.tokens,
        }
    }

    /// Whether the log has a partition of that number.
    pub(crate) fn knows(&self, partition: u16) -> bool {
        self.sequences.contains_key(&partition)
    }

    /// The last sequence of each partition, as Postgres counts.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = (u16, i64)> {
        self.sequences
            .iter()
            .map(|(partition, sequence)| (*partition, i64::try_from(*sequence).unwrap_or(i64::MAX)))
    }

    fn includes(&self, wanted: &[Position]) -> bool {
        wanted.iter().all(|position| {
            self.reached(position.partition)
                .is_some_and(|at| at >= position.sequence)
        })
    }

    /// The last sequence of a partition of tickets, or of the directory.
    fn reached(&self, partition: u16) -> Option<u64> {
        let directory = (partition == DIRECTORY_PARTITION).then_some(self.directory);
        directory.or_else(|| self.sequences.get(&partition).copied())
    }
}

/// As in the header: `0:12,1:7`.
impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (partition, sequence)) in self.sequences.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(
                f,
                "{separator}{}",
                Position {
                    partition: *partition,
                    sequence: *sequence
                }
            )?;
        }
        Ok(())
    }
}

/// Knows the checkpoints. However many wait or listen, one task looks, and only while somebody does.
/// What they wait for is a level: nobody can miss it.
#[derive(Debug, Clone)]
pub(crate) struct Positions {
    db: PgPool,
    /// Every look, whatever it saw.
    reached: Arc<watch::Sender<Reached>>,
    /// What the last look saw, told when it differs from the one before.
    moved: Arc<watch::Sender<Reached>>,
    demand: Arc<watch::Sender<Demand>>,
}

/// How many want to know.
#[derive(Debug, Clone, Copy, Default)]
struct Demand {
    /// Requests that wait for `Min-Position`.
    waiting: usize,
    /// Listeners to the feed.
    listening: usize,
}

impl Demand {
    fn waiting(&mut self) -> &mut usize {
        &mut self.waiting
    }

    fn listening(&mut self) -> &mut usize {
        &mut self.listening
    }
}

/// Somebody wants to know, until this is dropped.
#[derive(Debug)]
struct Interest {
    demand: Arc<watch::Sender<Demand>>,
    count: fn(&mut Demand) -> &mut usize,
}

impl Interest {
    fn begin(demand: &Arc<watch::Sender<Demand>>, count: fn(&mut Demand) -> &mut usize) -> Self {
        demand.send_modify(|demand| *count(demand) = count(demand).saturating_add(1));
        Self {
            demand: Arc::clone(demand),
            count,
        }
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.demand
            .send_modify(|demand| *(self.count)(demand) = (self.count)(demand).saturating_sub(1));
    }
}

/// Hears when the read models move, for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Movements {
    moved: watch::Receiver<Reached>,
    _interest: Interest,
}

impl Movements {
    /// Returns when the checkpoints have changed since the last time, with what they are. May be dropped.
    pub(crate) async fn next(&mut self) -> Reached {
        if self.moved.changed().await.is_err() {
            // The sender lives in the same state as this.
            std::future::pending::<()>().await;
        }
        self.moved.borrow_and_update().clone()
    }
}

impl Positions {
    pub(crate) fn new(db: PgPool) -> Self {
        Self {
            db,
            reached: Arc::default(),
            moved: Arc::default(),
            demand: Arc::default(),
        }
    }

    /// How far the rows are now.
    async fn now(&self) -> Result<Reached, Problem> {
        Reached::read(&self.db).await.map_err(problem)
    }

    /// Hears of every movement from now on.
    pub(crate) fn listen(&self) -> Movements {
        if self.demand.borrow().listening == 0 {
            // What was seen long ago must not pass for what the first look finds.
            self.moved.send_replace(Reached::default());
        }
        Movements {
            moved: self.moved.subscribe(),
            _interest: Interest::begin(&self.demand, Demand::listening),
        }
    }

    /// Looks for ever, while somebody wants to know.
    pub(crate) async fn look(&self) {
        let mut demand = self.demand.subscribe();
        let (mut soon, mut often) = (every(LOOK_EVERY), every(LISTEN_EVERY));
        while let Ok(wanted) = demand
            .wait_for(|demand| demand.waiting > 0 || demand.listening > 0)
            .await
            .map(|demand| *demand)
        {
            if wanted.waiting > 0 {
                soon.tick().await;
            } else {
                tokio::select! {
                    _ = often.tick() => {}
                    _ = demand.wait_for(|demand| demand.waiting > 0) => {}
                }
            }
            // Whoever waits through an outage is told that the read model is behind.
            let Ok(reached) = Reached::read(&self.db).await else {
                continue;
            };
            self.moved.send_if_modified(|last| {
                let changed = *last != reached;
                last.clone_from(&reached);
                changed
            });
            self.reached.send_replace(reached);
        }
    }

    /// Waits until the rows, which include this `now`, include what is wanted, and returns what they include then. Not
    /// reaching it in time is no error here: the caller compares.
    async fn at_least(&self, now: Reached, wanted: &[Position], wait: Duration) -> Result<Reached, Problem> {
        if now.includes(wanted) || !now.filled {
            return Ok(now);
        }
        if let Some(unknown) = wanted.iter().find(|position| now.reached(position.partition).is_none()) {
            return Err(malformed(format!(
                "Min-Position names partition {}, and the log has none of that number. Send what Commit-Position said.",
                unknown.partition
            )));
        }
        let mut reached = self.reached.subscribe();
        let _waiting = Interest::begin(&self.demand, Demand::waiting);
        // What the task saw last may be from long ago, and even from a database that is gone.
        reached.mark_unchanged();
        let arrived = tokio::time::timeout(wait, async {
            while reached.changed().await.is_ok() {
                if reached.borrow_and_update().includes(wanted) {
                    break;
                }
            }
        });
        match arrived.await {
            Ok(()) => Ok(reached.borrow().clone()),
            Err(_) => Ok(now),
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

/// What a route needs of the read models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// All that the log held once.
    Filled,
    /// Whatever there is.
    Anything,
}

/// Knows the caller, waits for `Min-Position`, and puts `Read-Position` on the answer. The
/// positions are read before the data, so that the data is never older than they say.
pub(crate) async fn positioned(State((app, needs)): State<(App, Needs)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let ((mut caller, mut bearer), now) = match caller(&app, &mut parts).await {
        Ok(known) => known,
        Err(problem) => return problem.into_response(),
    };
    let (wanted, reached) = match wait(&app, now, &parts.headers).await {
        Ok((wanted, reached)) if reached.includes(&wanted) => (wanted, reached),
        Ok((_, reached)) if reached.filled => return stamped(behind().into_response(), &reached),
        Ok(waited) => waited,
        Err(problem) => return problem.into_response(),
    };
    // Whoever waited for the directory asks by what it says then, of themselves, too.
    if wanted.iter().any(|position| position.partition == DIRECTORY_PARTITION) {
        (caller, bearer) = match self::caller(&app, &mut parts).await {
            Ok((known, _)) => known,
            Err(problem) => return stamped(problem.into_response(), &reached),
        };
    }
    if needs == Needs::Filled && !reached.filled {
        let building = unavailable("The read model is being built from the log. Try again in a moment.");
        return stamped(building.into_response(), &reached);
    }
    parts.extensions.insert(caller);
    parts.extensions.insert(bearer);
    stamped(next.run(Request::from_parts(parts, body)).await, &reached)
}

/// Who asks, and by which token, by what the tables hold now.
async fn caller(app: &App, parts: &mut Parts) -> Result<((Caller, Bearer), Reached), Problem> {
    let now = app.positions.now().await?;
    let callers = Callers {
        app: app.clone(),
        known: now.known_of_callers(),
    };
    let signed_in = SignedIn::from_request_parts(parts, &callers).await?;
    let bearer = signed_in.bearer.clone();
    Ok(((signed_in.caller(&parts.method)?, bearer), now))
}

async fn wait(app: &App, now: Reached, headers: &HeaderMap) -> Result<(Vec<Position>, Reached), Problem> {
    let wanted = min_position(headers)?;
    let reached = app.positions.at_least(now, &wanted, max_wait(headers)?).await?;
    Ok((wanted, reached))
}

fn stamped(mut response: Response, reached: &Reached) -> Response {
    if let Ok(value) = HeaderValue::from_str(&reached.to_string()) {
        response.headers_mut().insert(READ_POSITION, value);
    }
    response
}

fn behind() -> Problem {
    Problem::new(&READ_MODEL_BEHIND)
        .detail("The read model has not come as far as Min-Position in the time allowed. Ask again, or ask without it.")
        .retry_after(1)
}

fn malformed(detail: String) -> Problem {
    Problem::new(&MALFORMED_REQUEST).detail(detail)
}

fn min_position(headers: &HeaderMap) -> Result<Vec<Position>, Problem> {
    let mut wanted = Vec::new();
    for value in headers.get_all(MIN_POSITION) {
        for position in value.to_str().unwrap_or_default().split(',') {
            let position = position.trim().parse();
            wanted.push(position.map_err(|error| malformed(format!("Min-Position cannot be read: {error}.")))?);
        }
    }
    Ok(wanted)
}

fn max_wait(headers: &HeaderMap) -> Result<Duration, Problem> {
    let Some(value) = headers.get(MAX_WAIT_MS) else {
        return Ok(WAIT_DEFAULT);
    };
    let wait = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .map(Duration::from_millis);
    wait.filter(|wait| *wait <= WAIT_MAX)
        .ok_or_else(|| malformed(format!("Max-Wait-Ms is a whole number up to {}.", WAIT_MAX.as_millis())))
}
