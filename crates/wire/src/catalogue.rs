//! Stored form of the catalogue's items.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::{Awaits, CustomField, FieldValue, Item, Plain, PriorityItem, Product, Service, TypeItem};
use domain::text::{Body, Code, Label};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};
use crate::people::{catalogue_ids, catalogues, labels, texts};
use crate::value;

pub(crate) const TYPE_V1: KindVersion = KindVersion { kind: 1051, version: 1 };
pub(crate) const PRIORITY_V1: KindVersion = KindVersion { kind: 1052, version: 1 };
pub(crate) const CATEGORY_V1: KindVersion = KindVersion { kind: 1053, version: 1 };
pub(crate) const SYSTEM_V1: KindVersion = KindVersion { kind: 1054, version: 1 };
pub(crate) const ENVIRONMENT_V1: KindVersion = KindVersion { kind: 1055, version: 1 };
pub(crate) const PRODUCT_V1: KindVersion = KindVersion { kind: 1056, version: 1 };
pub(crate) const PRODUCT_V2: KindVersion = KindVersion { kind: 1056, version: 2 };
pub(crate) const SERVICE_CATALOGUE_V1: KindVersion = KindVersion { kind: 1057, version: 1 };
pub(crate) const SERVICE_V1: KindVersion = KindVersion { kind: 1058, version: 1 };
pub(crate) const CUSTOM_FIELD_V1: KindVersion = KindVersion { kind: 1059, version: 1 };

/// FROZEN. `awaits`: 0 nothing, 1 a fix, 2 an implementation.
#[derive(Serialize, Deserialize)]
struct TypeV1<'b> {
    code: &'b str,
    name: &'b str,
    awaits: u8,
    default_priority: &'b str,
    archived: bool,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct PriorityV1<'b> {
    code: &'b str,
    name: &'b str,
    rank: u8,
    archived: bool,
}

/// FROZEN. A category, system, environment, product or service catalogue.
#[derive(Serialize, Deserialize)]
struct PlainV1<'b> {
    name: &'b str,
    description: Option<&'b str>,
    archived: bool,
}

/// FROZEN. A product: what version 1 has, its characteristics by their names, and its systems.
#[derive(Serialize, Deserialize)]
struct ProductV2<'b> {
    #[serde(borrow)]
    product: PlainV1<'b>,
    #[serde(borrow)]
    characteristics: Vec<(&'b str, &'b str)>,
    systems: Vec<&'b str>,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct ServiceV1<'b> {
    name: &'b str,
    description: Option<&'b str>,
    catalogues: Vec<[u8; 16]>,
    archived: bool,
}

/// FROZEN. `value`: 1 text, 2 number, 3 date, 4 one of the choices, 5 user.
#[derive(Serialize, Deserialize)]
struct CustomFieldV1<'b> {
    name: &'b str,
    description: Option<&'b str>,
    value: u8,
    #[serde(borrow)]
    choices: Vec<&'b str>,
    required: bool,
    types: Vec<&'b str>,
    archived: bool,
}

pub(crate) const fn kind(item: &Item) -> KindVersion {
    match item {
        Item::Type(_) => TYPE_V1,
        Item::Priority(_) => PRIORITY_V1,
        Item::Category(_) => CATEGORY_V1,
        Item::System(_) => SYSTEM_V1,
        Item::Environment(_) => ENVIRONMENT_V1,
        Item::Product(_) => PRODUCT_V2,
        Item::ServiceCatalogue(_) => SERVICE_CATALOGUE_V1,
        Item::Service(_) => SERVICE_V1,
        Item::CustomField(_) => CUSTOM_FIELD_V1,
    }
}

pub(crate) fn encode(item: &Item) -> Result<Vec<u8>, postcard::Error> {
    match item {
        Item::Type(item) => postcard::to_stdvec(&TypeV1 {
            code: item.code.as_str(),
            name: item.name.as_str(),
            awaits: match item.awaits {
                None => 0,
                Some(Awaits::Fix) => 1,
                Some(Awaits::Implementation) => 2,
            },
            default_priority: item.default_priority.as_str(),
            archived: item.archived,
        }),
        Item::Priority(item) => postcard::to_stdvec(&PriorityV1 {
            code: item.code.as_str(),
            name: item.name.as_str(),
            rank: item.rank,
            archived: item.archived,
        }),
        Item::Category(item) | Item::System(item) | Item::Environment(item) | Item::ServiceCatalogue(item) => {
            postcard::to_stdvec(&PlainV1 {
                name: item.name.as_str(),
                description: item.description.as_ref().map(Body::as_str),
                archived: item.archived,
            })
        }
        Item::Product(item) => postcard::to_stdvec(&ProductV2 {
            product: PlainV1 {
                name: item.name.as_str(),
                description: item.description.as_ref().map(Body::as_str),
                archived: item.archived,
            },
            characteristics: item
                .characteristics
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            systems: texts(&item.systems),
        }),
        Item::Service(item) => postcard::to_stdvec(&ServiceV1 {
            name: item.name.as_str(),
            description: item.description.as_ref().map(Body::as_str),
            catalogues: catalogues(&item.catalogues),
            archived: item.archived,
        }),
        Item::CustomField(item) => postcard::to_stdvec(&CustomFieldV1 {
            name: item.name.as_str(),
            description: item.description.as_ref().map(Body::as_str),
            value: match item.value {
                FieldValue::Text => 1,
                FieldValue::Number => 2,
                FieldValue::Date => 3,
                FieldValue::Choice(_) => 4,
                FieldValue::User => 5,
            },
            choices: item.value.choices().iter().map(Label::as_str).collect(),
            required: item.required,
            types: item.types.iter().map(Code::as_str).collect(),
            archived: item.archived,
        }),
    }
}

/// `None`: the kind is none of an item's.
pub(crate) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<Item, DecodeError>> {
    let plain = |item: fn(Plain) -> Item| Some(plain(bytes).map(item));
    match kind {
        TYPE_V1 => Some(ticket_type(bytes).map(Item::Type)),
        PRIORITY_V1 => Some(priority(bytes).map(Item::Priority)),
        CATEGORY_V1 => plain(Item::Category),
        SYSTEM_V1 => plain(Item::System),
        ENVIRONMENT_V1 => plain(Item::Environment),
        // Nothing more was known of products.
        PRODUCT_V1 => Some(self::plain(bytes).map(|plain| {
            Item::Product(Product {
                name: plain.name,
                description: plain.description,
                characteristics: BTreeMap::new(),
                systems: BTreeSet::new(),
                archived: plain.archived,
            })
        })),
        PRODUCT_V2 => Some(product(bytes).map(Item::Product)),
        SERVICE_CATALOGUE_V1 => plain(Item::ServiceCatalogue),
        SERVICE_V1 => Some(service(bytes).map(Item::Service)),
        CUSTOM_FIELD_V1 => Some(custom_field(bytes).map(Item::CustomField)),
        _ => None,
    }
}

fn ticket_type(bytes: &[u8]) -> Result<TypeItem, DecodeError> {
    let stored: TypeV1<'_> = exact(bytes)?;
    Ok(TypeItem {
        code: Code::new(stored.code),
        name: value::label(stored.name)?,
        awaits: match stored.awaits {
            0 => None,
            1 => Some(Awaits::Fix),
            2 => Some(Awaits::Implementation),
            _ => return Err(DecodeError::Value { field: "awaits" }),
        },
        default_priority: Code::new(stored.default_priority),
        archived: stored.archived,
    })
}

fn priority(bytes: &[u8]) -> Result<PriorityItem, DecodeError> {
    let stored: PriorityV1<'_> = exact(bytes)?;
    Ok(PriorityItem {
        code: Code::new(stored.code),
        name: value::label(stored.name)?,
        rank: stored.rank,
        archived: stored.archived,
    })
}

fn product(bytes: &[u8]) -> Result<Product, DecodeError> {
    let stored: ProductV2<'_> = exact(bytes)?;
    let characteristics = stored.characteristics.into_iter();
    let characteristics = characteristics.map(|(name, text)| Ok((value::label(name)?, value::label(text)?)));
    Ok(Product {
        name: value::label(stored.product.name)?,
        description: value::optional_body(stored.product.description)?,
        characteristics: characteristics.collect::<Result<_, _>>()?,
        systems: labels(stored.systems)?,
        archived: stored.product.archived,
    })
}

fn plain(bytes: &[u8]) -> Result<Plain, DecodeError> {
    let stored: PlainV1<'_> = exact(bytes)?;
    Ok(Plain {
        name: value::label(stored.name)?,
        description: value::optional_body(stored.description)?,
        archived: stored.archived,
    })
}

fn service(bytes: &[u8]) -> Result<Service, DecodeError> {
    let stored: ServiceV1<'_> = exact(bytes)?;
    Ok(Service {
        name: value::label(stored.name)?,
        description: value::optional_body(stored.description)?,
        catalogues: catalogue_ids(stored.catalogues),
        archived: stored.archived,
    })
}

fn custom_field(bytes: &[u8]) -> Result<CustomField, DecodeError> {
    let stored: CustomFieldV1<'_> = exact(bytes)?;
    let choices: Vec<Label> = stored.choices.into_iter().map(value::label).collect::<Result<_, _>>()?;
    let value = match stored.value {
        1 => FieldValue::Text,
        2 => FieldValue::Number,
        3 => FieldValue::Date,
        4 => FieldValue::Choice(choices),
        5 => FieldValue::User,
        _ => {
            return Err(DecodeError::Value {
                field: "value of a custom field",
            });
        }
    };
    Ok(CustomField {
        name: value::label(stored.name)?,
        description: value::optional_body(stored.description)?,
        value,
        required: stored.required,
        types: stored.types.into_iter().map(Code::new).collect(),
        archived: stored.archived,
    })
}
