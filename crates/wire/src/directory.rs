//! Stored form of the directory's events.

use domain::directory::{EntryKind, Event};
use serde::{Deserialize, Serialize};

use crate::calendar::{self, CHANGED_V1, CREATED_V1, HOLIDAYS_ADDED_V1};
use crate::envelope::DecodeError;
use crate::payload::{KindVersion, Payload, exact};
use crate::value;

const NAMED_V1: KindVersion = KindVersion { kind: 1000, version: 1 };

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct NamedV1<'b> {
    kind: u8,
    name: &'b str,
}

impl Payload for Event {
    fn kind(&self) -> KindVersion {
        match self {
            Self::Named { .. } => NAMED_V1,
            Self::Calendar(revised) => calendar::kind(revised),
        }
    }

    fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        match self {
            Self::Named { kind, name } => {
                let kind = match kind {
                    EntryKind::User => 1,
                    EntryKind::Group => 2,
                    EntryKind::Organisation => 3,
                };
                postcard::to_stdvec(&NamedV1 {
                    kind,
                    name: name.as_str(),
                })
            }
            Self::Calendar(revised) => calendar::encode(revised),
        }
    }

    fn decode(kind: KindVersion, bytes: &[u8]) -> Result<Self, DecodeError> {
        match kind {
            NAMED_V1 => {
                let NamedV1 { kind, name } = exact(bytes)?;
                let kind = match kind {
                    1 => EntryKind::User,
                    2 => EntryKind::Group,
                    3 => EntryKind::Organisation,
                    _ => return Err(DecodeError::Value { field: "kind of entry" }),
                };
                Ok(Self::Named {
                    kind,
                    name: value::label(name)?,
                })
            }
            other => match calendar::decode(other, bytes) {
                Some(revised) => Ok(Self::Calendar(Box::new(revised?))),
                None => Err(DecodeError::UnknownKind(other)),
            },
        }
    }

    fn registry() -> &'static [(KindVersion, &'static str)] {
        &[
            (NAMED_V1, "named"),
            (CREATED_V1, "calendar_created"),
            (CHANGED_V1, "calendar_changed"),
            (HOLIDAYS_ADDED_V1, "calendar_holidays_added"),
        ]
    }
}
