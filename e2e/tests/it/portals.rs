//! Portals: what administrators say that customers see, they see, wherever tickets are shown, and change no more than they
//! are let.

use domain::policy::WaitPolicy;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::hidden::told;
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, GROUP, LEADER, OTHER_CLIENT, PEER, Person, STRANGER};

/// The portal of all who name no other.
const OTHERS: &str = "/v1/portals/others";

async fn write(desk: &Desk, path: &str, body: Value) {
    desk.api.put(&ADMINISTRATOR.token(), path, &body).await.expect(200);
    desk.caught_up().await;
}

/// Writes the portal of all others.
pub(crate) async fn others(desk: &Desk, differs: Value) {
    let mut portal = json!({ "name": "Everybody's" });
    portal
        .as_object_mut()
        .unwrap()
        .extend(differs.as_object().unwrap().clone());
    write(desk, OTHERS, portal).await;
}

async fn give(desk: &Desk, person: Person, ticket: &str, command: &str, body: Value) -> u16 {
    let path = format!("/v1/tickets/{ticket}/{command}");
    desk.api.post(&person.token(), &path, &body).await.status
}

/// A ticket of the customer, about which everything is said that can be said.
pub(crate) async fn rich(desk: &Desk) -> String {
    let project = json!({ "name": "Migration", "followers": [CUSTOMER.user] });
    write(desk, &format!("/v1/projects/{}", Uuid::from_u128(0x99)), project).await;
    let ticket = json!({
        "subject": "Plotter smokes", "description": "On the second floor.", "type": "defect", "priority": "low",
        "category": "Plotters", "system": "billing", "environment": "test", "service": "Printers", "product": "Plotter",
        "platform_version": "2.4",
        "custom_fields": { "Room": "214", "Floor": 2 },
    });
    let created = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket)
        .await
        .expect(201);
    let ticket = created.id();
    for (person, command, body) in [
        (AGENT, "follow", json!({ "user": PEER.user })),
        (AGENT, "accept", json!({})),
        (
            AGENT,
            "assign",
            json!({ "assignee": ADMINISTRATOR.user, "group": GROUP }),
        ),
        (
            AGENT,
            "classify",
            json!({ "priority": "high", "category": "Printing", "system": "mail", "environment": "live", "service": "Paper",
                    "product": "Plotter 2",
                    "project": Uuid::from_u128(0x99) }),
        ),
        (
            AGENT,
            "edit",
            json!({ "platform_version": "2.5", "custom_fields": { "Room": "215", "Floor": 3 } }),
        ),
        (AGENT, "propose-closure", json!({ "solution": "Toner." })),
        (CUSTOMER, "close", json!({})),
        (CUSTOMER, "rate", json!({ "score": 4 })),
        (CUSTOMER, "reopen", json!({ "comment": "Again." })),
        (AGENT, "request-info", json!({ "comment": "Which plotter?" })),
    ] {
        assert_eq!(give(desk, person, &ticket, command, body).await, 200, "{command}");
    }
    desk.caught_up().await;
    ticket
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_classify_as_far_as_their_portal_lets_them() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = rich(&desk).await;
    let classify = async |person: Person, body: Value| {
        let path = format!("/v1/tickets/{ticket}/classify");
        desk.api.post(&person.token(), &path, &body).await
    };
    let seen = async |person: Person| {
        desk.caught_up().await;
        let path = format!("/v1/tickets/{ticket}");
        desk.api.get(&person.token(), &path).await.expect(200).body
    };
    let may = |ticket: &Value| {
        ticket["allowed_commands"]
            .as_array()
            .unwrap()
            .contains(&json!("classify"))
    };
    classify(CUSTOMER, json!({ "priority": "critical" })).await.expect(403);
    assert!(!may(&seen(CUSTOMER).await));

    others(
        &desk,
        json!({ "editable": ["priority", "type"], "visible": ["priority"] }),
    )
    .await;
    assert!(may(&seen(CUSTOMER).await) && may(&seen(PEER).await));
    classify(PEER, json!({ "priority": "critical", "type": "outage" }))
        .await
        .expect(200);
    let now = seen(CUSTOMER).await;
    assert_eq!((&now["priority"], &now["type"]), (&json!("critical"), &json!("outage")));
    // What is not on offer is answered as to staff, and what is not theirs with a pointer for each, rightly named or not.
    classify(CUSTOMER, json!({ "priority": "yesterday" })).await.expect(422);
    for system in ["mail", "billing"] {
        let refused = classify(
            CUSTOMER,
            json!({ "priority": "low", "system": system, "project": null }),
        )
        .await;
        let refused = refused.expect(403);
        let pointers = refused.body["errors"].as_array().unwrap().iter();
        let pointers: Vec<&Value> = pointers.map(|error| &error["pointer"]).collect();
        assert_eq!(pointers, ["/system", "/project"]);
    }
    let refused = classify(CUSTOMER, json!({ "product": "Plotter 2" })).await.expect(403);
    assert_eq!(refused.body["errors"][0]["pointer"], "/product");
    others(&desk, json!({ "editable": ["product"] })).await;
    classify(CUSTOMER, json!({ "product": "Plotter 3" })).await.expect(200);
    assert_eq!(seen(AGENT).await["product"], "Plotter 3");
    // Who sees it otherwise changes nothing, and neither does anybody where the portal says nothing of it.
    others(&desk, json!({ "editable": ["priority"], "types": ["defect"] })).await;
    classify(CUSTOMER, json!({ "priority": "low" })).await.expect(404);
    others(&desk, json!({})).await;
    classify(CUSTOMER, json!({ "priority": "low" })).await.expect(403);
    assert_eq!(seen(AGENT).await["priority"], "critical");
    for (portal, status) in [
        (
            json!({ "name": "x", "editable": ["system"], "visible": ["priority"] }),
            422,
        ),
        (json!({ "name": "x", "editable": ["assignee"] }), 422),
        (
            json!({ "name": "x", "editable": ["category", "service", "environment", "system", "product"] }),
            200,
        ),
    ] {
        desk.api
            .put(&ADMINISTRATOR.token(), OTHERS, &portal)
            .await
            .expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_change_what_their_portal_lets_them_change() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = rich(&desk).await;
    let edit = async |person: Person, body: Value| {
        let path = format!("/v1/tickets/{ticket}/edit");
        desk.api.post(&person.token(), &path, &body).await
    };
    let allowed = async || {
        desk.caught_up().await;
        let one = desk
            .api
            .get(&CUSTOMER.token(), &format!("/v1/tickets/{ticket}"))
            .await
            .expect(200);
        one.body["allowed_commands"]
            .as_array()
            .unwrap()
            .contains(&json!("edit"))
    };
    assert!(allowed().await);
    edit(CUSTOMER, json!({ "subject": "Plotter burns", "platform_version": "3" }))
        .await
        .expect(200);

    others(
        &desk,
        json!({ "editable": ["subject", "custom_fields.Room"], "visible": ["platform_version", "custom_fields.Room"] }),
    )
    .await;
    edit(CUSTOMER, json!({ "subject": "Plotter smokes" })).await.expect(200);
    let refused = edit(
        CUSTOMER,
        json!({ "subject": "x", "description": "y", "platform_version": "4" }),
    )
    .await
    .expect(403);
    assert_eq!(refused.body["code"], "not-permitted");
    let pointers: Vec<&str> = refused.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|error| error["pointer"].as_str())
        .collect();
    assert_eq!(pointers, ["/description", "/platform_version"]);
    // What it is already, nobody changes; and the fields that are hidden stay.
    edit(
        CUSTOMER,
        json!({ "platform_version": "3", "custom_fields": { "Room": "7" } }),
    )
    .await
    .expect(200);
    let refused = edit(CUSTOMER, json!({ "custom_fields": { "Room": "7", "Floor": 3 } }))
        .await
        .expect(403);
    assert_eq!(refused.body["errors"][0]["pointer"], "/custom_fields/Floor");
    desk.caught_up().await;
    let whole = desk
        .api
        .get(&AGENT.token(), &format!("/v1/tickets/{ticket}"))
        .await
        .expect(200);
    assert_eq!(whole.body["custom_fields"], json!({ "Room": "7", "Floor": 3 }));
    // The rule is for customers.
    edit(AGENT, json!({ "description": "On the third floor." }))
        .await
        .expect(200);

    others(&desk, json!({ "editable": [] })).await;
    assert!(!allowed().await);
    edit(CUSTOMER, json!({ "subject": "x" })).await.expect(403);
    edit(STRANGER, json!({ "subject": "x" })).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_is_switched_off_is_not_there() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = rich(&desk).await;
    let types = async || {
        let list = desk.api.get(&CUSTOMER.token(), "/v1/catalogue/types").await.expect(200);
        list.column("code").len()
    };
    assert_eq!(types().await, 4);
    others(&desk, json!({ "types": ["consultation"] })).await;
    assert_eq!(types().await, 1);
    let get = async |path: &str| desk.api.get(&CUSTOMER.token(), path).await;
    assert_eq!(get("/v1/tickets?count=exact").await.expect(200).body["total"], 0);
    assert_eq!(get("/v1/dashboard").await.expect(200).body["total"], 0);
    get(&format!("/v1/tickets/{ticket}")).await.expect(404);
    assert!(get("/v1/events").await.expect(200).items().is_empty());
    assert_eq!(
        give(
            &desk,
            CUSTOMER,
            &ticket,
            "comment",
            json!({ "body": "Here.", "visibility": "public" })
        )
        .await,
        404
    );
    let new = |kind: &str| json!({ "subject": "Plotter", "description": "It smokes.", "type": kind });
    let refused = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &new("defect"))
        .await
        .expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/type");
    assert_eq!(refused.body["errors"][0]["detail"], "must be one of: consultation");
    desk.api
        .post(&CUSTOMER.token(), "/v1/tickets", &new("consultation"))
        .await
        .expect(201);
    desk.api
        .post(&AGENT.token(), "/v1/tickets", &new("defect"))
        .await
        .expect(201);
    // What nobody knows is answered as what is switched off is.
    for kind in ["defect", "unheard_of"] {
        let question = get(&format!("/v1/tickets?type={kind}")).await.expect(422);
        let refused = desk
            .api
            .post(&CUSTOMER.token(), "/v1/tickets", &new(kind))
            .await
            .expect(422);
        for answer in [question, refused] {
            let detail = answer.body["errors"][0]["detail"].as_str().unwrap();
            assert_eq!(detail, "must be one of: consultation", "{kind}");
        }
    }
    for (name, types) in [("Lens", json!(["defect"])), ("Room", json!(["defect", "consultation"]))] {
        let field = json!({ "name": name, "value": "text", "types": types });
        let place = "/v1/catalogue/custom-fields";
        desk.api.post(&ADMINISTRATOR.token(), place, &field).await.expect(201);
    }
    desk.caught_up().await;
    let fields = get("/v1/catalogue/custom-fields").await.expect(200);
    assert_eq!(fields.column("name"), ["Room"]);
    let refused = json!({ "name": "x", "types": ["unheard_of"] });
    let refused = desk.api.put(&ADMINISTRATOR.token(), OTHERS, &refused).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/types");
}

/// How many tickets somebody is shown, and whether they may comment on this one.
async fn seen(desk: &Desk, person: Person, ticket: &str) -> (Value, u16) {
    desk.caught_up().await;
    let total = desk
        .api
        .get(&person.token(), "/v1/tickets?count=exact")
        .await
        .expect(200)
        .body["total"]
        .clone();
    (
        total,
        give(
            desk,
            person,
            ticket,
            "comment",
            json!({ "body": "Here.", "visibility": "public" }),
        )
        .await,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_two_boxes_say_which_tickets_are_shown() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = rich(&desk).await;
    // In the project, and none of the client's.
    let other = json!({ "subject": "Plotter", "description": "It smokes.", "type": "defect", "project": Uuid::from_u128(0x99) });
    let other = desk
        .api
        .post(&AGENT.token(), "/v1/tickets", &other)
        .await
        .expect(201)
        .id();
    let shown = json!(2);
    for (boxes, expected) in [
        (json!({}), [(shown.clone(), 200), (shown.clone(), 200)]),
        (json!({ "projects": false }), [(json!(1), 200), (json!(1), 404)]),
        (json!({ "own": false }), [(shown.clone(), 200), (shown.clone(), 200)]),
        (
            json!({ "own": false, "projects": false }),
            [(json!(0), 404), (json!(0), 404)],
        ),
        (json!({ "archived": true }), [(json!(0), 404), (json!(0), 404)]),
    ] {
        others(&desk, boxes.clone()).await;
        let seen = [
            seen(&desk, CUSTOMER, &ticket).await,
            seen(&desk, CUSTOMER, &other).await,
        ];
        assert_eq!(seen, expected, "{boxes}");
    }
    let nothing = json!({ "name": "Everybody's", "own": false, "projects": false });
    let warned = desk.api.put(&ADMINISTRATOR.token(), OTHERS, &nothing).await;
    assert_eq!(warned.expect(200).body["warnings"][0]["code"], "shows_nothing");
    let something = json!({ "name": "Everybody's", "own": false });
    let written = desk.api.put(&ADMINISTRATOR.token(), OTHERS, &something).await;
    assert_eq!(written.expect(200).body["warnings"], json!([]));
    // Whoever follows no project, and whoever leads a group, see the tickets that are their own.
    others(&desk, json!({ "own": false })).await;
    for person in [PEER, LEADER] {
        assert_eq!(seen(&desk, person, &ticket).await, (json!(0), 404), "{}", person.name);
    }
    others(&desk, json!({ "projects": false })).await;
    for person in [PEER, LEADER] {
        assert_eq!(seen(&desk, person, &ticket).await, (json!(1), 200), "{}", person.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_comes_through_the_portal_that_it_names() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let ticket = rich(&desk).await;
    let portal = json!({ "name": "Gold", "visible": ["category"], "filters": ["status"], "apps": ["tickets"] });
    let created = desk
        .api
        .post(&ADMINISTRATOR.token(), "/v1/portals", &portal)
        .await
        .expect(201);
    let gold = format!("/v1/portals/{}", created.id());
    let client = |portal: Value| json!({ "name": "Engines Ltd", "portal": portal });
    let own = async |person: Person| {
        desk.caught_up().await;
        desk.api.get(&person.token(), "/v1/portal").await.expect(200).body
    };
    let everything = json!({ "own": true, "projects": true, "types": null, "visible": null, "editable": null, "filters": null, "apps": null });
    assert_eq!(own(CUSTOMER).await, everything);

    write(
        &desk,
        &format!("/v1/organisations/{CLIENT}"),
        client(json!(created.id())),
    )
    .await;
    let expected = json!({ "own": true, "projects": true, "types": null, "visible": ["category"], "editable": null, "filters": ["status"],
                           "apps": ["tickets"] });
    assert_eq!(own(CUSTOMER).await, expected);
    for person in [STRANGER, AGENT] {
        assert_eq!(own(person).await, everything, "{}", person.name);
    }
    let priority = async |person: Person| told(&desk, person, &ticket).await.contains("priority");
    assert!(!priority(CUSTOMER).await && priority(AGENT).await);
    // By a profile as by a token.
    let profile = json!({ "name": "Customer", "kind": "customer", "organisation": CLIENT });
    write(&desk, &format!("/v1/users/{}", CUSTOMER.user), profile).await;
    assert_eq!(own(CUSTOMER).await, expected);

    // The portal of all others is not theirs.
    others(&desk, json!({ "own": false, "projects": false })).await;
    assert_eq!(seen(&desk, CUSTOMER, &ticket).await, (json!(1), 200));
    // Out of use, or never written, it shows nothing.
    write(&desk, &gold, json!({ "name": "Gold", "archived": true })).await;
    assert_eq!(seen(&desk, CUSTOMER, &ticket).await, (json!(0), 404));
    write(&desk, &gold, json!({ "name": "Gold" })).await;
    assert_eq!(seen(&desk, CUSTOMER, &ticket).await, (json!(1), 200));
    write(
        &desk,
        &format!("/v1/organisations/{CLIENT}"),
        client(json!(Uuid::from_u128(0x404))),
    )
    .await;
    assert_eq!(seen(&desk, CUSTOMER, &ticket).await, (json!(0), 404));
    write(&desk, &format!("/v1/organisations/{CLIENT}"), client(Value::Null)).await;
    assert_eq!(seen(&desk, CUSTOMER, &ticket).await, (json!(0), 404));
    write(
        &desk,
        &format!("/v1/organisations/{OTHER_CLIENT}"),
        client(json!(created.id())),
    )
    .await;
    assert_eq!(own(STRANGER).await, everything);
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_custom_fields_are_neither_asked_for_nor_taken() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    for (name, required) in [("Room", true), ("Margin", true), ("Floor", false)] {
        let field = json!({ "name": name, "value": "text", "required": required });
        desk.api
            .post(&ADMINISTRATOR.token(), "/v1/catalogue/custom-fields", &field)
            .await
            .expect(201);
    }
    others(
        &desk,
        json!({ "visible": ["custom_fields.Room", "custom_fields.Floor"] }),
    )
    .await;
    let names = desk
        .api
        .get(&CUSTOMER.token(), "/v1/catalogue/custom-fields")
        .await
        .expect(200);
    assert_eq!(names.column("name"), ["Floor", "Room"]);
    let create = async |person: Person, fields: Value| {
        let ticket = json!({ "subject": "x", "description": "y", "type": "defect", "custom_fields": fields });
        desk.api.post(&person.token(), "/v1/tickets", &ticket).await
    };
    let refused = create(CUSTOMER, json!({ "Room": "1", "Margin": "2" }))
        .await
        .expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/custom_fields/Margin");
    assert!(!refused.body["errors"][0]["detail"].as_str().unwrap().contains("Margin"));
    create(CUSTOMER, json!({})).await.expect(422);
    let ticket = create(CUSTOMER, json!({ "Room": "1" })).await.expect(201).id();
    create(AGENT, json!({ "Room": "1" })).await.expect(422);
    let edit = json!({ "custom_fields": { "Room": "1", "Margin": "30" } });
    assert_eq!(give(&desk, AGENT, &ticket, "edit", edit).await, 200);
    assert_eq!(
        give(
            &desk,
            CUSTOMER,
            &ticket,
            "edit",
            json!({ "custom_fields": { "Room": "2" } })
        )
        .await,
        200
    );
    desk.caught_up().await;
    let whole = desk
        .api
        .get(&AGENT.token(), &format!("/v1/tickets/{ticket}"))
        .await
        .expect(200);
    assert_eq!(whole.body["custom_fields"], json!({ "Room": "2", "Margin": "30" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_portal_cannot_say_is_refused() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    for (body, pointer) in [
        (json!({ "visible": ["colour"] }), "/visible"),
        (json!({ "editable": ["assignee"] }), "/editable"),
        (
            json!({ "editable": ["custom_fields.Room"], "visible": ["priority"] }),
            "/editable",
        ),
        (json!({ "filters": ["colour"] }), "/filters"),
        (json!({ "apps": ["games"] }), "/apps"),
    ] {
        let mut portal = json!({ "name": "Gold" });
        portal
            .as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        let refused = desk
            .api
            .post(&ADMINISTRATOR.token(), "/v1/portals", &portal)
            .await
            .expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{portal}");
    }
    desk.api
        .put(&AGENT.token(), OTHERS, &json!({ "name": "x" }))
        .await
        .expect(403);
    desk.api.get(&CUSTOMER.token(), OTHERS).await.expect(403);
    desk.api.get(&AGENT.token(), OTHERS).await.expect(404);
    others(&desk, json!({})).await;
    let one = desk.api.get(&AGENT.token(), OTHERS).await.expect(200);
    assert_eq!(one.id(), "7265636f-7572-7365-2d2d-706f7274616c");
    assert_eq!(
        desk.api
            .get(&AGENT.token(), &format!("{OTHERS}/history"))
            .await
            .expect(200)
            .items()
            .len(),
        1
    );
}
