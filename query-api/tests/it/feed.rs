//! `GET /v1/events` in pages: order, positions, who sees what.

use std::collections::{BTreeMap, BTreeSet};

use domain::testing::{AGENT, agent, customer};
use domain::ticket::{Command, CommandName};
use serde_json::{Value, json};

use crate::desk::{Desk, stranger, ticket};
use crate::schema::assert_valid;
use crate::whole_life::every_event;

/// All pages from a position on, and where the reader stands then.
async fn pages(desk: &Desk, token: &str, query: &str, after: &str) -> (Vec<Value>, String) {
    let mut events = Vec::new();
    let mut after = after.to_owned();
    loop {
        let path = format!("/v1/events?{query}&after={after}");
        let page = desk.get(token, &path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert_eq!(page.header("content-type"), "application/json");
        events.extend(page.body["items"].as_array().unwrap().clone());
        page.body["position"].as_str().unwrap().clone_into(&mut after);
        match page.body["next_cursor"].as_str() {
            Some(next) => {
                assert_eq!(next, after);
                assert!(page.header("link").ends_with("; rel=\"next\""), "{:?}", page.headers);
            }
            None => return (events, after),
        }
    }
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["id"].as_str().unwrap()).collect()
}

/// Partition, sequence and place.
fn place(event: &Value) -> [u64; 3] {
    let parts: Vec<u64> = event["id"]
        .as_str()
        .unwrap()
        .split(':')
        .map(|part| part.parse().unwrap())
        .collect();
    parts.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_comes_once_in_the_order_of_the_log_whatever_the_pages() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.lives(1, 13).await;
    let settled = desk.get(&token, "/v1/events?limit=1000").await;
    assert_eq!(settled.body["next_cursor"], Value::Null);
    assert_eq!(settled.body["position"], settled.header("read-position"));
    let (all, end) = pages(&desk, &token, "limit=1000", "").await;

    let mut expected = BTreeSet::new();
    for n in 1..13 {
        let timeline = desk.get(&token, &format!("/v1/tickets/{n}/timeline?limit=200")).await;
        for (revision, event) in timeline.column("revision").into_iter().zip(timeline.column("event")) {
            expected.insert((n, revision.as_i64().unwrap(), event.as_str().unwrap().to_owned()));
        }
    }
    let got: BTreeSet<(u64, i64, String)> = all
        .iter()
        .map(|event| {
            let kind = event["type"].as_str().unwrap();
            let name = kind
                .strip_prefix("recourse.ticket.")
                .unwrap()
                .strip_suffix(".v1")
                .unwrap();
            let number = event["data"]["ticket"]["number"].as_u64().unwrap();
            (number, event["ticketrevision"].as_i64().unwrap(), name.to_owned())
        })
        .collect();
    assert_eq!(got, expected);
    assert_eq!(all.len(), expected.len());

    let mut last: BTreeMap<u64, [u64; 3]> = BTreeMap::new();
    for event in &all {
        let place = place(event);
        assert!(
            last.insert(place[0], place).is_none_or(|before| before < place),
            "{event}"
        );
    }
    assert!(
        all.iter().any(|event| place(event)[2] > 0),
        "a record with two events is among them"
    );

    for limit in [1, 2, 7] {
        let (pieces, its_end) = pages(&desk, &token, &format!("limit={limit}"), "").await;
        assert_eq!(ids(&pieces), ids(&all), "limit {limit}");
        assert_eq!(its_end, end);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_every_position_exactly_the_rest_comes() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.lives(1, 8).await;
    desk.get(&token, "/v1/events").await;
    let (all, end) = pages(&desk, &token, "limit=1000", "").await;
    let mut after = String::new();
    for passed in 0..all.len() {
        let (rest, its_end) = pages(&desk, &token, "limit=1000", &after).await;
        assert_eq!(ids(&rest), ids(&all[passed..]), "after {after}");
        assert_eq!(its_end, end);
        let one = desk.get(&token, &format!("/v1/events?limit=1&after={after}")).await;
        one.body["position"].as_str().unwrap().clone_into(&mut after);
    }
    // A partition that is not named begins at its beginning.
    let (partition, _) = end.split_once(',').unwrap();
    let (other, _) = pages(&desk, &token, "limit=1000", partition).await;
    assert!(!other.is_empty() && other.iter().all(|event| place(event)[0] == 1));
    // A poller that has everything hears of what is new, and of nothing else.
    let (nothing, end) = pages(&desk, &token, "limit=1000", &end).await;
    assert_eq!(nothing, [0; 0]);
    let opened = desk.open(50).await;
    desk.get(&token, "/v1/events").await;
    let (new, _) = pages(&desk, &token, "limit=1000", &end).await;
    assert_eq!(new.len(), 1);
    assert_eq!(new[0]["position"], opened.position.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_get_their_own_and_move_on_over_the_rest() {
    let desk = Desk::start().await;
    let (staff, requester) = (desk.token(&agent()).await, desk.token(&customer()).await);
    let outside = desk.token(&stranger()).await;
    desk.lives(1, 8).await;
    desk.give(ticket(2), &agent(), Command::Follow(Some(stranger().user)))
        .await;
    desk.get(&staff, "/v1/events").await;
    let (all, end) = pages(&desk, &staff, "limit=1000", "").await;
    let internal = |event: &Value| event["data"]["details"]["visibility"] == "internal";
    assert!(all.iter().any(internal));

    let (theirs, its_end) = pages(&desk, &requester, "limit=3", "").await;
    let public: Vec<Value> = all.iter().filter(|event| !internal(event)).cloned().collect();
    assert_eq!(ids(&theirs), ids(&public));
    assert!(!json!(theirs).to_string().contains("\"hm\""));
    assert_eq!(its_end, end);

    let (seen, its_end) = pages(&desk, &outside, "limit=1", "").await;
    let of_two: Vec<Value> = public
        .into_iter()
        .filter(|event| event["subject"] == ticket(2).to_string())
        .collect();
    assert_eq!(ids(&seen), ids(&of_two));
    assert!(!seen.is_empty());
    assert_eq!(its_end, end, "what is invisible is passed all the same");
    let (none, its_end) = pages(&desk, &outside, "ticket=3", "").await;
    assert_eq!((none.len(), its_end), (0, end));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_pick_and_positions_move_on() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.lives(1, 8).await;
    desk.get(&token, "/v1/events").await;
    let (_, end) = pages(&desk, &token, "limit=1000", "").await;
    let query = "limit=2&type=recourse.ticket.accepted.v1&type=recourse.ticket.closed.v1";
    let (picked, its_end) = pages(&desk, &token, query, "").await;
    let kinds: BTreeSet<&str> = picked.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        BTreeSet::from(["recourse.ticket.accepted.v1", "recourse.ticket.closed.v1"])
    );
    assert_eq!(its_end, end);
    for named in ["6".to_owned(), ticket(6).to_string()] {
        let (of_one, _) = pages(&desk, &token, &format!("ticket={named}"), "").await;
        assert_eq!(of_one.len(), 8);
        assert!(of_one.iter().all(|event| event["data"]["ticket"]["number"] == 6));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_event_is_what_its_schema_says() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    every_event(&desk).await;
    desk.get(&token, "/v1/events").await;
    let (all, _) = pages(&desk, &token, "limit=1000", "").await;
    let mut kinds = BTreeSet::new();
    for event in &all {
        let kind = event["type"].as_str().unwrap();
        kinds.insert(kind.to_owned());
        let schema = event["dataschema"].as_str().unwrap();
        let path = schema
            .strip_prefix(&desk.base())
            .unwrap_or_else(|| panic!("{schema} is elsewhere"));
        let document = desk.get("rct_none", path).await;
        assert_eq!(
            (document.status, document.header("content-type")),
            (200, "application/schema+json")
        );
        assert_eq!(document.body["title"], kind);
        assert_valid(&document.body, &event["data"]);

        let names: BTreeSet<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
        let attributes = "specversion id source type subject time datacontenttype dataschema recordedat position ticketrevision data";
        assert_eq!(names, attributes.split(' ').collect());
        assert_eq!(
            (&event["specversion"], &event["source"]),
            (&json!("1.0"), &json!("/v1/tickets"))
        );
        assert_eq!(event["subject"], event["data"]["ticket"]["id"]);
        assert!(
            event["id"]
                .as_str()
                .unwrap()
                .starts_with(event["position"].as_str().unwrap())
        );
        for time in ["time", "recordedat"] {
            event[time].as_str().unwrap().parse::<domain::Timestamp>().unwrap();
        }
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schemas");
    let described: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".json", ""))
        .collect();
    assert_eq!(kinds, described);
    let accepted = all
        .iter()
        .find(|event| event["type"] == "recourse.ticket.accepted.v1")
        .unwrap();
    assert_eq!(
        accepted["data"]["details"],
        json!({ "assignee": { "from": null, "to": { "id": AGENT.to_string(), "name": null } } })
    );
    assert_eq!(accepted["data"]["status"], "in_progress");
    assert!(kinds.len() > CommandName::ON_TICKET.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    for query in [
        "after=7",
        "after=0:-1",
        "after=0:1,0:2",
        "after=9:1",
        "after=0:99999999999999999999",
        "limit=0",
        "limit=1001",
        "type=accepted",
        "ticket=x",
        "after=0:0&after=1:0",
    ] {
        let answer = desk.get(&token, &format!("/v1/events?{query}")).await;
        answer.assert_problem(422, "invalid-fields");
        let live = [("Accept", "text/event-stream")];
        desk.get_with(&token, &format!("/v1/events?{query}"), &live)
            .await
            .assert_problem(422, "invalid-fields");
    }
    desk.get(&token, "/v1/events?cursor=0:1")
        .await
        .assert_problem(400, "malformed-request");
    let last = [("Accept", "text/event-stream"), ("Last-Event-ID", "yesterday")];
    desk.get_with(&token, "/v1/events", &last)
        .await
        .assert_problem(422, "invalid-fields");
    desk.get("rct_guessed", "/v1/events")
        .await
        .assert_problem(401, "unauthenticated");
    desk.get(&token, "/v1/schemas/recourse.ticket.lost.v1.json")
        .await
        .assert_problem(404, "not-found");
    // Further on than anything that is there yet: no mistake, but nothing either.
    let beyond = desk.get(&token, "/v1/events?after=0:9223372036854775807").await;
    assert_eq!((beyond.status, &beyond.body["items"]), (200, &json!([])));
    assert_eq!(beyond.body["position"], "0:9223372036854775807,1:0");
}
