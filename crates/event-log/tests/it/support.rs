//! A log of a test's own, commands to give to it, and a look at it from outside.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::{self, Context, stream};
use bytes::Bytes;
use domain::actor::Actor;
use domain::ids::{CommandId, Revision, TicketId, TicketNumber};
use domain::policy::WaitPolicy;
use domain::testing;
use domain::ticket::{AddComment, Command, Event, Visibility};
use event_log::{Books, EventLog, ExecuteError, LogConfig, Outcome, Request, Tickets};
use service_kit::clock::SystemClock;
use test_harness::Nats;
use uuid::Uuid;
use wire::Record;

/// The longest that anything here may take, on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Two, so that tests see that there are several, and start quickly.
pub(crate) const PARTITIONS: u16 = 2;

pub(crate) fn config(url: &str) -> LogConfig {
    LogConfig {
        url: url.to_owned(),
        partitions: Some(PARTITIONS),
        replicas: 1,
    }
}

/// Connects as a process of its own would.
pub(crate) async fn connect(url: &str) -> EventLog {
    EventLog::connect(&config(url), SystemClock::shared()).await.unwrap()
}

pub(crate) fn tickets(log: &EventLog) -> Tickets {
    log.tickets(Books::waiting(&WaitPolicy::supportal()))
}

/// A server, a connection and commands.
pub(crate) struct Desk {
    pub(crate) nats: Nats,
    pub(crate) log: EventLog,
    pub(crate) tickets: Tickets,
}

impl Desk {
    pub(crate) async fn start() -> Self {
        let nats = Nats::start().await;
        let log = connect(nats.url()).await;
        let tickets = tickets(&log);
        Self { nats, log, tickets }
    }

    pub(crate) async fn raw(&self) -> Raw {
        Raw::connect(self.nats.url()).await
    }
}

pub(crate) fn new_ticket() -> TicketId {
    TicketId::from(Uuid::new_v4())
}

/// A ticket of this partition.
pub(crate) fn ticket_in(partition: u16) -> TicketId {
    std::iter::repeat_with(new_ticket)
        .find(|ticket| event_log::partition_of(*ticket, PARTITIONS) == partition)
        .unwrap()
}

/// A wish of this actor that nobody has wished before.
pub(crate) fn wish(actor: Actor) -> Request {
    Request {
        command_id: CommandId::from(Uuid::new_v4()),
        digest: [7; 32],
        actor: Arc::new(actor),
        via: None,
        occurred_at: None,
        honour_deadlines: false,
        if_match: None,
        origin: None,
        traceparent: None,
    }
}

/// The command of [`testing::create`], with a number from the counter.
pub(crate) fn create() -> Command {
    match testing::create() {
        Command::Create(mut create, project) => {
            create.number = TicketNumber(0);
            Command::Create(create, project)
        }
        other => other,
    }
}

pub(crate) fn comment(text: &str) -> Command {
    Command::Comment(AddComment {
        body: testing::body(text),
        visibility: Visibility::Public,
    })
}

/// Opens a ticket as its requester.
pub(crate) async fn open(tickets: &Tickets, ticket: TicketId) -> Outcome {
    let wish = wish(testing::customer());
    tickets.execute(ticket, &create(), &wish).await.unwrap()
}

/// Says something on a ticket as a member of staff.
pub(crate) async fn say(tickets: &Tickets, ticket: TicketId, text: &str) -> Result<Outcome, ExecuteError> {
    tickets.execute(ticket, &comment(text), &wish(testing::agent())).await
}

/// The streams without the crate under test in between.
pub(crate) struct Raw {
    pub(crate) context: Context,
}

impl Raw {
    pub(crate) async fn connect(url: &str) -> Self {
        let (token, address) = url.strip_prefix("nats://").unwrap().split_once('@').unwrap();
        let options = ConnectOptions::new().token(token.to_owned());
        let client = options.connect(address).await.unwrap();
        Self {
            context: jetstream::new(client),
        }
    }

    pub(crate) async fn config(&self, stream: &str) -> stream::Config {
        let stream = self.context.get_stream(stream).await.unwrap();
        stream.cached_info().config.clone()
    }

    pub(crate) async fn last_sequence(&self, stream: &str) -> u64 {
        let stream = self.context.get_stream(stream).await.unwrap();
        stream.cached_info().state.last_sequence
    }

    /// Everything in a stream. No sequence may be missing.
    pub(crate) async fn stored(&self, stream: &str) -> Vec<(u64, Bytes)> {
        let last = self.last_sequence(stream).await;
        let stream = self.context.get_stream(stream).await.unwrap();
        let mut stored = Vec::new();
        for sequence in 1..=last {
            let message = stream.get_raw_message(sequence).await.unwrap();
            stored.push((sequence, message.payload));
        }
        stored
    }

    /// All records of all tickets, each history checked for its chain.
    pub(crate) async fn histories(&self) -> BTreeMap<TicketId, Vec<Record<Event>>> {
        let mut histories: BTreeMap<TicketId, History> = BTreeMap::new();
        for partition in 0..PARTITIONS {
            for (sequence, bytes) in self.stored(&format!("RC_TICKETS_{partition}")).await {
                let record: Record<Event> = wire::decode(&bytes).unwrap();
                let ticket = TicketId::from(record.header.aggregate_id);
                assert_eq!(event_log::partition_of(ticket, PARTITIONS), partition);
                histories.entry(ticket).or_default().link(sequence, &bytes, record);
            }
        }
        histories
            .into_iter()
            .map(|(ticket, history)| (ticket, history.records))
            .collect()
    }

    /// The records of one ticket.
    pub(crate) async fn history(&self, ticket: TicketId) -> Vec<Record<Event>> {
        self.histories().await.remove(&ticket).unwrap_or_default()
    }
}

#[derive(Default)]
struct History {
    records: Vec<Record<Event>>,
    last: u64,
    hash: [u8; 32],
}

impl History {
    fn link(&mut self, sequence: u64, bytes: &[u8], record: Record<Event>) {
        let header = &record.header;
        let revision = u64::try_from(self.records.len()).unwrap() + 1;
        assert_eq!(header.revision, Revision(revision));
        assert_eq!(header.previous_sequence, self.last);
        assert_eq!(header.previous_hash, self.hash);
        let known = |other: &Record<Event>| {
            other.header.command_id == header.command_id || other.header.record_id == header.record_id
        };
        assert!(!self.records.iter().any(known), "a command was carried out twice");
        self.last = sequence;
        self.hash = wire::hash(bytes);
        self.records.push(record);
    }
}
