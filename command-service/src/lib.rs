//! HTTP commands to the log.
//!
//! `POST /v1/tickets`, `POST /v1/tickets/{id}/{command}`, `POST /v1/commands` and what changes
//! calendars or asks them. A request is
//! read into a domain command ([`body`]), given to [`event_log::Tickets::execute`], and
//! answered; rules are the domain's, and the log is event-log's. The service needs the log
//! alone: it goes on while Postgres is down.

#![warn(missing_docs)]

mod app;
mod body;
mod bulk;
mod command;
mod http;
mod ical;
mod lines;
mod mail;
mod notices;
mod openapi;
mod openid;
mod problem;
mod run;
mod sign_in;
mod token_book;

pub use app::App;
pub use http::routes;
pub use mail::{Mail, MailArgs, MailSettingsError};
pub use openapi::openapi;
pub use openid::{OpenId, OpenIdArgs, OpenIdSettingsError};
pub use run::{Config, RunError, keep_informed, run};
