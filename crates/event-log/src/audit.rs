//! Who came in, from where, and who tried to: for each user, in a key-value bucket. Addresses of people must be possible to
//! forget, and are after a year; who changed what is in the log, and never is.

use std::time::Duration;

use async_nats::jetstream::kv::Store;
use domain::Timestamp;
use domain::ids::UserId;
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::buckets::Bucket;
use crate::connection::Connection;

/// The most that a key-value bucket keeps of one key.
const HISTORY_MAX: i64 = 64;

const AUDIT: Bucket = Bucket {
    name: "rc-audit",
    description: "Recourse: who signed in from where, and who tried to",
    max_age: Some(Duration::from_hours(366 * 24)),
    history: HISTORY_MAX,
};

/// What was kept around signing in cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the audit cannot be reached")]
pub struct AuditError(#[source] async_nats::Error);

fn unavailable(error: impl Into<async_nats::Error>) -> AuditError {
    AuditError(error.into())
}

/// Something that happened around signing in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// What.
    pub event: Happening,
    /// When.
    pub at: Timestamp,
    /// Who did it, if it was not the user.
    pub by: Option<Uuid>,
    /// To whom it happened, if that was not the user.
    #[serde(default)]
    pub whom: Option<Uuid>,
    /// From where.
    #[serde(flatten)]
    pub origin: Origin,
}

/// What can happen around signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// A session began.
    SignedIn,
    /// The password was wrong.
    SignInFailed,
    /// A session was ended by its user, or one or all of them by an administrator.
    SignedOut,
    /// The user chose another password.
    PasswordChanged,
    /// The user was given a login and a password.
    LoginGiven,
    /// They were taken away.
    LoginTaken,
    /// A member of staff began to look through a customer's eyes.
    ViewBegan,
    /// They ended it.
    ViewEnded,
    /// The user was sent a link to choose a password by.
    InvitationSent,
    /// The user was to be sent one, and the mail server did not take it, or there is none.
    InvitationNotDelivered,
    /// Somebody asked for a new password, and the user was to be sent a link.
    ResetAsked,
    /// The mail server did not take it.
    ResetNotDelivered,
    /// Somebody who had such a link chose a password.
    PasswordSetByLink,
    /// A token was made for a service of the user's.
    TokenMade,
    /// It was made worthless.
    TokenRevoked,
}

impl Happening {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::SignedIn,
        Self::SignInFailed,
        Self::SignedOut,
        Self::PasswordChanged,
        Self::LoginGiven,
        Self::LoginTaken,
        Self::ViewBegan,
        Self::ViewEnded,
        Self::InvitationSent,
        Self::InvitationNotDelivered,
        Self::ResetAsked,
        Self::ResetNotDelivered,
        Self::PasswordSetByLink,
        Self::TokenMade,
        Self::TokenRevoked,
    ];

    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::SignedOut => "signed_out",
            Self::PasswordChanged => "password_changed",
            Self::LoginGiven => "login_given",
            Self::LoginTaken => "login_taken",
            Self::ViewBegan => "view_began",
            Self::ViewEnded => "view_ended",
            Self::InvitationSent => "invitation_sent",
            Self::InvitationNotDelivered => "invitation_not_delivered",
            Self::ResetAsked => "reset_asked",
            Self::ResetNotDelivered => "reset_not_delivered",
            Self::PasswordSetByLink => "password_set_by_link",
            Self::TokenMade => "token_made",
            Self::TokenRevoked => "token_revoked",
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The address at the other end of the connection: that of the proxy, where there is one.
    pub address: Option<String>,
    /// What `X-Forwarded-For` said: the proxy's word, or anybody's where there is none.
    pub forwarded_for: Option<String>,
    /// What `User-Agent` said.
    pub agent: Option<String>,
}

/// What is kept. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AuditStore(Store);

impl AuditStore {
    pub(crate) async fn ensure(connection: &Connection, replicas: usize) -> Result<Self, AuditError> {
        AUDIT
            .ensure(&connection.context, replicas)
            .await
            .map(Self)
            .map_err(unavailable)
    }

    /// Keeps what happened to a user, in place of the oldest of many. `None`: to a login that nobody has, which is kept as
    /// well, because it takes time that tells logins apart otherwise.
    pub async fn note(&self, user: Option<UserId>, noted: &Noted) -> Result<(), AuditError> {
        let user = user.map_or(Uuid::nil(), UserId::as_uuid);
        let value = serde_json::to_vec(noted).map_err(unavailable)?;
        let written = self.0.put(key(user, noted.event), value.into()).await;
        written.map(|_| ()).map_err(unavailable)
    }

    /// What happened to a user lately, the newest first.
    pub async fn of(&self, user: UserId) -> Result<Vec<Noted>, AuditError> {
        let mut all = Vec::new();
        // One of each of the keys.
        for event in [
            Happening::SignedIn,
            Happening::SignInFailed,
            Happening::ResetAsked,
            Happening::ViewBegan,
        ] {
            let history = self.0.history(key(user.as_uuid(), event)).await.map_err(unavailable)?;
            let entries: Vec<_> = history.try_collect().await.map_err(unavailable)?;
            for entry in entries {
                all.push(serde_json::from_slice::<Noted>(&entry.value).map_err(unavailable)?);
            }
        }
        all.sort_by_key(|noted| std::cmp::Reverse(noted.at));
        Ok(all)
    }
}

/// What strangers, and staff who look, can bring about has keys of its own, so that nobody who guesses, asks or looks makes the
/// rest be forgotten.
fn key(user: Uuid, event: Happening) -> String {
    let what = match event {
        Happening::SignInFailed => "failed",
        Happening::ResetAsked | Happening::ResetNotDelivered => "asked",
        Happening::ViewBegan | Happening::ViewEnded => "viewed",
        Happening::SignedIn
        | Happening::SignedOut
        | Happening::PasswordChanged
        | Happening::LoginGiven
        | Happening::LoginTaken
        | Happening::InvitationSent
        | Happening::InvitationNotDelivered
        | Happening::PasswordSetByLink
        | Happening::TokenMade
        | Happening::TokenRevoked => "done",
    };
    format!("{}.{what}", user.simple())
}
