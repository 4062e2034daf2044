//! Drafts of policies and calendars: TOML files with the fields of the bodies that the API takes.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::files;

/// Reads a draft as the JSON that it stands for.
pub(super) fn read(path: &Path) -> anyhow::Result<Value> {
    let shown = path.display();
    let bytes = files::read(path, "give the path of a TOML file")?;
    let text = String::from_utf8(bytes).with_context(|| format!("{shown} is not text"))?;
    let table: toml::Table = toml::from_str(&text).with_context(|| format!("{shown} is not TOML"))?;
    Ok(json(toml::Value::Table(table)))
}

/// TOML has dates and times of its own; the API takes them as text.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(json).collect(),
        toml::Value::Table(table) => {
            let members: Map<String, Value> = table.into_iter().map(|(name, value)| (name, json(value))).collect();
            Value::Object(members)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_and_times_are_text() {
        let text = "holidays = [2026-01-01]\nat = 09:00:00\n[targets.resolution]\nwithin = { working = 'PT8H' }\nwarn_percent = 80";
        let table: toml::Table = toml::from_str(text).unwrap();
        let expected = json!({
            "holidays": ["2026-01-01"], "at": "09:00:00",
            "targets": { "resolution": { "within": { "working": "PT8H" }, "warn_percent": 80 } },
        });
        assert_eq!(json(toml::Value::Table(table)), expected);
    }
}
