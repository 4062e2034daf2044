//! Profiles of users, groups, organisations, roles, permission sets, projects and portals, as people write them and as
//! [`crate::written::profile`] writes them.

use std::collections::BTreeSet;

use domain::actor::{Permission, StaffScope};
use domain::directory::EntryKind;
use domain::people::{FullName, Group, LIST_MAX, Language, Organisation, Profile, User, UserKind};
use domain::project::{FOLLOWERS_MAX, Project};
use domain::rights::{Assignment, PermissionSet, Role};
use domain::text::{Body, Label};
use serde_json::{Map, Value};

use super::fields::{Fields, Unreadable, one_of, text, uuid};
use super::{catalogue, portal};
use crate::problem::Problem;

/// Reads what a body says of an entry of this kind.
pub fn profile(kind: EntryKind, body: &Map<String, Value>) -> Result<Profile, Problem> {
    read(kind, Fields::new(body))
}

/// Reads what is kept of an entry of this kind.
pub fn kept(kind: EntryKind, body: &Map<String, Value>) -> Result<Profile, Problem> {
    read(kind, Fields::kept(body))
}

fn read(kind: EntryKind, mut fields: Fields<'_>) -> Result<Profile, Problem> {
    let profile = match kind {
        EntryKind::User => user(&mut fields).map(Profile::User),
        EntryKind::Group => group(&mut fields).map(Profile::Group),
        EntryKind::Organisation => organisation(&mut fields).map(Profile::Organisation),
        EntryKind::Role => role(&mut fields).map(Profile::Role),
        EntryKind::PermissionSet => permission_set(&mut fields).map(Profile::PermissionSet),
        EntryKind::Project => project(&mut fields).map(Profile::Project),
        EntryKind::Portal => portal::portal(&mut fields).map(Profile::Portal),
        EntryKind::Item(kind) => catalogue::item(kind, &mut fields).map(Profile::Item),
    };
    fields.finish()?;
    // Without one there was an error.
    profile.ok_or_else(Problem::internal)
}

fn user(fields: &mut Fields<'_>) -> Option<User> {
    let name = fields.required("name", text(Label::parse));
    let kind = fields.required("kind", |value| one_of(&UserKind::ALL, UserKind::as_str, value));
    let organisation = fields.optional("organisation", uuid);
    let groups = fields.optional("groups", |value| list(value, uuid));
    let leading = fields.flag("leading");
    let scope = fields.optional("scope", |value| one_of(&StaffScope::ALL, StaffScope::as_str, value));
    let scope = scope.unwrap_or_default();
    let permissions = fields.optional("permissions", permissions).unwrap_or_default();
    let roles = fields.optional("roles", |value| list(value, assignment));
    let full_name = FullName {
        last: fields.optional("last_name", text(Label::parse)),
        first: fields.optional("first_name", text(Label::parse)),
        middle: fields.optional("middle_name", text(Label::parse)),
    };
    let position = fields.optional("position", text(Label::parse));
    let description = fields.optional("description", text(Body::parse));
    let email = fields.optional("email", email);
    let phones = fields.optional("phones", |value| list(value, label));
    let service_catalogues = fields.optional("service_catalogues", |value| list(value, uuid));
    let language = fields.optional("language", |value| one_of(&Language::ALL, Language::as_str, value));
    let enabled = fields.flag("enabled");
    if kind == Some(UserKind::Customer) && !permissions.is_empty() {
        fields.refuse("/permissions", "invalid", "customers hold no permissions");
    }
    if kind == Some(UserKind::Customer) && scope != StaffScope::All {
        fields.refuse(
            "/scope",
            "invalid",
            "is for staff: what customers see, their portal says",
        );
    }
    Some(User {
        name: name?,
        kind: kind?,
        organisation: organisation.map(Into::into),
        groups: groups.unwrap_or_default().into_iter().map(Into::into).collect(),
        leading: leading.unwrap_or(false),
        scope,
        permissions,
        roles: roles.unwrap_or_default(),
        full_name,
        position,
        description,
        email,
        phones: phones.unwrap_or_default(),
        service_catalogues: service_catalogues
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect(),
        language,
        enabled: enabled.unwrap_or(true),
    })
}

fn group(fields: &mut Fields<'_>) -> Option<Group> {
    let name = fields.required("name", text(Label::parse));
    let description = fields.optional("description", text(Body::parse));
    let systems = fields.optional("systems", |value| list(value, label));
    let sets = fields.optional("permission_sets", |value| list(value, uuid));
    let archived = fields.flag("archived");
    Some(Group {
        name: name?,
        description,
        systems: systems.unwrap_or_default(),
        permission_sets: sets.unwrap_or_default().into_iter().map(Into::into).collect(),
        archived: archived.unwrap_or(false),
    })
}

fn organisation(fields: &mut Fields<'_>) -> Option<Organisation> {
    let name = fields.required("name", text(Label::parse));
    let products = fields.optional("products", |value| list(value, label));
    let service_catalogues = fields.optional("service_catalogues", |value| list(value, uuid));
    let portal = fields.optional("portal", uuid);
    let archived = fields.flag("archived");
    Some(Organisation {
        name: name?,
        products: products.unwrap_or_default(),
        service_catalogues: service_catalogues
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect(),
        portal: portal.map(Into::into),
        archived: archived.unwrap_or(false),
    })
}

fn role(fields: &mut Fields<'_>) -> Option<Role> {
    let name = fields.required("name", text(Label::parse));
    let description = fields.optional("description", text(Body::parse));
    let leading = fields.flag("leading");
    let sets = fields.optional("permission_sets", |value| list(value, uuid));
    let archived = fields.flag("archived");
    Some(Role {
        name: name?,
        description,
        leading: leading.unwrap_or(false),
        permission_sets: sets.unwrap_or_default().into_iter().map(Into::into).collect(),
        archived: archived.unwrap_or(false),
    })
}

fn permission_set(fields: &mut Fields<'_>) -> Option<PermissionSet> {
    let name = fields.required("name", text(Label::parse));
    let description = fields.optional("description", text(Body::parse));
    let permissions = fields.required("permissions", permissions);
    let archived = fields.flag("archived");
    Some(PermissionSet {
        name: name?,
        description,
        permissions: permissions?,
        archived: archived.unwrap_or(false),
    })
}

fn project(fields: &mut Fields<'_>) -> Option<Project> {
    let name = fields.required("name", text(Label::parse));
    let description = fields.optional("description", text(Body::parse));
    let followers = fields.optional("followers", |value| list_of(FOLLOWERS_MAX, value, uuid));
    let organisations = fields.optional("organisations", |value| list_of(FOLLOWERS_MAX, value, uuid));
    let archived = fields.flag("archived");
    Some(Project {
        name: name?,
        description,
        followers: followers.unwrap_or_default().into_iter().map(Into::into).collect(),
        organisations: organisations.unwrap_or_default().into_iter().map(Into::into).collect(),
        archived: archived.unwrap_or(false),
    })
}

fn permissions(value: &Value) -> Result<BTreeSet<Permission>, Unreadable> {
    list(value, |name| one_of(&Permission::ALL, Permission::as_str, name))
}

/// A role, and within which group: `{"role": …, "group": …}`.
fn assignment(value: &Value) -> Result<Assignment, Unreadable> {
    const SHAPE: Unreadable =
        Unreadable::Type("a list of objects such as {\"role\": \"<UUID>\", \"group\": \"<UUID>\"}");
    let fields = value.as_object().ok_or(SHAPE)?;
    if fields.keys().any(|name| name != "role" && name != "group") {
        return Err(Unreadable::Value(
            "unknown",
            "a role that somebody holds has role, and group if it is held within one".to_owned(),
        ));
    }
    let group = fields.get("group").filter(|group| !group.is_null());
    Ok(Assignment {
        role: uuid(fields.get("role").ok_or(SHAPE)?)?.into(),
        group: group.map(uuid).transpose()?.map(Into::into),
    })
}

/// What could be an address. Whether somebody reads there shows when something is sent.
fn email(value: &Value) -> Result<Label, Unreadable> {
    let address = label(value)?;
    let parts = address.as_str().split_once('@');
    let plausible = |(name, host): (&str, &str)| {
        let plain =
            |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control());
        plain(name) && plain(host)
    };
    if parts.is_some_and(plausible) {
        Ok(address)
    } else {
        Err(Unreadable::Value(
            "invalid",
            "must be an address such as ada@example.org".to_owned(),
        ))
    }
}

pub(super) fn label(value: &Value) -> Result<Label, Unreadable> {
    text(Label::parse)(value)
}

/// Some values, in any order and each once.
pub(super) fn list<T: Ord>(
    value: &Value,
    read: impl Fn(&Value) -> Result<T, Unreadable>,
) -> Result<BTreeSet<T>, Unreadable> {
    list_of(LIST_MAX, value, read)
}

/// The same, of at most so many.
fn list_of<T: Ord>(
    max: usize,
    value: &Value,
    read: impl Fn(&Value) -> Result<T, Unreadable>,
) -> Result<BTreeSet<T>, Unreadable> {
    let items = value.as_array().ok_or(Unreadable::Type("a list"))?;
    if items.len() > max {
        return Err(Unreadable::Value("too_long", format!("must have at most {max} items")));
    }
    items.iter().map(read).collect()
}
