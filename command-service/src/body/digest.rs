//! What two requests must have in common to be the same wish.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// SHA-256 of a command's name and its body as canonical JSON: without white space, members
/// sorted by name. Stored with the record that the command makes; never change it.
pub(crate) fn digest(name: &str, body: &Map<String, Value>) -> [u8; 32] {
    let mut canonical = Vec::with_capacity(512);
    canonical.extend(name.as_bytes());
    canonical.push(b' ');
    write_object(body, &mut canonical);
    Sha256::digest(&canonical).into()
}

fn write(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Object(object) => write_object(object, to),
        Value::Array(items) => {
            to.push(b'[');
            for item in items {
                write(item, to);
                to.push(b',');
            }
            to.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => write_scalar(value, to),
    }
}

fn write_object(object: &Map<String, Value>, to: &mut Vec<u8>) {
    // Sorted here, because the order of serde_json's map depends on its features.
    let mut members: Vec<_> = object.iter().collect();
    members.sort_unstable_by_key(|(name, _)| name.as_str());
    to.push(b'{');
    for (name, value) in members {
        write_scalar(name, to);
        to.push(b':');
        write(value, to);
        to.push(b',');
    }
    to.push(b'}');
}

fn write_scalar<T: serde::Serialize + ?Sized>(scalar: &T, to: &mut Vec<u8>) {
    serde_json::to_writer(to, scalar).expect("scalars are JSON, and a vector takes all bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> [u8; 32] {
        digest("accept", &serde_json::from_str(json).unwrap())
    }

    #[test]
    fn order_and_white_space_do_not_make_another_wish() {
        assert_eq!(
            of(r#"{"a": 1, "b": {"d": [1, 2], "c": "x"}}"#),
            of(r#"{"b":{"c":"x","d":[1,2]},"a":1}"#)
        );
    }

    #[test]
    fn another_value_or_command_does() {
        assert_ne!(of(r#"{"a": 1}"#), of(r#"{"a": 2}"#));
        assert_ne!(of(r#"{"a": [1, 2]}"#), of(r#"{"a": [2, 1]}"#));
        assert_ne!(of("{}"), digest("resume", &Map::new()));
    }
}
