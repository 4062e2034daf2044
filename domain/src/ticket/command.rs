//! What one can ask of a ticket.

use std::collections::BTreeMap;

use super::event::Created;
use crate::catalogue::{Priority, TicketType};
use crate::ids::{GroupId, ProjectId, UserId};
use crate::sla::{Counting, Timer};
use crate::text::{Body, Label, Subject};

/// A value of a custom field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomValue {
    /// A text.
    Text(Label),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

/// Custom fields by name.
pub type CustomFields = BTreeMap<Label, CustomValue>;

/// Whether a field is to change, and to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Leave it.
    #[default]
    Keep,
    /// Make it this.
    Set(T),
}

impl<T> Change<T> {
    /// The new value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Keep => None,
            Self::Set(value) => Some(value),
        }
    }

    /// This change, or no change where the value already holds.
    #[must_use]
    pub fn unless_already(&self, current: &T) -> Self
    where
        T: Clone + PartialEq,
    {
        match self {
            Self::Set(value) if value != current => Self::Set(value.clone()),
            Self::Set(_) | Self::Keep => Self::Keep,
        }
    }

    /// Writes the new value over `current`.
    pub fn apply_to(&self, current: &mut T)
    where
        T: Clone,
    {
        if let Self::Set(value) = self {
            *current = value.clone();
        }
    }
}

impl<T> From<Option<T>> for Change<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}

/// Who reads a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Visibility {
    /// Everybody who sees the ticket.
    Public,
    /// Staff alone.
    Internal,
}

impl Visibility {
    /// Its name in JSON and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
        }
    }

    /// The visibility of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Public, Self::Internal]
            .into_iter()
            .find(|visibility| visibility.as_str() == name)
    }
}

/// Takes a ticket into work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept {
    /// Who works on it. `None`: whoever accepts it.
    pub assignee: Option<UserId>,
}

/// Asks the requester's side a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// The question.
    pub comment: Body,
}

/// Answers the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvideInfo {
    /// The answer.
    pub comment: Body,
}

/// Waits for a fix or an implementation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Await {
    /// Why.
    pub comment: Option<Body>,
    /// Where the work is tracked.
    pub reference: Option<Label>,
}

/// Takes a waiting ticket up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// Why.
    pub comment: Option<Body>,
}

/// Proposes that the ticket be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposeClosure {
    /// What solved it.
    pub solution: Body,
}

/// Closes a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// A last word.
    pub comment: Option<Body>,
    /// Why it is closed without a proposal; required then.
    pub reason: Option<Body>,
}

/// Opens a closed ticket again, or declines the proposal to close it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reopen {
    /// Why.
    pub comment: Body,
}

/// Rates the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// From 1 to 5.
    pub score: u8,
    /// In words.
    pub comment: Option<Body>,
}

/// Says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddComment {
    /// What.
    pub body: Body,
    /// To whom.
    pub visibility: Visibility,
}

/// Corrects what sort of ticket it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classify {
    /// Its type.
    pub ticket_type: Change<TicketType>,
    /// Its priority.
    pub priority: Change<Priority>,
    /// Its category.
    pub category: Change<Option<Label>>,
    /// The system concerned.
    pub system: Change<Option<Label>>,
    /// Where that runs.
    pub environment: Change<Option<Label>>,
    /// The service concerned.
    pub service: Change<Option<Label>>,
    /// The product concerned.
    pub product: Change<Option<Label>>,
    /// The project that it is one of.
    pub project: Change<Option<ProjectId>>,
}

/// Gives a ticket to a person, a group, or nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assign {
    /// Who works on it.
    pub assignee: Change<Option<UserId>>,
    /// Which group works on it.
    pub group: Change<Option<GroupId>>,
}

/// Corrects the ticket's texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// Its subject.
    pub subject: Change<Subject>,
    /// Its description.
    pub description: Change<Body>,
    /// All its custom fields.
    pub custom_fields: Change<CustomFields>,
    /// The platform's version.
    pub platform_version: Change<Option<Label>>,
}

/// A wish to change one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Opens a ticket, in a project or in none. Carries what its first event will say; the number is taken from the
    /// counter before the decision.
    Create(Box<Created>, Option<ProjectId>),
    /// See [`Accept`].
    Accept(Accept),
    /// See [`RequestInfo`].
    RequestInfo(RequestInfo),
    /// See [`ProvideInfo`].
    ProvideInfo(ProvideInfo),
    /// Waits for a correction.
    AwaitFix(Await),
    /// Waits for a feature.
    AwaitImplementation(Await),
    /// See [`Resume`].
    Resume(Resume),
    /// See [`ProposeClosure`].
    ProposeClosure(ProposeClosure),
    /// See [`Close`].
    Close(Close),
    /// See [`Reopen`].
    Reopen(Reopen),
    /// See [`Rate`].
    Rate(Rate),
    /// See [`AddComment`].
    Comment(AddComment),
    /// See [`Classify`].
    Classify(Box<Classify>),
    /// See [`Assign`].
    Assign(Assign),
    /// See [`Edit`].
    Edit(Box<Edit>),
    /// Lets a user hear of the ticket; `None`: the caller.
    Follow(Option<UserId>),
    /// Ends that; `None`: the caller.
    Unfollow(Option<UserId>),
    /// Nobody answered in time. Carries the number of the wait that ended.
    ExpireInformationWait(u32),
    /// Nobody objected in time. Carries the number of the wait that ended.
    ExpireClosureWait(u32),
    /// A clock's warning or due time is over.
    FireTimer(Timer),
    /// Somebody asks for the clocks to run by the policies and calendars of today.
    ReEvaluate(Counting),
}

/// Names of commands, as in URLs and in `allowed_commands`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the name of the command of the same name")]
pub enum CommandName {
    Create,
    Accept,
    RequestInfo,
    ProvideInfo,
    AwaitFix,
    AwaitImplementation,
    Resume,
    ProposeClosure,
    Close,
    Reopen,
    Rate,
    Comment,
    Classify,
    Assign,
    Edit,
    Follow,
    Unfollow,
    ExpireInformationWait,
    ExpireClosureWait,
    FireTimer,
    ReEvaluate,
}

impl CommandName {
    /// Every command that a caller can give to an existing ticket, in the order of the contract.
    pub const ON_TICKET: [Self; 16] = [
        Self::Accept,
        Self::RequestInfo,
        Self::ProvideInfo,
        Self::AwaitFix,
        Self::AwaitImplementation,
        Self::Resume,
        Self::ProposeClosure,
        Self::Close,
        Self::Reopen,
        Self::Rate,
        Self::Comment,
        Self::Classify,
        Self::Assign,
        Self::Edit,
        Self::Follow,
        Self::Unfollow,
    ];

    /// The name in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Accept => "accept",
            Self::RequestInfo => "request-info",
            Self::ProvideInfo => "provide-info",
            Self::AwaitFix => "await-fix",
            Self::AwaitImplementation => "await-implementation",
            Self::Resume => "resume",
            Self::ProposeClosure => "propose-closure",
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::Rate => "rate",
            Self::Comment => "comment",
            Self::Classify => "classify",
            Self::Assign => "assign",
            Self::Edit => "edit",
            Self::Follow => "follow",
            Self::Unfollow => "unfollow",
            Self::ExpireInformationWait => "expire-information-wait",
            Self::ExpireClosureWait => "expire-closure-wait",
            Self::FireTimer => "fire-timer",
            Self::ReEvaluate => "re-evaluate",
        }
    }

    /// The command of that name that a caller can give to an existing ticket.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ON_TICKET.into_iter().find(|command| command.as_str() == name)
    }
}

impl Command {
    /// Which command this is.
    pub const fn name(&self) -> CommandName {
        match self {
            Self::Create(..) => CommandName::Create,
            Self::Accept(_) => CommandName::Accept,
            Self::RequestInfo(_) => CommandName::RequestInfo,
            Self::ProvideInfo(_) => CommandName::ProvideInfo,
            Self::AwaitFix(_) => CommandName::AwaitFix,
            Self::AwaitImplementation(_) => CommandName::AwaitImplementation,
            Self::Resume(_) => CommandName::Resume,
            Self::ProposeClosure(_) => CommandName::ProposeClosure,
            Self::Close(_) => CommandName::Close,
            Self::Reopen(_) => CommandName::Reopen,
            Self::Rate(_) => CommandName::Rate,
            Self::Comment(_) => CommandName::Comment,
            Self::Classify(_) => CommandName::Classify,
            Self::Assign(_) => CommandName::Assign,
            Self::Edit(_) => CommandName::Edit,
            Self::Follow(_) => CommandName::Follow,
            Self::Unfollow(_) => CommandName::Unfollow,
            Self::ExpireInformationWait(_) => CommandName::ExpireInformationWait,
            Self::ExpireClosureWait(_) => CommandName::ExpireClosureWait,
            Self::FireTimer(_) => CommandName::FireTimer,
            Self::ReEvaluate(_) => CommandName::ReEvaluate,
        }
    }
}
