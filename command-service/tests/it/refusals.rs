//! What the service does not take, and how it says so: always a problem that says what to do.

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{AGENT, Answer, CUSTOMER, Desk, sample};

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_does_not_exist_is_a_problem() {
    let desk = Desk::open().await;
    for path in ["/", "/v1", "/v2/tickets", "/v1/tickets/", "/v1/tickets/a/b/c"] {
        desk.post(AGENT, path, &json!({}))
            .send()
            .await
            .problem(404, "not-found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_command_is_answered_with_those_there_are() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    for name in ["explode", "create", "expire-information-wait", "Accept"] {
        let answer = desk.command(AGENT, &id, name, &json!({})).send().await;
        let detail = answer.problem(404, "not-found")["detail"].as_str().unwrap();
        assert!(
            detail.contains("accept, ") && detail.contains("propose-closure"),
            "{detail}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_path_does_not_take_is_a_problem_with_those_that_it_does() {
    let desk = Desk::open().await;
    for (method, path) in [
        (Method::DELETE, "/v1/tickets"),
        (Method::PUT, "/v1/commands"),
        (Method::PATCH, "/v1/tickets/a/accept"),
    ] {
        let answer = desk.request(method, path).by(AGENT).send().await;
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.header("Allow"), Some("POST"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_a_problem() {
    let desk = Desk::open().await;
    let large = "x".repeat(1024 * 1024 + 1);
    let answer = desk
        .request(Method::POST, "/v1/tickets")
        .by(CUSTOMER)
        .body("application/json", large);
    answer.send().await.problem(413, "body-too-large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_type_is_a_problem() {
    let desk = Desk::open().await;
    let post = |path| desk.request(Method::POST, path).by(CUSTOMER);
    for path in ["/v1/tickets", "/v1/tickets/6b0c1c1e-7b2c-4f57-9d6a-2d1c5e9c1a11/accept"] {
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
            let answer = post(path).body(content_type, "{}").send().await;
            answer.problem(415, "unsupported-media-type");
        }
    }
    post("/v1/commands")
        .body("application/json", "{}")
        .send()
        .await
        .problem(415, "unsupported-media-type");
    let charset = post("/v1/tickets").body("application/json; charset=utf-8", sample("defect").to_string());
    charset.send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_json_object_is_a_problem() {
    let desk = Desk::open().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_inside = format!(r#"{{"custom_fields": {deep}}}"#);
    let texts = [
        "{",
        "nonsense",
        "[]",
        "null",
        "\"text\"",
        "7",
        "{\"subject\": \"\u{1}\"}",
        "{} {}",
        &deep,
        &deep_inside,
    ];
    for text in texts {
        let call = desk.request(Method::POST, "/v1/tickets").by(CUSTOMER);
        let answer = call.body("application/json", text.to_owned()).send().await;
        answer.problem(400, "malformed-request");
    }
    let call = desk.request(Method::POST, "/v1/tickets").by(CUSTOMER);
    let answer = call
        .body("application/json", b"{\"subject\": \"\xff\"}".to_vec())
        .send()
        .await;
    answer.problem(400, "malformed-request");
}

async fn created_with(desk: &Desk, field: &str, value: Value) -> Answer {
    let mut body = sample("defect");
    body[field] = value;
    desk.create(CUSTOMER, &body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_cannot_be_read_is_told_at_once() {
    let desk = Desk::open().await;
    let body = json!({ "subject": 7, "description": ["x"], "type": "incident", "prio": "high", "a/b~": 1 });
    let answer = desk.create(CUSTOMER, &body).send().await;
    answer.problem_of(
        400,
        "malformed-request",
        &[
            ("/subject", "wrong_type"),
            ("/description", "wrong_type"),
            ("/type", "invalid"),
            ("/prio", "unknown_field"),
            ("/a~1b~0", "unknown_field"),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_turns_text_around_is_refused_in_names_and_kept_in_peoples_words() {
    let desk = Desk::open().await;
    let body = json!({
        "subject": "invoice \u{202e}fdp.exe", "description": "\u{2067}שלום\u{2069}", "type": "defect",
        "system": "\u{2066}billing\u{2069}", "custom_fields": { "color\u{202d}": "red" },
    });
    let answer = desk.create(CUSTOMER, &body).send().await;
    let refused = [
        ("/custom_fields", "invalid"),
        ("/subject", "invalid"),
        ("/system", "invalid"),
    ];
    answer.problem_of(422, "invalid-fields", &refused);
    // A script that runs the other way needs none of it.
    let body = json!({ "subject": "שלום \u{200f}עולם", "description": "\u{202e}abc", "type": "defect" });
    desk.create(CUSTOMER, &body).send().await.expect(201);
    let name = json!({ "user": { "id": CUSTOMER.user(), "name": "Ada\u{202e}" } });
    let ticket = desk.ticket("defect").await;
    let follow = desk.command(AGENT, &ticket, "follow", &name).send().await;
    follow.problem_of(422, "invalid-fields", &[("/user", "invalid")]);
    let name = "Day\u{2066}";
    for (path, body) in [
        (
            "/v1/calendars",
            json!({ "name": name, "time_zone": "UTC", "week": { "mon": [["09:00", "18:00"]] } }),
        ),
        ("/v1/policies", json!({ "name": name })),
    ] {
        let answer = desk.post(AGENT, path, &body).send().await;
        let problem = answer.problem(422, "invalid-fields");
        assert_eq!(problem["errors"][0]["pointer"], "/name", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_that_is_not_acceptable_is_told_at_once() {
    let desk = Desk::open().await;
    let body = json!({
        "subject": "x".repeat(201), "description": " \n", "type": "incident", "priority": "urgent",
        "system": "a\u{0}b", "custom_fields": { "list": [1] }, "on_behalf_of": "somebody",
    });
    let answer = desk.create(AGENT, &body).send().await;
    answer.problem_of(
        422,
        "invalid-fields",
        &[
            ("/subject", "invalid"),
            ("/description", "invalid"),
            ("/type", "invalid"),
            ("/priority", "invalid"),
            ("/system", "invalid"),
            ("/custom_fields/list", "invalid"),
            ("/on_behalf_of", "invalid"),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_fields_are_told_at_once() {
    let desk = Desk::open().await;
    let empty = desk.create(CUSTOMER, &json!({})).send().await;
    empty.problem_of(
        422,
        "invalid-fields",
        &[
            ("/subject", "required"),
            ("/description", "required"),
            ("/type", "required"),
        ],
    );
    let id = desk.ticket_in_progress().await;
    for (command, field) in [
        ("request-info", "/comment"),
        ("propose-closure", "/solution"),
        ("reopen", "/comment"),
        ("provide-info", "/comment"),
    ] {
        let answer = desk.command(AGENT, &id, command, &json!({})).send().await;
        answer.problem_of(422, "invalid-fields", &[(field, "required")]);
    }
    let answer = desk.command(AGENT, &id, "comment", &json!({})).send().await;
    answer.problem_of(
        422,
        "invalid-fields",
        &[("/body", "required"), ("/visibility", "required")],
    );
    for command in ["classify", "assign", "edit"] {
        let answer = desk.command(AGENT, &id, command, &json!({})).send().await;
        answer.problem_of(422, "invalid-fields", &[("", "required")]);
    }
    assert_eq!(desk.records(&id).await.len(), 2, "nothing of it was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_have_limits_and_no_nul() {
    let desk = Desk::open().await;
    let fits = "ä".repeat(200);
    created_with(&desk, "subject", json!(fits)).await.expect(201);
    created_with(&desk, "description", json!("ä".repeat(65_536)))
        .await
        .expect(201);
    for (field, value) in [
        ("subject", "ä".repeat(201)),
        ("subject", "a\u{0}".to_owned()),
        ("subject", "\t".to_owned()),
        ("description", "ä".repeat(65_537)),
        ("description", "\u{0}".to_owned()),
        ("category", "x".repeat(201)),
    ] {
        let answer = created_with(&desk, field, json!(value)).await;
        answer.problem_of(422, "invalid-fields", &[(&format!("/{field}"), "invalid")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_word_is_answered_with_those_that_are_known() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    for (command, body, allowed) in [
        (
            "classify",
            json!({ "type": "incident" }),
            "outage, defect, consultation, feature_request",
        ),
        (
            "classify",
            json!({ "priority": "urgent" }),
            "low, medium, high, critical",
        ),
        (
            "comment",
            json!({ "body": "x", "visibility": "secret" }),
            "public, internal",
        ),
    ] {
        let answer = desk.command(AGENT, &id, command, &body).send().await;
        let detail = answer.problem(422, "invalid-fields")["errors"][0]["detail"]
            .as_str()
            .unwrap();
        assert!(detail.contains(allowed), "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_score_is_a_whole_number_from_1_to_5() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    for (score, status, code) in [
        (json!(0), 422, "invalid-fields"),
        (json!(6), 422, "invalid-fields"),
        (json!(-1), 422, "invalid-fields"),
        (json!(4.5), 400, "malformed-request"),
        (json!("5"), 400, "malformed-request"),
        (json!(null), 422, "invalid-fields"),
    ] {
        let answer = desk
            .command(CUSTOMER, &id, "rate", &json!({ "score": score }))
            .send()
            .await;
        answer.problem(status, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_cannot_be_read_are_named() {
    let desk = Desk::open().await;
    let long = "k".repeat(256);
    for key in ["", "two words", "\u{e4}", &long] {
        let answer = desk.create(CUSTOMER, &sample("defect")).key(key).send().await;
        answer.problem_of(400, "malformed-request", &[("Idempotency-Key", "invalid")]);
    }
    desk.create(CUSTOMER, &sample("defect"))
        .key(&"k".repeat(255))
        .send()
        .await
        .expect(201);
    let id = desk.ticket("defect").await;
    for etag in ["seven", "\"1\", \"2\"", "\"-1\""] {
        let answer = desk
            .command(AGENT, &id, "accept", &json!({}))
            .if_match(etag)
            .send()
            .await;
        answer.problem_of(400, "malformed-request", &[("If-Match", "invalid")]);
    }
    let twice = desk
        .create(CUSTOMER, &sample("defect"))
        .key("one")
        .key("other")
        .send()
        .await;
    twice.problem_of(400, "malformed-request", &[("Idempotency-Key", "invalid")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_not_text_is_a_problem() {
    let desk = Desk::open().await;
    let answer = desk.post(AGENT, "/v1/tickets/%FF/accept", &json!({})).send().await;
    answer.problem(400, "malformed-request");
}
