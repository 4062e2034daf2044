//! A desk for tests: a log, a database with the projector's tables, and a clock.
//!
//! Timers are copied from the log to the read model when a test says so, so that it can be as far behind as
//! the test wants.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::actor::Actor;
use domain::ids::{CommandId, TicketId};
use domain::policy::WaitPolicy;
use domain::testing::{NOON, agent, body, create};
use domain::ticket::{Accept, Command, Event, ProposeClosure, RequestInfo, Status, Ticket, TicketState};
use event_log::{Books, Entry, EventLog, LogConfig, Reader, Request, Source, Tickets};
use jiff_sqlx::ToSqlx;
use service_kit::{Health, ManualClock, SharedClock, Shutdown};
use sla_scheduler::{Config, EVERY_MINUTE, run};
use sqlx::PgPool;
use test_harness::{Nats, postgres, wait_until};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// How long anything may take before a test gives up.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Where all tickets are: the log has one partition.
const PARTITION: Source = Source::Tickets(0);

/// More records than any test makes.
const READ_MAX: usize = 10_000;

pub(crate) struct Desk {
    pub(crate) nats: Nats,
    pub(crate) clock: ManualClock,
    pub(crate) pool: PgPool,
    database_url: String,
    policy: WaitPolicy,
    log: EventLog,
    tickets: Tickets,
    known: Mutex<Known>,
}

/// What has been read of the log.
struct Known {
    reader: Reader,
    read: u64,
    tickets: BTreeMap<TicketId, (Ticket, Vec<Happening>)>,
}

impl Known {
    fn take(&mut self, entry: &Entry) {
        self.read = entry.sequence;
        let record = wire::decode::<Event>(&entry.payload).unwrap();
        let (ticket, happenings) = self.tickets.entry(record.header.aggregate_id.into()).or_default();
        for event in &record.events {
            *ticket = std::mem::take(ticket).evolve(event, record.header.occurred_at);
            happenings.push((event.name(), record.header.occurred_at));
        }
    }

    fn state(&self, ticket: TicketId) -> &TicketState {
        self.tickets[&ticket].0.state().unwrap()
    }
}

/// What happened to a ticket, and when in the business.
pub(crate) type Happening = (&'static str, Timestamp);

impl Desk {
    pub(crate) async fn open(policy: WaitPolicy) -> Self {
        let nats = Nats::start().await;
        let clock = ManualClock::new(NOON);
        let database_url = postgres().await.database().await;
        let pool = PgPool::connect(&database_url).await.unwrap();
        projector::testing::prepare(&pool).await.unwrap();
        let log = connect(&nats, &clock).await;
        let tickets = log.tickets(Books::waiting(&policy));
        let known = Known {
            reader: log.reader(PARTITION, None).await.unwrap(),
            read: 0,
            tickets: BTreeMap::new(),
        };
        Self {
            known: Mutex::new(known),
            nats,
            clock,
            pool,
            database_url,
            policy,
            log,
            tickets,
        }
    }

    /// Carries a command out in the name of `actor`.
    pub(crate) async fn give(&self, ticket: TicketId, actor: Actor, command: Command) {
        let request = Request {
            command_id: CommandId::from(Uuid::new_v4()),
            digest: [0; 32],
            actor: Arc::new(actor),
            via: None,
            occurred_at: None,
            honour_deadlines: false,
            if_match: None,
            origin: None,
            traceparent: None,
        };
        self.tickets.execute(ticket, &command, &request).await.unwrap();
    }

    /// A ticket in progress.
    pub(crate) async fn ticket_in_progress(&self) -> TicketId {
        let ticket = TicketId::from(Uuid::new_v4());
        self.give(ticket, domain::testing::customer(), create()).await;
        self.give(ticket, agent(), Command::Accept(Accept { assignee: None }))
            .await;
        ticket
    }

    /// A ticket that waits for an answer.
    pub(crate) async fn ticket_in_question(&self) -> TicketId {
        let ticket = self.ticket_in_progress().await;
        self.give(
            ticket,
            agent(),
            Command::RequestInfo(RequestInfo {
                comment: body("Which one?"),
            }),
        )
        .await;
        ticket
    }

    /// A ticket that waits for an objection to closing.
    pub(crate) async fn solved_ticket(&self) -> TicketId {
        let ticket = self.ticket_in_progress().await;
        self.give(
            ticket,
            agent(),
            Command::ProposeClosure(ProposeClosure {
                solution: body("Done."),
            }),
        )
        .await;
        ticket
    }

    /// Brings the read model's timers up to the log.
    pub(crate) async fn project(&self) {
        let known = self.read().await;
        let (mut tickets, mut kinds, mut numbers, mut due) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (id, (ticket, _)) in &known.tickets {
            let state = ticket.state().unwrap();
            let Some(wait) = &state.wait else { continue };
            let informing = state.status == Status::WaitingForInfo;
            tickets.push(id.as_uuid());
            kinds.push(if informing { "information" } else { "closure" });
            numbers.push(i32::try_from(wait.number).unwrap());
            due.push(wait.due_at.to_sqlx());
        }
        let mut tx = self.pool.begin().await.unwrap();
        sqlx::query("DELETE FROM tickets_1.ticket_timers")
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO tickets_1.ticket_timers (ticket_id, partition, kind, number, due_at)
             SELECT ticket_id, 0, kind, number, due_at FROM UNNEST($1::uuid[], $2::text[], $3::integer[], $4::timestamptz[]) AS timers (ticket_id, kind, number, due_at)",
        )
        .bind(tickets)
        .bind(kinds)
        .bind(numbers)
        .bind(due)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// When the ticket's wait is over.
    pub(crate) async fn due(&self, ticket: TicketId) -> Timestamp {
        self.read().await.state(ticket).wait.as_ref().unwrap().due_at
    }

    /// What the scheduler has done to the ticket, according to the log.
    pub(crate) async fn expiries(&self, ticket: TicketId) -> Vec<Happening> {
        let known = self.read().await;
        let (_, happenings) = &known.tickets[&ticket];
        happenings
            .iter()
            .copied()
            .filter(|(name, _)| name.ends_with("_expired"))
            .collect()
    }

    /// Returns once the log holds what the scheduler is expected to have done to the ticket. A scheduler that
    /// is ready may have looked at the clock before the test set it, so that its being ready is not enough.
    pub(crate) async fn has_expiries(&self, ticket: TicketId, expected: &[Happening]) {
        wait_until(&format!("expiries {expected:?}"), LIMIT, async || {
            let seen = self.expiries(ticket).await;
            if seen == expected { Ok(()) } else { Err(seen) }
        })
        .await;
    }

    /// How many waits the scheduler has ended.
    pub(crate) async fn all_expiries(&self) -> usize {
        let known = self.read().await;
        let happenings = known.tickets.values().flat_map(|(_, happenings)| happenings);
        happenings.filter(|(name, _)| name.ends_with("_expired")).count()
    }

    /// Takes the timers away from the scheduler, as a database that is being rebuilt does.
    pub(crate) async fn hide_read_model(&self) {
        sqlx::raw_sql("ALTER SCHEMA desk RENAME TO desk_hidden")
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Gives them back.
    pub(crate) async fn show_read_model(&self) {
        sqlx::raw_sql("ALTER SCHEMA desk_hidden RENAME TO desk")
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// The whole log, as it is now.
    async fn read(&self) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().await;
        let last = self.log.last_sequence(PARTITION).await.unwrap();
        while known.read < last {
            for entry in known.reader.next_batch(READ_MAX).await.unwrap() {
                known.take(&entry);
            }
        }
        known
    }

    /// Starts a scheduler with a connection and a memory of its own.
    pub(crate) async fn scheduler(&self) -> Scheduler {
        let (health, shutdown) = (Health::default(), Shutdown::new());
        let log = connect(&self.nats, &self.clock).await;
        let tickets = log.tickets(Books::waiting(&self.policy));
        let (pool, clock) = (sla_scheduler::pool(&self.database_url).unwrap(), self.shared_clock());
        let (reported, told) = (health.clone(), shutdown.clone());
        let task =
            tokio::spawn(async move { run(&config(), pool, tickets, log.digests(), clock, &reported, &told).await });
        Scheduler { health, shutdown, task }
    }

    /// A scheduler as a future of one's own, to be dropped wherever it stands. It is connected already.
    pub(crate) fn scheduler_future(&self) -> impl Future<Output = ()> + use<> {
        let (pool, clock) = (self.pool.clone(), self.shared_clock());
        let (tickets, digests) = (self.tickets.clone(), self.log.digests());
        async move {
            run(
                &config(),
                pool,
                tickets,
                digests,
                clock,
                &Health::default(),
                &Shutdown::new(),
            )
            .await;
        }
    }

    fn shared_clock(&self) -> SharedClock {
        Arc::new(self.clock.clone())
    }
}

async fn connect(nats: &Nats, clock: &ManualClock) -> EventLog {
    let config = LogConfig {
        url: nats.url().to_owned(),
        partitions: Some(1),
        replicas: 1,
    };
    EventLog::connect(&config, Arc::new(clock.clone())).await.unwrap()
}

fn config() -> Config {
    Config {
        sweep: EVERY_MINUTE.parse().unwrap(),
        digest: None,
    }
}

/// A running scheduler.
pub(crate) struct Scheduler {
    health: Health,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

impl Scheduler {
    /// Returns once its last pass did all that there was to do, or failed.
    pub(crate) async fn is_ready(&self, expected: bool) {
        let what = format!("a scheduler that is ready: {expected}");
        wait_until(&what, LIMIT, async || {
            let report = self.health.report();
            if !report.components.is_empty() && report.ready == expected {
                Ok(())
            } else {
                Err(report)
            }
        })
        .await;
    }

    pub(crate) async fn stop(self) {
        self.shutdown.trigger();
        self.task.await.unwrap();
    }
}
