//! What a customer's portal shows: which one is theirs, and what is left out of answers because of it.
//!
//! Which tickets they see is in [`access`](crate::access).

use axum::http::Uri;
use axum::{Extension, Json};
use domain::actor::{Actor, ActorKind};
use domain::directory::EntryKind;
use domain::ids::PortalId;
use domain::people::Profile;
use domain::portal::{Portal, Property, Showing, applying};
use domain::text::Label;
use serde_json::{Map, Value, json};
use service_kit::http::Caller;
use service_kit::{Problem, written};
use sqlx::types::Json as Jsonb;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::params::Params;
use crate::rights::profile;

/// Appends a join of `who`, whose organisation is a text or null, with `portal`: the portal through which they come, and what
/// was written of it.
pub(crate) fn push_portal_of_who(sql: &mut QueryBuilder<Postgres>) {
    sql.push(
        " LEFT JOIN LATERAL (
            SELECT named.id AS portal_id, p.name AS portal_name, p.definition AS portal_definition
            FROM (SELECT COALESCE((SELECT (o.definition ->> 'portal')::uuid FROM desk.organisations o
                                   WHERE o.id = who.organisation_id::uuid), ",
    )
    .push_bind(PortalId::OTHERS.as_uuid())
    .push(")) AS named (id) LEFT JOIN desk.portals p ON p.id = named.id) portal ON TRUE");
}

/// A customer's portal, as a statement with [`push_portal_of_who`] finds it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Found {
    #[sqlx(rename = "portal_id")]
    id: Uuid,
    #[sqlx(rename = "portal_name")]
    name: Option<String>,
    #[sqlx(rename = "portal_definition")]
    definition: Option<Jsonb<Map<String, Value>>>,
}

impl Found {
    /// The actor with what their portal shows them, if they come through one.
    pub(crate) fn of(self, actor: Actor) -> Result<Actor, Problem> {
        match actor.kind {
            ActorKind::Staff | ActorKind::System => Ok(actor),
            ActorKind::Customer => Ok(Actor {
                portal: applying(self.id.into(), self.portal()?.as_ref()),
                ..actor
            }),
        }
    }

    fn portal(self) -> Result<Option<Portal>, Problem> {
        let Some((name, Jsonb(definition))) = self.name.zip(self.definition) else {
            return Ok(None);
        };
        match profile(EntryKind::Portal, name, definition)? {
            Profile::Portal(portal) => Ok(Some(portal)),
            _ => Err(Problem::internal()),
        }
    }
}

/// `GET /v1/portal`: what the caller's portal shows. Staff come through none, and see everything.
pub(crate) async fn own(Extension(Caller(actor)): Extension<Caller>, uri: Uri) -> Result<Json<Value>, Problem> {
    Params::read(&uri, &[])?.finish()?;
    let showing = actor.portal.as_deref().unwrap_or(&Showing::EVERYTHING);
    Ok(Json(Value::Object(written::showing(showing))))
}

/// The codes of the types that the actor's portal takes. `None`: all.
pub(crate) fn types(actor: &Actor) -> Option<Vec<String>> {
    let types = actor.portal.as_ref()?.types.as_ref()?;
    Some(types.iter().map(|code| code.as_str().to_owned()).collect())
}

/// The custom fields that the actor is shown. `None`: none is ever shown.
pub(crate) fn custom_fields(actor: &Actor, fields: &Value) -> Option<Value> {
    let Some(portal) = actor.portal.as_deref() else {
        return Some(fields.clone());
    };
    let shown = |name: &str| Label::parse(name).is_ok_and(|name| portal.shows(&Property::CustomField(name)));
    let fields = fields.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| shown(name));
    let fields = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
    portal.shows_custom_fields().then_some(Value::Object(fields))
}

/// The members of events' details that say what a ticket's property is, or was.
const SAID: [(&str, Property); 11] = [
    ("priority", Property::Priority),
    ("category", Property::Category),
    ("system", Property::System),
    ("environment", Property::Environment),
    ("service", Property::Service),
    ("product", Property::Product),
    ("platform_version", Property::PlatformVersion),
    ("group", Property::Group),
    ("assignee", Property::Assignee),
    ("wait", Property::DueAt),
    ("project", Property::Project),
];

/// Events that are about nothing but a property.
const ABOUT: [(&str, Property); 4] = [
    ("project_changed", Property::Project),
    ("rated", Property::Rating),
    ("followed", Property::Followers),
    ("unfollowed", Property::Followers),
];

/// Events that say what changed, and nothing else.
const CORRECTIONS: [&str; 3] = ["classified", "assigned", "edited"];

/// Appends that the actor is told of the event in the row `row`, which has `event`, `details` and `visibility`: that it is no
/// internal one, where a customer asks, and that their portal shows something of it.
pub(crate) fn push_told(sql: &mut QueryBuilder<Postgres>, row: &str, actor: &Actor) {
    if actor.kind == ActorKind::Customer {
        sql.push(format_args!(" AND {row}visibility = 'public'"));
    }
    let Some(portal) = &actor.portal else { return };
    let hidden = |said: &[(&str, Property)]| -> Vec<String> {
        let hidden = said.iter().filter(|(_, property)| !portal.shows(property));
        hidden.map(|(name, _)| (*name).to_owned()).collect()
    };
    sql.push(format_args!(" AND NOT {row}event = ANY("))
        .push_bind(hidden(&ABOUT));
    let mut members = hidden(&SAID);
    if !portal.shows_custom_fields() {
        members.push("custom_fields".to_owned());
    }
    let corrections: Vec<String> = CORRECTIONS.iter().map(|&event| event.to_owned()).collect();
    sql.push(format_args!(") AND NOT ({row}event = ANY("))
        .push_bind(corrections);
    sql.push(format_args!(") AND {row}details - "))
        .push_bind(members)
        .push("::text[] = '{}'::jsonb)");
}

/// Leaves in the details of an event that [`push_told`] lets through what the actor is shown, and says whether they are told of
/// it: not if nothing is left of what it says after all.
pub(crate) fn is_told(actor: &Actor, event: &str, details: &mut Value) -> bool {
    let Some((portal, details)) = actor.portal.as_deref().zip(details.as_object_mut()) else {
        return true;
    };
    for (member, _) in SAID.iter().filter(|(_, property)| !portal.shows(property)) {
        details.remove(*member);
    }
    if let Some(change) = details.remove("custom_fields") {
        let side = |name: &str| custom_fields(actor, change.get(name).unwrap_or(&Value::Null));
        if let Some((from, to)) = side("from").zip(side("to")).filter(|(from, to)| from != to) {
            details.insert("custom_fields".to_owned(), json!({ "from": from, "to": to }));
        }
    }
    !(CORRECTIONS.contains(&event) && details.is_empty())
}
