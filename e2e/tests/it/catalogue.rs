//! The catalogue as data: what administrators write into it is what can be chosen, at once, and who is granted what.

use domain::catalogue::{Awaits, Catalogue};
use domain::policy::WaitPolicy;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, IMPORTER, STRANGER};

async fn create(desk: &Desk, kind: &str, item: &Value) -> String {
    let place = format!("/v1/catalogue/{kind}");
    let created = desk.api.post(&ADMINISTRATOR.token(), &place, item).await.expect(201);
    format!("{place}/{}", created.id())
}

async fn replace(desk: &Desk, path: &str, item: &Value) {
    desk.api.put(&ADMINISTRATOR.token(), path, item).await.expect(200);
}

/// A ticket with these fields besides the ones that every ticket has.
fn ticket(fields: Value) -> Value {
    let mut body = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    let Value::Object(fields) = fields else {
        panic!("fields come in an object")
    };
    for (name, value) in fields {
        body[name] = value;
    }
    body
}

/// The pointers of what is wrong with a ticket of this person.
async fn wrong(desk: &Desk, token: &str, fields: Value) -> Vec<String> {
    let answer = desk.api.post(token, "/v1/tickets", &ticket(fields)).await;
    if answer.status == 201 {
        return Vec::new();
    }
    assert_eq!(answer.status, 422, "{}", answer.body);
    let errors = answer.body["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["pointer"].as_str().unwrap().to_owned())
        .collect()
}

async fn names(desk: &Desk, token: &str, path: &str) -> Vec<String> {
    let list = desk.api.get(token, path).await.expect(200);
    list.column("name").into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_created_once_changed_and_kept_version_after_version() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let administrator = ADMINISTRATOR.token();
    let items = [
        (
            "types",
            json!({ "code": "access", "name": "Access", "awaits": "fix", "default_priority": "low" }),
        ),
        (
            "priorities",
            json!({ "code": "at_once", "name": "At once", "rank": 200 }),
        ),
        ("categories", json!({ "name": "Печать", "description": "Printers." })),
        ("systems", json!({ "name": "billing" })),
        ("environments", json!({ "name": "production" })),
        ("products", json!({ "name": "Engine 2" })),
        ("service-catalogues", json!({ "name": "Gold" })),
        (
            "services",
            json!({ "name": "Mail", "catalogues": [Uuid::from_u128(7)] }),
        ),
        (
            "custom-fields",
            json!({ "name": "Room", "value": "choice", "choices": ["2", "1"], "types": ["outage"] }),
        ),
    ];
    for (kind, body) in items {
        let place = format!("/v1/catalogue/{kind}");
        let first = desk
            .api
            .try_post(&administrator, &place, &body, "first")
            .await
            .unwrap()
            .expect(201);
        let again = desk
            .api
            .try_post(&administrator, &place, &body, "first")
            .await
            .unwrap()
            .expect(201);
        assert_eq!(
            (again.id(), again.header("idempotency-replayed")),
            (first.id(), Some("true"))
        );
        let path = format!("{place}/{}", first.id());
        assert_eq!(first.header("location"), Some(path.as_str()));
        if kind != "service-catalogues" {
            let refused = desk.api.post(&administrator, &place, &body).await.expect(409);
            assert_eq!(
                (&refused.body["code"], &refused.body["id"]),
                (&json!("catalogue-item-exists"), &json!(first.id()))
            );
            let mut other = body.clone();
            let identity = if body.get("code").is_some() { "code" } else { "name" };
            other[identity] = json!("another");
            let refused = desk.api.put(&administrator, &path, &other).await.expect(422);
            assert_eq!(refused.body["errors"][0]["pointer"], format!("/{identity}"));
        }
        let mut archived = body.clone();
        archived["archived"] = json!(true);
        replace(&desk, &path, &archived).await;
        // The repetition of a wish is answered as it was then.
        let again = desk
            .api
            .try_post(&administrator, &place, &body, "first")
            .await
            .unwrap()
            .expect(201);
        assert_eq!(again.body["version"], 1);

        desk.caught_up().await;
        let shown = desk.api.get(&AGENT.token(), &path).await.expect(200);
        assert_eq!(shown.header("etag"), Some("\"2\""));
        for (member, value) in archived.as_object().unwrap() {
            assert_eq!(&shown.body[member], value, "{kind}: {member}");
        }
        let history = desk
            .api
            .get(&AGENT.token(), &format!("{path}/history?count=exact"))
            .await
            .expect(200);
        assert_eq!((history.items().len(), &history.body["total"]), (2, &json!(2)));
        let listed = names(&desk, &AGENT.token(), &format!("{place}?archived=true&q=e")).await;
        let name = body["name"].as_str().unwrap();
        assert_eq!(listed, if name.contains('e') { vec![name] } else { vec![] });
        desk.api
            .get(&CUSTOMER.token(), &format!("{path}/history"))
            .await
            .expect(403);
        let staff_alone = kind == "service-catalogues";
        let of_customer = desk.api.get(&CUSTOMER.token(), &path).await;
        assert_eq!(of_customer.status, if staff_alone { 403 } else { 404 }, "{kind}");
    }
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_item_is_told_and_only_administrators_write_one() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let administrator = ADMINISTRATOR.token();
    let wrong = [
        (
            "types",
            json!({ "code": "Access", "name": "Access", "default_priority": "low" }),
            "/code",
        ),
        (
            "types",
            json!({ "code": "access", "name": "Access", "default_priority": "soon" }),
            "/default_priority",
        ),
        (
            "priorities",
            json!({ "code": "soon", "name": "Soon", "rank": 256 }),
            "/rank",
        ),
        ("categories", json!({ "name": " " }), "/name"),
        (
            "custom-fields",
            json!({ "name": "Room", "value": "choice" }),
            "/choices",
        ),
        (
            "custom-fields",
            json!({ "name": "Room", "value": "text", "choices": ["1"] }),
            "/choices",
        ),
        (
            "custom-fields",
            json!({ "name": "Room", "value": "choice", "choices": ["1", "1"] }),
            "/choices",
        ),
        ("custom-fields", json!({ "name": "Room", "value": "flag" }), "/value"),
        (
            "custom-fields",
            json!({ "name": "Room", "value": "text", "types": ["incident"] }),
            "/types",
        ),
    ];
    for (kind, body, pointer) in wrong {
        let refused = desk
            .api
            .post(&administrator, &format!("/v1/catalogue/{kind}"), &body)
            .await
            .expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    let unknown = json!({ "name": "Mail", "colour": "red", "catalogues": ["gold"] });
    desk.api
        .post(&administrator, "/v1/catalogue/services", &unknown)
        .await
        .expect(400);
    for token in [AGENT.token(), CUSTOMER.token()] {
        let body = json!({ "name": "billing" });
        desk.api.post(&token, "/v1/catalogue/systems", &body).await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_desk_has_the_built_in_types_and_priorities_and_an_item_takes_their_place() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let built_in = Catalogue::default();
    desk.caught_up().await;
    let codes = async |kind: &str| {
        let list = desk
            .api
            .get(&CUSTOMER.token(), &format!("/v1/catalogue/{kind}"))
            .await
            .expect(200);
        let mut items = list.items().to_vec();
        items.sort_by_key(|item| item["code"].to_string());
        items
    };
    let (types, priorities) = (codes("types").await, codes("priorities").await);
    assert_eq!((types.len(), priorities.len()), (4, 4));
    for item in &types {
        let known = built_in.ticket_type(item["code"].as_str().unwrap()).unwrap();
        assert_eq!(item["awaits"], json!(known.ticket_type.awaits.map(Awaits::as_str)));
        assert_eq!(item["default_priority"], known.default_priority.as_str());
        assert_eq!((&item["version"], &item["change"]), (&json!(0), &json!("built_in")));
    }
    for item in &priorities {
        assert_eq!(
            item["rank"],
            built_in.priority(item["code"].as_str().unwrap()).unwrap().rank
        );
    }

    // Its id is the one that its code has, and nothing was written yet.
    let path = format!(
        "/v1/catalogue/types/{}",
        types.iter().find(|item| item["code"] == "outage").unwrap()["id"]
            .as_str()
            .unwrap()
    );
    let shown = desk.api.get(&AGENT.token(), &path).await.expect(200);
    assert_eq!(shown.header("etag"), Some("\"0\""));
    let archived =
        json!({ "code": "outage", "name": "Авария", "awaits": null, "default_priority": "low", "archived": true });
    replace(&desk, &path, &archived).await;
    assert_eq!(
        wrong(&desk, &CUSTOMER.token(), json!({ "type": "outage" })).await,
        ["/type"]
    );
    desk.caught_up().await;
    assert_eq!(codes("types").await.len(), 3);
    let shown = desk.api.get(&AGENT.token(), &path).await.expect(200);
    assert_eq!(
        (&shown.body["name"], &shown.body["version"]),
        (&json!("Авария"), &json!(1))
    );
    let history = desk
        .api
        .get(&AGENT.token(), &format!("{path}/history?count=exact"))
        .await
        .expect(200);
    assert_eq!(
        (history.column("name"), &history.body["total"]),
        (vec!["Outage", "Авария"], &json!(2))
    );
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_take_the_types_and_priorities_of_the_catalogue_and_keep_what_they_had() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let access =
        json!({ "code": "access", "name": "Access", "awaits": "implementation", "default_priority": "at_once" });
    assert_eq!(
        wrong(&desk, &CUSTOMER.token(), json!({ "type": "access" })).await,
        ["/type"]
    );
    let at_once = json!({ "code": "at_once", "name": "At once", "rank": 200 });
    let priority = create(&desk, "priorities", &at_once).await;
    let ticket_type = create(&desk, "types", &access).await;
    let body = ticket(json!({ "type": "access" }));
    let made = desk
        .api
        .try_post(&CUSTOMER.token(), "/v1/tickets", &body, "wish")
        .await
        .unwrap()
        .expect(201);
    let path = format!("/v1/tickets/{}", made.id());
    desk.caught_up().await;
    let shown = desk.api.get(&AGENT.token(), &path).await.expect(200);
    assert_eq!(
        (&shown.body["type"], &shown.body["priority"]),
        (&json!("access"), &json!("at_once"))
    );

    // What it waits for and how urgent it is was decided then.
    let archived = |mut item: Value| {
        item["archived"] = json!(true);
        item
    };
    let mut other = archived(access.clone());
    other["awaits"] = json!(null);
    replace(&desk, &ticket_type, &other).await;
    replace(&desk, &priority, &archived(at_once.clone())).await;
    let agent = AGENT.token();
    desk.api
        .post(&agent, &format!("{path}/accept"), &json!({}))
        .await
        .expect(200);
    desk.api
        .post(&agent, &format!("{path}/await-implementation"), &json!({}))
        .await
        .expect(200);
    assert_eq!(
        wrong(&desk, &CUSTOMER.token(), json!({ "type": "access" })).await,
        ["/type", "/priority"]
    );
    assert_eq!(
        wrong(&desk, &CUSTOMER.token(), json!({ "priority": "at_once" })).await,
        ["/priority"]
    );
    let again = desk
        .api
        .try_post(&CUSTOMER.token(), "/v1/tickets", &body, "wish")
        .await
        .unwrap()
        .expect(201);
    assert_eq!(
        (again.id(), again.header("idempotency-replayed")),
        (made.id(), Some("true"))
    );
    let history = json!({ "type": "access", "priority": "at_once", "occurred_at": "2025-01-01T09:00:00Z" });
    assert_eq!(wrong(&desk, &IMPORTER.token(), history).await, Vec::<String>::new());

    desk.caught_up().await;
    let list = desk
        .api
        .get(&agent, "/v1/tickets?type=access&priority=at_once&count=exact")
        .await
        .expect(200);
    assert_eq!(list.body["total"], 2);
    // Also by another rank than it had then, which it shares with another one.
    let mut least = at_once.clone();
    least["rank"] = json!(0);
    replace(&desk, &priority, &least).await;
    let ticket = ticket(json!({ "type": "consultation", "priority": "low" }));
    desk.api.post(&agent, "/v1/tickets", &ticket).await.expect(201);
    replace(&desk, &priority, &archived(least)).await;
    desk.caught_up().await;
    for (asked, found) in [("at_once", 2), ("low", 1), ("low&priority=at_once", 3), ("high", 0)] {
        let list = desk
            .api
            .get(&agent, &format!("/v1/tickets?priority={asked}&count=exact"))
            .await;
        assert_eq!(list.expect(200).body["total"], found, "{asked}");
    }
    // What is archived is asked for by those who know it, and told to nobody.
    for (unknown, in_use, archived) in [
        ("/v1/tickets?type=incident", "outage", "access"),
        ("/v1/tickets/export?format=csv&priority=soon", "low", "at_once"),
    ] {
        let refused = desk.api.get(&agent, unknown).await.expect(422);
        let told = refused.body["errors"][0]["detail"].as_str().unwrap();
        assert!(
            told.contains("must be one of: ") && told.contains(in_use) && !told.contains(archived),
            "{told}"
        );
    }
    let policy = json!({ "name": "Access", "scope": { "type": "access" }, "targets": {} });
    desk.api.post(&agent, "/v1/policies", &policy).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_free_until_there_is_one_in_use() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let customer = CUSTOMER.token();
    for (kind, field) in [
        ("categories", "category"),
        ("systems", "system"),
        ("environments", "environment"),
    ] {
        let told = |value: &str| wrong(&desk, &customer, json!({ field: value }));
        assert_eq!(told("anything").await, Vec::<String>::new());
        let item = create(&desk, kind, &json!({ "name": "billing" })).await;
        assert_eq!(told("billing").await, Vec::<String>::new());
        assert_eq!(told("anything").await, [format!("/{field}")]);
        let made = desk
            .api
            .post(&customer, "/v1/tickets", &ticket(json!({})))
            .await
            .expect(201);
        let classify = format!("/v1/tickets/{}/classify", made.id());
        let refused = desk
            .api
            .post(&AGENT.token(), &classify, &json!({ field: "anything" }))
            .await
            .expect(422);
        assert_eq!(refused.body["errors"][0]["detail"], "must be one of: billing");
        let history = json!({ field: "of old", "occurred_at": "2025-01-01T09:00:00Z" });
        assert_eq!(wrong(&desk, &IMPORTER.token(), history).await, Vec::<String>::new());
        replace(&desk, &item, &json!({ "name": "billing", "archived": true })).await;
        assert_eq!(told("anything").await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_see_and_choose_the_services_that_were_granted_to_them() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let gold = create(&desk, "service-catalogues", &json!({ "name": "Gold" })).await;
    let id = gold.rsplit('/').next().unwrap();
    let mail = create(&desk, "services", &json!({ "name": "Mail", "catalogues": [id] })).await;
    create(&desk, "services", &json!({ "name": "Telephony" })).await;
    let organisation = format!("/v1/organisations/{CLIENT}");
    let stranger = format!("/v1/users/{}", STRANGER.user);
    let none = Vec::<String>::new();
    let sees = async |token: String| {
        desk.caught_up().await;
        let seen = names(&desk, &token, "/v1/catalogue/services").await;
        let chooses = wrong(&desk, &token, json!({ "service": "Mail" })).await.is_empty();
        assert_eq!(chooses, seen.contains(&"Mail".to_owned()));
        let one = desk.api.get(&token, &mail).await.status;
        assert_eq!(one, if chooses { 200 } else { 404 });
        seen
    };
    assert_eq!(sees(AGENT.token()).await, ["Mail", "Telephony"]);
    assert_eq!(sees(CUSTOMER.token()).await, none);
    let granting = json!({ "name": "Engines Ltd", "service_catalogues": [id] });
    replace(&desk, &organisation, &granting).await;
    assert_eq!(sees(CUSTOMER.token()).await, ["Mail"]);
    assert_eq!(
        wrong(&desk, &CUSTOMER.token(), json!({ "service": "Telephony" })).await,
        ["/service"]
    );
    assert_eq!(sees(STRANGER.token()).await, none);
    replace(
        &desk,
        &stranger,
        &json!({ "name": "Stranger", "kind": "customer", "service_catalogues": [id] }),
    )
    .await;
    assert_eq!(sees(STRANGER.token()).await, ["Mail"]);
    replace(
        &desk,
        &organisation,
        &json!({ "name": "Engines Ltd", "service_catalogues": [id], "archived": true }),
    )
    .await;
    desk.caught_up().await;
    assert_eq!(names(&desk, &CUSTOMER.token(), "/v1/catalogue/services").await, none);
    desk.api.get(&CUSTOMER.token(), &mail).await.expect(404);
    replace(&desk, &gold, &json!({ "name": "Gold", "archived": true })).await;
    assert_eq!(sees(STRANGER.token()).await, none);
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_are_checked_once_one_is_defined() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let customer = CUSTOMER.token();
    let none = Vec::<String>::new();
    let told = |fields: Value| wrong(&desk, &customer, json!({ "custom_fields": fields }));
    assert_eq!(told(json!({ "Colour": "red" })).await, none);
    create(
        &desk,
        "custom-fields",
        &json!({ "name": "Room", "value": "choice", "choices": ["1", "2"], "required": true }),
    )
    .await;
    create(&desk, "custom-fields", &json!({ "name": "Approver", "value": "user" })).await;
    create(
        &desk,
        "custom-fields",
        &json!({ "name": "Serial", "value": "text", "types": ["outage"], "required": true }),
    )
    .await;
    assert_eq!(
        told(json!({ "Colour": "red" })).await,
        ["/custom_fields/Colour", "/custom_fields/Room"]
    );
    assert_eq!(told(json!({ "Room": "3" })).await, ["/custom_fields/Room"]);
    assert_eq!(told(json!({ "Room": "2" })).await, none);
    assert_eq!(
        told(json!({ "Room": "2", "Serial": "7" })).await,
        ["/custom_fields/Serial"]
    );
    let approved = json!({ "Room": "2", "Approver": AGENT.user });
    assert_eq!(told(approved.clone()).await, ["/custom_fields/Approver"]);
    let agent = format!("/v1/users/{}", AGENT.user);
    replace(&desk, &agent, &json!({ "name": "Agent", "kind": "staff" })).await;
    assert_eq!(told(approved).await, none);

    let body = ticket(json!({ "custom_fields": { "Room": "1" } }));
    let made = desk.api.post(&customer, "/v1/tickets", &body).await.expect(201);
    let edit = format!("/v1/tickets/{}/edit", made.id());
    let refused = desk
        .api
        .post(&customer, &edit, &json!({ "custom_fields": {} }))
        .await
        .expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/custom_fields/Room");
    desk.api
        .post(&customer, &edit, &json!({ "custom_fields": { "Room": "2" } }))
        .await
        .expect(200);
    let history = json!({ "custom_fields": { "Colour": "red" }, "occurred_at": "2025-01-01T09:00:00Z" });
    assert_eq!(wrong(&desk, &IMPORTER.token(), history).await, none);
}
