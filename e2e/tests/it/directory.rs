//! What is known of users, groups, organisations, roles, permission sets and projects, and that users are what it says.

use domain::policy::WaitPolicy;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, GROUP, LEAD, OTHER_CLIENT, PEER, Person, STRANGER};

fn ticket() -> Value {
    json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" })
}

async fn write(desk: &Desk, person: Person, profile: &Value) {
    let path = format!("/v1/users/{}", person.user);
    desk.api.put(&ADMINISTRATOR.token(), &path, profile).await.expect(200);
    desk.caught_up().await;
}

/// One of each kind, and where they are listed.
fn entries() -> [(&'static str, Value); 6] {
    [
        (
            "users",
            json!({
                "name": "Ada Lovelace", "kind": "customer", "email": "ada@example.org", "organisation": CLIENT,
                "last_name": "Lovelace", "first_name": "Ada", "middle_name": "Байрон", "position": "Analyst",
                "description": "Knows the engine.", "phones": ["+7 495 000-00-00"], "language": "ru",
            }),
        ),
        ("groups", json!({ "name": "First line", "systems": ["billing"] })),
        (
            "organisations",
            json!({ "name": "Engines Ltd", "products": ["Engine 2", "Engine 1"] }),
        ),
        (
            "roles",
            json!({ "name": "Shift lead", "leading": true, "permission_sets": [CLIENT] }),
        ),
        (
            "permission-sets",
            json!({ "name": "Closing", "permissions": ["close_any"] }),
        ),
        (
            "projects",
            json!({
                "name": "Migration", "description": "To the new engine.", "followers": [CUSTOMER.user, PEER.user],
                "organisations": [CLIENT],
            }),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_created_changed_and_kept_version_after_version() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let administrator = ADMINISTRATOR.token();
    for (place, body) in entries() {
        let list = format!("/v1/{place}");
        let created = desk
            .api
            .try_post(&administrator, &list, &body, "first")
            .await
            .unwrap()
            .expect(201);
        let again = desk
            .api
            .try_post(&administrator, &list, &body, "first")
            .await
            .unwrap()
            .expect(201);
        assert_eq!(
            (again.id(), again.header("idempotency-replayed")),
            (created.id(), Some("true"))
        );
        let path = format!("{list}/{}", created.id());
        assert_eq!(created.header("location"), Some(path.as_str()));
        let mut changed = body.clone();
        changed["name"] = json!("Another name");
        desk.api.put(&administrator, &path, &changed).await.expect(200);
        let unchanged = desk.api.put(&administrator, &path, &changed).await.expect(200);
        assert_eq!(unchanged.body["version"], 2, "nothing new was said");

        desk.caught_up().await;
        let shown = desk.api.get(&AGENT.token(), &path).await.expect(200);
        assert_eq!(
            (&shown.body["name"], &shown.body["version"]),
            (&json!("Another name"), &json!(2))
        );
        assert_eq!(shown.header("etag"), Some("\"2\""));
        let first = desk
            .api
            .get(&AGENT.token(), &format!("{path}?version=1"))
            .await
            .expect(200);
        for (member, value) in body.as_object().unwrap() {
            let sorted = |value: &Value| {
                let mut items = value.as_array().cloned().unwrap_or_default();
                items.sort_by_key(Value::to_string);
                items
            };
            let shown = &first.body[member];
            assert!(
                shown == value || (shown.is_array() && sorted(shown) == sorted(value)),
                "{member}: {shown}"
            );
        }
        let versions = desk
            .api
            .get(&AGENT.token(), &format!("{path}/history"))
            .await
            .expect(200);
        assert_eq!(versions.items().len(), 2);
        assert_eq!(versions.items()[1]["changed_by"]["id"], json!(ADMINISTRATOR.user));
        let listed = desk
            .api
            .get(&AGENT.token(), &format!("{list}?count=exact"))
            .await
            .expect(200);
        assert_eq!(
            (listed.column("name"), &listed.body["total"]),
            (vec!["Another name"], &json!(1))
        );
        desk.api.get(&CUSTOMER.token(), &list).await.expect(403);
        desk.api
            .get(&AGENT.token(), &format!("{list}/{}", STRANGER.user))
            .await
            .expect(404);
    }
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_profile_is_told_and_only_administrators_write_one() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let administrator = ADMINISTRATOR.token();
    let wrong = json!({ "kind": "robot", "email": "nowhere", "groups": [1], "colour": "red" });
    let refused = desk.api.post(&administrator, "/v1/users", &wrong).await.expect(400);
    let pointers: Vec<&str> = refused.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/kind", "/email", "/groups", "/colour", "/name"] {
        assert!(pointers.contains(&pointer), "{pointer}: {pointers:?}");
    }
    let customer = json!({ "name": "Ada", "kind": "customer", "permissions": ["import"] });
    let refused = desk.api.post(&administrator, "/v1/users", &customer).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/permissions");
    let group = json!({ "name": "First line" });
    for person in [AGENT, LEAD, CUSTOMER] {
        desk.api.post(&person.token(), "/v1/groups", &group).await.expect(403);
    }
    let own = format!("/v1/users/{}", ADMINISTRATOR.user);
    for shut_out in [
        json!({ "name": "Root", "kind": "staff", "permissions": ["administer"], "enabled": false }),
        json!({ "name": "Root", "kind": "staff" }),
    ] {
        let refused = desk.api.put(&administrator, &own, &shut_out).await.expect(422);
        assert_eq!(refused.body["errors"][0]["code"], "own_account");
    }
    desk.api.put(&administrator, "/v1/users/7", &customer).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_what_the_profile_says_at_once_and_with_every_token() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let created = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
        .await
        .expect(201);
    let path = format!("/v1/tickets/{}", created.id());
    let close = json!({ "reason": "Sent twice." });

    desk.api
        .post(&AGENT.token(), &format!("{path}/close"), &close)
        .await
        .expect(403);
    write(
        &desk,
        AGENT,
        &json!({ "name": "Agent", "kind": "staff", "permissions": ["close_any"] }),
    )
    .await;
    desk.api
        .post(&AGENT.token(), &format!("{path}/close"), &close)
        .await
        .expect(200);
    write(&desk, LEAD, &json!({ "name": "Lead", "kind": "staff" })).await;
    let other = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
        .await
        .expect(201);
    let other = format!("/v1/tickets/{}/close", other.id());
    desk.api.post(&LEAD.token(), &other, &close).await.expect(403);

    desk.caught_up().await;
    desk.api.get(&PEER.token(), &path).await.expect(200);
    write(&desk, PEER, &json!({ "name": "Peer", "kind": "customer" })).await;
    desk.api.get(&PEER.token(), &path).await.expect(404);
    let comment = json!({ "body": "Mine, too.", "visibility": "public" });
    desk.api
        .post(&PEER.token(), &format!("{path}/comment"), &comment)
        .await
        .expect(404);
    write(
        &desk,
        STRANGER,
        &json!({ "name": "Stranger", "kind": "customer", "organisation": CLIENT, "groups": [GROUP] }),
    )
    .await;
    desk.api.get(&STRANGER.token(), &path).await.expect(200);

    write(
        &desk,
        PEER,
        &json!({ "name": "Peer", "kind": "customer", "organisation": CLIENT, "enabled": false }),
    )
    .await;
    desk.api.get(&PEER.token(), &path).await.expect(401);
    desk.api.post(&PEER.token(), "/v1/tickets", &ticket()).await.expect(401);
    write(
        &desk,
        PEER,
        &json!({ "name": "Peer", "kind": "customer", "organisation": CLIENT }),
    )
    .await;
    desk.api.get(&PEER.token(), &path).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_names_its_entry_and_names_given_along_do_not_change_that() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let token = AGENT.token();
    let created = desk
        .api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
        .await
        .expect(201);
    let assign = format!("/v1/tickets/{}/assign", created.id());
    let shown = async || {
        desk.caught_up().await;
        let path = format!("/v1/tickets/{}", created.id());
        desk.api.get(&token, &path).await.expect(200).body["group"]["name"].clone()
    };
    let along = json!({ "group": { "id": GROUP, "name": "Somebody" } });
    desk.api.post(&token, &assign, &along).await.expect(200);
    assert_eq!(shown().await, "Somebody");
    let path = format!("/v1/groups/{GROUP}");
    let written = desk
        .api
        .put(&ADMINISTRATOR.token(), &path, &json!({ "name": "First line" }))
        .await
        .expect(200);
    assert_eq!(written.body["revision"], 2, "the name was the first");
    assert_eq!(shown().await, "First line");
    let along = json!({ "assignee": null, "group": { "id": GROUP, "name": "Third line" } });
    desk.api.post(&token, &assign, &along).await.expect(200);
    assert_eq!(shown().await, "First line");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_found_by_what_is_known_of_them() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let administrator = ADMINISTRATOR.token();
    let [role, set] = [0x401e, 0x5e7].map(Uuid::from_u128);
    let entries = [
        (
            "users",
            json!({ "name": "Ada Lovelace", "kind": "staff", "groups": [GROUP], "permissions": ["import"] }),
        ),
        (
            "users",
            json!({ "name": "Bob_1", "kind": "staff", "roles": [{ "role": role, "group": GROUP }], "leading": true }),
        ),
        (
            "users",
            json!({ "name": "Cyd", "kind": "customer", "organisation": CLIENT, "email": "cyd@engines.example" }),
        ),
        ("users", json!({ "name": "Dan", "kind": "customer", "enabled": false })),
        ("groups", json!({ "name": "First line", "systems": ["billing", "crm"] })),
        ("groups", json!({ "name": "Second line", "permission_sets": [set] })),
        ("groups", json!({ "name": "Third line", "archived": true })),
        ("organisations", json!({ "name": "Engines", "products": ["Engine 2"] })),
        ("organisations", json!({ "name": "Mills" })),
        (
            "roles",
            json!({ "name": "Lead", "leading": true, "permission_sets": [set] }),
        ),
        ("roles", json!({ "name": "Helper" })),
        (
            "permission-sets",
            json!({ "name": "Closing", "permissions": ["close_any"] }),
        ),
        ("permission-sets", json!({ "name": "Nothing", "permissions": [] })),
        (
            "projects",
            json!({ "name": "Migration", "followers": [PEER.user, LEAD.user], "archived": true }),
        ),
        ("projects", json!({ "name": "Renewal", "organisations": [CLIENT] })),
    ];
    for (place, body) in entries {
        desk.api
            .post(&administrator, &format!("/v1/{place}"), &body)
            .await
            .expect(201);
    }
    desk.caught_up().await;
    let found = [
        ("users?kind=staff", "Ada Lovelace,Bob_1"),
        ("users?kind=staff&kind=customer", "Ada Lovelace,Bob_1,Cyd,Dan"),
        ("users?kind=staff&leading=true", "Bob_1"),
        (&format!("users?group={GROUP}"), "Ada Lovelace"),
        (&format!("users?role={role}"), "Bob_1"),
        (&format!("users?organisation={CLIENT}"), "Cyd"),
        ("users?permission=import&permission=close_any", "Ada Lovelace"),
        ("users?enabled=false", "Dan"),
        ("users?q=LOVE", "Ada Lovelace"),
        ("users?q=cyd%40engines", "Cyd"),
        ("users?q=b_1", "Bob_1"),
        ("users?q=%25", ""),
        ("groups?system=crm", "First line"),
        ("groups?connected=true", "First line"),
        ("groups?connected=false&archived=false", "Second line"),
        (&format!("groups?permission_set={set}"), "Second line"),
        ("organisations?product=Engine%202", "Engines"),
        ("organisations?archived=false&q=mill", "Mills"),
        ("roles?leading=false", "Helper"),
        ("permission-sets?permission=close_any", "Closing"),
        (&format!("projects?follower={}", PEER.user), "Migration"),
        (&format!("projects?organisation={CLIENT}"), "Renewal"),
        ("projects?archived=false&q=new", "Renewal"),
    ];
    for (query, names) in found {
        let path = format!("/v1/{query}&count=exact");
        let listed = desk.api.get(&AGENT.token(), &path).await.expect(200);
        assert_eq!(listed.column("name").join(","), names, "{query}");
        assert_eq!(listed.body["total"], listed.items().len(), "{query}");
        let mut paged = Vec::new();
        let mut next = Some(format!("/v1/{query}&limit=1"));
        while let Some(path) = next {
            let page = desk.api.get(&AGENT.token(), &path).await.expect(200);
            paged.extend(page.column("name").into_iter().map(str::to_owned));
            next = page.body["next_cursor"]
                .as_str()
                .map(|cursor| format!("/v1/{query}&limit=1&cursor={cursor}"));
        }
        assert_eq!(paged.join(","), names, "{query}, page by page");
    }
    // Made by hand: {"name": "\0", "id": …}
    let made = "users?cursor=eyJuYW1lIjoiXHUwMDAwIiwiaWQiOiI2NTJhMTFiNi0yYzQ5LTQwMGUtOWE5MS1hNGM0Y2VkM2NmYmIifQ";
    for wrong in [
        made,
        "users?group=7",
        "users?kind=robot",
        "users?enabled=perhaps",
        "users?q=",
        "roles?permission=fly",
    ] {
        let status = desk.api.get(&AGENT.token(), &format!("/v1/{wrong}")).await.status;
        assert!(status == 400 || status == 422, "{wrong}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_say_what_others_are_called_and_users_are_listed_in_many_orders() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let administrator = ADMINISTRATOR.token();
    let role = Uuid::from_u128(0x401e);
    let longest = format!("Zz{}", "\u{1f6e0}".repeat(198));
    let entries = [
        (format!("organisations/{CLIENT}"), json!({ "name": "Mills" })),
        (format!("organisations/{OTHER_CLIENT}"), json!({ "name": "Engines" })),
        (format!("groups/{GROUP}"), json!({ "name": "First line" })),
        (format!("roles/{role}"), json!({ "name": "Shift leader" })),
    ];
    for (path, body) in entries {
        desk.api
            .put(&administrator, &format!("/v1/{path}"), &body)
            .await
            .expect(200);
    }
    for user in [
        json!({ "name": "Ada", "last_name": "Zoll", "first_name": "Ada", "position": "Agent", "email": "c@x.org",
                "kind": "staff", "groups": [GROUP], "roles": [{ "role": role, "group": GROUP }] }),
        json!({ "name": "Bob", "last_name": "Abel", "first_name": "Cyd", "kind": "customer", "organisation": CLIENT }),
        json!({ "name": longest, "last_name": longest, "kind": "customer", "organisation": OTHER_CLIENT,
                "email": "b@x.org" }),
        json!({ "name": "Cyd", "last_name": "Abel", "kind": "customer", "organisation": Uuid::from_u128(1) }),
    ] {
        desk.api.post(&administrator, "/v1/users", &user).await.expect(201);
    }
    desk.caught_up().await;
    for (sort, order) in [
        ("name", ["Ada", "Bob", "Cyd", &longest]),
        ("last_name", ["Bob", "Cyd", "Ada", &longest]),
        ("first_name", ["Cyd", &longest, "Ada", "Bob"]),
        ("position", ["Bob", "Cyd", &longest, "Ada"]),
        ("email", ["Bob", "Cyd", &longest, "Ada"]),
        ("organisation", ["Ada", "Cyd", &longest, "Bob"]),
    ] {
        let backwards: Vec<&str> = order.iter().rev().copied().collect();
        for (sort, order) in [(sort.to_owned(), order.to_vec()), (format!("-{sort}"), backwards)] {
            let mut paged = Vec::new();
            let mut cursor = String::new();
            loop {
                let path = format!("/v1/users?sort={sort}&limit=1{cursor}");
                let page = desk.api.get(&AGENT.token(), &path).await.expect(200);
                paged.push(page.items()[0]["name"].as_str().unwrap().to_owned());
                match page.body["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
                let other = format!("/v1/users?sort=-last_name&limit=1{cursor}");
                let expected = if sort == "-last_name" { 200 } else { 400 };
                desk.api.get(&AGENT.token(), &other).await.expect(expected);
            }
            assert_eq!(paged, order, "{sort}");
        }
    }
    let users = desk.api.get(&AGENT.token(), "/v1/users").await.expect(200);
    let called: Vec<&Value> = users.items().iter().map(|user| &user["names"]).collect();
    let (group, role, client) = (GROUP.to_string(), role.to_string(), CLIENT.to_string());
    assert_eq!(called[0], &json!({ group: "First line", role: "Shift leader" }));
    assert_eq!(called[1], &json!({ client: "Mills" }));
    assert_eq!(called[2], &json!({}), "nobody knows that one");
    desk.api.get(&AGENT.token(), "/v1/users?sort=age").await.expect(422);
    desk.api.get(&AGENT.token(), "/v1/groups?sort=email").await.expect(422);
    let groups = desk.api.get(&AGENT.token(), "/v1/groups?sort=-name").await.expect(200);
    assert_eq!(groups.column("name")[0], "First line");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_what_nobody_has_written_is_told() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let administrator = ADMINISTRATOR.token();
    let (group, role, set) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let put = async |path: &str, body: Value| {
        let answer = desk.api.put(&administrator, &format!("/v1/{path}"), &body).await;
        let told = answer.expect(200).body.get("warnings").cloned();
        let told = told.unwrap_or_else(|| json!([]));
        let pairs = told.as_array().unwrap().iter();
        json!(
            pairs
                .map(|told| json!([told["code"], told["pointer"], told["ids"]]))
                .collect::<Vec<_>>()
        )
    };
    let ada = json!({ "name": "Ada", "kind": "staff", "organisation": CLIENT, "groups": [GROUP, group],
                      "roles": [{ "role": role, "group": group }] });
    let path = format!("users/{}", AGENT.user);
    put(&format!("groups/{GROUP}"), json!({ "name": "First line" })).await;
    assert_eq!(
        put(&path, ada.clone()).await,
        json!([
            ["not_written", "/groups", [group]],
            ["not_written", "/organisation", [CLIENT]],
            ["not_written", "/roles", [group]],
            ["not_written", "/roles", [role]]
        ])
    );
    let unknown_set = json!([["not_written", "/permission_sets", [set]]]);
    for kind in ["groups", "roles"] {
        let id = if kind == "groups" { group } else { role };
        let body = json!({ "name": "x", "permission_sets": [set] });
        assert_eq!(put(&format!("{kind}/{id}"), body).await, unknown_set, "{kind}");
    }
    let organisation = json!({ "name": "Engines", "portal": Uuid::from_u128(4) });
    assert_eq!(
        put(&format!("organisations/{CLIENT}"), organisation).await[0][1],
        "/portal"
    );
    assert_eq!(put(&path, ada).await, json!([]), "all of it is there by now");
    let crowd: Vec<Uuid> = (100..160).map(Uuid::from_u128).chain([AGENT.user]).collect();
    let project = json!({ "name": "Migration", "followers": crowd, "organisations": [CLIENT] });
    let told = put(&format!("projects/{}", Uuid::from_u128(5)), project).await;
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!(
        (&told[0][1], told[0][2].as_array().unwrap().len()),
        (&json!("/followers"), 50)
    );
}
