//! A whole desk in the test's process: every service on a real log and a real database, with a clock that the test
//! holds in its hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use command_service::Mail;
use domain::Timestamp;
use domain::policy::WaitPolicy;
use domain::sla::SlaPolicy;
use domain::ticket::Event;
use event_log::{Books, EventLog, LogConfig, Source};
use service_kit::cron::Cron;
use service_kit::http::{Limits, finish, operations, serve};
use service_kit::telemetry::Metrics;
use service_kit::tokens::TokenHash;
use service_kit::{Health, ManualClock, SharedClock, Shutdown, SystemClock};
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use test_harness::{Nats, postgres, wait_until};
use tokio::net::TcpListener;
use uuid::Uuid;
use wire::Record;

use crate::http::{Api, LIMIT};
use crate::people::{EVERYBODY, admit_everybody};

/// The clock stands here at first: a Monday, 12:00 in Moscow.
pub(crate) const NOON: &str = "2026-03-02T09:00:00Z";

/// Few, so that batches of the projector hold more than one record.
const PARTITIONS: u16 = 4;

/// More records than any test makes.
const READ_MAX: usize = 100_000;

pub(crate) struct Desk {
    nats: Nats,
    pub(crate) log: EventLog,
    pub(crate) clock: ManualClock,
    pub(crate) api: Api,
    pub(crate) database_url: String,
    /// The router of all services, as it prints itself.
    pub(crate) router: String,
    books: Books,
    shutdown: Shutdown,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}

impl Desk {
    pub(crate) async fn open(policy: WaitPolicy) -> Self {
        Box::pin(Self::open_with(policy, None)).await
    }

    /// One that sends mail, if it can.
    pub(crate) async fn open_with(policy: WaitPolicy, mail: Option<Mail>) -> Self {
        let nats = Nats::start().await;
        let clock = ManualClock::new(at(NOON));
        let shared: SharedClock = Arc::new(clock.clone());
        let log = connect(nats.url(), Arc::clone(&shared)).await;
        admit_everybody(&log).await;
        let database_url = postgres().await.database().await;
        let (health, shutdown) = (Health::default(), Shutdown::new());

        let (books, keeper) = log.books(SlaPolicy::waiting(&policy));
        let commands = command_service::App::new(&log, books.clone(), mail, None);
        command_service::keep_informed(&commands, keeper, SystemClock::shared(), &health, &shutdown);
        let queries = query_api::App::start(&database_url, Arc::clone(&shared), &health, &shutdown).unwrap();
        let routes = command_service::routes(commands)
            .merge(query_api::routes(&queries))
            .merge(operations(health.clone(), Metrics::install()));
        let printed = format!("{routes:?}");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Api::new(format!("http://{}", listener.local_addr().unwrap()));
        let told = shutdown.clone();
        tokio::spawn(async move { serve(listener, finish(routes, Limits::default()), &told).await });

        project(&log, &database_url, &health, &shutdown);
        let desk = Self {
            nats,
            log,
            clock,
            api,
            database_url,
            router: printed,
            books,
            shutdown,
        };
        desk.schedule(&health, None, &desk.shutdown);
        wait_until("the desk to be ready", LIMIT, async || {
            let report = health.report();
            if report.ready { Ok(()) } else { Err(report) }
        })
        .await;
        desk.caught_up().await;
        desk
    }

    /// Starts one scheduler more.
    pub(crate) fn another_scheduler(&self) {
        self.schedule(&Health::default(), None, &self.shutdown);
    }

    /// Starts one more, which draws digests as a cron expression says, until it is told to stop.
    pub(crate) fn draw_digests(&self, cron: &str) -> Shutdown {
        let told = Shutdown::new();
        self.schedule(&Health::default(), Some(cron.parse().unwrap()), &told);
        told
    }

    fn schedule(&self, health: &Health, digest: Option<Cron>, told: &Shutdown) {
        let timers = sla_scheduler::pool(&self.database_url).unwrap();
        let (tickets, digests) = (self.log.tickets(self.books.clone()), self.log.digests());
        let (clock, health, told) = (Arc::new(self.clock.clone()), health.clone(), told.clone());
        let config = sla_scheduler::Config {
            sweep: sla_scheduler::EVERY_MINUTE.parse().unwrap(),
            digest,
        };
        tokio::spawn(async move { sla_scheduler::run(&config, timers, tickets, digests, clock, &health, &told).await });
    }

    /// Where the log is.
    pub(crate) fn nats_url(&self) -> &str {
        self.nats.url()
    }

    /// Returns once the read models hold all that the log does.
    pub(crate) async fn caught_up(&self) {
        caught_up(&self.log, &self.database_url).await;
    }

    /// Every table, as text.
    pub(crate) async fn tables(&self) -> String {
        tables(&self.database_url).await
    }

    /// Checks that what a projector makes of the log from its beginning is what the tables hold now.
    pub(crate) async fn rebuilding_changes_nothing(&self) {
        self.caught_up().await;
        let (now, rebuilt) = (self.tables().await, rebuilt(&self.log).await);
        assert_equal_tables(&now, &rebuilt);
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) async fn connect(url: &str, clock: SharedClock) -> EventLog {
    let config = LogConfig {
        url: url.to_owned(),
        partitions: Some(PARTITIONS),
        replicas: 1,
    };
    EventLog::connect(&config, clock).await.unwrap()
}

/// Runs a projector until the shutdown.
pub(crate) fn project(log: &EventLog, database_url: &str, health: &Health, shutdown: &Shutdown) {
    let (log, url, health, told) = (log.clone(), database_url.to_owned(), health.clone(), shutdown.clone());
    let settings = projector::Settings::new(WaitPolicy::supportal().calendar);
    tokio::spawn(async move { projector::project(log, &url, settings, &health, &told).await });
}

/// Returns once the tables of a database hold all that the log does.
pub(crate) async fn caught_up(log: &EventLog, database_url: &str) {
    wait_until("the read models", LIMIT, async || {
        let mut db = PgConnection::connect(database_url)
            .await
            .map_err(|error| error.to_string())?;
        let behind = lag(log, &mut db).await;
        // Whoever drops the database next must not wait for this connection.
        db.close().await.map_err(|error| error.to_string())?;
        behind
    })
    .await;
}

async fn lag(log: &EventLog, db: &mut PgConnection) -> Result<(), String> {
    let tickets = (0..log.partitions()).map(|p| ("tickets", p, Source::Tickets(p)));
    for (projection, partition, source) in tickets.chain([("directory", 0, Source::Directory)]) {
        let head = log.last_sequence(source).await.map_err(|error| error.to_string())?;
        let sql = "SELECT sequence FROM recourse.checkpoints WHERE projection = $1 AND partition = $2 AND filled";
        let query = sqlx::query_scalar::<_, i64>(sql)
            .bind(projection)
            .bind(i32::from(partition));
        let position = query.fetch_one(&mut *db).await.map_err(|error| error.to_string())?;
        if u64::try_from(position) != Ok(head) {
            return Err(format!("{projection}/{partition} is at {position} of {head}"));
        }
    }
    // Other tokens come and go, and nothing waits for them but who has one.
    let sql = "SELECT count(*) FROM recourse.access_tokens WHERE hash = ANY ($1)";
    let everybodys = EVERYBODY.map(|person| TokenHash::of(&person.token()).as_bytes().to_vec());
    let known: i64 = sqlx::query_scalar(sql)
        .bind(everybodys.as_slice())
        .fetch_one(db)
        .await
        .map_err(|error| error.to_string())?;
    if usize::try_from(known) == Ok(EVERYBODY.len()) {
        Ok(())
    } else {
        Err(format!("{known} tokens are mirrored"))
    }
}

pub(crate) async fn tables(database_url: &str) -> String {
    let pool = PgPool::connect(database_url).await.unwrap();
    let tables = projector::testing::dump(&pool).await.unwrap();
    pool.close().await;
    tables
}

/// What a projector that starts now makes of the whole log.
pub(crate) async fn rebuilt(log: &EventLog) -> String {
    let (url, health, shutdown) = (postgres().await.database().await, Health::default(), Shutdown::new());
    project(log, &url, &health, &shutdown);
    caught_up(log, &url).await;
    shutdown.trigger();
    tables(&url).await
}

/// Equality that fails with the lines that differ, and not with all of them.
#[track_caller]
pub(crate) fn assert_equal_tables(one: &str, other: &str) {
    let only = |a: &str, b: &str| -> Vec<String> {
        let b: std::collections::HashSet<&str> = b.lines().collect();
        a.lines()
            .filter(|line| !b.contains(line))
            .take(5)
            .map(str::to_owned)
            .collect()
    };
    assert!(
        one == other,
        "tables differ: {:#?} instead of {:#?}",
        only(one, other),
        only(other, one)
    );
}

/// Drops a database under everybody's feet.
pub(crate) async fn drop_database(url: &str) {
    administer(&format!("DROP DATABASE {} WITH (FORCE)", database_name(url))).await;
}

pub(crate) fn database_name(url: &str) -> &str {
    url.split('?').next().unwrap().rsplit('/').next().unwrap()
}

/// Runs a statement on the server's own database.
pub(crate) async fn administer(sql: &str) {
    let mut db = PgConnection::connect(postgres().await.url()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut db)
        .await
        .unwrap();
    db.close().await.unwrap();
}

/// A ticket's record, its place and its bytes' hash.
pub(crate) struct Stored {
    pub(crate) partition: u16,
    pub(crate) sequence: u64,
    pub(crate) hash: [u8; 32],
    pub(crate) record: Record<Event>,
}

/// Every ticket's history, read back from the log.
pub(crate) async fn histories(log: &EventLog) -> BTreeMap<Uuid, Vec<Stored>> {
    let mut histories: BTreeMap<Uuid, Vec<Stored>> = BTreeMap::new();
    for partition in 0..log.partitions() {
        let source = Source::Tickets(partition);
        let (last, mut read) = (log.last_sequence(source).await.unwrap(), 0);
        let mut reader = log.reader(source, None).await.unwrap();
        while read < last {
            for entry in reader.next_batch(READ_MAX).await.unwrap() {
                read = entry.sequence;
                let record = wire::decode::<Event>(&entry.payload).unwrap();
                let hash = wire::hash(&entry.payload);
                let history = histories.entry(record.header.aggregate_id).or_default();
                history.push(Stored {
                    partition,
                    sequence: entry.sequence,
                    hash,
                    record,
                });
            }
        }
    }
    histories
}

/// How many records of tickets the log holds.
pub(crate) async fn records(log: &EventLog) -> u64 {
    let mut records = 0;
    for partition in 0..log.partitions() {
        records += log.last_sequence(Source::Tickets(partition)).await.unwrap();
    }
    records
}
