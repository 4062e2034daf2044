//! Bytes of the log and the domain events they stand for.
//!
//! The only crate that knows the stored form. A record is an [`envelope`](Record) around the
//! events of one command; see `docs/events.md` for the catalogue of kinds and versions.
//!
//! Bytes are frozen, types are free: to change an event, add a version beside the old one
//! and teach the decoder to raise the old to the new.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

mod address;
mod calendar;
mod catalogue;
mod contract;
mod digest;
mod directory;
mod envelope;
mod payload;
mod people;
mod policy;
mod portal;
mod promise;
mod ticket;
mod value;

pub use envelope::{
    DecodeError, EVENTS_MAX, EncodeError, Header, RECORD_BYTES_MAX, Record, RecordedActor, aggregate_id, decode,
    encode, hash, record_id,
};
pub use payload::{KindVersion, Payload};
