//! One ticket and its timeline.

use std::collections::BTreeSet;

use domain::actor::Actor;
use domain::directory::EntryKind;
use domain::testing::{AGENT, CUSTOMER, agent, customer};
use domain::text::Label;
use domain::ticket::CommandName;
use serde_json::{Value, json};
use test_harness::wait_until;

use crate::desk::{Desk, LIMIT, names, ticket};

async fn name(desk: &Desk, token: &str, user: domain::ids::UserId, label: &str) {
    let text = Label::parse(label).unwrap();
    desk.log
        .directory()
        .name(EntryKind::User, user.as_uuid(), &text, &Actor::system())
        .await
        .unwrap();
    wait_until("the name", LIMIT, || async {
        let answer = desk.get(token, "/v1/tickets/3").await;
        answer.body.to_string().contains(label)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_says_everything_about_itself() {
    let desk = Desk::start().await;
    let (staff, requester) = (desk.token(&agent()).await, desk.token(&customer()).await);
    // Ticket 3 waits for information.
    desk.lives(3, 4).await;
    name(&desk, &staff, AGENT, "Ada Lovelace").await;
    let answer = desk.get(&staff, "/v1/tickets/3").await;
    assert_eq!(answer.header("etag"), "\"4\"");
    assert_eq!(answer.body["status"], "waiting_for_info");
    assert_eq!(answer.body["type"], "consultation");
    assert_eq!(
        answer.body["assignee"],
        json!({ "id": AGENT.to_string(), "name": "Ada Lovelace" })
    );
    assert_eq!(
        answer.body["requester"],
        json!({ "id": CUSTOMER.to_string(), "name": null })
    );
    assert_eq!(
        answer.body["followers"],
        json!([{ "id": CUSTOMER.to_string(), "name": null }])
    );
    assert_eq!(answer.body["description"], "I cannot find the button.");
    assert_eq!(answer.body["custom_fields"], json!({}));
    let sla = &answer.body["sla"];
    assert_eq!(
        (&sla["wait"], &sla["number"], &sla["policy"]),
        (&json!("information"), &json!(1), &json!("test/1"))
    );
    assert_eq!(sla["due_at"], answer.body["due_at"]);
    assert_eq!(answer.body["overdue"], false);

    let by_id = desk.get(&staff, &format!("/v1/tickets/{}", ticket(3))).await;
    assert_eq!(by_id.body, answer.body);

    let allowed = |answer: &Value| -> BTreeSet<String> {
        answer["allowed_commands"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let theirs = desk.get(&requester, "/v1/tickets/3").await;
    let expected = names(&[
        CommandName::ProvideInfo,
        CommandName::Comment,
        CommandName::Edit,
        CommandName::Follow,
        CommandName::Unfollow,
    ]);
    assert_eq!(allowed(&theirs.body), expected.into_iter().map(str::to_owned).collect());
    assert!(allowed(&answer.body).contains("resume"));
    desk.get(&staff, "/v1/tickets/3?at=2020-01-01")
        .await
        .assert_problem(400, "malformed-request");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_hides_internal_comments_from_customers() {
    let desk = Desk::start().await;
    let (staff, requester) = (desk.token(&agent()).await, desk.token(&customer()).await);
    desk.lives(3, 4).await;
    name(&desk, &staff, AGENT, "Ada Lovelace").await;
    let events = desk.get(&staff, "/v1/tickets/3/timeline").await;
    assert_eq!(
        events.column("event"),
        ["created", "accepted", "commented", "information_requested"]
    );
    assert_eq!(
        events.column("status"),
        ["new", "in_progress", "in_progress", "waiting_for_info"]
    );
    let accepted = &events.body["items"][1];
    assert_eq!(
        accepted["actor"],
        json!({ "id": AGENT.to_string(), "name": "Ada Lovelace", "kind": "staff" })
    );
    assert_eq!(
        accepted["details"],
        json!({ "assignee": { "from": null, "to": { "id": AGENT.to_string(), "name": "Ada Lovelace" } } })
    );
    assert_eq!(events.body["items"][2]["visibility"], "internal");

    let events = desk.get(&requester, "/v1/tickets/3/timeline").await;
    assert_eq!(events.column("event"), ["created", "accepted", "information_requested"]);
    assert!(!events.body.to_string().contains("hm"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_comes_in_pages() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    // Ticket 6 is closed: a record with two events stands in its middle.
    desk.lives(6, 7).await;
    let whole = wait_until("the last event", LIMIT, || async {
        let events = desk.get(&token, "/v1/tickets/6/timeline").await;
        events.body.to_string().contains("\"closed\"").then_some(events)
    })
    .await;
    let mut pieces = Vec::new();
    let mut path = "/v1/tickets/6/timeline?limit=1".to_owned();
    loop {
        let page = desk.get(&token, &path).await;
        pieces.extend(page.column("event"));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        path = format!("/v1/tickets/6/timeline?limit=1&cursor={cursor}");
    }
    assert_eq!(pieces, whole.column("event"));
    assert_eq!(pieces.len(), 8);
}
