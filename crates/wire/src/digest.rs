//! Stored form of digests.

use domain::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};
use crate::value;

pub(crate) const DRAWN_V1: KindVersion = KindVersion { kind: 1031, version: 1 };

/// FROZEN. Microseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
struct DrawnV1 {
    from: Option<i64>,
    until: i64,
}

pub(crate) fn encode(digest: Digest) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_stdvec(&DrawnV1 {
        from: digest.from.map(value::micros),
        until: value::micros(digest.until),
    })
}

/// `None`: the kind is none of a digest's.
pub(crate) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<Digest, DecodeError>> {
    (kind == DRAWN_V1).then(|| drawn(bytes))
}

fn drawn(bytes: &[u8]) -> Result<Digest, DecodeError> {
    let stored: DrawnV1 = exact(bytes)?;
    Ok(Digest {
        from: stored.from.map(value::timestamp).transpose()?,
        until: value::timestamp(stored.until)?,
    })
}
