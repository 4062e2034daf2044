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
use lettre::transport::smtp::response::Code;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::time::timeout;
use uuid::Uuid;

pub(crate) use letter::{Letter, Occasion};
pub use settings::{MailArgs, MailSettingsError};

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
pub(crate) enum NotTaken {
    /// There is no such mailbox.
    #[error("{0}")]
    NoMailbox(String),
    /// It does not, or does not yet: because of the mailbox, or of who sends.
    #[error("{0}")]
    NotNow(String),
    /// Nobody knows whether it did.
    #[error("{0}")]
    NoAnswer(String),
}

impl From<smtp::Error> for NotTaken {
    fn from(error: smtp::Error) -> Self {
        let said = error.to_string();
        if error.status().is_some_and(|code| is_no_mailbox(code, &said)) {
            Self::NoMailbox(said)
        } else {
            Self::NotNow(said)
        }
    }
}

/// Readers would take what begins like this for an encoded word (RFC 2047), and show what is in it.
fn plain(subject: &str) -> String {
    subject.replace("=?", "= ?")
}

/// Whether a reply says that there is no such mailbox: by its enhanced status (RFC 3463, 3.2 and 3.3), or where it has none, by
/// its code (RFC 5321, 4.2.3). Everything else may be because of who sends, until somebody corrects that.
fn is_no_mailbox(code: Code, said: &str) -> bool {
    const NO_MAILBOX: [&str; 6] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];
    let is_status =
        |word: &&str| word.matches('.').count() == 2 && word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match said.split_whitespace().find(is_status) {
        Some(status) => NO_MAILBOX.contains(&status),
        None => ["550", "551", "553"].contains(&code.to_string().as_str()),
    }
}

impl Mail {
    /// Where links lead, without a slash at its end.
    pub(crate) fn desk(&self) -> &str {
        &self.public_url
    }

    /// Hands a mail over to the mail server, which may take so long.
    pub(crate) async fn send(
        &self,
        to: Address,
        written: &Written,
        now: Timestamp,
        within: Duration,
    ) -> Result<(), NotTaken> {
        let message = self
            .message(to, written, now)
            .map_err(|error| NotTaken::NoMailbox(error.to_string()))?;
        match timeout(within, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(NotTaken::NoAnswer(format!(
                "no answer within {} seconds",
                within.as_secs()
            ))),
        }
    }

    /// Addresses alone, without names. What somebody wrote is in no header but the subject, encoded.
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
            .subject(plain(&written.subject))
            .date(SystemTime::from(now))
            .message_id(Some(id(written.id)))
            .raw_header(automatic);
        if let Some(thread) = written.thread {
            message = message.references(id(thread));
        }
        message.singlepart(SinglePart::plain(written.text.clone()))
    }
}

#[cfg(test)]
mod tests {
    use lettre::transport::smtp::response::{Category, Detail, Severity};

    use super::*;

    #[test]
    fn only_a_mailbox_that_does_not_exist_is_given_up() {
        let code = |category, detail| Code::new(Severity::PermanentNegativeCompletion, category, detail);
        let mailbox = code(Category::MailSystem, Detail::Zero);
        for (said, for_good) in [
            ("permanent error (550): 5.1.1 no such mailbox", true),
            ("permanent error (550): no such mailbox", true),
            ("permanent error (550): 5.7.1 relaying denied to 192.0.2.1", false),
            ("permanent error (550): 5.7.1 blocked", false),
        ] {
            assert_eq!(is_no_mailbox(mailbox, said), for_good, "{said}");
        }
        let policy = code(Category::MailSystem, Detail::Four);
        assert!(!is_no_mailbox(policy, "permanent error (554): no"));
        let password = code(Category::Unspecified3, Detail::Five);
        assert!(!is_no_mailbox(password, "permanent error (535): authentication failed"));
    }
}
