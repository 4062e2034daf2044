//! Policies: created, changed, refused.

use std::future::pending;
use std::time::Duration;

use event_log::Source;
use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{AGENT, Answer, CUSTOMER, Call, Desk};

fn gold() -> Value {
    json!({
        "name": "Gold",
        "scope": { "type": "outage", "priority": "critical" },
        "targets": {
            "first_response": { "within": { "elapsed": "PT30M" } },
            "resolution": {
                "within": { "working": "PT8H" }, "paused_in": ["waiting_for_info"], "warn_percent": null,
                "on_breach": [
                    { "action": "raise_priority", "priority": "critical" },
                    { "action": "reassign", "group": "11111111-1111-1111-1111-111111111111" },
                    { "action": "notify", "whom": "followers", "delivery": "working_hours" },
                ],
            },
        },
        "closure": { "elapsed": "PT24H" },
        "reply_resumes": false,
    })
}

fn with(mut policy: Value, field: &str, value: Value) -> Value {
    policy[field] = value;
    policy
}

/// A policy for the tickets of one service.
fn for_service(service: &str) -> Value {
    with(gold(), "scope", json!({ "service": service }))
}

fn post(desk: &Desk, body: &Value) -> Call {
    desk.post(AGENT, "/v1/policies", body)
}

fn put(desk: &Desk, id: &str, body: &Value) -> Call {
    let call = desk.request(Method::PUT, &format!("/v1/policies/{id}")).by(AGENT);
    call.body("application/json", body.to_string())
}

fn essence(answer: &Answer) -> (u16, &Value, [Option<&str>; 3]) {
    let headers = ["Location", "ETag", "Commit-Position"].map(|name| answer.header(name));
    (answer.status, &answer.body, headers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_created_once_for_each_key() {
    let desk = Desk::open().await;
    let create = || post(&desk, &gold()).key("p-1");
    let first = create().send().await.expect(201);
    let id = first.id();
    assert_eq!(
        first.body,
        json!({ "id": id, "name": "Gold", "version": 1, "revision": 1, "in_force": true })
    );
    assert_eq!(first.header("ETag"), Some("\"1\""));
    assert_eq!(first.header("Location"), Some(format!("/v1/policies/{id}").as_str()));
    assert!(first.header("Commit-Position").unwrap().starts_with("65535:"));
    put(&desk, &id, &with(gold(), "name", "Silver".into()))
        .send()
        .await
        .expect(200);
    let again = create().send().await;
    assert_eq!(essence(&first), essence(&again));
    assert!(again.replayed() && !first.replayed());
    let other = post(&desk, &for_service("mail")).key("p-1").send().await;
    other.problem(422, "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_a_version_and_none_is_made_for_nothing() {
    let desk = Desk::open().await;
    let id = post(&desk, &gold()).send().await.expect(201).id();
    let silver = with(gold(), "name", "Silver".into());
    let change = || put(&desk, &id, &silver).if_match("\"1\"").key("c");
    let changed = change().send().await.expect(200);
    assert_eq!(
        (&changed.body["version"], &changed.body["name"]),
        (&json!(2), &json!("Silver"))
    );
    let unchanged = put(&desk, &id, &silver).send().await.expect(200);
    assert_eq!(unchanged.header("ETag"), Some("\"2\""));
    assert!(!unchanged.replayed());
    let stale = put(&desk, &id, &gold()).if_match("\"1\"").send().await;
    assert_eq!(stale.problem(412, "revision-mismatch")["revision"], 2);
    let replayed = change().send().await;
    assert!(replayed.replayed());
    assert_eq!(essence(&changed), essence(&replayed));
    put(&desk, &id, &gold())
        .key("c")
        .send()
        .await
        .problem(422, "idempotency-key-reused");
    // All policies have one history, in which a key stands for one of them.
    let other = post(&desk, &for_service("mail")).send().await.expect(201).id();
    let elsewhere = put(&desk, &other, &silver).key("c").send().await;
    elsewhere.problem(422, "idempotency-key-reused");
    for id in ["tea-time", "00000000-0000-0000-0000-000000000000"] {
        put(&desk, id, &gold()).send().await.problem(404, "policy-not-found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_staff_write() {
    let desk = Desk::open().await;
    let id = post(&desk, &gold()).send().await.expect(201).id();
    for (method, path) in [
        (Method::POST, "/v1/policies".to_owned()),
        (Method::PUT, format!("/v1/policies/{id}")),
    ] {
        let call = desk.request(method.clone(), &path).by(CUSTOMER);
        let answer = call.body("application/json", "{}").send().await;
        answer.problem(403, "not-permitted");
        let call = desk.request(method, &path);
        let answer = call.body("application/json", "{}").send().await;
        answer.problem(401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_policies_are_for_the_same_tickets() {
    let desk = Desk::open().await;
    let first = post(&desk, &gold()).send().await.expect(201).id();
    let twin = with(gold(), "name", "Twin".into());
    let refused = post(&desk, &twin).send().await;
    let taken = refused.problem(409, "policy-scope-taken");
    assert_eq!(taken["policy"], json!({ "id": first, "name": "Gold" }));
    let other = post(&desk, &for_service("mail")).send().await.expect(201).id();
    put(&desk, &other, &twin)
        .send()
        .await
        .problem(409, "policy-scope-taken");
    // Out of force, a policy leaves its tickets to another.
    let retired = with(gold(), "in_force", false.into());
    let retired = put(&desk, &first, &retired).send().await.expect(200);
    assert_eq!(retired.body["in_force"], false);
    put(&desk, &other, &twin).send().await.expect(200);
    put(&desk, &first, &gold())
        .send()
        .await
        .problem(409, "policy-scope-taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_the_same_tickets_at_once_one_gets_them() {
    let desk = Desk::open().await;
    let calls = (0..8).map(|n| post(&desk, &with(gold(), "name", format!("Policy {n}").into())).send());
    let answers = futures::future::join_all(calls).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "policy-scope-taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_at_once_all_become_versions() {
    const WRITERS: u64 = 6;
    let desk = Desk::open().await;
    let id = post(&desk, &gold()).send().await.expect(201).id();
    let calls = (0..WRITERS).map(|n| put(&desk, &id, &with(gold(), "name", format!("Gold {n}").into())).send());
    let mut versions: Vec<u64> = futures::future::join_all(calls)
        .await
        .into_iter()
        .map(|answer| answer.expect(200).body["version"].as_u64().unwrap())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..2 + WRITERS).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_acknowledgements_get_lost_each_change_is_made_once() {
    const CHANGES: u64 = 12;
    let desk = Desk::open().await;
    let id = post(&desk, &gold()).send().await.expect(201).id();
    for n in 0..CHANGES {
        let body = with(gold(), "name", format!("Gold {n}").into());
        let change = async {
            loop {
                let answer = put(&desk, &id, &body).key(&format!("wish-{n}")).send().await;
                if answer.status != 503 {
                    break answer.expect(200);
                }
            }
        };
        // At another place of load, append and acknowledgement each time.
        let breaks = async {
            tokio::time::timeout(Duration::from_micros(400 * n), pending::<()>())
                .await
                .unwrap_err();
            desk.proxy.disconnect();
        };
        let (answer, ()) = tokio::join!(change, breaks);
        assert_eq!(answer.body["version"], 2 + n);
    }
    assert_eq!(desk.log.last_sequence(Source::Directory).await.unwrap(), 1 + CHANGES);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_a_policy_is_told_at_once() {
    let desk = Desk::open().await;
    let wrong = json!({
        "name": 5, "in_force": "yes", "scope": { "type": "tea", "organisation": "we", "colour": "red" },
        "targets": {
            "first_response": { "within": "PT1H", "warn_percent": "80" },
            "next_response": {},
            "third_response": {},
            "resolution": {
                "within": { "working": "P1D" }, "paused_in": ["asleep", 7],
                "on_breach": [{ "action": "sing" }, "notify", { "action": "notify" }, { "action": "raise_priority", "priority": "most" }],
            },
        },
        "information": { "working": "PT1H", "elapsed": "PT1H" }, "closure": {},
    });
    let answer = post(&desk, &wrong).send().await;
    let errors = [
        ("/name", "wrong_type"),
        ("/in_force", "wrong_type"),
        ("/information", "conflict"),
        ("/closure", "required"),
        ("/scope/colour", "unknown_field"),
        ("/scope/organisation", "invalid"),
        ("/scope/type", "invalid"),
        ("/targets/third_response", "unknown_field"),
        ("/targets/first_response/within", "wrong_type"),
        ("/targets/first_response/warn_percent", "wrong_type"),
        ("/targets/next_response/within", "required"),
        ("/targets/resolution/within/working", "invalid"),
        ("/targets/resolution/paused_in/0", "invalid"),
        ("/targets/resolution/paused_in/1", "wrong_type"),
        ("/targets/resolution/on_breach/0/action", "invalid"),
        ("/targets/resolution/on_breach/1", "wrong_type"),
        ("/targets/resolution/on_breach/2/whom", "required"),
        ("/targets/resolution/on_breach/3/priority", "invalid"),
    ];
    answer.problem_of(400, "malformed-request", &errors);
    let wrong = json!({
        "name": " ", "calendar": "00000000-0000-0000-0000-000000000000",
        "targets": {
            "first_response": { "within": { "elapsed": "PT0S" }, "warn_percent": 100 },
            "resolution": {
                "within": { "working": "PT20000H" }, "warn_percent": 1000,
                "paused_in": ["closed", "new", "in_progress", "waiting_for_info", "waiting_for_fix", "waiting_for_implementation", "waiting_for_closure", "reopened"],
            },
        },
        "information": { "elapsed": "PT10001H" },
    });
    let flaws = [
        ("/calendar", "unknown"),
        ("/targets/first_response/within", "out_of_range"),
        ("/targets/first_response/warn_percent", "out_of_range"),
        ("/targets/resolution/within", "out_of_range"),
        ("/targets/resolution/warn_percent", "out_of_range"),
        ("/targets/resolution/paused_in", "closed"),
        ("/targets/resolution/paused_in", "never_runs"),
        ("/information", "out_of_range"),
    ];
    let answer = post(&desk, &wrong).send().await;
    let errors: Vec<_> = [("/name", "invalid")].into_iter().chain(flaws).collect();
    answer.problem_of(422, "invalid-fields", &errors);
    // The rules tell the same of what could be read.
    let answer = post(&desk, &with(wrong, "name", "Gold".into())).send().await;
    answer.problem_of(422, "invalid-fields", &flaws);
}

#[tokio::test(flavor = "multi_thread")]
async fn working_time_is_that_of_a_calendar_which_must_have_enough_of_it() {
    let desk = Desk::open().await;
    let sundays = json!({ "name": "Sundays", "time_zone": "UTC", "week": { "sun": [["02:00", "03:00"]] } });
    let created = desk.post(AGENT, "/v1/calendars", &sundays).send().await.expect(201);
    let policy = with(gold(), "calendar", created.id().into());
    post(&desk, &policy).key("p").send().await.expect(201);
    let long = json!({ "resolution": { "within": { "working": "PT9000H" } } });
    let answer = post(&desk, &with(with(policy, "targets", long.clone()), "scope", json!({})))
        .send()
        .await;
    answer.problem_of(
        422,
        "invalid-fields",
        &[("/targets/resolution/within", "too_little_work")],
    );
    // Without a calendar all time is working time.
    let answer = post(&desk, &with(with(gold(), "targets", long), "scope", json!({})))
        .send()
        .await;
    answer.expect(201);
}
