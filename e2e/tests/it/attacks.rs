//! What somebody tries who means ill, on every route of the document: words that mean something to a database, members that
//! nobody may set, and requests that two programs could read differently.

use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::desk::Desk;
use crate::people::{ADMINISTRATOR, AGENT, CUSTOMER};
use crate::surface::{Surface, Taking, texts};

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
        ..
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
