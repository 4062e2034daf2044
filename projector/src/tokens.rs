//! The mirror of the access tokens.

use std::collections::BTreeMap;

use event_log::{EventLog, TokenChange, TokenChanges};
use service_kit::tokens::{TokenGrant, TokenHash};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use sqlx::types::Json;

use crate::checkpoint::{self, Key};
use crate::mirror::{Mirrored, Stop};

/// The checkpoint that says whether the mirror has been filled.
pub(crate) const KEY: Key = Key {
    projection: "tokens",
    generation: 1,
    partition: 0,
};

impl Mirrored for TokenChange {
    const NAME: &'static str = "tokens";
    const LOCK: i64 = i64::from_be_bytes(*b"rctokens");
    type Changes = TokenChanges;

    async fn fill(log: &EventLog, db: &mut PgConnection) -> Result<TokenChanges, Stop> {
        let mut changes = log.tokens().follow().await?;
        replace(db, changes.standing().await?).await?;
        Ok(changes)
    }

    async fn next(changes: &mut TokenChanges) -> Result<Self, Stop> {
        Ok(changes.next().await?)
    }

    async fn apply(self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut tx = db.begin().await?;
        match self {
            Self::Granted(hash, grant) => grant_token(&mut tx, hash, &grant).await?,
            Self::Forgotten(hash) => forget(&mut tx, hash).await?,
            Self::CaughtUp => return Ok(()),
        }
        checkpoint::renumber(&mut *tx, KEY).await?;
        tx.commit().await
    }
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
    checkpoint::renumber(&mut *tx, KEY).await?;
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
