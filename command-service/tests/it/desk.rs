//! A desk that takes commands: a log, the service in front of it, and people with tokens.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use command_service::{App, Mail, keep_informed, routes};
use domain::Timestamp;
use domain::policy::WaitPolicy;
use domain::sla::SlaPolicy;
use domain::ticket::Event;
use event_log::{EventLog, LogConfig, Source};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use service_kit::http::{Limits, finish, serve};
use service_kit::tokens::{GrantKind, TokenGrant, TokenHash};
use service_kit::{Health, ManualClock, Shutdown, SystemClock};
use test_harness::{ChaosProxy, Nats, wait_until};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;
use wire::Record;

/// How long anything may take before a test gives up: the machine may be busy.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// The clock of the desk stands here: a Monday.
pub(crate) const NOON: &str = "2026-03-02T09:00:00Z";

/// Few, so that reading the log back is quick; more than one, so that positions differ.
const PARTITIONS: u16 = 2;

/// More records than any test makes.
const READ_MAX: usize = 20_000;

/// Somebody with a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    name: &'static str,
    kind: GrantKind,
    organisation: Option<Uuid>,
    permissions: &'static [&'static str],
}

const fn staff(name: &'static str, permissions: &'static [&'static str]) -> Person {
    Person {
        name,
        kind: GrantKind::Staff,
        organisation: None,
        permissions,
    }
}

const fn customer(name: &'static str, organisation: u128) -> Person {
    let organisation = Some(Uuid::from_u128(organisation));
    Person {
        name,
        kind: GrantKind::Customer,
        organisation,
        permissions: &[],
    }
}

pub(crate) const AGENT: Person = staff("agent", &[]);
pub(crate) const LEAD: Person = staff("lead", &["close_any"]);
pub(crate) const IMPORTER: Person = staff("importer", &["import"]);
pub(crate) const ADMINISTRATOR: Person = staff("administrator", &["administer"]);
pub(crate) const CUSTOMER: Person = customer("customer", 1);
pub(crate) const PEER: Person = customer("peer", 1);
pub(crate) const STRANGER: Person = customer("stranger", 2);

const PEOPLE: [Person; 7] = [AGENT, LEAD, IMPORTER, ADMINISTRATOR, CUSTOMER, PEER, STRANGER];

impl Person {
    pub(crate) fn user(self) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, self.name.as_bytes())
    }

    pub(crate) fn token(self) -> String {
        format!("rct_{}", self.name)
    }

    pub(crate) fn hash(self) -> TokenHash {
        TokenHash::of(&self.token())
    }

    pub(crate) fn grant(self) -> TokenGrant {
        TokenGrant {
            user: self.user(),
            name: self.name.to_owned(),
            kind: self.kind,
            organisation: self.organisation,
            groups: Vec::new(),
            leading: false,
            permissions: self.permissions.iter().map(|name| (*name).to_owned()).collect(),
            created_at: Timestamp::UNIX_EPOCH,
            revoked_at: None,
            expires_at: None,
            session: None,
            viewer: None,
            scopes: None,
            purpose: None,
        }
    }
}

/// The service reaches the log through a proxy; the test reaches it directly.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) nats: Nats,
    pub(crate) proxy: ChaosProxy,
    pub(crate) log: EventLog,
    pub(crate) clock: ManualClock,
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    server: JoinHandle<io::Result<()>>,
    http: Client,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(None).await
    }

    /// One that sends mail, if it can.
    pub(crate) async fn open_with(mail: Option<Mail>) -> Self {
        let nats = Nats::start().await;
        let proxy = ChaosProxy::start(nats.url()).await;
        let clock = ManualClock::new(NOON.parse().unwrap());
        let log = connect(nats.url(), &clock).await;
        for person in PEOPLE {
            log.tokens().put(person.hash(), &person.grant()).await.unwrap();
        }
        let (health, shutdown) = (Health::default(), Shutdown::new());
        let log_of_app = connect(proxy.url(), &clock).await;
        let (books, keeper) = log_of_app.books(SlaPolicy::waiting(&WaitPolicy::supportal()));
        let app = App::new(&log_of_app, books, mail, None);
        keep_informed(&app, keeper, SystemClock::shared(), &health, &shutdown);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, told) = (finish(routes(app), Limits::default()), shutdown.clone());
        let server = tokio::spawn(async move { serve(listener, router, &told).await });
        wait_until("the tokens and policies to be known", LIMIT, async || {
            health.report().ready
        })
        .await;
        Self {
            nats,
            proxy,
            log,
            clock,
            address,
            shutdown,
            server,
            http: client(),
        }
    }

    /// A request to any path by anybody.
    pub(crate) fn request(&self, method: Method, path: &str) -> Call {
        Call(self.http.request(method, format!("http://{}{path}", self.address)))
    }

    pub(crate) fn post(&self, person: Person, path: &str, body: &Value) -> Call {
        let call = self.request(Method::POST, path);
        Call(call.0.bearer_auth(person.token()).json(body))
    }

    pub(crate) fn create(&self, person: Person, body: &Value) -> Call {
        self.post(person, "/v1/tickets", body)
    }

    /// A command on a ticket.
    pub(crate) fn command(&self, person: Person, ticket: &str, command: &str, body: &Value) -> Call {
        self.post(person, &format!("/v1/tickets/{ticket}/{command}"), body)
    }

    /// A new ticket of the customer's.
    pub(crate) async fn ticket(&self, ticket_type: &str) -> String {
        let created = self.create(CUSTOMER, &sample(ticket_type)).send().await;
        created.expect(201).id()
    }

    /// A ticket that the agent has accepted.
    pub(crate) async fn ticket_in_progress(&self) -> String {
        let ticket = self.ticket("defect").await;
        self.command(AGENT, &ticket, "accept", &json!({}))
            .send()
            .await
            .expect(200);
        ticket
    }

    /// Many commands at once; the results in order.
    pub(crate) async fn bulk(&self, person: Person, lines: &[Value]) -> Vec<Value> {
        self.bulk_text(person, ndjson(lines)).await
    }

    pub(crate) async fn bulk_text(&self, person: Person, text: impl Into<reqwest::Body>) -> Vec<Value> {
        let call = self.request(Method::POST, "/v1/commands").0.bearer_auth(person.token());
        let answer = call
            .header(CONTENT_TYPE, "application/x-ndjson")
            .body(text)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/x-ndjson");
        let text = answer.text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Every ticket's record in the log, partition after partition.
    pub(crate) async fn all_records(&self) -> Vec<Record<Event>> {
        let mut records = Vec::new();
        for partition in 0..PARTITIONS {
            let source = Source::Tickets(partition);
            let (last, mut at) = (self.log.last_sequence(source).await.unwrap(), 0);
            let mut reader = self.log.reader(source, None).await.unwrap();
            while at < last {
                for entry in reader.next_batch(READ_MAX).await.unwrap() {
                    at = entry.sequence;
                    records.push(wire::decode(&entry.payload).unwrap());
                }
            }
        }
        records
    }

    /// A ticket's records.
    pub(crate) async fn records(&self, ticket: &str) -> Vec<Record<Event>> {
        let id: Uuid = ticket.parse().unwrap();
        let records = self.all_records().await;
        records
            .into_iter()
            .filter(|record| record.header.aggregate_id == id)
            .collect()
    }

    /// Stops the service and waits until it has.
    pub(crate) async fn stop(self) {
        self.shutdown.trigger();
        self.server.await.unwrap().unwrap();
    }
}

async fn connect(url: &str, clock: &ManualClock) -> EventLog {
    let config = LogConfig {
        url: url.to_owned(),
        partitions: Some(PARTITIONS),
        replicas: 1,
    };
    EventLog::connect(&config, Arc::new(clock.clone())).await.unwrap()
}

fn client() -> Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(LIMIT).build().unwrap()
}

/// Lines as the service takes them.
pub(crate) fn ndjson(lines: &[Value]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| line.to_string() + "\n").collect();
    lines.concat()
}

/// The least that a new ticket needs.
pub(crate) fn sample(ticket_type: &str) -> Value {
    json!({ "subject": "Export fails", "description": "It says 500.", "type": ticket_type })
}

/// A request that is being put together.
#[derive(Debug)]
pub(crate) struct Call(RequestBuilder);

impl Call {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    pub(crate) fn if_match(self, etag: &str) -> Self {
        self.header("If-Match", etag)
    }

    /// A body of any type.
    pub(crate) fn body(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.header(CONTENT_TYPE, content_type).body(body))
    }

    pub(crate) fn by(self, person: Person) -> Self {
        Self(self.0.bearer_auth(person.token()))
    }

    pub(crate) async fn send(self) -> Answer {
        let response = self.0.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, headers, body }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn replayed(&self) -> bool {
        self.header("Idempotency-Replayed") == Some("true")
    }

    /// Checks that this is a whole problem of that code, and returns its body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> &Value {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.body
        );
        assert_eq!(self.header("Content-Type"), Some("application/problem+json"));
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        assert_eq!(self.body["status"], status);
        assert!(self.body["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert!(
            self.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{}",
            self.body
        );
        assert!(
            self.body["instance"]
                .as_str()
                .is_some_and(|instance| instance.starts_with("urn:uuid:"))
        );
        &self.body
    }

    /// Checks that this is a problem about these fields, in any order.
    #[track_caller]
    pub(crate) fn problem_of(&self, status: u16, code: &str, fields: &[(&str, &str)]) {
        let errors = self.problem(status, code)["errors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
        let mut found: Vec<_> = errors
            .iter()
            .map(|error| (text(error, "pointer"), text(error, "code")))
            .collect();
        let mut expected: Vec<_> = fields.iter().map(|(p, c)| ((*p).to_owned(), (*c).to_owned())).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{}", self.body);
    }
}
