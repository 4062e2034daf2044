//! The registry: which number of kind and version stands for which payload.

use serde::Deserialize;

use crate::envelope::DecodeError;

/// A kind of event and a version of its payload. Numbers are stable: they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindVersion {
    /// The kind: which event it is. Never reused.
    pub kind: u16,
    /// The version of the kind's payload, from 1.
    pub version: u8,
}

/// An event type that has a stored form.
pub trait Payload: Sized {
    /// What this event is stored as: always the newest version of its kind.
    fn kind(&self) -> KindVersion;

    /// The payload's bytes.
    fn encode(&self) -> Result<Vec<u8>, postcard::Error>;

    /// Reads a payload of any version ever written and raises it to the newest.
    fn decode(kind: KindVersion, bytes: &[u8]) -> Result<Self, DecodeError>;

    /// Every kind and version that [`Payload::decode`] knows, for tests and documents.
    fn registry() -> &'static [(KindVersion, &'static str)];
}

/// Reads a value that takes up all the bytes: postcard itself ignores what trails.
pub(crate) fn exact<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, DecodeError> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(DecodeError::Malformed)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(DecodeError::Trailing { bytes: rest.len() })
    }
}
