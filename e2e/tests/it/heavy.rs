//! Bodies that are too deep, too wide or too large, on every route that takes one: each is refused, and the desk goes on.

use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{ADMINISTRATOR, AGENT};
use crate::surface::Surface;

/// Deeper than the stack of any thread that would take a level at a time.
const LEVELS: usize = 10_000;
/// As the contract says.
const BYTES_MAX: usize = 1024 * 1024;

/// A value within a value within a value.
fn deep() -> [String; 3] {
    [
        "[".repeat(LEVELS) + &"]".repeat(LEVELS),
        r#"{"a":"#.repeat(LEVELS) + "1" + &"}".repeat(LEVELS),
        // One that does not even end.
        "[".repeat(LEVELS),
    ]
}

/// Bodies for a route: too heavy as a whole, or in one of the members that it takes.
fn bodies(members: &[String]) -> Vec<String> {
    let within = |name: &String| deep().map(|deep| format!("{{\"{name}\":{deep}}}"));
    let mut bodies: Vec<String> = deep().into_iter().chain(members.iter().flat_map(within)).collect();
    bodies.extend(members.first().map(|name| {
        let wide = vec!["[]"; BYTES_MAX / 4].join(",");
        format!("{{\"{name}\":[{wide}]}}")
    }));
    bodies
}

/// Gives the administrator every permission, so that no route says no before it has read.
async fn permit(surface: &Surface) {
    let path = format!("/v1/users/{}", ADMINISTRATOR.user);
    let all = json!(["import", "close_any", "administer", "view_as"]);
    let profile = json!({ "name": "Administrator", "kind": "staff", "permissions": all });
    let api = &surface.desk.api;
    api.put(&ADMINISTRATOR.token(), &path, &profile).await.expect(200);
}

/// The type that a request's body has by the document, and the members that it takes.
fn taken(surface: &Surface, path: &str, method: &Method, operation: &Value) -> (String, Vec<String>) {
    let content = operation["requestBody"]["content"].as_object();
    let kind = content.and_then(|content| content.keys().next().cloned());
    let taking = surface.taking();
    let members = taking
        .into_iter()
        .find(|taking| taking.path == path && taking.method == *method);
    let members = members.map(|taking| taking.members).unwrap_or_default();
    (kind.unwrap_or_else(|| "application/json".to_owned()), members)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_too_deep_or_too_large_is_refused_on_every_route() {
    let surface = Surface::open().await;
    permit(&surface).await;
    let api = &surface.desk.api;
    let mut tried = 0;
    for (path, method, operation) in surface.operations() {
        if ![Method::POST, Method::PUT].contains(&method) || path == "/v1/commands" {
            continue;
        }
        let (kind, members) = taken(&surface, path, &method, operation);
        let send = async |body: String| {
            let request = api.anonymous(method.clone(), &surface.filled(path));
            let request = request.bearer_auth(ADMINISTRATOR.token()).header("Content-Type", &kind);
            request.body(body).send().await.unwrap().status().as_u16()
        };
        let calendar = "BEGIN:VCALENDAR\r\n".repeat(LEVELS) + &"END:VCALENDAR\r\n".repeat(LEVELS);
        for body in bodies(&members).into_iter().chain([calendar]) {
            let status = send(body).await;
            tried += 1;
            assert!((400..500).contains(&status), "{method} {path}: {status}");
        }
        let large = format!("{{\"subject\":\"{}\"}}", "x".repeat(BYTES_MAX));
        assert_eq!(send(large).await, 413, "{method} {path}");
    }
    assert!(tried > 500, "{tried}");
    lives(&surface).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_too_deep_or_too_large_is_refused_and_the_next_ones_are_not() {
    let surface = Surface::open().await;
    let good = |n: usize| {
        let body = json!({ "body": "Words.", "visibility": "public" });
        json!({ "command": "comment", "ticket": surface.ticket, "key": format!("good-{n}"), "body": body }).to_string()
    };
    let mut heavy: Vec<String> = deep().into();
    for member in ["command", "ticket", "key", "body"] {
        heavy.extend(deep().map(|deep| format!("{{\"{member}\":{deep}}}")));
    }
    let within = |deep: String| {
        let ticket = &surface.ticket;
        format!(r#"{{"command":"comment","ticket":"{ticket}","key":"k","body":{{"body":{deep}}}}}"#)
    };
    heavy.extend(deep().map(within));
    heavy.push(format!("{{\"key\":\"{}\"}}", "x".repeat(BYTES_MAX)));
    let lines: Vec<String> = heavy
        .iter()
        .cloned()
        .enumerate()
        .flat_map(|(n, heavy)| [heavy, good(n)])
        .collect();
    let request = surface.desk.api.anonymous(Method::POST, "/v1/commands");
    let request = request
        .bearer_auth(AGENT.token())
        .header("Content-Type", "application/x-ndjson");
    let response = request.body(lines.join("\n")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    let results: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results.len(), 2 * heavy.len());
    for (n, pair) in results.chunks(2).enumerate() {
        let begin: String = heavy[n].chars().take(40).collect();
        let refused = pair[0]["status"].as_u64().unwrap();
        assert!((400..500).contains(&refused), "{begin}: {}", pair[0]);
        assert_eq!(pair[1]["status"], 200, "after {begin}: {}", pair[1]);
    }
    lives(&surface).await;
}

/// The desk is still there, and can be asked and told.
async fn lives(surface: &Surface) {
    let api = &surface.desk.api;
    api.ready().await.unwrap();
    let comment = json!({ "body": "Still here.", "visibility": "public" });
    let path = format!("/v1/tickets/{}/comment", surface.ticket);
    api.post(&AGENT.token(), &path, &comment).await.expect(200);
    surface.desk.rebuilding_changes_nothing().await;
}
