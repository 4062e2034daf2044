//! The connection to Postgres, and the database itself: the projector owns it, and makes it
//! again when it is gone.

use std::time::Duration;

use sqlx::migrate::{MigrateDatabase as _, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Postgres, Transaction};
use tokio::sync::{Mutex, watch};

use crate::{analytics, generation};

/// The tables, for this crate and for the tests of those who read them.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Partitions commit in turns over these. More would not be faster on the few cores that Postgres
/// shares with us, and each costs it several megabytes.
const CONNECTIONS_MAX: u32 = 6;

/// How long a commit waits for a connection before it is tried again from the start.
const ACQUIRE_MAX: Duration = Duration::from_secs(10);

/// A connection that nobody has used for this long is given back.
const IDLE_MAX: Duration = Duration::from_mins(1);

/// What every session of the projector is set to.
///
/// A commit that Postgres loses in a crash takes its checkpoint with it, and the log still has the
/// records. So the projector does not wait for the disk.
///
/// The table of migrations has no schema in its name. A user called like one of our schemas would
/// find another one as soon as the schema exists, and begin from the first migration.
///
/// Rows are compared by their text, and times are written in the session's zone.
const SESSION: [(&str, &str); 3] = [
    ("synchronous_commit", "off"),
    ("search_path", "public"),
    ("timezone", "UTC"),
];

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL is not one of Postgres.
    #[error("the database URL is not acceptable")]
    Url(#[source] sqlx::Error),
    /// It does not exist and could not be made.
    #[error("cannot create the database")]
    Create(#[source] sqlx::Error),
    /// Its tables could not be made.
    #[error("cannot bring the database's tables up to date")]
    Migrate(#[source] MigrateError),
    /// The first generation of tables could not be made.
    #[error("cannot make the tables of the first generation")]
    Generation(#[source] sqlx::Error),
    /// The views for analysts could not be made.
    #[error("cannot make the views of schema analytics")]
    Analytics(#[source] sqlx::Error),
}

/// The projector's database.
#[derive(Debug)]
pub(crate) struct Database {
    url: String,
    pool: PgPool,
    /// Of the log.
    partitions: u16,
    /// Changes whenever checkpoints may stand elsewhere than their pumps left them.
    nudges: watch::Sender<()>,
    /// One task at a time brings the database up to date; the others then find it so.
    ensuring: Mutex<()>,
}

impl Database {
    /// Connects when it is first used.
    pub(crate) fn new(url: &str, partitions: u16) -> Result<Self, DatabaseError> {
        let options: PgConnectOptions = url.parse().map_err(DatabaseError::Url)?;
        let options = options.application_name("recourse projector").options(SESSION);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_MAX)
            .idle_timeout(IDLE_MAX)
            .connect_lazy_with(options);
        Ok(Self {
            url: url.to_owned(),
            pool,
            partitions,
            nudges: watch::Sender::new(()),
            ensuring: Mutex::new(()),
        })
    }

    /// Its connections.
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A connection for one task alone.
    pub(crate) async fn own_connection(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect_with(&self.pool.connect_options()).await
    }

    /// Makes the database if it does not exist, its first tables and its checkpoints. Several
    /// projectors may do so at once.
    pub(crate) async fn ensure(&self) -> Result<(), DatabaseError> {
        let _one_at_a_time = self.ensuring.lock().await;
        match self.migrate().await {
            Err(MigrateError::Execute(error)) if is_missing_database(&error) => {
                tracing::warn!("the database does not exist; it is made and filled from the log");
                match Postgres::create_database(&self.url).await {
                    Err(error) if is_existing_database(&error) => {}
                    created => created.map_err(DatabaseError::Create)?,
                }
                self.migrate().await.map_err(DatabaseError::Migrate)?;
            }
            migrated => migrated.map_err(DatabaseError::Migrate)?,
        }
        if generation::ensure(&self.pool, self.partitions)
            .await
            .map_err(DatabaseError::Generation)?
        {
            self.nudge();
        }
        analytics::ensure(&self.pool).await.map_err(DatabaseError::Analytics)
    }

    /// In a task of its own: cut off half-way, it would leave its lock to a connection of the pool, and
    /// everybody would wait for that for ever.
    async fn migrate(&self) -> Result<(), MigrateError> {
        let pool = self.pool.clone();
        let migrating = tokio::spawn(async move { MIGRATOR.run(&pool).await });
        migrating
            .await
            .expect("migrating does not panic, and nobody cancels its task")
    }

    /// Asks every pump to look at its checkpoint again. Whoever waits for a record does not notice by
    /// itself that the database was made anew.
    pub(crate) fn nudge(&self) {
        self.nudges.send_replace(());
    }

    /// Nudges from now on.
    pub(crate) fn nudges(&self) -> watch::Receiver<()> {
        self.nudges.subscribe()
    }
}

/// Begins a transaction on one of the pool's connections, by this statement. Whoever stops waiting meanwhile, such as a pump
/// that is dropped, leaves none behind: sqlx 0.9 gives a connection back with an open transaction if it is dropped
/// between asking for one and hearing of it, and holds its locks and its view of the data for whoever uses that connection next.
pub(crate) async fn begin(pool: &PgPool, how: &'static str) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(how).await });
    begun.await.map_err(|_| sqlx::Error::WorkerCrashed)?
}

/// A transaction as Postgres has them by itself.
pub(crate) const USUAL: &str = "BEGIN";

fn is_missing_database(error: &sqlx::Error) -> bool {
    sqlstate(error).is_some_and(|code| code == "3D000")
}

/// Another projector was faster: it exists already, or was inserted at the same moment.
fn is_existing_database(error: &sqlx::Error) -> bool {
    sqlstate(error).is_some_and(|code| code == "42P04" || code == "23505")
}

/// Whether Postgres refused the values themselves, so that trying again would change nothing.
pub(crate) fn is_refusal(error: &sqlx::Error) -> bool {
    // Data exceptions and violated constraints.
    sqlstate(error).is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}
