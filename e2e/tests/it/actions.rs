//! What somebody did, and from where.

use domain::actor::Actor;
use domain::policy::WaitPolicy;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::clock::Clock as _;
use test_harness::wait_until;
use uuid::Uuid;

use crate::desk::Desk;
use crate::http::{Answer, LIMIT};
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, IMPORTER, Person};

/// What the administrator is told that somebody did, once it is known from where.
async fn done(desk: &Desk, person: Person, query: &str) -> Answer {
    desk.caught_up().await;
    let path = format!("/v1/users/{}/actions?{query}", person.user);
    wait_until("the origins to be known", LIMIT, async || {
        let answer = desk.api.get(&ADMINISTRATOR.token(), &path).await.expect(200);
        let unknown = answer.items().iter().any(|item| item["address"].is_null());
        if unknown { Err(answer.body) } else { Ok(answer) }
    })
    .await
}

fn events(answer: &Answer) -> Vec<Value> {
    answer.items().iter().map(|item| item["events"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_what_somebody_did_in_order_and_from_where() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    let created = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket)
        .await
        .expect(201);
    let path = format!("/v1/tickets/{}", created.id());
    let accept = desk
        .api
        .anonymous(Method::POST, &format!("{path}/accept"))
        .bearer_auth(AGENT.token())
        .header("User-Agent", "desk/1.0")
        .header("X-Forwarded-For", "203.0.113.7")
        .json(&json!({}));
    assert_eq!(accept.send().await.unwrap().status(), 200);
    desk.clock.advance(SignedDuration::from_mins(1));
    let at = desk.clock.now();
    let comment = json!({ "command": "comment", "ticket": created.id(), "key": "a", "body": { "body": "Yes.", "visibility": "public" } });
    let results = desk.api.bulk(&AGENT.token(), &[comment]).await;
    assert_eq!(results[0]["status"], 200, "{}", results[0]);
    desk.clock.advance(SignedDuration::from_mins(1));
    let project = json!({ "name": "Migration" });
    let project = desk
        .api
        .post(&AGENT.token(), "/v1/projects", &project)
        .await
        .expect(201);
    desk.clock.advance(SignedDuration::from_mins(1));
    let ask = json!({ "comment": "Which one?" });
    desk.api
        .post(&AGENT.token(), &format!("{path}/request-info"), &ask)
        .await
        .expect(200);
    let told = done(&desk, AGENT, "").await;
    assert_eq!(
        events(&told),
        [
            json!(["information_requested"]),
            json!(["project_written"]),
            json!(["commented"]),
            json!(["accepted"])
        ]
    );
    let [_, of_project, in_bulk, accepted] = told.items() else {
        panic!("{}", told.body)
    };
    assert_eq!(
        (&accepted["address"], &accepted["forwarded_for"], &accepted["agent"]),
        (&json!("127.0.0.1"), &json!("203.0.113.7"), &json!("desk/1.0"))
    );
    assert_eq!(
        accepted["on"],
        json!({ "kind": "ticket", "id": created.id(), "number": 1, "name": null, "version": 2 })
    );
    assert_eq!(in_bulk["address"], "127.0.0.1");
    assert_eq!(
        of_project["on"],
        json!({ "kind": "project", "id": project.id(), "number": null, "name": "Migration", "version": 1 })
    );
    assert_eq!(of_project["address"], "127.0.0.1");

    let early = done(&desk, AGENT, &format!("to={at}")).await;
    assert_eq!(events(&early), [json!(["accepted"])]);
    let late = done(&desk, AGENT, &format!("from={at}")).await;
    assert_eq!(late.items().len(), 3);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = done(&desk, AGENT, &format!("limit=1{cursor}")).await;
        paged.extend(events(&page));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, events(&told), "page by page");
    let unknown = format!("/v1/users/{}/actions", Uuid::from_u128(0xdead));
    desk.api.get(&ADMINISTRATOR.token(), &unknown).await.expect(404);
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_desk_does_by_itself_is_nobodys_action() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    let created = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket)
        .await
        .expect(201);
    let path = format!("/v1/tickets/{}", created.id());
    desk.api
        .post(&AGENT.token(), &format!("{path}/accept"), &json!({}))
        .await
        .expect(200);
    let ask = json!({ "comment": "Which one?" });
    desk.api
        .post(&AGENT.token(), &format!("{path}/request-info"), &ask)
        .await
        .expect(200);
    desk.clock.advance(SignedDuration::from_hours(24 * 60));
    wait_until("the ticket to be closed", LIMIT, async || {
        let status = desk.api.get(&AGENT.token(), &path).await.body["status"].clone();
        if status == "closed" { Ok(()) } else { Err(status) }
    })
    .await;
    let system = format!("/v1/users/{}/actions", Actor::SYSTEM);
    desk.api.get(&ADMINISTRATOR.token(), &system).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_somebody_writes_is_named_by_its_own_id_and_version() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let agent = AGENT.token();
    let write = async |path: &str, body: &Value| desk.api.post(&agent, path, body).await.expect(201);
    let week = json!({ "mon": [["09:00", "17:00"]] });
    let calendar = write(
        "/v1/calendars",
        &json!({ "name": "Desk", "time_zone": "UTC", "week": week }),
    )
    .await;
    let gold = json!({ "name": "Gold", "scope": { "priority": "critical" } });
    let first = write("/v1/policies", &gold).await;
    let second = write("/v1/policies", &json!({ "name": "Silver" })).await;
    let again = json!({ "name": "Silver", "in_force": false });
    desk.api
        .put(&agent, &format!("/v1/policies/{}", second.id()), &again)
        .await
        .expect(200);
    let contract = json!({ "workflow": "supportal" });
    desk.api
        .put(&agent, &format!("/v1/organisations/{CLIENT}/contract"), &contract)
        .await
        .expect(200);

    let told = done(&desk, AGENT, "limit=2").await;
    let next = told.body["next_cursor"].as_str().unwrap();
    let rest = done(&desk, AGENT, &format!("limit=200&cursor={next}")).await;
    // The clock stands still: what is of one instant comes in the order in which the log took it, the last first.
    let objects: Vec<Value> = told
        .items()
        .iter()
        .chain(rest.items())
        .map(|item| item["on"].clone())
        .collect();
    let object = |kind: &str, id: Value, name: Value, version: u64| json!({ "kind": kind, "id": id, "number": null, "name": name, "version": version });
    assert_eq!(
        objects,
        [
            object("organisation", json!(CLIENT), Value::Null, 1),
            object("policy", json!(second.id()), json!("Silver"), 2),
            object("policy", json!(second.id()), json!("Silver"), 1),
            object("policy", json!(first.id()), json!("Gold"), 1),
            object("calendar", json!(calendar.id()), json!("Desk"), 1),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_importer_does_in_anothers_name_is_what_the_importer_did() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = json!({
        "subject": "Export fails", "description": "It says 500.", "type": "defect",
        "on_behalf_of": { "id": CUSTOMER.user, "name": "Ada" },
    });
    desk.api
        .post(&IMPORTER.token(), "/v1/tickets", &ticket)
        .await
        .expect(201);
    let told = done(&desk, IMPORTER, "").await;
    assert_eq!(told.column("in_name_of"), [CUSTOMER.user.to_string()]);
    let nothing = done(&desk, CUSTOMER, "").await;
    assert_eq!(events(&nothing), Vec::<Value>::new(), "the customer did nothing");
}
