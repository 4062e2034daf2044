//! What was agreed with an organisation holds for its people and its tickets.

use domain::policy::WaitPolicy;
use serde_json::{Value, json};

use crate::desk::{Desk, at};
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, IMPORTER, PEER, STRANGER};

fn ticket() -> Value {
    json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" })
}

#[tokio::test(flavor = "multi_thread")]
async fn workflows_say_in_three_languages_what_statuses_are_called() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let workflows = desk.api.get(&CUSTOMER.token(), "/v1/workflows").await.expect(200);
    assert_eq!(workflows.column("name"), ["supportal", "cabinet", "simple"]);
    let cabinet = desk
        .api
        .get(&AGENT.token(), "/v1/workflows/cabinet")
        .await
        .expect(200)
        .body;
    let label = |status: &str, who: &str, language: &str| {
        let statuses = cabinet["statuses"].as_array().unwrap();
        let status = statuses.iter().find(|item| item["status"] == status).unwrap();
        status["labels"][who][language].as_str().unwrap().to_owned()
    };
    let russian =
        ["new", "in_progress", "waiting_for_closure", "closed"].map(|status| label(status, "customers", "ru"));
    assert_eq!(russian, ["В ожидании", "В обработке", "Выполнен", "Закрыт"]);
    assert_eq!(label("new", "staff", "en"), "Waiting");
    desk.api.get(&AGENT.token(), "/v1/workflows/other").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisations_tickets_take_the_commands_of_its_workflow() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let (staff, path) = (AGENT.token(), format!("/v1/organisations/{CLIENT}/contract"));
    let usual = desk.api.get(&staff, &path).await.expect(200);
    assert_eq!(
        (&usual.body["workflow"], &usual.body["version"]),
        (&json!("supportal"), &json!(0))
    );

    let agreed = desk
        .api
        .put(&staff, &path, &json!({ "workflow": "cabinet" }))
        .await
        .expect(200);
    assert_eq!(agreed.body["version"], 1);
    let again = desk
        .api
        .put(&staff, &path, &json!({ "workflow": "cabinet" }))
        .await
        .expect(200);
    assert_eq!(again.body["version"], 1, "nothing new was agreed");
    let created = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
        .await
        .expect(201);
    let command = |name: &str| format!("/v1/tickets/{}/{name}", created.id());
    desk.api.post(&staff, &command("accept"), &json!({})).await.expect(200);
    let words = json!({ "comment": "Which one?" });
    let refused = desk
        .api
        .post(&staff, &command("request-info"), &words)
        .await
        .expect(409);
    assert_eq!(refused.body["code"], "command-not-in-workflow");
    let allowed = refused.body["allowed_commands"].clone();
    assert!(!allowed.to_string().contains("request-info"), "{allowed}");
    desk.caught_up().await;
    let shown = desk
        .api
        .get(&staff, &format!("/v1/tickets/{}", created.id()))
        .await
        .expect(200);
    assert_eq!(shown.body["allowed_commands"], allowed);

    let other = desk
        .api
        .post(&STRANGER.token(), "/v1/tickets", &ticket())
        .await
        .expect(201);
    let other = |name: &str| format!("/v1/tickets/{}/{name}", other.id());
    desk.api.post(&staff, &other("accept"), &json!({})).await.expect(200);
    desk.api.post(&staff, &other("request-info"), &words).await.expect(200);
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_opened_while_support_lasts_and_worked_on_to_their_end() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let (staff, path) = (AGENT.token(), format!("/v1/organisations/{CLIENT}/contract"));
    let year =
        json!({ "workflow": "supportal", "support_from": "2026-01-01", "support_until": "2026-03-04T09:00:00Z" });
    desk.api.put(&staff, &path, &year).await.expect(200);
    let created = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
        .await
        .expect(201);

    // The contract says so, and so do a ticket, to staff, and what customers are told of themselves.
    let support = async || {
        desk.caught_up().await;
        let told = async |token: &str, path: &str| desk.api.get(token, path).await.expect(200).body["support"].clone();
        let contract = told(&staff, &path).await;
        let ticket = format!("/v1/tickets/{}", created.id());
        assert_eq!(told(&staff, &ticket).await, contract);
        assert_eq!(told(&CUSTOMER.token(), "/v1/me").await, contract);
        assert_eq!(told(&CUSTOMER.token(), &ticket).await, Value::Null, "it is for staff");
        assert_eq!(told(&STRANGER.token(), "/v1/me").await, "active");
        assert_eq!(told(&staff, "/v1/me").await, Value::Null);
        contract.as_str().unwrap().to_owned()
    };
    assert_eq!(support().await, "active");
    desk.clock.set(at("2026-03-04T09:00:00Z"));
    assert_eq!(support().await, "over");
    let refused = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
        .await
        .expect(409);
    assert_eq!(refused.body["code"], "support-period-expired");
    desk.api
        .post(&STRANGER.token(), "/v1/tickets", &ticket())
        .await
        .expect(201);
    let accept = format!("/v1/tickets/{}/accept", created.id());
    desk.api.post(&staff, &accept, &json!({})).await.expect(200);

    // Nor is anything opened before it begins.
    let later = json!({ "workflow": "supportal", "support_from": "2026-03-05" });
    desk.api.put(&staff, &path, &later).await.expect(200);
    assert_eq!(support().await, "not_begun");
    let refused = desk.api.post(&CUSTOMER.token(), "/v1/tickets", &ticket()).await;
    assert_eq!(refused.expect(409).code(), "support-period-expired");

    desk.api
        .put(&staff, &path, &json!({ "workflow": "supportal" }))
        .await
        .expect(200);
    desk.api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
        .await
        .expect(201);
    desk.caught_up().await;
    let versions = desk
        .api
        .get(&CUSTOMER.token(), &format!("{path}/versions"))
        .await
        .expect(200);
    assert_eq!(versions.items().len(), 3);
    assert!(versions.items()[0].get("support").is_none());
    assert_eq!(versions.items()[0]["support_until"], "2026-03-04T09:00:00Z");
    desk.api.get(&STRANGER.token(), &path).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_can_be_supported_for_less_time_than_their_organisation() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let (staff, path) = (AGENT.token(), format!("/v1/users/{}/contract", CUSTOMER.user));
    let period = json!({ "support_until": "2026-03-04T09:00:00Z" });
    let agreed = desk.api.put(&staff, &path, &period).await.expect(200);
    assert_eq!(agreed.body["user"], json!(CUSTOMER.user));
    let before = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
        .await
        .expect(201);
    desk.clock.set(at("2026-03-04T09:00:00Z"));
    let refused = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
        .await
        .expect(409);
    assert_eq!(refused.body["code"], "support-period-expired");
    let mut on_behalf = ticket();
    on_behalf["on_behalf_of"] = json!({ "id": CUSTOMER.user, "organisation": CLIENT });
    desk.api
        .post(&IMPORTER.token(), "/v1/tickets", &on_behalf)
        .await
        .expect(409);

    let of_peer = desk.api.post(&PEER.token(), "/v1/tickets", &ticket()).await.expect(201);
    desk.caught_up().await;
    for (id, support) in [(before.id(), "over"), (of_peer.id(), "active")] {
        let ticket = desk.api.get(&staff, &format!("/v1/tickets/{id}")).await.expect(200);
        assert_eq!(ticket.body["support"], support);
    }
    let then = format!("/v1/tickets/{}?as_of=2026-03-04T08:59:59Z", before.id());
    assert_eq!(desk.api.get(&staff, &then).await.expect(200).body["support"], "active");
    let shown = desk.api.get(&CUSTOMER.token(), &path).await.expect(200);
    assert_eq!(shown.body["support_until"], "2026-03-04T09:00:00Z");
    let versions = format!("{path}/versions");
    assert_eq!(desk.api.get(&staff, &versions).await.expect(200).items().len(), 1);
    desk.api.get(&PEER.token(), &path).await.expect(404);
    let workflow = json!({ "workflow": "cabinet", "support_until": null });
    let refused = desk.api.put(&staff, &path, &workflow).await.expect(400);
    assert_eq!(refused.body["errors"][0]["pointer"], "/workflow");
    let refused = desk.api.put(&staff, &path, &json!({})).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/support_until");
    desk.api.put(&CUSTOMER.token(), &path, &period).await.expect(403);
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_contract_is_told() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let path = format!("/v1/organisations/{CLIENT}/contract");
    let wrong = json!({ "workflow": "kanban", "support_from": "soon", "colour": 1 });
    let refused = desk.api.put(&AGENT.token(), &path, &wrong).await.expect(400);
    assert_eq!(refused.body["errors"].as_array().unwrap().len(), 3);
    let backwards = json!({ "workflow": "simple", "support_from": "2026-02-01", "support_until": "2026-01-01" });
    let refused = desk.api.put(&AGENT.token(), &path, &backwards).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/support_until");
    desk.api.put(&CUSTOMER.token(), &path, &json!({})).await.expect(403);
    desk.api
        .put(&AGENT.token(), "/v1/organisations/x/contract", &json!({}))
        .await
        .expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_is_opened_for_an_archived_organisation_and_all_that_was_stays() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let archive = async |archived: bool| {
        let organisation = json!({ "name": "Engines", "archived": archived });
        let path = format!("/v1/organisations/{CLIENT}");
        desk.api
            .put(&ADMINISTRATOR.token(), &path, &organisation)
            .await
            .expect(200);
    };
    archive(false).await;
    let token = CUSTOMER.token();
    let open = async |key: &str| desk.api.try_post(&token, "/v1/tickets", &ticket(), key).await.unwrap();
    let created = open("before").await.expect(201);
    archive(true).await;
    assert_eq!(open("after").await.expect(409).code(), "organisation-archived");
    let mut behalf = ticket();
    behalf["on_behalf_of"] = json!({ "id": CUSTOMER.user, "organisation": CLIENT });
    let refused = desk.api.post(&AGENT.token(), "/v1/tickets", &behalf).await.expect(409);
    assert_eq!(refused.code(), "organisation-archived");
    // What was done stays done, goes on, and is read; so does history that is brought from elsewhere.
    assert_eq!(open("before").await.expect(201).essence(), created.essence());
    let accept = format!("/v1/tickets/{}/accept", created.id());
    desk.api.post(&AGENT.token(), &accept, &json!({})).await.expect(200);
    let comment = format!("/v1/tickets/{}/comment", created.id());
    let words = json!({ "body": "Still here.", "visibility": "public" });
    desk.api.post(&token, &comment, &words).await.expect(200);
    desk.caught_up().await;
    assert_eq!(desk.api.get(&token, "/v1/tickets").await.expect(200).items().len(), 1);
    behalf["occurred_at"] = json!("2026-01-12T09:00:00Z");
    desk.api
        .post(&IMPORTER.token(), "/v1/tickets", &behalf)
        .await
        .expect(201);
    archive(false).await;
    open("again").await.expect(201);
}
