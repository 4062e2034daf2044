//! What each type of event says beyond what all of them say. These are the public contract: within
//! a version fields may be added, and none renamed, removed or given another meaning.

use std::collections::BTreeMap;

use domain::sla::TargetKind;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A person, a group or a project.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Party {
    /// Its id.
    id: Uuid,
    /// Its name, as the directory has it when the event is read; null if it has none.
    #[schema(required = true)]
    name: Option<String>,
}

impl Party {
    pub(crate) const fn new(id: Uuid, name: Option<String>) -> Self {
        Self { id, name }
    }
}

/// A wait that began: if nobody does anything until then, the desk acts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Wait {
    /// Which wait of the ticket this is, from 1.
    number: u32,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// The policy that its length came from.
    policy: String,
}

/// A person, group or project before and after. Null: none.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PartyChange {
    /// Before.
    #[schema(required = true)]
    from: Option<Party>,
    /// After.
    #[schema(required = true)]
    to: Option<Party>,
}

/// A text before and after. Null: none.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TextChange {
    /// Before.
    #[schema(required = true)]
    from: Option<String>,
    /// After.
    #[schema(required = true)]
    to: Option<String>,
}

/// All custom fields before and after.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct CustomFieldsChange {
    /// Before.
    from: BTreeMap<String, CustomValue>,
    /// After.
    to: BTreeMap<String, CustomValue>,
}

/// A custom field's value.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum CustomValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// Who reads a comment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommentVisibility {
    /// Everybody who sees the ticket.
    Public,
    /// Staff alone.
    Internal,
}

/// One version of a policy or a calendar.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Edition {
    /// Of what.
    pub(crate) id: String,
    /// Which version, from 1.
    #[schema(minimum = 1)]
    pub(crate) version: u32,
}

/// What a promise is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// Staff's first words that the requester can read.
    FirstResponse,
    /// Staff's words after those of the requester's side, each time anew.
    NextResponse,
    /// The closing of the ticket.
    Resolution,
}

impl From<TargetKind> for Target {
    fn from(kind: TargetKind) -> Self {
        match kind {
            TargetKind::FirstResponse => Self::FirstResponse,
            TargetKind::NextResponse => Self::NextResponse,
            TargetKind::Resolution => Self::Resolution,
        }
    }
}

/// What sort of time a promise counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CountedTime {
    /// Working time of the calendar.
    Working,
    /// Time by the clock.
    Elapsed,
}

/// Why a clock ended without its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CancelledBecause {
    /// The ticket was solved or closed, so nobody waits for words any more.
    Resolved,
    /// The policy that applies does not promise it.
    Withdrawn,
}

/// Why a clock came under another policy or version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReEvaluatedBecause {
    /// The ticket's type, priority, organisation or service changed.
    TicketChanged,
    /// Somebody asked.
    Asked,
}

/// What becomes of the time that elapsed before a clock came under another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CountedBefore {
    /// It stays as it was counted.
    Kept,
    /// It is counted again from the start.
    Afresh,
}

/// Who is told of a breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// Whoever works on the ticket.
    Assignee,
    /// The group that works on it.
    Group,
    /// Everybody who follows it.
    Followers,
}

/// By what a clock ran until it was re-evaluated.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TermsBefore {
    /// The policy.
    pub(crate) policy: Edition,
    /// Its calendar.
    pub(crate) calendar: Edition,
    /// When it would have warned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    pub(crate) warn_at: Option<Timestamp>,
    /// When it was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    pub(crate) due_at: Option<Timestamp>,
}

/// By what it runs from then on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TermsNow {
    /// The policy.
    pub(crate) policy: Edition,
    /// Its calendar.
    pub(crate) calendar: Edition,
    /// The time allowed, such as `PT4H`.
    pub(crate) within: String,
    /// Which time.
    pub(crate) time: CountedTime,
    /// When it warns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    pub(crate) warn_at: Option<Timestamp>,
    /// When it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    pub(crate) due_at: Option<Timestamp>,
}

/// Defines payloads: whatever is optional is left out where there is nothing to say.
macro_rules! payloads {
    ($(
        $(#[$doc:meta])*
        $event:literal $name:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
        $(optional { $($(#[$optional_doc:meta])* $optional:ident: $optional_type:ty,)* })?
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Serialize, Deserialize, ToSchema)]
            pub(crate) struct $name {
                $($(#[$field_doc])* pub(crate) $field: $type,)*
                $($(
                    $(#[$optional_doc])*
                    #[serde(skip_serializing_if = "Option::is_none")]
                    #[schema(nullable = false)]
                    pub(crate) $optional: Option<$optional_type>,
                )*)?
            }
        )*

        /// The details of any event.
        #[derive(Debug, Serialize, ToSchema)]
        #[serde(untagged)]
        pub(crate) enum Details {
            $($name($name),)*
        }

        impl Details {
            /// Every event of the feed.
            pub(crate) const EVENTS: &[&str] = &[$($event),*];

            /// The public form of an event's details. `None`: there is no such event.
            pub(crate) fn read(event: &str, details: Value) -> Option<Result<Self, serde_json::Error>> {
                match event {
                    $($event => Some(serde_json::from_value(details).map(Self::$name)),)*
                    _ => None,
                }
            }

            /// The schemas of the events' data, each with those that it refers to.
            pub(crate) fn schemas() -> Vec<super::schema::Described> {
                vec![$(super::schema::Described::of::<$name>($event)),*]
            }
        }
    };
}

payloads! {
    /// A ticket was opened.
    "created" Created {
        /// One line.
        subject: String,
        /// Its type's code, such as `defect`.
        #[serde(rename = "type")]
        ticket_type: String,
    } optional {
        /// Its priority's code, such as `high`. As the other properties of tickets, it is left out where the reader's portal
        /// does not show it.
        priority: String,
    }
    /// Somebody took it into work.
    "accepted" Accepted {} optional {
        /// Who works on it.
        assignee: PartyChange,
    }
    /// The requester's side was asked a question.
    "information_requested" InformationRequested {
        /// The question.
        comment: String,
    } optional {
        /// Until when, if a policy limits it.
        wait: Wait,
    }
    /// The requester's side answered.
    "information_provided" InformationProvided {
        /// The answer.
        comment: String,
    }
    /// Work waits for a correction.
    "fix_awaited" FixAwaited {} optional {
        /// Why.
        comment: String,
        /// Where the work is tracked.
        reference: String,
    }
    /// Work waits for a feature.
    "implementation_awaited" ImplementationAwaited {} optional {
        /// Why.
        comment: String,
        /// Where the work is tracked.
        reference: String,
    }
    /// Work went on after a wait.
    "work_resumed" WorkResumed {} optional {
        /// Why.
        comment: String,
    }
    /// Staff think that it is solved.
    "closure_proposed" ClosureProposed {
        /// What solved it.
        solution: String,
    } optional {
        /// Until when one may object, if a policy limits it.
        wait: Wait,
    }
    /// The requester's side does not think so.
    "closure_declined" ClosureDeclined {
        /// Why.
        comment: String,
    }
    /// The ticket was closed.
    "closed" Closed {} optional {
        /// A last word.
        comment: String,
        /// Why it was closed without a proposal.
        reason: String,
    }
    /// The closed ticket was opened again.
    "reopened" Reopened {
        /// Why.
        comment: String,
    }
    /// The requester's side rated the work.
    "rated" Rated {
        /// From 1 to 5.
        #[schema(minimum = 1, maximum = 5)]
        score: u8,
    } optional {
        /// In words.
        comment: String,
    }
    /// Somebody said something.
    "commented" Commented {
        /// What.
        body: String,
        /// Customers never get an internal one.
        visibility: CommentVisibility,
    }
    /// What sort of ticket it is was corrected. Only what changed is there.
    "classified" Classified {} optional {
        /// Its type.
        #[serde(rename = "type")]
        ticket_type: TextChange,
        /// Its priority.
        priority: TextChange,
        /// Its category.
        category: TextChange,
        /// The system concerned.
        system: TextChange,
        /// Where that runs.
        environment: TextChange,
        /// The service concerned.
        service: TextChange,
        /// The product concerned.
        product: TextChange,
    }
    /// The ticket was given to somebody else, or to nobody. Only what changed is there.
    "assigned" Assigned {} optional {
        /// Who works on it.
        assignee: PartyChange,
        /// Which group works on it.
        group: PartyChange,
    }
    /// The ticket's texts were corrected. Only what changed is there.
    "edited" Edited {} optional {
        /// Its subject.
        subject: TextChange,
        /// Its description.
        description: TextChange,
        /// Its custom fields, all of them.
        custom_fields: CustomFieldsChange,
        /// Version of the platform.
        platform_version: TextChange,
    }
    /// A user will hear of the ticket.
    "followed" Followed {
        /// Who.
        user: Party,
    }
    /// A user no longer will.
    "unfollowed" Unfollowed {
        /// Who.
        user: Party,
    }
    /// The ticket is in another project, or in none.
    "project_changed" ProjectChanged {
        /// Which.
        project: PartyChange,
    }
    /// Nobody answered in time, so closing is proposed.
    "information_wait_expired" InformationWaitExpired {} optional {
        /// Until when one may object, if a policy limits it.
        wait: Wait,
    }
    /// Nobody objected in time, so the ticket is closed.
    "closure_wait_expired" ClosureWaitExpired {}
    /// A promised time began to run.
    "sla_started" SlaStarted {
        /// Which promise.
        target: Target,
        /// Which of the ticket's clocks for it, from 1; only the next response has more than one.
        number: u32,
        /// The policy that promises it.
        policy: Edition,
        /// Its calendar.
        calendar: Edition,
        /// The time allowed, such as `PT4H`.
        within: String,
        /// Which time.
        time: CountedTime,
    } optional {
        /// When it warns.
        #[schema(value_type = String, format = DateTime)]
        warn_at: Timestamp,
        /// When it is due.
        #[schema(value_type = String, format = DateTime)]
        due_at: Timestamp,
    }
    /// A promised time stands still.
    "sla_paused" SlaPaused {
        /// Which promise.
        target: Target,
        /// Which of the ticket's clocks for it, from 1; only the next response has more than one.
        number: u32,
        /// The ticket's status, in which it does.
        status: String,
    }
    /// It goes on.
    "sla_resumed" SlaResumed {
        /// Which promise.
        target: Target,
        /// Which of the ticket's clocks for it, from 1; only the next response has more than one.
        number: u32,
    } optional {
        /// When it warns.
        #[schema(value_type = String, format = DateTime)]
        warn_at: Timestamp,
        /// When it is due.
        #[schema(value_type = String, format = DateTime)]
        due_at: Timestamp,
    }
    /// The desk did what it had promised, in time or late.
    "sla_fulfilled" SlaFulfilled {
        /// Which promise.
        target: Target,
        /// Which of the ticket's clocks for it, from 1; only the next response has more than one.
        number: u32,
    }
    /// It no longer has to.
    "sla_cancelled" SlaCancelled {
        /// Which promise.
        target: Target,
        /// Which of the ticket's clocks for it, from 1; only the next response has more than one.
        number: u32,
        /// Why.
        why: CancelledBecause,
    }
    /// A promised time is nearly over.
    "sla_warned" SlaWarned {
        /// Which promise.
        target: Target,
        /// Which of the ticket's clocks for it, from 1; only the next response has more than one.
        number: u32,
        /// Since when. It may be recorded later.
        #[schema(value_type = String, format = DateTime)]
        at: Timestamp,
    }
    /// A promised time is over, and the desk has not done what it had promised.
    "sla_breached" SlaBreached {
        /// Which promise.
        target: Target,
        /// Which of the ticket's clocks for it, from 1; only the next response has more than one.
        number: u32,
        /// When it was over. It may be recorded later.
        #[schema(value_type = String, format = DateTime)]
        at: Timestamp,
    }
    /// A promised time came under another policy or version.
    "sla_re_evaluated" SlaReEvaluated {
        /// Which promise.
        target: Target,
        /// Which of the ticket's clocks for it, from 1; only the next response has more than one.
        number: u32,
        /// Why.
        why: ReEvaluatedBecause,
        /// What became of the time that had elapsed.
        counting: CountedBefore,
        /// By what it ran until then.
        from: TermsBefore,
        /// By what it runs from then on.
        to: TermsNow,
    }
    /// People are to be told of a breach. For staff alone.
    "sla_notice_due" SlaNoticeDue {
        /// Which promise.
        target: Target,
        /// Which of the ticket's clocks for it, from 1; only the next response has more than one.
        number: u32,
        /// Whom to tell.
        whom: Told,
        /// From when on.
        #[schema(value_type = String, format = DateTime)]
        at: Timestamp,
    }
}
