//! A desk without HTTP: a log to write to, and projectors to watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::actor::Actor;
use domain::directory::EntryKind;
use domain::ids::{CommandId, TicketId, UserId};
use domain::policy::WaitPolicy;
use domain::sla::{Book, SlaCalendar, SlaPolicy, SlaPolicySpec};
use domain::testing::{AGENT, create, customer, life};
use domain::text::Label;
use domain::ticket::Command;
use event_log::{Books, EventLog, LogConfig, Outcome, Request, Source, Tickets};
use projector::Settings;
use service_kit::{Health, Shutdown, SystemClock};
use sqlx::postgres::PgPool;
use test_harness::{Nats, postgres, wait_until};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Generous: the machine may be busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Few, so that batches hold more than one record.
pub(crate) const PARTITIONS: u16 = 2;

#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) nats: Nats,
    pub(crate) log: EventLog,
    tickets: Tickets,
    wishes: AtomicU64,
}

impl Desk {
    pub(crate) async fn start() -> Self {
        let nats = Nats::start().await;
        let config = LogConfig {
            url: nats.url().to_owned(),
            partitions: Some(PARTITIONS),
            replicas: 1,
        };
        let log = EventLog::connect(&config, SystemClock::shared()).await.unwrap();
        let tickets = log.tickets(Books::fixed(promises()));
        Self {
            nats,
            log,
            tickets,
            wishes: AtomicU64::new(0),
        }
    }

    pub(crate) async fn give(&self, ticket: TicketId, actor: Actor, command: Command) -> Outcome {
        let wish = self.wishes.fetch_add(1, Ordering::Relaxed);
        let request = Request {
            command_id: CommandId::from(Uuid::from_u128(wish.into())),
            digest: [0; 32],
            actor: Arc::new(actor),
            via: None,
            occurred_at: None,
            honour_deadlines: false,
            if_match: None,
            origin: None,
            traceparent: None,
        };
        self.tickets.execute(ticket, &command, &request).await.unwrap()
    }

    /// Tickets `from..to`, each at another point of its life.
    pub(crate) async fn lives(&self, from: u128, to: u128) {
        for n in from..to {
            let id = ticket(n);
            self.give(id, customer(), create()).await;
            let steps = life();
            let taken = usize::try_from(n).unwrap() % (steps.len() + 1);
            for (actor, command) in steps.into_iter().take(taken) {
                self.give(id, actor, command).await;
            }
        }
    }

    pub(crate) async fn name(&self, user: UserId, name: &str) {
        let label = Label::parse(name).unwrap();
        self.log
            .directory()
            .name(EntryKind::User, user.as_uuid(), &label, &Actor::system())
            .await
            .unwrap();
    }

    /// Returns once the tables hold all that the log does.
    pub(crate) async fn caught_up(&self, pool: &PgPool) {
        wait_until("the projector to catch up", LIMIT, || self.lag(pool)).await;
    }

    async fn lag(&self, pool: &PgPool) -> Result<(), String> {
        let sources = (0..PARTITIONS).map(|p| ("tickets", p, Source::Tickets(p)));
        for (projection, partition, source) in sources.chain([("directory", 0, Source::Directory)]) {
            let head = self
                .log
                .last_sequence(source)
                .await
                .map_err(|error| error.to_string())?;
            let at = position(pool, projection, partition).await?;
            if at != head {
                let halted: Vec<String> =
                    sqlx::query_scalar("SELECT error FROM recourse.checkpoints WHERE error IS NOT NULL")
                        .fetch_all(pool)
                        .await
                        .map_err(|error| error.to_string())?;
                return Err(format!("{projection}/{partition} is at {at} of {head} {halted:?}"));
            }
        }
        let filled: bool = sqlx::query_scalar("SELECT bool_and(filled) FROM recourse.checkpoints")
            .fetch_one(pool)
            .await
            .map_err(|error| error.to_string())?;
        if filled {
            Ok(())
        } else {
            Err("not marked as filled".to_owned())
        }
    }
}

pub(crate) async fn position(pool: &PgPool, projection: &str, partition: u16) -> Result<u64, String> {
    let at: i64 = sqlx::query_scalar("SELECT sequence FROM desk.checkpoints WHERE projection = $1 AND partition = $2")
        .bind(projection)
        .bind(i32::from(partition))
        .fetch_one(pool)
        .await
        .map_err(|error| error.to_string())?;
    Ok(u64::try_from(at).unwrap())
}

/// The promises of *simple* with the waits of *supportal*, so that tickets have all that they can have.
fn promises() -> Book {
    let (simple, waits) = (SlaPolicy::simple(), WaitPolicy::supportal());
    let spec = SlaPolicySpec {
        information: waits.information,
        closure: waits.closure,
        ..simple.spec().clone()
    };
    let hours = SlaCalendar {
        edition: simple.pin().calendar.clone(),
        calendar: simple.calendar().clone(),
    };
    Book::try_new(vec![SlaPolicy::try_new(spec, 1, hours).unwrap()]).unwrap()
}

/// Even ones are of partition 0, odd ones of partition 1.
pub(crate) fn ticket(n: u128) -> TicketId {
    TicketId::from(Uuid::from_u128(n))
}

pub(crate) const SOMEBODY: UserId = AGENT;

/// A projector that runs until it is stopped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) health: Health,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), projector::RunError>>,
}

impl Running {
    pub(crate) fn start(desk: &Desk, database_url: &str) -> Self {
        Self::start_with(desk, database_url, Settings::new(WaitPolicy::supportal().calendar))
    }

    pub(crate) fn start_with(desk: &Desk, database_url: &str, settings: Settings) -> Self {
        let (health, shutdown) = (Health::default(), Shutdown::new());
        let (log, url) = (desk.log.clone(), database_url.to_owned());
        let (its_health, its_shutdown) = (health.clone(), shutdown.clone());
        let task =
            tokio::spawn(async move { projector::project(log, &url, settings, &its_health, &its_shutdown).await });
        Self { health, shutdown, task }
    }

    /// One that fills read models at once, however few records are missing.
    pub(crate) fn start_filling_at_once(desk: &Desk, database_url: &str) -> Self {
        let (health, shutdown) = (Health::default(), Shutdown::new());
        let (log, url) = (desk.log.clone(), database_url.to_owned());
        let (its_health, its_shutdown) = (health.clone(), shutdown.clone());
        let task = tokio::spawn(async move {
            let settings = Settings::new(WaitPolicy::supportal().calendar);
            projector::testing::project_filling_at_once(log, &url, settings, &its_health, &its_shutdown).await
        });
        Self { health, shutdown, task }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.trigger();
        self.task.await.unwrap().unwrap();
    }

    /// Ends it as a crash would.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// A database for one projector, and a pool to look into it.
pub(crate) async fn database() -> (String, PgPool) {
    let url = postgres().await.database().await;
    let pool = PgPool::connect_lazy(&url).unwrap();
    (url, pool)
}

/// What a projector that starts now makes of the whole log.
pub(crate) async fn rebuilt(desk: &Desk) -> String {
    let (url, pool) = database().await;
    let projector = Running::start(desk, &url);
    desk.caught_up(&pool).await;
    projector.stop().await;
    projector::testing::dump(&pool).await.unwrap()
}
