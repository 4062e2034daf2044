//! The mirror of the bucket that says from where users did what they did.

use std::collections::BTreeMap;

use event_log::{EventLog, KnownOrigin, Origin, OriginChange, OriginChanges};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::mirror::{Mirrored, Stop};

/// How many are written by one statement.
const AT_ONCE: usize = 1_000;

impl Mirrored for OriginChange {
    const NAME: &'static str = "origins";
    const LOCK: i64 = i64::from_be_bytes(*b"rcorigin");
    type Changes = OriginChanges;

    async fn fill(log: &EventLog, db: &mut PgConnection) -> Result<OriginChanges, Stop> {
        let mut changes = log.origins().follow().await?;
        let mut known = BTreeMap::new();
        loop {
            match changes.next().await? {
                Self::Known(key, origin) => drop(known.insert(key, origin)),
                Self::Forgotten(key) => drop(known.remove(&key)),
                Self::CaughtUp => break,
            }
        }
        let mut tx = db.begin().await?;
        sqlx::query("DELETE FROM recourse.origins").execute(&mut *tx).await?;
        keep(&mut tx, known.into_iter().collect()).await?;
        tx.commit().await?;
        Ok(changes)
    }

    async fn next(changes: &mut OriginChanges) -> Result<Self, Stop> {
        Ok(changes.next().await?)
    }

    async fn apply(self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Known(key, known) => keep(db, vec![(key, known)]).await,
            Self::Forgotten(key) => forget(db, &key).await,
            Self::CaughtUp => Ok(()),
        }
    }
}

async fn keep(db: &mut PgConnection, known: Vec<(String, KnownOrigin)>) -> Result<(), sqlx::Error> {
    for some in known.chunks(AT_ONCE) {
        let column = |text: fn(&Origin) -> &Option<String>| -> Vec<Option<String>> {
            some.iter().map(|(_, known)| text(&known.origin).clone()).collect()
        };
        sqlx::query(
            "INSERT INTO recourse.origins (key, id, address, forwarded_for, agent)
             SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[])
             ON CONFLICT (key) DO UPDATE SET id = excluded.id",
        )
        .bind(some.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>())
        .bind(some.iter().map(|(_, known)| known.id).collect::<Vec<_>>())
        .bind(column(|origin| &origin.address))
        .bind(column(|origin| &origin.forwarded_for))
        .bind(column(|origin| &origin.agent))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn forget(db: &mut PgConnection, key: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM recourse.origins WHERE key = $1")
        .bind(key)
        .execute(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;
    use test_harness::postgres;
    use uuid::Uuid;

    use super::*;

    fn known(key: &str, id: u128) -> OriginChange {
        let known = KnownOrigin {
            id: Uuid::from_u128(id),
            user: Uuid::from_u128(1),
            origin: Origin {
                address: Some("192.0.2.1".to_owned()),
                ..Origin::default()
            },
        };
        OriginChange::Known(key.to_owned(), known)
    }

    async fn mirrored(db: &mut PgConnection) -> Vec<(String, Uuid, Option<String>)> {
        let rows = sqlx::query_as("SELECT key, id, address FROM recourse.origins ORDER BY key");
        rows.fetch_all(db).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_forgotten_is_forgotten_here_and_what_is_known_anew_has_its_new_id() {
        let url = postgres().await.database().await;
        let mut db = PgConnection::connect(&url).await.unwrap();
        crate::MIGRATOR.run(&mut db).await.unwrap();
        for change in [known("a", 1), known("b", 2), known("b", 2)] {
            change.apply(&mut db).await.unwrap();
        }
        OriginChange::Forgotten("a".to_owned()).apply(&mut db).await.unwrap();
        known("b", 3).apply(&mut db).await.unwrap();
        let address = Some("192.0.2.1".to_owned());
        assert_eq!(mirrored(&mut db).await, [("b".to_owned(), Uuid::from_u128(3), address)]);
    }
}
