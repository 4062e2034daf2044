//! As much of JSON Schema as the published schemas use. Stricter than the standard: a property that
//! the schema does not name is an error, because the contract would not tell of it.

use serde_json::Value;

/// Words that say nothing about what is valid.
const SILENT: [&str; 7] = [
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "required",
    "propertyNames",
];

#[track_caller]
pub(crate) fn assert_valid(schema: &Value, value: &Value) {
    if let Err(error) = check(schema, schema, value) {
        panic!("{error}\nschema: {schema:#}\nvalue: {value:#}");
    }
}

fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (word, rule) in schema.as_object().ok_or("a schema is an object")? {
        let fits = match word.as_str() {
            "$ref" => {
                let named = root.pointer(rule.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
                check(root, named, value)?;
                true
            }
            "type" => match rule {
                Value::Array(kinds) => kinds.iter().any(|kind| is(kind, value)),
                kind => is(kind, value),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "oneOf" => {
                let fitting = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|one| check(root, one, value).is_ok());
                fitting.count() == 1
            }
            "anyOf" => rule
                .as_array()
                .unwrap()
                .iter()
                .any(|one| check(root, one, value).is_ok()),
            "minimum" => value.as_i64() >= rule.as_i64(),
            "maximum" => value.as_i64() <= rule.as_i64(),
            "format" => format(rule.as_str().unwrap(), value),
            "additionalProperties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    check(root, rule, member).map_err(|error| format!("{name}: {error}"))?;
                }
                true
            }
            "properties" => {
                object(root, schema, rule, value)?;
                true
            }
            silent if SILENT.contains(&silent) => true,
            unknown => return Err(format!("this test does not know {unknown}")),
        };
        if !fits {
            return Err(format!("{value} is not of {word} {rule}"));
        }
    }
    Ok(())
}

fn object(root: &Value, schema: &Value, properties: &Value, value: &Value) -> Result<(), String> {
    let Some(members) = value.as_object() else {
        return Ok(());
    };
    for (name, member) in members {
        let property = properties
            .get(name)
            .ok_or_else(|| format!("the schema does not name {name}"))?;
        check(root, property, member).map_err(|error| format!("{name}: {error}"))?;
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            return Err(format!("{name} is missing"));
        }
    }
    Ok(())
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no event holds a {other}"),
    }
}

fn format(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("uuid", Value::String(text)) => text.parse::<uuid::Uuid>().is_ok(),
        ("date-time", Value::String(text)) => text.parse::<domain::Timestamp>().is_ok(),
        ("int32" | "int64", value) => value.is_i64() || value.is_u64() || !value.is_number(),
        (_, Value::String(_)) => panic!("this test does not know the format {name}"),
        _ => true,
    }
}
