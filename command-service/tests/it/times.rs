//! When things happened, as an importer tells it.

use domain::Timestamp;
use domain::ticket::{Event, Wait};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::desk::{CUSTOMER, Desk, IMPORTER, NOON, sample};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn import(desk: &Desk, command: &str, ticket: &str, mut body: Value, occurred_at: &str) -> crate::desk::Answer {
    body["occurred_at"] = json!(occurred_at);
    desk.command(IMPORTER, ticket, command, &body).send().await
}

async fn imported(desk: &Desk, occurred_at: &str) -> String {
    let mut body = sample("defect");
    body["occurred_at"] = json!(occurred_at);
    body["on_behalf_of"] = json!(CUSTOMER.user());
    desk.create(IMPORTER, &body).send().await.expect(201).id()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_command_keeps_its_time_to_the_microsecond() {
    let desk = Desk::open().await;
    let id = imported(&desk, "2016-02-29T01:16:00.123456789+03:00").await;
    let header = &desk.records(&id).await[0].header;
    assert_eq!(header.occurred_at, at("2016-02-28T22:16:00.123456Z"));
    assert_eq!(header.recorded_at, at(NOON));
}

#[tokio::test(flavor = "multi_thread")]
async fn time_does_not_run_backwards_nor_ahead() {
    let desk = Desk::open().await;
    let id = imported(&desk, "2016-02-29T01:16:00Z").await;
    for out_of_order in ["2016-02-29T01:15:59.999999Z", "2026-03-02T09:00:00.000001Z"] {
        let answer = import(&desk, "accept", &id, json!({}), out_of_order).await;
        answer.problem_of(422, "out-of-order", &[("/occurred_at", "out_of_order")]);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(
            detail.contains("2016-02-29T01:16:00Z") && detail.contains(NOON),
            "{detail}"
        );
    }
    import(&desk, "accept", &id, json!({}), "2016-02-29T01:16:00Z")
        .await
        .expect(200);
    import(&desk, "resume", &id, json!({}), "yesterday")
        .await
        .problem(422, "invalid-fields");
    import(&desk, "request-info", &id, json!({ "comment": "?" }), NOON)
        .await
        .expect(200);

    // A year that the read models cannot keep would halt them for ever.
    for out_of_order in [
        "2027-01-01T00:00:00Z",
        "0000-12-31T23:59:59Z",
        "-005000-01-01T00:00:00Z",
    ] {
        let mut body = sample("defect");
        body["occurred_at"] = json!(out_of_order);
        desk.create(IMPORTER, &body).send().await.problem(422, "out-of-order");
    }
}

async fn wait_of(desk: &Desk, ticket: &str) -> Wait {
    let records = desk.records(ticket).await;
    let last = records.last().unwrap();
    let [Event::InformationRequested { wait: Some(wait), .. }] = last.events.as_slice() else {
        panic!("{last:?}")
    };
    wait.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_began_in_the_past_is_due_counting_from_its_import_unless_deadlines_are_honoured() {
    let desk = Desk::open().await;
    let asked = "2016-02-29T06:00:00Z";
    let (plain, honoured) = (imported(&desk, asked).await, imported(&desk, asked).await);
    for id in [&plain, &honoured] {
        import(&desk, "accept", id, json!({}), asked).await.expect(200);
    }
    import(&desk, "request-info", &plain, json!({ "comment": "?" }), asked)
        .await
        .expect(200);
    let body = json!({ "comment": "?", "honour_deadlines": true });
    import(&desk, "request-info", &honoured, body, asked).await.expect(200);

    // Forty working hours are a week of the desk in Moscow.
    let week = SignedDuration::from_hours(7 * 24);
    assert_eq!(wait_of(&desk, &plain).await.due_at, at(NOON) + week);
    assert_eq!(
        wait_of(&desk, &honoured).await.due_at,
        at("2016-03-04T15:00:00Z"),
        "Friday evening"
    );
}
