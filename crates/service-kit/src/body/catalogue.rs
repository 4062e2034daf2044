//! Items of the catalogue, as people write them and as [`crate::written::profile`] writes them.

use std::collections::BTreeMap;

use domain::catalogue::{
    Awaits, CHOICES_MAX, CustomField, FieldValue, Item, ItemKind, Plain, PriorityItem, Product, Service, TypeItem,
};
use domain::people::LIST_MAX;
use domain::text::{Body, Code, Label};
use serde_json::Value;

use super::fields::{Fields, Unreadable, one_of, string, text, uuid, whole};
use super::people::{label, list};

/// Reads what a body says of an item of this kind.
pub(super) fn item(kind: ItemKind, fields: &mut Fields<'_>) -> Option<Item> {
    match kind {
        ItemKind::Type => ticket_type(fields).map(Item::Type),
        ItemKind::Priority => priority(fields).map(Item::Priority),
        ItemKind::Category => plain(fields).map(Item::Category),
        ItemKind::System => plain(fields).map(Item::System),
        ItemKind::Environment => plain(fields).map(Item::Environment),
        ItemKind::Product => product(fields).map(Item::Product),
        ItemKind::ServiceCatalogue => plain(fields).map(Item::ServiceCatalogue),
        ItemKind::Service => service(fields).map(Item::Service),
        ItemKind::CustomField => custom_field(fields).map(Item::CustomField),
    }
}

fn ticket_type(fields: &mut Fields<'_>) -> Option<TypeItem> {
    let code = fields.required("code", text(Code::parse));
    let name = fields.required("name", label);
    let awaits = fields.optional("awaits", |value| one_of(&Awaits::ALL, Awaits::as_str, value));
    let default_priority = fields.required("default_priority", text(Code::parse));
    let archived = fields.flag("archived");
    Some(TypeItem {
        code: code?,
        name: name?,
        awaits,
        default_priority: default_priority?,
        archived: archived.unwrap_or(false),
    })
}

fn priority(fields: &mut Fields<'_>) -> Option<PriorityItem> {
    let code = fields.required("code", text(Code::parse));
    let name = fields.required("name", label);
    let rank = fields.required("rank", rank);
    let archived = fields.flag("archived");
    Some(PriorityItem {
        code: code?,
        name: name?,
        rank: rank?,
        archived: archived.unwrap_or(false),
    })
}

fn plain(fields: &mut Fields<'_>) -> Option<Plain> {
    let name = fields.required("name", label);
    let description = fields.optional("description", text(Body::parse));
    let archived = fields.flag("archived");
    Some(Plain {
        name: name?,
        description,
        archived: archived.unwrap_or(false),
    })
}

fn product(fields: &mut Fields<'_>) -> Option<Product> {
    let plain = plain(fields);
    let characteristics = fields.optional("characteristics", characteristics);
    let systems = fields.optional("systems", |value| list(value, label));
    let Plain {
        name,
        description,
        archived,
    } = plain?;
    Some(Product {
        name,
        description,
        characteristics: characteristics.unwrap_or_default(),
        systems: systems.unwrap_or_default(),
        archived,
    })
}

/// Texts by their names.
fn characteristics(value: &Value) -> Result<BTreeMap<Label, Label>, Unreadable> {
    let named = value.as_object().ok_or(Unreadable::Type("an object of texts"))?;
    if named.len() > LIST_MAX {
        return Err(Unreadable::Value(
            "invalid",
            format!("must have at most {LIST_MAX} of them"),
        ));
    }
    let name = |name: &str| Label::parse(name).map_err(|error| Unreadable::Value("invalid", error.to_string()));
    named
        .iter()
        .map(|(key, value)| Ok((name(key)?, label(value)?)))
        .collect()
}

fn service(fields: &mut Fields<'_>) -> Option<Service> {
    let plain = plain(fields);
    let catalogues = fields.optional("catalogues", |value| list(value, uuid));
    let Plain {
        name,
        description,
        archived,
    } = plain?;
    Some(Service {
        name,
        description,
        catalogues: catalogues.unwrap_or_default().into_iter().map(Into::into).collect(),
        archived,
    })
}

fn custom_field(fields: &mut Fields<'_>) -> Option<CustomField> {
    let name = fields.required("name", label);
    let description = fields.optional("description", text(Body::parse));
    let value = fields.required("value", field_value);
    let choices = fields.optional("choices", choices);
    let required = fields.flag("required");
    let types = fields.optional("types", |value| list(value, |code| text(Code::parse)(code)));
    let archived = fields.flag("archived");
    let value = match (value?, choices.filter(|choices| !choices.is_empty())) {
        (FieldValue::Choice(_), Some(choices)) => FieldValue::Choice(choices),
        (FieldValue::Choice(_), None) => {
            fields.refuse(
                "/choices",
                "required",
                "a field of value choice needs what to choose from",
            );
            return None;
        }
        (_, Some(_)) => {
            fields.refuse("/choices", "invalid", "is for fields of value choice alone");
            return None;
        }
        (value, None) => value,
    };
    Some(CustomField {
        name: name?,
        description,
        value,
        required: required.unwrap_or(false),
        types: types.unwrap_or_default(),
        archived: archived.unwrap_or(false),
    })
}

fn field_value(value: &Value) -> Result<FieldValue, Unreadable> {
    Ok(match one_of(&FieldValue::NAMES, |name| name, value)? {
        "number" => FieldValue::Number,
        "date" => FieldValue::Date,
        "choice" => FieldValue::Choice(Vec::new()),
        "user" => FieldValue::User,
        _ => FieldValue::Text,
    })
}

/// Texts in the order in which people are to read them.
fn choices(value: &Value) -> Result<Vec<Label>, Unreadable> {
    let items = value.as_array().ok_or(Unreadable::Type("a list"))?;
    if items.len() > CHOICES_MAX {
        return Err(Unreadable::Value(
            "too_long",
            format!("must have at most {CHOICES_MAX} items"),
        ));
    }
    let mut choices: Vec<Label> = Vec::with_capacity(items.len());
    for item in items {
        let choice = label(item)?;
        if choices.contains(&choice) {
            let twice = format!("has {} twice", string(item)?);
            return Err(Unreadable::Value("invalid", twice));
        }
        choices.push(choice);
    }
    Ok(choices)
}

/// A whole number from 0 to 255.
fn rank(value: &Value) -> Result<u8, Unreadable> {
    let range = || Unreadable::Value("invalid", "must be a whole number from 0 to 255".to_owned());
    u8::try_from(whole(value)?).map_err(|_| range())
}
