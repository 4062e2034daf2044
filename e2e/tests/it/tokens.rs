//! Tokens of services, and what they are for.

use domain::policy::WaitPolicy;
use domain::token_scope::TokenScope;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::Clock as _;
use service_kit::tokens::TokenHash;
use test_harness::wait_until;

use crate::desk::Desk;
use crate::http::{Answer, LIMIT};
use crate::people::{ADMINISTRATOR, AGENT, CUSTOMER, Person};
use crate::routes::{For, ROUTES};

/// Gives somebody a profile.
async fn admit(desk: &Desk, person: Person, profile: Value) {
    let path = format!("/v1/users/{}", person.user);
    desk.api.put(&ADMINISTRATOR.token(), &path, &profile).await.expect(200);
    desk.caught_up().await;
}

async fn make(desk: &Desk, person: Person, wish: &Value) -> Answer {
    let path = format!("/v1/users/{}/tokens", person.user);
    desk.api.post(&ADMINISTRATOR.token(), &path, wish).await
}

async fn listed(desk: &Desk, person: Person) -> Answer {
    let path = format!("/v1/users/{}/tokens", person.user);
    desk.api.get(&ADMINISTRATOR.token(), &path).await.expect(200)
}

fn secret(made: &Answer) -> &str {
    made.body["token"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_a_service_is_made_shown_once_listed_and_revoked() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, json!({ "name": "Agent", "kind": "staff" })).await;
    let wish = json!({ "purpose": "Monitoring", "scopes": ["tickets:read"] });
    let made = make(&desk, AGENT, &wish).await.expect(201);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let hash = TokenHash::of(secret(&made)).to_string();
    assert_eq!(
        (&made.body["id"], &made.body["user"], &made.body["scopes"]),
        (&json!(hash), &json!(AGENT.user), &json!(["tickets:read"]))
    );
    // At once, in both services, and for no more than it says.
    desk.api.get(secret(&made), "/v1/tickets").await.expect(200);
    let ticket = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    let refused = desk.api.post(secret(&made), "/v1/tickets", &ticket).await.expect(403);
    assert_eq!(refused.body["code"], "insufficient-scope");
    assert_eq!(
        refused.header("www-authenticate"),
        Some("Bearer error=\"insufficient_scope\", scope=\"tickets:write\"")
    );
    let me = desk.api.get(secret(&made), "/v1/me").await.expect(200);
    assert_eq!(
        (&me.body["name"], &me.body["scopes"], &me.body["viewed_by"]),
        (&json!("Agent"), &json!(["tickets:read"]), &Value::Null)
    );

    let shown = listed(&desk, AGENT).await;
    let item = shown.items().iter().find(|item| item["id"] == json!(hash)).unwrap();
    assert_eq!(
        (
            &item["purpose"],
            &item["scopes"],
            &item["expires_at"],
            &item["revoked_at"]
        ),
        (
            &json!("Monitoring"),
            &json!(["tickets:read"]),
            &Value::Null,
            &Value::Null
        )
    );
    assert!(!shown.body.to_string().contains("rct_"), "{}", shown.body);

    let path = made.header("location").unwrap().to_owned();
    desk.api.delete(&AGENT.token(), &path).await.expect(403);
    let elsewhere = path.replace(&AGENT.user.to_string(), &ADMINISTRATOR.user.to_string());
    desk.api.delete(&ADMINISTRATOR.token(), &elsewhere).await.expect(404);
    desk.clock.advance(SignedDuration::from_secs(1));
    for _ in 0..2 {
        desk.api.delete(&ADMINISTRATOR.token(), &path).await.expect(204);
    }
    desk.api.post(secret(&made), "/v1/tickets", &ticket).await.expect(401);
    wait_until("the query service to forget the token", LIMIT, async || {
        desk.api.get(secret(&made), "/v1/tickets").await.status == 401
    })
    .await;
    let shown = listed(&desk, AGENT).await;
    let item = shown.items().iter().find(|item| item["id"] == json!(hash)).unwrap();
    assert!(item["revoked_at"].is_string(), "{item}");

    let path = format!("/v1/users/{}/audit", AGENT.user);
    let audit = desk.api.get(&ADMINISTRATOR.token(), &path).await.expect(200);
    let events: Vec<_> = audit
        .items()
        .iter()
        .map(|item| (item["event"].as_str().unwrap(), &item["by"]))
        .collect();
    let by = json!(ADMINISTRATOR.user);
    assert_eq!(events, [("token_revoked", &by), ("token_made", &by)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_over_at_its_time_and_what_makes_no_sense_is_refused() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, CUSTOMER, json!({ "name": "Customer", "kind": "customer" })).await;
    let end = desk.clock.now() + SignedDuration::from_secs(60);
    let made = make(&desk, CUSTOMER, &json!({ "expires_at": end.to_string() }))
        .await
        .expect(201);
    assert_eq!(made.body["scopes"], Value::Null);
    desk.api.get(secret(&made), "/v1/tickets").await.expect(200);
    desk.clock.advance(SignedDuration::from_secs(60));
    desk.api.get(secret(&made), "/v1/tickets").await.expect(401);
    desk.api
        .post(secret(&made), "/v1/tickets", &json!({}))
        .await
        .expect(401);

    for (wish, status, pointer) in [
        (json!({ "scopes": [] }), 422, "/scopes"),
        (json!({ "scopes": ["tickets:burn"] }), 422, "/scopes"),
        (json!({ "scopes": "tickets:read" }), 400, "/scopes"),
        (json!({ "expires_at": end.to_string() }), 422, "/expires_at"),
        (json!({ "purpose": "" }), 422, "/purpose"),
    ] {
        let refused = make(&desk, CUSTOMER, &wish).await.expect(status);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{wish}");
    }
    // Nobody is nobody's user.
    make(&desk, AGENT, &json!({})).await.expect(404);
}

/// The scope that a route needs, as the documentation says it: `None` for what needs none.
fn needed(method: &str, path: &str) -> Option<&'static str> {
    const FOR_ALL: [&str; 3] = ["/v1/me", "/v1/permissions", "/v1/portal"];
    const WAYS_IN: [&str; 8] = [
        "/v1/sessions",
        "/v1/password",
        "/v1/settings",
        "/v1/users/{id}/login",
        "/v1/users/{id}/invitation",
        "/v1/users/{id}/sessions",
        "/v1/users/{id}/tokens",
        "/v1/users/{id}/view-as",
    ];
    const DESK: [&str; 4] = ["/v1/calendars", "/v1/policies", "/v1/workflows", "/v1/projections"];
    const TICKETS: [&str; 5] = [
        "/v1/tickets",
        "/v1/commands",
        "/v1/dashboard",
        "/v1/events",
        "/v1/digests",
    ];
    const POWERS: [&str; 4] = ["/v1/users", "/v1/groups", "/v1/roles", "/v1/permission-sets"];
    if FOR_ALL.contains(&path) {
        return None;
    }
    if WAYS_IN.iter().any(|way| path.starts_with(way)) {
        return Some("none of them");
    }
    let names_powers = POWERS
        .iter()
        .any(|place| path == *place || path == format!("{place}/{{id}}"));
    if method != "GET" && names_powers {
        return Some("none of them");
    }
    match path {
        "/v1/policies/rehearse" => return Some("tickets:read"),
        "/v1/policies/{id}/re-evaluate" => return Some("tickets:write"),
        _ => {}
    }
    let area = |paths: &[&str]| paths.iter().any(|area| path.starts_with(area));
    let reads = method == "GET" || path.ends_with("/explain");
    Some(match (area(&TICKETS), area(&DESK), reads) {
        (true, _, true) => "tickets:read",
        (true, _, false) => "tickets:write",
        (false, true, true) => "desk:read",
        (false, true, false) => "desk:write",
        (false, false, true) => "directory:read",
        (false, false, false) => "directory:write",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_scopes_does_on_every_route_what_they_say_and_nothing_else() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let everything = json!({
        "name": "Administrator", "kind": "staff",
        "permissions": ["administer", "close_any", "import", "view_as"],
    });
    admit(&desk, ADMINISTRATOR, everything).await;
    let wrong = TokenScope::ALL.map(async |scope| {
        let scope = scope.as_str();
        let made = make(&desk, ADMINISTRATOR, &json!({ "scopes": [scope] }))
            .await
            .expect(201);
        let mut wrong = Vec::new();
        for (method, path, _) in ROUTES.iter().filter(|(_, _, route)| *route != For::Public) {
            let status = ask(&desk, secret(&made), method, path).await;
            let expected = needed(method, path).is_none_or(|needed| needed == scope);
            if expected == status.is_some() {
                wrong.push(format!("{scope}: {method} {path}: {status:?}"));
            }
        }
        wrong
    });
    let wrong = futures::future::join_all(wrong).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The header with which a token is refused because of its scopes. Nothing is done: there is no such thing, or the body is
/// nonsense.
async fn ask(desk: &Desk, token: &str, method: &str, template: &str) -> Option<String> {
    let path = template
        .replace("{id}", "9b2d1c66-1f6c-4f0e-9d1b-6f2c3a4b5c6d")
        .replace("{name}", "supportal")
        .replace("{permission}", "import");
    let method: Method = method.parse().unwrap();
    let mut request = desk.api.anonymous(method.clone(), &path).bearer_auth(token);
    if method == Method::POST || method == Method::PUT {
        request = request.json(&json!({ "nonsense": true }));
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate").cloned();
    assert!(status < 500 && status != 401, "{method} {path}: {status}");
    (status == 403).then(|| challenge.unwrap().to_str().unwrap().to_owned())
}
