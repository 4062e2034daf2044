//! Whose turn it is to say something.

use jiff::Timestamp;

use super::follow::Step;
use crate::actor::ActorKind;
use crate::ticket::{Event, Status};

/// Where the conversation between requester and staff stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Talk {
    /// Staff have not said anything to the requester yet.
    #[default]
    Unanswered,
    /// Staff spoke last, or the ticket is solved and nobody waits for words.
    Answered,
    /// The requester's side has spoken since, first at this time.
    Owed {
        /// When.
        since: Timestamp,
    },
}

impl Talk {
    /// The conversation after a step that happened at `at`.
    pub(super) fn after(self, step: &Step<'_>, at: Timestamp) -> Self {
        if staff_spoke(step) {
            return Self::Answered;
        }
        match self {
            Self::Unanswered => Self::Unanswered,
            Self::Answered | Self::Owed { .. } if resolved(step.after.status) => Self::Answered,
            Self::Answered if requesters_side_spoke(step) => Self::Owed { since: at },
            Self::Answered | Self::Owed { .. } => self,
        }
    }
}

/// Whether the desk considers the ticket solved.
fn resolved(status: Status) -> bool {
    match status {
        Status::WaitingForClosure | Status::Closed => true,
        Status::New
        | Status::InProgress
        | Status::WaitingForInfo
        | Status::WaitingForFix
        | Status::WaitingForImplementation
        | Status::Reopened => false,
    }
}

/// Whether staff said something to the requester. Staff whose own wish the ticket is stand on the requester's side.
pub(super) fn staff_spoke(step: &Step<'_>) -> bool {
    step.actor.kind == ActorKind::Staff
        && !step.after.on_requesters_side(step.actor)
        && step.events.iter().any(Event::is_said)
}

fn requesters_side_spoke(step: &Step<'_>) -> bool {
    step.after.on_requesters_side(step.actor) && step.events.iter().any(Event::is_said)
}
