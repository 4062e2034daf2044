//! Digests, as the command side holds them.

use std::convert::Infallible;
use std::sync::Arc;

use domain::Timestamp;
use domain::actor::Actor;
use domain::digest::Digest;
use domain::directory::Event;
use domain::ids::Revision;
use uuid::Uuid;

use crate::aggregate::{Aggregate, FactError, FactOutcome, execute};
use crate::connection::Inner;
use crate::execute::{ExecuteError, Request};
use crate::subject::{digest_id, digest_subject};

/// Commands on digests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Digests {
    inner: Arc<Inner>,
}

/// Each digest has a history of its own, of one record.
enum OneDigest {}

impl Aggregate for OneDigest {
    /// Its last instant.
    type Id = Timestamp;
    type Command = Digest;
    type Fact = Digest;
    type State = Option<Digest>;
    type Rejection = Infallible;

    fn subject(until: Timestamp) -> String {
        digest_subject(until)
    }

    fn aggregate_id(until: Timestamp) -> Uuid {
        digest_id(until)
    }

    fn event(fact: Digest) -> Event {
        Event::Digest(fact)
    }

    fn fact(event: Event) -> Option<Digest> {
        match event {
            Event::Digest(digest) => Some(digest),
            Event::Named { .. }
            | Event::Calendar(_)
            | Event::Policy(_)
            | Event::Agreed(_)
            | Event::Profile(_)
            | Event::Address(_) => None,
        }
    }

    fn subject_of(until: Timestamp, _: &Digest) -> Timestamp {
        until
    }

    fn evolve(_: Option<Digest>, fact: &Digest) -> Option<Digest> {
        Some(*fact)
    }

    fn revision(state: &Option<Digest>, _: Timestamp) -> Revision {
        Revision(u64::from(state.is_some()))
    }

    fn decide(state: &Option<Digest>, _: Timestamp, wanted: &Digest, _: &Actor) -> Result<Option<Digest>, Infallible> {
        Ok(state.is_none().then_some(*wanted))
    }
}

impl Digests {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Draws a digest, once for its last instant, whoever asks for it and however often.
    pub async fn draw(&self, digest: Digest) -> Result<FactOutcome<Digest>, ExecuteError> {
        let id = digest_id(digest.until);
        // The instant is all that makes it another wish.
        let request = Request::new(id.into(), [0; 32], Arc::new(Actor::system()));
        match execute::<OneDigest>(&self.inner, digest.until, &digest, &request).await {
            Ok(outcome) => Ok(outcome),
            Err(FactError::Failed(error)) => Err(error),
            Err(FactError::Rejected(never)) => match never {},
        }
    }
}
