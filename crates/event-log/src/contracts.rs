//! What was agreed with organisations, as the command side holds it.

use std::sync::Arc;

use domain::actor::Actor;
use domain::contract::{Contract, Rejection, Versions, decide};
use domain::directory::Event;
use domain::ids::{OrganisationId, Revision};
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
pub type ContractOutcome = FactOutcome<Contract>;

/// Why a contract was not changed.
pub type ContractError = FactError<Rejection>;

/// Each organisation has a history of its own.
enum OneContract {}

impl Aggregate for OneContract {
    type Id = OrganisationId;
    type Command = Contract;
    type Fact = Contract;
    type State = Versions;
    type Rejection = Rejection;

    const IS_ALWAYS_THERE: bool = true;

    fn subject(id: OrganisationId) -> String {
        contract_subject(id)
    }

    fn aggregate_id(id: OrganisationId) -> Uuid {
        id.as_uuid()
    }

    fn event(fact: Contract) -> Event {
        Event::Contract(Box::new(fact))
    }

    fn fact(event: Event) -> Option<Contract> {
        match event {
            Event::Contract(contract) => Some(*contract),
            Event::Named { .. } | Event::Calendar(_) | Event::Policy(_) => None,
        }
    }

    fn subject_of(id: OrganisationId, _: &Contract) -> OrganisationId {
        id
    }

    fn evolve(state: Versions, fact: &Contract) -> Versions {
        state.evolve(fact)
    }

    fn revision(state: &Versions, _: OrganisationId) -> Revision {
        state.revision()
    }

    fn decide(
        state: &Versions,
        _: OrganisationId,
        wanted: &Contract,
        actor: &Actor,
    ) -> Result<Option<Contract>, Rejection> {
        decide(state, wanted, actor)
    }
}

impl Contracts {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Agrees upon a contract with an organisation, once, however often it is asked for.
    pub async fn agree(
        &self,
        id: OrganisationId,
        wanted: &Contract,
        request: &Request,
    ) -> Result<ContractOutcome, ContractError> {
        execute::<OneContract>(&self.inner, id, wanted, request).await
    }
}
