//! Mirrors of key-value buckets in Postgres, so that queries need Postgres alone.
//!
//! One projector at a time writes a mirror, over the very connection that holds its lock: a projector that lost the lock has
//! lost the connection as well, and cannot bring back what was forgotten meanwhile.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use event_log::{EventLog, OriginError, TokenStoreError};
use service_kit::chain;
use service_kit::health::Component;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::database::{Database, DatabaseError};
use crate::pause::{Backoff, pause};

/// How often somebody who stands by tries to take over.
const STANDBY_POLL: Duration = Duration::from_millis(500);

/// How often an idle mirror looks whether its database is still there. A database that was made
/// anew has an empty mirror until this notices.
const ALIVE_POLL: Duration = Duration::from_millis(500);

/// A change of a bucket that has a mirror.
pub(crate) trait Mirrored: Send {
    /// What it is called in messages.
    const NAME: &'static str;
    /// The advisory lock of its mirror: any number that nobody else uses.
    const LOCK: i64;
    /// Follows the bucket.
    type Changes: Send;

    /// Begins to follow the bucket, and makes the mirror what the bucket is.
    fn fill(log: &EventLog, db: &mut PgConnection) -> impl Future<Output = Result<Self::Changes, Stop>> + Send;

    /// Waits for the next change, and returns what takes it over. May be dropped while it waits.
    fn next(changes: &mut Self::Changes) -> impl Future<Output = Result<Self, Stop>> + Send
    where
        Self: Sized;

    /// Takes the change over.
    fn apply(self, db: &mut PgConnection) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

/// Why a mirror waits.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error("Postgres cannot be used")]
    Database(#[from] sqlx::Error),
    #[error("Postgres cannot be used")]
    Schema(#[from] DatabaseError),
    #[error("the tokens cannot be read")]
    Tokens(#[from] TokenStoreError),
    #[error("the origins cannot be read")]
    Origins(#[from] OriginError),
}

/// Keeps a mirror.
#[derive(Debug)]
pub(crate) struct Mirror {
    pub(crate) log: EventLog,
    pub(crate) database: Arc<Database>,
    pub(crate) component: Component,
}

impl Mirror {
    /// Mirrors for ever. May be dropped at any point.
    pub(crate) async fn run<M: Mirrored>(self) {
        let mut backoff = Backoff::default();
        loop {
            let Err(stop) = self.follow::<M>(&mut backoff).await;
            if backoff.is_fresh() {
                tracing::warn!("the mirror of the {} waits: {}", M::NAME, chain(&stop));
            }
            self.component.unready(stop.to_string());
            backoff.wait().await;
        }
    }

    async fn follow<M: Mirrored>(&self, backoff: &mut Backoff) -> Result<Infallible, Stop> {
        self.database.ensure().await?;
        let mut db = self.database.own_connection().await?;
        while !locked(&mut db, M::LOCK).await? {
            // Standing by is this mirror's work as well.
            self.component.ready();
            pause(STANDBY_POLL).await;
        }
        let mut changes = M::fill(&self.log, &mut db).await?;
        self.component.ready();
        backoff.reset();
        loop {
            tokio::select! {
                change = M::next(&mut changes) => change?.apply(&mut db).await?,
                () = pause(ALIVE_POLL) => db.ping().await?,
            }
        }
    }
}

async fn locked(db: &mut PgConnection, lock: i64) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(lock)
        .fetch_one(db)
        .await
}
