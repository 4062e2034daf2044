//! `classify`, `assign`, `edit`: properties of a ticket.

use std::fmt::Display;

use domain::catalogue::{Catalogue, Priority};
use domain::directory::EntryKind;
use domain::portal::Showing;
use domain::text::{Body, Label, Subject};
use domain::ticket::{Assign, Change, Classify, Command, CustomFields, CustomValue, Edit};
use serde_json::Value;
use service_kit::body::{Fields, Unreadable, pointer, string, text, uuid};

/// A ticket takes at most this many custom fields: a form for people has no more.
pub(crate) const CUSTOM_FIELDS_MAX: usize = 64;

/// Of these fields `classify` has at least one.
pub(crate) const CLASSIFIED: [&str; 8] = [
    "type",
    "priority",
    "category",
    "system",
    "environment",
    "service",
    "product",
    "project",
];

/// The same of `assign`.
pub(crate) const ASSIGNED: [&str; 2] = ["assignee", "group"];

/// The same of `edit`.
pub(crate) const EDITED: [&str; 4] = ["subject", "description", "custom_fields", "platform_version"];

pub(super) fn classify(fields: &mut Fields<'_>, catalogue: &Catalogue, portal: Option<&Showing>) -> Command {
    let known = |code: &str| catalogue.ticket_type_through(portal, code);
    fields.require_any(&CLASSIFIED);
    Command::Classify(Box::new(Classify {
        ticket_type: fields.change("type", text(|code| known(code).map(|entry| entry.ticket_type.clone()))),
        priority: fields.change("priority", priority(catalogue)),
        category: fields.change_optional("category", text(Label::parse)),
        system: fields.change_optional("system", text(Label::parse)),
        environment: fields.change_optional("environment", text(Label::parse)),
        service: fields.change_optional("service", text(Label::parse)),
        product: fields.change_optional("product", text(Label::parse)),
        project: fields.change_optional("project", |value| uuid(value).map(Into::into)),
    }))
}

pub(super) fn assign(fields: &mut Fields<'_>) -> Command {
    fields.require_any(&ASSIGNED);
    Command::Assign(Assign {
        assignee: change_reference(fields, "assignee", EntryKind::User),
        group: change_reference(fields, "group", EntryKind::Group),
    })
}

pub(super) fn edit(fields: &mut Fields<'_>) -> Command {
    fields.require_any(&EDITED);
    Command::Edit(Box::new(Edit {
        subject: fields.change("subject", text(Subject::parse)),
        description: fields.change("description", text(Body::parse)),
        custom_fields: custom_fields(fields).into(),
        platform_version: fields.change_optional("platform_version", text(Label::parse)),
    }))
}

fn change_reference<I: From<uuid::Uuid>>(
    fields: &mut Fields<'_>,
    name: &'static str,
    kind: EntryKind,
) -> Change<Option<I>> {
    let id = fields
        .present(name)
        .filter(|value| !value.is_null())
        .map(|value| fields.reference(value, kind));
    fields.change_optional(name, |_| id.unwrap_or(Err(Unreadable::Type("a UUID"))).map(I::from))
}

pub(super) fn priority(catalogue: &Catalogue) -> impl FnOnce(&Value) -> Result<Priority, Unreadable> {
    text(|code| catalogue.priority(code).cloned())
}

/// An object of texts, whole numbers and flags. Absent: `None`.
pub(super) fn custom_fields(fields: &mut Fields<'_>) -> Option<CustomFields> {
    let given = fields.optional("custom_fields", |value| {
        value.as_object().ok_or(Unreadable::Type("an object")).cloned()
    })?;
    if given.len() > CUSTOM_FIELDS_MAX {
        let detail = format!("has {} fields; at most {CUSTOM_FIELDS_MAX} are kept", given.len());
        fields.refuse("/custom_fields", "invalid", detail);
        return None;
    }
    let mut read = CustomFields::new();
    for (name, value) in given {
        match custom_field(&name, &value) {
            Ok((name, value)) => {
                read.insert(name, value);
            }
            Err(detail) => fields.refuse(format!("/custom_fields{}", pointer(&name)), "invalid", detail),
        }
    }
    Some(read)
}

fn custom_field(name: &str, value: &Value) -> Result<(Label, CustomValue), String> {
    let told = |error: &dyn Display| error.to_string();
    let name = Label::parse(name).map_err(|error| format!("the field's name {}", told(&error)))?;
    let value = match value {
        Value::Bool(flag) => CustomValue::Flag(*flag),
        Value::Number(number) => {
            CustomValue::Number(number.as_i64().ok_or("must be a whole number that fits in 64 bits")?)
        }
        Value::String(_) => {
            let text = string(value).map_err(|_| "must be a text")?;
            CustomValue::Text(Label::parse(text).map_err(|error| told(&error))?)
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err("must be a text, a whole number, true or false".to_owned());
        }
    };
    Ok((name, value))
}
