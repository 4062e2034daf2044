//! The mirror of the access tokens in Postgres, so that queries need Postgres alone.
//!
//! One projector at a time writes it, over the very connection that holds the lock: a projector that lost its lock has lost
//! the connection as well, and cannot bring back a token that was revoked meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use event_log::{EventLog, TokenChange, TokenStoreError};
use service_kit::chain;
use service_kit::health::Component;
use service_kit::tokens::{TokenGrant, TokenHash};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use sqlx::types::Json;

use crate::checkpoint::{self, Key};
use crate::database::{Database, DatabaseError};
use crate::pause::{Backoff, pause};

/// The checkpoint that says whether the mirror has been filled.
pub(crate) const KEY: Key = Key {
    projection: "tokens",
    generation: 1,
    partition: 0,
};

/// The advisory lock of the mirror: any number that nobody else uses ("rctokens" in ASCII).
const LOCK: i64 = i64::from_be_bytes(*b"rctokens");

/// How often somebody who stands by tries to take over.
const STANDBY_POLL: Duration = Duration::from_millis(500);

/// How often an idle mirror looks whether its database is still there. A database that was made
/// anew has no tokens until this notices.
const ALIVE_POLL: Duration = Duration::from_millis(500);

/// Keeps the mirror.
#[derive(Debug)]
pub(crate) struct Mirror {
    pub(crate) log: EventLog,
    pub(crate) database: Arc<Database>,
    pub(crate) component: Component,
}

#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("Postgres cannot be used")]
    Database(#[from] sqlx::Error),
    #[error("Postgres cannot be used")]
    Schema(#[from] DatabaseError),
    #[error("the tokens cannot be read")]
    Tokens(#[from] TokenStoreError),
}

impl Mirror {
    /// Mirrors for ever. May be dropped at any point.
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::default();
        loop {
            let Err(stop) = self.follow(&mut backoff).await;
            if backoff.is_fresh() {
                tracing::warn!("the mirror of the tokens waits: {}", chain(&stop));
            }
            self.component.unready(stop.to_string());
            backoff.wait().await;
        }
    }

    async fn follow(&self, backoff: &mut Backoff) -> Result<std::convert::Infallible, Stop> {
        self.database.ensure().await?;
        let mut db = self.database.own_connection().await?;
        while !locked(&mut db).await? {
            // Standing by is this mirror's work as well.
            self.component.ready();
            pause(STANDBY_POLL).await;
        }
        let mut changes = self.log.tokens().follow().await?;
        replace(&mut db, changes.standing().await?).await?;
        self.component.ready();
        backoff.reset();
        loop {
            tokio::select! {
                change = changes.next() => match change? {
                    TokenChange::Granted(hash, grant) => grant_token(&mut db, hash, &grant).await?,
                    TokenChange::Forgotten(hash) => forget(&mut db, hash).await?,
                    TokenChange::CaughtUp => {}
                },
                () = pause(ALIVE_POLL) => db.ping().await?,
            }
        }
    }
}

async fn locked(db: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(LOCK)
        .fetch_one(db)
        .await
}

/// Makes the mirror what the bucket is.
async fn replace(db: &mut PgConnection, all: BTreeMap<TokenHash, TokenGrant>) -> Result<(), sqlx::Error> {
    let mut tx = db.begin().await?;
    sqlx::query("DELETE FROM recourse.access_tokens")
        .execute(&mut *tx)
        .await?;
    for (hash, grant) in &all {
        grant_token(&mut tx, *hash, grant).await?;
    }
    checkpoint::filled(&mut *tx, KEY).await?;
    tx.commit().await
}

async fn grant_token(db: &mut PgConnection, hash: TokenHash, grant: &TokenGrant) -> Result<(), sqlx::Error> {
    if grant.is_revoked() {
        return forget(db, hash).await;
    }
    sqlx::query(
        "INSERT INTO recourse.access_tokens (hash, granted)
         VALUES ($1, $2)
         ON CONFLICT (hash) DO UPDATE SET granted = excluded.granted",
    )
    .bind(hash.as_bytes().as_slice())
    .bind(Json(grant))
    .execute(db)
    .await?;
    Ok(())
}

async fn forget(db: &mut PgConnection, hash: TokenHash) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM recourse.access_tokens WHERE hash = $1")
        .bind(hash.as_bytes().as_slice())
        .execute(db)
        .await?;
    Ok(())
}
