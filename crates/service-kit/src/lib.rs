//! What every service needs, so that each of them is only its own loop.
//!
//! * [`body`]: reading JSON bodies; calendars and policies as people write them.
//! * [`clock`]: the only place that tells the time and sleeps.
//! * [`cron`]: cron expressions on the wall clock of a place.
//! * [`http`]: authentication, the outermost layer of every router, health and metrics routes.
//! * [`problem`]: every error that a caller can meet, as RFC 9457 problem details.
//! * [`tokens`]: bearer tokens, what they grant, and how they are stored.
//! * [`health`], [`shutdown`], [`telemetry`]: the life of a process.
//! * [`openapi`]: describing routes, and the document that comes of it.
//! * [`flags`]: command-line flags that several services share.
//! * [`policy_file`]: `--policy`, a preset or a TOML file.
//! * [`written`]: calendars and policies as the API writes them.

pub mod body;
pub mod clock;
pub mod cron;
pub mod errors;
pub mod flags;
pub mod health;
pub mod http;
mod log_writer;
pub mod openapi;
pub mod policy_file;
pub mod problem;
pub mod shutdown;
pub mod telemetry;
pub mod token_uses;
pub mod tokens;
pub mod written;

pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use errors::chain;
pub use health::Health;
pub use problem::Problem;
pub use shutdown::Shutdown;
