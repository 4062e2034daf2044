//! Items of the catalogue, as both services describe them.

use domain::catalogue::{Awaits, CHOICES_MAX, FieldValue, ItemKind};
use domain::people::LIST_MAX;
use domain::text::{Body, Label};

use super::schema::{
    Property, Shape, array, array_up_to, boolean, code, integer, map, names, nullable, optional, required, string,
    text, uuid,
};

/// Where items of a kind are.
pub(super) const fn path(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Type => "/v1/catalogue/types",
        ItemKind::Priority => "/v1/catalogue/priorities",
        ItemKind::Category => "/v1/catalogue/categories",
        ItemKind::System => "/v1/catalogue/systems",
        ItemKind::Environment => "/v1/catalogue/environments",
        ItemKind::Product => "/v1/catalogue/products",
        ItemKind::ServiceCatalogue => "/v1/catalogue/service-catalogues",
        ItemKind::Service => "/v1/catalogue/services",
        ItemKind::CustomField => "/v1/catalogue/custom-fields",
    }
}

/// An item of a kind, in words.
pub(super) const fn noun(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Type => "type",
        ItemKind::Priority => "priority",
        ItemKind::Category => "category",
        ItemKind::System => "system",
        ItemKind::Environment => "environment",
        ItemKind::Product => "product",
        ItemKind::ServiceCatalogue => "service catalogue",
        ItemKind::Service => "service",
        ItemKind::CustomField => "custom field",
    }
}

/// What a body says of an item.
pub(super) fn taken(kind: ItemKind) -> Vec<Property> {
    let label = || text(Label::CHARACTERS_MAX);
    let name = match kind {
        ItemKind::Type | ItemKind::Priority | ItemKind::ServiceCatalogue => required("name", "", label()),
        ItemKind::CustomField => required("name", "The key that tickets carry. It never changes.", label()),
        ItemKind::Product => required("name", "What organisations say. It never changes.", label()),
        ItemKind::Category | ItemKind::System | ItemKind::Environment | ItemKind::Service => {
            required("name", "What tickets say. It never changes.", label())
        }
    };
    let description = optional("description", "", nullable(text(Body::CHARACTERS_MAX)));
    let archived = optional(
        "archived",
        "It can no longer be chosen; false, if left out.",
        nullable(boolean()),
    );
    let own_code = required("code", "What tickets say. It never changes.", code());
    match kind {
        ItemKind::Type => vec![
            own_code,
            name,
            optional("awaits", "What its tickets may wait for.", nullable(awaits())),
            required(
                "default_priority",
                "The code of the priority of a ticket whose author chose none.",
                code(),
            ),
            archived,
        ],
        ItemKind::Priority => vec![
            own_code,
            name,
            required("rank", "Greater is more urgent.", rank()),
            archived,
        ],
        ItemKind::Category | ItemKind::System | ItemKind::Environment | ItemKind::ServiceCatalogue => {
            vec![name, description, archived]
        }
        ItemKind::Product => vec![
            name,
            description,
            optional(
                "characteristics",
                "What else there is to know, each by its name: a version, a licence.",
                nullable(characteristics()),
            ),
            optional(
                "systems",
                "Those that come with it: the people of organisations that have bought it choose among them.",
                nullable(array_up_to(LIST_MAX, label())),
            ),
            archived,
        ],
        ItemKind::Service => vec![
            name,
            description,
            optional(
                "catalogues",
                "The service catalogues that it is in. In none: it is for staff alone.",
                nullable(array_up_to(LIST_MAX, uuid())),
            ),
            archived,
        ],
        ItemKind::CustomField => vec![
            name,
            description,
            required("value", "What it takes.", names(FieldValue::NAMES)),
            optional(
                "choices",
                "For value choice: in the order in which people read them.",
                nullable(array_up_to(CHOICES_MAX, label())),
            ),
            optional(
                "required",
                "Whether no ticket is created without it; false, if left out.",
                nullable(boolean()),
            ),
            optional(
                "types",
                "The codes of the types of tickets that have it. None: all.",
                nullable(array_up_to(LIST_MAX, code())),
            ),
            archived,
        ],
    }
}

/// What is answered of an item, but for its name.
pub(super) fn written(kind: ItemKind) -> Vec<Property> {
    let description = required("description", "", nullable(string()));
    let archived = required("archived", "", boolean());
    match kind {
        ItemKind::Type => vec![
            required("code", "", string()),
            required("awaits", "", nullable(awaits())),
            required("default_priority", "", string()),
            archived,
        ],
        ItemKind::Priority => vec![required("code", "", string()), required("rank", "", rank()), archived],
        ItemKind::Category | ItemKind::System | ItemKind::Environment | ItemKind::ServiceCatalogue => {
            vec![description, archived]
        }
        ItemKind::Product => vec![
            description,
            required("characteristics", "", characteristics()),
            required("systems", "", array(string())),
            archived,
        ],
        ItemKind::Service => vec![description, required("catalogues", "", array(uuid())), archived],
        ItemKind::CustomField => vec![
            description,
            required("value", "", names(FieldValue::NAMES)),
            required("choices", "", array(string())),
            required("required", "", boolean()),
            required("types", "", array(string())),
            archived,
        ],
    }
}

fn characteristics() -> Shape {
    map(LIST_MAX, text(Label::CHARACTERS_MAX), text(Label::CHARACTERS_MAX))
}

/// What tickets of a type wait for.
pub fn awaits() -> Shape {
    names(Awaits::ALL.map(Awaits::as_str))
}

/// What a custom field takes.
pub fn field_value() -> Shape {
    names(FieldValue::NAMES)
}

fn rank() -> Shape {
    integer(0..=u8::MAX.into())
}
