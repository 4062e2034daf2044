//! Events to state.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::event::{Created, Event, Wait};
use super::state::{Status, Ticket, TicketState};

impl Ticket {
    /// Applies one recorded fact. Total: never fails, never panics, never logs.
    ///
    /// `occurred_at` is that of the record which carries the event.
    #[must_use]
    pub fn evolve(self, event: &Event, occurred_at: Timestamp) -> Self {
        match (self, event) {
            (Self::Absent, Event::Created(created)) => Self::Present(Box::new(opened(created, occurred_at))),
            (Self::Absent, _) => Self::Absent,
            (Self::Present(mut state), event) => {
                state.apply(event);
                state.last_occurred_at = state.last_occurred_at.max(occurred_at);
                Self::Present(state)
            }
        }
    }

    /// Applies many recorded facts, oldest first.
    #[must_use]
    pub fn replay<'e>(events: impl IntoIterator<Item = (&'e Event, Timestamp)>) -> Self {
        events
            .into_iter()
            .fold(Self::default(), |ticket, (event, occurred_at)| {
                ticket.evolve(event, occurred_at)
            })
    }
}

fn opened(created: &Created, occurred_at: Timestamp) -> TicketState {
    TicketState {
        number: created.number,
        status: Status::New,
        subject: created.subject.clone(),
        description: created.description.clone(),
        ticket_type: created.ticket_type.clone(),
        priority: created.priority.clone(),
        category: created.category.clone(),
        system: created.system.clone(),
        environment: created.environment.clone(),
        service: created.service.clone(),
        product: created.product.clone(),
        platform_version: created.platform_version.clone(),
        custom_fields: created.custom_fields.clone(),
        requester: created.requester,
        organisation: created.organisation,
        assignee: None,
        group: None,
        project: None,
        followers: BTreeSet::from([created.requester]),
        wait: None,
        waits: 0,
        rating: None,
        last_occurred_at: occurred_at,
    }
}

impl TicketState {
    fn apply(&mut self, event: &Event) {
        match event {
            // The log accepts one creation for each ticket; a second cannot be recorded. Clocks are
            // beside the ticket: see `crate::sla::Promised`.
            Event::Created(_) | Event::Commented { .. } | Event::Sla(_) => {}
            Event::Accepted { assignee } => {
                self.assignee = Some(*assignee);
                self.enter(Status::InProgress);
            }
            Event::InformationRequested { wait, .. } => self.enter_waiting(Status::WaitingForInfo, wait.as_ref()),
            Event::InformationProvided { .. } | Event::WorkResumed { .. } | Event::ClosureDeclined { .. } => {
                self.enter(Status::InProgress);
            }
            Event::FixAwaited { .. } => self.enter(Status::WaitingForFix),
            Event::ImplementationAwaited { .. } => self.enter(Status::WaitingForImplementation),
            Event::ClosureProposed { wait, .. } | Event::InformationWaitExpired { wait } => {
                self.enter_waiting(Status::WaitingForClosure, wait.as_ref());
            }
            Event::Closed { .. } | Event::ClosureWaitExpired => {
                self.rating = None;
                self.enter(Status::Closed);
            }
            Event::Reopened { .. } => self.enter(Status::Reopened),
            Event::Rated { score, .. } => self.rating = Some(*score),
            Event::Classified(changes) => {
                changes.ticket_type.apply_to(&mut self.ticket_type);
                changes.priority.apply_to(&mut self.priority);
                changes.category.apply_to(&mut self.category);
                changes.system.apply_to(&mut self.system);
                changes.environment.apply_to(&mut self.environment);
                changes.service.apply_to(&mut self.service);
                changes.product.apply_to(&mut self.product);
            }
            Event::Assigned(changes) => {
                changes.assignee.apply_to(&mut self.assignee);
                changes.group.apply_to(&mut self.group);
            }
            Event::Edited(changes) => {
                changes.subject.apply_to(&mut self.subject);
                changes.description.apply_to(&mut self.description);
                changes.custom_fields.apply_to(&mut self.custom_fields);
                changes.platform_version.apply_to(&mut self.platform_version);
            }
            Event::Followed { user } => {
                self.followers.insert(*user);
            }
            Event::Unfollowed { user } => {
                self.followers.remove(user);
            }
            Event::ProjectChanged { project } => self.project = *project,
        }
    }

    /// Every change of status ends the wait that ran.
    fn enter(&mut self, status: Status) {
        self.status = status;
        self.wait = None;
    }

    fn enter_waiting(&mut self, status: Status, wait: Option<&Wait>) {
        self.enter(status);
        if let Some(wait) = wait {
            self.waits = self.waits.max(wait.number);
            self.wait = Some(wait.clone());
        }
    }
}
