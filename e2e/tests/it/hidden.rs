//! What a portal hides is in no answer, wherever tickets are shown.

use std::collections::BTreeSet;

use domain::policy::WaitPolicy;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::people::{AGENT, CUSTOMER, Person};
use crate::portals::{others, rich};

/// A property; the members of answers, and the events, that are about it; and what else nobody can ask by it.
struct Hidable {
    property: &'static str,
    members: &'static [&'static str],
    events: &'static [&'static str],
    questions: &'static [&'static str],
}

const fn hidable(
    property: &'static str,
    members: &'static [&'static str],
    events: &'static [&'static str],
    questions: &'static [&'static str],
) -> Hidable {
    Hidable {
        property,
        members,
        events,
        questions,
    }
}

const HIDABLE: [Hidable; 14] = [
    hidable(
        "priority",
        &["priority", "by_priority", "high"],
        &[],
        &[
            "tickets?priority=low",
            "tickets?sort=priority",
            "tickets?fields=priority",
            "dashboard?group_by=priority",
        ],
    ),
    hidable(
        "category",
        &["category"],
        &[],
        &["tickets?category=Printing", "tickets/export?format=csv&fields=category"],
    ),
    hidable("system", &["system"], &[], &["tickets?system=mail"]),
    hidable("environment", &["environment"], &[], &["tickets?environment=test"]),
    hidable("service", &["service"], &[], &["tickets?service=Printers"]),
    hidable("product", &["product"], &[], &["tickets?product=Plotter"]),
    hidable(
        "platform_version",
        &["platform_version"],
        &[],
        &["tickets?platform_version=2.4"],
    ),
    hidable(
        "group",
        &["group", "by_group"],
        &[],
        &["tickets?view=group", "dashboard?group_by=group"],
    ),
    hidable(
        "assignee",
        &["assignee", "by_assignee"],
        &[],
        &["tickets?assignee=none", "tickets?view=assigned"],
    ),
    hidable(
        "project",
        &["project"],
        &["project_changed"],
        &[
            "tickets?project=none",
            "tickets?view=projects",
            "dashboard?group_by=project",
        ],
    ),
    hidable("followers", &["followers", "user"], &["followed"], &[]),
    hidable(
        "due_at",
        &["due_at", "overdue", "sla", "wait", "policy"],
        &[],
        &[
            "tickets?overdue=false",
            "tickets?due_to=2027-01-01T00:00:00Z",
            "tickets?sort=-due_at",
        ],
    ),
    hidable(
        "rating",
        &["rating", "ratings", "score", "average", "by_score", "4"],
        &["rated"],
        &["tickets?rating_from=1"],
    ),
    hidable("custom_fields.Room", &["Room", "custom_fields"], &[], &[]),
];

/// The names of all members of some JSON, and of all events that it tells of.
fn said(value: &Value, said_so_far: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                said_so_far.insert(name.clone());
                if let ("event" | "type", Some(event)) = (name.as_str(), value.as_str()) {
                    let event = event.strip_prefix("recourse.ticket.").unwrap_or(event);
                    said_so_far.insert(event.trim_end_matches(".v1").to_owned());
                }
                said(value, said_so_far);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| said(item, said_so_far)),
        _ => {}
    }
}

/// All that a person's answers about a ticket say.
pub(crate) async fn told(desk: &Desk, person: Person, ticket: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for path in [
        "tickets",
        "tickets?as_of=2026-03-02T09:00:00Z",
        &format!("tickets/{ticket}"),
        &format!("tickets/{ticket}/timeline?limit=100"),
        "tickets?q=plotter",
        "tickets/export?format=ndjson",
        "dashboard",
        "dashboard?group_by=type",
        "dashboard?group_by=month",
        "events?limit=1000",
    ] {
        let answer = desk.api.get(&person.token(), &format!("/v1/{path}")).await.expect(200);
        said(&answer.body, &mut all);
    }
    let csv = desk.api.get(&person.token(), "/v1/tickets/export?format=csv").await;
    let columns = csv
        .body
        .as_str()
        .unwrap_or_default()
        .lines()
        .take(1)
        .flat_map(|line| line.split(','));
    let property = |column: &str| column.trim_end_matches("_id").trim_end_matches("_name").to_owned();
    all.extend(columns.map(property));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_property_is_in_no_answer_and_nobody_can_ask_by_it() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = rich(&desk).await;
    let everything: Vec<&str> = HIDABLE.iter().map(|hidable| hidable.property).collect();
    let without_portal = told(&desk, CUSTOMER, &ticket).await;
    for Hidable {
        property,
        members,
        events,
        questions,
    } in &HIDABLE
    {
        let visible: Vec<&&str> = everything.iter().filter(|other| *other != property).collect();
        others(&desk, json!({ "visible": visible })).await;
        let told_now = told(&desk, CUSTOMER, &ticket).await;
        for name in members.iter().chain(*events) {
            assert!(without_portal.contains(*name), "{property}: {name} is never said");
            assert!(!told_now.contains(*name), "{property}: {name} is said");
        }
        let hidden: BTreeSet<&str> = members.iter().chain(*events).copied().collect();
        // No portal here names this field.
        let others = without_portal
            .iter()
            .filter(|name| *name != "Floor" && !hidden.contains(name.as_str()));
        for name in others {
            assert!(told_now.contains(name), "{property}: {name} is hidden as well");
        }
        for question in *questions {
            let refused = desk.api.get(&CUSTOMER.token(), &format!("/v1/{question}")).await;
            assert!(
                [400, 403, 422].contains(&refused.status),
                "{question}: {}",
                refused.status
            );
        }
        assert!(
            told(&desk, AGENT, &ticket).await.is_superset(&without_portal),
            "staff see everything"
        );
    }
    others(&desk, json!({ "visible": [] })).await;
    let least = told(&desk, CUSTOMER, &ticket).await;
    assert!(!least.contains("custom_fields") && !least.contains("Floor"));
    let whole = desk
        .api
        .get(&CUSTOMER.token(), &format!("/v1/tickets/{ticket}"))
        .await
        .expect(200);
    let members: BTreeSet<&str> = whole.body.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "id",
        "number",
        "subject",
        "status",
        "type",
        "requester",
        "organisation",
        "created_at",
        "updated_at",
        "revision",
        "description",
        "closed_at",
        "allowed_commands",
    ];
    assert_eq!(members, BTreeSet::from(expected));
}
