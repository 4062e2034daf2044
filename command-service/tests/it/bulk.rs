//! `POST /v1/commands`: a line each, a result each.

use domain::Timestamp;
use futures::StreamExt;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use test_harness::wait_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::desk::{AGENT, CUSTOMER, Desk, IMPORTER, LIMIT, STRANGER, ndjson, sample};

fn create(key: &str) -> Value {
    json!({ "command": "create", "key": key, "body": sample("defect") })
}

fn command(name: &str, ticket: &str, key: &str, body: &Value) -> Value {
    json!({ "command": name, "ticket": ticket, "key": key, "body": body })
}

fn statuses(results: &[Value]) -> Vec<u64> {
    results
        .iter()
        .map(|result| result["status"].as_u64().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_answered_in_the_order_of_input_as_it_would_have_been_alone() {
    let desk = Desk::open().await;
    let lines = [
        create("a"),
        command("accept", "$a", "a-1", &json!({})),
        create("b"),
        command(
            "comment",
            "$a",
            "a-2",
            &json!({ "body": "x", "visibility": "internal" }),
        ),
        command("propose-closure", "$b", "b-1", &json!({ "solution": "x" })),
        command("propose-closure", "$a", "a-3", &json!({ "solution": "x" })),
    ];
    let results = desk.bulk(AGENT, &lines).await;
    assert_eq!(statuses(&results), [201, 200, 201, 200, 409, 200]);
    let keys: Vec<_> = results.iter().map(|result| result["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["a", "a-1", "b", "a-2", "b-1", "a-3"]);
    assert_eq!(results[0]["id"], results[5]["id"]);
    assert_eq!(
        (&results[5]["revision"], &results[5]["ticket_status"]),
        (&json!(4), &json!("waiting_for_closure"))
    );
    assert_eq!(results[3]["events"], json!(["commented"]));
    assert_eq!(
        (&results[4]["code"], &results[4]["ticket_status"]),
        (&json!("wrong-status"), &json!("new"))
    );
    assert!(results[4]["allowed_commands"].is_array());
    assert_eq!(desk.records(results[0]["id"].as_str().unwrap()).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_named_by_its_id_or_by_the_key_of_its_creation_whenever_that_was() {
    let desk = Desk::open().await;
    let alone = desk
        .create(AGENT, &sample("defect"))
        .key("alone")
        .send()
        .await
        .expect(201)
        .id();
    desk.bulk(AGENT, &[create("together")]).await;
    let follow = |ticket: &str, key| command("comment", ticket, key, &json!({ "body": "x", "visibility": "public" }));
    let lines = [
        follow("$alone", "1"),
        follow("$together", "2"),
        follow(&alone, "3"),
        follow("$never", "4"),
    ];
    let results = desk.bulk(AGENT, &lines).await;
    assert_eq!(statuses(&results), [200, 200, 200, 404]);
    assert_eq!(results[0]["id"], alone);
    // Keys are everybody's own.
    assert_eq!(statuses(&desk.bulk(IMPORTER, &[follow("$alone", "5")]).await), [404]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_spoils_no_other() {
    let desk = Desk::open().await;
    let good = |key: &str| create(key).to_string();
    let lines = [
        (good("1"), 201),
        ("{".to_owned(), 400),
        ("[]".to_owned(), 400),
        ("\"text\"".to_owned(), 400),
        ("[".repeat(100_000), 400),
        (
            json!({ "command": "create", "body": sample("defect") }).to_string(),
            400,
        ),
        (
            json!({ "command": "create", "key": "two words", "body": sample("defect") }).to_string(),
            400,
        ),
        (
            json!({ "command": "create", "key": 7, "body": sample("defect") }).to_string(),
            400,
        ),
        (
            json!({ "command": "explode", "key": "x", "ticket": "$1" }).to_string(),
            400,
        ),
        (json!({ "key": "x" }).to_string(), 400),
        (
            json!({ "command": "create", "key": "x", "ticket": "$1", "body": sample("defect") }).to_string(),
            400,
        ),
        (json!({ "command": "accept", "key": "x" }).to_string(), 400),
        (json!({ "command": "accept", "key": "x", "ticket": 1 }).to_string(), 400),
        (
            json!({ "command": "accept", "key": "x", "ticket": "$1", "more": 1 }).to_string(),
            400,
        ),
        (
            json!({ "command": "accept", "key": "x", "ticket": "$1", "body": [] }).to_string(),
            400,
        ),
        (
            json!({ "command": "accept", "key": "x", "ticket": "$1", "body": { "asignee": 1 } }).to_string(),
            400,
        ),
        (
            json!({ "command": "create", "key": "x", "body": { "type": "incident" } }).to_string(),
            422,
        ),
        (
            json!({ "command": "accept", "key": "accept", "ticket": "$1" }).to_string(),
            200,
        ),
        (good("2"), 201),
    ];
    let text: Vec<_> = lines.iter().map(|(line, _)| line.as_str()).collect();
    // Blank lines, carriage returns and a missing last line break do no harm.
    let results = desk.bulk_text(AGENT, text.join("\r\n\n")).await;
    let expected: Vec<_> = lines.iter().map(|(_, status)| *status).collect();
    assert_eq!(statuses(&results), expected);
    for result in results.iter().filter(|result| result["status"].as_u64() > Some(201)) {
        assert!(
            result["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{result}"
        );
        assert!(result["type"].as_str().unwrap().starts_with("/problems/"), "{result}");
    }
    assert_eq!(results[8]["key"], "x", "whoever gave a key finds the line by it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_too_long_is_refused_alone() {
    let desk = Desk::open().await;
    let long = json!({ "command": "create", "key": "long", "body": { "subject": "x".repeat(1024 * 1024) } });
    let larger = format!("{{{}", " ".repeat(5 * 1024 * 1024));
    let text = format!("{}\n{long}\n{larger}\n{}\n", create("a"), create("b"));
    let results = desk.bulk_text(AGENT, text).await;
    assert_eq!(statuses(&results), [201, 413, 413, 201]);
    assert_eq!(results[1]["code"], "body-too-large");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gives_in_bulk_what_they_may_give_alone() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    let with = |field: &str, value: Value| {
        let mut line = create(field);
        line["body"][field] = value;
        line
    };
    let lines = [
        with("occurred_at", json!("2020-01-01T00:00:00Z")),
        with("on_behalf_of", json!(AGENT.user())),
        command("accept", &id, "1", &json!({})),
    ];
    assert_eq!(statuses(&desk.bulk(CUSTOMER, &lines).await), [403, 403, 403]);
    assert_eq!(statuses(&desk.bulk(STRANGER, &lines[2..]).await), [404]);
    assert_eq!(statuses(&desk.bulk(IMPORTER, &lines[..2]).await), [201, 201]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_request_sent_again_is_answered_alike_and_changes_nothing() {
    const TICKETS: usize = 50;
    let desk = Desk::open().await;
    let lines: Vec<_> = (0..TICKETS)
        .flat_map(|n| {
            let (ticket, key) = (format!("${n}"), format!("{n}-"));
            [
                create(&n.to_string()),
                command("accept", &ticket, &format!("{key}1"), &json!({})),
                command(
                    "propose-closure",
                    &ticket,
                    &format!("{key}2"),
                    &json!({ "solution": "x" }),
                ),
                command("resume", &ticket, &format!("{key}3"), &json!({})),
            ]
        })
        .collect();
    let first = desk.bulk(AGENT, &lines).await;
    assert!(
        first.iter().all(|result| result["status"].as_u64() <= Some(201)),
        "{first:?}"
    );
    let mut again = desk.bulk(AGENT, &lines).await;
    for result in &mut again {
        assert_eq!(
            result.as_object_mut().unwrap().remove("replayed"),
            Some(json!(true)),
            "{result}"
        );
    }
    assert_eq!(first, again);
    assert_eq!(desk.all_records().await.len(), lines.len());
}

/// A request of the agent's that goes on, of which the first line has been sent: a creation with the key `a`.
async fn begin(desk: &Desk) -> (tokio::sync::mpsc::Sender<String>, reqwest::Response) {
    let (sender, lines) = tokio::sync::mpsc::channel::<String>(1);
    let lines = futures::stream::unfold(lines, async |mut lines| {
        lines
            .recv()
            .await
            .map(|line| (Ok::<_, std::convert::Infallible>(line), lines))
    });
    let call = reqwest::Client::new().post(format!("http://{}/v1/commands", desk.address));
    let call = call
        .bearer_auth(AGENT.token())
        .header(CONTENT_TYPE, "application/x-ndjson");
    sender.send(format!("{}\n", create("a"))).await.unwrap();
    let answer = call.body(reqwest::Body::wrap_stream(lines)).send().await.unwrap();
    (sender, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_from_a_caller_is_taken_from_a_request_that_goes_on() {
    let desk = Desk::open().await;
    let (sender, answer) = begin(&desk).await;
    let mut results = answer.bytes_stream();
    let first: Value = serde_json::from_slice(&results.next().await.unwrap().unwrap()).unwrap();
    assert_eq!(first["status"], 201);
    let mut grant = AGENT.grant();
    grant.revoked_at = Some(Timestamp::UNIX_EPOCH);
    desk.log.tokens().put(AGENT.hash(), &grant).await.unwrap();
    wait_until("the token to be refused", LIMIT, async || {
        desk.create(AGENT, &sample("defect")).send().await.status == 401
    })
    .await;
    sender.send(format!("{}\n", create("b"))).await.unwrap();
    drop(sender);
    let second: Value = serde_json::from_slice(&results.next().await.unwrap().unwrap()).unwrap();
    assert_eq!((&second["key"], &second["status"]), (&json!("b"), &json!(401)));
}

#[tokio::test(flavor = "multi_thread")]
async fn results_come_while_lines_are_still_being_sent() {
    let desk = Desk::open().await;
    let (sender, answer) = begin(&desk).await;
    let mut results = answer.bytes_stream();
    for key in ["b", "c"] {
        let result: Value = serde_json::from_slice(&results.next().await.unwrap().unwrap()).unwrap();
        assert_eq!(result["status"], 201);
        sender.send(format!("{}\n", create(key))).await.unwrap();
    }
    drop(sender);
    let last: Value = serde_json::from_slice(&results.next().await.unwrap().unwrap()).unwrap();
    assert_eq!(last["key"], "c");
    assert!(results.next().await.is_none());
}

/// Ten thousand lines, sent whole before a single result is read: neither may wait for the other.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_lines_are_taken_from_a_client_that_reads_last_and_no_more() {
    const LINES_MAX: usize = 10_000;
    const LINES: usize = LINES_MAX + 2_000;
    let desk = Desk::open().await;
    let lines: Vec<Value> = (0..LINES).map(|n| create(&n.to_string())).collect();
    let body = ndjson(&lines);
    let head = format!(
        "POST /v1/commands HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        AGENT.token(),
        body.len()
    );
    let mut stream = TcpStream::connect(desk.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    let results: Vec<Value> = answer
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(results.len(), LINES_MAX + 1);
    for (n, result) in results.iter().take(LINES_MAX).enumerate() {
        assert_eq!(
            (&result["status"], &result["key"]),
            (&json!(201), &json!(n.to_string()))
        );
    }
    assert_eq!(
        (&results[LINES_MAX]["status"], &results[LINES_MAX]["key"]),
        (&json!(413), &Value::Null)
    );
    assert_eq!(desk.all_records().await.len(), LINES_MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_is_done() {
    let desk = Desk::open().await;
    assert_eq!(desk.bulk_text(AGENT, "\n \r\n").await, Vec::<Value>::new());
    let answer = desk
        .request(Method::POST, "/v1/commands")
        .by(AGENT)
        .body("application/x-ndjson", "");
    answer.send().await.expect(200);
}
