//! Read models are made from the log, and are made again when they are gone.

use domain::policy::WaitPolicy;
use serde_json::{Value, json};

use crate::desk::{Desk, assert_equal_tables, drop_database, rebuilt};
use crate::people::{AGENT, CUSTOMER};

/// Lives of `tickets` tickets, each ended at another point.
fn lives(prefix: &str, tickets: usize) -> Vec<Value> {
    let steps = [
        ("accept", json!({ "assignee": { "id": AGENT.user, "name": "Ada" } })),
        ("comment", json!({ "body": "hm", "visibility": "internal" })),
        ("request-info", json!({ "comment": "Which version?" })),
        ("resume", json!({})),
        ("classify", json!({ "priority": "critical", "category": "Login" })),
        ("propose-closure", json!({ "solution": "Press F5." })),
        ("close", json!({})),
        ("reopen", json!({ "comment": "It is back." })),
    ];
    let mut lines = Vec::new();
    for n in 0..tickets {
        let create = format!("{prefix}-{n}");
        let body = json!({
            "subject": "Export fails", "description": "It says 500.", "type": "defect",
            "on_behalf_of": { "id": CUSTOMER.user, "organisation": CUSTOMER.organisation },
        });
        lines.push(json!({ "command": "create", "key": create, "body": body }));
        for (step, (command, body)) in steps.iter().take(n % (steps.len() + 1)).enumerate() {
            let (ticket, key) = (format!("${create}"), format!("{create}-{step}"));
            lines.push(json!({ "command": command, "ticket": ticket, "key": key, "body": body }));
        }
    }
    lines
}

async fn live(desk: &Desk, prefix: &str, tickets: usize) {
    for result in desk.api.bulk(&AGENT.token(), &lives(prefix, tickets)).await {
        assert!([json!(200), json!(201)].contains(&result["status"]), "{result}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_dropped_comes_back_as_it_was_while_commands_go_on() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    live(&desk, "before", 200).await;
    desk.caught_up().await;
    let before = desk.tables().await;

    drop_database(&desk.database_url).await;
    desk.caught_up().await;
    assert_equal_tables(&desk.tables().await, &before);

    let ((), ()) = tokio::join!(live(&desk, "during", 200), drop_database(&desk.database_url));
    desk.caught_up().await;
    assert_equal_tables(&desk.tables().await, &rebuilt(&desk.log).await);

    // Nobody had to help: queries are answered again.
    let list = desk
        .api
        .get(&AGENT.token(), "/v1/tickets?count=exact&limit=1")
        .await
        .expect(200);
    assert_eq!(list.body["total"], 400);
}
