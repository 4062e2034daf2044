//! Reading bodies of many parts, each named by a JSON pointer, and collecting what is wrong with
//! them.

use serde_json::{Map, Value};

use super::fields::{Unreadable, pointer, refused, turned};
use crate::problem::{FieldError, Problem};

/// What is wrong with a body shows in the first of its mistakes; a megabyte of them helps nobody.
const ERRORS_MAX: usize = 100;

/// Collects what is wrong with a body.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Wrong type: the request cannot be read.
    pub(super) malformed: Vec<FieldError>,
    /// Right type, unacceptable value.
    pub(super) invalid: Vec<FieldError>,
}

impl Reader {
    /// Whether nothing is wrong so far.
    pub(super) fn is_content(&self) -> bool {
        self.malformed.is_empty() && self.invalid.is_empty()
    }

    /// The problem with the body, if there is anything wrong with it.
    pub(super) fn finish(self) -> Result<(), Problem> {
        refused(self.malformed, self.invalid)
    }

    pub(super) fn wrong_type(&mut self, at: impl Into<String>, expected: &str) {
        if self.malformed.len() < ERRORS_MAX {
            self.malformed
                .push(FieldError::new(at, "wrong_type", format!("must be {expected}")));
        }
    }

    pub(super) fn refuse(&mut self, at: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        if self.invalid.len() < ERRORS_MAX {
            self.invalid.push(FieldError::new(at, code, detail));
        }
    }

    /// Notes what turns text around in the single lines of an object.
    pub(super) fn refuse_turned(&mut self, at: &str, object: &Map<String, Value>) {
        self.invalid.extend(turned(at, object));
    }

    /// Notes the members of an object that nobody knows.
    pub(super) fn unknown(&mut self, at: &str, object: &Map<String, Value>, known: &[&str]) {
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            if self.malformed.len() < ERRORS_MAX {
                let detail = format!("is not a field that is known here; known are {}", known.join(", "));
                let pointer = format!("{at}{}", pointer(name));
                self.malformed.push(FieldError::new(pointer, "unknown_field", detail));
            }
        }
    }

    pub(super) fn required_string(&mut self, at: &str, value: Option<&Value>) -> Option<String> {
        match value {
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.wrong_type(at, "a string");
                None
            }
            None => {
                self.refuse(at, "required", "is required");
                None
            }
        }
    }

    /// What a reader of one value made of it.
    pub(super) fn taken<T>(&mut self, at: &str, read: Result<T, Unreadable>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(Unreadable::Type(expected)) => {
                self.wrong_type(at, expected);
                None
            }
            Err(Unreadable::Value(code, detail)) => {
                self.refuse(at, code, detail);
                None
            }
        }
    }

    pub(super) fn array<'v>(&mut self, at: &str, value: &'v Value, expected: &str) -> &'v [Value] {
        let array = value.as_array().map(Vec::as_slice);
        if array.is_none() {
            self.wrong_type(at, expected);
        }
        array.unwrap_or_default()
    }

    /// The members of an object, all of which must be known; `None`: it is none.
    pub(super) fn object<'v>(
        &mut self,
        at: &str,
        value: &'v Value,
        expected: &str,
        known: &[&str],
    ) -> Option<Members<'v>> {
        let Some(object) = value.as_object() else {
            self.wrong_type(at, expected);
            return None;
        };
        self.unknown(at, object, known);
        Some(Members {
            at: at.to_owned(),
            object,
        })
    }
}

/// The members of an object, and where it stands.
#[derive(Debug)]
pub(super) struct Members<'v> {
    at: String,
    object: &'v Map<String, Value>,
}

impl<'v> Members<'v> {
    /// A member that is neither absent nor null, and where it stands.
    pub(super) fn get(&self, name: &str) -> Option<(String, &'v Value)> {
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        Some((self.at(name), value))
    }

    /// A member that is there, also if it is null, and where it stands.
    pub(super) fn said(&self, name: &str) -> Option<(String, &'v Value)> {
        Some((self.at(name), self.object.get(name)?))
    }

    /// Where the member stands, or would.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    /// Whether the member is there and says null.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(Value::is_null)
    }
}
