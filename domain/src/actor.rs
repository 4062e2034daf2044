//! Who asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{GroupId, OrganisationId, ProjectId, UserId};
use crate::portal::{Property, Showing};
use crate::text::Label;
use crate::words::words;

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

/// Which tickets a member of staff sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StaffScope {
    /// All of them.
    #[default]
    All,
    /// Those of their groups, and those that concern them themselves.
    Groups,
}

impl StaffScope {
    /// Both.
    pub const ALL: [Self; 2] = [Self::All, Self::Groups];

    /// Its name in JSON and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Groups => "groups",
        }
    }
}

words! {
    /// Something that not every member of staff may do.
    Permission 7 {
        /// Give commands in other people's names and with past times.
        Import "import",
        /// Close a ticket whose closure nobody proposed.
        CloseAny "close_any",
        /// Write profiles of users, groups, organisations, roles, permission sets, portals and items of the catalogue.
        Administer "administer",
        /// Look at the desk through a customer's eyes.
        ViewAs "view_as",
        /// Write profiles of organisations.
        ManageOrganisations "manage_organisations",
        /// Write items of the catalogue.
        ManageCatalogue "manage_catalogue",
        /// Write portals.
        ManagePortals "manage_portals",
    }
}

words! {
    /// What a permission is about.
    Category 3 {
        /// Users and what they may do.
        Users "users",
        /// The desk as a whole.
        General "general",
        /// Work with tickets.
        Tickets "tickets",
    }
}

impl Permission {
    /// What it is about.
    pub const fn category(self) -> Category {
        match self {
            Self::Import | Self::ViewAs | Self::ManageCatalogue | Self::ManagePortals => Category::General,
            Self::CloseAny => Category::Tickets,
            Self::Administer | Self::ManageOrganisations => Category::Users,
        }
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
    /// Those of the groups in which the person leads.
    pub leads: BTreeSet<GroupId>,
    /// The projects that the person, or their organisation, follows.
    pub projects: BTreeSet<ProjectId>,
    /// What the portal of a customer shows them. `None`: everything, as to all others.
    pub portal: Option<Arc<Showing>>,
    /// Which tickets the person sees, if they are staff.
    pub scope: StaffScope,
    /// What the person may do beyond the ordinary.
    pub permissions: BTreeSet<Permission>,
    /// What the person may do besides with tickets of these groups.
    pub within: BTreeMap<GroupId, BTreeSet<Permission>>,
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
            leads: BTreeSet::new(),
            projects: BTreeSet::new(),
            portal: None,
            scope: StaffScope::All,
            permissions: BTreeSet::new(),
            within: BTreeMap::new(),
        }
    }

    /// Whether the actor holds a permission for the whole desk.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Whether the actor is shown this of the tickets that they see.
    pub fn is_shown(&self, property: &Property) -> bool {
        self.portal.as_ref().is_none_or(|portal| portal.shows(property))
    }

    /// Whether every ticket is visible to the actor, whatever it is.
    pub fn sees_everything(&self) -> bool {
        match self.kind {
            ActorKind::Staff => self.scope == StaffScope::All,
            ActorKind::System => true,
            ActorKind::Customer => false,
        }
    }

    /// Whether the actor writes down who may do what.
    pub fn administers(&self) -> bool {
        self.kind == ActorKind::Staff && self.may(Permission::Administer)
    }

    /// Whether the actor holds a permission for a ticket that this group works on.
    pub fn may_with(&self, permission: Permission, group: Option<GroupId>) -> bool {
        let within = group.and_then(|group| self.within.get(&group));
        self.may(permission) || within.is_some_and(|permissions| permissions.contains(&permission))
    }
}
