//! Notices on their way to people: which records are still to be looked at for some, and which are still to be sent.
//!
//! Both are kept by the server, so that any number of processes share the work and nothing is lost with one of them:
//!
//! * [`News`] are the records of a partition's tickets, from a durable consumer: each is given to one process, and again to
//!   another until one says that it is done.
//! * The outbox is a stream of its own, that forgets a notice once it is done. A record that is looked at twice within an hour
//!   puts the same notice there once, because the server knows its id; one that is killed knows those that are still there.
//!
//! None of this is the log: nothing is derived from it, and it may be purged.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::{Batch, Config};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer};
use async_nats::jetstream::message::{AckKind, Acker, PublishMessage};
use async_nats::jetstream::stream::{self, RetentionPolicy, StorageType, Stream};
use domain::Timestamp;
use domain::ids::{Position, TicketId};
use domain::notice::{Notice, NoticeKind, Reason};
use domain::ticket::Event;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;
use wire::Record;

use crate::connection::Inner;
use crate::streams::find;
use crate::subject::ticket_stream;

const OUTBOX: &str = "RC_OUTBOX";
/// Whoever looks for news of a partition.
const NEWS: &str = "notices";
/// Longer than nearly every notice waits for a desk to open, or for a mail server: what is left after that is forgotten.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);
/// How long the server knows the id of a notice. A record is mostly looked at again within a minute.
const KNOWN_FOR: Duration = Duration::from_hours(1);
/// How long one process has for a record, or for a notice, before another gets it, unless it says that it is at it.
const HANDLED_WITHIN: Duration = Duration::from_mins(2);
/// How long the server waits for something to give before it is asked anew.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Records that are on their way to this process at once: what it cannot look at in time is given to somebody again.
const NEWS_AT_ONCE: usize = 10;

/// Notices cannot be read or kept now.
#[derive(Debug, thiserror::Error)]
#[error("the outbox cannot be used")]
pub struct OutboxError(#[source] async_nats::Error);

fn unavailable(error: impl Into<async_nats::Error>) -> OutboxError {
    OutboxError(error.into())
}

/// Where a notice waits. What takes long is not in the way of the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Nobody tried to send it yet.
    First,
    /// It was tried once at least.
    Again,
}

impl Lane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::First, Self::Again];

    /// Whoever sends what waits there, and the last part of its subject.
    const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Again => "again",
        }
    }

    fn subject(self) -> String {
        format!("rc.o.{}", self.as_str())
    }
}

/// A notice on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Of which ticket.
    pub ticket: TicketId,
    /// Where the record is that it tells of.
    pub position: Position,
    /// That record's id.
    pub record: Uuid,
    /// Whom it is for, and what it tells.
    pub notice: Notice,
}

impl Outgoing {
    /// The same for whoever makes it, whatever the ticket is like by then.
    pub fn id(&self) -> Uuid {
        let lane = u8::from(self.notice.is_of_a_deadline());
        let mut name = self.notice.user.as_uuid().as_bytes().to_vec();
        name.push(lane);
        Uuid::new_v5(&self.record, &name)
    }
}

/// A notice as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    user: Uuid,
    ticket: Uuid,
    partition: u16,
    sequence: u64,
    record: Uuid,
    reasons: Vec<KeptReason>,
}

#[derive(Serialize, Deserialize)]
struct KeptReason {
    kind: String,
    event: usize,
    not_before: Option<Timestamp>,
}

impl From<&Outgoing> for Kept {
    fn from(outgoing: &Outgoing) -> Self {
        let reason = |reason: &Reason| KeptReason {
            kind: reason.kind.as_str().to_owned(),
            event: reason.event,
            not_before: reason.not_before,
        };
        Self {
            user: outgoing.notice.user.as_uuid(),
            ticket: outgoing.ticket.as_uuid(),
            partition: outgoing.position.partition,
            sequence: outgoing.position.sequence,
            record: outgoing.record,
            reasons: outgoing.notice.reasons.iter().map(reason).collect(),
        }
    }
}

impl Kept {
    /// `None`: none of its reasons is known here.
    fn read(bytes: &[u8]) -> Option<Outgoing> {
        let kept: Self = serde_json::from_slice(bytes).ok()?;
        let reason = |reason: KeptReason| {
            Some(Reason {
                kind: NoticeKind::parse(&reason.kind)?,
                event: reason.event,
                not_before: reason.not_before,
            })
        };
        let (partition, sequence) = (kept.partition, kept.sequence);
        let notice = Notice {
            user: kept.user.into(),
            reasons: kept.reasons.into_iter().filter_map(reason).collect(),
        };
        (!notice.reasons.is_empty()).then_some(Outgoing {
            ticket: kept.ticket.into(),
            position: Position { partition, sequence },
            record: kept.record,
            notice,
        })
    }
}

/// Something that was given to this process, until it says what became of it. If it says nothing, somebody gets it again.
pub struct Given<T> {
    /// What was given; `None`: it cannot be read, and is perhaps a newer release's.
    pub what: Option<T>,
    /// How often it was given to somebody, this time among them.
    pub times: u64,
    acker: Acker,
}

impl<T: fmt::Debug> fmt::Debug for Given<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given")
            .field("what", &self.what)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

impl<T> Given<T> {
    /// It is done: nobody gets it again.
    pub async fn done(&self) -> Result<(), OutboxError> {
        self.acker.ack().await.map_err(unavailable)
    }

    /// Whoever has it is at it: they have as long again.
    pub async fn going_on(&self) -> Result<(), OutboxError> {
        self.acker.ack_with(AckKind::Progress).await.map_err(unavailable)
    }

    /// Somebody is to get it again, after this time.
    pub async fn again(&self, after: Duration) -> Result<(), OutboxError> {
        self.acker
            .ack_with(AckKind::Nak(Some(after)))
            .await
            .map_err(unavailable)
    }

    fn of(
        message: Message,
        read: impl FnOnce(&Message) -> Result<Option<T>, OutboxError>,
    ) -> Result<Self, OutboxError> {
        let info = message.info().map_err(unavailable)?;
        let times = u64::try_from(info.delivered).unwrap_or(1);
        let what = read(&message)?;
        let (_, acker) = message.split();
        Ok(Self { what, times, acker })
    }
}

/// A record of a ticket, and where it is.
#[derive(Debug)]
pub struct Placed {
    /// The record.
    pub record: Record<Event>,
    /// Where it is.
    pub position: Position,
}

/// Messages of a consumer, for as long as the connection holds.
///
/// They are asked for batch after batch, by hand: what asks by itself asks once more when the connection is made anew, and
/// whatever comes by that is lost to somebody who has begun anew meanwhile, until the server thinks that it was not handled.
struct Following {
    consumer: PullConsumer,
    at_once: usize,
    batch: Option<Batch>,
    established: watch::Receiver<u64>,
}

impl Following {
    async fn begin(inner: &Inner, stream: &Stream<()>, config: Config, at_once: usize) -> Result<Self, OutboxError> {
        let mut established = inner.reads.established.clone();
        established.mark_unchanged();
        let consumer = stream.create_consumer(config).await;
        Ok(Self {
            consumer: consumer.map_err(unavailable)?,
            at_once,
            batch: None,
            established,
        })
    }

    async fn next(&mut self) -> Result<Message, OutboxError> {
        loop {
            let batch = match &mut self.batch {
                Some(batch) => batch,
                none => none.insert(ask(&self.consumer, self.at_once).await?),
            };
            let message = tokio::select! {
                biased;
                // What was asked on the old connection will not be answered on the new one.
                _ = self.established.changed() => return Err(unavailable("the connection was made anew")),
                message = batch.next() => message,
            };
            match message {
                Some(message) => return message.map_err(unavailable),
                None => self.batch = None,
            }
        }
    }
}

async fn ask(consumer: &PullConsumer, at_once: usize) -> Result<Batch, OutboxError> {
    let batch = consumer.batch().max_messages(at_once).expires(ASKED_AGAIN_AFTER);
    batch.messages().await.map_err(unavailable)
}

/// The records of a partition's tickets that nobody has looked at yet.
pub struct News {
    partition: u16,
    following: Following,
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("News")
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}

impl News {
    /// Waits for the next record. An error ends it; begin anew.
    pub async fn next(&mut self) -> Result<Given<Placed>, OutboxError> {
        let partition = self.partition;
        Given::of(self.following.next().await?, |message| {
            let sequence = message.info().map_err(unavailable)?.stream_sequence;
            let position = Position { partition, sequence };
            let record = wire::decode(&message.payload).ok();
            Ok(record.map(|record| Placed { record, position }))
        })
    }
}

/// Notices that are to be sent.
pub struct Sending(Following);

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}

impl Sending {
    /// Waits for the next notice. An error ends it; begin anew.
    pub async fn next(&mut self) -> Result<Given<Outgoing>, OutboxError> {
        Given::of(self.0.next().await?, |message| Ok(Kept::read(&message.payload)))
    }
}

/// Where notices wait until they are sent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox {
    inner: Arc<Inner>,
    stream: Stream<()>,
}

impl Outbox {
    pub(crate) async fn ensure(inner: Arc<Inner>) -> Result<Self, OutboxError> {
        let context = &inner.reads.context;
        // As many copies as the log has by now: clusters grow.
        let log = context.get_stream(ticket_stream(0)).await.map_err(unavailable)?;
        let num_replicas = log.cached_info().config.num_replicas;
        match find(context, OUTBOX).await.map_err(unavailable)? {
            Some(config) if config.num_replicas >= num_replicas => {}
            // The rest of its settings is the operator's.
            Some(config) => {
                let config = stream::Config { num_replicas, ..config };
                context.update_stream(config).await.map_err(unavailable)?;
            }
            None => {
                let config = stream::Config {
                    name: OUTBOX.to_owned(),
                    description: Some("Recourse: notices that are not sent yet".to_owned()),
                    subjects: Lane::ALL.map(Lane::subject).into(),
                    storage: StorageType::File,
                    retention: RetentionPolicy::WorkQueue,
                    max_age: KEPT_FOR,
                    duplicate_window: KNOWN_FOR,
                    num_replicas,
                    ..stream::Config::default()
                };
                context.create_stream(config).await.map_err(unavailable)?;
            }
        }
        let stream = context.get_stream_no_info(OUTBOX).await.map_err(unavailable)?;
        Ok(Self { inner, stream })
    }

    /// Begins to look at the records of a partition that nobody has looked at yet: those made since somebody first did.
    pub async fn news(&self, partition: u16) -> Result<News, OutboxError> {
        let stream = self
            .inner
            .reads
            .context
            .get_stream_no_info(ticket_stream(partition))
            .await;
        let config = Config {
            deliver_policy: DeliverPolicy::New,
            ..consumer(NEWS, "who is to be told of what happens to tickets")
        };
        let stream = stream.map_err(unavailable)?;
        let following = Following::begin(&self.inner, &stream, config, NEWS_AT_ONCE).await?;
        Ok(News { partition, following })
    }

    /// Begins to take notices out of a lane.
    pub async fn sending(&self, lane: Lane) -> Result<Sending, OutboxError> {
        let config = Config {
            filter_subject: lane.subject(),
            ..consumer(lane.as_str(), "who is told")
        };
        let following = Following::begin(&self.inner, &self.stream, config, 1).await?;
        Ok(Sending(following))
    }

    /// How many notices wait to be sent.
    pub async fn waiting(&self) -> Result<u64, OutboxError> {
        let info = self.stream.get_info().await.map_err(unavailable)?;
        Ok(info.state.messages)
    }

    /// Keeps a notice until it is sent; does nothing if the same was kept there within the last hour.
    pub async fn put(&self, outgoing: &Outgoing, lane: Lane) -> Result<(), OutboxError> {
        let payload = serde_json::to_vec(&Kept::from(outgoing)).map_err(unavailable)?;
        let message =
            PublishMessage::build()
                .payload(payload.into())
                .message_id(format!("{}.{}", outgoing.id(), lane.as_str()));
        let context = &self.inner.writes.context;
        let sent = context
            .send_publish(lane.subject(), message)
            .await
            .map_err(unavailable)?;
        sent.await.map(|_| ()).map_err(unavailable)
    }
}

fn consumer(name: &str, description: &str) -> Config {
    Config {
        durable_name: Some(name.to_owned()),
        description: Some(format!("Recourse: {description}")),
        ack_policy: AckPolicy::Explicit,
        ack_wait: HANDLED_WITHIN,
        // What waits for its time, or for a mail server, does not hold up the rest.
        max_ack_pending: -1,
        ..Config::default()
    }
}
