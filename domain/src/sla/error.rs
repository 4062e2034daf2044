//! What can be wrong with a policy.

use super::policy::{ACTIONS_MAX, ID_CHARS_MAX, TargetKind};
use crate::policy::PolicyError;
use crate::text::Code;

/// One thing that is wrong with a [`super::SlaPolicySpec`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlaPolicyError {
    /// The id is not one.
    #[error(
        "a policy's id has 1 to {ID_CHARS_MAX} small letters, digits, underscores and hyphens, such as `supportal`"
    )]
    Id,
    /// There is no such version.
    #[error("versions count from 1")]
    Version,
    /// The policy was put together with a calendar that it does not name.
    #[error("the policy counts by the calendar {named}, and not by {given}")]
    OtherCalendar {
        /// The calendar that the policy names.
        named: Code,
        /// The one that it was given.
        given: Code,
    },
    /// One of the waits is impossible.
    #[error(transparent)]
    Wait(PolicyError),
    /// One of the targets is impossible.
    #[error("the target {}: {error}", kind.as_str())]
    Target {
        /// Which target.
        kind: TargetKind,
        /// What is wrong with it.
        error: TargetError,
    },
}

/// One thing that is wrong with a [`super::Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is shorter than the shortest wait or longer than the longest.
    #[error("it allows from one second to 10000 hours")]
    Length,
    /// The calendar could run out of working time before it is due.
    #[error("it is too long for the hours of the calendar's week: shorten it, or give the week more hours")]
    TooLittleWork,
    /// Nothing can be warned of before it began or once it is over.
    #[error("warn at 1 to 99 per cent of the time, or not at all")]
    Warning,
    /// A closed ticket has no running clock that could pause.
    #[error("closing ends the clock: leave `closed` out of the statuses that pause it")]
    PausedWhenClosed,
    /// Every open status pauses it.
    #[error("it is paused in every status, so it would never be due")]
    NeverRuns,
    /// A breach has more consequences than [`ACTIONS_MAX`].
    #[error("{count} things happen on a breach: at most {ACTIONS_MAX} are allowed")]
    TooManyActions {
        /// How many there are.
        count: usize,
    },
}
