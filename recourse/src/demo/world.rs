//! What all lives of a run have in common.

use std::sync::Arc;

use domain::Timestamp;
use domain::catalogue::{Catalogue, Priority, TicketType};
use domain::ids::{CommandId, TicketId};
use domain::policy::WaitPolicy;
use jiff::SignedDuration;
use uuid::Uuid;

use super::dice::{Dice, Purpose};
use super::hours::Hours;
use super::people::{NAMESPACE, People};

/// What a demo is to be.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) tickets: u64,
    pub(super) seed: u64,
    /// Days of history.
    pub(super) days: u32,
    /// When the history ends.
    pub(super) until: Timestamp,
    pub(super) policy: Arc<WaitPolicy>,
}

/// A demo's people, places and rules.
#[derive(Debug)]
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) from: Timestamp,
    pub(super) people: People,
    pub(super) hours: Hours,
    catalogue: Catalogue,
    /// The namespace of ids: the seed and the number of tickets.
    namespace: Uuid,
    /// Everything else that the texts and times of commands depend on.
    circumstances: Uuid,
}

impl World {
    /// The history begins so many days before it ends; `None` if that is before all time.
    pub(super) fn new(plan: Plan) -> Option<Self> {
        let span = SignedDuration::from_hours(24 * i64::from(plan.days));
        let from = plan
            .until
            .checked_sub(span)
            .ok()
            .filter(|from| *from >= domain::EARLIEST)?;
        let namespace = Uuid::new_v5(&NAMESPACE, format!("{}:{}", plan.seed, plan.tickets).as_bytes());
        let circumstances = format!("{}:{}:{}", plan.days, plan.until, plan.policy.name.as_str());
        Some(Self {
            people: People::of(plan.seed, plan.tickets),
            hours: Hours::of(&plan.policy.calendar),
            catalogue: Catalogue::default(),
            from,
            namespace,
            circumstances: Uuid::new_v5(&namespace, circumstances.as_bytes()),
            plan,
        })
    }

    /// When each ticket is opened, in order.
    pub(super) fn arrivals(&self) -> Vec<Timestamp> {
        let arrival = |index| {
            let mut dice = Dice::new(self.plan.seed, Purpose::Arrival, index);
            self.hours.arrival(self.from, self.plan.until, &mut dice)
        };
        let mut arrivals: Vec<Timestamp> = (0..self.plan.tickets).map(arrival).collect();
        arrivals.sort_unstable();
        arrivals
    }

    /// Dice for one ticket of this run.
    pub(super) fn dice(&self, purpose: Purpose, index: u64) -> Dice {
        Dice::new(self.plan.seed, purpose, index)
    }

    pub(super) fn ticket_id(&self, index: u64) -> TicketId {
        Uuid::new_v5(&self.namespace, format!("ticket:{index}").as_bytes()).into()
    }

    pub(super) fn command_id(&self, index: u64, step: usize) -> CommandId {
        Uuid::new_v5(&self.namespace, format!("ticket:{index}:step:{step}").as_bytes()).into()
    }

    /// What a command says follows from its id and from the circumstances of the run, and so its digest is these two.
    pub(super) fn digest(&self, command: CommandId) -> [u8; 32] {
        let mut digest = [0; 32];
        let (first, second) = digest.split_at_mut(16);
        first.copy_from_slice(&command.to_bytes());
        second.copy_from_slice(self.circumstances.as_bytes());
        digest
    }

    /// A type of the catalogue.
    pub(super) fn ticket_type(&self, code: &str) -> TicketType {
        let entry = self.catalogue.ticket_type(code);
        entry.expect("a type of the default catalogue").ticket_type.clone()
    }

    /// A priority of the catalogue.
    pub(super) fn priority(&self, code: &str) -> Priority {
        let priority = self.catalogue.priority(code);
        priority.expect("a priority of the default catalogue").clone()
    }
}
