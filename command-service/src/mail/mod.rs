//! Mail: the server that takes it, and what is written.
//!
//! * [`settings`]: the flags, and what is wrong with them.
//! * [`letter`]: letters with a link to choose a password by.

mod letter;
mod settings;

use std::fmt;
use std::time::{Duration, SystemTime};

use domain::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp;
use lettre::transport::smtp::response::{Category, Severity};
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

/// A mail, as it is written to whomever.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) subject: String,
    pub(crate) text: String,
    /// Which mail it is: one that is sent twice is known by it.
    pub(crate) id: Uuid,
    /// What it is about, so that mails about the same stand together.
    pub(crate) thread: Option<Uuid>,
}

/// The mail server did not take a mail: why, for administrators.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct NotTaken {
    why: String,
    /// Whether it will not take it later either.
    pub(crate) for_good: bool,
}

impl NotTaken {
    fn for_now(why: &impl ToString) -> Self {
        let why = why.to_string();
        Self { why, for_good: false }
    }

    fn for_good(why: &impl ToString) -> Self {
        let why = why.to_string();
        Self { why, for_good: true }
    }
}

/// Refused for good is what the mailbox or the mail itself is the reason of: RFC 5321, 4.2.1, replies of the form 55x. A server
/// that refuses the desk's password does so until somebody corrects it.
impl From<smtp::Error> for NotTaken {
    fn from(error: smtp::Error) -> Self {
        let refused = error.status().is_some_and(|code| {
            code.severity == Severity::PermanentNegativeCompletion && code.category == Category::MailSystem
        });
        if refused {
            Self::for_good(&error)
        } else {
            Self::for_now(&error)
        }
    }
}

impl Mail {
    /// Where links lead, without a slash at its end.
    pub(crate) fn desk(&self) -> &str {
        &self.public_url
    }

    /// Hands a mail over to the mail server.
    pub(crate) async fn send(&self, to: Address, written: &Written, now: Timestamp) -> Result<(), NotTaken> {
        let message = self
            .message(to, written, now)
            .map_err(|error| NotTaken::for_good(&error))?;
        match timeout(WITHIN, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(NotTaken::for_now(&format!(
                "no answer within {} seconds",
                WITHIN.as_secs()
            ))),
        }
    }

    /// Addresses alone, without names: nothing that somebody wrote of themselves is in a header.
    fn message(&self, to: Address, written: &Written, now: Timestamp) -> Result<Message, lettre::error::Error> {
        // Nobody who is away answers it.
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let id = |id: Uuid| format!("<{id}@{}>", self.from.email.domain());
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&written.subject)
            .date(SystemTime::from(now))
            .message_id(Some(id(written.id)))
            .raw_header(automatic);
        if let Some(thread) = written.thread {
            message = message.references(id(thread));
        }
        message.singlepart(SinglePart::plain(written.text.clone()))
    }
}
