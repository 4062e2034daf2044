//! Read models are made from the log, and are made again when they are gone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::policy::WaitPolicy;
use projector::{Operator, Progress};
use serde_json::{Value, json};

use crate::desk::{Desk, assert_equal_tables, drop_database, rebuilt};
use crate::http::Api;
use crate::people::{AGENT, CUSTOMER};

/// Rebuilds and switches that readers live through in one test.
const REBUILDS: usize = 3;

/// Tickets that are made during each rebuild, with four commands each on average.
const WRITTEN_MEANWHILE: usize = 150;

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

/// Every ticket's number, page by page.
async fn walk(api: &Api) -> BTreeSet<u64> {
    let (mut numbers, mut path) = (BTreeSet::new(), "/v1/tickets?limit=50&sort=number".to_owned());
    loop {
        let page = api.get(&AGENT.token(), &path).await.expect(200);
        for item in page.items() {
            let number = item["number"].as_u64().unwrap();
            assert!(numbers.insert(number), "ticket {number} is on two pages");
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            return numbers;
        };
        path = format!("/v1/tickets?limit=50&sort=number&cursor={cursor}");
    }
}

/// The ids of the feed's events after a position, to their present end, and the position there.
async fn feed(api: &Api, after: &str) -> (Vec<String>, String) {
    let (mut ids, mut after) = (Vec::new(), after.to_owned());
    loop {
        let path = format!("/v1/events?limit=100&after={after}");
        let page = api.get(&AGENT.token(), &path).await.expect(200);
        ids.extend(page.column("id").into_iter().map(str::to_owned));
        page.body["position"].as_str().unwrap().clone_into(&mut after);
        if page.body["next_cursor"].is_null() {
            return (ids, after);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_notice_nothing_of_a_rebuild() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    live(&desk, "before", 200).await;
    desk.caught_up().await;
    let there = walk(&desk.api).await;
    assert_eq!(there.len(), 200);

    let rebuilt = AtomicBool::new(false);
    let lists = async {
        let mut walks = 0;
        while !rebuilt.load(Ordering::SeqCst) {
            let seen = walk(&desk.api).await;
            let missing: Vec<&u64> = there.difference(&seen).collect();
            assert!(missing.is_empty(), "not in the list: {missing:?}");
            walks += 1;
        }
        walks
    };
    let follower = async {
        let (mut seen, mut after) = (Vec::new(), String::new());
        while !rebuilt.load(Ordering::SeqCst) {
            let (ids, position) = feed(&desk.api, &after).await;
            seen.extend(ids);
            after = position;
        }
        (seen, after)
    };
    let operator = async {
        let calendar = WaitPolicy::supportal().calendar;
        let operator = Operator::new(desk.log.clone(), &desk.database_url, calendar).unwrap();
        for round in 0..REBUILDS {
            let (progress, prefix) = (Arc::new(Progress::default()), format!("round-{round}"));
            // Commands go on while the log is read, while the new generation follows, and while readers switch.
            let (rebuilt, ()) = tokio::join!(
                operator.rebuild("tickets", None, &progress),
                live(&desk, &prefix, WRITTEN_MEANWHILE)
            );
            rebuilt.unwrap();
            operator.rebuild("directory", None, &progress).await.unwrap();
            operator.switch("tickets", None).await.unwrap();
        }
        rebuilt.store(true, Ordering::SeqCst);
    };
    let (walks, (mut seen, after), ()) = tokio::join!(lists, follower, operator);
    assert!(walks > REBUILDS, "the list was read only {walks} times");

    desk.caught_up().await;
    assert_eq!(walk(&desk.api).await.len(), 200 + REBUILDS * WRITTEN_MEANWHILE);
    seen.extend(feed(&desk.api, &after).await.0);
    let (mut whole, _) = feed(&desk.api, "").await;
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "an event came twice");
    whole.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, whole);
}
