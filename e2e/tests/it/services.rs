//! Looking for services by their names: employees find every one that matches, and customers those that were granted to them.

use std::collections::BTreeSet;

use domain::policy::WaitPolicy;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, FOLLOWER, LEAD, PEER, Person, STRANGER};

/// Every service of this test, with the catalogues that it is in, and whether its name has the word.
const SERVICES: [(&str, &[&str], bool); 7] = [
    ("VPN", &["Gold"], true),
    ("Vpn for guests", &["Silver"], true),
    ("Site-to-site vpn", &["Gold", "Silver"], true),
    ("OpenVPN client", &["Bronze"], true),
    ("VPN of nobody", &[], true),
    ("Mail", &["Gold"], false),
    ("Telephony", &["Silver"], false),
];

async fn create(desk: &Desk, kind: &str, item: &Value) -> String {
    let place = format!("/v1/catalogue/{kind}");
    desk.api
        .post(&ADMINISTRATOR.token(), &place, item)
        .await
        .expect(201)
        .id()
}

/// What somebody finds, page by page.
async fn found(desk: &Desk, person: Person, query: &str) -> BTreeSet<String> {
    let (mut found, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let path = format!("/v1/catalogue/services?limit=2&{query}{cursor}");
        let page = desk.api.get(&person.token(), &path).await.expect(200);
        found.extend(page.column("name").into_iter().map(str::to_owned));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// The names of the services that are in one of these catalogues (nothing: all), and match if only those are meant.
fn expected(catalogues: Option<&[&str]>, matching: bool) -> BTreeSet<String> {
    let in_one = |of: &[&str]| catalogues.is_none_or(|granted| of.iter().any(|one| granted.contains(one)));
    let meant = SERVICES
        .iter()
        .filter(|(_, of, matches)| in_one(of) && (*matches || !matching));
    meant.map(|(name, ..)| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn employees_find_every_service_of_a_name_and_customers_those_of_their_catalogues() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let mut catalogues = Vec::new();
    for name in ["Gold", "Silver", "Bronze"] {
        catalogues.push((
            name,
            create(&desk, "service-catalogues", &json!({ "name": name })).await,
        ));
    }
    let ids = |names: &[&str]| -> Vec<&str> {
        let named = catalogues.iter().filter(|(name, _)| names.contains(name));
        named.map(|(_, id)| id.as_str()).collect()
    };
    let mut services = Vec::new();
    for (name, of, _) in SERVICES {
        let service = json!({ "name": name, "catalogues": ids(of) });
        services.push((name, create(&desk, "services", &service).await));
    }
    // The catalogues stand in a user's own card, in that of their organisation, or in both.
    let write = async |path: String, profile: Value| {
        desk.api.put(&ADMINISTRATOR.token(), &path, &profile).await.expect(200);
    };
    let user = async |person: Person, organisation: Value, granted: &[&str]| {
        let profile = json!({ "name": person.name, "kind": "customer", "organisation": organisation,
            "service_catalogues": ids(granted) });
        write(format!("/v1/users/{}", person.user), profile).await;
    };
    let engines = json!({ "name": "Engines", "service_catalogues": ids(&["Silver"]) });
    write(format!("/v1/organisations/{CLIENT}"), engines).await;
    user(CUSTOMER, json!(CLIENT), &["Gold"]).await;
    user(PEER, json!(CLIENT), &[]).await;
    user(FOLLOWER, Value::Null, &["Gold", "Bronze"]).await;
    user(STRANGER, Value::Null, &[]).await;
    // Staff with a scope are staff: it is tickets that they see fewer of.
    let lead = json!({ "name": "Lead", "kind": "staff", "scope": "groups" });
    write(format!("/v1/users/{}", LEAD.user), lead).await;
    desk.caught_up().await;

    let seen: [(Person, Option<&[&str]>); 6] = [
        (AGENT, None),
        (LEAD, None),
        (CUSTOMER, Some(&["Gold", "Silver"])),
        (PEER, Some(&["Silver"])),
        (FOLLOWER, Some(&["Gold", "Bronze"])),
        (STRANGER, Some(&[])),
    ];
    for (person, granted) in seen {
        let all = expected(granted, false);
        assert_eq!(found(&desk, person, "").await, all, "{}", person.name);
        for word in ["vpn", "VPN", "Vpn"] {
            let matching = expected(granted, true);
            assert_eq!(
                found(&desk, person, &format!("q={word}")).await,
                matching,
                "{} {word}",
                person.name
            );
        }
        for (name, id) in &services {
            let one = desk
                .api
                .get(&person.token(), &format!("/v1/catalogue/services/{id}"))
                .await;
            let status = if all.contains(*name) { 200 } else { 404 };
            assert_eq!(one.status, status, "{} and {name}: {}", person.name, one.body);
            let shown = one.body.to_string().contains(name);
            assert_eq!(shown, status == 200, "{} and {name}: {}", person.name, one.body);
        }
    }
    // Who loses a catalogue finds its services no more.
    user(FOLLOWER, Value::Null, &["Bronze"]).await;
    desk.caught_up().await;
    assert_eq!(found(&desk, FOLLOWER, "q=vpn").await, expected(Some(&["Bronze"]), true));
}
