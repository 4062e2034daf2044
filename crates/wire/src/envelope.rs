//! The frame around the events of one command.
//!
//! ```text
//! "RC" | frame version u8 | header length u32 | header (postcard) | number of events u8
//!      | { kind u16 | version u8 | length u32 | payload (postcard) } for each event
//!      | CRC32C u32 of all before it                                (integers little-endian)
//! ```

use domain::Timestamp;
use domain::actor::{Actor, ActorKind};
use domain::ids::{CommandId, OrganisationId, Revision, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::payload::{KindVersion, Payload, exact};
use crate::value;

/// A record is refused beyond this size. The largest command carries a description or a
/// comment of 65,536 characters, at most four bytes each, and some labels beside it.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// A record is refused beyond this many events. No command makes more than a few.
pub const EVENTS_MAX: usize = 64;

const MAGIC: [u8; 2] = *b"RC";
const FRAME_VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;

/// Who did it, as the log keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedActor {
    /// The person.
    pub user: UserId,
    /// What the person was then.
    pub kind: ActorKind,
    /// The person's organisation then.
    pub organisation: Option<OrganisationId>,
}

impl From<&Actor> for RecordedActor {
    fn from(actor: &Actor) -> Self {
        Self {
            user: actor.user,
            kind: actor.kind,
            organisation: actor.organisation,
        }
    }
}

impl From<RecordedActor> for Actor {
    fn from(actor: RecordedActor) -> Self {
        Self {
            organisation: actor.organisation,
            ..Self::plain(actor.user, actor.kind)
        }
    }
}

/// What is known of every record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The record's own identifier.
    pub record_id: Uuid,
    /// The ticket or directory entry that the record belongs to.
    pub aggregate_id: Uuid,
    /// The wish that made it. A second record with the same id is never appended.
    pub command_id: CommandId,
    /// SHA-256 of what was wished for, so that a reused key is noticed.
    pub digest: [u8; 32],
    /// Who did it.
    pub actor: RecordedActor,
    /// The importer, where one acted in somebody's name.
    pub via: Option<UserId>,
    /// When it happened in the business.
    pub occurred_at: Timestamp,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// The aggregate's revision with this record: 1 for its first.
    pub revision: Revision,
    /// The sequence in the stream of the aggregate's previous record; 0 for the first.
    pub previous_sequence: u64,
    /// [`hash`] of the aggregate's previous record; zeros for the first.
    pub previous_hash: [u8; 32],
    /// The record that led to this one.
    pub causation: Option<Uuid>,
    /// What this record and others belong to together: all that a user did from one place, which is the origin of this id.
    pub correlation: Option<Uuid>,
    /// The W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// One entry of the log: all events of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<E> {
    /// What is known of it.
    pub header: Header,
    /// What happened, in order. Never empty.
    pub events: Vec<E>,
}

/// The record cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A value has no stored form.
    #[error("a value has no stored form")]
    Value(#[source] postcard::Error),
    /// No events: a command that changes nothing leaves no record.
    #[error("a record holds at least one event")]
    NoEvents,
    /// Too many events.
    #[error("a record holds at most {EVENTS_MAX} events, not {events}")]
    TooManyEvents {
        /// How many there are.
        events: usize,
    },
    /// Too many bytes.
    #[error("a record has at most {RECORD_BYTES_MAX} bytes, not {bytes}")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
}

/// The bytes are not a record that this version can read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Too short, too long, or not beginning like a record.
    #[error("the bytes are not a record")]
    NotARecord,
    /// Written by a newer version.
    #[error("the record has frame version {0}, which this version cannot read")]
    FrameVersion(u8),
    /// Damaged.
    #[error("the record's checksum does not match its bytes")]
    Checksum,
    /// No events, or more than any record has.
    #[error("the record claims to hold {0} events, and a record holds 1 to {EVENTS_MAX}")]
    EventCount(u8),
    /// A kind or version that this version does not know.
    #[error("the record holds an event of kind {} version {}, which this version cannot read", .0.kind, .0.version)]
    UnknownKind(KindVersion),
    /// A header or payload is not what its version says.
    #[error("a header or payload is malformed")]
    Malformed(#[source] postcard::Error),
    /// A header or payload is followed by bytes that do not belong to it.
    #[error("a header or payload is followed by {bytes} bytes that do not belong to it")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A value that the domain does not admit.
    #[error("a value is out of its bounds: {field}")]
    Value {
        /// Which.
        field: &'static str,
    },
}

/// FROZEN: stored in every record. To change anything, add a frame version.
#[derive(Serialize, Deserialize)]
struct HeaderV1<'b> {
    record_id: [u8; 16],
    aggregate_id: [u8; 16],
    command_id: [u8; 16],
    digest: [u8; 32],
    actor_user: [u8; 16],
    actor_kind: u8,
    actor_organisation: Option<[u8; 16]>,
    via: Option<[u8; 16]>,
    occurred_at: i64,
    recorded_at: i64,
    revision: u64,
    previous_sequence: u64,
    previous_hash: [u8; 32],
    causation: Option<[u8; 16]>,
    correlation: Option<[u8; 16]>,
    traceparent: Option<&'b str>,
}

/// The link from a record to the next of its aggregate: SHA-256 of the stored bytes.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Writes a record.
pub fn encode<E: Payload>(record: &Record<E>) -> Result<Vec<u8>, EncodeError> {
    let events = record.events.len();
    if events == 0 {
        return Err(EncodeError::NoEvents);
    }
    let count = u8::try_from(events).ok().filter(|_| events <= EVENTS_MAX);
    let count = count.ok_or(EncodeError::TooManyEvents { events })?;

    let header = postcard::to_stdvec(&stored_header(&record.header)).map_err(EncodeError::Value)?;
    let mut bytes = Vec::with_capacity(512);
    bytes.extend(MAGIC);
    bytes.push(FRAME_VERSION);
    bytes.extend(length(header.len())?);
    bytes.extend(header);
    bytes.push(count);
    for event in &record.events {
        let KindVersion { kind, version } = event.kind();
        let payload = event.encode().map_err(EncodeError::Value)?;
        bytes.extend(kind.to_le_bytes());
        bytes.push(version);
        bytes.extend(length(payload.len())?);
        bytes.extend(payload);
    }
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(EncodeError::TooLarge { bytes: bytes.len() });
    }
    Ok(bytes)
}

fn length(bytes: usize) -> Result<[u8; 4], EncodeError> {
    u32::try_from(bytes)
        .map(u32::to_le_bytes)
        .map_err(|_| EncodeError::TooLarge { bytes })
}

/// Reads a record of any version ever written. Never panics, whatever the bytes.
pub fn decode<E: Payload>(bytes: &[u8]) -> Result<Record<E>, DecodeError> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(DecodeError::NotARecord);
    }
    let (framed, checksum) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .ok_or(DecodeError::NotARecord)?;
    let mut rest = framed;
    if take_array::<2>(&mut rest)? != MAGIC {
        return Err(DecodeError::NotARecord);
    }
    let [version] = take_array(&mut rest)?;
    if version != FRAME_VERSION {
        return Err(DecodeError::FrameVersion(version));
    }
    if crc32c::crc32c(framed) != u32::from_le_bytes(*checksum) {
        return Err(DecodeError::Checksum);
    }
    let header = exact::<HeaderV1<'_>>(take_framed(&mut rest)?).and_then(|stored| read_header(&stored))?;
    let [count] = take_array(&mut rest)?;
    if !(1..=EVENTS_MAX).contains(&usize::from(count)) {
        return Err(DecodeError::EventCount(count));
    }
    let events = (0..count).map(|_| take_event(&mut rest)).collect::<Result<_, _>>()?;
    if !rest.is_empty() {
        return Err(DecodeError::Trailing { bytes: rest.len() });
    }
    Ok(Record { header, events })
}

fn take_event<E: Payload>(rest: &mut &[u8]) -> Result<E, DecodeError> {
    let kind = u16::from_le_bytes(take_array(rest)?);
    let [version] = take_array(rest)?;
    E::decode(KindVersion { kind, version }, take_framed(rest)?)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(DecodeError::NotARecord)?;
    *rest = left;
    Ok(*taken)
}

fn take_framed<'b>(rest: &mut &'b [u8]) -> Result<&'b [u8], DecodeError> {
    let length = u32::from_le_bytes(take_array(rest)?);
    let length = usize::try_from(length).map_err(|_| DecodeError::NotARecord)?;
    let (taken, left) = rest.split_at_checked(length).ok_or(DecodeError::NotARecord)?;
    *rest = left;
    Ok(taken)
}

fn stored_header(header: &Header) -> HeaderV1<'_> {
    HeaderV1 {
        record_id: *header.record_id.as_bytes(),
        aggregate_id: *header.aggregate_id.as_bytes(),
        command_id: header.command_id.to_bytes(),
        digest: header.digest,
        actor_user: header.actor.user.to_bytes(),
        actor_kind: match header.actor.kind {
            ActorKind::Staff => 1,
            ActorKind::Customer => 2,
            ActorKind::System => 3,
        },
        actor_organisation: header.actor.organisation.map(OrganisationId::to_bytes),
        via: header.via.map(UserId::to_bytes),
        occurred_at: value::micros(header.occurred_at),
        recorded_at: value::micros(header.recorded_at),
        revision: header.revision.0,
        previous_sequence: header.previous_sequence,
        previous_hash: header.previous_hash,
        causation: header.causation.map(Uuid::into_bytes),
        correlation: header.correlation.map(Uuid::into_bytes),
        traceparent: header.traceparent.as_deref(),
    }
}

fn read_header(stored: &HeaderV1<'_>) -> Result<Header, DecodeError> {
    Ok(Header {
        record_id: Uuid::from_bytes(stored.record_id),
        aggregate_id: Uuid::from_bytes(stored.aggregate_id),
        command_id: CommandId::from_bytes(stored.command_id),
        digest: stored.digest,
        actor: RecordedActor {
            user: value::user(stored.actor_user),
            kind: match stored.actor_kind {
                1 => ActorKind::Staff,
                2 => ActorKind::Customer,
                3 => ActorKind::System,
                _ => return Err(DecodeError::Value { field: "actor kind" }),
            },
            organisation: stored.actor_organisation.map(value::organisation),
        },
        via: stored.via.map(value::user),
        occurred_at: value::timestamp(stored.occurred_at)?,
        recorded_at: value::timestamp(stored.recorded_at)?,
        revision: Revision(stored.revision),
        previous_sequence: stored.previous_sequence,
        previous_hash: stored.previous_hash,
        causation: stored.causation.map(Uuid::from_bytes),
        correlation: stored.correlation.map(Uuid::from_bytes),
        traceparent: stored.traceparent.map(str::to_owned),
    })
}

/// The id of a record, without reading its events: they may be of kinds yet unknown.
pub fn record_id(bytes: &[u8]) -> Option<Uuid> {
    Some(Uuid::from_bytes(header(bytes)?.record_id))
}

/// What a record belongs to, without reading its events.
pub fn aggregate_id(bytes: &[u8]) -> Option<Uuid> {
    Some(Uuid::from_bytes(header(bytes)?.aggregate_id))
}

fn header(bytes: &[u8]) -> Option<HeaderV1<'_>> {
    let mut rest = bytes;
    let frame = take_array::<2>(&mut rest).ok().zip(take_array::<1>(&mut rest).ok())?;
    if frame != (MAGIC, [FRAME_VERSION]) {
        return None;
    }
    exact::<HeaderV1<'_>>(take_framed(&mut rest).ok()?).ok()
}
