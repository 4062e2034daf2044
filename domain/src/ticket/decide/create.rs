//! Opening a ticket.

use super::Context;
use crate::actor::ActorKind;
use crate::ids::ProjectId;
use crate::ticket::event::{Created, Event};
use crate::ticket::rejection::Rejection;

/// Customers open tickets in the projects that they follow: of no other do they know that it is there.
pub(super) fn created(
    created: &Created,
    project: Option<ProjectId>,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let unknown = |project: &ProjectId| match ctx.actor.kind {
        ActorKind::Customer => !ctx.actor.projects.contains(project),
        ActorKind::Staff | ActorKind::System => false,
    };
    if project.as_ref().is_some_and(unknown) {
        return Err(Rejection::NoProject);
    }
    let placed = project.map(|project| Event::ProjectChanged { project: Some(project) });
    Ok([Event::Created(Box::new(created.clone()))]
        .into_iter()
        .chain(placed)
        .collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::actor::Actor;
    use crate::ids::ProjectId;
    use crate::testing::{agent, create, customer, given, opened};
    use crate::ticket::{Command, Event, Rejection};

    const PROJECT: ProjectId = ProjectId::from_bytes([8; 16]);

    fn create_in_project() -> Command {
        let Command::Create(sample, _) = create() else {
            panic!("the sample is a creation")
        };
        Command::Create(sample, Some(PROJECT))
    }

    #[test]
    fn a_new_ticket_records_what_its_author_said() {
        given([]).when(create()).then([opened()]);
    }

    #[test]
    fn a_ticket_is_opened_once() {
        given([opened()])
            .when(create())
            .then_rejected(&Rejection::AlreadyCreated);
    }

    #[test]
    fn a_ticket_is_opened_in_a_project_by_staff_and_by_those_who_follow_it() {
        let in_project = || [opened(), Event::ProjectChanged { project: Some(PROJECT) }];
        given([]).by(&agent()).when(create_in_project()).then(in_project());
        let follower = Actor {
            projects: BTreeSet::from([PROJECT]),
            ..customer()
        };
        given([]).by(&follower).when(create_in_project()).then(in_project());
        given([]).when(create_in_project()).then_rejected(&Rejection::NoProject);
    }
}
