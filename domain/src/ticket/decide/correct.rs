//! Corrections: what sort of ticket it is, whose it is, what it says. What holds already
//! makes no event.

use crate::ticket::command::{Assign, Classify, Edit};
use crate::ticket::event::{Assigned, Classified, Edited, Event};
use crate::ticket::state::TicketState;

pub(super) fn classified(ticket: &TicketState, classify: &Classify) -> Vec<Event> {
    let changes = Classified {
        ticket_type: classify.ticket_type.unless_already(&ticket.ticket_type),
        priority: classify.priority.unless_already(&ticket.priority),
        category: classify.category.unless_already(&ticket.category),
        system: classify.system.unless_already(&ticket.system),
        environment: classify.environment.unless_already(&ticket.environment),
        service: classify.service.unless_already(&ticket.service),
    };
    let corrected = (changes != Classified::default()).then(|| Event::Classified(Box::new(changes)));
    let project = classify.project.unless_already(&ticket.project);
    let moved = project
        .value()
        .map(|project| Event::ProjectChanged { project: *project });
    corrected.into_iter().chain(moved).collect()
}

pub(super) fn assigned(ticket: &TicketState, assign: &Assign) -> Vec<Event> {
    let changes = Assigned {
        assignee: assign.assignee.unless_already(&ticket.assignee),
        group: assign.group.unless_already(&ticket.group),
    };
    if changes == Assigned::default() {
        Vec::new()
    } else {
        vec![Event::Assigned(changes)]
    }
}

pub(super) fn edited(ticket: &TicketState, edit: &Edit) -> Vec<Event> {
    let changes = Edited {
        subject: edit.subject.unless_already(&ticket.subject),
        description: edit.description.unless_already(&ticket.description),
        custom_fields: edit.custom_fields.unless_already(&ticket.custom_fields),
        platform_version: edit.platform_version.unless_already(&ticket.platform_version),
    };
    if changes == Edited::default() {
        Vec::new()
    } else {
        vec![Event::Edited(Box::new(changes))]
    }
}

#[cfg(test)]
mod tests {
    use crate::ids::ProjectId;
    use crate::testing::{AGENT, COLLEAGUE, accepted, agent, closed, customer, given, opened};
    use crate::ticket::{Assign, Assigned, Change, Classify, Command, Event, Rejection};

    fn assign_to_colleague() -> Command {
        Command::Assign(Assign {
            assignee: Change::Set(Some(COLLEAGUE)),
            group: Change::Keep,
        })
    }

    fn assigned_to_colleague() -> Event {
        Event::Assigned(Assigned {
            assignee: Change::Set(Some(COLLEAGUE)),
            group: Change::Keep,
        })
    }

    fn to_project(project: Option<ProjectId>) -> Command {
        Command::Classify(Box::new(Classify {
            project: Change::Set(project),
            ..Classify::default()
        }))
    }

    #[test]
    fn a_ticket_is_in_one_project_or_in_none() {
        let [one, other] = [1, 2].map(|byte| Some(ProjectId::from_bytes([byte; 16])));
        let moved = |project| Event::ProjectChanged { project };
        let given_one = || given([opened(), moved(one)]).by(&agent());
        given([opened()]).by(&agent()).when(to_project(one)).then([moved(one)]);
        given_one().when(to_project(one)).then([]);
        given_one().when(to_project(other)).then([moved(other)]);
        given_one().when(to_project(None)).then([moved(None)]);
        let refused = given([opened()]).by(&customer()).when(to_project(one));
        refused.then_rejected(&Rejection::NotPermitted {
            command: to_project(one).name(),
            who: "only staff",
        });
    }

    #[test]
    fn an_open_ticket_goes_to_the_named_person() {
        given([opened(), accepted(AGENT)])
            .by(&agent())
            .when(assign_to_colleague())
            .then([assigned_to_colleague()]);
    }

    #[test]
    fn assigning_the_current_assignee_again_changes_nothing() {
        given([opened(), accepted(AGENT), assigned_to_colleague()])
            .by(&agent())
            .when(assign_to_colleague())
            .then([]);
    }

    #[test]
    fn a_closed_ticket_is_not_assigned() {
        given([opened(), closed()])
            .by(&agent())
            .when(assign_to_colleague())
            .then_rejected(&Rejection::Closed);
    }
}
