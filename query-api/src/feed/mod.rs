//! The public feed: what happened to tickets, in the order of the log, as `CloudEvents` 1.0.
//!
//! * [`page`]: `GET /v1/events`, in pages or live.
//! * [`stream`]: the live feed over server-sent events; [`listeners`]: how many may listen.
//! * [`read`]: the statement, which carries the rule of who may see what.
//! * [`event`] and [`details`]: the public form of events. It is a contract of its own: neither the
//!   stored form nor the read model's.
//! * [`schema`]: that form as JSON Schema; [`described`]: for the OpenAPI document.
//! * [`vector`]: where a reader stands.

pub(crate) mod described;
pub(crate) mod details;
pub(crate) mod event;
pub(crate) mod listeners;
pub(crate) mod page;
pub(crate) mod read;
pub(crate) mod schema;
pub(crate) mod stream;
pub(crate) mod vector;
