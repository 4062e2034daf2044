//! What every route of the service works with.

use std::ops::Deref;
use std::sync::Arc;

use domain::actor::Actor;
use domain::catalogue::Catalogue;
use domain::policy::WaitPolicy;
use domain::sla::SlaPolicy;
use event_log::{BookKeeper, Books, Calendars, Directory, EventLog, Policies, Tickets};
use service_kit::Problem;
use service_kit::tokens::{Authenticate, TokenHash};

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
    pub(crate) books: Books,
    pub(crate) catalogue: Catalogue,
    pub(crate) tokens: TokenBook,
}

impl App {
    /// The service over a log, under a policy for waits, and whoever keeps it informed of the
    /// policies in force.
    pub fn new(log: &EventLog, policy: Arc<WaitPolicy>) -> (Self, BookKeeper) {
        let (books, keeper) = log.books(SlaPolicy::waiting(&policy));
        let parts = Parts {
            tickets: log.tickets(policy),
            directory: log.directory(),
            calendars: log.calendars(),
            policies: log.policies(),
            books,
            catalogue: Catalogue::default(),
            tokens: TokenBook::new(log.tokens()),
        };
        (Self { parts: Arc::new(parts) }, keeper)
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Authenticate for App {
    async fn authenticate(&self, hash: TokenHash) -> Result<Option<Arc<Actor>>, Problem> {
        self.tokens.actor(hash).await
    }
}
