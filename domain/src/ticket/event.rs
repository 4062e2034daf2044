//! What can happen to a ticket. Events carry conclusions: replaying them needs no policy,
//! no catalogue and no clock.

use jiff::Timestamp;

use super::command::{Change, CustomFields, Visibility};
use crate::catalogue::{Priority, TicketType};
use crate::ids::{GroupId, OrganisationId, ProjectId, TicketNumber, UserId};
use crate::sla::SlaEvent;
use crate::text::{Body, Label, Subject};

/// A wait that an event started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Which wait of the ticket this is, from 1.
    pub number: u32,
    /// When the desk acts if nobody does.
    pub due_at: Timestamp,
    /// The policy and version that the due time came from, such as `supportal/1`.
    pub policy: Label,
}

/// A ticket was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its number.
    pub number: TicketNumber,
    /// One line.
    pub subject: Subject,
    /// Many lines.
    pub description: Body,
    /// From the catalogue.
    pub ticket_type: TicketType,
    /// From the catalogue; the type's default if the author chose none.
    pub priority: Priority,
    /// From the catalogue.
    pub category: Option<Label>,
    /// The system concerned.
    pub system: Option<Label>,
    /// Where it runs: production, test.
    pub environment: Option<Label>,
    /// The service concerned.
    pub service: Option<Label>,
    /// The product concerned.
    pub product: Option<Label>,
    /// Version of the platform.
    pub platform_version: Option<Label>,
    /// More fields.
    pub custom_fields: CustomFields,
    /// Whose wish it is.
    pub requester: UserId,
    /// The requester's organisation.
    pub organisation: Option<OrganisationId>,
}

/// What sort of ticket it is was corrected. Only what really changed is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the command `Classify`")]
pub struct Classified {
    pub ticket_type: Change<TicketType>,
    pub priority: Change<Priority>,
    pub category: Change<Option<Label>>,
    pub system: Change<Option<Label>>,
    pub environment: Change<Option<Label>>,
    pub service: Change<Option<Label>>,
    pub product: Change<Option<Label>>,
}

/// The ticket was given to a person, a group or nobody. Only what really changed is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the command `Assign`")]
pub struct Assigned {
    pub assignee: Change<Option<UserId>>,
    pub group: Change<Option<GroupId>>,
}

/// The ticket's texts were corrected. Only what really changed is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the command `Edit`")]
pub struct Edited {
    pub subject: Change<Subject>,
    pub description: Change<Body>,
    pub custom_fields: Change<CustomFields>,
    pub platform_version: Change<Option<Label>>,
}

/// A fact about a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "fields are named after what they hold; the variants say what happened"
)]
pub enum Event {
    /// The ticket was opened. Its requester follows it.
    Created(Box<Created>),
    /// Somebody took it into work.
    Accepted { assignee: UserId },
    /// The requester's side was asked a question. `wait`: until when, if a policy limits it.
    InformationRequested { comment: Body, wait: Option<Wait> },
    /// The requester's side answered.
    InformationProvided { comment: Body },
    /// Work waits for a correction.
    FixAwaited {
        comment: Option<Body>,
        reference: Option<Label>,
    },
    /// Work waits for a feature.
    ImplementationAwaited {
        comment: Option<Body>,
        reference: Option<Label>,
    },
    /// Work went on after a wait.
    WorkResumed { comment: Option<Body> },
    /// Staff think that it is solved. `wait`: until when one may object.
    ClosureProposed { solution: Body, wait: Option<Wait> },
    /// The requester's side does not think so.
    ClosureDeclined { comment: Body },
    /// The ticket was closed.
    Closed {
        comment: Option<Body>,
        reason: Option<Body>,
    },
    /// The closed ticket was opened again.
    Reopened { comment: Body },
    /// The requester's side rated the work.
    Rated { score: u8, comment: Option<Body> },
    /// Somebody said something.
    Commented { body: Body, visibility: Visibility },
    /// See [`Classified`].
    Classified(Box<Classified>),
    /// See [`Assigned`].
    Assigned(Assigned),
    /// See [`Edited`].
    Edited(Box<Edited>),
    /// A user will hear of the ticket.
    Followed { user: UserId },
    /// A user no longer will.
    Unfollowed { user: UserId },
    /// The ticket is one of this project's from now on, and of no other's; `None`: of none.
    ProjectChanged { project: Option<ProjectId> },
    /// Nobody answered in time, so closing is proposed. `wait`: until when one may object.
    InformationWaitExpired { wait: Option<Wait> },
    /// Nobody objected in time, so the ticket is closed.
    ClosureWaitExpired,
    /// Something happened to a clock, which changes nothing of the ticket itself.
    Sla(Box<SlaEvent>),
}

impl Event {
    /// The event's name in answers, timelines and documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Accepted { .. } => "accepted",
            Self::InformationRequested { .. } => "information_requested",
            Self::InformationProvided { .. } => "information_provided",
            Self::FixAwaited { .. } => "fix_awaited",
            Self::ImplementationAwaited { .. } => "implementation_awaited",
            Self::WorkResumed { .. } => "work_resumed",
            Self::ClosureProposed { .. } => "closure_proposed",
            Self::ClosureDeclined { .. } => "closure_declined",
            Self::Closed { .. } => "closed",
            Self::Reopened { .. } => "reopened",
            Self::Rated { .. } => "rated",
            Self::Commented { .. } => "commented",
            Self::Classified(_) => "classified",
            Self::Assigned(_) => "assigned",
            Self::Edited(_) => "edited",
            Self::Followed { .. } => "followed",
            Self::Unfollowed { .. } => "unfollowed",
            Self::ProjectChanged { .. } => "project_changed",
            Self::InformationWaitExpired { .. } => "information_wait_expired",
            Self::ClosureWaitExpired => "closure_wait_expired",
            Self::Sla(event) => event.name(),
        }
    }

    /// Whether the event is words that both sides read. Opening a ticket is a wish and not an answer,
    /// whoever writes it down; neither is accepting it.
    pub fn is_said(&self) -> bool {
        match self {
            Self::InformationRequested { .. }
            | Self::InformationProvided { .. }
            | Self::ClosureProposed { .. }
            | Self::ClosureDeclined { .. }
            | Self::Reopened { .. }
            | Self::Commented {
                visibility: Visibility::Public,
                ..
            } => true,
            Self::FixAwaited { comment, .. }
            | Self::ImplementationAwaited { comment, .. }
            | Self::WorkResumed { comment } => comment.is_some(),
            Self::Closed { comment, reason } => comment.is_some() || reason.is_some(),
            Self::Created(_)
            | Self::Accepted { .. }
            | Self::Rated { .. }
            | Self::Commented {
                visibility: Visibility::Internal,
                ..
            }
            | Self::Classified(_)
            | Self::Assigned(_)
            | Self::Edited(_)
            | Self::Followed { .. }
            | Self::Unfollowed { .. }
            | Self::ProjectChanged { .. }
            | Self::InformationWaitExpired { .. }
            | Self::ClosureWaitExpired
            | Self::Sla(_) => false,
        }
    }

    /// Who reads of it. Comments can be for staff alone, and so is what a desk demands of itself: that is no business of those
    /// whom it serves.
    pub const fn visibility(&self) -> Visibility {
        match self {
            Self::Commented { visibility, .. } => *visibility,
            Self::Sla(_) => Visibility::Internal,
            Self::Created(_)
            | Self::Accepted { .. }
            | Self::InformationRequested { .. }
            | Self::InformationProvided { .. }
            | Self::FixAwaited { .. }
            | Self::ImplementationAwaited { .. }
            | Self::WorkResumed { .. }
            | Self::ClosureProposed { .. }
            | Self::ClosureDeclined { .. }
            | Self::Closed { .. }
            | Self::Reopened { .. }
            | Self::Rated { .. }
            | Self::Classified(_)
            | Self::Assigned(_)
            | Self::Edited(_)
            | Self::Followed { .. }
            | Self::Unfollowed { .. }
            | Self::ProjectChanged { .. }
            | Self::InformationWaitExpired { .. }
            | Self::ClosureWaitExpired => Visibility::Public,
        }
    }

    /// What it says of a clock, if it says anything of one.
    pub fn sla(&self) -> Option<&SlaEvent> {
        if let Self::Sla(event) = self { Some(event) } else { None }
    }
}
