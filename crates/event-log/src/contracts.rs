//! What was agreed with organisations and users, as the command side holds it.

use std::sync::Arc;

use domain::actor::Actor;
use domain::contract::{Agreed, Party, Rejection, Versions, decide};
use domain::directory::Event;
use domain::ids::Revision;
use uuid::Uuid;

use crate::aggregate::{Aggregate, FactError, FactOutcome, execute};
use crate::connection::Inner;
use crate::execute::Request;
use crate::subject::contract_subject;

/// Commands on contracts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Contracts {
    inner: Arc<Inner>,
}

/// A contract that was agreed upon, now or earlier.
pub type ContractOutcome = FactOutcome<Agreed>;

/// Why a contract was not changed.
pub type ContractError = FactError<Rejection>;

/// Each party has a history of its own.
enum OneContract {}

impl Aggregate for OneContract {
    type Id = Party;
    type Command = Agreed;
    type Fact = Agreed;
    type State = Versions;
    type Rejection = Rejection;

    const IS_ALWAYS_THERE: bool = true;

    fn subject(id: Party) -> String {
        contract_subject(id)
    }

    fn aggregate_id(id: Party) -> Uuid {
        id.as_uuid()
    }

    fn event(fact: Agreed) -> Event {
        Event::Agreed(Box::new(fact))
    }

    fn fact(event: Event) -> Option<Agreed> {
        match event {
            Event::Agreed(agreed) => Some(*agreed),
            Event::Named { .. }
            | Event::Calendar(_)
            | Event::Policy(_)
            | Event::Profile(_)
            | Event::Digest(_)
            | Event::Address(_) => None,
        }
    }

    fn subject_of(id: Party, _: &Agreed) -> Party {
        id
    }

    fn evolve(state: Versions, fact: &Agreed) -> Versions {
        state.evolve(fact)
    }

    fn revision(state: &Versions, _: Party) -> Revision {
        state.revision()
    }

    fn decide(state: &Versions, _: Party, wanted: &Agreed, actor: &Actor) -> Result<Option<Agreed>, Rejection> {
        decide(state, wanted, actor)
    }
}

impl Contracts {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Agrees upon something, once, however often it is asked for. `wanted` is of the party's kind.
    pub async fn agree(
        &self,
        party: Party,
        wanted: &Agreed,
        request: &Request,
    ) -> Result<ContractOutcome, ContractError> {
        execute::<OneContract>(&self.inner, party, wanted, request).await
    }
}
