//! The same wish twice, and wishes about a ticket that has changed meanwhile.

use serde_json::json;

use crate::desk::{AGENT, Answer, CUSTOMER, Desk, PEER, sample};

/// Everything that a repetition must answer alike.
fn essence(answer: &Answer) -> (u16, &serde_json::Value, [Option<&str>; 3]) {
    let headers = ["Location", "ETag", "Commit-Position"].map(|name| answer.header(name));
    (answer.status, &answer.body, headers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_creation_is_answered_as_the_first_was_whatever_happened_since() {
    let desk = Desk::open().await;
    let create = || desk.create(CUSTOMER, &sample("defect")).key("wish-1");
    let first = create().send().await.expect(201);
    desk.command(AGENT, &first.id(), "accept", &json!({}))
        .send()
        .await
        .expect(200);
    let again = create().send().await;
    assert_eq!(essence(&first), essence(&again));
    assert_eq!((first.replayed(), again.replayed()), (false, true));
    assert_eq!(desk.all_records().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_command_is_answered_as_the_first_was_although_it_would_be_refused_now() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    let accept = || desk.command(AGENT, &id, "accept", &json!({})).key("wish-1");
    let first = accept().if_match("\"1\"").send().await.expect(200);
    let again = accept().if_match("\"1\"").send().await;
    assert_eq!(essence(&first), essence(&again));
    assert!(again.replayed() && !first.replayed());
    // Order of members and white space are no part of the wish.
    let body = json!({ "body": "x", "visibility": "public" });
    desk.command(AGENT, &id, "comment", &body)
        .key("wish-2")
        .send()
        .await
        .expect(200);
    let path = format!("/v1/tickets/{id}/comment");
    let call = desk.request(reqwest::Method::POST, &path).by(AGENT).key("wish-2");
    let text = "{\n  \"visibility\": \"public\",\n  \"body\": \"\\u0078\"\n}";
    assert!(call.body("application/json", text).send().await.expect(200).replayed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_wish() {
    let desk = Desk::open().await;
    let first = desk
        .create(CUSTOMER, &sample("defect"))
        .key("k")
        .send()
        .await
        .expect(201);
    let other = desk.create(CUSTOMER, &sample("outage")).key("k").send().await;
    other.problem(422, "idempotency-key-reused");
    let comment = |text: &str| json!({ "body": text, "visibility": "public" });
    let id = first.id();
    let another = desk
        .command(CUSTOMER, &id, "comment", &comment("x"))
        .key("k")
        .send()
        .await;
    another.problem(422, "idempotency-key-reused");
    desk.command(CUSTOMER, &id, "comment", &comment("x"))
        .key("c")
        .send()
        .await
        .expect(200);
    desk.command(CUSTOMER, &id, "comment", &comment("y"))
        .key("c")
        .send()
        .await
        .problem(422, "idempotency-key-reused");
    assert_eq!(desk.records(&id).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybodys_keys_are_their_own() {
    let desk = Desk::open().await;
    let ours = desk
        .create(CUSTOMER, &sample("defect"))
        .key("k")
        .send()
        .await
        .expect(201);
    let theirs = desk.create(PEER, &sample("defect")).key("k").send().await.expect(201);
    assert_ne!(ours.id(), theirs.id());
    assert!(!theirs.replayed());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_two_creations_are_two_tickets() {
    let desk = Desk::open().await;
    assert_ne!(desk.ticket("defect").await, desk.ticket("defect").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_sent_at_once_have_one_effect_and_equal_answers() {
    const PAIRS: usize = 20;
    let desk = Desk::open().await;
    for pair in 0..PAIRS {
        let create = || {
            desk.create(CUSTOMER, &sample("defect"))
                .key(&format!("create-{pair}"))
                .send()
        };
        let (one, other) = tokio::join!(create(), create());
        assert_eq!(essence(&one), essence(&other));
        assert_eq!(one.status, 201, "{}", one.body);
        assert_ne!(one.replayed(), other.replayed(), "one of both was first");
        let id = one.id();
        let accept = || {
            desk.command(AGENT, &id, "accept", &json!({}))
                .key(&format!("accept-{pair}"))
                .send()
        };
        let (one, other) = tokio::join!(accept(), accept());
        assert_eq!(essence(&one), essence(&other));
        assert_eq!(one.status, 200, "{}", one.body);
        assert_eq!(desk.records(&id).await.len(), 2);
    }
    assert_eq!(desk.all_records().await.len(), 2 * PAIRS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_if_match_is_refused_with_the_current_revision_and_nothing_is_written() {
    let desk = Desk::open().await;
    let id = desk.ticket_in_progress().await;
    let resume = || desk.command(AGENT, &id, "request-info", &json!({ "comment": "?" }));
    for etag in ["\"1\"", "W/\"3\"", "0"] {
        let answer = resume().if_match(etag).send().await;
        assert_eq!(answer.problem(412, "revision-mismatch")["revision"], 2);
    }
    assert_eq!(desk.records(&id).await.len(), 2);
    resume().if_match("\"2\"").send().await.expect(200);
    desk.command(AGENT, &id, "resume", &json!({}))
        .if_match("*")
        .send()
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_with_the_same_if_match_one_succeeds() {
    let desk = Desk::open().await;
    let id = desk.ticket_in_progress().await;
    let comment = |person| {
        let body = json!({ "body": "x", "visibility": "public" });
        desk.command(person, &id, "comment", &body).if_match("\"2\"").send()
    };
    let (one, other) = tokio::join!(comment(AGENT), comment(CUSTOMER));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_without_if_match_all_succeed_one_after_another() {
    const WRITERS: usize = 16;
    let desk = Desk::open().await;
    let id = desk.ticket_in_progress().await;
    let body = json!({ "body": "x", "visibility": "public" });
    let calls = (0..WRITERS).map(|_| desk.command(AGENT, &id, "comment", &body).send());
    let mut revisions: Vec<_> = futures::future::join_all(calls)
        .await
        .into_iter()
        .map(|answer| answer.expect(200).body["revision"].as_u64().unwrap())
        .collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (3..3 + WRITERS as u64).collect::<Vec<_>>());
}
