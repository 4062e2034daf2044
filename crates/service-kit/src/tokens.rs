//! Bearer tokens: what they look like, what is kept of them, and what they grant.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use domain::actor::{Actor, ActorKind, Permission};
use domain::ids::GroupId;
use domain::text::Label;
use domain::token_scope::TokenScope;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::problem::Problem;

/// What every token begins with, so that scanners find one that was committed by mistake.
pub const PREFIX: &str = "rct_";

/// SHA-256 of a token: all that is stored. A token has 256 random bits, so that nothing slower
/// is needed against guessing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 32]);

/// Makes a token. It exists in what this returns and nowhere else.
pub fn generate() -> (String, TokenHash) {
    let token = format!("{PREFIX}{}", Hex(&rand::random::<[u8; 32]>()));
    let hash = TokenHash::of(&token);
    (token, hash)
}

/// Whether a text could have come from [`generate`]: a token that was cut short could be guessed.
pub fn is_token(text: &str) -> bool {
    text.strip_prefix(PREFIX)
        .is_some_and(|digits| digits.parse::<TokenHash>().is_ok())
}

impl TokenHash {
    /// The hash of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// The hash that these bytes are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({self})")
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token's hash is written as 64 hexadecimal digits")]
pub struct TokenHashError;

impl FromStr for TokenHash {
    type Err = TokenHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
            .collect();
        let digits = digits.ok_or(TokenHashError)?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        match <[u8; 32]>::try_from(bytes) {
            Ok(bytes) if rest.is_empty() => Ok(Self(bytes)),
            Ok(_) | Err(_) => Err(TokenHashError),
        }
    }
}

impl Serialize for TokenHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

struct Hex<'b>(&'b [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// So long after it was made a token may be tried by whoever made it, which waits until the desk knows it.
pub const TRIED_WITHIN: Duration = Duration::from_secs(5);

/// What a token grants: whom its bearer acts as. Stored as JSON under the token's hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenGrant {
    /// The person.
    pub user: Uuid,
    /// The person's name, for people to read.
    pub name: String,
    /// What sort of actor the person is.
    pub kind: GrantKind,
    /// The organisation that the person belongs to.
    pub organisation: Option<Uuid>,
    /// The groups that the person belongs to.
    #[serde(default)]
    pub groups: Vec<Uuid>,
    /// Whether the person holds a leading role in those groups.
    #[serde(default)]
    pub leading: bool,
    /// Names of [`Permission`]s. One that is not known here grants nothing.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// When the token was made.
    pub created_at: Timestamp,
    /// When the token was revoked. It is kept, so that a revoked token can be told from one that
    /// never was, and is not granted again by mistake.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
    /// From when on it grants nothing. `None`: it has no end.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The session that it is the token of. `None`: somebody made it for a service, or to look through the user's eyes.
    #[serde(default)]
    pub session: Option<Session>,
    /// Who looks through the user's eyes by it. `None`: it is the user's own.
    #[serde(default)]
    pub viewer: Option<Viewer>,
    /// Names of [`TokenScope`]s: what it may be used for. One that is not known here is for nothing. `None`: for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// What it is for, in the words of whoever made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// A member of staff who looks through a customer's eyes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// Who.
    pub user: Uuid,
    /// By which token of theirs they began to. Once that one is worthless, or its bearer may not look any more, so is the
    /// one that they look by.
    pub token: TokenHash,
}

/// What is known of somebody who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// By which it is named: a token, and its hash, are nobody's business.
    pub id: Uuid,
    /// What it was begun with: `User-Agent`, cut to [`AGENT_CHARACTERS_MAX`].
    pub agent: Option<String>,
    /// Whether the password has to be changed before anything else.
    #[serde(default)]
    pub change_password: bool,
    /// The e-mail address that it was begun by, of those who have an account elsewhere: it ends with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// More of a browser's name is of no use to people who look at their sessions.
pub const AGENT_CHARACTERS_MAX: usize = 200;

/// What sort of actor a token can make somebody. The desk itself needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// Works for the desk.
    Staff,
    /// Is served by the desk.
    Customer,
}

impl From<GrantKind> for ActorKind {
    fn from(kind: GrantKind) -> Self {
        match kind {
            GrantKind::Staff => Self::Staff,
            GrantKind::Customer => Self::Customer,
        }
    }
}

impl TokenGrant {
    /// What a token grants, until its end if it has one, to somebody who has a profile: it says whom they act as.
    pub const fn by_profile(user: Uuid, name: String, created_at: Timestamp, expires_at: Option<Timestamp>) -> Self {
        Self {
            user,
            name,
            kind: GrantKind::Customer,
            organisation: None,
            groups: Vec::new(),
            leading: false,
            permissions: Vec::new(),
            created_at,
            revoked_at: None,
            expires_at,
            session: None,
            viewer: None,
            scopes: None,
            purpose: None,
        }
    }

    /// What the token may be used for. `None`: for everything.
    pub fn scopes(&self) -> Option<BTreeSet<TokenScope>> {
        let named = self.scopes.as_ref()?;
        Some(named.iter().filter_map(|name| TokenScope::parse(name)).collect())
    }

    /// Whether the token was made for a service, and not by signing in or to look through somebody's eyes.
    pub const fn is_of_a_service(&self) -> bool {
        self.session.is_none() && self.viewer.is_none()
    }

    /// Whether a request at an instant was a use of the token. Whoever makes one with `recourse token create` tries it at
    /// once, which is none.
    pub fn is_used_at(&self, at: Timestamp) -> bool {
        at.duration_since(self.created_at).unsigned_abs() > TRIED_WITHIN
    }

    /// Whether the token grants nothing any more.
    pub const fn is_revoked(&self) -> bool {
        self.revoked_at.is_some()
    }

    /// Whether the token grants anything at an instant.
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.is_revoked() && self.expires_at.is_none_or(|end| now < end)
    }

    /// The actor that its bearer is. Ask [`TokenGrant::is_good`] first.
    pub fn actor(&self) -> Actor {
        let groups: BTreeSet<GroupId> = self.groups.iter().copied().map(Into::into).collect();
        let permissions = self.permissions.iter().filter_map(|name| Permission::parse(name));
        Actor {
            name: Label::parse(&self.name).ok(),
            organisation: self.organisation.map(Into::into),
            leads: if self.leading { groups.clone() } else { BTreeSet::new() },
            groups,
            permissions: permissions.collect(),
            ..Actor::plain(self.user.into(), self.kind.into())
        }
    }
}

/// Who presents a token.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// Whom they act as.
    pub actor: Arc<Actor>,
    /// The session, if the token is one's.
    pub session: Option<Arc<Session>>,
    /// Who looks through the actor's eyes, and changes nothing. `None`: the actor themselves.
    pub viewer: Option<Arc<Viewer>>,
    /// What the token may be used for. `None`: for everything.
    pub scopes: Option<Arc<BTreeSet<TokenScope>>>,
}

impl Bearer {
    /// Whoever the grant says that its bearer is, who acts as `actor`.
    pub fn new(grant: &TokenGrant, actor: Arc<Actor>) -> Self {
        Self {
            actor,
            session: grant.session.clone().map(Arc::new),
            viewer: grant.viewer.clone().map(Arc::new),
            scopes: grant.scopes().map(Arc::new),
        }
    }

    /// Whether the token was made for a service, and not by signing in or to look through somebody's eyes.
    pub fn is_of_a_service(&self) -> bool {
        self.session.is_none() && self.viewer.is_none()
    }

    /// Whether they may look through the eyes of customers: those see tickets that staff with a scope do not.
    pub fn may_view(&self) -> bool {
        let staff = self.actor.kind == ActorKind::Staff && self.actor.sees_everything();
        self.viewer.is_none() && staff && self.actor.may(Permission::ViewAs)
    }

    /// Whether who presents the token that a view began with may go on looking through these eyes. Not once they are a member
    /// of staff's: else anybody who may look could see what an administrator does.
    pub fn is_shown_to(&self, viewing: Option<&Self>) -> bool {
        self.actor.kind == ActorKind::Customer && viewing.is_some_and(Self::may_view)
    }

    /// Whether they have to change their password before anything else.
    pub fn must_change_password(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.change_password)
    }
}

/// Knows tokens: the state of every router whose routes take a [`crate::http::Caller`].
pub trait Authenticate: Clone + Send + Sync + 'static {
    /// Who the bearer of the token is; `None` if it is unknown, revoked or over. An error
    /// means that nobody can tell at present.
    fn authenticate(&self, hash: TokenHash) -> impl Future<Output = Result<Option<Bearer>, Problem>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> TokenGrant {
        TokenGrant {
            user: Uuid::from_u128(1),
            name: "Ada".to_owned(),
            kind: GrantKind::Staff,
            organisation: Some(Uuid::from_u128(2)),
            groups: vec![Uuid::from_u128(3)],
            leading: true,
            permissions: vec!["close_any".to_owned(), "fly".to_owned()],
            created_at: Timestamp::UNIX_EPOCH,
            revoked_at: None,
            expires_at: None,
            session: None,
            viewer: None,
            scopes: None,
            purpose: None,
        }
    }

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let (token, hash) = generate();
        assert!(token.starts_with(PREFIX) && token.len() == PREFIX.len() + 64, "{token}");
        assert!(is_token(&token) && !is_token(&token[..token.len() - 1]));
        assert_eq!(TokenHash::of(&token), hash);
        assert_eq!(hash.to_string().parse(), Ok(hash));
    }

    #[test]
    fn what_is_not_a_hash_is_refused() {
        let long = "a".repeat(66);
        let odd = "a".repeat(65);
        for text in ["", "rct_", &long, &odd, &"ä".repeat(64), &"g".repeat(64)] {
            assert_eq!(text.parse::<TokenHash>(), Err(TokenHashError), "{text}");
        }
    }

    #[test]
    fn an_unknown_permission_grants_nothing() {
        let actor = grant().actor();
        assert_eq!(
            actor.permissions.into_iter().collect::<Vec<_>>(),
            [Permission::CloseAny]
        );
        assert_eq!(actor.kind, ActorKind::Staff);
    }

    #[test]
    fn a_grant_survives_storage() {
        let session = Session {
            id: Uuid::from_u128(4),
            agent: Some("curl".to_owned()),
            change_password: true,
            address: None,
        };
        let grant = TokenGrant {
            expires_at: Some(Timestamp::MAX),
            session: Some(session),
            viewer: Some(Viewer {
                user: Uuid::from_u128(5),
                token: TokenHash::of("another"),
            }),
            ..grant()
        };
        let json = serde_json::to_vec(&grant).unwrap();
        assert_eq!(serde_json::from_slice::<TokenGrant>(&json).unwrap(), grant);
    }

    #[test]
    fn a_token_is_good_until_it_is_revoked_or_over() {
        let (end, second) = (Timestamp::UNIX_EPOCH, jiff::SignedDuration::from_secs(1));
        assert!(grant().is_good(Timestamp::MAX));
        let ends = TokenGrant {
            expires_at: Some(end),
            ..grant()
        };
        assert!(ends.is_good(end - second) && !ends.is_good(end));
        let revoked = TokenGrant {
            revoked_at: Some(end),
            ..grant()
        };
        assert!(!revoked.is_good(end));
    }
}
