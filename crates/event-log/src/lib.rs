//! The append-only log on NATS JetStream.
//!
//! The only crate that knows NATS. It offers four things:
//!
//! * commands: [`Tickets::execute`] loads a ticket's history, asks the domain for a decision
//!   and appends it as one record. Nothing reaches the log by another way.
//! * reading: [`EventLog::reader`] gives the records of a partition in order, from a
//!   checkpoint that it verifies.
//! * what stands beside the tickets: [`Calendars`], [`Policies`] and the [`Books`] that follow
//!   both, [`Contracts`], [`Digests`], the [`Directory`] of names.
//! * what can be forgotten: the [`TokenStore`], the [`CredentialStore`] of logins and passwords, and the [`SettingsStore`].
//! * what is on its way: the [`Outbox`] of notices.

#![warn(missing_docs)]

mod aggregate;
mod append;
mod audit;
mod books;
mod buckets;
mod cache;
mod calendars;
mod connection;
mod contracts;
mod credentials;
mod digests;
mod directory;
mod execute;
mod history;
mod load;
mod numbers;
mod offers;
mod origins;
mod outbox;
mod people;
mod policies;
mod reader;
mod rehearse;
mod scan;
mod settings;
mod streams;
mod subject;
mod tickets;
mod tokens;

pub use aggregate::{FactError, FactOutcome};
pub use audit::{AuditError, AuditStore, Happening, Noted, Origin};
pub use books::{BookKeeper, Books};
pub use calendars::{CalendarError, CalendarOutcome, Calendars};
pub use connection::{ConnectError, EventLog, LogConfig};
pub use contracts::{ContractError, ContractOutcome, Contracts};
pub use credentials::{Credential, CredentialError, CredentialStore, Kept, Link};
pub use digests::Digests;
pub use directory::{Directory, DirectoryError, ProfileError, ProfileOutcome};
pub use execute::{ExecuteError, Outcome, Request};
pub use history::{CorruptHistory, HISTORY_RECORDS_MAX};
pub use origins::{KnownOrigin, OriginChange, OriginChanges, OriginError, OriginStore};
pub use outbox::{Given, Lane, News, Outbox, OutboxError, Outgoing, Placed, Sending};
pub use people::{People, Standing};
pub use policies::{Policies, PolicyError, PolicyOutcome};
pub use reader::{Checkpoint, Entry, ReadError, Reader, Source};
pub use rehearse::RehearsalError;
pub use scan::{ScanError, Seen};
pub use settings::{SettingsError, SettingsStore};
pub use streams::{Drift, PARTITIONS_DEFAULT, PARTITIONS_MAX};
pub use subject::partition_of;
pub use tickets::Tickets;
pub use tokens::{TokenChange, TokenChanges, TokenStore, TokenStoreError};
