//! Which entries of the directory a profile names by their ids.
//!
//! Nobody has to have written them: an id that nobody knows gives nothing, until somebody does.

use uuid::Uuid;

use crate::directory::EntryKind;
use crate::ids::{GroupId, OrganisationId, PermissionSetId, PortalId, RoleId, UserId};
use crate::people::{Group, Profile};
use crate::rights::Role;

/// An entry that a profile names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The member of the profile that does so.
    pub member: &'static str,
    /// What it is said to be.
    pub kind: EntryKind,
    /// Its id.
    pub id: Uuid,
}

impl Profile {
    /// Those that it names, but for service catalogues, which are items of the catalogue.
    pub fn references(&self) -> Vec<Reference> {
        let all = |member, kind, ids: Vec<Uuid>| ids.into_iter().map(move |id| Reference { member, kind, id });
        match self {
            Self::User(user) => {
                let organisation = user.organisation.map(OrganisationId::as_uuid);
                let groups = user.groups.iter().copied().map(GroupId::as_uuid);
                let roles = user.roles.iter().map(|held| held.role).map(RoleId::as_uuid);
                let within = user.roles.iter().filter_map(|held| held.group).map(GroupId::as_uuid);
                all(
                    "organisation",
                    EntryKind::Organisation,
                    organisation.into_iter().collect(),
                )
                .chain(all("groups", EntryKind::Group, groups.collect()))
                .chain(all("roles", EntryKind::Role, roles.collect()))
                .chain(all("roles", EntryKind::Group, within.collect()))
                .collect()
            }
            Self::Group(Group { permission_sets, .. }) | Self::Role(Role { permission_sets, .. }) => {
                let sets = permission_sets.iter().copied().map(PermissionSetId::as_uuid);
                all("permission_sets", EntryKind::PermissionSet, sets.collect()).collect()
            }
            Self::Organisation(organisation) => {
                let portal = organisation.portal.map(PortalId::as_uuid);
                all("portal", EntryKind::Portal, portal.into_iter().collect()).collect()
            }
            Self::Project(project) => {
                let followers = project.followers.iter().copied().map(UserId::as_uuid);
                let organisations = project.organisations.iter().copied().map(OrganisationId::as_uuid);
                all("followers", EntryKind::User, followers.collect())
                    .chain(all("organisations", EntryKind::Organisation, organisations.collect()))
                    .collect()
            }
            Self::PermissionSet(_) | Self::Portal(_) | Self::Item(_) => Vec::new(),
        }
    }
}
