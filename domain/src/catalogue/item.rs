//! What administrators write into the catalogue: one item each, version after version, as with profiles.

use std::collections::{BTreeMap, BTreeSet};

use super::Awaits;
use crate::ids::ServiceCatalogueId;
use crate::text::{Body, Code, Label};

/// A choice field offers no more than this: nobody finds anything in a longer list.
pub const CHOICES_MAX: usize = 200;

/// What sort of thing an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// What a ticket is about: an outage, a question.
    Type,
    /// How urgent a ticket is.
    Priority,
    /// A subject matter.
    Category,
    /// Something that the desk cares for.
    System,
    /// Where a system runs.
    Environment,
    /// What organisations buy.
    Product,
    /// Services that are granted together.
    ServiceCatalogue,
    /// What the desk does for those to whom it is granted.
    Service,
    /// A field that tickets carry besides their own.
    CustomField,
}

impl ItemKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Type,
        Self::Priority,
        Self::Category,
        Self::System,
        Self::Environment,
        Self::Product,
        Self::ServiceCatalogue,
        Self::Service,
        Self::CustomField,
    ];

    /// Its name in subjects of the log and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Priority => "priority",
            Self::Category => "category",
            Self::System => "system",
            Self::Environment => "environment",
            Self::Product => "product",
            Self::ServiceCatalogue => "service_catalogue",
            Self::Service => "service",
            Self::CustomField => "custom_field",
        }
    }

    /// Whether whoever fills in a form reads its items, customers too. The others are for staff.
    pub const fn is_for_forms(self) -> bool {
        match self {
            Self::Type
            | Self::Priority
            | Self::Category
            | Self::System
            | Self::Environment
            | Self::Product
            | Self::Service
            | Self::CustomField => true,
            Self::ServiceCatalogue => false,
        }
    }
}

/// What is known of an item, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A type of tickets.
    Type(TypeItem),
    /// A priority of tickets.
    Priority(PriorityItem),
    /// A category.
    Category(Plain),
    /// A system.
    System(Plain),
    /// An environment.
    Environment(Plain),
    /// A product.
    Product(Product),
    /// A service catalogue.
    ServiceCatalogue(Plain),
    /// A service.
    Service(Service),
    /// A custom field.
    CustomField(CustomField),
}

/// A type of tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeItem {
    /// What tickets say. It is whose item this is, and never changes.
    pub code: Code,
    /// What everybody reads.
    pub name: Label,
    /// What tickets of the type may wait for.
    pub awaits: Option<Awaits>,
    /// The priority of a ticket whose author chose none.
    pub default_priority: Code,
    /// Whether it can no longer be chosen.
    pub archived: bool,
}

/// A priority of tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorityItem {
    /// What tickets say. It is whose item this is, and never changes.
    pub code: Code,
    /// What everybody reads.
    pub name: Label,
    /// Its place among the others: a greater rank is more urgent.
    pub rank: u8,
    /// Whether it can no longer be chosen.
    pub archived: bool,
}

/// A category, system, environment or service catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// What everybody reads, and what tickets say. But for service catalogues, it never changes.
    pub name: Label,
    /// What it is.
    pub description: Option<Body>,
    /// Whether it can no longer be chosen.
    pub archived: bool,
}

/// What organisations buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// What everybody reads, and what organisations say. It never changes.
    pub name: Label,
    /// What it is.
    pub description: Option<Body>,
    /// What else there is to know, each by its name: a version, a licence.
    pub characteristics: BTreeMap<Label, Label>,
    /// The systems that come with it: the people of whoever has bought it choose among them.
    pub systems: BTreeSet<Label>,
    /// Whether it is out of use.
    pub archived: bool,
}

/// A service of the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What everybody reads, and what tickets say. It never changes.
    pub name: Label,
    /// What the desk does.
    pub description: Option<Body>,
    /// In which service catalogues it is. In none: it is for staff alone.
    pub catalogues: BTreeSet<ServiceCatalogueId>,
    /// Whether it can no longer be chosen.
    pub archived: bool,
}

/// A field that tickets carry besides their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    /// Its name in tickets. It never changes.
    pub name: Label,
    /// What to put in.
    pub description: Option<Body>,
    /// What may be put in.
    pub value: FieldValue,
    /// Whether no ticket is created without it.
    pub required: bool,
    /// The types of tickets that have it. None: all.
    pub types: BTreeSet<Code>,
    /// Whether it can no longer be put in.
    pub archived: bool,
}

/// What a custom field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// A date.
    Date,
    /// One of these, in the order in which people read them.
    Choice(Vec<Label>),
    /// A user who may come in.
    User,
}

impl FieldValue {
    /// The names of all that there are.
    pub const NAMES: [&'static str; 5] = ["text", "number", "date", "choice", "user"];

    /// Its name in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Choice(_) => "choice",
            Self::User => "user",
        }
    }

    /// What there is to choose from.
    pub fn choices(&self) -> &[Label] {
        match self {
            Self::Choice(choices) => choices,
            Self::Text | Self::Number | Self::Date | Self::User => &[],
        }
    }
}

impl Item {
    /// What sort of thing it is.
    pub const fn kind(&self) -> ItemKind {
        match self {
            Self::Type(_) => ItemKind::Type,
            Self::Priority(_) => ItemKind::Priority,
            Self::Category(_) => ItemKind::Category,
            Self::System(_) => ItemKind::System,
            Self::Environment(_) => ItemKind::Environment,
            Self::Product(_) => ItemKind::Product,
            Self::ServiceCatalogue(_) => ItemKind::ServiceCatalogue,
            Self::Service(_) => ItemKind::Service,
            Self::CustomField(_) => ItemKind::CustomField,
        }
    }

    /// What everybody reads.
    pub const fn name(&self) -> &Label {
        match self {
            Self::Type(item) => &item.name,
            Self::Priority(item) => &item.name,
            Self::Category(item) | Self::System(item) | Self::Environment(item) | Self::ServiceCatalogue(item) => {
                &item.name
            }
            Self::Product(item) => &item.name,
            Self::Service(item) => &item.name,
            Self::CustomField(item) => &item.name,
        }
    }

    /// What tells it from all others of its kind, and the member of JSON that has it. `None`: its id alone does.
    pub fn identity(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Type(item) => Some(("code", item.code.as_str())),
            Self::Priority(item) => Some(("code", item.code.as_str())),
            Self::ServiceCatalogue(_) => None,
            Self::Category(_)
            | Self::System(_)
            | Self::Environment(_)
            | Self::Product(_)
            | Self::Service(_)
            | Self::CustomField(_) => Some(("name", self.name().as_str())),
        }
    }

    /// Whether it can no longer be chosen.
    pub const fn is_archived(&self) -> bool {
        match self {
            Self::Type(item) => item.archived,
            Self::Priority(item) => item.archived,
            Self::Category(item) | Self::System(item) | Self::Environment(item) | Self::ServiceCatalogue(item) => {
                item.archived
            }
            Self::Product(item) => item.archived,
            Self::Service(item) => item.archived,
            Self::CustomField(item) => item.archived,
        }
    }

    /// The name of its event in the log and in JSON.
    pub const fn change(&self) -> &'static str {
        match self {
            Self::Type(_) => "type_written",
            Self::Priority(_) => "priority_written",
            Self::Category(_) => "category_written",
            Self::System(_) => "system_written",
            Self::Environment(_) => "environment_written",
            Self::Product(_) => "product_written",
            Self::ServiceCatalogue(_) => "service_catalogue_written",
            Self::Service(_) => "service_written",
            Self::CustomField(_) => "custom_field_written",
        }
    }
}
