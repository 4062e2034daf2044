//! Profiles of users, groups and organisations, as both services describe them.

use domain::actor::Permission;
use domain::directory::EntryKind;
use domain::people::{LIST_MAX, UserKind};
use domain::text::{Body, Label};

use super::schema::{
    Property, Shape, array, array_up_to, boolean, names, nullable, optional, required, string, text, uuid,
};

/// Where entries of a kind are.
pub const fn path(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::User => "/v1/users",
        EntryKind::Group => "/v1/groups",
        EntryKind::Organisation => "/v1/organisations",
    }
}

/// What a body says of an entry.
pub fn taken(kind: EntryKind) -> Vec<Property> {
    let label = || text(Label::CHARACTERS_MAX);
    let labels = || nullable(array_up_to(LIST_MAX, label()));
    let name = required("name", "", label());
    let archived = optional("archived", "Out of use; false, if left out.", nullable(boolean()));
    match kind {
        EntryKind::User => vec![
            name,
            required("kind", "", names(UserKind::ALL.map(UserKind::as_str))),
            optional("organisation", "", nullable(uuid())),
            optional("groups", "", nullable(array_up_to(LIST_MAX, uuid()))),
            optional(
                "leading",
                "Whether they lead in these groups; false, if left out.",
                nullable(boolean()),
            ),
            optional(
                "permissions",
                "For staff alone.",
                nullable(array_up_to(LIST_MAX, permission())),
            ),
            optional("position", "", nullable(label())),
            optional("email", "", nullable(string())),
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
            archived,
        ],
        EntryKind::Organisation => vec![name, optional("products", "What it has bought.", labels()), archived],
    }
}

/// What is answered of an entry, but for its name.
pub fn written(kind: EntryKind) -> Vec<Property> {
    match kind {
        EntryKind::User => vec![
            required("kind", "", names(UserKind::ALL.map(UserKind::as_str))),
            required("organisation", "", nullable(uuid())),
            required("groups", "", array(uuid())),
            required("leading", "", boolean()),
            required("permissions", "", array(permission())),
            required("position", "", nullable(string())),
            required("email", "", nullable(string())),
            required("enabled", "", boolean()),
        ],
        EntryKind::Group => vec![
            required("description", "", nullable(string())),
            required("systems", "", array(string())),
            required("archived", "", boolean()),
        ],
        EntryKind::Organisation => vec![
            required("products", "", array(string())),
            required("archived", "", boolean()),
        ],
    }
}

fn permission() -> Shape {
    names(Permission::ALL.map(Permission::as_str))
}
