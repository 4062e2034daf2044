//! What somebody tries who means ill, on every route of the document: words that mean something to a database, members that
//! nobody may set, and requests that two programs could read differently.

use domain::policy::WaitPolicy;
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::desk::Desk;
use crate::http::Answer;
use crate::people::{ADMINISTRATOR, AGENT, CUSTOMER};

/// What a statement that is put together from texts would trip over, and what a text must not hold.
const WORDS: [&str; 7] = [
    "'; DROP TABLE desk.tickets; --",
    "\" OR 1=1 --",
    "$1 %s {0} ${x}",
    "\\'; SELECT pg_sleep(9); --",
    "a\0b",
    "a\u{202E}b",
    "a\r\nb",
];

/// What is theirs to say whom it concerns: words of many lines, and secrets. The rest are single lines.
const FREE: [&str; 11] = [
    "login",
    "calendar",
    "policy",
    "description",
    "comment",
    "body",
    "solution",
    "reason",
    "password",
    "new_password",
    "custom_fields",
];

/// What the desk decides, and what others do: nobody sets it beside what a route takes.
const NOBODYS: [&str; 16] = [
    "id",
    "number",
    "status",
    "requester",
    "organisation",
    "assignee",
    "group",
    "permissions",
    "kind",
    "enabled",
    "revision",
    "changed_by",
    "user",
    "token",
    "is_admin",
    "__proto__",
];

/// A request that takes JSON, with an example of its body.
struct Taking {
    method: Method,
    path: String,
    body: Value,
    /// The members that it takes.
    members: Vec<String>,
}

/// The document, and a ticket and somebody else's id to fill paths with.
struct Surface {
    desk: Desk,
    document: Value,
    ticket: String,
}

impl Surface {
    async fn open() -> Self {
        let desk = Desk::open(WaitPolicy::supportal()).await;
        let body = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
        let created = desk.api.post(&CUSTOMER.token(), "/v1/tickets", &body).await;
        let ticket = created.expect(201).id();
        let document = desk.api.get(&AGENT.token(), "/v1/openapi.json").await.expect(200).body;
        Self { desk, document, ticket }
    }

    fn operations(&self) -> impl Iterator<Item = (&String, Method, &Value)> {
        let paths = self.document["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, operation)| {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                (path, method, operation)
            })
        })
    }

    /// A path with something in place of its parameters: the ticket, or somebody of whom nothing is known.
    fn filled(&self, path: &str) -> String {
        let id = if path.starts_with("/v1/tickets/") {
            self.ticket.clone()
        } else {
            Uuid::new_v4().to_string()
        };
        let parts = path
            .split('/')
            .map(|part| if part.starts_with('{') { id.as_str() } else { part });
        parts.collect::<Vec<_>>().join("/")
    }

    fn taking(&self) -> Vec<Taking> {
        let bodies = self.operations().filter_map(|(path, method, operation)| {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let schema = self.resolved(schema);
            let members = schema["properties"].as_object()?.keys().cloned().collect();
            Some(Taking {
                method,
                path: path.clone(),
                body: self.sample(schema),
                members,
            })
        });
        bodies.collect()
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str() {
            Some(place) => self.resolved(self.document.pointer(place.strip_prefix('#').unwrap()).unwrap()),
            None => schema,
        }
    }

    /// Something that a schema takes, with every member that an object may have.
    fn sample(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            return self.sample(&choices[0]);
        }
        if let Some(first) = schema["enum"].as_array() {
            return first[0].clone();
        }
        let kind = schema["type"].as_str().or(schema["type"][0].as_str());
        match (kind, schema["format"].as_str()) {
            (Some("string"), Some("uuid")) => json!(Uuid::new_v4()),
            (Some("string"), Some("date-time")) => json!("2026-03-02T09:00:00Z"),
            (Some("string"), Some("date")) => json!("2026-03-02"),
            (Some("string"), _) => json!("sample"),
            (Some("integer" | "number"), _) => schema.get("minimum").cloned().unwrap_or(json!(1)),
            (Some("boolean"), _) => json!(true),
            (Some("array"), _) => json!([self.sample(&schema["items"])]),
            (Some("object"), _) => {
                let members = schema["properties"].as_object().into_iter().flatten();
                Value::Object(
                    members
                        .map(|(name, member)| (name.clone(), self.sample(member)))
                        .collect(),
                )
            }
            _ => Value::Null,
        }
    }

    async fn send(&self, token: &str, method: &Method, path: &str, body: &Value) -> Answer {
        match *method {
            Method::PUT => self.desk.api.put(token, path, body).await,
            _ => self.desk.api.post(token, path, body).await,
        }
    }
}

/// Pointers to every text of a body.
fn texts(at: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(n, item)| texts(&format!("{at}/{n}"), item, found));
        }
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, member)| texts(&format!("{at}/{name}"), member, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_in_any_body_is_more_than_a_word() {
    let surface = Surface::open().await;
    let taking = surface.taking();
    assert!(taking.len() > 60, "{}", taking.len());
    let token = ADMINISTRATOR.token();
    let mut tried = 0;
    for Taking { method, path, body, .. } in &taking {
        let mut places = Vec::new();
        texts("", body, &mut places);
        for place in &places {
            for word in WORDS {
                let mut body = body.clone();
                *body.pointer_mut(place).unwrap() = json!(word);
                let answer = surface.send(&token, method, &surface.filled(path), &body).await;
                tried += 1;
                assert!(answer.status < 500, "{method} {path} {place} {word:?}: {}", answer.body);
                let is_free = place.split('/').any(|name| FREE.contains(&name));
                let is_refused = word.contains('\0') || (word.contains(['\u{202E}', '\n']) && !is_free);
                assert!(
                    !is_refused || answer.status >= 400,
                    "{method} {path} {place} took {word:?}"
                );
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
    let still = format!("/v1/tickets/{}", surface.ticket);
    surface.desk.caught_up().await;
    surface.desk.api.get(&AGENT.token(), &still).await.expect(200);
    surface.desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_in_any_query_or_path_is_more_than_a_word() {
    let surface = Surface::open().await;
    let token = ADMINISTRATOR.token();
    let mut tried = 0;
    for (path, method, operation) in surface.operations() {
        if method != Method::GET || path == "/metrics" {
            continue;
        }
        for word in WORDS {
            let bytes: Vec<String> = word.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let word = bytes.concat();
            let mut targets = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                match parameter["in"].as_str().unwrap() {
                    "query" => targets.push(format!("{}?{name}={word}", surface.filled(path))),
                    "path" => targets.push(path.replace(&format!("{{{name}}}"), &word)),
                    _ => {}
                }
            }
            for target in targets {
                let target = surface.filled(&target);
                let answer = surface.desk.api.get(&token, &target).await;
                tried += 1;
                assert!(answer.status < 500, "{target}: {}", answer.body);
            }
        }
    }
    assert!(tried > 500, "{tried}");
    let all = surface.desk.api.get(&AGENT.token(), "/v1/tickets").await.expect(200);
    assert_eq!(all.items().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sets_what_a_route_does_not_take() {
    let surface = Surface::open().await;
    for Taking {
        method,
        path,
        body,
        members,
    } in &surface.taking()
    {
        for name in NOBODYS
            .iter()
            .filter(|name| !members.iter().any(|member| member == *name))
        {
            let mut body: Map<String, Value> = body.as_object().unwrap().clone();
            body.insert((*name).to_owned(), json!(Uuid::nil()));
            for person in [ADMINISTRATOR, AGENT, CUSTOMER] {
                let body = Value::Object(body.clone());
                let answer = surface
                    .send(&person.token(), method, &surface.filled(path), &body)
                    .await;
                assert!(
                    (400..500).contains(&answer.status),
                    "{method} {path} takes {name}: {} {}",
                    answer.status,
                    answer.body
                );
            }
        }
    }
    let records = surface.desk.api.get(&AGENT.token(), "/v1/tickets").await.expect(200);
    assert_eq!(records.items().len(), 1, "nothing was opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_names_an_address_that_the_desk_would_ask() {
    let surface = Surface::open().await;
    for Taking { path, members, .. } in &surface.taking() {
        for member in members {
            let words = ["url", "uri", "link", "href", "callback", "webhook", "host", "endpoint"];
            assert!(!words.iter().any(|word| member.contains(word)), "{path}: {member}");
        }
    }
    let document = surface.document.to_string();
    assert!(!document.contains("\"format\":\"uri\""));
}

/// Sends bytes as they are, and returns the status lines of all that comes back.
async fn raw(desk: &Desk, bytes: &str) -> Vec<String> {
    let address = desk.api.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that was refused may be reset.
    let _ = tokio::time::timeout(crate::http::LIMIT, stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let lines = answer.lines().filter(|line| line.starts_with("HTTP/1.1 "));
    lines.map(|line| line["HTTP/1.1 ".len()..][..3].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_programs_could_read_differently_is_refused_or_means_nothing() {
    let surface = Surface::open().await;
    let desk = &surface.desk;
    let get = |target: &str, headers: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: desk\r\n{headers}Connection: close\r\n\r\n")
    };
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let (staff, customer) = (bearer(&AGENT.token()), bearer(&CUSTOMER.token()));
    assert_eq!(raw(desk, &get("/v1/users", &staff)).await, ["200"]);
    assert_eq!(raw(desk, &get("/v1/users", &customer)).await, ["403"]);
    // Of two credentials neither counts, whichever comes first.
    for both in [format!("{staff}{customer}"), format!("{customer}{staff}")] {
        assert_eq!(raw(desk, &get("/v1/users", &both)).await, ["401"]);
    }
    // Headers by which proxies rewrite a request, or say who asks, mean nothing.
    for header in [
        "X-HTTP-Method-Override: DELETE",
        "X-Original-URL: /v1/users",
        "X-Rewrite-URL: /v1/users",
        "X-Forwarded-Prefix: /v1/users",
    ] {
        let headers = format!("{customer}{header}\r\n");
        assert_eq!(raw(desk, &get("/v1/me", &headers)).await, ["200"], "{header}");
        assert_eq!(raw(desk, &get("/v1/users", &headers)).await, ["403"], "{header}");
    }
    for header in ["X-Forwarded-User", "X-User", "X-Remote-User", "Remote-User"] {
        let headers = format!("{header}: {}\r\n", ADMINISTRATOR.user);
        assert_eq!(raw(desk, &get("/v1/me", &headers)).await, ["401"], "{header}");
    }
    // Another way of writing a path is another path, or the same one with the same rule.
    for target in [
        "//v1/users",
        "/v1//users",
        "/v1/%75sers",
        "/v1/tickets/../users",
        "/v1/users/",
        "/V1/users",
    ] {
        let status = raw(desk, &get(target, &customer)).await.concat();
        assert!(["403", "404", "405"].contains(&status.as_str()), "{target}: {status}");
    }
    assert_eq!(raw(desk, &get("http://elsewhere/v1/users", &customer)).await, ["403"]);

    // Two lengths, or a length and chunks: nobody's request hides in another's body.
    let hidden = format!("GET /v1/users HTTP/1.1\r\nHost: desk\r\n{customer}Connection: close\r\n\r\n");
    let post = |lengths: &str, body: &str| {
        format!(
            "POST /v1/tickets HTTP/1.1\r\nHost: desk\r\n{staff}Content-Type: application/json\r\n{lengths}\r\n{body}"
        )
    };
    let two_lengths = format!("Content-Length: 2\r\nContent-Length: {}\r\n", hidden.len());
    assert_eq!(raw(desk, &post(&two_lengths, &hidden)).await, ["400"]);
    for lengths in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
    ] {
        let statuses = raw(desk, &post(lengths, &format!("0\r\n\r\n{hidden}"))).await;
        // What follows a body that has ended is a request of its own, with its own token: the customer's.
        let none_let_in = statuses
            .iter()
            .all(|status| ["400", "403", "411", "422", "501"].contains(&status.as_str()));
        assert!(none_let_in && statuses.len() <= 2, "{lengths}: {statuses:?}");
    }
}
