//! What stands beside the tickets: people, organisations and groups, which tickets refer to by id, roles, permission sets,
//! projects, portals, items of the catalogue, calendars, policies, contracts, and digests.

use crate::address::Held;
use crate::calendar::stored as calendar;
use crate::catalogue::ItemKind;
use crate::contract::Agreed;
use crate::digest::Digest;
use crate::people::Profile;
use crate::sla::stored as policy;
use crate::text::Label;

/// What sort of thing a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A person, or a service that acts like one.
    User,
    /// A team.
    Group,
    /// A company that the desk serves.
    Organisation,
    /// What somebody is to the desk, or to one of its groups.
    Role,
    /// Permissions that are given together.
    PermissionSet,
    /// A named set of tickets.
    Project,
    /// What customers see of the desk.
    Portal,
    /// What the catalogue offers.
    Item(ItemKind),
}

impl EntryKind {
    /// Every kind of entry.
    pub const ALL: [Self; 16] = [
        Self::User,
        Self::Group,
        Self::Organisation,
        Self::Role,
        Self::PermissionSet,
        Self::Project,
        Self::Portal,
        Self::Item(ItemKind::Type),
        Self::Item(ItemKind::Priority),
        Self::Item(ItemKind::Category),
        Self::Item(ItemKind::System),
        Self::Item(ItemKind::Environment),
        Self::Item(ItemKind::Product),
        Self::Item(ItemKind::ServiceCatalogue),
        Self::Item(ItemKind::Service),
        Self::Item(ItemKind::CustomField),
    ];

    /// Its name in subjects of the log and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Organisation => "organisation",
            Self::Role => "role",
            Self::PermissionSet => "permission_set",
            Self::Project => "project",
            Self::Portal => "portal",
            Self::Item(kind) => kind.as_str(),
        }
    }
}

/// A fact about an entry of the directory, an e-mail address, a calendar, a policy, a contract, or a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It goes by this name from now on.
    Named {
        /// What sort of thing it is.
        kind: EntryKind,
        /// Its name.
        name: Label,
    },
    /// The calendar has a new version.
    Calendar(Box<calendar::Revised>),
    /// The policy has a new version.
    Policy(Box<policy::Revised>),
    /// This was agreed with the organisation or user.
    Agreed(Box<Agreed>),
    /// This is known of the entry.
    Profile(Box<Profile>),
    /// A digest is due.
    Digest(Digest),
    /// The e-mail address is this user's from now on, or nobody's.
    Address(Held),
}
