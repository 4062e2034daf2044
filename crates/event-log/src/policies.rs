//! Policies as the command side holds them.

use std::sync::Arc;

use domain::actor::Actor;
use domain::directory::Event;
use domain::ids::{PolicyId, Revision};
use domain::sla::stored::{Command, Policies as State, Rejection, Revised, decide};
use uuid::Uuid;

use crate::aggregate::{Aggregate, FactError, FactOutcome, execute};
use crate::connection::Inner;
use crate::execute::Request;
use crate::subject::{POLICIES, policies_subject};

/// Commands on policies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Policies {
    inner: Arc<Inner>,
}

/// A command on a policy that was carried out, now or earlier.
pub type PolicyOutcome = FactOutcome<Revised>;

/// Why a command on a policy was not carried out.
pub type PolicyError = FactError<Rejection>;

/// All policies have one history, because they are decided upon together.
enum AllPolicies {}

impl Aggregate for AllPolicies {
    type Id = PolicyId;
    type Command = Command;
    type Fact = Revised;
    type State = State;
    type Rejection = Rejection;

    fn subject(_: PolicyId) -> String {
        policies_subject()
    }

    fn aggregate_id(_: PolicyId) -> Uuid {
        POLICIES
    }

    fn event(fact: Revised) -> Event {
        Event::Policy(Box::new(fact))
    }

    fn fact(event: Event) -> Option<Revised> {
        match event {
            Event::Policy(revised) => Some(*revised),
            Event::Named { .. }
            | Event::Calendar(_)
            | Event::Agreed(_)
            | Event::Profile(_)
            | Event::Digest(_)
            | Event::Address(_) => None,
        }
    }

    fn subject_of(_: PolicyId, fact: &Revised) -> PolicyId {
        fact.policy
    }

    fn evolve(state: State, fact: &Revised) -> State {
        state.evolve(fact)
    }

    fn revision(state: &State, id: PolicyId) -> Revision {
        state.revision(id)
    }

    fn decide(state: &State, id: PolicyId, command: &Command, actor: &Actor) -> Result<Option<Revised>, Rejection> {
        decide(state, id, command, actor)
    }
}

impl Policies {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Carries a command out, once, however often it is asked for.
    pub async fn execute(
        &self,
        id: PolicyId,
        command: &Command,
        request: &Request,
    ) -> Result<PolicyOutcome, PolicyError> {
        execute::<AllPolicies>(&self.inner, id, command, request).await
    }
}
