//! Comments, and what the requester's side sets going by one.

use super::Context;
use crate::actor::ActorKind;
use crate::ticket::command::{AddComment, CommandName, Visibility};
use crate::ticket::event::Event;
use crate::ticket::rejection::Rejection;
use crate::ticket::state::{Status, TicketState};

pub(super) fn commented(
    ticket: &TicketState,
    comment: &AddComment,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    if comment.visibility == Visibility::Internal && ctx.actor.kind != ActorKind::Staff {
        return Err(Rejection::NotPermitted {
            command: CommandName::Comment,
            who: "internally, only staff",
        });
    }
    let mut events = vec![Event::Commented {
        body: comment.body.clone(),
        visibility: comment.visibility,
    }];
    if resumes(ticket, comment, ctx) {
        events.push(Event::WorkResumed { comment: None });
    }
    Ok(events)
}

fn resumes(ticket: &TicketState, comment: &AddComment, ctx: &Context<'_>) -> bool {
    ctx.policy.reply_resumes
        && comment.visibility == Visibility::Public
        && matches!(ticket.status, Status::WaitingForInfo | Status::WaitingForClosure)
        && ticket.on_requesters_side(ctx.actor)
}

#[cfg(test)]
mod tests {
    use crate::testing::{AGENT, accepted, agent, body, closed, customer, given, info_requested, opened};
    use crate::ticket::{AddComment, Command, CommandName, Event, Rejection, Visibility};

    fn says(visibility: Visibility) -> Command {
        Command::Comment(AddComment {
            body: body("hello"),
            visibility,
        })
    }

    fn said(visibility: Visibility) -> Event {
        Event::Commented {
            body: body("hello"),
            visibility,
        }
    }

    #[test]
    fn a_public_reply_of_the_requester_resumes_a_wait() {
        given([opened(), accepted(AGENT), info_requested()])
            .by(&customer())
            .when(says(Visibility::Public))
            .then([said(Visibility::Public), Event::WorkResumed { comment: None }]);
    }

    #[test]
    fn a_comment_of_staff_leaves_the_wait_alone() {
        given([opened(), accepted(AGENT), info_requested()])
            .by(&agent())
            .when(says(Visibility::Public))
            .then([said(Visibility::Public)]);
    }

    #[test]
    fn a_closed_ticket_takes_comments_and_stays_closed() {
        given([opened(), closed()])
            .by(&customer())
            .when(says(Visibility::Public))
            .then([said(Visibility::Public)]);
    }

    #[test]
    fn customers_write_no_internal_comments() {
        given([opened()])
            .by(&customer())
            .when(says(Visibility::Internal))
            .then_rejected(&Rejection::NotPermitted {
                command: CommandName::Comment,
                who: "internally, only staff",
            });
    }
}
