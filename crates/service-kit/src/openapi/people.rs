//! Profiles of users, groups, organisations, roles, permission sets, projects and portals, as both services describe them.

use domain::actor::{Permission, StaffScope};
use domain::directory::EntryKind;
use domain::ids::PortalId;
use domain::people::{LIST_MAX, Language, UserKind};
use domain::portal::{App, PanelFilter};
use domain::project::FOLLOWERS_MAX;
use domain::text::{Body, Label};
use uuid::Uuid;

use super::catalogue;
use super::schema::{
    Property, Shape, array, array_up_to, boolean, code, names, nullable, object, optional, required, string, text, uuid,
};

/// Where entries of a kind are.
pub const fn path(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::User => "/v1/users",
        EntryKind::Group => "/v1/groups",
        EntryKind::Organisation => "/v1/organisations",
        EntryKind::Role => "/v1/roles",
        EntryKind::PermissionSet => "/v1/permission-sets",
        EntryKind::Project => "/v1/projects",
        EntryKind::Portal => "/v1/portals",
        EntryKind::Item(kind) => catalogue::path(kind),
    }
}

/// The id that a path names. The portal of all who name no other has a word for its id.
pub fn entry_id(kind: EntryKind, text: &str) -> Option<Uuid> {
    match (kind, text) {
        (EntryKind::Portal, "others") => Some(PortalId::OTHERS.as_uuid()),
        _ => text.parse().ok(),
    }
}

/// An entry of a kind, in words.
pub const fn noun(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::User => "user",
        EntryKind::Group => "group",
        EntryKind::Organisation => "organisation",
        EntryKind::Role => "role",
        EntryKind::PermissionSet => "permission set",
        EntryKind::Project => "project",
        EntryKind::Portal => "portal",
        EntryKind::Item(kind) => catalogue::noun(kind),
    }
}

/// What a body says of an entry.
pub fn taken(kind: EntryKind) -> Vec<Property> {
    let label = || text(Label::CHARACTERS_MAX);
    let labels = || nullable(array_up_to(LIST_MAX, label()));
    let sets = || nullable(array_up_to(LIST_MAX, uuid()));
    let name = required("name", "", label());
    let archived = optional("archived", "Out of use; false, if left out.", nullable(boolean()));
    match kind {
        EntryKind::User => vec![
            name,
            required("kind", "", user_kind()),
            optional("organisation", "", nullable(uuid())),
            optional("groups", "", nullable(array_up_to(LIST_MAX, uuid()))),
            optional(
                "leading",
                "Whether they lead in these groups; false, if left out.",
                nullable(boolean()),
            ),
            optional(
                "scope",
                "Which tickets a member of staff sees: all, or those of their groups and those that concern them; all, if left out.",
                nullable(staff_scope()),
            ),
            optional(
                "permissions",
                "For staff alone.",
                nullable(array_up_to(LIST_MAX, permission())),
            ),
            optional(
                "roles",
                "The roles that they hold: each system-wide, or within a group.",
                nullable(array_up_to(LIST_MAX, assignment())),
            ),
            optional("last_name", "", nullable(label())),
            optional("first_name", "", nullable(label())),
            optional("middle_name", "", nullable(label())),
            optional("position", "", nullable(label())),
            optional("description", "", nullable(text(Body::CHARACTERS_MAX))),
            optional("email", "", nullable(string())),
            optional("phones", "", labels()),
            optional(
                "service_catalogues",
                "Those granted to them; staff need none.",
                nullable(array_up_to(LIST_MAX, uuid())),
            ),
            optional("language", "In which to write and to speak.", nullable(language())),
            optional(
                "enabled",
                "Whether they may come in; true, if left out.",
                nullable(boolean()),
            ),
        ],
        EntryKind::Group => vec![
            name,
            optional("description", "", nullable(text(Body::CHARACTERS_MAX))),
            optional("systems", "Whose tickets it works on.", labels()),
            optional("permission_sets", "What its members may do.", sets()),
            archived,
        ],
        EntryKind::Organisation => vec![
            name,
            optional("products", "What it has bought.", labels()),
            optional(
                "service_catalogues",
                "Those granted to all of its people.",
                nullable(array_up_to(LIST_MAX, uuid())),
            ),
            optional(
                "portal",
                "Through which its people come; null or left out: the portal that is for all others.",
                nullable(uuid()),
            ),
            archived,
        ],
        EntryKind::Role => vec![
            name,
            optional("description", "", nullable(text(Body::CHARACTERS_MAX))),
            optional(
                "leading",
                "Whether its holders lead; false, if left out.",
                nullable(boolean()),
            ),
            optional("permission_sets", "What its holders may do.", sets()),
            archived,
        ],
        EntryKind::PermissionSet => vec![
            name,
            optional("description", "", nullable(text(Body::CHARACTERS_MAX))),
            required("permissions", "What it gives.", array_up_to(LIST_MAX, permission())),
            archived,
        ],
        EntryKind::Project => project_taken(name),
        EntryKind::Portal => portal_taken(name, archived),
        EntryKind::Item(kind) => catalogue::taken(kind),
    }
}

/// What is answered of an entry, but for its name.
pub fn written(kind: EntryKind) -> Vec<Property> {
    match kind {
        EntryKind::User => vec![
            required("kind", "", user_kind()),
            required("organisation", "", nullable(uuid())),
            required("groups", "", array(uuid())),
            required("leading", "", boolean()),
            required("scope", "", staff_scope()),
            required("permissions", "", array(permission())),
            required("roles", "", array(assignment())),
            required("last_name", "", nullable(string())),
            required("first_name", "", nullable(string())),
            required("middle_name", "", nullable(string())),
            required("position", "", nullable(string())),
            required("description", "", nullable(string())),
            required("email", "", nullable(string())),
            required("phones", "", array(string())),
            required("service_catalogues", "", array(uuid())),
            required("language", "", nullable(language())),
            required("enabled", "", boolean()),
        ],
        EntryKind::Group => vec![
            required("description", "", nullable(string())),
            required("systems", "", array(string())),
            required("permission_sets", "", array(uuid())),
            required("archived", "", boolean()),
        ],
        EntryKind::Organisation => vec![
            required("products", "", array(string())),
            required("service_catalogues", "", array(uuid())),
            required("portal", "", nullable(uuid())),
            required("archived", "", boolean()),
        ],
        EntryKind::Role => vec![
            required("description", "", nullable(string())),
            required("leading", "", boolean()),
            required("permission_sets", "", array(uuid())),
            required("archived", "", boolean()),
        ],
        EntryKind::PermissionSet => vec![
            required("description", "", nullable(string())),
            required("permissions", "", array(permission())),
            required("archived", "", boolean()),
        ],
        EntryKind::Project => vec![
            required("description", "", nullable(string())),
            required("followers", "", array(uuid())),
            required("organisations", "", array(uuid())),
            required("archived", "", boolean()),
        ],
        EntryKind::Portal => [required("description", "", nullable(string()))]
            .into_iter()
            .chain(showing())
            .chain([required("archived", "", boolean())])
            .collect(),
        EntryKind::Item(kind) => catalogue::written(kind),
    }
}

/// What a body says of a project.
fn project_taken(name: Property) -> Vec<Property> {
    vec![
        name,
        optional("description", "", nullable(text(Body::CHARACTERS_MAX))),
        optional(
            "followers",
            "The users who follow it. A customer sees the tickets of projects that they follow.",
            nullable(array_up_to(FOLLOWERS_MAX, uuid())),
        ),
        optional(
            "organisations",
            "The organisations that follow it: all of their people do.",
            nullable(array_up_to(FOLLOWERS_MAX, uuid())),
        ),
        optional(
            "archived",
            "Whether it takes no new tickets; false, if left out.",
            nullable(boolean()),
        ),
    ]
}

/// What a body says of a portal.
fn portal_taken(name: Property, archived: Property) -> Vec<Property> {
    let properties = || nullable(array_up_to(LIST_MAX, string()));
    vec![
        name,
        optional("description", "", nullable(text(Body::CHARACTERS_MAX))),
        optional(
            "own",
            "Whether it shows the tickets that customers asked for or follow, those of their organisation, and the open ones of groups that they lead; true, if left out.",
            nullable(boolean()),
        ),
        optional(
            "projects",
            "Whether it shows the tickets of projects that they or their organisation follow; true, if left out.",
            nullable(boolean()),
        ),
        optional(
            "types",
            "The codes of the types that it shows and takes; null or left out: all.",
            nullable(array_up_to(LIST_MAX, code())),
        ),
        optional(
            "visible",
            "What it shows of a ticket besides what every ticket shows; null or left out: everything. A single custom field is written `custom_fields.` and its name.",
            properties(),
        ),
        optional(
            "editable",
            "What customers may change of what is visible: with `edit` `subject`, `description`, `platform_version`, `custom_fields`, or single ones, and with `classify` `type`, `priority`, `category`, `system`, `environment`, `service`, `product`; null or left out: all that `edit` takes.",
            properties(),
        ),
        optional(
            "filters",
            "The filters beside its lists; null or left out: all.",
            nullable(array_up_to(LIST_MAX, names(PanelFilter::ALL.map(PanelFilter::as_str)))),
        ),
        optional(
            "apps",
            "What it consists of; null or left out: everything.",
            nullable(array_up_to(LIST_MAX, names(App::ALL.map(App::as_str)))),
        ),
        archived,
    ]
}

/// What a portal shows. Null in place of a list: all.
pub fn showing() -> Vec<Property> {
    vec![
        required("own", "", boolean()),
        required("projects", "", boolean()),
        required("types", "", nullable(array(string()))),
        required("visible", "", nullable(array(string()))),
        required("editable", "", nullable(array(string()))),
        required(
            "filters",
            "",
            nullable(array(names(PanelFilter::ALL.map(PanelFilter::as_str)))),
        ),
        required("apps", "", nullable(array(names(App::ALL.map(App::as_str))))),
    ]
}

/// A role that somebody holds.
fn assignment() -> Shape {
    object([
        required("role", "", uuid()),
        optional(
            "group",
            "Within which; null or left out: system-wide.",
            nullable(uuid()),
        ),
    ])
}

/// A language of the desk, ISO 639-1.
pub fn language() -> Shape {
    names(Language::ALL.map(Language::as_str))
}

/// Which tickets a member of staff sees.
pub fn staff_scope() -> Shape {
    names(StaffScope::ALL.map(StaffScope::as_str))
}

/// Staff or customer.
pub fn user_kind() -> Shape {
    names(UserKind::ALL.map(UserKind::as_str))
}

/// A permission's name.
pub fn permission() -> Shape {
    names(Permission::ALL.map(Permission::as_str))
}
