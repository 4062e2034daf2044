//! What users sign in with, in a key-value bucket: not events, because a password must be possible to forget.
//!
//! A login's own entry says whose it is, so that two users never have one; the user's entry has the password. A login is
//! claimed before the user's entry names it, and let go afterwards. A claim that its user's entry does not name is what a
//! crash left: it opens nothing, and after a minute whoever wants the login takes it over.

use std::time::Duration;

use async_nats::jetstream::kv::{CreateErrorKind, Entry, Operation, Store, UpdateErrorKind};
use domain::Timestamp;
use domain::ids::UserId;
use domain::sign_in::{FORGOTTEN_AFTER, Failures, Login};
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use service_kit::tokens::TokenHash;
use uuid::Uuid;

use crate::buckets::{Bucket, MARKERS_KEPT_FOR};
use crate::connection::Connection;

const CREDENTIALS: Bucket = Bucket {
    name: "rc-credentials",
    description: "Recourse: logins and hashed passwords",
    max_age: None,
    history: 1,
};

const FAILURES: Bucket = Bucket {
    name: "rc-sign-in-failures",
    description: "Recourse: how often signing in failed lately",
    max_age: Some(Duration::from_secs(FORGOTTEN_AFTER.as_secs().unsigned_abs())),
    history: 1,
};

/// How long a claim is its claimer's before anything names it.
const CLAIM: SignedDuration = SignedDuration::from_mins(1);

/// Others who try the same login at the same time are let go first so often.
const TRIES_MAX: usize = 16;

/// What a user signs in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The login, as [`Login`] writes it.
    pub login: String,
    /// The password's hash, as a PHC string. `None`: there is no password until somebody chooses one by a link.
    pub hash: Option<String>,
    /// Whether the password has to be changed before anything else.
    pub change_password: bool,
    /// Since when it is this password.
    pub changed_at: Timestamp,
    /// By which a password can be chosen. Whatever else becomes of the login or the password, the link goes with it.
    #[serde(default)]
    pub link: Option<Link>,
}

impl Credential {
    /// Whether who signs in by one signs in by the other. Two hashes of one password differ.
    pub fn opens_as(&self, other: &Self) -> bool {
        self.login == other.login && self.hash == other.hash
    }
}

/// A link that was sent to a user, by which they can choose a password, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The hash of its token, as a [`TokenHash`] is written.
    pub token: String,
    /// The address that it was sent to. If the user's is another by now, it may be somebody else's hands that it is in.
    pub address: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it is good for nothing.
    pub expires_at: Timestamp,
}

/// A credential, and which of the user's this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Whose it is.
    pub user: UserId,
    /// What is kept.
    pub credential: Credential,
    revision: u64,
}

/// Why a credential was not kept.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Another user signs in with that login.
    #[error("another user has the login")]
    Taken,
    /// Somebody else changes the user's credential, or tries the login, at the same time.
    #[error("somebody else is changing it")]
    Contended,
    /// The bucket cannot be reached, or did not say whether it took it. Doing the same again is safe.
    #[error("the bucket of credentials cannot be reached")]
    Unavailable(#[source] async_nats::Error),
}

fn unavailable(error: impl Into<async_nats::Error>) -> CredentialError {
    CredentialError::Unavailable(error.into())
}

/// Whose a login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    user: Uuid,
}

/// How often signing in failed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Counted {
    count: u32,
    last: Timestamp,
}

/// Credentials by user, and logins. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CredentialStore {
    credentials: Store,
    failures: Store,
}

impl CredentialStore {
    pub(crate) async fn ensure(connection: &Connection, replicas: usize) -> Result<Self, CredentialError> {
        let context = &connection.context;
        Ok(Self {
            credentials: CREDENTIALS.ensure(context, replicas).await.map_err(unavailable)?,
            failures: FAILURES.ensure(context, replicas).await.map_err(unavailable)?,
        })
    }

    /// What a user signs in with; `None`: with nothing.
    pub async fn of(&self, user: UserId) -> Result<Option<Kept>, CredentialError> {
        let found = value::<Credential>(&self.credentials, &user_key(user)).await?;
        Ok(found.map(|(credential, revision)| Kept {
            user,
            credential,
            revision,
        }))
    }

    /// The user who signs in with this.
    pub async fn find(&self, login: &Login) -> Result<Option<Kept>, CredentialError> {
        let claim = value::<Claim>(&self.credentials, &key_of(login.as_str())).await?;
        // A login that is nobody's takes as many looks as one that is somebody's.
        let user = claim.map_or(Uuid::nil(), |(claim, _)| claim.user);
        let kept = self.of(user.into()).await?;
        Ok(kept.filter(|kept| kept.credential.login == login.as_str()))
    }

    /// Gives a user what they sign in with from now on, in place of what they have.
    pub async fn give(&self, user: UserId, credential: &Credential, now: Timestamp) -> Result<(), CredentialError> {
        self.claim(user, &credential.login, now).await?;
        let before = self.of(user).await?;
        let revision = before.as_ref().map(|before| before.revision);
        put(&self.credentials, &user_key(user), credential, revision).await?;
        self.confirm(user, &credential.login).await?;
        match before {
            Some(before) if before.credential.login != credential.login => {
                self.release(user, &before.credential.login).await
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Changes the password or the link of a credential that is still as it was read.
    pub async fn change(&self, kept: &Kept, credential: &Credential) -> Result<(), CredentialError> {
        put(&self.credentials, &user_key(kept.user), credential, Some(kept.revision)).await
    }

    /// Makes the link worthless that was sent to a user, if there is one.
    pub async fn unlink(&self, user: UserId) -> Result<(), CredentialError> {
        for _ in 0..TRIES_MAX {
            let Some(kept) = self.of(user).await?.filter(|kept| kept.credential.link.is_some()) else {
                return Ok(());
            };
            let credential = Credential {
                link: None,
                ..kept.credential.clone()
            };
            match self.change(&kept, &credential).await {
                Err(CredentialError::Contended) => {}
                changed => return changed,
            }
        }
        Err(CredentialError::Contended)
    }

    /// Takes from a user what they sign in with.
    pub async fn take(&self, user: UserId) -> Result<(), CredentialError> {
        for _ in 0..TRIES_MAX {
            let Some(kept) = self.of(user).await? else {
                return Ok(());
            };
            match purge(&self.credentials, &user_key(user), kept.revision).await {
                Ok(()) => return self.release(user, &kept.credential.login).await,
                // Taken by somebody else, or given anew.
                Err(CredentialError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CredentialError::Contended)
    }

    /// Makes a login a user's, unless it is another's.
    async fn claim(&self, user: UserId, login: &str, now: Timestamp) -> Result<(), CredentialError> {
        let (key, claim) = (key_of(login), Claim { user: user.as_uuid() });
        let Some(entry) = entry(&self.credentials, &key).await? else {
            return put(&self.credentials, &key, &claim, None).await;
        };
        let holder: Claim = read(&entry)?;
        if holder == claim {
            return Ok(());
        }
        let made = Timestamp::from_second(entry.created.unix_timestamp()).map_err(unavailable)?;
        if now.duration_since(made) < CLAIM || self.signs_in_with(holder.user.into(), login).await? {
            return Err(CredentialError::Taken);
        }
        put(&self.credentials, &key, &claim, Some(entry.revision)).await
    }

    /// Writes a claim again once the user's entry names the login: who lets the login go at the same time, because the entry
    /// did not name it yet, finds another claim then.
    async fn confirm(&self, user: UserId, login: &str) -> Result<(), CredentialError> {
        let (key, claim) = (key_of(login), Claim { user: user.as_uuid() });
        for _ in 0..TRIES_MAX {
            let present = value::<Claim>(&self.credentials, &key).await?;
            if present.is_some_and(|(holder, _)| holder != claim) {
                return Err(CredentialError::Taken);
            }
            let revision = present.map(|(_, revision)| revision);
            match put(&self.credentials, &key, &claim, revision).await {
                Err(CredentialError::Contended) => {}
                written => return written,
            }
        }
        Err(CredentialError::Contended)
    }

    /// Whether a user's entry names a login.
    async fn signs_in_with(&self, user: UserId, login: &str) -> Result<bool, CredentialError> {
        let kept = self.of(user).await?;
        Ok(kept.is_some_and(|kept| kept.credential.login == login))
    }

    /// Lets a login go that was this user's, unless their entry names it again.
    async fn release(&self, user: UserId, login: &str) -> Result<(), CredentialError> {
        let key = key_of(login);
        let Some((holder, revision)) = value::<Claim>(&self.credentials, &key).await? else {
            return Ok(());
        };
        if self.signs_in_with(user, login).await? || holder.user != user.as_uuid() {
            return Ok(());
        }
        match purge(&self.credentials, &key, revision).await {
            // Somebody else has let it go, or claimed it.
            Err(CredentialError::Contended) => Ok(()),
            purged => purged,
        }
    }

    /// Begins to sign in: counts a failure, before anybody knows whether it is one, so that those who try at the same time
    /// are counted. `Err` of how long to wait, if too many have failed.
    pub async fn attempt(&self, login: &Login, now: Timestamp) -> Result<Result<(), SignedDuration>, CredentialError> {
        let key = key_of(login.as_str());
        for _ in 0..TRIES_MAX {
            let entry = entry(&self.failures, &key).await?;
            let before = entry.as_ref().map(read::<Counted>).transpose()?;
            let before = before.map_or_else(Failures::default, |Counted { count, last }| Failures { count, last });
            if let Some(pause) = before.pause(now) {
                return Ok(Err(pause));
            }
            let Failures { count, last } = before.and_one(now);
            let revision = entry.map(|entry| entry.revision);
            match put(&self.failures, &key, &Counted { count, last }, revision).await {
                Ok(()) => return Ok(Ok(())),
                Err(CredentialError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CredentialError::Contended)
    }

    /// Signing in did not fail: forgets what was counted.
    pub async fn succeeded(&self, login: &Login) -> Result<(), CredentialError> {
        self.failures
            .purge_with_ttl(key_of(login.as_str()), MARKERS_KEPT_FOR)
            .await
            .map_err(unavailable)
    }
}

fn user_key(user: UserId) -> String {
    format!("user.{}", user.as_uuid().simple())
}

/// Keys take few characters, and a list of keys should not be a list of people: hashed as tokens are.
fn key_of(login: &str) -> String {
    format!("login.{}", TokenHash::of(login))
}

fn read<T: DeserializeOwned>(entry: &Entry) -> Result<T, CredentialError> {
    serde_json::from_slice(&entry.value).map_err(unavailable)
}

/// What is there now under a key.
async fn entry(store: &Store, key: &str) -> Result<Option<Entry>, CredentialError> {
    let entry = store.entry(key).await.map_err(unavailable)?;
    Ok(entry.filter(|entry| entry.operation == Operation::Put))
}

async fn value<T: DeserializeOwned>(store: &Store, key: &str) -> Result<Option<(T, u64)>, CredentialError> {
    let entry = entry(store, key).await?;
    entry.map(|entry| Ok((read(&entry)?, entry.revision))).transpose()
}

/// Writes over what was read at this revision, or where nothing was.
async fn put(store: &Store, key: &str, value: &impl Serialize, over: Option<u64>) -> Result<(), CredentialError> {
    let value = serde_json::to_vec(value).map_err(unavailable)?.into();
    match over {
        Some(revision) => match store.update(key, value, revision).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Err(CredentialError::Contended),
            Err(error) => Err(unavailable(error)),
        },
        None => match store.create(key, value).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Err(CredentialError::Contended),
            Err(error) => Err(unavailable(error)),
        },
    }
}

/// Removes what is there at this revision.
async fn purge(store: &Store, key: &str, revision: u64) -> Result<(), CredentialError> {
    match store
        .purge_expect_revision_with_ttl(key, revision, MARKERS_KEPT_FOR)
        .await
    {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Err(CredentialError::Contended),
        Err(error) => Err(unavailable(error)),
    }
}
