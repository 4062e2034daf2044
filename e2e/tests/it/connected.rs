//! Which systems and products people choose from: those to which their groups are connected, and those that their organisation
//! has bought, or that come with them.

use domain::policy::WaitPolicy;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, STRANGER};

/// A group of the customer's company.
const ACCOUNTANTS: Uuid = Uuid::from_u128(0xacc);

async fn put(desk: &Desk, path: String, profile: Value) {
    desk.api.put(&ADMINISTRATOR.token(), &path, &profile).await.expect(200);
}

async fn connect(desk: &Desk, systems: &[&str]) {
    let group = json!({ "name": "Accountants", "systems": systems });
    put(desk, format!("/v1/groups/{ACCOUNTANTS}"), group).await;
}

async fn buy(desk: &Desk, products: &[&str]) {
    let organisation = json!({ "name": "Engines", "products": products });
    put(desk, format!("/v1/organisations/{CLIENT}"), organisation).await;
}

/// What somebody is offered of systems: by the list, and by what is taken in a ticket, which must be the same.
async fn offered(desk: &Desk, token: &str) -> Vec<String> {
    offered_of(desk, token, "/v1/catalogue/systems", "system").await
}

/// The same of what stands in this list, and in this member of tickets.
async fn offered_of(desk: &Desk, token: &str, list: &str, member: &str) -> Vec<String> {
    desk.caught_up().await;
    let listed = desk.api.get(token, list).await.expect(200);
    let all = desk.api.get(&AGENT.token(), list).await.expect(200);
    let mut chosen = Vec::new();
    for item in all.items() {
        let name = item["name"].as_str().unwrap();
        let ticket =
            json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect", member: name });
        let opened = desk.api.post(token, "/v1/tickets", &ticket).await;
        let path = format!("{list}/{}", item["id"].as_str().unwrap());
        let read = desk.api.get(token, &path).await;
        match opened.status {
            201 => chosen.push(name.to_owned()),
            _ => assert_eq!(opened.expect(422).body["errors"][0]["pointer"], format!("/{member}")),
        }
        assert_eq!(
            read.status == 200,
            chosen.iter().any(|one| one == name),
            "{}",
            read.body
        );
    }
    assert_eq!(listed.column("name"), chosen);
    chosen
}

#[tokio::test(flavor = "multi_thread")]
async fn people_choose_among_the_systems_that_support_connected() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    for system in ["billing", "crm", "mail"] {
        let system = json!({ "name": system });
        desk.api
            .post(&ADMINISTRATOR.token(), "/v1/catalogue/systems", &system)
            .await
            .expect(201);
    }
    let product =
        json!({ "name": "Engine 2", "characteristics": { "Version": "2.1" }, "systems": ["billing", "unheard of"] });
    let created = desk
        .api
        .post(&ADMINISTRATOR.token(), "/v1/catalogue/products", &product)
        .await;
    let engine = format!("/v1/catalogue/products/{}", created.expect(201).id());
    let profile =
        |groups: &[Uuid]| json!({ "name": "Customer", "kind": "customer", "organisation": CLIENT, "groups": groups });
    let customer = format!("/v1/users/{}", CUSTOMER.user);

    // Of whom nothing is said, they choose from all.
    put(&desk, customer.clone(), profile(&[])).await;
    assert_eq!(offered(&desk, &CUSTOMER.token()).await, ["billing", "crm", "mail"]);
    // A group is not connected until somebody says so, and is shown as that.
    connect(&desk, &[]).await;
    put(&desk, customer, profile(&[ACCOUNTANTS])).await;
    assert_eq!(offered(&desk, &CUSTOMER.token()).await, Vec::<String>::new());
    let waiting = desk
        .api
        .get(&AGENT.token(), "/v1/groups?connected=false")
        .await
        .expect(200);
    assert_eq!(waiting.column("name"), ["Accountants"]);
    connect(&desk, &["mail"]).await;
    assert_eq!(offered(&desk, &CUSTOMER.token()).await, ["mail"]);
    // What the organisation buys comes with its systems.
    buy(&desk, &["Engine 2", "Unheard of"]).await;
    assert_eq!(offered(&desk, &CUSTOMER.token()).await, ["billing", "mail"]);
    let with = desk
        .api
        .get(&AGENT.token(), "/v1/catalogue/products?system=billing")
        .await
        .expect(200);
    assert_eq!(with.items()[0]["characteristics"], json!({ "Version": "2.1" }));
    put(
        &desk,
        engine,
        json!({ "name": "Engine 2", "systems": ["billing"], "archived": true }),
    )
    .await;
    assert_eq!(offered(&desk, &CUSTOMER.token()).await, ["mail"]);
    // Others are not concerned, and staff choose from all.
    assert_eq!(offered(&desk, &STRANGER.token()).await.len(), 3);
    assert_eq!(offered(&desk, &AGENT.token()).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_choose_among_the_products_that_their_organisation_has_bought() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let free = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect", "product": "Any" });
    desk.api.post(&CUSTOMER.token(), "/v1/tickets", &free).await.expect(201);
    for product in ["Engine 1", "Engine 2"] {
        let product = json!({ "name": product });
        desk.api
            .post(&ADMINISTRATOR.token(), "/v1/catalogue/products", &product)
            .await
            .expect(201);
    }
    let offered = async |token: &str| offered_of(&desk, token, "/v1/catalogue/products", "product").await;
    let none: [&str; 0] = [];
    assert_eq!(offered(&CUSTOMER.token()).await, none);
    buy(&desk, &["Engine 2"]).await;
    assert_eq!(offered(&CUSTOMER.token()).await, ["Engine 2"]);
    assert_eq!(offered(&STRANGER.token()).await, none);
    assert_eq!(offered(&AGENT.token()).await, ["Engine 1", "Engine 2"]);

    // It is a property of the ticket like any other: shown, filtered by, corrected, told of.
    let mine = desk.api.get(&CUSTOMER.token(), "/v1/tickets?product=Engine+2").await;
    let mine = mine.expect(200);
    assert_eq!(mine.column("product"), ["Engine 2"]);
    let ticket = format!("/v1/tickets/{}", mine.items()[0]["id"].as_str().unwrap());
    let classify = async |wanted: Value| {
        let path = format!("{ticket}/classify");
        let answer = desk
            .api
            .post(&AGENT.token(), &path, &json!({ "product": wanted }))
            .await;
        answer.expect(200).body["events"].clone()
    };
    assert_eq!(classify(json!("Engine 1")).await, json!(["classified"]));
    assert_eq!(classify(json!("Engine 1")).await, json!([]));
    assert_eq!(classify(Value::Null).await, json!(["classified"]));
    desk.caught_up().await;
    assert_eq!(
        desk.api.get(&CUSTOMER.token(), &ticket).await.expect(200).body["product"],
        Value::Null
    );
    let timeline = desk
        .api
        .get(&CUSTOMER.token(), &format!("{ticket}/timeline"))
        .await
        .expect(200);
    let told: Vec<&Value> = timeline
        .items()
        .iter()
        .map(|event| &event["details"]["product"])
        .collect();
    let (one, two) = (
        json!({ "from": "Engine 2", "to": "Engine 1" }),
        json!({ "from": "Engine 1", "to": null }),
    );
    assert_eq!(told, [&Value::Null, &one, &two]);

    buy(&desk, &[]).await;
    assert_eq!(offered(&CUSTOMER.token()).await, none);
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_a_product_is_read_as_it_was_written_or_refused() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let refused = async |product: Value, status| {
        let answer = desk
            .api
            .post(&ADMINISTRATOR.token(), "/v1/catalogue/products", &product)
            .await;
        let answer = answer.expect(status);
        answer.body["errors"][0]["pointer"].as_str().unwrap().to_owned()
    };
    let many: serde_json::Map<String, Value> = (0..=100).map(|n| (n.to_string(), json!("x"))).collect();
    for (characteristics, status) in [
        (json!(["Version"]), 400),
        (json!({ "Version": 2 }), 400),
        (json!({ "": "2" }), 422),
        (json!({ "Version": "" }), 422),
        (json!({ "Version": "2\n3" }), 422),
        (json!(many), 422),
    ] {
        let product = json!({ "name": "Engine 2", "characteristics": characteristics });
        let pointer = refused(product, status).await;
        assert!(pointer.starts_with("/characteristics"), "{pointer}");
    }
    let product = json!({
        "name": "Engine 2",
        "description": "The second one.",
        "characteristics": { "Version": "2.1", "Срок": "2027" },
        "systems": ["billing"],
        "archived": false,
    });
    let created = desk
        .api
        .post(&ADMINISTRATOR.token(), "/v1/catalogue/products", &product)
        .await
        .expect(201);
    desk.caught_up().await;
    let path = format!("/v1/catalogue/products/{}", created.id());
    let read = desk.api.get(&AGENT.token(), &path).await.expect(200);
    for (name, value) in product.as_object().unwrap() {
        assert_eq!((&created.body[name], &read.body[name]), (value, value), "{name}");
    }
}
