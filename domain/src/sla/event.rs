//! What can happen to a clock. Events carry conclusions: replaying them needs no policy and no
//! calendar.

use jiff::Timestamp;

use super::breach::Notified;
use super::policy::{Pin, TargetKind};
use crate::policy::WaitLength;
use crate::ticket::Status;

/// Which clock of a ticket: every target has its own, from 1; only the next response has more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockId {
    /// What it measures.
    pub target: TargetKind,
    /// Which one.
    pub number: u32,
}

/// When a clock will warn and when it is due, if it goes on as it does. A paused clock has
/// neither, unless the instant was reached before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// When it warns.
    pub warn_at: Option<Timestamp>,
    /// When it is due.
    pub due_at: Option<Timestamp>,
}

/// Why a clock ended without its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cancellation {
    /// The ticket was solved or closed, so nobody waits for words any more.
    Resolved,
    /// The policy that now applies does not promise it.
    Withdrawn,
}

impl Cancellation {
    /// Its name in JSON and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The reason of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Resolved, Self::Withdrawn]
            .into_iter()
            .find(|why| why.as_str() == name)
    }
}

/// Why a clock came under another policy or version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The ticket's type, priority, organisation or service changed.
    TicketChanged,
    /// Somebody asked.
    Asked,
}

impl Why {
    /// Its name in JSON and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TicketChanged => "ticket_changed",
            Self::Asked => "asked",
        }
    }

    /// The reason of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::TicketChanged, Self::Asked]
            .into_iter()
            .find(|why| why.as_str() == name)
    }
}

/// What becomes of the time that elapsed before a clock came under another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counting {
    /// It stays as it was counted.
    Kept,
    /// It is counted again from the start, as if the new versions had always applied; pauses stay
    /// pauses. For a calendar that was wrong.
    Afresh,
}

impl Counting {
    /// Its name in JSON and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Afresh => "afresh",
        }
    }

    /// The way of counting of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Kept, Self::Afresh]
            .into_iter()
            .find(|counting| counting.as_str() == name)
    }
}

/// A clock came under another policy or version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReEvaluation {
    /// Which clock.
    pub clock: ClockId,
    /// Why.
    pub why: Why,
    /// What became of the time before.
    pub counting: Counting,
    /// By what it ran until now.
    pub from: Pin,
    /// By what it runs now.
    pub to: Pin,
    /// The time allowed now.
    pub within: WaitLength,
    /// Until when it would have run.
    pub before: Marks,
    /// Until when it runs now.
    pub marks: Marks,
}

/// A fact about a clock. All but warnings and breaches happen when their record does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "`clock` says which; the variants say what happened")]
pub enum SlaEvent {
    /// A promise began to run. `within`: the time allowed.
    Started {
        clock: ClockId,
        pin: Pin,
        within: WaitLength,
        marks: Marks,
    },
    /// The ticket came into a status in which the clock stands still.
    Paused { clock: ClockId, status: Status },
    /// The clock runs again.
    Resumed { clock: ClockId, marks: Marks },
    /// The desk did what it had promised, in time or late.
    Fulfilled { clock: ClockId },
    /// It no longer has to.
    Cancelled { clock: ClockId, why: Cancellation },
    /// The due time is near. `at`: since when.
    Warned { clock: ClockId, at: Timestamp },
    /// The due time passed. `at`: when it did.
    Breached { clock: ClockId, at: Timestamp },
    /// See [`ReEvaluation`].
    ReEvaluated(Box<ReEvaluation>),
    /// These people are to be told of the clock's breach, from `at` on.
    NoticeDue {
        clock: ClockId,
        whom: Notified,
        at: Timestamp,
    },
}

impl SlaEvent {
    /// What the names of all of them begin with, and no others.
    pub const PREFIX: &str = "sla_";

    /// The event's name in answers, timelines and documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "sla_started",
            Self::Paused { .. } => "sla_paused",
            Self::Resumed { .. } => "sla_resumed",
            Self::Fulfilled { .. } => "sla_fulfilled",
            Self::Cancelled { .. } => "sla_cancelled",
            Self::Warned { .. } => "sla_warned",
            Self::Breached { .. } => "sla_breached",
            Self::ReEvaluated(_) => "sla_re_evaluated",
            Self::NoticeDue { .. } => "sla_notice_due",
        }
    }

    /// Which clock it is about.
    pub const fn clock(&self) -> ClockId {
        match self {
            Self::Started { clock, .. }
            | Self::Paused { clock, .. }
            | Self::Resumed { clock, .. }
            | Self::Fulfilled { clock }
            | Self::Cancelled { clock, .. }
            | Self::Warned { clock, .. }
            | Self::Breached { clock, .. }
            | Self::NoticeDue { clock, .. } => *clock,
            Self::ReEvaluated(re_evaluation) => re_evaluation.clock,
        }
    }
}
