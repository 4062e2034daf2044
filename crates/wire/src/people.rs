//! Stored form of the profiles of users, groups and organisations.

use std::collections::BTreeSet;

use domain::actor::Permission;
use domain::people::{Group, Organisation, Profile, User, UserKind};
use domain::text::{Body, Label};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};
use crate::value;

pub(crate) const USER_V1: KindVersion = KindVersion { kind: 1041, version: 1 };
pub(crate) const GROUP_V1: KindVersion = KindVersion { kind: 1042, version: 1 };
pub(crate) const ORGANISATION_V1: KindVersion = KindVersion { kind: 1043, version: 1 };

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

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct GroupV1<'b> {
    name: &'b str,
    description: Option<&'b str>,
    #[serde(borrow)]
    systems: Vec<&'b str>,
    archived: bool,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct OrganisationV1<'b> {
    name: &'b str,
    #[serde(borrow)]
    products: Vec<&'b str>,
    archived: bool,
}

pub(crate) const fn kind(profile: &Profile) -> KindVersion {
    match profile {
        Profile::User(_) => USER_V1,
        Profile::Group(_) => GROUP_V1,
        Profile::Organisation(_) => ORGANISATION_V1,
    }
}

pub(crate) fn encode(profile: &Profile) -> Result<Vec<u8>, postcard::Error> {
    match profile {
        Profile::User(user) => postcard::to_stdvec(&UserV1 {
            name: user.name.as_str(),
            kind: match user.kind {
                UserKind::Staff => 1,
                UserKind::Customer => 2,
            },
            organisation: user.organisation.map(|id| *id.as_uuid().as_bytes()),
            groups: user.groups.iter().map(|id| id.to_bytes()).collect(),
            leading: user.leading,
            permissions: user.permissions.iter().map(|permission| permission.as_str()).collect(),
            position: user.position.as_ref().map(Label::as_str),
            email: user.email.as_ref().map(Label::as_str),
            enabled: user.enabled,
        }),
        Profile::Group(group) => postcard::to_stdvec(&GroupV1 {
            name: group.name.as_str(),
            description: group.description.as_ref().map(Body::as_str),
            systems: texts(&group.systems),
            archived: group.archived,
        }),
        Profile::Organisation(organisation) => postcard::to_stdvec(&OrganisationV1 {
            name: organisation.name.as_str(),
            products: texts(&organisation.products),
            archived: organisation.archived,
        }),
    }
}

/// `None`: the kind is none of a profile's.
pub(crate) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<Profile, DecodeError>> {
    match kind {
        USER_V1 => Some(user(bytes).map(Profile::User)),
        GROUP_V1 => Some(group(bytes).map(Profile::Group)),
        ORGANISATION_V1 => Some(organisation(bytes).map(Profile::Organisation)),
        _ => None,
    }
}

fn user(bytes: &[u8]) -> Result<User, DecodeError> {
    let stored: UserV1<'_> = exact(bytes)?;
    let permissions = stored
        .permissions
        .into_iter()
        .map(|name| Permission::parse(name).ok_or(DecodeError::Value { field: "permission" }));
    Ok(User {
        name: value::label(stored.name)?,
        kind: match stored.kind {
            1 => UserKind::Staff,
            2 => UserKind::Customer,
            _ => return Err(DecodeError::Value { field: "kind of user" }),
        },
        organisation: stored.organisation.map(value::organisation),
        groups: stored.groups.into_iter().map(value::group).collect(),
        leading: stored.leading,
        permissions: permissions.collect::<Result<_, DecodeError>>()?,
        position: value::optional_label(stored.position)?,
        email: value::optional_label(stored.email)?,
        enabled: stored.enabled,
    })
}

fn group(bytes: &[u8]) -> Result<Group, DecodeError> {
    let stored: GroupV1<'_> = exact(bytes)?;
    Ok(Group {
        name: value::label(stored.name)?,
        description: value::optional_body(stored.description)?,
        systems: labels(stored.systems)?,
        archived: stored.archived,
    })
}

fn organisation(bytes: &[u8]) -> Result<Organisation, DecodeError> {
    let stored: OrganisationV1<'_> = exact(bytes)?;
    Ok(Organisation {
        name: value::label(stored.name)?,
        products: labels(stored.products)?,
        archived: stored.archived,
    })
}

fn texts(labels: &BTreeSet<Label>) -> Vec<&str> {
    labels.iter().map(Label::as_str).collect()
}

fn labels(texts: Vec<&str>) -> Result<BTreeSet<Label>, DecodeError> {
    texts.into_iter().map(value::label).collect()
}
