//! What the rules must remember about a ticket, and nothing more.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::command::CustomFields;
use super::event::Wait;
use super::rules::Standing;
use crate::access;
use crate::actor::Actor;
use crate::catalogue::{Priority, TicketType};
use crate::ids::{GroupId, OrganisationId, ProjectId, TicketNumber, UserId};
use crate::text::{Body, Label, Subject};

/// Where a ticket stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nobody has taken it yet.
    New,
    /// Somebody works on it.
    InProgress,
    /// The requester's side was asked a question.
    WaitingForInfo,
    /// A correction is under way elsewhere.
    WaitingForFix,
    /// A feature is under way elsewhere.
    WaitingForImplementation,
    /// Solved, unless the requester's side objects.
    WaitingForClosure,
    /// Done.
    Closed,
    /// Was done, and is not.
    Reopened,
}

impl Status {
    /// Every status, in the order of a ticket's life.
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::InProgress,
        Self::WaitingForInfo,
        Self::WaitingForFix,
        Self::WaitingForImplementation,
        Self::WaitingForClosure,
        Self::Closed,
        Self::Reopened,
    ];

    /// Its name in JSON and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InProgress => "in_progress",
            Self::WaitingForInfo => "waiting_for_info",
            Self::WaitingForFix => "waiting_for_fix",
            Self::WaitingForImplementation => "waiting_for_implementation",
            Self::WaitingForClosure => "waiting_for_closure",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Its place in the order of a ticket's life, for sorting.
    pub fn rank(self) -> u8 {
        (0_u8..)
            .zip(Self::ALL)
            .find(|(_, status)| *status == self)
            .map_or(0, |(rank, _)| rank)
    }

    /// Whether the ticket is other than closed.
    pub fn is_open(self) -> bool {
        self != Self::Closed
    }
}

/// A ticket that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named as in the events that set them")]
pub struct TicketState {
    pub number: TicketNumber,
    pub status: Status,
    pub subject: Subject,
    pub description: Body,
    pub ticket_type: TicketType,
    pub priority: Priority,
    pub category: Option<Label>,
    pub system: Option<Label>,
    pub environment: Option<Label>,
    pub service: Option<Label>,
    pub product: Option<Label>,
    pub platform_version: Option<Label>,
    pub custom_fields: CustomFields,
    pub requester: UserId,
    pub organisation: Option<OrganisationId>,
    pub assignee: Option<UserId>,
    pub group: Option<GroupId>,
    pub project: Option<ProjectId>,
    pub followers: BTreeSet<UserId>,
    /// The wait that runs, if one does.
    pub wait: Option<Wait>,
    /// How many waits have been started.
    pub waits: u32,
    /// The rating of the last closing, once it is given.
    pub rating: Option<u8>,
    /// The greatest `occurred_at` of the ticket's records.
    pub last_occurred_at: Timestamp,
}

impl TicketState {
    /// What [`access::may_see`] needs to know.
    pub fn audience(&self) -> access::Audience<'_> {
        access::Audience {
            requester: self.requester,
            organisation: self.organisation,
            group: self.group,
            assignee: self.assignee,
            project: self.project,
            ticket_type: self.ticket_type.code.as_str(),
            followers: &self.followers,
            open: self.status.is_open(),
        }
    }

    /// What the table of commands needs to know.
    pub fn standing(&self) -> Standing<'_> {
        Standing {
            status: self.status,
            ticket_type: self.ticket_type.code.as_str(),
            awaits: self.ticket_type.awaits,
            rated: self.rating.is_some(),
            requester: self.requester,
            organisation: self.organisation,
            group: self.group,
        }
    }

    /// Whether `actor` stands on the requester's side of this ticket.
    pub fn on_requesters_side(&self, actor: &Actor) -> bool {
        access::on_requesters_side(actor, self.requester, self.organisation)
    }
}

/// A ticket, or the lack of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ticket {
    /// No ticket has been opened under this id.
    #[default]
    Absent,
    /// It exists.
    Present(Box<TicketState>),
}

impl Ticket {
    /// The ticket's state, if it exists.
    pub fn state(&self) -> Option<&TicketState> {
        match self {
            Self::Absent => None,
            Self::Present(state) => Some(state),
        }
    }
}
