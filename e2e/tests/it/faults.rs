//! Every command twice, at once, to two command services, while they and the log are killed and acknowledgements are
//! lost. What must hold at the end: nothing acknowledged is lost, nothing is done twice, twins are answered alike.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::ticket::Event;
use event_log::EventLog;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use service_kit::{Health, Shutdown, SystemClock};
use test_harness::{ChaosProxy, Direction, Nats, postgres, wait_until};
use uuid::Uuid;

use crate::desk::{Stored, assert_equal_tables, caught_up, connect, histories, project, rebuilt, tables};
use crate::http::{Answer, Api, LIMIT};
use crate::people::{AGENT, CUSTOMER, LEAD, Person, admit_everybody};
use crate::processes::Service;

/// Enough to meet every kind of fault; `RECOURSE_INTERRUPTIONS` asks for more.
const INTERRUPTIONS: u64 = 12;
/// Concurrent callers; each waits for both twins before its next command.
const WORKERS: usize = 8;
/// Tickets that all callers write to, so that services contend for them.
const SHARED_TICKETS: u128 = 2;
/// At most so many commands pass undisturbed between two interruptions.
const CALM_MAX: usize = 24;
/// A lost acknowledgement needs a record that is waiting for one; this long is waited for it.
const LOSS_LIMIT: Duration = Duration::from_secs(2);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fault {
    KillOneService,
    KillBothServices,
    KillLog,
    KillLogAndService,
    LoseAcknowledgements,
    DelayAcknowledgements,
    BreakConnections,
}

impl Fault {
    const ALL: [Self; 7] = [
        Self::KillOneService,
        Self::KillBothServices,
        Self::KillLog,
        Self::KillLogAndService,
        Self::LoseAcknowledgements,
        Self::DelayAcknowledgements,
        Self::BreakConnections,
    ];
}

/// A command that was acknowledged, with what was said of it.
#[derive(Debug)]
struct Acknowledged {
    key: String,
    answer: Answer,
}

/// What the callers share.
struct Load {
    services: [Api; 2],
    stop: AtomicBool,
    acknowledged: AtomicUsize,
    repeated: AtomicUsize,
}

impl Load {
    /// Sends a command to both services at once, and each again until it is answered for good.
    async fn twice(&self, person: Person, path: &str, body: &Value, key: String) -> Acknowledged {
        let [one, other] = &self.services;
        let (one, other) = tokio::join!(
            self.insist(one, person, path, body, &key),
            self.insist(other, person, path, body, &key)
        );
        assert_eq!(one.essence(), other.essence(), "twins are answered alike: {key}");
        assert!([200, 201].contains(&one.status), "{key}: {}", one.body);
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        Acknowledged { key, answer: one }
    }

    async fn insist(&self, service: &Api, person: Person, path: &str, body: &Value, key: &str) -> Answer {
        wait_until(key, LIMIT, async || {
            match service.try_post(&person.token(), path, body, key).await {
                Ok(answer) if answer.status < 500 => Ok(answer),
                Ok(answer) => {
                    self.repeated.fetch_add(1, Ordering::Relaxed);
                    Err(answer.body.to_string())
                }
                Err(error) => {
                    self.repeated.fetch_add(1, Ordering::Relaxed);
                    Err(error.to_string())
                }
            }
        })
        .await
    }

    /// One caller, until told to stop.
    async fn work(self: Arc<Self>, worker: usize, shared: Vec<String>) -> Vec<Acknowledged> {
        let mut acknowledged = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            self.live(worker, &shared, &mut acknowledged).await;
        }
        acknowledged
    }

    /// The life of a ticket of the caller's own, with comments on shared tickets in between.
    async fn live(&self, worker: usize, shared: &[String], acknowledged: &mut Vec<Acknowledged>) {
        let mut give = async |person, path: &str, body: &Value| {
            let key = format!("{worker}-{}", acknowledged.len());
            acknowledged.push(self.twice(person, path, body, key).await);
            acknowledged
                .last()
                .map(|one| one.answer.body["id"].as_str().unwrap().to_owned())
                .unwrap()
        };
        let own = give(CUSTOMER, "/v1/tickets", &sample()).await;
        for (step, (person, command, body)) in life().into_iter().enumerate() {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            give(person, &format!("/v1/tickets/{own}/{command}"), &body).await;
            if step % 2 == 0 {
                let common = format!("/v1/tickets/{}/comment", shared[(worker + step) % shared.len()]);
                give(AGENT, &common, &json!({ "body": "+1", "visibility": "internal" })).await;
            }
        }
    }
}

fn sample() -> Value {
    json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" })
}

fn life() -> [(Person, &'static str, Value); 9] {
    let words = || json!({ "comment": "words" });
    [
        (AGENT, "accept", json!({})),
        (AGENT, "request-info", words()),
        (CUSTOMER, "comment", json!({ "body": "7.1", "visibility": "public" })),
        (AGENT, "await-fix", json!({})),
        (AGENT, "propose-closure", json!({ "solution": "Press F5." })),
        (CUSTOMER, "reopen", words()),
        (LEAD, "close", json!({ "reason": "A duplicate." })),
        (CUSTOMER, "rate", json!({ "score": 4 })),
        (CUSTOMER, "reopen", words()),
    ]
}

/// What is there to be interrupted. Services reach the log through a proxy, the test reaches it directly.
struct Site {
    nats: Nats,
    proxy: ChaosProxy,
    services: [Service; 2],
    log: EventLog,
}

impl Site {
    async fn open() -> Self {
        let nats = Nats::start().await;
        let proxy = ChaosProxy::start(nats.url()).await;
        let log = connect(nats.url(), SystemClock::shared()).await;
        admit_everybody(&log).await;
        let words = ["command-service", "--nats-url", proxy.url()];
        let services = [Service::start(&words).await, Service::start(&words).await];
        for service in &services {
            service.is_ready().await;
        }
        Self {
            nats,
            proxy,
            services,
            log,
        }
    }

    async fn interrupt(&mut self, fault: Fault, random: &mut StdRng) {
        let which = random.random_range(0..2);
        let [one, other] = &mut self.services;
        match fault {
            Fault::KillOneService => self.services[which].crash().await,
            Fault::KillBothServices => {
                tokio::join!(one.crash(), other.crash());
            }
            Fault::KillLog => {
                self.nats.kill().await;
                self.nats.restart().await;
            }
            Fault::KillLogAndService => {
                self.nats.kill().await;
                self.services[which].crash().await;
                self.nats.restart().await;
            }
            Fault::LoseAcknowledgements => {
                self.proxy.black_hole(Direction::ServerToClient);
                self.a_record_is_written().await;
                self.proxy.restore();
            }
            Fault::DelayAcknowledgements => {
                self.proxy.hold(Direction::ServerToClient);
                self.a_record_is_written().await;
                self.proxy.restore();
            }
            Fault::BreakConnections => self.proxy.disconnect(),
        }
    }

    /// Returns once a record was written whose acknowledgement cannot arrive, or none has been for long.
    async fn a_record_is_written(&self) {
        let before = crate::desk::records(&self.log).await;
        let written = async {
            let mut looks = tokio::time::interval(Duration::from_millis(2));
            while crate::desk::records(&self.log).await == before {
                looks.tick().await;
            }
        };
        // The callers may all be waiting for something else that was interrupted before.
        let _ = tokio::time::timeout(LOSS_LIMIT, written).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_is_done_twice_whatever_is_killed() {
    let (interruptions, seed) = (
        asked("RECOURSE_INTERRUPTIONS", INTERRUPTIONS),
        asked("RECOURSE_SEED", rand::random()),
    );
    let mut random = StdRng::seed_from_u64(seed);
    let mut site = Site::open().await;
    let mut shared = Vec::new();
    for n in 0..SHARED_TICKETS {
        let (api, key) = (&site.services[0].api, format!("shared-{n}"));
        let answer = api.try_post(&AGENT.token(), "/v1/tickets", &sample(), &key).await;
        shared.push(answer.unwrap().expect(201).id());
    }
    let database_url = postgres().await.database().await;
    let (health, shutdown) = (Health::default(), Shutdown::new());
    project(
        &connect(site.proxy.url(), SystemClock::shared()).await,
        &database_url,
        &health,
        &shutdown,
    );

    let load = Arc::new(Load {
        services: [site.services[0].api.clone(), site.services[1].api.clone()],
        stop: AtomicBool::new(false),
        acknowledged: AtomicUsize::new(0),
        repeated: AtomicUsize::new(0),
    });
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| tokio::spawn(Arc::clone(&load).work(worker, shared.clone())))
        .collect();
    let mut met: HashMap<Fault, u64> = HashMap::new();
    for _ in 0..interruptions {
        let (before, calm) = (
            load.acknowledged.load(Ordering::Relaxed),
            random.random_range(1..=CALM_MAX),
        );
        wait_until(
            &format!("commands between interruptions (seed {seed})"),
            LIMIT,
            async || {
                assert!(
                    workers.iter().all(|worker| !worker.is_finished()),
                    "a caller gave up (seed {seed})"
                );
                load.acknowledged.load(Ordering::Relaxed) >= before + calm
            },
        )
        .await;
        let fault = Fault::ALL[random.random_range(0..Fault::ALL.len())];
        *met.entry(fault).or_default() += 1;
        site.interrupt(fault, &mut random).await;
    }
    load.stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for worker in workers {
        acknowledged.extend(worker.await.unwrap());
    }
    say(&format!(
        "seed {seed}: {interruptions} interruptions, {} commands given twice, {} requests sent again; {met:?}",
        acknowledged.len(),
        load.repeated.load(Ordering::Relaxed),
    ));

    wait_until("the test's own connection", LIMIT, async || site.log.is_connected()).await;
    verify(&histories(&site.log).await, &acknowledged, SHARED_TICKETS);
    caught_up(&site.log, &database_url).await;
    assert_equal_tables(&tables(&database_url).await, &rebuilt(&site.log).await);
    shutdown.trigger();
}

/// Holds what was acknowledged against what the log holds. `others`: records that were not part of the load.
fn verify(histories: &BTreeMap<Uuid, Vec<Stored>>, acknowledged: &[Acknowledged], others: u128) {
    let (mut commands, mut numbers) = (HashSet::new(), HashSet::new());
    for history in histories.values() {
        let (mut sequence, mut hash) = (0, [0; 32]);
        for (revision, stored) in (1..).zip(history) {
            let header = &stored.record.header;
            assert!(
                commands.insert(header.command_id),
                "a command was done twice: {header:?}"
            );
            assert_eq!(header.revision.0, revision, "a revision is missing: {header:?}");
            assert_eq!(
                (header.previous_sequence, header.previous_hash),
                (sequence, hash),
                "the chain is broken"
            );
            (sequence, hash) = (stored.sequence, stored.hash);
            for event in &stored.record.events {
                if let Event::Created(created) = event {
                    assert!(
                        numbers.insert(created.number),
                        "a number was given twice: {}",
                        created.number.0
                    );
                }
            }
        }
    }
    let mut places = HashSet::new();
    for Acknowledged { key, answer } in acknowledged {
        let id: Uuid = answer.id().parse().unwrap();
        let revision = usize::try_from(answer.body["revision"].as_u64().unwrap()).unwrap();
        assert!(
            places.insert((id, revision)),
            "two commands were acknowledged with the same record: {key}"
        );
        let Some(stored) = histories.get(&id).and_then(|history| history.get(revision - 1)) else {
            panic!("acknowledged and lost: {key}, {}", answer.body)
        };
        let events: Vec<&str> = stored.record.events.iter().map(Event::name).collect();
        let told: Vec<&str> = match answer.body["events"].as_array() {
            Some(events) => events.iter().map(|name| name.as_str().unwrap()).collect(),
            None => vec!["created"],
        };
        assert_eq!(events, told, "{key}");
        let position = format!("{}:{}", stored.partition, stored.sequence);
        assert_eq!(answer.header("Commit-Position"), Some(position.as_str()), "{key}");
    }
    let records = u128::try_from(commands.len()).unwrap();
    let expected = u128::try_from(acknowledged.len()).unwrap() + others;
    assert_eq!(records, expected, "every record was acknowledged to somebody");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one thing that a caller of the tests may ask for"
)]
fn asked(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{variable} is a number"))
    })
}

#[expect(
    clippy::print_stderr,
    reason = "shown when the test fails, or when somebody asks with --nocapture"
)]
fn say(what: &str) {
    eprintln!("{what}");
}
