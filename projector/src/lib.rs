//! The log to Postgres read models.
//!
//! * [`run`] keeps every projection going on every partition, in as many processes as one likes.
//! * [`MIGRATOR`] has the tables; see `migrations/README.md`.
//! * `projections` turn events into rows; the `pump` feeds each of them, and commits its rows
//!   together with the `checkpoint` that says how far it has come.

#![warn(clippy::wildcard_enum_match_arm)]

mod analytics;
mod checkpoint;
mod config;
mod database;
mod first_fill;
mod generation;
mod jsonb;
mod lag;
mod lines;
mod mirror;
mod origins;
mod pause;
mod projections;
mod pump;
mod pumps;
mod rebuild;
mod retention;
mod table;
#[cfg(feature = "testing")]
pub mod testing;
mod token_uses;
mod tokens;

use std::sync::Arc;

use domain::calendar::Calendar;
use event_log::{ConnectError, EventLog, LogConfig, OriginChange, TokenChange};
use service_kit::{Health, SharedClock, Shutdown};
use tokio::task::JoinSet;

pub use config::Config;
pub use database::{DatabaseError, MIGRATOR};
pub use lines::Sum;
pub use rebuild::{Comparison, Listed, Operator, Pace, Progress, RebuildError};
pub use retention::Retention;

use database::Database;
use lag::Lag;
use mirror::Mirror;
use pause::Backoff;
use pumps::Pumps;
use retention::Keeper;
use token_uses::TokenUses;

/// The projector cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The log refuses us, and would again.
    #[error("the projector cannot use the log")]
    Log(#[source] ConnectError),
    /// The database's URL is not acceptable.
    #[error("the projector cannot use the database")]
    Database(#[source] DatabaseError),
    /// A task ended, which none of them does by itself.
    #[error("a task of the projector failed")]
    Task(#[source] tokio::task::JoinError),
}

/// What read models are made by, and for how long they are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Durations are counted in its hours as well.
    pub calendar: Calendar,
    /// For how long what no longer serves is kept.
    pub retention: Retention,
}

impl Settings {
    /// The usual ones, with this calendar.
    pub fn new(calendar: Calendar) -> Self {
        Self {
            calendar,
            retention: Retention::default(),
        }
    }
}

/// Connects to the log, however long that takes, and projects until the shutdown.
pub async fn run(
    config: Config,
    calendar: Calendar,
    clock: SharedClock,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), RunError> {
    let log_config = LogConfig {
        url: config.nats.nats_url.clone(),
        partitions: None,
        replicas: usize::from(config.replicas),
    };
    let log = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        log = connect(&log_config, clock, health) => log.map_err(RunError::Log)?,
    };
    let settings = Settings {
        calendar,
        retention: config.retention,
    };
    project(log, &config.database.database_url, settings, health, shutdown).await
}

/// Waits for a log that does not answer; one that is not as it should be is for people.
async fn connect(config: &LogConfig, clock: SharedClock, health: &Health) -> Result<EventLog, ConnectError> {
    let component = health.component("projector/log");
    let mut backoff = Backoff::default();
    loop {
        match EventLog::connect(config, Arc::clone(&clock)).await {
            Ok(log) => {
                component.ready();
                return Ok(log);
            }
            Err(error) if error.may_pass() => {
                component.unready("the log does not answer");
                backoff.wait().await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Projects until the shutdown, over a connection to the log that others may share. The database
/// may be absent at any time, and is made when it does not exist.
pub async fn project(
    log: EventLog,
    database_url: &str,
    settings: Settings,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), RunError> {
    project_filling_from(first_fill::MISSING_MIN, log, database_url, settings, health, shutdown).await
}

/// The same, with another number of missing records from which on a read model is filled at once.
async fn project_filling_from(
    fill_from: u64,
    log: EventLog,
    database_url: &str,
    settings: Settings,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), RunError> {
    let Settings { calendar, retention } = settings;
    let database = Arc::new(Database::new(database_url, log.partitions()).map_err(RunError::Database)?);
    let pumps = Pumps {
        log: log.clone(),
        database: Arc::clone(&database),
        calendar: calendar.clone(),
        health: health.clone(),
        fill_from,
    };
    let sources = pumps.sources();
    let mut tasks = JoinSet::new();
    tasks.spawn(pumps.run());
    tasks.spawn(
        Keeper {
            retention,
            database: Arc::clone(&database),
            operator: Operator::of_projector(log.clone(), Arc::clone(&database), calendar),
        }
        .run(),
    );
    let mirror = |component: &'static str| Mirror {
        log: log.clone(),
        database: Arc::clone(&database),
        component: health.component(component),
    };
    tasks.spawn(mirror("projector/tokens").run::<TokenChange>());
    tasks.spawn(mirror("projector/origins").run::<OriginChange>());
    tasks.spawn(
        TokenUses {
            log: log.clone(),
            database: Arc::clone(&database),
        }
        .run(),
    );
    tasks.spawn(
        Lag {
            log,
            database: Arc::clone(&database),
            sources,
        }
        .run(),
    );

    let ended = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        Some(ended) = tasks.join_next() => ended.map_err(RunError::Task),
    };
    // What is not committed is given up; the next start does it again.
    tasks.shutdown().await;
    database.pool().close().await;
    ended
}
