//! Working on a ticket: accepting it, waiting for other people's work, going on.

use super::Context;
use crate::ticket::command::{Accept, Await, ProvideInfo, Resume};
use crate::ticket::event::Event;

pub(super) fn accepted(accept: &Accept, ctx: &Context<'_>) -> Vec<Event> {
    vec![Event::Accepted {
        assignee: accept.assignee.unwrap_or(ctx.actor.user),
    }]
}

pub(super) fn information_provided(answer: &ProvideInfo) -> Vec<Event> {
    vec![Event::InformationProvided {
        comment: answer.comment.clone(),
    }]
}

pub(super) fn fix_awaited(command: &Await) -> Vec<Event> {
    vec![Event::FixAwaited {
        comment: command.comment.clone(),
        reference: command.reference.clone(),
    }]
}

pub(super) fn implementation_awaited(command: &Await) -> Vec<Event> {
    vec![Event::ImplementationAwaited {
        comment: command.comment.clone(),
        reference: command.reference.clone(),
    }]
}

pub(super) fn resumed(resume: &Resume) -> Vec<Event> {
    vec![Event::WorkResumed {
        comment: resume.comment.clone(),
    }]
}

#[cfg(test)]
mod tests {
    use crate::testing::{AGENT, COLLEAGUE, CUSTOMER, accepted, agent, body, customer, given, info_requested, opened};
    use crate::ticket::{Accept, Await, Command, CommandName, Event, ProvideInfo, Rejection, Resume, Status};

    #[test]
    fn whoever_accepts_a_ticket_works_on_it() {
        given([opened()])
            .by(&agent())
            .when(Command::Accept(Accept { assignee: None }))
            .then([accepted(AGENT)]);
    }

    #[test]
    fn a_ticket_can_be_accepted_for_somebody_else() {
        given([opened()])
            .by(&agent())
            .when(Command::Accept(Accept {
                assignee: Some(COLLEAGUE),
            }))
            .then([accepted(COLLEAGUE)]);
    }

    #[test]
    fn customers_do_not_accept_tickets() {
        given([opened()])
            .by(&customer())
            .when(Command::Accept(Accept {
                assignee: Some(CUSTOMER),
            }))
            .then_rejected(&Rejection::NotPermitted {
                command: CommandName::Accept,
                who: "only staff",
            });
    }

    #[test]
    fn the_requesters_answer_takes_the_ticket_back_into_work() {
        given([opened(), accepted(AGENT), info_requested()])
            .by(&customer())
            .when(Command::ProvideInfo(ProvideInfo {
                comment: body("version 7"),
            }))
            .then([Event::InformationProvided {
                comment: body("version 7"),
            }]);
    }

    #[test]
    fn only_defects_and_outages_wait_for_a_fix() {
        let await_fix = Command::AwaitFix(Await {
            comment: None,
            reference: None,
        });
        // The sample ticket is a consultation.
        given([opened(), accepted(AGENT)])
            .by(&agent())
            .when(await_fix)
            .then_rejected(&Rejection::WrongType {
                command: CommandName::AwaitFix,
                ticket_type: "consultation".to_owned(),
            });
    }

    #[test]
    fn work_in_progress_is_not_resumed() {
        given([opened(), accepted(AGENT)])
            .by(&agent())
            .when(Command::Resume(Resume { comment: None }))
            .then_rejected(&Rejection::WrongStatus {
                command: CommandName::Resume,
                status: Status::InProgress,
            });
    }
}
