//! `on_behalf_of`: the person in whose name a command is given.

use domain::actor::ActorKind;
use domain::directory::EntryKind;
use domain::ids::{OrganisationId, UserId};
use domain::text::Label;
use serde_json::{Map, Value};
use service_kit::body::{Fields, Unreadable, string, text, uuid};

/// A person that a caller acts for.
#[derive(Debug, Clone)]
pub(crate) struct OnBehalfOf {
    pub(crate) id: UserId,
    pub(crate) name: Option<Label>,
    pub(crate) kind: Option<ActorKind>,
    pub(crate) organisation: Option<OrganisationId>,
}

/// A UUID, or `{"id", "name"?, "kind"?, "organisation"?}`.
pub(super) fn on_behalf_of(fields: &mut Fields<'_>) -> Option<OnBehalfOf> {
    let value = fields.present("on_behalf_of").filter(|value| !value.is_null())?;
    let person = match value {
        Value::Object(object) => described(fields, object),
        _ => uuid(value).map(|id| OnBehalfOf {
            id: id.into(),
            name: None,
            kind: None,
            organisation: None,
        }),
    };
    // What was read is read again only to note what is wrong with it, in the one place for that.
    fields.optional("on_behalf_of", |_| person)
}

fn described(fields: &mut Fields<'_>, object: &Map<String, Value>) -> Result<OnBehalfOf, Unreadable> {
    const KNOWN: [&str; 4] = ["id", "name", "kind", "organisation"];
    if let Some(unknown) = object.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        let detail = format!("has the unknown field {unknown}; it takes {}", KNOWN.join(", "));
        return Err(Unreadable::Value("unknown_field", detail));
    }
    let some = |name: &str| object.get(name).filter(|value| !value.is_null());
    let id = some("id").map_or(Err(Unreadable::Type("a UUID, or an object with an id")), uuid)?;
    let name = some("name").map(text(Label::parse)).transpose()?;
    let kind = some("kind").map(kind).transpose()?;
    let organisation = some("organisation")
        .map(|value| fields.reference(value, EntryKind::Organisation))
        .transpose()?;
    if let Some(name) = &name {
        fields.mention(EntryKind::User, id, name.clone());
    }
    Ok(OnBehalfOf {
        id: id.into(),
        name,
        kind,
        organisation: organisation.map(Into::into),
    })
}

fn kind(value: &Value) -> Result<ActorKind, Unreadable> {
    match string(value)? {
        "staff" => Ok(ActorKind::Staff),
        "customer" => Ok(ActorKind::Customer),
        _ => Err(Unreadable::Value(
            "invalid",
            "kind must be one of: staff, customer".to_owned(),
        )),
    }
}
