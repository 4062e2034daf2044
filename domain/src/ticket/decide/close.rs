//! Closing a ticket and opening it again.

use crate::ticket::command::{Close, Reopen};
use crate::ticket::event::Event;
use crate::ticket::rejection::Rejection;
use crate::ticket::state::{Status, TicketState};

pub(super) fn closed(ticket: &TicketState, close: &Close) -> Result<Vec<Event>, Rejection> {
    if ticket.status != Status::WaitingForClosure && close.reason.is_none() {
        return Err(Rejection::ReasonRequired);
    }
    Ok(vec![Event::Closed {
        comment: close.comment.clone(),
        reason: close.reason.clone(),
    }])
}

pub(super) fn reopened(ticket: &TicketState, reopen: &Reopen) -> Vec<Event> {
    let comment = reopen.comment.clone();
    if ticket.status == Status::Closed {
        vec![Event::Reopened { comment }]
    } else {
        vec![Event::ClosureDeclined { comment }]
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{AGENT, accepted, agent, body, closed, closure_proposed, customer, given, opened};
    use crate::ticket::{Close, Command, CommandName, Event, Rejection, Reopen, Status};

    fn close(reason: Option<&str>) -> Command {
        Command::Close(Close {
            comment: None,
            reason: reason.map(body),
        })
    }

    #[test]
    fn the_requester_confirms_a_proposed_closure() {
        given([opened(), accepted(AGENT), closure_proposed()])
            .by(&customer())
            .when(close(None))
            .then([Event::Closed {
                comment: None,
                reason: None,
            }]);
    }

    #[test]
    fn the_requester_does_not_close_a_ticket_in_work() {
        given([opened(), accepted(AGENT)])
            .by(&customer())
            .when(close(Some("never mind")))
            .then_rejected(&Rejection::WrongStatus {
                command: CommandName::Close,
                status: Status::InProgress,
            });
    }

    #[test]
    fn staff_close_a_ticket_in_work_for_a_reason() {
        given([opened(), accepted(AGENT)])
            .by(&agent())
            .when(close(None))
            .then_rejected(&Rejection::ReasonRequired);
        given([opened(), accepted(AGENT)])
            .by(&agent())
            .when(close(Some("a duplicate")))
            .then([Event::Closed {
                comment: None,
                reason: Some(body("a duplicate")),
            }]);
    }

    #[test]
    fn reopening_declines_a_proposal_and_revives_a_closed_ticket() {
        let reopen = || {
            Command::Reopen(Reopen {
                comment: body("it is back"),
            })
        };
        given([opened(), accepted(AGENT), closure_proposed()])
            .by(&customer())
            .when(reopen())
            .then([Event::ClosureDeclined {
                comment: body("it is back"),
            }]);
        given([opened(), closed()])
            .by(&customer())
            .when(reopen())
            .then([Event::Reopened {
                comment: body("it is back"),
            }]);
    }
}
