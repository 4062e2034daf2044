//! JSON as Postgres writes a `jsonb`: so that a value made here and one read back are the same text.

use std::fmt::Write as _;

use serde_json::Value;

/// The text of a value.
pub(crate) fn text(value: &Value) -> String {
    let mut out = String::new();
    put(value, &mut out);
    out
}

/// Writing to a string cannot fail.
fn put(value: &Value, out: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let _ = write!(out, "{value}");
        }
        Value::String(text) => quoted(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                put(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            // Postgres keeps short keys before long ones, and those of a length by their bytes.
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(key, _)| (key.len(), *key));
            out.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                quoted(key, out);
                out.push_str(": ");
                put(member, out);
            }
            out.push('}');
        }
    }
}

/// As Postgres' `escape_json` does.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sqlx::postgres::PgPool;
    use test_harness::postgres;

    use super::*;

    #[tokio::test]
    async fn the_text_is_the_one_that_postgres_writes() {
        let db = PgPool::connect(&postgres().await.database().await).await.unwrap();
        for value in [
            json!(null),
            json!([]),
            json!({}),
            json!([1, -2, true, "a\"b\\c\u{1}\n\u{7f}é", {"zz": 1, "y": {"k": []}, "aaa": "ж", "ab": null}]),
            json!({"b": 1, "aa": 2, "a": 3, "é": 4, "z": 9_007_199_254_740_993_i64}),
        ] {
            let theirs: String = sqlx::query_scalar("SELECT $1::text::jsonb::text")
                .bind(value.to_string())
                .fetch_one(&db)
                .await
                .unwrap();
            assert_eq!(text(&value), theirs);
        }
    }
}
