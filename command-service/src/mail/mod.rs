//! Mail: the server that takes it, and what is written.
//!
//! * [`settings`]: the flags, and what is wrong with them.
//! * [`letter`]: what people read, in their language.

mod letter;
mod settings;

use std::fmt;
use std::time::{Duration, SystemTime};

use domain::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::time::timeout;
use uuid::Uuid;

pub(crate) use letter::{Letter, Occasion};
pub use settings::{MailArgs, MailSettingsError};

/// How long a mail server may take to take a mail. Those that look at who sends take some seconds.
const WITHIN: Duration = Duration::from_secs(20);

/// Sends mail. Cheap to clone.
#[derive(Clone)]
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Where links lead, without a slash at its end.
    public_url: String,
}

/// The transport has a password.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

/// The mail server did not take a mail: why, for administrators.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotTaken(String);

impl Mail {
    /// Hands a letter over to the mail server.
    pub(crate) async fn send(&self, to: Address, letter: &Letter<'_>, now: Timestamp) -> Result<(), NotTaken> {
        let message = self
            .message(to, letter, now)
            .map_err(|error| NotTaken(error.to_string()))?;
        match timeout(WITHIN, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(NotTaken(error.to_string())),
            Err(_) => Err(NotTaken(format!("no answer within {} seconds", WITHIN.as_secs()))),
        }
    }

    /// Addresses alone, without names: nothing that somebody wrote of themselves is in a header.
    fn message(&self, to: Address, letter: &Letter<'_>, now: Timestamp) -> Result<Message, lettre::error::Error> {
        // Nobody who is away answers it.
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let id = format!("<{}@{}>", Uuid::new_v4(), self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject())
            .date(SystemTime::from(now))
            .message_id(Some(id))
            .raw_header(automatic)
            .singlepart(SinglePart::plain(letter.text(&self.public_url)))
    }
}
