//! What users may do by their groups and roles, at once and in both services.

use domain::policy::WaitPolicy;
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, GROUP, LEAD, STRANGER};

const OTHER_GROUP: Uuid = Uuid::from_u128(0x61);
const SET: Uuid = Uuid::from_u128(0x5e7);
const ROLE: Uuid = Uuid::from_u128(0x401e);

async fn write(desk: &Desk, path: &str, profile: &Value) {
    desk.api.put(&ADMINISTRATOR.token(), path, profile).await.expect(200);
}

/// A role that leads and gives a set with every permission.
async fn write_role(desk: &Desk) {
    let all = json!({ "name": "Everything", "permissions": ["administer", "close_any", "import"] });
    write(desk, &format!("/v1/permission-sets/{SET}"), &all).await;
    let role = json!({ "name": "Shift lead", "leading": true, "permission_sets": [SET] });
    write(desk, &format!("/v1/roles/{ROLE}"), &role).await;
}

/// A ticket of a customer that this group works on.
async fn ticket_of(desk: &Desk, group: Option<Uuid>) -> String {
    let body = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    let created = desk.api.post(&CUSTOMER.token(), "/v1/tickets", &body).await.expect(201);
    let path = format!("/v1/tickets/{}", created.id());
    if let Some(group) = group {
        let assign = json!({ "group": group });
        desk.api
            .post(&AGENT.token(), &format!("{path}/assign"), &assign)
            .await
            .expect(200);
    }
    path
}

/// Whether the agent may close a ticket whose closure nobody proposed, by what is shown and by what is done.
async fn closes(desk: &Desk, group: Option<Uuid>) -> bool {
    let path = ticket_of(desk, group).await;
    let reason = json!({ "reason": "Sent twice." });
    // What was written counts at once.
    let closed = desk.api.post(&AGENT.token(), &format!("{path}/close"), &reason).await;
    assert!(closed.status == 200 || closed.status == 403, "{}", closed.body);
    let other = ticket_of(desk, group).await;
    desk.caught_up().await;
    let shown = desk.api.get(&AGENT.token(), &other).await.expect(200);
    let offered = shown.body["allowed_commands"]
        .as_array()
        .unwrap()
        .contains(&json!("close"));
    assert_eq!(offered, closed.status == 200, "{}", closed.body);
    offered
}

async fn rights(desk: &Desk) -> Value {
    desk.caught_up().await;
    let path = format!("/v1/users/{}/rights", AGENT.user);
    let mut rights = desk.api.get(&AGENT.token(), &path).await.expect(200).body;
    rights.as_object_mut().unwrap().remove("id");
    // Who asks for all who hold a permission is told the same.
    let all = desk.api.get(&AGENT.token(), "/v1/permissions").await.expect(200);
    for permission in all.column("permission") {
        let given = |list: &Value| list.as_array().unwrap().contains(&json!(permission));
        let within = rights["within"].as_array().unwrap().iter();
        let within: Vec<&Value> = within
            .filter(|one| given(&one["permissions"]))
            .map(|one| &one["group"])
            .collect();
        let everywhere = given(&rights["permissions"]);
        assert_eq!(
            holding(desk, permission, AGENT.user).await,
            (everywhere || !within.is_empty()).then(|| (everywhere, json!(within))),
            "{permission}"
        );
    }
    rights
}

/// Whether, and within which groups, somebody is among the holders of a permission, page by page.
async fn holding(desk: &Desk, permission: &str, user: Uuid) -> Option<(bool, Value)> {
    let mut next = Some(format!("/v1/permissions/{permission}/holders?limit=1"));
    let mut found = None;
    while let Some(path) = next {
        let page = desk.api.get(&AGENT.token(), &path).await.expect(200);
        for holder in page.items().iter().filter(|holder| holder["id"] == json!(user)) {
            found = Some((holder["everywhere"] == json!(true), holder["within"].clone()));
        }
        let cursor = page.body["next_cursor"].as_str();
        next = cursor.map(|cursor| format!("/v1/permissions/{permission}/holders?limit=1&cursor={cursor}"));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn members_may_at_once_what_their_group_allows_and_no_longer_when_it_does_not() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let agent = format!("/v1/users/{}", AGENT.user);
    let group = format!("/v1/groups/{GROUP}");
    let set = format!("/v1/permission-sets/{SET}");
    let closing = json!({ "name": "Closing", "permissions": ["close_any"] });
    write(
        &desk,
        &agent,
        &json!({ "name": "Agent", "kind": "staff", "groups": [GROUP] }),
    )
    .await;
    write(
        &desk,
        &group,
        &json!({ "name": "First line", "permission_sets": [SET] }),
    )
    .await;
    assert!(!closes(&desk, None).await, "nobody has written the set");
    write(&desk, &set, &closing).await;
    assert!(closes(&desk, None).await);
    assert_eq!(
        rights(&desk).await,
        json!({ "enabled": true, "permissions": ["close_any"], "leads": [], "within": [] })
    );
    let archived = json!({ "name": "Closing", "permissions": ["close_any"], "archived": true });
    write(&desk, &set, &archived).await;
    assert!(!closes(&desk, None).await);
    write(&desk, &set, &closing).await;
    write(&desk, &group, &json!({ "name": "First line" })).await;
    assert!(!closes(&desk, None).await);
    write(
        &desk,
        &group,
        &json!({ "name": "First line", "permission_sets": [SET] }),
    )
    .await;
    write(&desk, &agent, &json!({ "name": "Agent", "kind": "staff" })).await;
    assert!(!closes(&desk, None).await, "no member any more");
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_counts_system_wide_or_within_its_group() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let agent = format!("/v1/users/{}", AGENT.user);
    write_role(&desk).await;
    let held =
        |held: Value| json!({ "name": "Agent", "kind": "staff", "groups": [GROUP, OTHER_GROUP], "roles": [held] });
    let organisation = json!({ "name": "Engines Ltd" });

    write(&desk, &agent, &held(json!({ "role": ROLE, "group": GROUP }))).await;
    assert!(closes(&desk, Some(GROUP)).await);
    assert!(!closes(&desk, Some(OTHER_GROUP)).await);
    assert!(!closes(&desk, None).await);
    desk.api
        .post(&AGENT.token(), "/v1/organisations", &organisation)
        .await
        .expect(403);
    assert_eq!(
        rights(&desk).await,
        json!({
            "enabled": true,
            "permissions": [],
            "leads": [GROUP],
            "within": [{ "group": GROUP, "permissions": ["close_any"] }],
        })
    );

    write(&desk, &agent, &held(json!({ "role": ROLE }))).await;
    assert!(closes(&desk, Some(OTHER_GROUP)).await && closes(&desk, None).await);
    desk.api
        .post(&AGENT.token(), "/v1/organisations", &organisation)
        .await
        .expect(201);
    assert_eq!(rights(&desk).await["leads"], json!([GROUP, OTHER_GROUP]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_leads_by_a_role_and_holds_no_permission_by_it() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let stranger = format!("/v1/users/{}", STRANGER.user);
    write_role(&desk).await;
    let (ticket, others) = (
        ticket_of(&desk, Some(GROUP)).await,
        ticket_of(&desk, Some(OTHER_GROUP)).await,
    );
    let held = |groups: Value, roles: Value| json!({ "name": "Stranger", "kind": "customer", "groups": groups, "roles": roles });
    let token = STRANGER.token();

    write(&desk, &stranger, &held(json!([GROUP]), json!([]))).await;
    desk.caught_up().await;
    desk.api.get(&token, &ticket).await.expect(404);
    desk.api.get(&token, "/v1/tickets?view=group").await.expect(403);
    let within = json!([{ "role": ROLE, "group": GROUP }]);
    write(&desk, &stranger, &held(json!([OTHER_GROUP]), within.clone())).await;
    desk.caught_up().await;
    desk.api.get(&token, &ticket).await.expect(404);
    write(&desk, &stranger, &held(json!([GROUP, OTHER_GROUP]), within)).await;
    desk.caught_up().await;
    desk.api.get(&token, &ticket).await.expect(200);
    desk.api.get(&token, &others).await.expect(404);
    for list in ["/v1/tickets?view=group", "/v1/tickets"] {
        let listed = desk.api.get(&token, list).await.expect(200);
        let ids: Vec<&str> = listed.column("id");
        assert_eq!(ids, [ticket.rsplit('/').next().unwrap()], "{list}");
    }
    let comment = json!({ "body": "Mine as well.", "visibility": "public" });
    desk.api
        .post(&token, &format!("{ticket}/comment"), &comment)
        .await
        .expect(200);
    desk.api
        .post(&token, "/v1/groups", &json!({ "name": "Mine" }))
        .await
        .expect(403);
    let shown = desk.api.get(&token, &format!("{stranger}/rights")).await.expect(200);
    assert_eq!(shown.body["permissions"], json!([]));
    let other = format!("/v1/users/{}/rights", AGENT.user);
    desk.api.get(&token, &other).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_administers_by_a_role_changes_their_own_profile_and_keeps_the_role() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    write_role(&desk).await;
    let lead = format!("/v1/users/{}", LEAD.user);
    let holder = |name: &str, roles: Value| json!({ "name": name, "kind": "staff", "roles": roles });
    write(&desk, &lead, &holder("Lead", json!([{ "role": ROLE }]))).await;
    let token = LEAD.token();
    let renamed = holder("L. Ead", json!([{ "role": ROLE }]));
    desk.api.put(&token, &lead, &renamed).await.expect(200);
    let refused = desk
        .api
        .put(&token, &lead, &holder("L. Ead", json!([])))
        .await
        .expect(422);
    assert_eq!(refused.body["errors"][0]["code"], "own_account");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_role_is_told() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let administrator = ADMINISTRATOR.token();
    for (roles, status) in [
        (json!([ROLE]), 400),
        (json!([{ "group": GROUP }]), 400),
        (json!([{ "role": ROLE, "groups": GROUP }]), 422),
        (json!([{ "role": "7" }]), 422),
    ] {
        let user = json!({ "name": "Ada", "kind": "staff", "organisation": CLIENT, "roles": roles });
        let refused = desk.api.post(&administrator, "/v1/users", &user).await.expect(status);
        assert_eq!(refused.body["errors"][0]["pointer"], "/roles");
    }
    let set = json!({ "name": "Flying", "permissions": ["fly"] });
    let refused = desk
        .api
        .post(&administrator, "/v1/permission-sets", &set)
        .await
        .expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/permissions");
    let nothing = json!({ "name": "Nothing" });
    let refused = desk
        .api
        .post(&administrator, "/v1/permission-sets", &nothing)
        .await
        .expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/permissions");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_found_however_often_and_with_however_many_words_they_are_given() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let words = "words ".repeat(10_000);
    let sets: Vec<Uuid> = (1..=20).map(Uuid::from_u128).collect();
    for set in &sets {
        let set_path = format!("/v1/permission-sets/{set}");
        write(
            &desk,
            &set_path,
            &json!({ "name": "Long", "description": words, "permissions": ["close_any"] }),
        )
        .await;
    }
    let role = json!({ "name": "Everything", "permission_sets": sets });
    write(&desk, &format!("/v1/roles/{ROLE}"), &role).await;
    let held: Vec<Value> = (1..=100)
        .map(|n| json!({ "role": ROLE, "group": Uuid::from_u128(n) }))
        .collect();
    let agent = json!({ "name": "Agent", "kind": "staff", "groups": [Uuid::from_u128(1)], "roles": held });
    write(&desk, &format!("/v1/users/{}", AGENT.user), &agent).await;
    assert_eq!(
        rights(&desk).await["within"],
        json!([{ "group": Uuid::from_u128(1), "permissions": ["close_any"] }])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_a_permission_while_their_request_arrives_has_lost_it() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let lead = format!("/v1/users/{}", LEAD.user);
    let administrator = json!({ "name": "Lead", "kind": "staff", "permissions": ["administer"] });
    write(&desk, &lead, &administrator).await;
    let (rest, held_back) = tokio::sync::oneshot::channel::<String>();
    let text = administrator.to_string();
    let (begin, end) = text.split_at(5);
    let first = futures::stream::once(std::future::ready(Ok(begin.to_owned())));
    let body = first.chain(futures::stream::once(held_back));
    let request = desk
        .api
        .anonymous(Method::PUT, &lead)
        .bearer_auth(LEAD.token())
        .header("Content-Type", "application/json")
        .body(reqwest::Body::wrap_stream(body));
    let answer = tokio::spawn(request.send());
    // Something else of theirs is answered meanwhile: the service has heard of them.
    desk.api.get(&LEAD.token(), "/v1/sessions").await.expect(200);
    write(&desk, &lead, &json!({ "name": "Lead", "kind": "staff" })).await;
    rest.send(end.to_owned()).unwrap();
    assert_eq!(answer.await.unwrap().unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_of_a_scope_see_the_tickets_of_their_groups_and_what_concerns_them() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let of_group = ticket_of(&desk, Some(GROUP)).await;
    let of_other = ticket_of(&desk, Some(OTHER_GROUP)).await;
    let of_none = ticket_of(&desk, None).await;
    let tickets = [&of_group, &of_other, &of_none];
    let sees = async || {
        desk.caught_up().await;
        let mut seen = Vec::new();
        for path in tickets {
            let commanded = desk
                .api
                .post(&LEAD.token(), &format!("{path}/follow"), &json!({}))
                .await;
            // Following would show it from then on.
            if commanded.status == 200 {
                desk.api
                    .post(&LEAD.token(), &format!("{path}/unfollow"), &json!({}))
                    .await
                    .expect(200);
            }
            desk.caught_up().await;
            let read = desk.api.get(&LEAD.token(), path).await.status;
            assert_eq!(commanded.status, read, "{path}: {}", commanded.body);
            seen.push(read == 200);
        }
        let figures = desk.api.get(&LEAD.token(), "/v1/dashboard").await.expect(200);
        let total = seen.iter().filter(|seen| **seen).count();
        assert_eq!(figures.body["total"], total, "{}", figures.body);
        seen
    };
    let lead = format!("/v1/users/{}", LEAD.user);
    let profile =
        |scope: Value, groups: &[Uuid]| json!({ "name": "Lead", "kind": "staff", "scope": scope, "groups": groups });
    write(&desk, &lead, &profile(Value::Null, &[GROUP])).await;
    assert_eq!(sees().await, [true, true, true]);
    write(&desk, &lead, &profile(json!("groups"), &[GROUP])).await;
    assert_eq!(sees().await, [true, false, false]);
    write(&desk, &lead, &profile(json!("groups"), &[])).await;
    assert_eq!(
        sees().await,
        [false, false, false],
        "who is taken from the last group sees less, not more"
    );
    let assign = json!({ "assignee": LEAD.user });
    desk.api
        .post(&AGENT.token(), &format!("{of_none}/assign"), &assign)
        .await
        .expect(200);
    assert_eq!(sees().await, [false, false, true]);
    let found = desk
        .api
        .get(&ADMINISTRATOR.token(), "/v1/users?scope=groups")
        .await
        .expect(200);
    assert_eq!(found.body["items"][0]["id"], json!(LEAD.user), "{}", found.body);
    write(&desk, &lead, &profile(json!("all"), &[])).await;
    assert_eq!(sees().await, [true, true, true]);
    let customer = json!({ "name": "Customer", "kind": "customer", "scope": "groups" });
    let refused = desk.api.put(&ADMINISTRATOR.token(), &lead, &customer).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/scope", "{}", refused.body);
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_permission_shows_staff_of_a_scope_more_than_their_tickets() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let customer = json!({ "name": "Customer", "kind": "customer", "organisation": CLIENT });
    write(&desk, &format!("/v1/users/{}", CUSTOMER.user), &customer).await;
    let profile = |scope: &str| json!({ "name": "Agent", "kind": "staff", "scope": scope, "permissions": ["administer", "view_as", "import"] });
    let ticket = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    let ticket = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket)
        .await
        .expect(201)
        .id();
    for (scope, begun, told) in [("groups", 403, 403), ("all", 201, 200)] {
        write(&desk, &format!("/v1/users/{}", AGENT.user), &profile(scope)).await;
        desk.caught_up().await;
        let view = format!("/v1/users/{}/view-as", CUSTOMER.user);
        desk.api.post(&AGENT.token(), &view, &json!({})).await.expect(begun);
        let actions = format!("/v1/users/{}/actions", ADMINISTRATOR.user);
        desk.api.get(&AGENT.token(), &actions).await.expect(told);
        let project = json!({ "name": format!("Theirs, {scope}"), "followers": [AGENT.user] });
        desk.api
            .post(&AGENT.token(), "/v1/projects", &project)
            .await
            .expect(begun);
        let breach = json!([{ "action": "reassign", "group": GROUP }]);
        let target = json!({ "within": { "elapsed": "PT1S" }, "on_breach": breach });
        let policy = json!({ "name": format!("Theirs, {scope}"), "targets": { "first_response": target } });
        desk.api
            .post(&AGENT.token(), "/v1/policies", &policy)
            .await
            .expect(begun);
        // Whoever could follow as somebody who sees everything would see it from then on.
        let follow = json!({ "on_behalf_of": { "id": AGENT.user, "kind": "staff" } });
        let path = format!("/v1/tickets/{ticket}/follow");
        let followed = desk.api.post(&AGENT.token(), &path, &follow).await.expect(told);
        assert!(told == 200 || followed.body["errors"][0]["pointer"] == "/on_behalf_of");
        let seen = if told == 200 { 200 } else { 404 };
        desk.caught_up().await;
        desk.api
            .get(&AGENT.token(), &format!("/v1/tickets/{ticket}"))
            .await
            .expect(seen);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_learns_who_they_are_and_what_there_is_to_be_allowed() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let me = async |token: String| desk.api.get(&token, "/v1/me").await.expect(200).body;
    let agent = me(AGENT.token()).await;
    assert_eq!(agent["id"], json!(AGENT.user));
    assert_eq!((&agent["kind"], &agent["scope"]), (&json!("staff"), &json!("all")));
    assert_eq!(agent["permissions"], json!([]));

    write_role(&desk).await;
    write(
        &desk,
        &format!("/v1/groups/{GROUP}"),
        &json!({ "name": "First line", "permission_sets": [SET] }),
    )
    .await;
    let roles = json!([{ "role": ROLE, "group": GROUP }]);
    let profile = json!({ "name": "Ada", "kind": "staff", "groups": [GROUP], "roles": roles, "scope": "groups" });
    write(&desk, &format!("/v1/users/{}", AGENT.user), &profile).await;
    let customer = json!({ "name": "Carl", "kind": "customer", "organisation": CLIENT });
    write(&desk, &format!("/v1/users/{}", CUSTOMER.user), &customer).await;
    desk.caught_up().await;
    let agent = me(AGENT.token()).await;
    assert_eq!((&agent["name"], &agent["scope"]), (&json!("Ada"), &json!("groups")));
    assert_eq!((&agent["groups"], &agent["leads"]), (&json!([GROUP]), &json!([GROUP])));
    assert_eq!(agent["permissions"], json!(["import", "close_any", "administer"]));
    assert_eq!(agent["within"][0]["group"], json!(GROUP));
    let customer = me(CUSTOMER.token()).await;
    assert_eq!(
        (&customer["organisation"], &customer["scope"]),
        (&json!(CLIENT), &Value::Null)
    );

    let offered = desk.api.get(&CUSTOMER.token(), "/v1/permissions").await.expect(200);
    let pairs: Vec<_> = offered
        .items()
        .iter()
        .map(|item| (&item["permission"], &item["category"]))
        .collect();
    assert_eq!(
        json!(pairs),
        json!([
            ["import", "general"],
            ["close_any", "tickets"],
            ["administer", "users"],
            ["view_as", "general"],
            ["manage_organisations", "users"],
            ["manage_catalogue", "general"],
            ["manage_portals", "general"]
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn holders_are_those_who_may_and_nobody_else_page_by_page() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let (old_set, old_role) = (Uuid::from_u128(0x01d), Uuid::from_u128(0x01e));
    let id = |n: u128| Uuid::from_u128(0xb0 + n);
    for (path, body) in [
        (
            format!("permission-sets/{SET}"),
            json!({ "name": "Closing", "permissions": ["close_any"] }),
        ),
        (
            format!("permission-sets/{old_set}"),
            json!({ "name": "Old", "permissions": ["close_any"], "archived": true }),
        ),
        (
            format!("groups/{GROUP}"),
            json!({ "name": "First line", "permission_sets": [SET] }),
        ),
        (
            format!("groups/{OTHER_GROUP}"),
            json!({ "name": "Second line", "permission_sets": [old_set] }),
        ),
        (
            format!("roles/{ROLE}"),
            json!({ "name": "Lead", "permission_sets": [SET] }),
        ),
        (
            format!("roles/{old_role}"),
            json!({ "name": "Old", "permission_sets": [SET], "archived": true }),
        ),
    ] {
        write(&desk, &format!("/v1/{path}"), &body).await;
    }
    let within = json!([{ "role": ROLE, "group": OTHER_GROUP }]);
    for (n, profile) in (0..).zip([
        json!({ "name": "Ada", "kind": "staff", "permissions": ["close_any"] }),
        json!({ "name": "Ada", "kind": "staff", "groups": [GROUP] }),
        json!({ "name": "Bob", "kind": "staff", "roles": within, "groups": [OTHER_GROUP] }),
        // Of whom one might think so: in no such group, by what is archived, disabled, a customer, another permission.
        json!({ "name": "Cyd", "kind": "staff", "roles": within }),
        json!({ "name": "Dan", "kind": "staff", "roles": [{ "role": old_role }], "groups": [OTHER_GROUP] }),
        json!({ "name": "Eve", "kind": "staff", "permissions": ["close_any"], "enabled": false }),
        json!({ "name": "Fay", "kind": "customer", "groups": [GROUP] }),
        json!({ "name": "Gil", "kind": "staff", "permissions": ["import"] }),
        json!({ "name": "Hal", "kind": "staff", "roles": [{ "role": ROLE }] }),
    ]) {
        write(&desk, &format!("/v1/users/{}", id(n)), &profile).await;
    }
    desk.caught_up().await;
    let mut found = Vec::new();
    let mut next = Some("/v1/permissions/close_any/holders?limit=1".to_owned());
    while let Some(path) = next {
        let page = desk.api.get(&AGENT.token(), &path).await.expect(200);
        found.extend(
            page.items()
                .iter()
                .map(|one| json!([one["id"], one["everywhere"], one["within"]])),
        );
        let cursor = page.body["next_cursor"].as_str();
        next = cursor.map(|cursor| format!("/v1/permissions/close_any/holders?limit=1&cursor={cursor}"));
        if let Some(path) = &next {
            let other = path.replace("close_any", "import");
            desk.api.get(&AGENT.token(), &other).await.expect(400);
        }
    }
    let expected = [
        json!([id(0), true, []]),
        json!([id(1), true, []]),
        json!([id(2), false, [OTHER_GROUP]]),
        json!([id(8), true, []]),
    ];
    assert_eq!(found, expected);
    desk.api
        .get(&AGENT.token(), "/v1/permissions/fly/holders")
        .await
        .expect(404);
}
