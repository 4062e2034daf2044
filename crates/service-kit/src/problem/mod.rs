//! What a caller is told when something cannot be done: RFC 9457 problem details.

mod response;
pub mod types;

pub(crate) use response::{Occurrence, PROBLEM_JSON};

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// A kind of problem. All of them are in [`types`].
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemType {
    /// Its name for programs. Renaming one breaks them.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Its name for people, the same every time.
    pub title: &'static str,
}

/// One problem that a caller has met. An answer in itself: handlers return it as their error.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which kind.
    pub kind: &'static ProblemType,
    /// What happened this time, and what to do about it. A sentence for people.
    pub detail: Cow<'static, str>,
    /// What is wrong with which field; every field at once.
    pub errors: Vec<FieldError>,
    /// More members of the body, such as `allowed_commands`.
    pub extra: serde_json::Map<String, Value>,
    /// After how many seconds trying again makes sense.
    pub retry_after: Option<u32>,
    /// More headers of the answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Which field: a JSON pointer into the body, or the name of a query parameter.
    pub pointer: String,
    /// What is wrong, for programs.
    pub code: Cow<'static, str>,
    /// What is wrong and what would be right, for people.
    pub detail: String,
}

impl Problem {
    /// A problem of that kind. Say what to do with [`Problem::detail`] wherever the title does not.
    pub fn new(kind: &'static ProblemType) -> Self {
        Self {
            kind,
            detail: Cow::Borrowed(""),
            errors: Vec::new(),
            extra: serde_json::Map::new(),
            retry_after: None,
            headers: Vec::new(),
        }
    }

    /// Says what happened this time, and what to do about it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds a member to the body.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Says what is wrong with one more field.
    #[must_use]
    pub fn field(mut self, error: FieldError) -> Self {
        self.errors.push(error);
        self
    }

    /// Says what is wrong with all the fields.
    #[must_use]
    pub fn fields(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Says when trying again makes sense.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// A bug, or what looks like one. Callers learn nothing but the instance, by which the log
    /// line is found.
    pub fn internal() -> Self {
        Self::new(&types::INTERNAL)
            .detail("This is a fault of the desk, not of the request. Its log has the reason under this instance.")
    }

    /// The body, for one occurrence. Those who answer many requests in one body use this; all
    /// others return the problem itself.
    pub fn body(&self, instance: Uuid) -> serde_json::Map<String, Value> {
        // More members come first, so that none of them can hide a standard one.
        let mut body = self.extra.clone();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("type", format!("/problems/{}", self.kind.code).into());
        set("title", self.kind.title.into());
        set("status", self.kind.status.into());
        set("code", self.kind.code.into());
        set("instance", instance.urn().to_string().into());
        if !self.detail.is_empty() {
            set("detail", self.detail.clone().into());
        }
        if !self.errors.is_empty() {
            set("errors", self.errors.iter().map(FieldError::body).collect());
        }
        body
    }
}

impl FieldError {
    /// What is wrong with the field that `pointer` names.
    pub fn new(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            detail: detail.into(),
        }
    }

    fn body(&self) -> Value {
        serde_json::json!({ "pointer": self.pointer, "code": self.code, "detail": self.detail })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::PROBLEMS_MARKDOWN;

    #[test]
    fn every_problem_is_documented_and_every_documented_problem_exists() {
        let documented: Vec<&str> = PROBLEMS_MARKDOWN
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .map(str::trim)
            .collect();
        let distinct: BTreeSet<&str> = documented.iter().copied().collect();
        let existing: BTreeSet<&str> = types::ALL.iter().map(|kind| kind.code).collect();
        assert_eq!(
            distinct, existing,
            "docs/problems.md has one heading for each code of problem/types.rs"
        );
        assert_eq!(documented.len(), distinct.len(), "no heading stands twice");
        assert_eq!(types::ALL.len(), existing.len(), "no code stands twice");
    }

    #[test]
    fn more_members_cannot_hide_the_standard_ones() {
        let problem = Problem::new(&types::WRONG_STATUS)
            .with("status", "new")
            .with("allowed_commands", vec!["accept"]);
        let body = Value::Object(problem.body(Uuid::nil()));
        let expected = serde_json::json!({
            "type": "/problems/wrong-status", "title": "The ticket's status does not allow this", "status": 409,
            "code": "wrong-status", "instance": "urn:uuid:00000000-0000-0000-0000-000000000000",
            "allowed_commands": ["accept"],
        });
        assert_eq!(body, expected);
    }
}
