//! Real servers for tests: nats-server and Postgres of one's own, a mail server, a proxy that breaks connections, bounded waiting.
//!
//! `cargo xtask test` provides the servers and names them in the environment. Under plain `cargo test` they are looked
//! for in the same places as `recourse up` looks. Everything here panics with a sentence when a test cannot go on.

mod chaos;
mod nats;
mod places;
mod postgres;
mod process;
mod smtp;
mod spawner;
mod wait;

pub use chaos::{ChaosProxy, Direction};
pub use nats::Nats;
pub use places::recourse_bin;
pub use postgres::{Postgres, postgres};
pub use process::Process;
pub use servers::nats::Sync as SyncMode;
pub use smtp::{LATER, Mail, REFUSED, Smtp};
pub use wait::{Outcome, wait_until};
