//! Staff who look at the desk through a customer's eyes.

use domain::policy::WaitPolicy;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::tokens::TokenHash;
use test_harness::wait_until;
use uuid::Uuid;

use crate::desk::Desk;
use crate::http::{Answer, LIMIT};
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, GROUP, PEER, STRANGER};

const SET: Uuid = Uuid::from_u128(0x5e7);

async fn write(desk: &Desk, path: String, profile: Value) {
    desk.api.put(&ADMINISTRATOR.token(), &path, &profile).await.expect(200);
}

/// Gives the customer and the agent profiles; the agent may look, or not.
async fn admit(desk: &Desk, may_look: bool) {
    let set = json!({ "name": "Looking", "permissions": ["view_as"], "archived": !may_look });
    write(desk, format!("/v1/permission-sets/{SET}"), set).await;
    let agent = json!({ "name": "Agent", "kind": "staff", "groups": [GROUP] });
    write(desk, format!("/v1/users/{}", AGENT.user), agent).await;
    let group = json!({ "name": "First line", "permission_sets": [SET] });
    write(desk, format!("/v1/groups/{GROUP}"), group).await;
    let customer = json!({ "name": "Customer", "kind": "customer", "organisation": CLIENT });
    write(desk, format!("/v1/users/{}", CUSTOMER.user), customer).await;
    desk.caught_up().await;
}

async fn begin(desk: &Desk, token: &str, user: Uuid) -> Answer {
    let path = format!("/v1/users/{user}/view-as");
    desk.api.post(token, &path, &json!({})).await
}

async fn view(desk: &Desk) -> String {
    let begun = begin(desk, &AGENT.token(), CUSTOMER.user).await.expect(201);
    assert_eq!(begun.header("cache-control"), Some("no-store"));
    assert_eq!(begun.body["user"], json!(CUSTOMER.user));
    begun.body["token"].as_str().unwrap().to_owned()
}

/// Waits until the query service refuses the token, and holds that command-service has done so before.
async fn over(desk: &Desk, token: &str) {
    desk.api.get(token, "/v1/sessions").await.expect(401);
    wait_until("the query service to refuse the view", LIMIT, async || {
        desk.api.get(token, "/v1/tickets").await.status == 401
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_shows_what_the_customer_sees_and_changes_nothing() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, true).await;
    let body = |subject: &str| json!({ "subject": subject, "description": "It says 500.", "type": "defect" });
    let theirs = desk
        .api
        .post(&PEER.token(), "/v1/tickets", &body("Export"))
        .await
        .expect(201);
    desk.api
        .post(&STRANGER.token(), "/v1/tickets", &body("Import"))
        .await
        .expect(201);
    let internal = json!({ "body": "Not for customers.", "visibility": "internal" });
    let ticket = format!("/v1/tickets/{}", theirs.id());
    desk.api
        .post(&AGENT.token(), &format!("{ticket}/comment"), &internal)
        .await
        .expect(200);
    desk.caught_up().await;

    let token = view(&desk).await;
    for path in [
        "/v1/tickets?count=exact",
        "/v1/dashboard",
        &ticket,
        &format!("{ticket}/timeline"),
        "/v1/events",
    ] {
        let (seen, own) = (
            desk.api.get(&token, path).await,
            desk.api.get(&CUSTOMER.token(), path).await,
        );
        assert_eq!(seen.expect(200).body, own.expect(200).body, "{path}");
    }
    desk.api.get(&token, "/v1/users").await.expect(403);
    let me = desk.api.get(&token, "/v1/me").await.expect(200).body;
    let own = desk.api.get(&CUSTOMER.token(), "/v1/me").await.expect(200).body;
    assert_eq!(
        (&me["id"], &me["viewed_by"]["id"], &own["viewed_by"], &own["scopes"]),
        (&json!(CUSTOMER.user), &json!(AGENT.user), &Value::Null, &Value::Null)
    );
    let refused = desk.api.post(&token, "/v1/tickets", &body("Export")).await.expect(403);
    assert_eq!(refused.body["code"], "viewing-only");
    for (method, path) in [
        (Method::POST, format!("{ticket}/comment")),
        (Method::POST, "/v1/commands".to_owned()),
        (Method::PUT, "/v1/password".to_owned()),
        (Method::DELETE, format!("/v1/sessions/{}", Uuid::nil())),
        (Method::POST, format!("/v1/users/{}/view-as", CUSTOMER.user)),
    ] {
        let request = desk.api.anonymous(method, &path).bearer_auth(&token);
        let body = json!({ "password": "correct horse battery", "new_password": "staple, and correct" });
        let refused = request.json(&body).send().await.unwrap();
        assert_eq!(refused.status(), 403, "{path}");
        assert_eq!(refused.json::<Value>().await.unwrap()["code"], "viewing-only", "{path}");
    }
    // It is no session of the customer's.
    assert_eq!(
        desk.api
            .get(&CUSTOMER.token(), "/v1/sessions")
            .await
            .expect(200)
            .items()
            .len(),
        0
    );

    desk.api.delete(&token, "/v1/sessions/current").await.expect(204);
    over(&desk, &token).await;
    let audit = async |user: Uuid| {
        let path = format!("/v1/users/{user}/audit");
        let audit = desk.api.get(&ADMINISTRATOR.token(), &path).await.expect(200);
        let told = audit
            .items()
            .iter()
            .map(|item| (item["event"].clone(), item["by"].clone(), item["whom"].clone()));
        let mut told: Vec<_> = told.map(|told| serde_json::to_value(told).unwrap()).collect();
        told.sort_by_key(Value::to_string);
        told
    };
    let [began, ended] = ["view_began", "view_ended"];
    assert_eq!(
        audit(CUSTOMER.user).await,
        [json!([began, AGENT.user, null]), json!([ended, AGENT.user, null])]
    );
    assert_eq!(
        audit(AGENT.user).await,
        [json!([began, null, CUSTOMER.user]), json!([ended, null, CUSTOMER.user])]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_over_once_its_viewer_may_not_look_or_the_time_is_up() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, true).await;
    let token = view(&desk).await;
    desk.api.get(&token, "/v1/tickets").await.expect(200);
    admit(&desk, false).await;
    over(&desk, &token).await;
    begin(&desk, &AGENT.token(), CUSTOMER.user).await.expect(403);

    admit(&desk, true).await;
    let token = view(&desk).await;
    desk.api.get(&token, "/v1/tickets").await.expect(200);
    let tokens = desk.log.tokens();
    let hash = TokenHash::of(&AGENT.token());
    tokens.forget(hash).await.unwrap();
    wait_until(
        "the token that the view began with to be forgotten",
        LIMIT,
        async || desk.api.get(&AGENT.token(), "/v1/sessions").await.status == 401,
    )
    .await;
    over(&desk, &token).await;

    tokens.put(hash, &AGENT.grant()).await.unwrap();
    let token = view(&desk).await;
    desk.clock.advance(SignedDuration::from_secs(30 * 60 - 1));
    desk.api.get(&token, "/v1/tickets").await.expect(200);
    desk.clock.advance(SignedDuration::from_secs(1));
    desk.api.get(&token, "/v1/tickets").await.expect(401);
    desk.api.get(&token, "/v1/sessions").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_customers_who_come_in_are_viewed_as() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, true).await;
    let agent = AGENT.token();
    begin(&desk, &agent, AGENT.user).await.expect(403);
    begin(&desk, &agent, Uuid::from_u128(0xdead)).await.expect(404);
    begin(&desk, &ADMINISTRATOR.token(), CUSTOMER.user).await.expect(403);
    begin(&desk, &CUSTOMER.token(), PEER.user).await.expect(403);
    let disabled = json!({ "name": "Customer", "kind": "customer", "enabled": false });
    let token = view(&desk).await;
    write(&desk, format!("/v1/users/{}", CUSTOMER.user), disabled).await;
    over(&desk, &token).await;
    let refused = begin(&desk, &agent, CUSTOMER.user).await.expect(403);
    assert_eq!(refused.body["code"], "account-disabled");

    admit(&desk, true).await;
    let token = view(&desk).await;
    let promoted = json!({ "name": "Customer", "kind": "staff", "permissions": ["administer"] });
    write(&desk, format!("/v1/users/{}", CUSTOMER.user), promoted).await;
    over(&desk, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_begins_many_views_keeps_the_last_twenty() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, true).await;
    let first = view(&desk).await;
    desk.clock.advance(SignedDuration::from_secs(1));
    for _ in 0..19 {
        view(&desk).await;
    }
    desk.api.get(&first, "/v1/sessions").await.expect(200);
    view(&desk).await;
    over(&desk, &first).await;
}
