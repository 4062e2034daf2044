//! Somebody who puts others' ids into every place that takes one is answered as if there were no such thing.

use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::Answer;
use crate::people::{ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, OTHER_CLIENT, STRANGER};
use crate::surface::{Surface, texts};

/// A word of all that is another organisation's.
const SECRET: &str = "Quicksilver";
/// Of which nobody knows anything.
const NOBODYS: Uuid = Uuid::from_u128(0x0dd);
/// Requests under way at the same time.
const CONCURRENT: usize = 16;

/// The ids of what is another organisation's.
async fn others(surface: &Surface) -> Vec<(&'static str, Uuid)> {
    let [group, project, role, set, portal, catalogue] = [0x51, 0x52, 0x53, 0x54, 0x55, 0x56].map(Uuid::from_u128);
    let name = |differs: Value| {
        let mut entry = json!({ "name": SECRET });
        entry
            .as_object_mut()
            .unwrap()
            .extend(differs.as_object().unwrap().clone());
        entry
    };
    let user = json!({ "kind": "customer", "organisation": OTHER_CLIENT, "groups": [group] });
    let administrator = ADMINISTRATOR.token();
    let api = &surface.desk.api;
    let product = json!({ "name": SECRET });
    let product = api.post(&administrator, "/v1/catalogue/products", &product).await;
    let product: Uuid = product.expect(201).id().parse().unwrap();
    let organisation = json!({ "portal": portal, "service_catalogues": [catalogue], "products": [product] });
    for (path, entry) in [
        (format!("groups/{group}"), name(json!({}))),
        (
            format!("permission-sets/{set}"),
            name(json!({ "permissions": ["close_any"] })),
        ),
        (format!("roles/{role}"), name(json!({ "permission_sets": [set] }))),
        (format!("portals/{portal}"), name(json!({}))),
        (format!("catalogue/service-catalogues/{catalogue}"), name(json!({}))),
        (format!("organisations/{OTHER_CLIENT}"), name(organisation)),
        (format!("users/{}", STRANGER.user), name(user)),
        (
            format!("projects/{project}"),
            name(json!({ "followers": [STRANGER.user] })),
        ),
        (format!("organisations/{CLIENT}"), json!({ "name": "Engines" })),
        (
            format!("users/{}", CUSTOMER.user),
            json!({ "name": "Customer", "kind": "customer", "organisation": CLIENT }),
        ),
    ] {
        api.put(&administrator, &format!("/v1/{path}"), &entry)
            .await
            .expect(200);
    }
    let service = json!({ "name": SECRET, "catalogues": [catalogue] });
    let service = api
        .post(&administrator, "/v1/catalogue/services", &service)
        .await
        .expect(201);
    let ticket = json!({ "subject": SECRET, "description": SECRET, "type": "defect", "category": SECRET });
    let ticket = api.post(&STRANGER.token(), "/v1/tickets", &ticket).await.expect(201);
    let assign = json!({ "group": group });
    let path = format!("/v1/tickets/{}/assign", ticket.id());
    api.post(&AGENT.token(), &path, &assign).await.expect(200);
    surface.desk.caught_up().await;
    vec![
        ("ticket", ticket.id().parse().unwrap()),
        ("user", STRANGER.user),
        ("organisation", OTHER_CLIENT),
        ("group", group),
        ("project", project),
        ("role", role),
        ("permission set", set),
        ("portal", portal),
        ("service catalogue", catalogue),
        ("product", product),
        ("service", service.id().parse().unwrap()),
    ]
}

/// A request with a place for an id.
#[derive(Debug, Clone)]
enum Probe {
    /// In the path, with a body or none.
    Path(Method, String, Option<Value>),
    /// In the query of this path, as this parameter.
    Query(String, String),
    /// In the body, at this place.
    Body(Method, String, Value, String),
    /// As the ticket of a line.
    Line(String, Value),
}

impl Probe {
    async fn send(&self, surface: &Surface, id: Uuid) -> Answer {
        let (token, api) = (CUSTOMER.token(), &surface.desk.api);
        match self {
            Self::Path(method, path, body) => {
                let path = path.replace("{id}", &id.to_string());
                match body {
                    Some(body) => surface.send(&token, method, &path, body).await,
                    None if *method == Method::DELETE => api.delete(&token, &path).await,
                    None if *method == Method::GET => api.get(&token, &path).await,
                    None => api.post(&token, &path, &json!({})).await,
                }
            }
            Self::Query(path, name) => api.get(&token, &format!("{path}?{name}={id}")).await,
            Self::Body(method, path, body, place) => {
                let mut body = body.clone();
                *body.pointer_mut(place).unwrap() = json!(id);
                surface.send(&token, method, path, &body).await
            }
            Self::Line(command, body) => {
                let line = json!({ "command": command, "ticket": id, "key": Uuid::new_v4(), "body": body });
                Answer::of_line(api.bulk(&token, &[line]).await.swap_remove(0))
            }
        }
    }

    /// Every place for an id that the document has.
    fn all(surface: &Surface) -> Vec<Self> {
        let mut probes = Vec::new();
        let takings = surface.taking();
        for (path, method, operation) in surface.operations() {
            let mine = takings
                .iter()
                .filter(|taking| taking.path == *path && taking.method == method);
            let bodies: Vec<Option<Value>> = mine
                .flat_map(|taking| [Some(taking.body.clone()), Some(taking.least.clone())])
                .collect();
            if path.contains("{id}") {
                let bodies = if bodies.is_empty() { vec![None] } else { bodies };
                probes.extend(
                    bodies
                        .into_iter()
                        .map(|body| Self::Path(method.clone(), path.clone(), body)),
                );
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let names_ids = parameter["schema"].to_string().contains("\"uuid\"");
                if parameter["in"] == "query" && names_ids && !path.contains('{') {
                    probes.push(Self::Query(
                        path.clone(),
                        parameter["name"].as_str().unwrap().to_owned(),
                    ));
                }
            }
        }
        for taking in &takings {
            let path = own(surface, &taking.path);
            let mut places = Vec::new();
            texts("", &taking.body, &mut places);
            let is_id = |place: &String| {
                let text = taking.body.pointer(place).unwrap().as_str().unwrap();
                text.parse::<Uuid>().is_ok()
            };
            for place in places.into_iter().filter(is_id) {
                let name = place.split('/').nth(1).unwrap();
                let mut body = acceptable(&taking.path, &taking.least);
                body[name] = taking.body[name].clone();
                probes.push(Self::Body(taking.method.clone(), path.clone(), body, place));
            }
            if let Some(command) = taking.path.strip_prefix("/v1/tickets/{id}/") {
                probes.push(Self::Line(command.to_owned(), acceptable(&taking.path, &taking.least)));
            }
        }
        probes
    }
}

/// A path with the caller's own ids in it.
fn own(surface: &Surface, path: &str) -> String {
    let id = match path.split('/').nth(2) {
        Some("tickets") => surface.ticket.clone(),
        Some("organisations") => CLIENT.to_string(),
        _ => CUSTOMER.user.to_string(),
    };
    path.replace("{id}", &id)
}

/// The least that a route takes, where the document does not tell all of it.
fn acceptable(path: &str, least: &Value) -> Value {
    match path.rsplit('/').next() {
        Some("tickets") => json!({ "subject": "Plotter", "description": "It smokes.", "type": "defect" }),
        Some("classify") => json!({ "category": "Printers" }),
        Some("assign") => json!({ "assignee": null }),
        Some("edit") => json!({ "subject": "Words" }),
        _ => least.clone(),
    }
}

/// What is said, whichever id was asked for.
fn told(answer: &Answer, id: Uuid) -> (u16, String) {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("instance");
        members.remove("key");
    }
    (answer.status, body.to_string().replace(&id.to_string(), "the id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn anothers_id_is_answered_as_nobodys_wherever_one_can_stand() {
    let surface = Surface::open().await;
    let others = others(&surface).await;
    let path = format!("/v1/tickets/{}", others[0].1);
    let before = surface.desk.api.get(&AGENT.token(), &path).await.expect(200).body;
    let probes = Probe::all(&surface);
    assert!(probes.len() > 200, "{}", probes.len());
    let (surface_, others_) = (&surface, &others);
    let wrong = stream::iter(&probes).map(async |probe| {
        let nobodys = told(&probe.send(surface_, NOBODYS).await, NOBODYS);
        let mut wrong = Vec::new();
        for (what, id) in others_ {
            let answer = told(&probe.send(surface_, *id).await, *id);
            let harmless = match probe {
                // What is asked for by another's id is not found, or not there, or not for customers.
                Probe::Path(..) | Probe::Query(..) => answer.0 < 500,
                // What is wished for by it is refused.
                Probe::Body(..) => (400..500).contains(&answer.0),
                Probe::Line(..) => answer.0 == 404,
            };
            if !harmless || answer != nobodys || answer.1.contains(SECRET) {
                wrong.push(format!(
                    "{probe:?} with a {what}: {answer:?}; with nobody's: {nobodys:?}"
                ));
            }
        }
        wrong
    });
    let wrong: Vec<Vec<String>> = wrong.buffer_unordered(CONCURRENT).collect().await;
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));

    surface.desk.caught_up().await;
    let after = surface.desk.api.get(&AGENT.token(), &path).await.expect(200).body;
    assert_eq!(after, before, "nobody has touched it");
    let seen = surface.desk.api.get(&CUSTOMER.token(), "/v1/tickets").await.expect(200);
    assert_eq!(seen.column("id"), [surface.ticket.as_str()], "nothing was opened");
}
