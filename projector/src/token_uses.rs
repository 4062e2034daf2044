//! Takes to the log what queries, which need none, left word of in Postgres: when tokens were last used.
//!
//! Every projector does, because doing it twice is as good as once. Nothing waits for it, and when it fails it tries again.

use std::sync::Arc;
use std::time::Duration;

use event_log::{EventLog, TokenStoreError};
use jiff_sqlx::Timestamp;
use service_kit::chain;
use service_kit::tokens::TokenHash;

use crate::database::Database;
use crate::pause::pause;

/// How often somebody looks. Services leave word once a minute.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How much is taken at once.
const AT_ONCE: i64 = 100;

/// Takes uses of tokens from Postgres to the log.
#[derive(Debug)]
pub(crate) struct TokenUses {
    pub(crate) log: EventLog,
    pub(crate) database: Arc<Database>,
}

#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("Postgres cannot be used")]
    Database(#[from] sqlx::Error),
    #[error("uses of tokens cannot be kept")]
    Tokens(#[from] TokenStoreError),
}

impl TokenUses {
    /// Does so for ever. May be dropped at any point.
    pub(crate) async fn run(self) {
        loop {
            pause(LOOK_EVERY).await;
            if let Err(stop) = self.take().await {
                tracing::debug!("when tokens were used waits in Postgres: {}", chain(&stop));
            }
        }
    }

    /// What is forgotten here is in the log by then: whoever is cut off in between takes it once more.
    async fn take(&self) -> Result<(), Stop> {
        let db = self.database.pool();
        let uses: Vec<(Vec<u8>, Timestamp)> =
            sqlx::query_as("SELECT hash, used_at FROM recourse.token_uses ORDER BY hash LIMIT $1")
                .bind(AT_ONCE)
                .fetch_all(db)
                .await?;
        if uses.is_empty() {
            return Ok(());
        }
        let tokens = self.log.tokens();
        for (hash, used_at) in &uses {
            if let Ok(bytes) = hash.as_slice().try_into() {
                tokens.note_use(TokenHash::from_bytes(bytes), used_at.to_jiff()).await?;
            }
        }
        let (hashes, instants): (Vec<_>, Vec<_>) = uses.into_iter().unzip();
        // A use that came meanwhile stays.
        sqlx::query(
            "DELETE FROM recourse.token_uses u USING UNNEST($1::bytea[], $2::timestamptz[]) AS told (hash, used_at)
             WHERE u.hash = told.hash AND u.used_at = told.used_at",
        )
        .bind(hashes)
        .bind(instants)
        .execute(db)
        .await?;
        Ok(())
    }
}
