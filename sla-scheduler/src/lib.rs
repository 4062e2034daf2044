//! Ends the waits whose time has come, warns of promised times and breaches them, and draws digests.
//!
//! A reconciler: it keeps nothing of its own, reads which timers are due, and sends ordinary
//! commands to the log. Each pass ([`reconcile`]) may run twice, at the same time as another
//! scheduler's, or be cut off anywhere: the command's id is derived from the timer that it fires, the
//! rules look at the ticket again, and the log takes one record for it.
//!
//! * [`Config`] and [`run`]: the service.
//! * `reconcile.rs`: one pass. `timers.rs`: what it reads. `send.rs`: what it sends.
//! * `digest.rs`: at the times of a cron expression, what happened to promises since the last one.

mod digest;
mod reconcile;
mod send;
mod timers;
mod wake;

use event_log::{Digests, Tickets};
use service_kit::cron::Cron;
use service_kit::{Health, SharedClock, Shutdown};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

pub use crate::send::{command_id, fire};
pub use crate::timers::{Due, Wait};

use crate::reconcile::Scheduler;

/// Settings of the scheduler.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// When every due timer is looked at again, whatever was remembered of it: a cron expression
    /// with six or seven fields, which are seconds, minutes, hours, day of month, month, day of week
    /// by name, and year; then a time zone, if not UTC.
    #[arg(long, env = "RECOURSE_SWEEP", default_value = EVERY_MINUTE, value_name = "CRON")]
    pub sweep: Cron,
    /// When a digest is drawn of what became of promised times, such as "0 0 9 * * MON-FRI Europe/Moscow".
    /// Without it, none is.
    #[arg(long, env = "RECOURSE_DIGEST", value_name = "CRON")]
    pub digest: Option<Cron>,
}

/// The default sweep: once a minute. What a sweep finds has been missed before, so that this is the
/// longest time for which a mistake of the memory can last.
pub const EVERY_MINUTE: &str = "0 * * * * *";

/// The database's URL cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the database's URL is not one of Postgres: postgres://user:password@host/name")]
pub struct DatabaseUrlError(#[source] sqlx::Error);

/// A pass is one query at a time; a second connection would wait for nothing.
const CONNECTIONS_MAX: u32 = 1;

/// What the scheduler reads the timers with. Nothing is connected yet.
pub fn pool(database_url: &str) -> Result<PgPool, DatabaseUrlError> {
    let options: PgConnectOptions = database_url.parse().map_err(DatabaseUrlError)?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(timers::READ_TIMEOUT);
    Ok(pool.connect_lazy_with(options.application_name("recourse-sla-scheduler")))
}

/// Fires what is due until the shutdown, through every outage. Several may run at the same time.
pub async fn run(
    config: &Config,
    pool: PgPool,
    tickets: Tickets,
    digests: Digests,
    clock: SharedClock,
    health: &Health,
    shutdown: &Shutdown,
) {
    let scheduler = Scheduler::new(pool.clone(), tickets, SharedClock::clone(&clock));
    let component = health.component("sla-scheduler");
    let waking = wake::run(scheduler, &config.sweep, &component, shutdown);
    let drawing = async {
        if let Some(cron) = &config.digest {
            let component = health.component("sla-scheduler/digest");
            digest::run(&pool, &digests, &clock, cron, &component, shutdown).await;
        }
    };
    tokio::join!(waking, drawing);
}
