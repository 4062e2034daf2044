//! What the desk can be asked for: every route of the document, with bodies that it says are acceptable.

use domain::policy::WaitPolicy;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::http::Answer;
use crate::people::{AGENT, CUSTOMER};

/// A request that takes JSON, with an example of its body.
pub(crate) struct Taking {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
    /// The same with the members alone that there have to be.
    pub(crate) least: Value,
    /// The members that it takes.
    pub(crate) members: Vec<String>,
}

/// The document, and a ticket and somebody else's id to fill paths with.
pub(crate) struct Surface {
    pub(crate) desk: Desk,
    pub(crate) document: Value,
    pub(crate) ticket: String,
}

impl Surface {
    pub(crate) async fn open() -> Self {
        let desk = Desk::open(WaitPolicy::supportal()).await;
        let body = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
        let created = desk.api.post(&CUSTOMER.token(), "/v1/tickets", &body).await;
        let ticket = created.expect(201).id();
        let document = desk.api.get(&AGENT.token(), "/v1/openapi.json").await.expect(200).body;
        Self { desk, document, ticket }
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = (&String, Method, &Value)> {
        let paths = self.document["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, operation)| {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                (path, method, operation)
            })
        })
    }

    /// A path with something in place of its parameters: the ticket, or somebody of whom nothing is known.
    pub(crate) fn filled(&self, path: &str) -> String {
        let id = if path.starts_with("/v1/tickets/") {
            self.ticket.clone()
        } else {
            Uuid::new_v4().to_string()
        };
        let parts = path
            .split('/')
            .map(|part| if part.starts_with('{') { id.as_str() } else { part });
        parts.collect::<Vec<_>>().join("/")
    }

    pub(crate) fn taking(&self) -> Vec<Taking> {
        let bodies = self.operations().filter_map(|(path, method, operation)| {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let schema = self.resolved(schema);
            let members = schema["properties"].as_object()?.keys().cloned().collect();
            let body = self.sample(schema);
            let needed = schema["required"].as_array().into_iter().flatten();
            let needed = needed.map(|name| (name.as_str().unwrap().to_owned(), body[name.as_str().unwrap()].clone()));
            Some(Taking {
                method,
                path: path.clone(),
                least: Value::Object(needed.collect()),
                body,
                members,
            })
        });
        bodies.collect()
    }

    /// The schema that a reference leads to; of several that hold together, the one that has members.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match (schema["$ref"].as_str(), &schema["allOf"][0]) {
            (Some(place), _) => self.resolved(self.document.pointer(place.strip_prefix('#').unwrap()).unwrap()),
            (None, Value::Null) => schema,
            (None, members) => self.resolved(members),
        }
    }

    /// Something that a schema takes, with every member that an object may have.
    fn sample(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            return self.sample(&choices[0]);
        }
        if let Some(first) = schema["enum"].as_array() {
            return first[0].clone();
        }
        let kind = schema["type"].as_str().or(schema["type"][0].as_str());
        match (kind, schema["format"].as_str()) {
            (Some("string"), Some("uuid")) => json!(Uuid::new_v4()),
            (Some("string"), Some("date-time")) => json!("2026-03-02T09:00:00Z"),
            (Some("string"), Some("date")) => json!("2026-03-02"),
            (Some("string"), _) => json!("sample"),
            (Some("integer" | "number"), _) => schema.get("minimum").cloned().unwrap_or(json!(1)),
            (Some("boolean"), _) => json!(true),
            (Some("array"), _) => json!([self.sample(&schema["items"])]),
            (Some("object"), _) => {
                let members = schema["properties"].as_object().into_iter().flatten();
                Value::Object(
                    members
                        .map(|(name, member)| (name.clone(), self.sample(member)))
                        .collect(),
                )
            }
            _ => Value::Null,
        }
    }

    pub(crate) async fn send(&self, token: &str, method: &Method, path: &str, body: &Value) -> Answer {
        match *method {
            Method::PUT => self.desk.api.put(token, path, body).await,
            _ => self.desk.api.post(token, path, body).await,
        }
    }
}

/// Pointers to every text of a body.
pub(crate) fn texts(at: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(n, item)| texts(&format!("{at}/{n}"), item, found));
        }
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, member)| texts(&format!("{at}/{name}"), member, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
