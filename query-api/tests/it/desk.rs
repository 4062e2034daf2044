//! A desk whose commands come from the test, and whose queries go over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;
use domain::actor::{Actor, ActorKind, Permission};
use domain::calendar::Calendar;
use domain::ids::{CommandId, Position, TicketId};
use domain::people::Profile;
use domain::policy::{WaitLength, WaitPolicy};
use domain::sla::stored::ROUND_THE_CLOCK;
use domain::sla::{
    Book, BreachAction, Delivery, Notified, Scope, SlaCalendar, SlaPolicy, SlaPolicySpec, Target, TargetKind,
};
use domain::testing::{agent, create, customer, life};
use domain::text::{Code, Label};
use domain::ticket::{Command, CommandName, Status};
use event_log::{Books, EventLog, LogConfig, Outcome, Request, Tickets};
use jiff::SignedDuration;
use reqwest::header::HeaderMap;
use serde_json::Value;
use service_kit::http::{Limits, finish, serve};
use service_kit::tokens::{GrantKind, TokenGrant, TokenHash, generate};
use service_kit::{Health, Shutdown, SystemClock};
use test_harness::{Nats, postgres, wait_until};
use tokio::net::TcpListener;
use uuid::Uuid;

/// Generous: the machine may be busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Desk {
    _nats: Nats,
    pub(crate) log: EventLog,
    pub(crate) database_url: String,
    tickets: Tickets,
    books: Books,
    wishes: AtomicU64,
    /// The last record of each partition.
    written: Mutex<BTreeMap<u16, u64>>,
    address: SocketAddr,
    client: reqwest::Client,
    shutdown: Shutdown,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The items' values under a name.
    pub(crate) fn column(&self, name: &str) -> Vec<Value> {
        self.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item[name].clone())
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.body
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
    }
}

/// The waits of all tickets, and promises to those of the service `promised`: other ones if they are critical.
fn book() -> Book {
    let elapsed = |hours| WaitLength::Elapsed(SignedDuration::from_hours(hours));
    let scope = |priority: Option<&str>| Scope {
        service: Some(Label::parse("promised").unwrap()),
        priority: priority.map(Code::new),
        ..Scope::default()
    };
    let first = Target {
        on_breach: vec![BreachAction::Notify(Notified::Followers, Delivery::AtOnce)],
        ..Target::new(elapsed(1))
    };
    let solution = Target::new(elapsed(100)).paused_in([Status::WaitingForInfo]);
    let promised = SlaPolicySpec {
        scope: scope(None),
        ..SlaPolicySpec::new("promised", ROUND_THE_CLOCK)
    };
    let promised = promised
        .with(TargetKind::FirstResponse, first)
        .with(TargetKind::NextResponse, Target::new(elapsed(50)))
        .with(TargetKind::Resolution, solution.clone());
    let urgent = SlaPolicySpec {
        scope: scope(Some("critical")),
        ..SlaPolicySpec::new("urgent", ROUND_THE_CLOCK)
    };
    let urgent = urgent.with(TargetKind::Resolution, solution);
    let stored = |spec| SlaPolicy::try_new(spec, 1, SlaCalendar::round_the_clock()).unwrap();
    Book::try_new(vec![SlaPolicy::waiting(&policy()), stored(promised), stored(urgent)]).unwrap()
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}

impl Desk {
    pub(crate) async fn start() -> Self {
        let desk = Self::without_projector().await;
        desk.start_projector();
        desk
    }

    pub(crate) async fn without_projector() -> Self {
        // Another test of this process may have done so already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let nats = Nats::start().await;
        let config = LogConfig {
            url: nats.url().to_owned(),
            partitions: Some(2),
            replicas: 1,
        };
        let log = EventLog::connect(&config, SystemClock::shared()).await.unwrap();
        let database_url = postgres().await.database().await;
        let (shutdown, health) = (Shutdown::new(), Health::default());
        let app = query_api::App::start(&database_url, SystemClock::shared(), &health, &shutdown).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = finish(query_api::routes(&app), Limits::default());
        let its_shutdown = shutdown.clone();
        tokio::spawn(async move { serve(listener, router, &its_shutdown).await });
        let books = Books::fixed(book());
        let tickets = log.tickets(books.clone());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            _nats: nats,
            log,
            database_url,
            tickets,
            books,
            wishes: AtomicU64::new(0),
            written: Mutex::default(),
            address,
            client,
            shutdown,
        }
    }

    pub(crate) fn start_projector(&self) {
        let (log, url, shutdown) = (self.log.clone(), self.database_url.clone(), self.shutdown.clone());
        tokio::spawn(async move {
            let settings = projector::Settings::new(WaitPolicy::supportal().calendar);
            projector::project(log, &url, settings, &Health::default(), &shutdown).await
        });
    }

    pub(crate) async fn give(&self, ticket: TicketId, actor: &Actor, command: Command) -> Outcome {
        self.give_at(ticket, actor, command, None).await
    }

    /// As `give`, of something that happened at another time, from which what is due then counts.
    pub(crate) async fn give_at(
        &self,
        ticket: TicketId,
        actor: &Actor,
        command: Command,
        occurred_at: Option<Timestamp>,
    ) -> Outcome {
        self.attempt(ticket, actor, command, occurred_at).await.unwrap()
    }

    /// As `give_at`, of something that may be refused.
    pub(crate) async fn attempt(
        &self,
        ticket: TicketId,
        actor: &Actor,
        command: Command,
        occurred_at: Option<Timestamp>,
    ) -> Option<Outcome> {
        let wish = self.wishes.fetch_add(1, Ordering::Relaxed);
        let request = Request {
            command_id: CommandId::from(Uuid::from_u128(wish.into())),
            digest: [0; 32],
            actor: Arc::new(actor.clone()),
            via: None,
            occurred_at,
            honour_deadlines: true,
            if_match: None,
            origin: None,
            traceparent: None,
        };
        let outcome = self.tickets.execute(ticket, &command, &request).await.ok()?;
        let Position { partition, sequence } = outcome.position;
        self.written.lock().unwrap().insert(partition, sequence);
        Some(outcome)
    }

    /// Writes profiles, as an administrator.
    pub(crate) async fn write_profiles(&self, profiles: impl IntoIterator<Item = (Uuid, Profile)>) {
        let administrator = Arc::new(Actor {
            permissions: BTreeSet::from([Permission::Administer]),
            ..agent()
        });
        for (id, profile) in profiles {
            let wish = self.wishes.fetch_add(1, Ordering::Relaxed);
            let command_id = CommandId::from(Uuid::from_u128(wish.into()));
            let request = Request::new(command_id, [0; 32], Arc::clone(&administrator));
            let directory = self.log.directory();
            let written = directory.write(id, &profile, &request).await.unwrap();
            self.books.people().add(id, &profile);
            let Position { partition, sequence } = written.position;
            self.written.lock().unwrap().insert(partition, sequence);
        }
    }

    /// By the clock of all that the desk consists of.
    #[expect(clippy::unused_self, reason = "the clock is the desk's")]
    pub(crate) fn now(&self) -> Timestamp {
        SystemClock::shared().now()
    }

    /// The sample ticket, with a number of its own.
    pub(crate) async fn open(&self, n: u64) -> Outcome {
        let Command::Create(mut sample, _) = create() else {
            panic!("the sample is a creation")
        };
        sample.number = domain::ids::TicketNumber(n);
        self.give(ticket(n), &customer(), Command::Create(sample, None)).await
    }

    /// Tickets `from..to`, each another step along its life.
    pub(crate) async fn lives(&self, from: u64, to: u64) {
        for n in from..to {
            self.open(n).await;
            let steps = life();
            let taken = usize::try_from(n).unwrap() % (steps.len() + 1);
            for (actor, command) in steps.into_iter().take(taken) {
                self.give(ticket(n), &actor, command).await;
            }
        }
    }

    /// A token for `actor`, once the desk knows it.
    pub(crate) async fn token(&self, actor: &Actor) -> String {
        let (token, hash) = generate();
        let kind = if actor.kind == ActorKind::Customer {
            GrantKind::Customer
        } else {
            GrantKind::Staff
        };
        let grant = TokenGrant {
            user: actor.user.as_uuid(),
            name: "Somebody".to_owned(),
            kind,
            organisation: actor.organisation.map(domain::ids::OrganisationId::as_uuid),
            groups: actor.groups.iter().map(|group| group.as_uuid()).collect(),
            // A token leads in all of its groups or in none; a profile, which comes before it, may say something else.
            leading: !actor.leads.is_empty() && actor.leads == actor.groups,
            permissions: actor
                .permissions
                .iter()
                .map(|permission| permission.as_str().to_owned())
                .collect(),
            created_at: Timestamp::UNIX_EPOCH,
            revoked_at: None,
            expires_at: None,
            session: None,
            viewer: None,
            scopes: None,
            purpose: None,
        };
        self.log.tokens().put(hash, &grant).await.unwrap();
        wait_until("the token to be known", LIMIT, || async {
            let status = self.get_now(&token, "/v1/tickets?limit=1").await.status;
            if status == 200 { Ok(()) } else { Err(status) }
        })
        .await;
        token
    }

    pub(crate) async fn revoke(&self, token: &str) {
        let hash = TokenHash::of(token);
        let mut grant = self.log.tokens().get(hash).await.unwrap().unwrap();
        grant.revoked_at = Some(Timestamp::UNIX_EPOCH);
        self.log.tokens().put(hash, &grant).await.unwrap();
    }

    /// Where the desk is.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Tells the service to end.
    pub(crate) fn stop(&self) {
        self.shutdown.trigger();
    }

    /// As `begin`, with more headers.
    pub(crate) async fn begin_with(&self, token: &str, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = self.client.get(format!("{}{path}", self.base())).bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn get_with(&self, token: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let response = self.begin_with(token, path, headers).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        Answer { status, headers, body }
    }

    /// An answer that has begun, for those who read it as it comes.
    pub(crate) async fn begin(&self, token: &str, path: &str) -> reqwest::Response {
        self.begin_with(token, path, &[]).await
    }

    /// What the desk answers once it includes everything that was done so far.
    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        let written: Vec<String> = self
            .written
            .lock()
            .unwrap()
            .iter()
            .map(|(partition, sequence)| format!("{partition}:{sequence}"))
            .collect();
        if written.is_empty() {
            return self.get_now(token, path).await;
        }
        self.get_with(
            token,
            path,
            &[("Min-Position", &written.join(",")), ("Max-Wait-Ms", "10000")],
        )
        .await
    }

    /// What the desk answers at once, whatever it has seen of what was done.
    pub(crate) async fn get_now(&self, token: &str, path: &str) -> Answer {
        self.get_with(token, path, &[]).await
    }
}

/// By the clock, so that no two waits end at the same time, be it a weekend or not.
fn policy() -> WaitPolicy {
    let hours = |hours| Some(WaitLength::Elapsed(SignedDuration::from_hours(hours)));
    WaitPolicy::try_new("test/1", hours(100), hours(50), Calendar::round_the_clock()).unwrap()
}

pub(crate) fn ticket(n: u64) -> TicketId {
    TicketId::from(Uuid::from_u128(n.into()))
}

/// A customer of whom the desk has not heard.
pub(crate) fn stranger() -> Actor {
    Actor::plain(Uuid::from_u128(99).into(), ActorKind::Customer)
}

/// The commands as `allowed_commands` lists them.
pub(crate) fn names(commands: &[CommandName]) -> BTreeSet<&'static str> {
    commands.iter().map(|command| command.as_str()).collect()
}
