//! The table of the contract: which command is for whom, and from which statuses.

use super::command::CommandName;
use super::rejection::Rejection;
use super::state::Status;
use crate::access;
use crate::actor::{Actor, ActorKind, Permission};
use crate::catalogue::Awaits;
use crate::ids::{GroupId, OrganisationId, UserId};
use crate::workflow::Workflow;

/// What the table needs to know of a ticket; the read side knows as much.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'t> {
    /// Where the ticket stands.
    pub status: Status,
    /// The code of its type.
    pub ticket_type: &'t str,
    /// What tickets of its type may wait for.
    pub awaits: Option<Awaits>,
    /// Whether its last closing is rated.
    pub rated: bool,
    /// Whose wish it is.
    pub requester: UserId,
    /// The requester's organisation.
    pub organisation: Option<OrganisationId>,
    /// The group that works on it.
    pub group: Option<GroupId>,
}

/// Who may give a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Staff,
    RequestersSide,
    RequestersSideOrStaff,
    Everybody,
    System,
}

/// From which statuses a command is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    These(&'static [Status]),
    AnyOpen,
    Any,
}

/// The row of the table for a command.
const fn row(command: CommandName) -> (From, By) {
    use Status::{
        Closed, InProgress, New, Reopened, WaitingForClosure, WaitingForFix, WaitingForImplementation, WaitingForInfo,
    };
    match command {
        CommandName::Create => (From::These(&[]), By::Everybody),
        CommandName::Accept => (From::These(&[New, Reopened]), By::Staff),
        CommandName::RequestInfo => (From::These(&[InProgress, Reopened]), By::Staff),
        CommandName::ProvideInfo => (From::These(&[WaitingForInfo]), By::RequestersSide),
        CommandName::AwaitFix | CommandName::AwaitImplementation => (From::These(&[InProgress]), By::Staff),
        CommandName::Resume => (
            From::These(&[
                WaitingForInfo,
                WaitingForFix,
                WaitingForImplementation,
                WaitingForClosure,
            ]),
            By::Staff,
        ),
        CommandName::ProposeClosure => (
            From::These(&[InProgress, WaitingForFix, WaitingForImplementation]),
            By::Staff,
        ),
        CommandName::Reopen => (From::These(&[Closed, WaitingForClosure]), By::RequestersSideOrStaff),
        CommandName::Rate => (From::These(&[Closed]), By::RequestersSide),
        CommandName::Comment | CommandName::Follow | CommandName::Unfollow => (From::Any, By::Everybody),
        CommandName::Classify | CommandName::Assign | CommandName::ReEvaluate => (From::AnyOpen, By::Staff),
        CommandName::Close | CommandName::Edit => (From::AnyOpen, By::RequestersSideOrStaff),
        CommandName::ExpireInformationWait => (From::These(&[WaitingForInfo]), By::System),
        CommandName::ExpireClosureWait => (From::These(&[WaitingForClosure]), By::System),
        CommandName::FireTimer => (From::Any, By::System),
    }
}

/// The row of the table for a command, as a sentence or two.
pub fn rule_in_words(command: CommandName) -> String {
    let (from, by) = row(command);
    let by = match by {
        By::Staff => "For staff.",
        By::RequestersSide => "For the requester's side.",
        By::RequestersSideOrStaff => "For the requester's side and staff.",
        By::Everybody => "For everybody.",
        By::System => "For the scheduler.",
    };
    let by = if command == CommandName::Edit {
        format!("{by} Customers change what their portal lets them change.")
    } else if command == CommandName::Classify {
        format!("{by} For the requester's side as far as their portal lets them.")
    } else {
        by.to_owned()
    };
    match from {
        From::Any => format!("{by} Possible in any status."),
        From::AnyOpen => format!("{by} Possible in any status but {}.", Status::Closed.as_str()),
        From::These([]) => by,
        From::These(statuses) => {
            let names: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
            format!("{by} Possible from {}.", names.join(", "))
        }
    }
}

/// Checks whether the actor may ever give this command to this ticket, whatever its status.
pub(super) fn permitted(command: CommandName, ticket: &Standing<'_>, actor: &Actor) -> Result<(), Rejection> {
    let (_, by) = row(command);
    let staff = actor.kind == ActorKind::Staff;
    let requesters_side = access::on_requesters_side(actor, ticket.requester, ticket.organisation);
    let lets = |command| actor.portal.as_ref().map(|portal| portal.lets(command));
    let (yes, who) = match by {
        By::Staff if command == CommandName::Classify && lets(command) == Some(true) => {
            (requesters_side, "only the requester's side or staff")
        }
        By::Staff => (staff, "only staff"),
        By::RequestersSide => (requesters_side, "only the requester's side"),
        By::RequestersSideOrStaff => (staff || requesters_side, "only the requester's side or staff"),
        By::Everybody => (true, "everybody"),
        By::System => (actor.kind == ActorKind::System, "only the scheduler"),
    };
    if command == CommandName::Edit && lets(command) == Some(false) {
        let who = "as your portal has it, only staff";
        return Err(Rejection::NotPermitted { command, who });
    }
    if yes {
        Ok(())
    } else {
        Err(Rejection::NotPermitted { command, who })
    }
}

/// Checks whether the ticket's status and type allow the command, and for `close` whether
/// this actor may close from this status.
pub(super) fn possible(command: CommandName, ticket: &Standing<'_>, actor: &Actor) -> Result<(), Rejection> {
    let status = ticket.status;
    let wrong_status = Rejection::WrongStatus { command, status };
    match row(command).0 {
        From::Any => {}
        From::AnyOpen if status.is_open() => {}
        From::AnyOpen => return Err(Rejection::Closed),
        From::These(statuses) if statuses.contains(&status) => {}
        From::These(_) => return Err(wrong_status),
    }
    match command {
        CommandName::AwaitFix => awaits(command, ticket, Awaits::Fix),
        CommandName::AwaitImplementation => awaits(command, ticket, Awaits::Implementation),
        CommandName::Rate if ticket.rated => Err(Rejection::AlreadyRated),
        CommandName::Close if status != Status::WaitingForClosure => {
            if actor.kind != ActorKind::Staff {
                Err(wrong_status)
            } else if actor.may_with(Permission::CloseAny, ticket.group) {
                Ok(())
            } else {
                Err(Rejection::NotPermitted {
                    command,
                    who: "before closure is proposed, only staff with the permission close_any",
                })
            }
        }
        CommandName::Close
        | CommandName::Create
        | CommandName::Accept
        | CommandName::RequestInfo
        | CommandName::ProvideInfo
        | CommandName::Resume
        | CommandName::ProposeClosure
        | CommandName::Reopen
        | CommandName::Rate
        | CommandName::Comment
        | CommandName::Classify
        | CommandName::Assign
        | CommandName::Edit
        | CommandName::Follow
        | CommandName::Unfollow
        | CommandName::ExpireInformationWait
        | CommandName::ExpireClosureWait
        | CommandName::FireTimer
        | CommandName::ReEvaluate => Ok(()),
    }
}

fn awaits(command: CommandName, ticket: &Standing<'_>, what: Awaits) -> Result<(), Rejection> {
    if ticket.awaits == Some(what) {
        return Ok(());
    }
    Err(Rejection::WrongType {
        command,
        ticket_type: ticket.ticket_type.to_owned(),
    })
}

/// The commands that this actor can give to this ticket now, in the order of the contract.
pub fn allowed_commands(ticket: &Standing<'_>, workflow: &Workflow, actor: &Actor) -> Vec<CommandName> {
    CommandName::ON_TICKET
        .into_iter()
        .filter(|command| {
            workflow.uses(*command)
                && permitted(*command, ticket, actor)
                    .and_then(|()| possible(*command, ticket, actor))
                    .is_ok()
        })
        .collect()
}
