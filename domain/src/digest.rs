//! Digests: what became of promised times, told at set times to whoever was not there.

use jiff::Timestamp;

/// The stretch of time that a digest is of. What it tells is looked up when it is read: nothing that happened then can
/// change afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// The end of the one before, which is not in it; `None`: it is the first.
    pub from: Option<Timestamp>,
    /// Its last instant.
    pub until: Timestamp,
}
