//! Each service as a process of its own, several of each, and one half of the desk while the other is away.

use std::collections::BTreeMap;
use std::fs;

use domain::ticket::Event;
use event_log::EventLog;
use serde_json::{Value, json};
use service_kit::SystemClock;
use test_harness::{Nats, postgres, wait_until};

use crate::desk::{administer, assert_equal_tables, caught_up, connect, database_name, histories, rebuilt, tables};
use crate::http::LIMIT;
use crate::people::{AGENT, CUSTOMER, admit_everybody};
use crate::processes::Service;
use crate::up::POLICY_OF_SECONDS;

/// Tickets whose waits end at about the same time, under the eyes of two schedulers.
const TICKETS: usize = 40;

struct Site {
    nats: Nats,
    log: EventLog,
    database_url: String,
    commands: Service,
    queries: [Service; 2],
    _others: [Service; 4],
    _home: tempfile::TempDir,
}

impl Site {
    async fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let policy = home.path().join("seconds.toml");
        fs::write(&policy, POLICY_OF_SECONDS).unwrap();
        let (nats, database_url) = (Nats::start().await, postgres().await.database().await);
        let log = connect(nats.url(), SystemClock::shared()).await;
        admit_everybody(&log).await;

        let log_is = ["--nats-url", nats.url()];
        let database_is = ["--database-url", database_url.as_str()];
        let policy_is = ["--policy", policy.to_str().unwrap()];
        let start = async |words: &[&[&str]]| Service::start(&words.concat()).await;
        let commands = start(&[&["command-service"], &log_is, &policy_is]).await;
        let query = async || start(&[&["query-api"], &database_is]).await;
        let projector = async || start(&[&["projector"], &log_is, &database_is]).await;
        let scheduler = async || start(&[&["sla-scheduler"], &log_is, &database_is, &policy_is]).await;
        let queries = [query().await, query().await];
        let others = [
            projector().await,
            projector().await,
            scheduler().await,
            scheduler().await,
        ];
        for service in [&commands].into_iter().chain(&queries).chain(&others) {
            service.is_ready().await;
        }
        Self {
            nats,
            log,
            database_url,
            commands,
            queries,
            _others: others,
            _home: home,
        }
    }

    async fn create(&self, subject: &str) -> crate::http::Answer {
        let body = json!({ "subject": subject, "description": "It says 500.", "type": "defect" });
        self.commands.api.post(&CUSTOMER.token(), "/v1/tickets", &body).await
    }

    /// How many tickets of each status there are, according to one of the query services.
    async fn statuses(&self, which: usize) -> Value {
        self.queries[which].api.get(&AGENT.token(), "/v1/dashboard").await.body["by_status"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_each_service_end_every_wait_once() {
    let site = Site::open().await;
    let lines: Vec<Value> = (0..TICKETS)
        .flat_map(|n| {
            let body = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
            let (ticket, key) = (format!("$t{n}"), |step: &str| format!("t{n}-{step}"));
            [
                json!({ "command": "create", "key": format!("t{n}"), "body": body }),
                json!({ "command": "accept", "ticket": ticket, "key": key("accept") }),
                json!({ "command": "request-info", "ticket": ticket, "key": key("ask"), "body": { "comment": "?" } }),
            ]
        })
        .collect();
    let results = site.commands.api.bulk(&AGENT.token(), &lines).await;
    assert!(
        results.iter().all(|result| result["status"].as_u64() < Some(300)),
        "{results:?}"
    );
    wait_until("every ticket to be closed", LIMIT, async || {
        let statuses = [site.statuses(0).await, site.statuses(1).await];
        let closed = statuses.iter().all(|statuses| statuses["closed"] == TICKETS);
        if closed { Ok(()) } else { Err(statuses) }
    })
    .await;

    for history in histories(&site.log).await.values() {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for stored in history {
            stored
                .record
                .events
                .iter()
                .for_each(|event| *counts.entry(Event::name(event)).or_default() += 1);
        }
        let expected = [
            ("created", 1),
            ("accepted", 1),
            ("information_requested", 1),
            ("information_wait_expired", 1),
            ("closure_wait_expired", 1),
        ];
        assert_eq!(counts, expected.into());
    }
    caught_up(&site.log, &site.database_url).await;
    assert_equal_tables(&tables(&site.database_url).await, &rebuilt(&site.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_answered_without_the_log_and_commands_without_the_database() {
    let site = Site::open().await;
    site.create("Before").await.expect(201);
    caught_up(&site.log, &site.database_url).await;
    let subjects = async |which: usize| {
        let list = site.queries[which]
            .api
            .get(&AGENT.token(), "/v1/tickets?sort=number")
            .await;
        list.column("subject")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };

    site.nats.kill().await;
    for which in [0, 1] {
        assert_eq!(subjects(which).await, ["Before"]);
    }
    assert_eq!(site.create("Nobody listens").await.status, 503);
    site.nats.restart().await;
    wait_until("commands to be taken again", LIMIT, async || {
        site.create("After the log").await.status == 201
    })
    .await;
    wait_until("queries to follow", LIMIT, async || subjects(1).await.len() >= 2).await;

    // The database takes no connections and loses those that it has.
    let name = database_name(&site.database_url);
    administer(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    administer(&cut).await;
    site.create("Without the database").await.expect(201);
    let refused = site.queries[0].api.get(&AGENT.token(), "/v1/tickets").await;
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (503, Some("read-model-unavailable"))
    );
    administer(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    wait_until("queries to be answered again", LIMIT, async || {
        subjects(0)
            .await
            .last()
            .is_some_and(|subject| subject == "Without the database")
    })
    .await;
}
