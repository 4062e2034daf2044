//! The mirror of the bucket that says from where users did what they did.

use event_log::{EventLog, KnownOrigin, OriginChange, OriginChanges};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::mirror::{Mirrored, Stop};

impl Mirrored for OriginChange {
    const NAME: &'static str = "origins";
    const LOCK: i64 = i64::from_be_bytes(*b"rcorigin");
    type Changes = OriginChanges;

    async fn fill(log: &EventLog, db: &mut PgConnection) -> Result<OriginChanges, Stop> {
        let mut changes = log.origins().follow().await?;
        let mut tx = db.begin().await?;
        sqlx::query("DELETE FROM recourse.origins").execute(&mut *tx).await?;
        loop {
            match changes.next().await? {
                Self::CaughtUp => break,
                change => change.apply(&mut tx).await?,
            }
        }
        tx.commit().await?;
        Ok(changes)
    }

    async fn next(changes: &mut OriginChanges) -> Result<Self, Stop> {
        Ok(changes.next().await?)
    }

    async fn apply(self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Known(key, known) => keep(db, &key, &known).await,
            Self::Forgotten(key) => forget(db, &key).await,
            Self::CaughtUp => Ok(()),
        }
    }
}

async fn keep(db: &mut PgConnection, key: &str, known: &KnownOrigin) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO recourse.origins (key, id, user_id, address, forwarded_for, agent)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (key) DO UPDATE SET id = excluded.id",
    )
    .bind(key)
    .bind(known.id)
    .bind(known.user)
    .bind(&known.origin.address)
    .bind(&known.origin.forwarded_for)
    .bind(&known.origin.agent)
    .execute(db)
    .await?;
    Ok(())
}

async fn forget(db: &mut PgConnection, key: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM recourse.origins WHERE key = $1")
        .bind(key)
        .execute(db)
        .await?;
    Ok(())
}
