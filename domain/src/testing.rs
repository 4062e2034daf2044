//! given / when / then for the rules, and the people and tickets that tests tell of.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::actor::{Actor, ActorKind, Permission};
use crate::catalogue::{Catalogue, Connected, Profiles};
use crate::ids::{OrganisationId, ServiceCatalogueId, TicketNumber, UserId};
use crate::policy::WaitPolicy;
use crate::text::{Body, Label, Subject};
use crate::ticket::{
    Accept, AddComment, Close, Command, Context, Created, Event, ProposeClosure, Rejection, RequestInfo, Ticket,
    Visibility, decide,
};

/// A member of staff.
pub const AGENT: UserId = UserId::from_bytes([1; 16]);
/// Another member of staff.
pub const COLLEAGUE: UserId = UserId::from_bytes([2; 16]);
/// The requester of the sample ticket.
pub const CUSTOMER: UserId = UserId::from_bytes([3; 16]);
/// The requester's organisation.
pub const CLIENT: OrganisationId = OrganisationId::from_bytes([4; 16]);
/// The clock of tests stands here: a Monday, 12:00 in Moscow.
pub const NOON: Timestamp = Timestamp::constant(1_772_442_000, 0);

/// A member of staff who may close any ticket.
pub fn agent() -> Actor {
    Actor {
        permissions: BTreeSet::from([Permission::CloseAny]),
        ..Actor::plain(AGENT, ActorKind::Staff)
    }
}

/// The requester of the sample ticket.
pub fn customer() -> Actor {
    Actor {
        organisation: Some(CLIENT),
        ..Actor::plain(CUSTOMER, ActorKind::Customer)
    }
}

/// Nobody has a profile.
#[derive(Debug, Clone, Copy)]
pub struct NoProfiles;

impl Profiles for NoProfiles {
    fn may_come_in(&self, _: UserId) -> bool {
        false
    }

    fn connected(&self, _: &Actor) -> Connected {
        Connected::default()
    }

    fn cannot_work(&self, _: UserId) -> bool {
        false
    }

    fn is_archived(&self, _: OrganisationId) -> bool {
        false
    }

    fn granted(&self, _: UserId, _: Option<OrganisationId>) -> BTreeSet<ServiceCatalogueId> {
        BTreeSet::new()
    }
}

/// Somebody's words.
///
/// # Panics
/// If they are blank or too long.
pub fn body(text: &str) -> Body {
    Body::parse(text).expect("sample texts are acceptable")
}

/// The command that opens the sample ticket, a consultation.
pub fn create() -> Command {
    Command::Create(Box::new(sample()), None)
}

/// The sample ticket was opened.
pub fn opened() -> Event {
    Event::Created(Box::new(sample()))
}

/// The sample ticket.
///
/// # Panics
/// Never: the sample is acceptable.
fn sample() -> Created {
    let catalogue = Catalogue::default();
    let entry = catalogue.ticket_type("consultation").expect("a default type");
    Created {
        number: TicketNumber(1),
        subject: Subject::parse("How do I export?").expect("a subject"),
        description: body("I cannot find the button."),
        ticket_type: entry.ticket_type.clone(),
        priority: catalogue
            .priority(entry.default_priority.as_str())
            .expect("a default priority")
            .clone(),
        category: None,
        system: Some(Label::parse("billing").expect("a label")),
        environment: None,
        service: None,
        product: None,
        platform_version: None,
        custom_fields: [].into(),
        requester: CUSTOMER,
        organisation: Some(CLIENT),
    }
}

/// Somebody accepted it.
pub fn accepted(assignee: UserId) -> Event {
    Event::Accepted { assignee }
}

/// The requester was asked something, without a limit of time.
pub fn info_requested() -> Event {
    Event::InformationRequested {
        comment: body("Which version?"),
        wait: None,
    }
}

/// Closing was proposed, without a limit of time.
pub fn closure_proposed() -> Event {
    Event::ClosureProposed {
        solution: body("Press F5."),
        wait: None,
    }
}

/// It was closed.
pub fn closed() -> Event {
    Event::Closed {
        comment: None,
        reason: None,
    }
}

/// What people do to the sample ticket, from its creation to its closing: who, and what.
pub fn life() -> [(Actor, Command); 6] {
    [
        (agent(), Command::Accept(Accept { assignee: None })),
        (
            agent(),
            Command::Comment(AddComment {
                body: body("hm"),
                visibility: Visibility::Internal,
            }),
        ),
        (
            agent(),
            Command::RequestInfo(RequestInfo {
                comment: body("Which version?"),
            }),
        ),
        (
            customer(),
            Command::Comment(AddComment {
                body: body("7"),
                visibility: Visibility::Public,
            }),
        ),
        (
            agent(),
            Command::ProposeClosure(ProposeClosure { solution: body("F5") }),
        ),
        (
            customer(),
            Command::Close(Close {
                comment: None,
                reason: None,
            }),
        ),
    ]
}

/// A ticket's history, and who will ask what of it when.
#[derive(Debug)]
pub struct Given {
    ticket: Ticket,
    actor: Actor,
    now: Timestamp,
    policy: WaitPolicy,
}

/// Starts from a history. Until told otherwise, a customer asks at [`NOON`] under the policy
/// `supportal`.
pub fn given(history: impl IntoIterator<Item = Event>) -> Given {
    let history: Vec<Event> = history.into_iter().collect();
    Given {
        ticket: Ticket::replay(history.iter().map(|event| (event, NOON))),
        actor: customer(),
        now: NOON,
        policy: WaitPolicy::supportal(),
    }
}

impl Given {
    /// Who asks.
    #[must_use]
    pub fn by(self, actor: &Actor) -> Self {
        Self {
            actor: actor.clone(),
            ..self
        }
    }

    /// When.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// Under which policy.
    #[must_use]
    pub fn under(self, policy: WaitPolicy) -> Self {
        Self { policy, ..self }
    }

    /// Gives the command.
    #[must_use]
    pub fn when(self, command: impl Into<Command>) -> Outcome {
        let ctx = Context {
            actor: &self.actor,
            now: self.now,
            occurred_at: None,
            honour_deadlines: false,
            policy: &self.policy,
        };
        Outcome(decide(&self.ticket, &command.into(), &ctx).map(|decision| decision.events))
    }
}

/// What came of a command.
#[derive(Debug)]
pub struct Outcome(Result<Vec<Event>, Rejection>);

impl Outcome {
    /// Exactly these events.
    ///
    /// # Panics
    /// If anything else came of it.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = Event>) {
        assert_eq!(self.0, Ok(expected.into_iter().collect()));
    }

    /// This rejection.
    ///
    /// # Panics
    /// If anything else came of it.
    #[track_caller]
    pub fn then_rejected(self, expected: &Rejection) {
        assert_eq!(self.0.as_ref().err(), Some(expected), "{:?}", self.0);
    }
}
