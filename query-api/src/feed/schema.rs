//! The public form of events as JSON Schema, made from the code.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use service_kit::Problem;
use service_kit::problem::types::NOT_FOUND;
use utoipa::{PartialSchema, ToSchema};

use super::details::Details;
use super::event::{Data, type_of};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
pub(crate) const SCHEMA_JSON: &str = "application/schema+json";

/// What a reference to a schema begins with in an `OpenAPI` document.
pub(super) const OPENAPI_SCHEMAS: &str = "#/components/schemas/";

/// What it begins with in a document of its own.
const OWN_SCHEMAS: &str = "#/$defs/";

/// An event and the schema of its data.
#[derive(Debug)]
pub(crate) struct Described {
    pub(super) event: &'static str,
    description: Value,
    pub(super) data: Value,
    pub(super) referred: BTreeMap<String, Value>,
}

impl Described {
    /// The event whose details are a `D`.
    pub(crate) fn of<D: ToSchema>(event: &'static str) -> Self {
        let mut referred = Vec::new();
        Data::<D>::schemas(&mut referred);
        let details = json!(D::schema());
        referred.push((D::name().into(), D::schema()));
        Self {
            event,
            description: details.get("description").cloned().unwrap_or_default(),
            data: json!(Data::<D>::schema()),
            referred: referred
                .into_iter()
                .map(|(name, schema)| (name, json!(schema)))
                .collect(),
        }
    }

    /// The document.
    fn document(self) -> Value {
        let kind = type_of(self.event);
        let mut document = Map::from_iter([
            ("$schema".to_owned(), json!(DIALECT)),
            ("$id".to_owned(), json!(path(&kind))),
            ("title".to_owned(), json!(kind)),
        ]);
        if let Value::Object(data) = self.data {
            document.extend(data);
        }
        document.insert("description".to_owned(), self.description);
        document.insert("$defs".to_owned(), json!(self.referred));
        let mut document = Value::Object(document);
        refer_within(&mut document);
        document
    }
}

/// Rewrites references to where the document itself has them.
fn refer_within(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let (Some(text), "$ref") = (member.as_str(), name.as_str()) {
                    *member = text.replacen(OPENAPI_SCHEMAS, OWN_SCHEMAS, 1).into();
                } else {
                    refer_within(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refer_within),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every schema, by the type of event whose data it describes.
static DOCUMENTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let documents = Details::schemas().into_iter().map(|described| {
        let kind = type_of(described.event);
        (kind, format!("{:#}\n", described.document()))
    });
    documents.collect()
});

/// Where the schema of a type of event is served.
pub(crate) fn path(kind: &str) -> String {
    format!("/v1/schemas/{kind}.json")
}

/// `GET /v1/schemas/{name}`. A schema tells nothing of anybody, so that no token is asked for.
pub(crate) async fn schema(name: Result<Path<String>, PathRejection>) -> Result<impl IntoResponse + use<>, Problem> {
    let Path(name) = name?;
    let kind = name.strip_suffix(".json").unwrap_or_default();
    let document = DOCUMENTS.get(kind).ok_or_else(|| {
        Problem::new(&NOT_FOUND).detail("There is no schema of that name. Events name theirs in dataschema.")
    })?;
    let headers = [(CONTENT_TYPE, SCHEMA_JSON), (CACHE_CONTROL, "public, max-age=3600")];
    Ok((headers, document.as_str()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;
    use std::{env, fs};

    use super::*;

    /// Where the schemas are published.
    fn published() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas")
    }

    /// `RECOURSE_SCHEMAS=write` writes them instead.
    #[test]
    fn the_published_schemas_are_those_of_the_code() {
        let folder = published();
        if env::var_os("RECOURSE_SCHEMAS").is_some_and(|what| what == "write") {
            fs::create_dir_all(&folder).unwrap();
            for (kind, document) in DOCUMENTS.iter() {
                fs::write(folder.join(format!("{kind}.json")), document).unwrap();
            }
        }
        let names: BTreeSet<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let expected: BTreeSet<String> = DOCUMENTS.keys().map(|kind| format!("{kind}.json")).collect();
        assert_eq!(names, expected, "docs/schemas has one file for each type of event");
        for (kind, document) in DOCUMENTS.iter() {
            let file = fs::read_to_string(folder.join(format!("{kind}.json"))).unwrap();
            assert_eq!(
                &file, document,
                "docs/schemas/{kind}.json is not what the code says: if the change keeps the contract, write it with \
                 RECOURSE_SCHEMAS=write; else it is a new version"
            );
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        for document in DOCUMENTS.values() {
            let document: Value = serde_json::from_str(document).unwrap();
            let mut rest = vec![&document];
            while let Some(value) = rest.pop() {
                if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                    let found = document.pointer(reference.strip_prefix('#').unwrap());
                    assert!(found.is_some(), "{reference} in {}", document["$id"]);
                }
                match value {
                    Value::Object(members) => rest.extend(members.values()),
                    Value::Array(items) => rest.extend(items),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn the_document_about_the_feed_names_every_type() {
        let text = fs::read_to_string(published().join("../feed.md")).unwrap();
        for event in Details::EVENTS {
            assert!(
                text.contains(&format!("| `{event}` |")),
                "docs/feed.md says nothing of {event}"
            );
        }
    }
}
