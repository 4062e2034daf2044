//! The log goes, the service goes.

use reqwest::Client;
use serde_json::json;
use test_harness::{Direction, wait_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::desk::{AGENT, CUSTOMER, Desk, LIMIT, sample};

#[tokio::test(flavor = "multi_thread")]
async fn while_the_log_is_down_nothing_is_done_and_nothing_is_promised() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    desk.nats.kill().await;
    let create = || desk.create(CUSTOMER, &sample("defect")).key("wish");
    let answer = create().send().await;
    // Whether it was written is known unless it was under way when the log went.
    assert_eq!(answer.status, 503, "{}", answer.body);
    let code = answer.body["code"].as_str().unwrap().to_owned();
    assert!(
        ["log-unavailable", "outcome-unknown"].contains(&code.as_str()),
        "{code}"
    );
    answer.problem(503, &code);
    assert!(answer.header("Retry-After").is_some());

    desk.nats.restart().await;
    wait_until("the log to be back", LIMIT, async || {
        create().send().await.status == 201
    })
    .await;
    assert!(create().send().await.expect(201).replayed());
    desk.command(AGENT, &id, "accept", &json!({})).send().await.expect(200);
    wait_until("the test's own connection", LIMIT, async || desk.log.is_connected()).await;
    assert_eq!(desk.all_records().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_is_found_out_before_the_caller_is_answered() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    // From where the agent comes is known by then.
    desk.command(AGENT, &id, "follow", &json!({})).send().await.expect(200);
    desk.proxy.black_hole(Direction::ServerToClient);
    let body = json!({});
    let accept = desk.command(AGENT, &id, "accept", &body).key("wish").send();
    let restore = async {
        wait_until("the record", LIMIT, async || desk.records(&id).await.len() == 3).await;
        desk.proxy.restore();
    };
    let (answer, ()) = tokio::join!(accept, restore);
    assert_eq!(answer.expect(200).body["revision"], 3);
    assert_eq!(
        desk.records(&id).await.len(),
        3,
        "the record was sent again, and taken once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_finishes_what_was_accepted_and_takes_no_more() {
    let desk = Desk::open().await;
    desk.ticket("defect").await;
    desk.proxy.hold(Direction::ServerToClient);
    let mut stream = TcpStream::connect(desk.address).await.unwrap();
    let body = sample("defect").to_string();
    let request = format!(
        "POST /v1/tickets HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        CUSTOMER.token(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    wait_until("the record", LIMIT, async || desk.all_records().await.len() == 2).await;
    desk.shutdown.trigger();
    wait_until("the door to be closed", LIMIT, async || {
        TcpStream::connect(desk.address).await.is_err()
    })
    .await;
    desk.proxy.restore();

    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(desk.all_records().await.len(), 2);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_the_service_as_it_was() {
    let desk = Desk::open().await;
    desk.proxy.hold(Direction::ServerToClient);
    let client = Client::builder()
        .timeout(std::time::Duration::from_millis(50))
        .build()
        .unwrap();
    for _ in 0..8 {
        let call = client
            .post(format!("http://{}/v1/tickets", desk.address))
            .bearer_auth(CUSTOMER.token());
        assert!(call.json(&sample("defect")).send().await.is_err());
    }
    desk.proxy.restore();
    desk.create(CUSTOMER, &sample("defect")).send().await.expect(201);
    desk.stop().await;
}
