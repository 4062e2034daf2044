//! Everybody who can stand in a relation of their own to the sample ticket.

use std::collections::BTreeSet;

use domain::actor::{Actor, ActorKind, Permission};
use domain::ids::{GroupId, OrganisationId, UserId};
use domain::testing::{AGENT, CLIENT, CUSTOMER};
use domain::ticket::{Assigned, Change, Event};

/// The group that works on the ticket.
pub(crate) const GROUP: GroupId = GroupId::from_bytes([20; 16]);
/// A customer of another organisation who follows the ticket.
pub(crate) const FOLLOWER: UserId = UserId::from_bytes([21; 16]);

const OTHER_CLIENT: OrganisationId = OrganisationId::from_bytes([22; 16]);

/// Who somebody is to the sample ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Person {
    /// Staff who may close any ticket.
    Lead,
    /// Staff without any permission.
    Agent,
    /// Staff whose own wish the ticket is.
    StaffRequester,
    /// The customer whose wish it is.
    Requester,
    /// Another customer of the requester's organisation.
    Peer,
    /// A customer of another organisation who follows the ticket.
    Follower,
    /// A customer of another organisation who leads the group that works on it.
    GroupLeader,
    /// A customer who has nothing to do with it.
    Stranger,
    /// The scheduler.
    System,
}

impl Person {
    pub(crate) const ALL: [Self; 9] = [
        Self::Lead,
        Self::Agent,
        Self::StaffRequester,
        Self::Requester,
        Self::Peer,
        Self::Follower,
        Self::GroupLeader,
        Self::Stranger,
        Self::System,
    ];

    pub(crate) fn actor(self) -> Actor {
        let customer = |user, organisation| Actor {
            organisation: Some(organisation),
            ..Actor::plain(user, ActorKind::Customer)
        };
        let other = |number| UserId::from_bytes([number; 16]);
        match self {
            Self::Lead => Actor {
                permissions: BTreeSet::from([Permission::CloseAny]),
                ..Actor::plain(AGENT, ActorKind::Staff)
            },
            Self::Agent => Actor::plain(other(30), ActorKind::Staff),
            Self::StaffRequester => Actor::plain(CUSTOMER, ActorKind::Staff),
            Self::Requester => customer(CUSTOMER, CLIENT),
            Self::Peer => customer(other(31), CLIENT),
            Self::Follower => customer(FOLLOWER, OTHER_CLIENT),
            Self::GroupLeader => Actor {
                groups: BTreeSet::from([GROUP]),
                leads: BTreeSet::from([GROUP]),
                ..customer(other(32), OTHER_CLIENT)
            },
            Self::Stranger => customer(other(33), OTHER_CLIENT),
            Self::System => Actor::system(),
        }
    }
}

/// What makes the ticket known to [`Person::Follower`] and [`Person::GroupLeader`].
pub(crate) fn introductions() -> [Event; 2] {
    let group = Change::Set(Some(GROUP));
    [
        Event::Followed { user: FOLLOWER },
        Event::Assigned(Assigned {
            assignee: Change::Keep,
            group,
        }),
    ]
}
