//! `recourse openapi`: the document of the whole desk's HTTP API, made from the code.

use std::io::{self, Write as _};

use anyhow::Context as _;
use service_kit::openapi::{document, operators};

/// Prints the document.
pub(crate) fn run() -> anyhow::Result<()> {
    let text = desk();
    io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write the document")
}

/// All routes of all services.
fn desk() -> String {
    document([command_service::openapi(), query_api::openapi(), operators()])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;
    use service_kit::openapi::COMMITTED;

    use super::*;

    #[test]
    fn the_committed_document_is_what_the_code_says() {
        let made = desk();
        let differs = made
            .lines()
            .zip(COMMITTED.lines())
            .position(|(made, committed)| made != committed);
        assert!(
            made == COMMITTED,
            "docs/openapi.json is not what the code says, first in line {:?}: run `cargo xtask openapi` and commit what it writes",
            differs.map(|line| line + 1)
        );
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
        let document: Value = serde_json::from_str(&desk()).unwrap();
        let mut referred = BTreeSet::new();
        let mut rest = vec![&document];
        while let Some(value) = rest.pop() {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let found = document.pointer(reference.strip_prefix('#').unwrap());
                assert!(found.is_some(), "{reference} leads nowhere");
                referred.insert(reference.to_owned());
            }
            match value {
                Value::Object(members) => rest.extend(members.values()),
                Value::Array(items) => rest.extend(items),
                _ => {}
            }
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            let reference = format!("#/components/schemas/{name}");
            // Lines of a bulk request are no JSON document: prose refers to their schemas.
            let by_prose = ["BulkLine", "BulkResult"].contains(&name.as_str());
            assert!(referred.contains(&reference) || by_prose, "nothing refers to {name}");
        }
    }
}
