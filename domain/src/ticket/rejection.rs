//! Every "no" that the rules can say.

use jiff::Timestamp;

use super::command::CommandName;
use super::state::Status;
use crate::portal::Property;

/// Why a command makes no events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such ticket, or none that the actor may know of.
    #[error("there is no such ticket")]
    Absent,
    /// The ticket exists already, opened by another command.
    #[error("the ticket exists already")]
    AlreadyCreated,
    /// The actor may never give this command to this ticket.
    #[error("{who} may {command}", who = who, command = command.as_str())]
    NotPermitted {
        /// What was asked.
        command: CommandName,
        /// Who may ask that, as the beginning of a sentence.
        who: &'static str,
    },
    /// The actor's portal does not let customers change these properties.
    #[error("your portal does not let you change {}", names(.0))]
    NotEditable(Vec<Property>),
    /// The ticket is closed, and closed tickets do not change this way.
    #[error("the ticket is closed; reopen it first")]
    Closed,
    /// The ticket's status does not allow the command.
    #[error("a ticket that is {status} does not take {command}", status = status.as_str(), command = command.as_str())]
    WrongStatus {
        /// What was asked.
        command: CommandName,
        /// Where the ticket stands.
        status: Status,
    },
    /// The ticket's type does not allow the command.
    #[error("tickets of type {ticket_type} do not take {command}", command = command.as_str())]
    WrongType {
        /// What was asked.
        command: CommandName,
        /// The ticket's type.
        ticket_type: String,
    },
    /// The workflow agreed with the requester's organisation does without the command.
    #[error("the workflow {workflow} of the requester's organisation does without {command}", command = command.as_str())]
    NotInWorkflow {
        /// What was asked.
        command: CommandName,
        /// The workflow's name.
        workflow: &'static str,
    },
    /// The requester, or the requester's organisation, is not supported now.
    #[error("the support agreed with the requester or the requester's organisation {}", period(*from, *until))]
    SupportExpired {
        /// When it begins.
        from: Option<Timestamp>,
        /// When it has ended.
        until: Option<Timestamp>,
    },
    /// The requester's organisation is out of use.
    #[error("the requester's organisation is archived")]
    OrganisationArchived,
    /// There is no such project that takes tickets, or none that the actor may know of.
    #[error("there is no such project that takes tickets")]
    NoProject,
    /// The catalogue does not offer what the command says.
    #[error("the desk does not offer what some fields say")]
    NotOffered(Vec<NotOffered>),
    /// This closing has been rated.
    #[error("this closing is rated already")]
    AlreadyRated,
    /// A ticket whose closure nobody proposed is closed only for a reason.
    #[error("closing a ticket whose closure nobody proposed needs a reason")]
    ReasonRequired,
    /// The command is said to have happened at an impossible time.
    #[error(
        "occurred_at must lie neither before the ticket's last event ({earliest}) nor after the present ({latest})"
    )]
    OutOfOrder {
        /// The earliest acceptable time.
        earliest: Timestamp,
        /// The latest acceptable time.
        latest: Timestamp,
    },
}

/// A field that says what is not on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOffered {
    /// Where it is in the command: its name, and below custom fields the name of one.
    pub field: Vec<String>,
    /// `required` or `invalid`.
    pub code: &'static str,
    /// What is acceptable, as the rest of a sentence about the field.
    pub detail: String,
}

fn names(properties: &[Property]) -> String {
    let names: Vec<String> = properties.iter().map(Property::to_text).collect();
    names.join(", ")
}

fn period(from: Option<Timestamp>, until: Option<Timestamp>) -> String {
    match (from, until) {
        (Some(from), Some(until)) => format!("is from {from} until {until}"),
        (Some(from), None) => format!("begins at {from}"),
        (None, Some(until)) => format!("ended at {until}"),
        // Nothing is refused because of it.
        (None, None) => "never ends".to_owned(),
    }
}
