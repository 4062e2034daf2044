//! Links by which people choose a password: sent to those who are invited, and to those who forgot theirs.
//!
//! A link is part of what its user signs in with, so that whatever changes that makes it worthless, and using it is one write
//! that only one of several can win. It is there before its mail goes out: what a crash leaves is a link that nobody has, and
//! that the next one replaces.

use std::time::Duration;

use domain::Timestamp;
use domain::ids::UserId;
use domain::people::{Language, User};
use domain::sign_in::Login;
use event_log::{Credential, CredentialError, Happening, Kept, Link, Origin, Standing};
use jiff::SignedDuration;
use lettre::Address;
use service_kit::problem::{FieldError, Problem, types};
use service_kit::tokens::{TokenHash, generate, is_token};
use service_kit::{Shutdown, chain};
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

use super::passwords::chosen;
use crate::app::App;
use crate::mail::{Letter, NotTaken, Occasion};
use crate::problem::{of_credential, of_settings};

/// For how long an invitation can be accepted: somebody may be away for some days.
const INVITATION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// For how long a password can be reset: whoever asks is waiting for the mail.
const RESET: SignedDuration = SignedDuration::from_hours(1);
/// So long after one link nobody gets another because somebody asks: who asks again and again floods nobody.
pub(crate) const RESET_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// How long the mail server may take to take a link: somebody waits for the answer. Those that look at who sends take some
/// seconds.
const MAIL_WITHIN: Duration = Duration::from_secs(20);
/// So many who asked may wait for the mail server: some minutes' worth.
const ASKED_MAX: usize = 256;
/// Who is turned away tries again when the mail server has taken some.
const RESET_RETRY_SECONDS: u32 = 10;
/// Others who change the same credential at the same time are let go first so often.
const TRIES_MAX: usize = 4;

/// Those who asked for a new password, in the order in which they did.
#[derive(Debug)]
pub(crate) struct Resets {
    ask: mpsc::Sender<Asked>,
    asked: Mutex<mpsc::Receiver<Asked>>,
}

#[derive(Debug)]
struct Asked {
    login: Login,
    origin: Origin,
}

impl Default for Resets {
    fn default() -> Self {
        let (ask, asked) = mpsc::channel(ASKED_MAX);
        Self {
            ask,
            asked: Mutex::new(asked),
        }
    }
}

/// What became of an invitation.
#[derive(Debug)]
pub(crate) struct Invited {
    pub(crate) login: Login,
    pub(crate) address: Address,
    pub(crate) expires_at: Timestamp,
    pub(crate) delivery: Delivery,
}

/// What became of its mail.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The mail server took it.
    Sent,
    /// There is no mail server.
    NotConfigured,
    /// The mail server did not take it.
    Failed(NotTaken),
}

impl Delivery {
    /// Its name in JSON and in metrics.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::NotConfigured => "not_configured",
            Self::Failed(_) => "failed",
        }
    }
}

/// What became of the wish for a new password. Whoever asked does not learn it.
#[derive(Debug)]
enum Reset {
    /// A mail was written.
    Mailed(Delivery),
    /// Nobody signs in with that login, or they cannot be written to, or may not come in.
    Nobody,
    /// They have been sent a link a moment ago.
    TooSoon,
}

impl App {
    /// Invites a user: gives them a login, unless they have it, and sends them a link to choose a password by. Without a
    /// `wished` login they keep theirs, or get their address for one.
    pub(crate) async fn invite(
        &self,
        user: UserId,
        wished: Option<Login>,
        by: UserId,
        origin: Origin,
    ) -> Result<Invited, Problem> {
        let profile = self.books.people().user(user).ok_or_else(Problem::internal)?;
        let known = address(&profile)?;
        let kept = self.credentials.of(user).await.map_err(|error| of_credential(&error))?;
        let present = kept.as_ref().map(|kept| kept.credential.login.as_str());
        let login = match wished {
            Some(login) => login,
            None => Login::parse(present.unwrap_or(known.as_ref())).map_err(|_| no_login())?,
        };
        let (token, link) = self.link(user, &profile, INVITATION)?;
        let expires_at = link.expires_at;
        if let Some(kept) = kept.filter(|kept| kept.credential.login == login.as_str()) {
            // Their password is theirs until they use the link.
            let changed = self.credentials.change(&kept, &linked(&kept, link)).await;
            changed.map_err(|error| of_credential(&error))?;
        } else {
            self.unless_taken(user, &login).await?;
            let now = self.now();
            let credential = Credential {
                login: login.as_str().to_owned(),
                hash: None,
                change_password: false,
                changed_at: now,
                link: Some(link),
            };
            let given = self.credentials.give(user, &credential, now);
            self.ending_sessions(user, given).await?;
            self.forgive(&login).await;
            self.note(Some(user), Happening::LoginGiven, Some(by), &origin).await?;
        }
        let profile = self.by_now_of(user).await?;
        let address = address(&profile)?;
        let language = self.language(user, &profile).await?;
        let (app, to, written) = (self.clone(), address.clone(), login.clone());
        // Whoever called may be gone meanwhile; what became of the mail is kept all the same.
        let delivered = tokio::spawn(async move {
            let letter = Letter {
                occasion: Occasion::Invitation,
                language,
                login: written.as_str(),
                token: &token,
                expires_at,
            };
            let delivery = app.deliver(to, &letter).await;
            let happening = match delivery {
                Delivery::Sent => Happening::InvitationSent,
                Delivery::NotConfigured | Delivery::Failed(_) => Happening::InvitationNotDelivered,
            };
            app.note(Some(user), happening, Some(by), &origin).await?;
            Ok::<_, Problem>(delivery)
        });
        let delivery = delivered.await.map_err(|_| Problem::internal())??;
        Ok(Invited {
            login,
            address,
            expires_at,
            delivery,
        })
    }

    /// Takes in that somebody forgot the password of a login. What becomes of it happens later, so that nobody learns from
    /// the answer, or from how long it takes, whether there is such a login.
    pub(crate) fn ask_for_reset(&self, login: Login, origin: Origin) -> Result<(), Problem> {
        let asked = Asked { login, origin };
        self.resets.ask.try_send(asked).map_err(|_| {
            Problem::new(&types::TOO_MANY_REQUESTS)
                .detail("Too many ask for a new password at present. Nothing was done; try again in a moment.")
                .retry_after(RESET_RETRY_SECONDS)
        })
    }

    /// Sends links to those who asked, one after the other, until the shutdown; then to those who had asked by then.
    pub(crate) async fn answer_resets(self, shutdown: Shutdown) {
        let mut asked = self.resets.asked.lock().await;
        let told = shutdown.cancelled();
        let mut told = std::pin::pin!(told);
        let mut open = true;
        loop {
            let next = tokio::select! {
                next = asked.recv() => next,
                () = &mut told, if open => {
                    open = false;
                    asked.close();
                    continue;
                }
            };
            let Some(Asked { login, origin }) = next else {
                return;
            };
            let outcome = match self.reset(&login, &origin).await {
                Ok(Reset::Mailed(delivery)) => delivery.as_str(),
                Ok(Reset::Nobody) => "nobody",
                Ok(Reset::TooSoon) => "too_soon",
                // Said by then.
                Err(_) => "failed",
            };
            metrics::counter!("password_resets_total", "outcome" => outcome).increment(1);
        }
    }

    async fn reset(&self, login: &Login, origin: &Origin) -> Result<Reset, Problem> {
        let found = self.credentials.find(login).await;
        let Some(kept) = found.map_err(|error| of_credential(&error))? else {
            return Ok(Reset::Nobody);
        };
        let user = kept.user;
        let Some(profile) = self.books.people().user(user) else {
            return Ok(Reset::Nobody);
        };
        if address(&profile).is_err() {
            return Ok(Reset::Nobody);
        }
        if kept
            .credential
            .link
            .as_ref()
            .is_some_and(|link| is_recent(link, self.now()))
        {
            return Ok(Reset::TooSoon);
        }
        // Who has no password yet was invited, and has not forgotten one: nobody who asks makes that invitation end sooner.
        let (occasion, lifetime) = match kept.credential.hash {
            Some(_) => (Occasion::Reset, RESET),
            None => (Occasion::Invitation, INVITATION),
        };
        let (token, link) = self.link(user, &profile, lifetime)?;
        let expires_at = link.expires_at;
        match self.credentials.change(&kept, &linked(&kept, link)).await {
            Ok(()) => {}
            // Another process sends one, or the password has just changed.
            Err(CredentialError::Contended) => return Ok(Reset::TooSoon),
            Err(error) => return Err(of_credential(&error)),
        }
        self.note(Some(user), Happening::ResetAsked, None, origin).await?;
        let profile = self.by_now_of(user).await?;
        let Ok(address) = address(&profile) else {
            return Ok(Reset::Nobody);
        };
        let letter = Letter {
            occasion,
            language: self.language(user, &profile).await?,
            login: login.as_str(),
            token: &token,
            expires_at,
        };
        let delivery = self.deliver(address, &letter).await;
        if matches!(delivery, Delivery::Failed(_)) {
            self.note(Some(user), Happening::ResetNotDelivered, None, origin)
                .await?;
        }
        Ok(Reset::Mailed(delivery))
    }

    /// Sets the password of whom a link was sent to, and ends their sessions. Whatever is wrong with a link, its bearer learns
    /// only that.
    pub(crate) async fn redeem(&self, token: &str, password: &str, origin: &Origin) -> Result<Login, Problem> {
        let (user, token) = read(token).ok_or_else(worthless_link)?;
        for _ in 0..TRIES_MAX {
            let kept = self.credentials.of(user).await.map_err(|error| of_credential(&error))?;
            let Some(kept) = kept else {
                return Err(worthless_link());
            };
            if !self.opens(&kept, token)? {
                return Err(worthless_link());
            }
            let login = Login::parse(&kept.credential.login).map_err(|_| Problem::internal())?;
            let new = chosen(password, &login, "/password")?;
            let credential = Credential {
                login: kept.credential.login.clone(),
                hash: Some(self.passwords.hash(new).await?),
                change_password: false,
                changed_at: self.now(),
                link: None,
            };
            let change = self.credentials.change(&kept, &credential);
            match self.ending_sessions(user, change).await {
                Ok(()) => {
                    self.note(Some(user), Happening::PasswordSetByLink, None, origin)
                        .await?;
                    // The failures were those of another password.
                    self.forgive(&login).await;
                    return Ok(login);
                }
                // Whoever was faster may have used the link.
                Err(problem) if problem.kind == &types::CONTENDED => {}
                Err(problem) => return Err(problem),
            }
        }
        Err(of_credential(&CredentialError::Contended))
    }

    /// What is known of a user who was given a link just now. If it changed meanwhile, whoever changed it may have looked for a
    /// link before there was one.
    async fn by_now_of(&self, user: UserId) -> Result<User, Problem> {
        let profile = self.books.people().user(user).ok_or_else(Problem::internal)?;
        self.heed(user, &profile).await?;
        Ok(profile)
    }

    /// Whether the token is that of the user's link, and still good: for the address that is theirs, and for who may come in.
    fn opens(&self, kept: &Kept, token: TokenHash) -> Result<bool, Problem> {
        let Some(Standing::Actor(_)) = self.standing(kept.user)? else {
            return Ok(false);
        };
        let profile = self.books.people().user(kept.user);
        let email = profile.as_ref().and_then(|profile| profile.email.as_ref());
        let link = kept.credential.link.as_ref();
        Ok(link.is_some_and(|link| {
            link.token == token.to_string()
                && self.now() < link.expires_at
                && email.is_some_and(|email| email.as_str() == link.address)
        }))
    }

    /// A new link, and its token, which exists in what this returns and then in the mail alone.
    fn link(&self, user: UserId, profile: &User, lifetime: SignedDuration) -> Result<(String, Link), Problem> {
        let now = self.now();
        let (token, hash) = generate();
        let link = Link {
            token: hash.to_string(),
            address: profile.email.as_ref().map_or("", |email| email.as_str()).to_owned(),
            made_at: now,
            expires_at: now.checked_add(lifetime).map_err(|_| Problem::internal())?,
        };
        Ok((format!("{}.{token}", user.as_uuid().simple()), link))
    }

    /// In which language somebody is written to: their own choice before their profile's.
    async fn language(&self, user: UserId, profile: &User) -> Result<Language, Problem> {
        let settings = self.settings.of(user).await.map_err(|error| of_settings(&error))?;
        Ok(settings.language.or(profile.language).unwrap_or_default())
    }

    async fn deliver(&self, to: Address, letter: &Letter<'_>) -> Delivery {
        let delivery = match &self.mail {
            None => Delivery::NotConfigured,
            Some(mail) => match mail
                .send(to, &letter.written(mail.desk()), self.now(), MAIL_WITHIN)
                .await
            {
                Ok(()) => Delivery::Sent,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "a mail was not taken");
                    Delivery::Failed(error)
                }
            },
        };
        let (occasion, outcome) = (letter.occasion.as_str(), delivery.as_str());
        metrics::counter!("mails_total", "occasion" => occasion, "outcome" => outcome).increment(1);
        delivery
    }
}

/// What is kept, with a link in place of the one that there was.
fn linked(kept: &Kept, link: Link) -> Credential {
    Credential {
        link: Some(link),
        ..kept.credential.clone()
    }
}

/// A clock that was set back does not lengthen it.
fn is_recent(link: &Link, now: Timestamp) -> bool {
    (SignedDuration::ZERO..RESET_PAUSE).contains(&now.duration_since(link.made_at))
}

/// The two parts of a link's token: whose it is, and what only its bearer knows.
fn read(token: &str) -> Option<(UserId, TokenHash)> {
    let (user, secret) = token.split_once('.')?;
    let user = Uuid::try_parse(user).ok()?;
    is_token(secret).then(|| (user.into(), TokenHash::of(secret)))
}

/// Where to write to somebody who may come in.
fn address(profile: &User) -> Result<Address, Problem> {
    let impossible = |detail: &'static str| Problem::new(&types::NOT_INVITABLE).detail(detail);
    if !profile.enabled {
        return Err(impossible(
            "The account is disabled. Enable it with PUT /v1/users/{id}, and invite them then.",
        ));
    }
    let Some(email) = &profile.email else {
        return Err(impossible(
            "No e-mail address is known. Write one with PUT /v1/users/{id}, and invite them then.",
        ));
    };
    email.as_str().parse().map_err(|_| {
        impossible(
            "Mail cannot be sent to their e-mail address. Correct it with PUT /v1/users/{id}, and invite them then.",
        )
    })
}

/// The problem with a link, whatever it is.
fn worthless_link() -> Problem {
    Problem::new(&types::LINK_WORTHLESS).detail(
        "It is unknown, used, replaced by a newer one, or over. Ask for another with POST /v1/password-resets, or ask an administrator to invite you.",
    )
}

fn no_login() -> Problem {
    let error = FieldError::new("/login", "required", "is required: their e-mail address cannot be one");
    Problem::new(&types::INVALID_FIELDS)
        .detail("Say by what they are to sign in.")
        .field(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_tokens_are_read() {
        let (secret, hash) = generate();
        let user = Uuid::from_u128(7);
        let token = format!("{}.{secret}", user.simple());
        assert_eq!(read(&token), Some((user.into(), hash)));
        let long = format!("{token}{}", "0".repeat(1_000_000));
        let cut = &token[..token.len() - 1];
        let nul = token.replace("rct_", "rct\0");
        for text in ["", ".", "a.b", &secret, cut, &long, &nul, &format!("{user}.")] {
            assert_eq!(read(text), None, "{}", text.len());
        }
    }

    #[test]
    fn a_link_is_recent_for_five_minutes() {
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let link = Link {
            token: String::new(),
            address: String::new(),
            made_at: at(1_000),
            expires_at: at(9_999),
        };
        let recent = [999, 1_000, 1_299, 1_300].map(|now| is_recent(&link, at(now)));
        assert_eq!(recent, [false, true, true, false]);
    }
}
