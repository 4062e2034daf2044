//! The feed's events for the `OpenAPI` document. There every schema has one name, and events have words that the rest
//! of the API has too: theirs begin with `Event`.

use serde_json::{Value, json};
use service_kit::openapi::Api;
use service_kit::openapi::schema::{Shape, array, reference};
use utoipa::PartialSchema as _;

use super::details::Details;
use super::event::{CloudEvent, type_of};
use super::schema::{Described, OPENAPI_SCHEMAS};

/// The name of any event.
const EVENT: &str = "Event";

/// The name of what all events have.
const ENVELOPE: &str = "EventEnvelope";

/// The types of event, as requests and answers have them.
pub(crate) fn types() -> Vec<String> {
    Details::EVENTS.iter().map(|event| type_of(event)).collect()
}

/// Events, as a page has them.
pub(crate) fn events() -> Shape {
    array(reference(EVENT))
}

/// Adds the schemas of all events to `api`.
pub(crate) fn with_events(api: Api) -> Api {
    let described = Details::schemas();
    let each: Vec<Value> = described.iter().map(of_type).collect();
    let named = described.into_iter().flat_map(|described| described.referred);
    named
        .fold(api, |api, (name, schema)| {
            api.schema(format!("{EVENT}{name}"), shape(schema))
        })
        .schema(ENVELOPE, CloudEvent::schema())
        .schema(EVENT, shape_as_is(json!({ "oneOf": each })))
}

/// An event of one type: what all have, and the data that it alone has.
fn of_type(described: &Described) -> Value {
    let kind = type_of(described.event);
    let mut data = described.data.clone();
    prefix(&mut data);
    json!({
        "title": kind,
        "allOf": [
            { "$ref": format!("{OPENAPI_SCHEMAS}{ENVELOPE}") },
            {
                "type": "object",
                "required": ["type", "data"],
                "properties": { "type": { "type": "string", "enum": [kind] }, "data": data },
            },
        ],
    })
}

fn shape(mut schema: Value) -> Shape {
    prefix(&mut schema);
    shape_as_is(schema)
}

fn shape_as_is(schema: Value) -> Shape {
    serde_json::from_value(schema).expect("utoipa reads what it wrote: checked by the test of the committed document")
}

/// Lets references lead to the events' own schemas.
fn prefix(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let (Some(text), "$ref") = (member.as_str(), name.as_str()) {
                    *member = text
                        .replacen(OPENAPI_SCHEMAS, &format!("{OPENAPI_SCHEMAS}{EVENT}"), 1)
                        .into();
                } else {
                    prefix(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(prefix),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
