//! Corrections: what sort of ticket it is, whose it is, what it says. What holds already
//! makes no event.

use super::Context;
use crate::actor::Actor;
use crate::portal::Property;
use crate::ticket::command::{Assign, Change, Classify, CustomFields, Edit};
use crate::ticket::event::{Assigned, Classified, Edited, Event};
use crate::ticket::rejection::Rejection;
use crate::ticket::state::TicketState;

pub(super) fn classified(ticket: &TicketState, classify: &Classify, actor: &Actor) -> Result<Vec<Event>, Rejection> {
    let changes = Classified {
        ticket_type: classify.ticket_type.unless_already(&ticket.ticket_type),
        priority: classify.priority.unless_already(&ticket.priority),
        category: classify.category.unless_already(&ticket.category),
        system: classify.system.unless_already(&ticket.system),
        environment: classify.environment.unless_already(&ticket.environment),
        service: classify.service.unless_already(&ticket.service),
        product: classify.product.unless_already(&ticket.product),
    };
    let project = classify.project.unless_already(&ticket.project);
    refuse(
        actor,
        [
            Wish::of(Property::Type, &classify.ticket_type, &changes.ticket_type),
            Wish::of(Property::Priority, &classify.priority, &changes.priority),
            Wish::of(Property::Category, &classify.category, &changes.category),
            Wish::of(Property::System, &classify.system, &changes.system),
            Wish::of(Property::Environment, &classify.environment, &changes.environment),
            Wish::of(Property::Service, &classify.service, &changes.service),
            Wish::of(Property::Product, &classify.product, &changes.product),
            Wish::of(Property::Project, &classify.project, &project),
        ],
        Vec::new(),
    )?;
    let corrected = (changes != Classified::default()).then(|| Event::Classified(Box::new(changes)));
    let moved = project
        .value()
        .map(|project| Event::ProjectChanged { project: *project });
    Ok(corrected.into_iter().chain(moved).collect())
}

/// What a command says of a property.
struct Wish {
    property: Property,
    /// Whether it says anything.
    names: bool,
    /// Whether that is not so already.
    changes: bool,
}

impl Wish {
    fn of<T>(property: Property, wanted: &Change<T>, change: &Change<T>) -> Self {
        Self {
            property,
            names: wanted.value().is_some(),
            changes: change.value().is_some(),
        }
    }
}

/// Refuses what the portal of the actor does not let them change, and what was refused of custom fields.
fn refuse<const N: usize>(actor: &Actor, wishes: [Wish; N], mut refused: Vec<Property>) -> Result<(), Rejection> {
    if let Some(portal) = &actor.portal {
        // What is not shown may not be named, not even rightly: who guessed would learn it.
        let wrong = wishes.into_iter().filter(|wish| {
            !portal.lets_edit(&wish.property) && (wish.changes || (wish.names && !portal.shows(&wish.property)))
        });
        refused.extend(wrong.map(|wish| wish.property));
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Rejection::NotEditable(refused))
    }
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

pub(super) fn edited(ticket: &TicketState, edit: &Edit, ctx: &Context<'_>) -> Result<Vec<Event>, Rejection> {
    let (custom_fields, refused) = match settled(edit, ticket, ctx.actor) {
        Ok(custom_fields) => (custom_fields, Vec::new()),
        Err(refused) => (Change::Keep, refused),
    };
    let changes = Edited {
        subject: edit.subject.unless_already(&ticket.subject),
        description: edit.description.unless_already(&ticket.description),
        custom_fields: custom_fields.unless_already(&ticket.custom_fields),
        platform_version: edit.platform_version.unless_already(&ticket.platform_version),
    };
    let wishes = [
        Wish::of(Property::Subject, &edit.subject, &changes.subject),
        Wish::of(Property::Description, &edit.description, &changes.description),
        Wish::of(
            Property::PlatformVersion,
            &edit.platform_version,
            &changes.platform_version,
        ),
    ];
    refuse(ctx.actor, wishes, refused)?;
    if changes == Edited::default() {
        return Ok(Vec::new());
    }
    Ok(vec![Event::Edited(Box::new(changes))])
}

/// The change that an edit makes to the custom fields, with those that `actor` may not change as they are; or those that it
/// names and `actor` may not change.
pub(crate) fn settled(edit: &Edit, ticket: &TicketState, actor: &Actor) -> Result<Change<CustomFields>, Vec<Property>> {
    match (&edit.custom_fields, &actor.portal) {
        (Change::Set(wanted), Some(portal)) => portal.custom_fields(&ticket.custom_fields, wanted).map(Change::Set),
        (change, _) => Ok(change.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::actor::Actor;
    use crate::catalogue::Priority;
    use crate::ids::ProjectId;
    use crate::portal::{Property, Showing};
    use crate::testing::{AGENT, COLLEAGUE, accepted, agent, closed, customer, given, opened};
    use crate::text::{Code, Label, Subject};
    use crate::ticket::{
        Assign, Assigned, Change, Classified, Classify, Command, CommandName, Edit, Edited, Event, Rejection,
    };

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

    /// A customer whose portal lets them change these properties, and shows these.
    fn through_a_portal(editable: &[Property], visible: &[Property]) -> Actor {
        let set = |properties: &[Property]| Some(properties.iter().cloned().collect());
        let showing = Showing {
            editable: set(editable),
            visible: set(visible),
            ..Showing::EVERYTHING
        };
        Actor {
            portal: Some(Arc::new(showing)),
            ..customer()
        }
    }

    fn edit(subject: Option<&str>, platform_version: Option<&str>) -> Command {
        let version = platform_version.map(|version| Some(Label::parse(version).unwrap()));
        Command::Edit(Box::new(Edit {
            subject: subject.map(|subject| Subject::parse(subject).unwrap()).into(),
            platform_version: version.into(),
            ..Edit::default()
        }))
    }

    fn edited(subject: Option<&str>, platform_version: Option<&str>) -> Event {
        let Command::Edit(edit) = edit(subject, platform_version) else {
            panic!("it edits")
        };
        Event::Edited(Box::new(Edited {
            subject: edit.subject,
            platform_version: edit.platform_version,
            ..Edited::default()
        }))
    }

    #[test]
    fn a_customer_changes_what_their_portal_lets_them_change() {
        let wish = || edit(Some("Plotter burns"), Some("3"));
        let both = || edited(Some("Plotter burns"), Some("3"));
        given([opened()]).by(&customer()).when(wish()).then([both()]);
        let subject = through_a_portal(&[Property::Subject], &[Property::PlatformVersion]);
        let refused = Rejection::NotEditable(vec![Property::PlatformVersion]);
        given([opened()]).by(&subject).when(wish()).then_rejected(&refused);
        let shown = edit(Some("Plotter"), Some("3"));
        given([opened(), both()])
            .by(&subject)
            .when(shown)
            .then([edited(Some("Plotter"), None)]);
        // Who named it rightly would learn what it is.
        let hidden = through_a_portal(&[Property::Subject], &[]);
        let named = || edit(None, Some("3"));
        given([opened(), both()])
            .by(&hidden)
            .when(named())
            .then_rejected(&refused);
        given([opened(), both()]).by(&subject).when(named()).then([]);
    }

    #[test]
    fn a_customer_classifies_as_far_as_their_portal_lets_them() {
        let urgent = || Priority {
            code: Code::new("critical"),
            rank: 3,
        };
        let wish = |system: Option<&str>| {
            Command::Classify(Box::new(Classify {
                priority: Change::Set(urgent()),
                system: system.map(|system| Some(Label::parse(system).unwrap())).into(),
                ..Classify::default()
            }))
        };
        let raised = Event::Classified(Box::new(Classified {
            priority: Change::Set(urgent()),
            ..Classified::default()
        }));
        let only_staff = Rejection::NotPermitted {
            command: CommandName::Classify,
            who: "only staff",
        };
        // A portal that says nothing of it, and one that lets them edit alone.
        let silent = Actor {
            portal: Some(Arc::new(Showing::EVERYTHING)),
            ..customer()
        };
        let all = [Property::Priority, Property::System];
        for refused in [customer(), silent, through_a_portal(&[Property::Subject], &all)] {
            given([opened()])
                .by(&refused)
                .when(wish(None))
                .then_rejected(&only_staff);
        }
        let priority = through_a_portal(&[Property::Priority], &all);
        given([opened()]).by(&priority).when(wish(None)).then([raised.clone()]);
        let not_the_system = Rejection::NotEditable(vec![Property::System]);
        given([opened()])
            .by(&priority)
            .when(wish(Some("crm")))
            .then_rejected(&not_the_system);
        // What is as it was is no change, unless it is hidden: who named it rightly would learn it.
        given([opened()])
            .by(&priority)
            .when(wish(Some("billing")))
            .then([raised]);
        let hidden = through_a_portal(&[Property::Priority], &[Property::Priority]);
        given([opened()])
            .by(&hidden)
            .when(wish(Some("billing")))
            .then_rejected(&not_the_system);
        // Such a portal lets them classify and not edit, and only what is theirs.
        given([opened()])
            .by(&priority)
            .when(edit(Some("Plotter"), None))
            .then_rejected(&Rejection::NotPermitted {
                command: CommandName::Edit,
                who: "as your portal has it, only staff",
            });
        let stranger = Actor {
            user: AGENT,
            organisation: None,
            ..priority
        };
        given([opened()])
            .by(&stranger)
            .when(wish(None))
            .then_rejected(&Rejection::Absent);
    }

    #[test]
    fn a_customer_who_may_change_nothing_may_not_edit() {
        let nothing = through_a_portal(&[], &[]);
        let refused = given([opened()]).by(&nothing).when(edit(Some("Plotter"), None));
        refused.then_rejected(&Rejection::NotPermitted {
            command: CommandName::Edit,
            who: "as your portal has it, only staff",
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
