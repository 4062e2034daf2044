//! Stored form of whose an e-mail address is.

use domain::address::Held;
use domain::ids::UserId;
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};

pub(crate) const HELD_V1: KindVersion = KindVersion { kind: 1081, version: 1 };

/// FROZEN. The address itself is in the profile that the record stands beside.
#[derive(Serialize, Deserialize)]
struct HeldV1 {
    by: Option<[u8; 16]>,
}

pub(crate) fn encode(held: Held) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_stdvec(&HeldV1 {
        by: held.by.map(UserId::to_bytes),
    })
}

/// `None`: the kind is none of an address'.
pub(crate) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<Held, DecodeError>> {
    (kind == HELD_V1).then(|| held(bytes))
}

fn held(bytes: &[u8]) -> Result<Held, DecodeError> {
    let HeldV1 { by } = exact(bytes)?;
    Ok(Held {
        by: by.map(UserId::from_bytes),
    })
}
