//! Who asks.

use std::collections::BTreeSet;

use crate::ids::{GroupId, OrganisationId, UserId};
use crate::text::Label;

/// What sort of actor somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// Works for the desk.
    Staff,
    /// Is served by the desk.
    Customer,
    /// The desk itself: the scheduler.
    System,
}

impl ActorKind {
    /// Its name in JSON and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Customer => "customer",
            Self::System => "system",
        }
    }
}

/// Something that not every member of staff may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Give commands in other people's names and with past times.
    Import,
    /// Close a ticket whose closure nobody proposed.
    CloseAny,
    /// Write profiles of users, groups and organisations.
    Administer,
}

impl Permission {
    /// Every permission there is.
    pub const ALL: [Self; 3] = [Self::Import, Self::CloseAny, Self::Administer];

    /// Its name on the command line and in stored tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::CloseAny => "close_any",
            Self::Administer => "administer",
        }
    }

    /// The permission of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == name)
    }
}

/// Who asks, with all that the rules need to know about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub user: UserId,
    /// The person's name, for people to read. `None`: not known here.
    pub name: Option<Label>,
    /// Staff, customer or the system.
    pub kind: ActorKind,
    /// The organisation that the person belongs to.
    pub organisation: Option<OrganisationId>,
    /// The groups that the person belongs to.
    pub groups: BTreeSet<GroupId>,
    /// Whether the person holds a leading role in those groups.
    pub leading: bool,
    /// What the person may do beyond the ordinary.
    pub permissions: BTreeSet<Permission>,
}

impl Actor {
    /// The identifier under which the desk itself acts.
    pub const SYSTEM: UserId = UserId::from_bytes(*b"recourse--system");

    /// The desk itself.
    pub fn system() -> Self {
        Self {
            name: Label::parse("Recourse").ok(),
            ..Self::plain(Self::SYSTEM, ActorKind::System)
        }
    }

    /// An actor of whom nothing else is known.
    pub fn plain(user: UserId, kind: ActorKind) -> Self {
        Self {
            user,
            name: None,
            kind,
            organisation: None,
            groups: BTreeSet::new(),
            leading: false,
            permissions: BTreeSet::new(),
        }
    }

    /// Whether the actor holds a permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }
}
