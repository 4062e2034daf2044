//! How sessions begin and end.

use domain::Timestamp;
use domain::address::Address;
use domain::ids::UserId;
use domain::people::User;
use domain::sign_in::{Login, NewPassword};
use domain::text::Label;
use event_log::{Credential, CredentialError, Happening, Kept, Noted, Origin, Standing};
use jiff::SignedDuration;
use service_kit::chain;
use service_kit::problem::{FieldError, Problem, types};
use service_kit::tokens::{Session, TokenGrant, TokenHash, generate};
use uuid::Uuid;

use crate::app::App;
use crate::problem::{of_audit, of_credential, of_token, wrong_credentials};

/// A working day and some hours: who leaves a browser open over night signs in again.
const LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// A user's oldest session ends when one more begins.
const SESSIONS_MAX: usize = 20;

/// A session that has just begun.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Shown this once.
    pub(crate) token: String,
    pub(crate) user: UserId,
    pub(crate) session: Session,
    pub(crate) expires_at: Timestamp,
}

/// What somebody has proven to be a user by.
#[derive(Debug, Clone, Copy)]
pub(super) enum By<'p> {
    /// The password of this login.
    Password(&'p Credential),
    /// This e-mail address, which an OpenID provider has verified.
    Address(&'p str),
}

impl By<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Password(credential) => &credential.login,
            Self::Address(address) => address,
        }
    }

    fn change_password(&self) -> bool {
        match self {
            Self::Password(credential) => credential.change_password,
            Self::Address(_) => false,
        }
    }

    fn address(&self) -> Option<String> {
        match self {
            Self::Password(_) => None,
            Self::Address(address) => Some((*address).to_owned()),
        }
    }
}

/// Counts how signing in came out.
pub(super) fn counted(begun: Result<Begun, Problem>) -> Result<Begun, Problem> {
    let outcome = begun.as_ref().map_or_else(|problem| problem.kind.code, |_| "begun");
    metrics::counter!("sign_ins_total", "outcome" => outcome).increment(1);
    begun
}

impl App {
    /// Begins a session, for the right password. Whether there is such a login, nobody learns who has not got it.
    pub(crate) async fn sign_in(&self, login: &Login, password: String, origin: &Origin) -> Result<Begun, Problem> {
        let begun = async {
            let kept = self
                .credentials
                .find(login)
                .await
                .map_err(|error| of_credential(&error))?;
            let kept = self.proven(login, kept, password, origin).await?;
            let begun = self.begin(kept.user, &kept.credential, origin).await?;
            self.note(Some(kept.user), Happening::SignedIn, None, origin).await?;
            Ok(begun)
        };
        counted(begun.await)
    }

    /// Changes the password of who signed in. Every session of theirs ends, and one begins.
    pub(crate) async fn change_password(
        &self,
        user: UserId,
        password: String,
        chosen: &str,
        origin: &Origin,
    ) -> Result<Begun, Problem> {
        let kept = self.credentials.of(user).await.map_err(|error| of_credential(&error))?;
        let Some(kept) = kept else {
            return Err(Problem::new(&types::NOT_PERMITTED)
                .detail("You have no password: an administrator gives you a login with PUT /v1/users/{id}/login."));
        };
        // Its own form: it was taken when the login was given.
        let login = Login::parse(&kept.credential.login).map_err(|_| Problem::internal())?;
        let new = super::passwords::chosen(chosen, &login, "/new_password")?;
        if new.as_str() == password {
            let error = FieldError::new("/new_password", "unchanged", "must be another than the old one");
            return Err(Problem::new(&types::INVALID_FIELDS).field(error));
        }
        let kept = self.proven(&login, Some(kept), password, origin).await?;
        let credential = Credential {
            login: kept.credential.login.clone(),
            hash: Some(self.passwords.hash(new).await?),
            change_password: false,
            changed_at: self.now(),
            link: None,
        };
        self.ending_sessions(user, self.credentials.change(&kept, &credential))
            .await?;
        self.note(Some(user), Happening::PasswordChanged, None, origin).await?;
        self.begin(user, &credential, origin).await
    }

    /// Gives a user a login and a password. Whoever signed in as that user has to do so again.
    pub(crate) async fn give_login(
        &self,
        user: UserId,
        login: &Login,
        password: NewPassword,
        change_password: bool,
    ) -> Result<(), Problem> {
        self.unless_taken(user, login).await?;
        let now = self.now();
        let credential = Credential {
            login: login.as_str().to_owned(),
            hash: Some(self.passwords.hash(password).await?),
            change_password,
            changed_at: now,
            link: None,
        };
        let given = self.credentials.give(user, &credential, now);
        self.ending_sessions(user, given).await?;
        // The failures were those of another password.
        self.forgive(login).await;
        Ok(())
    }

    /// A wish for another's login is refused before it ends anybody's sessions.
    pub(super) async fn unless_taken(&self, user: UserId, login: &Login) -> Result<(), Problem> {
        let holder = self.credentials.find(login).await;
        match holder.map_err(|error| of_credential(&error))? {
            Some(holder) if holder.user != user => Err(of_credential(&CredentialError::Taken)),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes a user's login away, and ends what began with it.
    pub(crate) async fn take_login(&self, user: UserId) -> Result<(), Problem> {
        self.ending_sessions(user, self.credentials.take(user)).await
    }

    /// Changes what a user signs in with. Their sessions end before, so that none outlives the change whenever the power
    /// goes; those that begin meanwhile, by what is no more, end after it.
    pub(super) async fn ending_sessions(
        &self,
        user: UserId,
        change: impl Future<Output = Result<(), CredentialError>>,
    ) -> Result<(), Problem> {
        self.end_sessions(user).await?;
        change.await.map_err(|error| of_credential(&error))?;
        self.end_sessions(user).await
    }

    /// After what was written of a user: who may not come in has no sessions, views and no link that could come to life again,
    /// and nobody has a link that went to an address that is not theirs, or a session that began by one.
    pub(crate) async fn heed(&self, user: UserId, profile: &User) -> Result<(), Problem> {
        if !profile.enabled {
            self.end_sessions(user).await?;
            self.end_views(user).await?;
        }
        let address = profile.email.as_ref().map(Address::new);
        for (token, granted) in self.tokens.sessions_of(user, self.now()) {
            let session = granted.grant.session.as_ref();
            let by = session.and_then(|session| session.address.as_deref());
            if by.is_some_and(|by| Label::parse(by).ok().map(|by| Address::new(&by)) != address) {
                self.end_session(token).await?;
            }
        }
        let kept = self.credentials.of(user).await.map_err(|error| of_credential(&error))?;
        let Some(link) = kept.and_then(|kept| kept.credential.link) else {
            return Ok(());
        };
        let email = profile.email.as_ref().map(Label::as_str);
        if profile.enabled && email == Some(link.address.as_str()) {
            return Ok(());
        }
        let unlinked = self.credentials.unlink(user).await;
        unlinked.map_err(|error| of_credential(&error))
    }

    /// Ends all sessions of a user.
    pub(crate) async fn end_sessions(&self, user: UserId) -> Result<(), Problem> {
        for (token, _) in self.tokens.sessions_of(user, self.now()) {
            self.end_session(token).await?;
        }
        Ok(())
    }

    /// Ends one session.
    pub(crate) async fn end_session(&self, token: TokenHash) -> Result<(), Problem> {
        self.tokens.end(token).await.map_err(|error| of_token(&error))
    }

    /// What is kept, if the password is right.
    async fn proven(
        &self,
        login: &Login,
        kept: Option<Kept>,
        password: String,
        origin: &Origin,
    ) -> Result<Kept, Problem> {
        let turn = self.passwords.turn(login).await?;
        let attempt = self.credentials.attempt(login, self.now()).await;
        if let Err(pause) = attempt.map_err(|error| of_credential(&error))? {
            let seconds = u32::try_from(pause.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            return Err(Problem::new(&types::SIGN_IN_LOCKED)
                .detail(format!(
                    "Signing in with this login has failed too often. Try again in {seconds} seconds, or ask an administrator for a new password."
                ))
                .retry_after(seconds));
        }
        let hash = kept.as_ref().and_then(|kept| kept.credential.hash.clone());
        let right = self.passwords.is_right(&turn, password, hash).await?;
        let user = kept.as_ref().map(|kept| kept.user);
        let Some(kept) = kept.filter(|_| right) else {
            self.note(user, Happening::SignInFailed, None, origin).await?;
            return Err(wrong_credentials());
        };
        self.forgive(login).await;
        Ok(kept)
    }

    /// Keeps what happened around signing in. What cannot be kept does not happen, as far as callers learn.
    pub(crate) async fn note(
        &self,
        user: Option<UserId>,
        event: Happening,
        by: Option<UserId>,
        origin: &Origin,
    ) -> Result<(), Problem> {
        self.note_of(user, event, (by, None), origin).await
    }

    /// The same, with who did it and to whom, where that was not the user.
    pub(super) async fn note_of(
        &self,
        user: Option<UserId>,
        event: Happening,
        (by, whom): (Option<UserId>, Option<UserId>),
        origin: &Origin,
    ) -> Result<(), Problem> {
        let noted = Noted {
            event,
            at: self.now(),
            by: by.map(UserId::as_uuid),
            whom: whom.map(UserId::as_uuid),
            origin: origin.clone(),
        };
        self.audit.note(user, &noted).await.map_err(|error| of_audit(&error))
    }

    pub(super) async fn forgive(&self, login: &Login) {
        // Not worth a failure: they are forgotten in an hour.
        if let Err(error) = self.credentials.succeeded(login).await {
            tracing::warn!(error = chain(&error), "failures of signing in are not forgotten");
        }
    }

    pub(super) fn enabled(&self, user: UserId) -> Result<(), Problem> {
        match self.standing(user)? {
            Some(Standing::Actor(_)) => Ok(()),
            Some(Standing::Disabled) | None => {
                Err(Problem::new(&types::ACCOUNT_DISABLED).detail("Ask an administrator to enable your account."))
            }
        }
    }

    /// Whether the user still signs in with this, and may come in.
    async fn still_proven(&self, user: UserId, credential: &Credential) -> Result<(), Problem> {
        let kept = self.credentials.of(user).await.map_err(|error| of_credential(&error))?;
        if kept.is_none_or(|kept| !kept.credential.opens_as(credential)) {
            return Err(wrong_credentials());
        }
        self.enabled(user)
    }

    async fn begin(&self, user: UserId, credential: &Credential, origin: &Origin) -> Result<Begun, Problem> {
        let begun = self.begin_as(user, By::Password(credential), origin).await?;
        // Whoever changed the password, or disabled the user, meanwhile has ended the sessions that there were. This one
        // was there before they looked, or else the change is seen here.
        if let Err(problem) = self.still_proven(user, credential).await {
            self.end_begun(&begun).await?;
            return Err(problem);
        }
        Ok(begun)
    }

    /// Begins a session of a user who has proven to be that. One who may not come in is told so, and it is kept that they
    /// tried.
    pub(super) async fn begin_as(&self, user: UserId, by: By<'_>, origin: &Origin) -> Result<Begun, Problem> {
        if let Err(problem) = self.enabled(user) {
            if problem.kind.code == types::ACCOUNT_DISABLED.code {
                self.note(Some(user), Happening::SignInFailed, None, origin).await?;
            }
            return Err(problem);
        }
        let now = self.now();
        let expires_at = now.checked_add(LIFETIME).map_err(|_| Problem::internal())?;
        let others = self.tokens.sessions_of(user, now);
        for (token, _) in others.into_iter().skip(SESSIONS_MAX - 1) {
            self.end_session(token).await?;
        }
        let session = Session {
            id: Uuid::new_v4(),
            agent: origin.agent.clone(),
            change_password: by.change_password(),
            address: by.address(),
        };
        let (token, hash) = generate();
        let grant = TokenGrant {
            session: Some(session.clone()),
            ..TokenGrant::by_profile(user.as_uuid(), by.name().to_owned(), now, Some(expires_at))
        };
        self.tokens.begin(hash, grant).await.map_err(|error| of_token(&error))?;
        Ok(Begun {
            token,
            user,
            session,
            expires_at,
        })
    }

    /// Ends a session that has just begun.
    pub(super) async fn end_begun(&self, begun: &Begun) -> Result<(), Problem> {
        self.end_session(TokenHash::of(&begun.token)).await
    }
}
