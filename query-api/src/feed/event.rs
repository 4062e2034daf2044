//! An event as the feed gives it: `CloudEvents` 1.0, structured, JSON.

use domain::directory::EntryKind;
use domain::ids::Position;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::Problem;
use utoipa::ToSchema;
use uuid::Uuid;

use super::details::{Details, Party};
use super::read::EventRow;
use super::schema;
use crate::names::{Names, with_names};

/// What the ids of events are unique within.
const SOURCE: &str = "/v1/tickets";

/// The events' format and version; see the specification of `CloudEvents`.
const SPECVERSION: &str = "1.0";

/// An event. The attributes are those of `CloudEvents` 1.0; `recordedat`, `position` and
/// `ticketrevision` are extensions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CloudEvent {
    specversion: &'static str,
    /// Partition, sequence and place in the log: the same for ever.
    id: String,
    source: &'static str,
    /// What happened, and the version of how it is said.
    #[serde(rename = "type")]
    kind: String,
    /// The ticket's id.
    subject: Uuid,
    /// When it happened in the business.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    datacontenttype: &'static str,
    /// Where the JSON Schema of `data` is.
    dataschema: String,
    /// When the log took it.
    #[schema(value_type = String, format = DateTime)]
    recordedat: Timestamp,
    /// Its record in the log.
    position: String,
    /// The ticket's revision with that record.
    ticketrevision: i64,
    #[schema(value_type = Object)]
    data: Data<Details>,
}

/// What an event says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Data<D: ToSchema> {
    /// Whose event it is.
    ticket: Ticket,
    /// Where the ticket stood after the event.
    status: Status,
    /// Who did it.
    actor: Actor,
    /// The importer, if the actor did it elsewhere; else null.
    #[schema(required = true)]
    via: Option<Party>,
    /// What the type of event alone has.
    details: D,
}

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ticket {
    /// Its id.
    id: Uuid,
    /// Its number for people.
    number: i64,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Actor {
    /// The person's id, or the desk's own.
    id: Uuid,
    /// The name, as the directory has it when the event is read; null if it has none.
    #[schema(required = true)]
    name: Option<String>,
    /// What sort of actor.
    kind: ActorKind,
}

/// What sort of actor somebody is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActorKind {
    /// Works for the desk.
    Staff,
    /// Is served by the desk.
    Customer,
    /// The desk itself.
    System,
}

/// Where a ticket stands in its life.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Nobody has taken it yet.
    New,
    /// Somebody works on it.
    InProgress,
    /// The requester's side was asked a question.
    WaitingForInfo,
    /// A correction is under way elsewhere.
    WaitingForFix,
    /// A feature is under way elsewhere.
    WaitingForImplementation,
    /// Solved, unless the requester's side objects.
    WaitingForClosure,
    /// Done.
    Closed,
    /// Was done, and is not.
    Reopened,
}

/// The type of an event in the feed. Its version changes when a field is renamed, removed or means
/// something else; the earlier version is then given beside it for a time.
pub(crate) fn type_of(event: &str) -> String {
    format!("recourse.ticket.{event}.v1")
}

impl CloudEvent {
    /// The public form of a row. `base` is where the caller found this service.
    pub(crate) fn of(row: EventRow, names: &Names, base: &str) -> Result<Self, Problem> {
        let kind = type_of(&row.event);
        let position = Position {
            partition: row.partition(),
            sequence: row.sequence.try_into().unwrap_or_default(),
        };
        let details = with_names(row.details, names);
        let details = Details::read(&row.event, details).ok_or_else(|| unreadable(&row.event, "nobody knows it"))?;
        Ok(Self {
            specversion: SPECVERSION,
            id: format!("{position}:{}", row.place),
            source: SOURCE,
            subject: row.ticket_id,
            time: row.occurred_at.to_jiff(),
            datacontenttype: "application/json",
            dataschema: format!("{base}{}", schema::path(&kind)),
            recordedat: row.recorded_at.to_jiff(),
            position: position.to_string(),
            ticketrevision: row.revision,
            data: Data {
                ticket: Ticket {
                    id: row.ticket_id,
                    number: row.number,
                },
                status: word(&row.event, row.status)?,
                actor: Actor {
                    id: row.actor_id,
                    name: names.name(EntryKind::User, row.actor_id),
                    kind: word(&row.event, row.actor_kind)?,
                },
                via: row.via_id.map(|id| Party::new(id, names.name(EntryKind::User, id))),
                details: details.map_err(|error| unreadable(&row.event, &error.to_string()))?,
            },
            kind,
        })
    }

    /// Its type, `recourse.ticket.….v1`.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }
}

/// One of the words of an enum.
fn word<T: serde::de::DeserializeOwned>(event: &str, text: String) -> Result<T, Problem> {
    serde_json::from_value(Value::String(text)).map_err(|error| unreadable(event, &error.to_string()))
}

/// The read model holds what the public contract does not: a bug, or a projector that was deployed
/// before its readers. The feed stops there, because leaving an event out would be worse.
fn unreadable(event: &str, why: &str) -> Problem {
    tracing::error!("an event {event} of the timeline has no public form: {why}");
    Problem::internal()
}
