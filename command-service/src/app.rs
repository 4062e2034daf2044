//! What every route of the service works with.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use domain::Timestamp;
use domain::actor::Actor;
use domain::ids::UserId;
use event_log::{
    AuditStore, Books, Calendars, Contracts, CredentialStore, Directory, EventLog, Origin, OriginStore, Policies,
    SettingsStore, Standing, Tickets, TokenStore,
};
use service_kit::clock::SharedClock;
use service_kit::http::worthless_token;
use service_kit::token_uses::TokenUses;
use service_kit::tokens::{Authenticate, Bearer, TokenHash};
use service_kit::{Problem, Shutdown, chain};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::mail::Mail;
use crate::openid::OpenId;
use crate::problem;
use crate::sign_in::{Passwords, Resets};
use crate::token_book::TokenBook;

/// The service's state. Cheap to clone, which every request does several times; clones share it.
#[derive(Debug, Clone)]
pub struct App {
    parts: Arc<Parts>,
}

/// What the state consists of.
#[derive(Debug)]
pub struct Parts {
    pub(crate) tickets: Tickets,
    pub(crate) directory: Directory,
    pub(crate) calendars: Calendars,
    pub(crate) policies: Policies,
    pub(crate) contracts: Contracts,
    pub(crate) books: Books,
    pub(crate) log: EventLog,
    /// Whoever reads the whole log: one at a time, because it takes a core and the memory of a partition's tickets.
    pub(crate) scans: Semaphore,
    pub(crate) tokens: TokenBook,
    uses: TokenUses,
    pub(crate) credentials: CredentialStore,
    pub(crate) audit: AuditStore,
    origins: OriginStore,
    pub(crate) settings: SettingsStore,
    pub(crate) passwords: Passwords,
    /// `None`: no mail is sent.
    pub(crate) mail: Option<Mail>,
    /// `None`: people sign in with passwords alone.
    pub(crate) openid: Option<OpenId>,
    pub(crate) resets: Resets,
}

impl App {
    /// The service over a log, deciding by the policies of these books, which somebody keeps: see
    /// [`keep_informed`](crate::keep_informed). Without `mail` nobody is written to, and without `openid` people sign in with
    /// passwords alone.
    pub fn new(log: &EventLog, books: Books, mail: Option<Mail>, openid: Option<OpenId>) -> Self {
        let parts = Parts {
            tickets: log.tickets(books.clone()),
            directory: log.directory(),
            calendars: log.calendars(),
            policies: log.policies(),
            contracts: log.contracts(),
            books,
            log: log.clone(),
            scans: Semaphore::new(1),
            tokens: TokenBook::new(log.tokens()),
            uses: TokenUses::default(),
            credentials: log.credentials(),
            audit: log.audit(),
            origins: log.origins(),
            settings: log.settings(),
            passwords: Passwords::default(),
            mail,
            openid,
            resets: Resets::default(),
        };
        Self { parts: Arc::new(parts) }
    }

    /// What a user's profile says of how they come in. `None`: there is none.
    pub(crate) fn standing(&self, user: UserId) -> Result<Option<Standing>, Problem> {
        if self.books.are_read() {
            Ok(self.books.people().standing(user))
        } else {
            Err(problem::profiles_unread())
        }
    }

    /// Who a caller is by now, once their whole request is there: it may have taken its time, and what they may do may have
    /// changed meanwhile.
    pub(crate) fn by_now(&self, caller: &Arc<Actor>) -> Result<Arc<Actor>, Problem> {
        self.known(Arc::clone(caller))?.ok_or_else(worthless_token)
    }

    /// What an actor is by their profile, if they have one; `None`: nobody, because they may not come in.
    fn known(&self, actor: Arc<Actor>) -> Result<Option<Arc<Actor>>, Problem> {
        Ok(match self.standing(actor.user)? {
            Some(Standing::Actor(known)) => Some(known),
            Some(Standing::Disabled) => None,
            None => Some(self.books.people().without_profile(actor)),
        })
    }

    /// Who bears a token by now: for those who go on reading, or whose body took its time.
    pub(crate) async fn bearer_by_now(&self, token: TokenHash) -> Result<Bearer, Problem> {
        self.authenticate(token).await?.ok_or_else(worthless_token)
    }

    /// Tells the log now and then when the tokens of services were last used. Sessions end by themselves.
    pub(crate) async fn tell_uses(self, clock: SharedClock, shutdown: Shutdown) {
        let tell = |uses| tell(self.log.tokens(), uses);
        self.uses.keep_telling(clock.as_ref(), &shutdown, tell).await;
    }

    /// The id by which the log names from where somebody does something. `None`: nothing is known of that, or they come from
    /// too many places.
    pub(crate) async fn origin(&self, user: UserId, origin: &Origin) -> Result<Option<Uuid>, Problem> {
        if *origin == Origin::default() {
            return Ok(None);
        }
        let id = self.origins.id(user, origin).await;
        id.map_err(|error| {
            tracing::warn!(error = chain(&error), "a command is not carried out");
            problem::log_unavailable()
        })
    }

    /// What the log's clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.log.clock().now()
    }
}

/// Tells the log of as many uses of tokens as it takes, and returns the rest.
async fn tell(tokens: TokenStore, mut uses: HashMap<TokenHash, Timestamp>) -> HashMap<TokenHash, Timestamp> {
    let told: Vec<(TokenHash, Timestamp)> = uses.iter().map(|(token, at)| (*token, *at)).collect();
    for (token, at) in told {
        if let Err(error) = tokens.note_use(token, at).await {
            tracing::debug!(error = chain(&error), "when tokens were used cannot be kept now");
            break;
        }
        uses.remove(&token);
    }
    uses
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Authenticate for App {
    async fn authenticate(&self, hash: TokenHash) -> Result<Option<Bearer>, Problem> {
        let Some(bearer) = self.presented(hash).await? else {
            return Ok(None);
        };
        if let Some(viewer) = &bearer.viewer {
            let viewing = self.presented(viewer.token).await?;
            if !bearer.is_shown_to(viewing.as_ref()) {
                return Ok(None);
            }
        }
        if bearer.is_of_a_service() {
            self.uses.note(hash, self.now());
        }
        Ok(Some(bearer))
    }
}

impl App {
    /// Who presents a token, whether or not they may still look through another's eyes.
    async fn presented(&self, hash: TokenHash) -> Result<Option<Bearer>, Problem> {
        let Some(bearer) = self.tokens.bearer(hash, self.now()).await? else {
            return Ok(None);
        };
        let actor = self.known(Arc::clone(&bearer.actor))?;
        Ok(actor.map(|actor| Bearer { actor, ..bearer }))
    }
}
