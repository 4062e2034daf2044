//! Who may do what, and what those who may not are told.

use domain::Timestamp;
use domain::ids::UserId;
use reqwest::Method;
use serde_json::{Value, json};
use test_harness::wait_until;
use uuid::Uuid;

use crate::desk::{AGENT, CUSTOMER, Desk, IMPORTER, LEAD, LIMIT, PEER, STRANGER, sample};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_token_that_is_known() {
    let desk = Desk::open().await;
    for path in [
        "/v1/tickets",
        "/v1/commands",
        "/v1/tickets/6b0c1c1e-7b2c-4f57-9d6a-2d1c5e9c1a11/accept",
    ] {
        let post = || desk.request(Method::POST, path);
        let missing = post().send().await;
        missing.problem(401, "unauthenticated");
        assert_eq!(missing.header("WWW-Authenticate"), Some("Bearer"));
        for credentials in ["Bearer rct_nobody", "Bearer ", "Basic cmN0X2FnZW50", "rct_agent"] {
            let answer = post().header("Authorization", credentials).send().await;
            answer.problem(401, "unauthenticated");
            assert!(answer.header("WWW-Authenticate").unwrap().starts_with("Bearer"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_refused_at_once() {
    let desk = Desk::open().await;
    desk.create(PEER, &sample("defect")).send().await.expect(201);
    let mut grant = PEER.grant();
    grant.revoked_at = Some(Timestamp::UNIX_EPOCH);
    desk.log.tokens().put(PEER.hash(), &grant).await.unwrap();
    wait_until("the token to be refused", LIMIT, async || {
        desk.create(PEER, &sample("defect")).send().await.status == 401
    })
    .await;
    desk.create(PEER, &sample("defect"))
        .send()
        .await
        .problem(401, "unauthenticated");
    desk.create(CUSTOMER, &sample("defect")).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_works_from_the_moment_it_is_made() {
    let desk = Desk::open().await;
    let hash = service_kit::tokens::TokenHash::of("rct_new");
    desk.log.tokens().put(hash, &AGENT.grant()).await.unwrap();
    let call = desk
        .request(Method::POST, "/v1/tickets")
        .header("Authorization", "Bearer rct_new");
    call.body("application/json", sample("defect").to_string())
        .send()
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_for_importers_are_refused_to_all_others() {
    let desk = Desk::open().await;
    let person = json!(CUSTOMER.user());
    let fields = json!({ "occurred_at": "2026-01-01T00:00:00Z", "honour_deadlines": true, "on_behalf_of": person });
    let with = |mut body: Value| {
        let (Some(body), Some(fields)) = (body.as_object_mut(), fields.as_object()) else {
            panic!("both are objects")
        };
        body.extend(fields.clone());
        Value::Object(body.clone())
    };
    let times = [
        ("/occurred_at", "not_permitted"),
        ("/honour_deadlines", "not_permitted"),
    ];
    let all = [times[0], times[1], ("/on_behalf_of", "not_permitted")];
    let create = with(sample("defect"));
    desk.create(CUSTOMER, &create)
        .send()
        .await
        .problem_of(403, "not-permitted", &all);
    // Staff open tickets for others, now.
    desk.create(AGENT, &create)
        .send()
        .await
        .problem_of(403, "not-permitted", &times);
    let id = desk.ticket("defect").await;
    for person in [AGENT, LEAD, CUSTOMER] {
        let body = with(json!({ "body": "x", "visibility": "public" }));
        desk.command(person, &id, "comment", &body)
            .send()
            .await
            .problem_of(403, "not-permitted", &all);
    }
    desk.create(IMPORTER, &create).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_importer_acts_in_the_name_of_others_and_stays_on_record() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    let body = json!({ "on_behalf_of": { "id": AGENT.user(), "name": "Bob", "kind": "staff" } });
    desk.command(IMPORTER, &id, "accept", &body).send().await.expect(200);
    let header = &desk.records(&id).await[1].header;
    assert_eq!(header.actor.user.as_uuid(), AGENT.user());
    assert_eq!(header.via.map(UserId::as_uuid), Some(IMPORTER.user()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_not_see_is_not_there() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    let words = json!({ "body": "x", "visibility": "public" });
    let absent = Uuid::from_u128(7).to_string();
    let invisible = desk.command(STRANGER, &id, "comment", &words).send().await;
    let missing = desk.command(STRANGER, &absent, "comment", &words).send().await;
    for answer in [&invisible, &missing] {
        answer.problem(404, "ticket-not-found");
    }
    assert_eq!(
        invisible.body["detail"], missing.body["detail"],
        "nothing tells one from the other"
    );
    desk.command(STRANGER, &id, "accept", &json!({}))
        .if_match("\"9\"")
        .send()
        .await
        .problem(404, "ticket-not-found");
    desk.command(AGENT, &absent, "comment", &words)
        .send()
        .await
        .problem(404, "ticket-not-found");
    desk.command(AGENT, "1", "accept", &json!({}))
        .send()
        .await
        .problem(404, "ticket-not-found");
    desk.command(PEER, &id, "comment", &words).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_for_the_caller_is_refused_with_what_is() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    let answer = desk.command(CUSTOMER, &id, "accept", &json!({})).send().await;
    let problem = answer.problem(403, "not-permitted");
    assert_eq!(
        problem["allowed_commands"],
        json!(["comment", "edit", "follow", "unfollow"])
    );
    let internal = json!({ "body": "x", "visibility": "internal" });
    desk.command(CUSTOMER, &id, "comment", &internal)
        .send()
        .await
        .problem(403, "not-permitted");
    desk.command(CUSTOMER, &id, "follow", &json!({ "user": AGENT.user() }))
        .send()
        .await
        .problem(403, "not-permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rules_forbid_is_refused_with_what_they_allow() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    let answer = desk
        .command(AGENT, &id, "propose-closure", &json!({ "solution": "x" }))
        .send()
        .await;
    let problem = answer.problem(409, "wrong-status");
    assert_eq!(problem["ticket_status"], "new");
    let allowed = json!(["accept", "comment", "classify", "assign", "edit", "follow", "unfollow"]);
    assert_eq!(problem["allowed_commands"], allowed);

    desk.command(AGENT, &id, "accept", &json!({})).send().await.expect(200);
    let wrong_type = desk
        .command(AGENT, &id, "await-implementation", &json!({}))
        .send()
        .await;
    wrong_type.problem(409, "wrong-type");
    let no_reason = desk.command(LEAD, &id, "close", &json!({})).send().await;
    no_reason.problem_of(422, "invalid-fields", &[("/reason", "required")]);
    desk.command(LEAD, &id, "close", &json!({ "reason": "x" }))
        .send()
        .await
        .expect(200);
    desk.command(AGENT, &id, "assign", &json!({ "assignee": null }))
        .send()
        .await
        .problem(409, "ticket-closed");
    desk.command(CUSTOMER, &id, "rate", &json!({ "score": 5 }))
        .send()
        .await
        .expect(200);
    desk.command(PEER, &id, "rate", &json!({ "score": 1 }))
        .send()
        .await
        .problem(409, "already-rated");
}
