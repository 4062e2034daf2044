//! What every request shares.

use std::sync::Arc;
use std::time::Duration;

use domain::actor::Actor;
use service_kit::health::Component;
use service_kit::tokens::{Authenticate, TokenGrant, TokenHash};
use service_kit::{Health, Problem, SharedClock, Shutdown};
use sqlx::postgres::PgPool;
use sqlx::types::Json;

use crate::database::{self, problem, unavailable};
use crate::feed::listeners::Listeners;
use crate::positions::Positions;
use crate::tickets::export::Exports;

/// How often the service looks whether its database is still there.
const ALIVE_EVERY: Duration = Duration::from_secs(1);

/// How often it looks whether its database is there at last: a desk that starts is ready so soon after it is.
const ABSENT_EVERY: Duration = Duration::from_millis(50);

/// The query service's state. Clones share it.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) db: PgPool,
    pub(crate) positions: Positions,
    pub(crate) clock: SharedClock,
    pub(crate) exports: Exports,
    pub(crate) listeners: Listeners,
    pub(crate) shutdown: Shutdown,
}

impl App {
    /// Opens the service without waiting for its database. Its background tasks end with the
    /// shutdown.
    pub fn start(
        database_url: &str,
        clock: SharedClock,
        health: &Health,
        shutdown: &Shutdown,
    ) -> Result<Self, sqlx::Error> {
        let db = database::pool(database_url)?;
        let positions = Positions::new(db.clone());
        let looking = {
            let (positions, cancelled) = (positions.clone(), shutdown.cancelled());
            async move {
                tokio::select! {
                    () = cancelled => {}
                    () = positions.look() => {}
                }
            }
        };
        shutdown.tracker().spawn(looking);
        let watching = {
            let (db, component, cancelled) = (db.clone(), health.component("query-api"), shutdown.cancelled());
            async move {
                tokio::select! {
                    () = cancelled => {}
                    () = watch(&db, &component) => {}
                }
            }
        };
        shutdown.tracker().spawn(watching);
        Ok(Self {
            db,
            positions,
            clock,
            exports: Exports::new(shutdown),
            listeners: Listeners::default(),
            shutdown: shutdown.clone(),
        })
    }

    /// Gives the connections back. To be called when the last request has been answered: one that is in hand
    /// at a shutdown still needs them.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

/// Reports on the database for as long as it is polled.
async fn watch(db: &PgPool, component: &Component) {
    loop {
        let alive = sqlx::query("SELECT projection FROM desk.checkpoints LIMIT 1")
            .execute(db)
            .await;
        let look_again_after = if alive.is_ok() {
            component.ready();
            ALIVE_EVERY
        } else {
            component.unready("the read model cannot be reached");
            ABSENT_EVERY
        };
        #[expect(clippy::disallowed_methods, reason = "waits for a server, not for business time")]
        tokio::time::sleep(look_again_after).await;
    }
}

impl Authenticate for App {
    async fn authenticate(&self, hash: TokenHash) -> Result<Option<Arc<Actor>>, Problem> {
        // One statement, and so one moment: a database that was just made knows no token, and that
        // does not make this one wrong.
        let (granted, mirrored): (Option<Json<TokenGrant>>, Option<bool>) = sqlx::query_as(
            "SELECT (SELECT granted FROM recourse.access_tokens WHERE hash = $1),
                    (SELECT filled FROM desk.checkpoints WHERE projection = 'tokens')",
        )
        .bind(hash.as_bytes().as_slice())
        .fetch_one(&self.db)
        .await
        .map_err(problem)?;
        match (granted, mirrored) {
            (Some(Json(grant)), _) => Ok((!grant.is_revoked()).then(|| Arc::new(grant.actor()))),
            (None, Some(true)) => Ok(None),
            (None, Some(false) | None) => Err(unavailable("The read model is being built. Try again in a moment.")),
        }
    }
}
