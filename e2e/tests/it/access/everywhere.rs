//! Everybody on every route. A cell is what an answer says of access alone: 401, 403, 404, or that the caller came through,
//! whatever became of the request after that.

use std::collections::BTreeSet;

use domain::policy::WaitPolicy;
use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::admit::{PROJECT, admit};
use super::who::{EVERYBODY, Entry, USUAL, Who};
use crate::desk::Desk;
use crate::people::{AGENT, CLIENT, CUSTOMER, FOLLOWER, GROUP, IMPORTER, STRANGER};
use crate::routes::{For, ROUTES};

const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// Rows that are asked at the same time.
const CONCURRENT: usize = 16;

/// What an answer says of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Unauthenticated,
    Forbidden,
    Absent,
    Through,
}

/// What becomes of somebody's request to such a route.
fn expected(who: Who, method: &str, route: For) -> Cell {
    let or = |yes: bool, otherwise: Cell| if yes { Cell::Through } else { otherwise };
    match who.entry() {
        _ if route == For::Public => return Cell::Through,
        Entry::Refused => return Cell::Unauthenticated,
        Entry::PasswordFirst => return or(route == For::SignedIn, Cell::Forbidden),
        // Reading is as it is for the customer.
        Entry::Looking if method != "GET" => return Cell::Forbidden,
        Entry::Looking | Entry::Full => {}
    }
    let own = who.traits();
    let (sees_all, side) = (who.sees_every_ticket(), who.requesters_side(&USUAL));
    match route {
        For::Public | For::SignedIn | For::Callers => Cell::Through,
        For::AllSeeing => or(sees_all, Cell::Forbidden),
        For::Administrators => or(own.holds("administer"), Cell::Forbidden),
        For::Managers(permission) => or(own.holds("administer") || own.holds(permission), Cell::Forbidden),
        For::AllSeeingAdministrators => or(sees_all && own.holds("administer"), Cell::Forbidden),
        For::Lookers => or(sees_all && own.holds("view_as"), Cell::Forbidden),
        For::StaffAndOrganisation => or(own.staff || own.organisation == Some(CLIENT), Cell::Absent),
        For::StaffAndUser => or(own.staff || who.user() == CUSTOMER.user, Cell::Absent),
        For::Viewers => or(who.sees(&USUAL), Cell::Absent),
        For::ViewingStaff | For::RequestersSide | For::RequestersSideAndStaff | For::Closing if !who.sees(&USUAL) => {
            Cell::Absent
        }
        For::Staff | For::ViewingStaff => or(own.staff, Cell::Forbidden),
        For::RequestersSide => or(side, Cell::Forbidden),
        For::RequestersSideAndStaff => or(own.staff || side, Cell::Forbidden),
        // The requester's side is told that the status is wrong, but for those of it who are staff.
        For::Closing => or(who.closes(&USUAL) || (side && !own.staff), Cell::Forbidden),
    }
}

/// What goes into the body of a request that changes something: acceptable where it would change what others see, and
/// otherwise not.
fn body(path: &str) -> Value {
    let text = "Words.";
    match path.strip_prefix("/v1/tickets/{id}/") {
        Some("comment") => json!({ "body": text, "visibility": "public" }),
        Some("request-info" | "provide-info" | "reopen") => json!({ "comment": text }),
        Some("propose-closure") => json!({ "solution": text }),
        Some("rate") => json!({ "score": 5 }),
        Some("classify") => json!({ "category": "Printers" }),
        Some("assign") => json!({ "assignee": AGENT.user }),
        Some("edit") => json!({ "subject": text }),
        Some("close") => json!({ "reason": text }),
        Some(_) => json!({}),
        None => json!({ "nonsense": true }),
    }
}

/// The path of a request: the ticket, a user, an organisation and a group are there, and of anything else there is none.
fn path(template: &str, ticket: &str) -> String {
    let id = match template.split('/').nth(2) {
        Some("tickets") => ticket.to_owned(),
        Some("users") => CUSTOMER.user.to_string(),
        Some("organisations") => CLIENT.to_string(),
        Some("groups") => GROUP.to_string(),
        _ => STRANGER.user.to_string(),
    };
    template
        .replace("{id}", &id)
        .replace("{name}", "supportal")
        .replace("{permission}", "import")
        .replace("{code}", "not-found")
}

/// A new ticket of the usual kind, for somebody's row.
async fn ticket(desk: &Desk, who: Who) -> String {
    let (requester, organisation) = USUAL.requester(who);
    let body = json!({
        "subject": "Export fails", "description": "It says 500.", "type": "defect",
        "on_behalf_of": { "id": requester, "organisation": organisation },
    });
    let created = desk.api.post(&IMPORTER.token(), "/v1/tickets", &body).await.expect(201);
    for (command, body) in [
        ("assign", json!({ "group": GROUP })),
        ("follow", json!({ "user": FOLLOWER.user })),
        ("classify", json!({ "project": PROJECT })),
    ] {
        let path = format!("/v1/tickets/{}/{command}", created.id());
        desk.api.post(&AGENT.token(), &path, &body).await.expect(200);
    }
    desk.caught_up().await;
    created.id()
}

/// What becomes of a request.
async fn ask(desk: &Desk, who: Who, (method, template, route): (&str, &str, For), ticket: &str) -> Cell {
    let method: Method = method.parse().unwrap();
    let path = path(template, ticket);
    let mut request = desk.api.anonymous(method.clone(), &path);
    if who != Who::Anonymous {
        request = request.bearer_auth(who.token());
    }
    if method == Method::POST || method == Method::PUT {
        request = request.json(&body(template));
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    assert!(status < 500, "{who:?} {method} {path}: {text}");
    // Of other things there are none.
    let is_there =
        template.starts_with("/v1/tickets/{id}") || matches!(route, For::StaffAndOrganisation | For::StaffAndUser);
    match status {
        401 => Cell::Unauthenticated,
        // Who has no password has nothing to change.
        403 if template != "/v1/password" || [Who::Newcomer, Who::Looking].contains(&who) => Cell::Forbidden,
        404 if is_there => Cell::Absent,
        _ => Cell::Through,
    }
}

/// The cells of somebody's row that are not as expected.
async fn wrong(desk: &Desk, who: Who) -> Vec<String> {
    let ticket = ticket(desk, who).await;
    let mut wrong = Vec::new();
    for cell in ROUTES {
        let (method, path, route) = cell;
        let (found, expected) = (ask(desk, who, cell, &ticket).await, expected(who, method, route));
        if found != expected {
            wrong.push(format!("{who:?} {method} {path}: {found:?}, and not {expected:?}"));
        }
    }
    wrong
}

/// What a path has in an OpenAPI document besides methods.
const NO_METHODS: [&str; 5] = ["summary", "description", "servers", "parameters", "$ref"];

#[test]
fn every_route_is_for_somebody() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let documented: BTreeSet<(String, &str)> = paths
        .flat_map(|(path, operations)| {
            let names = operations.as_object().unwrap().keys();
            let methods = names.filter(|name| !NO_METHODS.contains(&name.as_str()));
            let methods = methods.map(|name| name.to_uppercase());
            methods.map(|method| (method, path.as_str()))
        })
        .collect();
    let listed: BTreeSet<(String, &str)> = ROUTES
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), *path))
        .collect();
    assert_eq!(listed, documented);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_do_on_every_route_what_it_is_for_and_nothing_else() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk).await;
    let rows = stream::iter(EVERYBODY).map(|who| wrong(&desk, who));
    let wrong: Vec<Vec<String>> = rows.buffer_unordered(CONCURRENT).collect().await;
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
