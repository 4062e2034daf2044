//! Stored form of the profiles of users, groups, organisations, roles, permission sets and projects. Those of portals are in
//! [`portal`], and those of the catalogue in [`catalogue`].

use std::collections::BTreeSet;

use domain::actor::{Permission, StaffScope};
use domain::ids::{GroupId, OrganisationId, PermissionSetId, PortalId, RoleId, ServiceCatalogueId, UserId};
use domain::people::{FullName, Group, Language, Organisation, Profile, User, UserKind};
use domain::project::Project;
use domain::rights::{Assignment, PermissionSet, Role};
use domain::text::{Body, Label};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};
use crate::{catalogue, portal, value};

pub(crate) const USER_V1: KindVersion = KindVersion { kind: 1041, version: 1 };
pub(crate) const USER_V2: KindVersion = KindVersion { kind: 1041, version: 2 };
pub(crate) const USER_V3: KindVersion = KindVersion { kind: 1041, version: 3 };
pub(crate) const USER_V4: KindVersion = KindVersion { kind: 1041, version: 4 };
pub(crate) const GROUP_V1: KindVersion = KindVersion { kind: 1042, version: 1 };
pub(crate) const GROUP_V2: KindVersion = KindVersion { kind: 1042, version: 2 };
pub(crate) const ORGANISATION_V1: KindVersion = KindVersion { kind: 1043, version: 1 };
pub(crate) const ORGANISATION_V2: KindVersion = KindVersion { kind: 1043, version: 2 };
pub(crate) const ORGANISATION_V3: KindVersion = KindVersion { kind: 1043, version: 3 };
pub(crate) const ROLE_V1: KindVersion = KindVersion { kind: 1044, version: 1 };
pub(crate) const PERMISSION_SET_V1: KindVersion = KindVersion { kind: 1045, version: 1 };
pub(crate) const PROJECT_V1: KindVersion = KindVersion { kind: 1046, version: 1 };

/// FROZEN. `kind`: 1 staff, 2 customer. Permissions by their names.
#[derive(Serialize, Deserialize)]
struct UserV1<'b> {
    name: &'b str,
    kind: u8,
    organisation: Option<[u8; 16]>,
    groups: Vec<[u8; 16]>,
    leading: bool,
    #[serde(borrow)]
    permissions: Vec<&'b str>,
    position: Option<&'b str>,
    email: Option<&'b str>,
    enabled: bool,
}

/// FROZEN. What version 1 has, the roles, each with the group within which it is held, and more about the person. Languages by
/// their names.
#[derive(Serialize, Deserialize)]
struct UserV2<'b> {
    #[serde(borrow)]
    user: UserV1<'b>,
    roles: Vec<([u8; 16], Option<[u8; 16]>)>,
    last_name: Option<&'b str>,
    first_name: Option<&'b str>,
    middle_name: Option<&'b str>,
    description: Option<&'b str>,
    phones: Vec<&'b str>,
    language: Option<&'b str>,
}

/// FROZEN. What version 2 has, and the service catalogues.
#[derive(Serialize, Deserialize)]
struct UserV3<'b> {
    #[serde(borrow)]
    user: UserV2<'b>,
    service_catalogues: Vec<[u8; 16]>,
}

/// FROZEN. What version 3 has, and which tickets a member of staff sees, by its name.
#[derive(Serialize, Deserialize)]
struct UserV4<'b> {
    #[serde(borrow)]
    user: UserV3<'b>,
    scope: &'b str,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct GroupV1<'b> {
    name: &'b str,
    description: Option<&'b str>,
    #[serde(borrow)]
    systems: Vec<&'b str>,
    archived: bool,
}

/// FROZEN. What version 1 has, and the permission sets.
#[derive(Serialize, Deserialize)]
struct GroupV2<'b> {
    #[serde(borrow)]
    group: GroupV1<'b>,
    permission_sets: Vec<[u8; 16]>,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct OrganisationV1<'b> {
    name: &'b str,
    #[serde(borrow)]
    products: Vec<&'b str>,
    archived: bool,
}

/// FROZEN. What version 1 has, and the service catalogues.
#[derive(Serialize, Deserialize)]
struct OrganisationV2<'b> {
    #[serde(borrow)]
    organisation: OrganisationV1<'b>,
    service_catalogues: Vec<[u8; 16]>,
}

/// FROZEN. What version 2 has, and the portal.
#[derive(Serialize, Deserialize)]
struct OrganisationV3<'b> {
    #[serde(borrow)]
    organisation: OrganisationV2<'b>,
    portal: Option<[u8; 16]>,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct RoleV1<'b> {
    name: &'b str,
    description: Option<&'b str>,
    leading: bool,
    permission_sets: Vec<[u8; 16]>,
    archived: bool,
}

/// FROZEN. Permissions by their names.
#[derive(Serialize, Deserialize)]
struct PermissionSetV1<'b> {
    name: &'b str,
    description: Option<&'b str>,
    #[serde(borrow)]
    permissions: Vec<&'b str>,
    archived: bool,
}

/// FROZEN. Users, and organisations.
#[derive(Serialize, Deserialize)]
struct ProjectV1<'b> {
    name: &'b str,
    description: Option<&'b str>,
    followers: Vec<[u8; 16]>,
    organisations: Vec<[u8; 16]>,
    archived: bool,
}

pub(crate) const fn kind(profile: &Profile) -> KindVersion {
    match profile {
        // Readers of an older release know no scopes, and need not where there is none.
        Profile::User(user) if matches!(user.scope, StaffScope::All) => USER_V3,
        Profile::User(_) => USER_V4,
        Profile::Group(_) => GROUP_V2,
        Profile::Organisation(_) => ORGANISATION_V3,
        Profile::Role(_) => ROLE_V1,
        Profile::PermissionSet(_) => PERMISSION_SET_V1,
        Profile::Project(_) => PROJECT_V1,
        Profile::Portal(_) => portal::PORTAL_V1,
        Profile::Item(item) => catalogue::kind(item),
    }
}

pub(crate) fn encode(profile: &Profile) -> Result<Vec<u8>, postcard::Error> {
    match profile {
        Profile::User(user) if matches!(user.scope, StaffScope::All) => postcard::to_stdvec(&stored_user(user)),
        Profile::User(user) => postcard::to_stdvec(&UserV4 {
            user: stored_user(user),
            scope: user.scope.as_str(),
        }),
        Profile::Group(group) => postcard::to_stdvec(&GroupV2 {
            group: GroupV1 {
                name: group.name.as_str(),
                description: group.description.as_ref().map(Body::as_str),
                systems: texts(&group.systems),
                archived: group.archived,
            },
            permission_sets: sets(&group.permission_sets),
        }),
        Profile::Organisation(organisation) => postcard::to_stdvec(&OrganisationV3 {
            organisation: OrganisationV2 {
                organisation: OrganisationV1 {
                    name: organisation.name.as_str(),
                    products: texts(&organisation.products),
                    archived: organisation.archived,
                },
                service_catalogues: catalogues(&organisation.service_catalogues),
            },
            portal: organisation.portal.map(PortalId::to_bytes),
        }),
        Profile::Role(role) => postcard::to_stdvec(&RoleV1 {
            name: role.name.as_str(),
            description: role.description.as_ref().map(Body::as_str),
            leading: role.leading,
            permission_sets: sets(&role.permission_sets),
            archived: role.archived,
        }),
        Profile::PermissionSet(set) => postcard::to_stdvec(&PermissionSetV1 {
            name: set.name.as_str(),
            description: set.description.as_ref().map(Body::as_str),
            permissions: names(&set.permissions),
            archived: set.archived,
        }),
        Profile::Project(project) => postcard::to_stdvec(&ProjectV1 {
            name: project.name.as_str(),
            description: project.description.as_ref().map(Body::as_str),
            followers: project.followers.iter().map(|id| id.to_bytes()).collect(),
            organisations: project.organisations.iter().map(|id| id.to_bytes()).collect(),
            archived: project.archived,
        }),
        Profile::Portal(portal) => portal::encode(portal),
        Profile::Item(item) => catalogue::encode(item),
    }
}

fn stored_user(user: &User) -> UserV3<'_> {
    let v1 = UserV1 {
        name: user.name.as_str(),
        kind: match user.kind {
            UserKind::Staff => 1,
            UserKind::Customer => 2,
        },
        organisation: user.organisation.map(|id| *id.as_uuid().as_bytes()),
        groups: user.groups.iter().map(|id| id.to_bytes()).collect(),
        leading: user.leading,
        permissions: names(&user.permissions),
        position: user.position.as_ref().map(Label::as_str),
        email: user.email.as_ref().map(Label::as_str),
        enabled: user.enabled,
    };
    let held = |held: &Assignment| (held.role.to_bytes(), held.group.map(GroupId::to_bytes));
    let v2 = UserV2 {
        user: v1,
        roles: user.roles.iter().map(held).collect(),
        last_name: user.full_name.last.as_ref().map(Label::as_str),
        first_name: user.full_name.first.as_ref().map(Label::as_str),
        middle_name: user.full_name.middle.as_ref().map(Label::as_str),
        description: user.description.as_ref().map(Body::as_str),
        phones: texts(&user.phones),
        language: user.language.map(Language::as_str),
    };
    UserV3 {
        user: v2,
        service_catalogues: catalogues(&user.service_catalogues),
    }
}

/// `None`: the kind is none of a profile's.
pub(crate) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<Profile, DecodeError>> {
    match kind {
        USER_V1 => Some(exact(bytes).and_then(user_v1).map(Profile::User)),
        USER_V2 => Some(exact(bytes).and_then(user_v2).map(Profile::User)),
        USER_V3 => Some(exact(bytes).and_then(user_v3).map(Profile::User)),
        USER_V4 => Some(user(bytes).map(Profile::User)),
        GROUP_V1 => Some(exact(bytes).and_then(group_v1).map(Profile::Group)),
        GROUP_V2 => Some(group(bytes).map(Profile::Group)),
        ORGANISATION_V1 => Some(exact(bytes).and_then(organisation_v1).map(Profile::Organisation)),
        ORGANISATION_V2 => Some(exact(bytes).and_then(organisation_v2).map(Profile::Organisation)),
        ORGANISATION_V3 => Some(organisation(bytes).map(Profile::Organisation)),
        ROLE_V1 => Some(role(bytes).map(Profile::Role)),
        PERMISSION_SET_V1 => Some(permission_set(bytes).map(Profile::PermissionSet)),
        PROJECT_V1 => Some(project(bytes).map(Profile::Project)),
        portal::PORTAL_V1 => Some(portal::decode(bytes).map(Profile::Portal)),
        other => Some(catalogue::decode(other, bytes)?.map(Profile::Item)),
    }
}

fn user(bytes: &[u8]) -> Result<User, DecodeError> {
    let stored: UserV4<'_> = exact(bytes)?;
    let known = |name: &str| StaffScope::ALL.into_iter().find(|scope| scope.as_str() == name);
    Ok(User {
        scope: known(stored.scope).ok_or(DecodeError::Value { field: "scope" })?,
        ..user_v3(stored.user)?
    })
}

fn user_v3(stored: UserV3<'_>) -> Result<User, DecodeError> {
    Ok(User {
        service_catalogues: catalogue_ids(stored.service_catalogues),
        ..user_v2(stored.user)?
    })
}

fn user_v2(stored: UserV2<'_>) -> Result<User, DecodeError> {
    let held = |(role, group): ([u8; 16], Option<[u8; 16]>)| Assignment {
        role: RoleId::from_bytes(role),
        group: group.map(value::group),
    };
    let language = |name| Language::parse(name).ok_or(DecodeError::Value { field: "language" });
    Ok(User {
        roles: stored.roles.into_iter().map(held).collect(),
        full_name: FullName {
            last: value::optional_label(stored.last_name)?,
            first: value::optional_label(stored.first_name)?,
            middle: value::optional_label(stored.middle_name)?,
        },
        description: value::optional_body(stored.description)?,
        phones: labels(stored.phones)?,
        language: stored.language.map(language).transpose()?,
        ..user_v1(stored.user)?
    })
}

fn user_v1(stored: UserV1<'_>) -> Result<User, DecodeError> {
    let kind = match stored.kind {
        1 => UserKind::Staff,
        2 => UserKind::Customer,
        _ => return Err(DecodeError::Value { field: "kind of user" }),
    };
    Ok(User {
        organisation: stored.organisation.map(value::organisation),
        groups: stored.groups.into_iter().map(value::group).collect(),
        leading: stored.leading,
        permissions: permissions(stored.permissions)?,
        position: value::optional_label(stored.position)?,
        email: value::optional_label(stored.email)?,
        enabled: stored.enabled,
        ..User::plain(value::label(stored.name)?, kind)
    })
}

fn group(bytes: &[u8]) -> Result<Group, DecodeError> {
    let stored: GroupV2<'_> = exact(bytes)?;
    Ok(Group {
        permission_sets: set_ids(stored.permission_sets),
        ..group_v1(stored.group)?
    })
}

fn group_v1(stored: GroupV1<'_>) -> Result<Group, DecodeError> {
    Ok(Group {
        name: value::label(stored.name)?,
        description: value::optional_body(stored.description)?,
        systems: labels(stored.systems)?,
        permission_sets: BTreeSet::new(),
        archived: stored.archived,
    })
}

fn organisation(bytes: &[u8]) -> Result<Organisation, DecodeError> {
    let stored: OrganisationV3<'_> = exact(bytes)?;
    Ok(Organisation {
        portal: stored.portal.map(PortalId::from_bytes),
        ..organisation_v2(stored.organisation)?
    })
}

fn organisation_v2(stored: OrganisationV2<'_>) -> Result<Organisation, DecodeError> {
    Ok(Organisation {
        service_catalogues: catalogue_ids(stored.service_catalogues),
        ..organisation_v1(stored.organisation)?
    })
}

fn organisation_v1(stored: OrganisationV1<'_>) -> Result<Organisation, DecodeError> {
    Ok(Organisation {
        name: value::label(stored.name)?,
        products: labels(stored.products)?,
        service_catalogues: BTreeSet::new(),
        portal: None,
        archived: stored.archived,
    })
}

fn role(bytes: &[u8]) -> Result<Role, DecodeError> {
    let stored: RoleV1<'_> = exact(bytes)?;
    Ok(Role {
        name: value::label(stored.name)?,
        description: value::optional_body(stored.description)?,
        leading: stored.leading,
        permission_sets: set_ids(stored.permission_sets),
        archived: stored.archived,
    })
}

fn permission_set(bytes: &[u8]) -> Result<PermissionSet, DecodeError> {
    let stored: PermissionSetV1<'_> = exact(bytes)?;
    Ok(PermissionSet {
        name: value::label(stored.name)?,
        description: value::optional_body(stored.description)?,
        permissions: permissions(stored.permissions)?,
        archived: stored.archived,
    })
}

fn project(bytes: &[u8]) -> Result<Project, DecodeError> {
    let stored: ProjectV1<'_> = exact(bytes)?;
    Ok(Project {
        name: value::label(stored.name)?,
        description: value::optional_body(stored.description)?,
        followers: stored.followers.into_iter().map(UserId::from_bytes).collect(),
        organisations: stored
            .organisations
            .into_iter()
            .map(OrganisationId::from_bytes)
            .collect(),
        archived: stored.archived,
    })
}

fn sets(ids: &BTreeSet<PermissionSetId>) -> Vec<[u8; 16]> {
    ids.iter().map(|id| id.to_bytes()).collect()
}

fn set_ids(ids: Vec<[u8; 16]>) -> BTreeSet<PermissionSetId> {
    ids.into_iter().map(PermissionSetId::from_bytes).collect()
}

pub(crate) fn catalogues(ids: &BTreeSet<ServiceCatalogueId>) -> Vec<[u8; 16]> {
    ids.iter().map(|id| id.to_bytes()).collect()
}

pub(crate) fn catalogue_ids(ids: Vec<[u8; 16]>) -> BTreeSet<ServiceCatalogueId> {
    ids.into_iter().map(ServiceCatalogueId::from_bytes).collect()
}

fn names(permissions: &BTreeSet<Permission>) -> Vec<&'static str> {
    permissions.iter().map(|permission| permission.as_str()).collect()
}

fn permissions(names: Vec<&str>) -> Result<BTreeSet<Permission>, DecodeError> {
    let known = |name| Permission::parse(name).ok_or(DecodeError::Value { field: "permission" });
    names.into_iter().map(known).collect()
}

pub(crate) fn texts(labels: &BTreeSet<Label>) -> Vec<&str> {
    labels.iter().map(Label::as_str).collect()
}

pub(crate) fn labels(texts: Vec<&str>) -> Result<BTreeSet<Label>, DecodeError> {
    texts.into_iter().map(value::label).collect()
}
