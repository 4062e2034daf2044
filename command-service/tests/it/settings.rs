//! What users choose for themselves.

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{ADMINISTRATOR, AGENT, Answer, CUSTOMER, Desk, Person};

async fn settings(desk: &Desk, person: Person) -> Value {
    let call = desk.request(Method::GET, "/v1/settings").by(person);
    call.send().await.expect(200).body
}

async fn choose(desk: &Desk, person: Person, body: &Value) -> Answer {
    let call = desk.request(Method::PUT, "/v1/settings").by(person);
    call.body("application/json", body.to_string()).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_chooses_is_theirs_and_what_they_leave_out_is_as_usual() {
    let desk = Desk::open().await;
    let usual = settings(&desk, AGENT).await;
    assert_eq!(
        (&usual["theme"], &usual["language"]),
        (&json!("system"), &Value::Null),
        "{usual}"
    );
    let notices = usual["notices"].as_object().unwrap();
    assert!(notices.len() > 10 && notices.values().all(|on| *on == true), "{usual}");

    let wish = json!({ "theme": "dark", "language": "es", "notices": { "comment": false, "closed": true } });
    let answer = choose(&desk, AGENT, &wish).await.expect(200);
    let mut chosen = usual.clone();
    chosen["theme"] = json!("dark");
    chosen["language"] = json!("es");
    chosen["notices"]["comment"] = json!(false);
    assert_eq!(answer.body, chosen);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    assert_eq!(settings(&desk, AGENT).await, chosen);
    assert_eq!(settings(&desk, CUSTOMER).await, usual);
    // What was answered can be sent.
    assert_eq!(choose(&desk, AGENT, &chosen).await.expect(200).body, chosen);
    choose(&desk, AGENT, &json!({ "theme": "light" })).await.expect(200);
    let empty = json!({ "theme": null, "language": null, "notices": null });
    assert_eq!(choose(&desk, AGENT, &empty).await.expect(200).body, usual);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_chosen_is_named_and_changes_nothing() {
    let desk = Desk::open().await;
    choose(&desk, AGENT, &json!({ "theme": "dark" })).await.expect(200);
    let wrong = json!({ "theme": 1, "colour": "red", "notices": { "dreams": false, "a/b": true, "comment": "off" } });
    let fields = [
        ("/theme", "wrong_type"),
        ("/colour", "unknown_field"),
        ("/notices/dreams", "unknown_field"),
        ("/notices/a~1b", "unknown_field"),
        ("/notices/comment", "wrong_type"),
    ];
    choose(&desk, AGENT, &wrong)
        .await
        .problem_of(400, "malformed-request", &fields);
    let invalid = json!({ "theme": "sepia", "language": "tlh" });
    let fields = [("/theme", "invalid"), ("/language", "invalid")];
    choose(&desk, AGENT, &invalid)
        .await
        .problem_of(422, "invalid-fields", &fields);
    let nothing = choose(&desk, AGENT, &json!({})).await;
    nothing.problem_of(422, "invalid-fields", &[("", "required")]);
    let many: serde_json::Map<String, Value> = (0..1_000).map(|n| (format!("dream {n}"), json!(true))).collect();
    let many = choose(&desk, AGENT, &json!({ "notices": many })).await;
    let errors = many.problem(400, "malformed-request")["errors"].as_array().unwrap();
    assert!(errors.len() < 100, "{}", errors.len());
    let list = choose(&desk, AGENT, &json!({ "notices": ["comment"] })).await;
    list.problem_of(400, "malformed-request", &[("/notices", "wrong_type")]);
    let call = desk.request(Method::GET, "/v1/settings?user=1").by(AGENT);
    call.send().await.expect(400);
    assert_eq!(settings(&desk, AGENT).await["theme"], "dark");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_through_a_customers_eyes_sees_their_settings_and_changes_none() {
    let desk = Desk::open().await;
    let put = |path: String, body: Value| {
        let call = desk.request(Method::PUT, &path).by(ADMINISTRATOR);
        call.body("application/json", body.to_string()).send()
    };
    let customer = CUSTOMER.user();
    let carol = json!({ "name": "Carol", "kind": "customer" });
    put(format!("/v1/users/{customer}"), carol).await.expect(200);
    let looker = json!({ "name": "Ada", "kind": "staff", "permissions": ["view_as"] });
    put(format!("/v1/users/{}", AGENT.user()), looker).await.expect(200);
    choose(&desk, CUSTOMER, &json!({ "theme": "dark" })).await.expect(200);
    let view = desk.request(Method::POST, &format!("/v1/users/{customer}/view-as"));
    let view = view.by(AGENT).send().await.expect(201);
    let bearer = format!("Bearer {}", view.body["token"].as_str().unwrap());
    let look = |method| desk.request(method, "/v1/settings").header("Authorization", &bearer);
    assert_eq!(look(Method::GET).send().await.expect(200).body["theme"], "dark");
    let change = look(Method::PUT).body("application/json", "{}").send().await;
    change.problem(403, "viewing-only");
}
