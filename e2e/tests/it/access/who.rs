//! Everybody who calls, and what makes them who they are. What is said here of somebody is what their token or profile says;
//! what follows from it is written anew, from the contract alone.

use domain::Timestamp;
use service_kit::tokens::{Session, TokenGrant};
use uuid::Uuid;

use crate::people::{
    ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, FOLLOWER, GROUP, IMPORTER, LEAD, LEADER, PEER, Person, STRANGER,
};

/// A group that works on other tickets.
pub(super) const OTHER_GROUP: Uuid = Uuid::from_u128(0x62);
/// Users who are in no other table have ids from here.
const FIRST_USER: u128 = 0x100;

/// Somebody who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Without a token.
    Anonymous,
    /// With a token that nobody made.
    Unknown,
    /// With one that was taken back.
    Revoked,
    /// With one that is over.
    Expired,
    /// With that of a session whose time is over.
    SessionOver,
    /// With that of a session that they ended.
    SignedOut,
    /// Staff whose account is disabled.
    Disabled,
    /// A customer whose account is disabled.
    DisabledCustomer,
    /// Who has to change their password first.
    Newcomer,
    /// With a good token.
    Known(Person),
    /// Staff who hold `administer` by a role.
    ByRole,
    /// Staff who hold `close_any` by a group.
    ByGroup,
    /// Staff who hold `view_as` by a role.
    ByEyes,
    /// One of them, who looks through the customer's eyes.
    Looking,
    /// Staff who hold `import` and nothing else.
    Importing,
    /// Staff who hold `manage_organisations` and nothing else.
    OfOrganisations,
    /// Staff who hold `manage_catalogue` and nothing else.
    OfCatalogue,
    /// Staff who hold `manage_portals` and nothing else.
    OfPortals,
    /// Staff who hold `close_any` by a role within the group that works on the ticket.
    ClosingWithin,
    /// Staff who hold it within another group, and are in both.
    ClosingElsewhere,
    /// Staff who ask for the ticket themselves.
    Asking,
    /// The same, of those who see the tickets of their groups alone, and are in none.
    ScopedAsking,
    /// Staff who see the tickets of their groups alone, and are in the one that works on the ticket.
    Scoped,
    /// The same, and in another group.
    ScopedElsewhere,
    /// Who sees the tickets of the group, and holds `administer`.
    ScopedAdministering,
    /// The same with `close_any`.
    ScopedClosing,
    /// The same with `close_any`, in another group.
    ScopedClosingElsewhere,
    /// The same with `import`.
    ScopedImporting,
    /// The same with `view_as`.
    ScopedEyes,
    /// A customer who is in the group that works on the ticket, and leads nowhere.
    Member,
    /// A customer who follows the project that the ticket is in.
    OfProject,
    /// Of the requester's organisation, and leads the group that works on the ticket.
    LeadingPeer,
    /// Of the requester's organisation, and leads another group.
    LeadingPeerElsewhere,
}

pub(super) const EVERYBODY: [Who; 41] = [
    Who::Anonymous,
    Who::Unknown,
    Who::Revoked,
    Who::Expired,
    Who::SessionOver,
    Who::SignedOut,
    Who::Disabled,
    Who::DisabledCustomer,
    Who::Newcomer,
    Who::Known(CUSTOMER),
    Who::Known(PEER),
    Who::Known(FOLLOWER),
    Who::Known(LEADER),
    Who::Known(STRANGER),
    Who::Known(AGENT),
    Who::Known(LEAD),
    Who::Known(IMPORTER),
    Who::Known(ADMINISTRATOR),
    Who::ByRole,
    Who::ByGroup,
    Who::ByEyes,
    Who::Looking,
    Who::Importing,
    Who::OfOrganisations,
    Who::OfCatalogue,
    Who::OfPortals,
    Who::ClosingWithin,
    Who::ClosingElsewhere,
    Who::Asking,
    Who::ScopedAsking,
    Who::Scoped,
    Who::ScopedElsewhere,
    Who::ScopedAdministering,
    Who::ScopedClosing,
    Who::ScopedClosingElsewhere,
    Who::ScopedImporting,
    Who::ScopedEyes,
    Who::Member,
    Who::OfProject,
    Who::LeadingPeer,
    Who::LeadingPeerElsewhere,
];

/// How far somebody comes before anything else of them counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// Their token is good for nothing.
    Refused,
    /// They change their password first.
    PasswordFirst,
    /// They look through the customer's eyes, and change nothing.
    Looking,
    /// They act as themselves.
    Full,
}

/// What the rules look at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traits {
    pub(super) staff: bool,
    /// Whether they see the tickets of their groups alone.
    pub(super) scoped: bool,
    pub(super) organisation: Option<Uuid>,
    pub(super) group: Option<Uuid>,
    /// Customers: whether they lead in it.
    pub(super) leading: bool,
    /// What they hold, however that is given to them.
    pub(super) permissions: &'static [&'static str],
    /// In tickets of which group they hold `close_any` besides.
    pub(super) closes_within: Option<Uuid>,
}

impl Traits {
    const CUSTOMER: Self = Self {
        staff: false,
        scoped: false,
        organisation: None,
        group: None,
        leading: false,
        permissions: &[],
        closes_within: None,
    };

    const STAFF: Self = Self {
        staff: true,
        ..Self::CUSTOMER
    };

    const fn holding(permissions: &'static [&'static str]) -> Self {
        Self {
            permissions,
            ..Self::STAFF
        }
    }

    const fn scoped(group: Option<Uuid>, permissions: &'static [&'static str]) -> Self {
        Self {
            scoped: true,
            group,
            ..Self::holding(permissions)
        }
    }

    const fn closing_within(group: Uuid) -> Self {
        Self {
            closes_within: Some(group),
            ..Self::STAFF
        }
    }

    const fn peer(leads: Uuid) -> Self {
        Self {
            organisation: Some(CLIENT),
            group: Some(leads),
            leading: true,
            ..Self::CUSTOMER
        }
    }

    fn of(person: Person) -> Self {
        Self {
            staff: person.staff,
            organisation: person.organisation,
            group: (person == LEADER).then_some(GROUP),
            leading: person == LEADER,
            permissions: person.permissions,
            ..Self::CUSTOMER
        }
    }

    pub(super) fn holds(&self, permission: &str) -> bool {
        self.permissions.contains(&permission)
    }
}

impl Who {
    pub(super) fn entry(self) -> Entry {
        match self {
            Self::Anonymous
            | Self::Unknown
            | Self::Revoked
            | Self::Expired
            | Self::SessionOver
            | Self::SignedOut
            | Self::Disabled
            | Self::DisabledCustomer => Entry::Refused,
            Self::Newcomer => Entry::PasswordFirst,
            Self::Looking => Entry::Looking,
            _ => Entry::Full,
        }
    }

    pub(super) fn traits(self) -> Traits {
        match self {
            Self::Known(person) => Traits::of(person),
            Self::Looking => Traits::of(CUSTOMER),
            Self::Anonymous | Self::Unknown | Self::DisabledCustomer | Self::OfProject => Traits::CUSTOMER,
            Self::Revoked | Self::Expired | Self::SessionOver | Self::SignedOut | Self::Newcomer => {
                Traits::of(ADMINISTRATOR)
            }
            Self::Disabled | Self::Asking => Traits::STAFF,
            Self::ByRole => Traits::holding(&["administer"]),
            Self::ByGroup => Traits::holding(&["close_any"]),
            Self::ByEyes => Traits::holding(&["view_as"]),
            Self::Importing => Traits::holding(&["import"]),
            Self::OfOrganisations => Traits::holding(&["manage_organisations"]),
            Self::OfCatalogue => Traits::holding(&["manage_catalogue"]),
            Self::OfPortals => Traits::holding(&["manage_portals"]),
            Self::ClosingWithin => Traits::closing_within(GROUP),
            Self::ClosingElsewhere => Traits::closing_within(OTHER_GROUP),
            Self::ScopedAsking => Traits::scoped(None, &[]),
            Self::Scoped => Traits::scoped(Some(GROUP), &[]),
            Self::ScopedElsewhere => Traits::scoped(Some(OTHER_GROUP), &[]),
            Self::ScopedAdministering => Traits::scoped(Some(GROUP), &["administer"]),
            Self::ScopedClosing => Traits::scoped(Some(GROUP), &["close_any"]),
            Self::ScopedClosingElsewhere => Traits::scoped(Some(OTHER_GROUP), &["close_any"]),
            Self::ScopedImporting => Traits::scoped(Some(GROUP), &["import"]),
            Self::ScopedEyes => Traits::scoped(Some(GROUP), &["view_as"]),
            Self::Member => Traits {
                group: Some(GROUP),
                ..Traits::CUSTOMER
            },
            Self::LeadingPeer => Traits::peer(GROUP),
            Self::LeadingPeerElsewhere => Traits::peer(OTHER_GROUP),
        }
    }

    pub(super) fn sees_every_ticket(self) -> bool {
        let Traits { staff, scoped, .. } = self.traits();
        staff && !scoped
    }

    /// Whether they ask for the tickets that are the customer's in the rows of all others.
    fn asks(self) -> bool {
        matches!(self, Self::Asking | Self::ScopedAsking)
    }

    /// In whose name tickets of the customer are opened, in somebody's row.
    pub(super) fn requester(self) -> Uuid {
        if self.asks() { self.user() } else { CUSTOMER.user }
    }

    /// Which user they are, if they are one.
    pub(super) fn user(self) -> Uuid {
        match self {
            Self::Known(person) => person.user,
            Self::Looking => CUSTOMER.user,
            _ => {
                let place = EVERYBODY.iter().position(|who| *who == self).unwrap();
                Uuid::from_u128(FIRST_USER + u128::try_from(place).unwrap())
            }
        }
    }

    pub(super) fn token(self) -> String {
        match self {
            Self::Anonymous => String::new(),
            Self::Unknown => format!("rct_{}", "0".repeat(64)),
            Self::Known(person) => person.token(),
            _ => format!("rct_{self:?}"),
        }
    }

    /// What their token grants.
    pub(super) fn grant(self) -> TokenGrant {
        let session = |change_password| {
            Some(Session {
                id: self.user(),
                agent: None,
                change_password,
                address: None,
            })
        };
        let (over, grant) = (Some(Timestamp::UNIX_EPOCH), ADMINISTRATOR.grant());
        match self {
            Self::Revoked => TokenGrant {
                revoked_at: over,
                ..grant
            },
            Self::Expired => TokenGrant {
                expires_at: over,
                ..grant
            },
            Self::SessionOver => TokenGrant {
                expires_at: over,
                session: session(false),
                ..grant
            },
            Self::SignedOut => TokenGrant {
                session: session(false),
                ..grant
            },
            Self::Newcomer => TokenGrant {
                session: session(true),
                ..grant
            },
            _ => TokenGrant {
                user: self.user(),
                ..grant
            },
        }
    }
}

/// Whose wish a ticket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The customer's, or that of staff who ask in the customer's place.
    Customer,
    /// Somebody's of another organisation.
    Stranger,
    /// A member of staff's, for whom nobody else cares.
    Staff,
}

/// A kind of tickets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) of: Of,
    /// Which group works on it.
    pub(super) group: Option<Uuid>,
    /// Whether the follower follows it, and it is in the project.
    pub(super) followed: bool,
    pub(super) open: bool,
}

/// One that has to do with as many people as can be.
pub(super) const USUAL: Kind = Kind {
    name: "the customer's",
    of: Of::Customer,
    group: Some(GROUP),
    followed: true,
    open: true,
};

pub(super) const KINDS: [Kind; 5] = [
    USUAL,
    Kind {
        name: "the customer's, and closed",
        open: false,
        ..USUAL
    },
    Kind {
        name: "the customer's, and another group's",
        group: Some(OTHER_GROUP),
        followed: false,
        ..USUAL
    },
    Kind {
        name: "another organisation's",
        of: Of::Stranger,
        group: None,
        followed: false,
        open: true,
    },
    Kind {
        name: "nobody's but the staff's",
        of: Of::Staff,
        group: None,
        followed: false,
        open: true,
    },
];

impl Kind {
    /// Who asks for such a ticket in somebody's row, and of which organisation they are.
    pub(super) fn requester(&self, who: Who) -> (Uuid, Option<Uuid>) {
        match self.of {
            Of::Customer => (who.requester(), Some(CLIENT)),
            Of::Stranger => (STRANGER.user, STRANGER.organisation),
            Of::Staff => (AGENT.user, None),
        }
    }
}

impl Who {
    pub(super) fn requesters_side(self, kind: &Kind) -> bool {
        let (requester, organisation) = kind.requester(self);
        let own = self.traits();
        requester == self.user() || (!own.staff && organisation.is_some() && own.organisation == organisation)
    }

    pub(super) fn sees(self, kind: &Kind) -> bool {
        let own = self.traits();
        let concerned = kind.followed && matches!(self, Self::Known(FOLLOWER) | Self::OfProject);
        let of_group = kind.group.is_some() && own.group == kind.group;
        let by_group = of_group && (own.staff || (own.leading && kind.open));
        self.sees_every_ticket() || self.requesters_side(kind) || concerned || by_group
    }

    /// Whether they close such a ticket though nobody proposed to.
    pub(super) fn closes(self, kind: &Kind) -> bool {
        let own = self.traits();
        let within = own.closes_within.is_some() && own.closes_within == kind.group;
        own.holds("close_any") || within
    }
}
