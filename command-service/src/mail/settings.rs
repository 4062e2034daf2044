//! The flags of mail, and what is wrong with them.

use std::fmt;

use lettre::message::Mailbox;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use url::Url;

use super::Mail;

/// How the desk sends mail: invitations, links to those who forgot their password, and what happens to tickets.
#[derive(Clone, Default, PartialEq, Eq, clap::Args)]
pub struct MailArgs {
    /// The server that takes the desk's mail: `smtps://user:password@host`, `smtp://user:password@host?tls=required`, or
    /// `smtp://host` for one that needs no password. Goes together with --mail-from and --public-url; no mail is sent
    /// without.
    #[arg(long, env = "RECOURSE_SMTP", hide_env_values = true, value_name = "URL")]
    smtp: Option<String>,
    /// Whom the desk's mail is from: `desk@example.org`, or `Support desk <desk@example.org>`.
    #[arg(long, env = "RECOURSE_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// Where people reach the desk: links in its mail lead to `<URL>/invitation#…`, `<URL>/password-reset#…`,
    /// `<URL>/tickets/<number>` and `<URL>/settings`, and OpenID providers send people back to `<URL>/sign-in`.
    #[arg(long, env = "RECOURSE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
}

/// The server's URL carries a password, and configuration is printed in many places.
impl fmt::Debug for MailArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailArgs")
            .field("smtp", &self.smtp.as_ref().map(|_| "(hidden)"))
            .field("mail_from", &self.mail_from)
            .field("public_url", &self.public_url)
            .finish()
    }
}

/// What is wrong with the settings of mail.
#[derive(Debug, thiserror::Error)]
pub enum MailSettingsError {
    /// Some are there, and some are not.
    #[error("--smtp, --mail-from and --public-url go together: give all three, or none to send no mail")]
    Incomplete,
    /// The server cannot be read.
    #[error("--smtp is written smtps://user:password@host, smtp://user:password@host?tls=required or smtp://host")]
    Smtp(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Whoever listens would learn the password.
    #[error("--smtp would send its password in the clear: write smtps://…, or smtp://…?tls=required")]
    PasswordInTheClear,
    /// The sender cannot be read.
    #[error("--mail-from is written desk@example.org, or \"Support desk <desk@example.org>\"")]
    From(#[source] lettre::address::AddressError),
    /// No link can begin with it.
    #[error("--public-url is written https://desk.example.org, with nothing behind the path")]
    PublicUrl,
}

impl MailArgs {
    /// What sends mail; `None`: nothing does.
    pub fn mail(&self) -> Result<Option<Mail>, MailSettingsError> {
        match (&self.smtp, &self.mail_from, &self.public_url) {
            (Some(smtp), Some(from), Some(public_url)) => Mail::new(smtp, from, public_url).map(Some),
            // Where people reach the desk is of use for more than mail.
            (None, None, _) => Ok(None),
            _ => Err(MailSettingsError::Incomplete),
        }
    }

    /// Where people reach the desk, without a slash at its end.
    pub fn public_url(&self) -> Result<Option<String>, MailSettingsError> {
        self.public_url.as_deref().map(base).transpose()
    }

    /// The same settings for a process that is started with this environment.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let settings = [
            ("RECOURSE_SMTP", &self.smtp),
            ("RECOURSE_MAIL_FROM", &self.mail_from),
            ("RECOURSE_PUBLIC_URL", &self.public_url),
        ];
        let given = settings.into_iter();
        given.filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

impl Mail {
    /// Mail by the server of a URL, from an address, with links that lead to another URL.
    pub fn new(smtp: &str, from: &str, public_url: &str) -> Result<Self, MailSettingsError> {
        let from: Mailbox = from.parse().map_err(MailSettingsError::From)?;
        Ok(Self {
            transport: transport(smtp, &from)?,
            from,
            public_url: base(public_url)?,
        })
    }
}

fn transport(smtp: &str, from: &Mailbox) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailSettingsError> {
    let url = Url::parse(smtp).map_err(|error| MailSettingsError::Smtp(error.into()))?;
    let tls = url.query_pairs().find(|(name, _)| name == "tls");
    let encrypted = url.scheme() == "smtps" || tls.is_some_and(|(_, value)| value == "required");
    match (url.username(), url.password()) {
        ("", None) => {}
        // The library would try without either.
        (_, None) => return Err(MailSettingsError::Smtp("the user has no password".into())),
        (_, Some(_)) if !encrypted => return Err(MailSettingsError::PasswordInTheClear),
        (_, Some(_)) => {}
    }
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp);
    let mut builder = builder.map_err(|error| MailSettingsError::Smtp(error.into()))?;
    let domain = from.email.domain();
    // A path of the URL says what to say hello with.
    if url.path().len() <= 1 && domain.is_ascii() {
        builder = builder.hello_name(ClientId::Domain(domain.to_owned()));
    }
    Ok(builder.build())
}

/// What links begin with.
fn base(public_url: &str) -> Result<String, MailSettingsError> {
    let url = Url::parse(public_url).map_err(|_| MailSettingsError::PublicUrl)?;
    let plain = ["http", "https"].contains(&url.scheme())
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err(MailSettingsError::PublicUrl);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(smtp: &str, from: &str, public_url: &str) -> MailArgs {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        MailArgs {
            smtp: some(smtp),
            mail_from: some(from),
            public_url: some(public_url),
        }
    }

    fn mail(smtp: &str, from: &str, public_url: &str) -> Result<String, String> {
        let mail = args(smtp, from, public_url).mail();
        mail.map(|mail| mail.map_or_else(String::new, |mail| mail.public_url))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn all_settings_are_there_or_none() {
        const URL: &str = "https://desk.example.org/help/";
        let complete = mail("smtp://localhost", "Desk <desk@example.org>", URL);
        assert_eq!(complete.as_deref(), Ok("https://desk.example.org/help"));
        assert_eq!(mail("", "", "").as_deref(), Ok(""));
        for (smtp, from, url) in [
            ("smtp://localhost", "", ""),
            ("", "desk@example.org", URL),
            ("smtp://localhost", "desk@example.org", ""),
        ] {
            assert!(mail(smtp, from, url).unwrap_err().contains("go together"));
        }
    }

    #[test]
    fn a_setting_that_means_nothing_is_named() {
        let smtp = |url: &str| mail(url, "desk@example.org", "https://desk.example.org");
        for url in [
            "localhost:25",
            "http://localhost",
            "smtp://",
            "smtps://desk@localhost",
            "smtp://h?tls=maybe",
        ] {
            assert!(smtp(url).unwrap_err().starts_with("--smtp is written"), "{url}");
        }
        let from = mail("smtp://localhost", "desk", "https://desk.example.org");
        assert!(from.unwrap_err().starts_with("--mail-from"));
        for url in [
            "desk.example.org",
            "ftp://desk.example.org",
            "https://desk.example.org/?a=b",
            "https://desk.example.org/#there",
            "https://somebody@desk.example.org",
        ] {
            let refused = mail("smtp://localhost", "desk@example.org", url);
            assert!(refused.unwrap_err().starts_with("--public-url"), "{url}");
        }
    }

    #[test]
    fn no_password_goes_out_in_the_clear_or_into_a_log() {
        let smtp = |url: &str| mail(url, "desk@example.org", "https://desk.example.org");
        for url in [
            "smtp://desk:secret@localhost",
            "smtp://desk:secret@localhost?tls=opportunistic",
            "smtp://desk:secret@localhost#?tls=required",
            "smtp://:secret@localhost?tls=opportunistic&tls=required",
        ] {
            let refused = smtp(url).unwrap_err();
            assert!(
                refused.contains("in the clear") && !refused.contains("secret"),
                "{refused}"
            );
        }
        for url in [
            "smtps://desk:secret@localhost",
            "smtp://desk:secret@localhost?tls=required",
        ] {
            let args = args(url, "desk@example.org", "https://desk.example.org");
            let printed = format!("{args:?} {:?}", args.mail().unwrap());
            assert!(!printed.contains("secret"), "{printed}");
        }
    }
}
