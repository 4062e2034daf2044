//! What the timeline shows of an event beside its name and its actor.

use domain::ids::{GroupId, ProjectId, UserId};
use domain::text::Label;
use domain::ticket::{Assigned, Change, Classified, Created, Edited, Event, TicketState, Wait};
use serde_json::{Map, Value, json};

use super::clock_details::of_clock;
use super::ticket::custom_fields_json;

/// The event's own fields, named as in the command that made it. A correction shows what was
/// there before and after, which is why it needs the ticket before it.
pub(super) fn details(event: &Event, before: Option<&TicketState>) -> Value {
    let mut details = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            details.insert(name.to_owned(), value);
        }
    };
    match event {
        Event::Created(created) => return of_created(created),
        Event::Accepted { assignee } => {
            put(
                "assignee",
                Some(change(
                    before.and_then(|before| before.assignee.map(user)),
                    user(*assignee),
                )),
            );
        }
        Event::InformationRequested { comment, wait } => {
            put("comment", Some(comment.as_str().into()));
            put("wait", wait.as_ref().map(of_wait));
        }
        Event::InformationProvided { comment } | Event::ClosureDeclined { comment } | Event::Reopened { comment } => {
            put("comment", Some(comment.as_str().into()));
        }
        Event::FixAwaited { comment, reference } | Event::ImplementationAwaited { comment, reference } => {
            put("comment", comment.as_ref().map(|comment| comment.as_str().into()));
            put(
                "reference",
                reference.as_ref().map(|reference| reference.as_str().into()),
            );
        }
        Event::WorkResumed { comment } => put("comment", comment.as_ref().map(|comment| comment.as_str().into())),
        Event::ClosureProposed { solution, wait } => {
            put("solution", Some(solution.as_str().into()));
            put("wait", wait.as_ref().map(of_wait));
        }
        Event::Closed { comment, reason } => {
            put("comment", comment.as_ref().map(|comment| comment.as_str().into()));
            put("reason", reason.as_ref().map(|reason| reason.as_str().into()));
        }
        Event::Rated { score, comment } => {
            put("score", Some((*score).into()));
            put("comment", comment.as_ref().map(|comment| comment.as_str().into()));
        }
        Event::Commented { body, visibility } => {
            put("body", Some(body.as_str().into()));
            put("visibility", Some(visibility.as_str().into()));
        }
        Event::Classified(changes) => return of_classified(changes, before),
        Event::Assigned(changes) => return of_assigned(changes, before),
        Event::Edited(changes) => return of_edited(changes, before),
        Event::Followed { user: who } | Event::Unfollowed { user: who } => put("user", Some(user(*who))),
        Event::ProjectChanged { project } => {
            let id = |project: ProjectId| Value::from(project.to_string());
            let from = before.and_then(|before| before.project.map(id));
            put("project", Some(change(from, project.map(id).unwrap_or_default())));
        }
        Event::InformationWaitExpired { wait } => put("wait", wait.as_ref().map(of_wait)),
        Event::ClosureWaitExpired => {}
        Event::Sla(event) => return of_clock(event),
    }
    Value::Object(details)
}

/// The description is left out: it is the ticket's own, and an edit shows what it was before.
fn of_created(created: &Created) -> Value {
    json!({
        "number": created.number.0,
        "subject": created.subject.as_str(),
        "type": created.ticket_type.code.as_str(),
        "priority": created.priority.code.as_str(),
    })
}

fn of_wait(wait: &Wait) -> Value {
    json!({ "number": wait.number, "due_at": wait.due_at.to_string(), "policy": wait.policy.as_str() })
}

fn of_classified(changes: &Classified, before: Option<&TicketState>) -> Value {
    let Classified {
        ticket_type,
        priority,
        category,
        system,
        environment,
        service,
        product,
    } = changes;
    let mut differences = Differences::default();
    differences.add("type", ticket_type, before.map(|t| &t.ticket_type), |it| {
        it.code.as_str().into()
    });
    differences.add("priority", priority, before.map(|t| &t.priority), |it| {
        it.code.as_str().into()
    });
    differences.add("category", category, before.map(|t| &t.category), label);
    differences.add("system", system, before.map(|t| &t.system), label);
    differences.add("environment", environment, before.map(|t| &t.environment), label);
    differences.add("service", service, before.map(|t| &t.service), label);
    differences.add("product", product, before.map(|t| &t.product), label);
    Value::Object(differences.0)
}

fn of_assigned(changes: &Assigned, before: Option<&TicketState>) -> Value {
    let Assigned { assignee, group: team } = changes;
    let mut differences = Differences::default();
    differences.add("assignee", assignee, before.map(|t| &t.assignee), |it| {
        it.map_or(Value::Null, user)
    });
    differences.add("group", team, before.map(|t| &t.group), |it| {
        it.map_or(Value::Null, group)
    });
    Value::Object(differences.0)
}

fn of_edited(changes: &Edited, before: Option<&TicketState>) -> Value {
    let Edited {
        subject,
        description,
        custom_fields,
        platform_version,
    } = changes;
    let mut differences = Differences::default();
    differences.add("subject", subject, before.map(|t| &t.subject), |it| it.as_str().into());
    differences.add("description", description, before.map(|t| &t.description), |it| {
        it.as_str().into()
    });
    differences.add(
        "custom_fields",
        custom_fields,
        before.map(|t| &t.custom_fields),
        custom_fields_json,
    );
    differences.add(
        "platform_version",
        platform_version,
        before.map(|t| &t.platform_version),
        label,
    );
    Value::Object(differences.0)
}

#[derive(Default)]
struct Differences(Map<String, Value>);

impl Differences {
    fn add<T>(&mut self, name: &str, to: &Change<T>, from: Option<&T>, as_json: impl Fn(&T) -> Value) {
        if let Some(to) = to.value() {
            self.0.insert(name.to_owned(), change(from.map(&as_json), as_json(to)));
        }
    }
}

fn change(from: Option<Value>, to: Value) -> Value {
    Value::Object(Map::from_iter([
        ("from".to_owned(), from.unwrap_or_default()),
        ("to".to_owned(), to),
    ]))
}

#[expect(
    clippy::ref_option,
    reason = "handed to `Differences::add`, which lends what it holds"
)]
fn label(label: &Option<Label>) -> Value {
    label.as_ref().map(Label::as_str).into()
}

fn user(user: UserId) -> Value {
    user.to_string().into()
}

fn group(group: GroupId) -> Value {
    group.to_string().into()
}
