//! Everybody who can stand in a relation of their own to a ticket, each with a token.

use domain::Timestamp;
use event_log::EventLog;
use service_kit::tokens::{GrantKind, TokenGrant, TokenHash};
use uuid::Uuid;

/// The customer's organisation.
pub(crate) const CLIENT: Uuid = Uuid::from_u128(0xc1);
/// That of the follower, the leader and the stranger.
pub(crate) const OTHER_CLIENT: Uuid = Uuid::from_u128(0xc2);
/// The group that works on tickets.
pub(crate) const GROUP: Uuid = Uuid::from_u128(0x60);

/// Somebody with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) user: Uuid,
    pub(crate) staff: bool,
    pub(crate) organisation: Option<Uuid>,
    pub(crate) permissions: &'static [&'static str],
}

const fn staff(name: &'static str, user: u128, permissions: &'static [&'static str]) -> Person {
    Person {
        name,
        user: Uuid::from_u128(user),
        staff: true,
        organisation: None,
        permissions,
    }
}

const fn customer(name: &'static str, user: u128, organisation: Uuid) -> Person {
    Person {
        name,
        user: Uuid::from_u128(user),
        staff: false,
        organisation: Some(organisation),
        permissions: &[],
    }
}

/// Staff without any permission.
pub(crate) const AGENT: Person = staff("agent", 1, &[]);
/// Staff who may close any ticket.
pub(crate) const LEAD: Person = staff("lead", 2, &["close_any"]);
/// Staff who bring tickets from elsewhere.
pub(crate) const IMPORTER: Person = staff("importer", 3, &["import", "close_any"]);
/// Staff who write profiles.
pub(crate) const ADMINISTRATOR: Person = staff("administrator", 9, &["administer"]);
/// Whose wish tickets are.
pub(crate) const CUSTOMER: Person = customer("customer", 4, CLIENT);
/// The same person, working for the desk.
pub(crate) const STAFF_REQUESTER: Person = staff("staff-requester", 4, &[]);
/// Of the requester's organisation.
pub(crate) const PEER: Person = customer("peer", 5, CLIENT);
/// Of another organisation, and follows the ticket.
pub(crate) const FOLLOWER: Person = customer("follower", 6, OTHER_CLIENT);
/// Of another organisation, and leads the group that works on it.
pub(crate) const LEADER: Person = customer("leader", 7, OTHER_CLIENT);
/// Of another organisation, and has nothing to do with it.
pub(crate) const STRANGER: Person = customer("stranger", 8, OTHER_CLIENT);

pub(crate) const EVERYBODY: [Person; 10] = [
    AGENT,
    LEAD,
    IMPORTER,
    ADMINISTRATOR,
    CUSTOMER,
    STAFF_REQUESTER,
    PEER,
    FOLLOWER,
    LEADER,
    STRANGER,
];

impl Person {
    pub(crate) fn token(self) -> String {
        format!("rct_{}", self.name)
    }

    pub(crate) fn grant(self) -> TokenGrant {
        let leads = self == LEADER;
        TokenGrant {
            user: self.user,
            name: self.name.to_owned(),
            kind: if self.staff {
                GrantKind::Staff
            } else {
                GrantKind::Customer
            },
            organisation: self.organisation,
            groups: if leads { vec![GROUP] } else { Vec::new() },
            leading: leads,
            permissions: self.permissions.iter().map(|name| (*name).to_owned()).collect(),
            created_at: Timestamp::UNIX_EPOCH,
            revoked_at: None,
            expires_at: None,
            session: None,
            viewer: None,
            scopes: None,
            purpose: None,
        }
    }
}

/// Gives everybody their token.
pub(crate) async fn admit_everybody(log: &EventLog) {
    for person in EVERYBODY {
        log.tokens()
            .put(TokenHash::of(&person.token()), &person.grant())
            .await
            .unwrap();
    }
}
