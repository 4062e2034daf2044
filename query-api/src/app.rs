//! What every request shares.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::actor::Actor;
use jiff_sqlx::ToSqlx as _;
use moka::sync::Cache;
use service_kit::health::Component;
use service_kit::token_uses::TokenUses;
use service_kit::tokens::{Authenticate, Bearer, TokenGrant, TokenHash};
use service_kit::{Health, Problem, SharedClock, Shutdown, chain};
use sqlx::postgres::PgPool;
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};

use crate::cursor::Cursors;
use crate::database::{self, problem, unavailable};
use crate::feed::listeners::Listeners;
use crate::portal;
use crate::positions::{self, Positions};
use crate::rights::{ENTRIES_OF_USER, Found, PROJECTS_OF_WHO, Standing};
use crate::tickets::export::Exports;

/// How often the token of somebody who reads on and on is looked at. Whatever a revoked one began ends within a second.
pub(crate) const LOOKED_AT_EVERY: Duration = Duration::from_millis(500);

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
    pub(crate) cursors: Cursors,
    pub(crate) exports: Exports,
    pub(crate) listeners: Listeners,
    uses: TokenUses,
    /// Who bore tokens lately, and by which state of directory and tokens.
    bearers: Cache<TokenHash, (positions::Known, Arc<TokenGrant>, Bearer)>,
    pub(crate) shutdown: Shutdown,
}

/// As many callers as a large desk has at once, at some kilobytes each.
const BEARERS_MAX: u64 = 10_000;

/// Nobody is remembered for longer than somebody might look for a mistake here. What is remembered is of one state of the
/// directory and the tokens, and of no use in the next.
const REMEMBERED_FOR: Duration = Duration::from_secs(30);

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
        let (positions, cursors) = (Positions::new(db.clone()), Cursors::default());
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
            let cursors = cursors.clone();
            async move {
                tokio::select! {
                    () = cancelled => {}
                    () = watch(&db, &cursors, &component) => {}
                }
            }
        };
        shutdown.tracker().spawn(watching);
        let app = Self {
            db,
            positions,
            clock,
            cursors,
            exports: Exports::new(shutdown),
            listeners: Listeners::default(),
            uses: TokenUses::default(),
            bearers: Cache::builder()
                .max_capacity(BEARERS_MAX)
                .time_to_live(REMEMBERED_FOR)
                .build(),
            shutdown: shutdown.clone(),
        };
        shutdown.tracker().spawn(app.clone().tell_uses());
        Ok(app)
    }

    /// Gives the connections back. To be called when the last request has been answered: one that is in hand
    /// at a shutdown still needs them.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

/// Reports on the database for as long as it is polled.
async fn watch(db: &PgPool, cursors: &Cursors, component: &Component) {
    loop {
        let alive = sqlx::query("SELECT projection FROM desk.checkpoints LIMIT 1")
            .execute(db)
            .await;
        // A database that was made anew has another key. Where there is none yet, an older projector is at work.
        if let Err(error) = cursors.learn(db).await {
            tracing::debug!("the key of cursors cannot be read: {error}");
        }
        let look_again_after = if alive.is_ok() {
            component.ready();
            ALIVE_EVERY
        } else {
            component.unready("the read model cannot be reached");
            ABSENT_EVERY
        };
        pause(look_again_after).await;
    }
}

/// A token that is not known is looked for again after so long, so often at most: who signs in asks at once, and the mirror of
/// the tokens follows some milliseconds later.
const FRESH_TOKEN_PAUSE: Duration = Duration::from_millis(40);
const FRESH_TOKEN_LOOKS: usize = 10;

/// Waits for the database or what fills it.
async fn pause(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "waits for a server, not for business time")]
    tokio::time::sleep(duration).await;
}

/// Leaves word of uses of tokens, and returns them where that cannot be done.
async fn tell(db: PgPool, uses: HashMap<TokenHash, Timestamp>) -> HashMap<TokenHash, Timestamp> {
    match leave_word(&db, &uses).await {
        Ok(()) => HashMap::new(),
        Err(error) => {
            tracing::debug!("when tokens were used cannot be kept now: {}", chain(&error));
            uses
        }
    }
}

/// Writes down when tokens were last used. Sessions of this service only read, unless they say otherwise.
async fn leave_word(db: &PgPool, uses: &HashMap<TokenHash, Timestamp>) -> Result<(), sqlx::Error> {
    if uses.is_empty() {
        return Ok(());
    }
    let (mut hashes, mut instants) = (Vec::new(), Vec::new());
    for (hash, at) in uses {
        hashes.push(hash.as_bytes().to_vec());
        instants.push(at.to_sqlx());
    }
    let mut writing = database::begin(db, "BEGIN READ WRITE").await?;
    sqlx::query(
        "INSERT INTO recourse.token_uses (hash, used_at)
         SELECT * FROM UNNEST($1::bytea[], $2::timestamptz[]) AS used (hash, used_at) ORDER BY hash
         ON CONFLICT (hash) DO UPDATE SET used_at = GREATEST(token_uses.used_at, excluded.used_at)",
    )
    .bind(hashes)
    .bind(instants)
    .execute(&mut *writing)
    .await?;
    writing.commit().await
}

/// What is known of a token.
enum Looked {
    /// What was granted and who bears it; `None`: nobody, because it is revoked or over, or its user may not come in.
    Known(Option<(Arc<TokenGrant>, Bearer)>),
    /// Nothing.
    Unknown,
}

impl Looked {
    fn bearer(self) -> Option<Bearer> {
        match self {
            Self::Known(known) => known.map(|(_, bearer)| bearer),
            Self::Unknown => None,
        }
    }
}

/// What is known of a token and of its user.
#[derive(sqlx::FromRow)]
struct Known {
    granted: Option<Json<TokenGrant>>,
    /// Whether all tokens are mirrored, and all profiles there.
    filled: Option<bool>,
    /// Its user.
    #[sqlx(flatten)]
    found: Found,
    /// The portal through which they come, if they are a customer.
    #[sqlx(flatten)]
    portal: portal::Found,
}

/// Knows callers at a moment at which this was known of all of them. Who was looked up by the same need not be looked up
/// again: that takes a third of the time of a small question.
#[derive(Debug, Clone)]
pub(crate) struct Callers {
    pub(crate) app: App,
    pub(crate) known: positions::Known,
}

impl Authenticate for Callers {
    async fn authenticate(&self, hash: TokenHash) -> Result<Option<Bearer>, Problem> {
        let bearer = match self.app.remembered(hash, self.known) {
            Some(bearer) => Some(bearer),
            None => self.app.known_soon(hash, self.known).await?,
        };
        self.app.note_use(hash, bearer.as_ref());
        Ok(bearer)
    }
}

impl App {
    /// Who bore the token when this was known, if that was asked then, and it is not over since.
    fn remembered(&self, hash: TokenHash, known: positions::Known) -> Option<Bearer> {
        let (at, grant, bearer) = self.bearers.get(&hash)?;
        (at == known && grant.is_good(self.clock.now())).then_some(bearer)
    }

    /// Who bears a token that may have been made a moment ago. Remembered by what was known before it was looked up: what
    /// came in between is found again.
    async fn known_soon(&self, hash: TokenHash, known: positions::Known) -> Result<Option<Bearer>, Problem> {
        for _ in 0..FRESH_TOKEN_LOOKS {
            if let Looked::Known(bearer) = self.look(hash).await? {
                // Eyes that somebody looks through hang on another token as well.
                let bearer_to_remember = bearer.as_ref().filter(|(_, bearer)| bearer.viewer.is_none());
                if let Some((grant, bearer)) = bearer_to_remember.filter(|_| known.is_numbered()) {
                    let remembered = (known, Arc::clone(grant), bearer.clone());
                    self.bearers.insert(hash, remembered);
                }
                return Ok(bearer.map(|(_, bearer)| bearer));
            }
            pause(FRESH_TOKEN_PAUSE).await;
        }
        self.bearer(hash).await
    }

    /// Notes that a token of a service was used. Sessions end by themselves.
    pub(crate) fn note_use(&self, token: TokenHash, bearer: Option<&Bearer>) {
        if bearer.is_some_and(Bearer::is_of_a_service) {
            self.uses.note(token, self.clock.now());
        }
    }

    /// Leaves word in the database now and then when tokens were last used: a projector takes it to the log.
    async fn tell_uses(self) {
        let tell = |uses| tell(self.db.clone(), uses);
        self.uses.keep_telling(self.clock.as_ref(), &self.shutdown, tell).await;
    }

    /// Who bears a token, as far as is known now.
    pub(crate) async fn bearer(&self, hash: TokenHash) -> Result<Option<Bearer>, Problem> {
        Ok(self.look(hash).await?.bearer())
    }

    /// Returns once a token is known to be worth nothing: who still reads by it then is told no more.
    pub(crate) async fn until_worthless(&self, hash: TokenHash) {
        loop {
            pause(LOOKED_AT_EVERY).await;
            if let Ok(None) = self.bearer(hash).await {
                return;
            }
        }
    }

    async fn look(&self, hash: TokenHash) -> Result<Looked, Problem> {
        let (grant, bearer) = match self.presented(hash).await? {
            Looked::Known(Some(known)) => known,
            looked @ (Looked::Known(None) | Looked::Unknown) => return Ok(looked),
        };
        let Some(viewer) = &bearer.viewer else {
            return Ok(Looked::Known(Some((grant, bearer))));
        };
        let viewing = self.presented(viewer.token).await?.bearer();
        let shown = bearer.is_shown_to(viewing.as_ref());
        Ok(Looked::Known(shown.then_some((grant, bearer))))
    }

    /// Who presents a token, whether or not they may still look through another's eyes.
    async fn presented(&self, hash: TokenHash) -> Result<Looked, Problem> {
        // One statement, and so one moment: a database that was just made knows no token, and that
        // does not make this one wrong.
        let mut sql = QueryBuilder::<Postgres>::new(
            "SELECT t.granted, u.name, u.definition, rights.entries, followed.projects,
                    portal.portal_id, portal.portal_name, portal.portal_definition,
                    (SELECT bool_and(c.filled) FROM desk.checkpoints c
                     WHERE c.projection IN ('tokens', 'directory')) AS filled
             FROM (VALUES (",
        );
        sql.push_bind(hash.as_bytes().as_slice()).push(
            ")) AS asked (hash)
             LEFT JOIN recourse.access_tokens t ON t.hash = asked.hash
             LEFT JOIN desk.users u ON u.id = (t.granted ->> 'user')::uuid
             CROSS JOIN LATERAL (SELECT t.granted ->> 'user' AS user_id,
                                        COALESCE(u.definition, t.granted) ->> 'organisation' AS organisation_id) who",
        );
        sql.push(ENTRIES_OF_USER).push(PROJECTS_OF_WHO);
        portal::push_portal_of_who(&mut sql);
        let known: Known = sql.build_query_as().fetch_one(&self.db).await.map_err(problem)?;
        match (known.granted, known.filled) {
            (_, Some(false) | None) => Err(unavailable("The read model is being built. Try again in a moment.")),
            (Some(Json(grant)), Some(true)) if !grant.is_good(self.clock.now()) => Ok(Looked::Known(None)),
            (Some(Json(grant)), Some(true)) => {
                let actor = match known.found.standing(grant.user.into())? {
                    // A user who has a profile is what it says, whatever the token was granted for.
                    Standing::Actor(actor) => Some(actor),
                    Standing::Disabled => None,
                    Standing::Unknown(projects) => Some(Actor {
                        projects,
                        ..grant.actor()
                    }),
                };
                let actor = actor.map(|actor| known.portal.of(actor)).transpose()?;
                let bearer = actor.map(|actor| Bearer::new(&grant, Arc::new(actor)));
                Ok(Looked::Known(bearer.map(|bearer| (Arc::new(grant), bearer))))
            }
            (None, Some(true)) => Ok(Looked::Unknown),
        }
    }
}
