//! Query parameters: unknown ones are refused, and everything wrong with the others is said at once.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::Uri;
use domain::EARLIEST;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use service_kit::Problem;
use service_kit::problem::FieldError;
use service_kit::problem::types::{INVALID_FIELDS, MALFORMED_REQUEST};

/// A repeated parameter has at most so many values: as many as a person would pick from a list.
pub(crate) const VALUES_MAX: usize = 200;

/// The parameters of one request.
#[derive(Debug)]
pub(crate) struct Params {
    values: BTreeMap<String, Vec<String>>,
    errors: Vec<FieldError>,
}

impl Params {
    /// Reads the query of `uri`, which may have parameters of these names alone.
    pub(crate) fn read(uri: &Uri, allowed: &[&str]) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)?;
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            values.entry(name).or_default().push(value);
        }
        let unknown: Vec<&str> = values
            .keys()
            .map(String::as_str)
            .filter(|name| !allowed.contains(name))
            .collect();
        if unknown.is_empty() {
            return Ok(Self {
                values,
                errors: Vec::new(),
            });
        }
        let known = if allowed.is_empty() {
            "no parameters".to_owned()
        } else {
            allowed.join(", ")
        };
        let detail = format!(
            "There is no parameter {} here. This path takes {known}.",
            unknown.join(", ")
        );
        Err(Problem::new(&MALFORMED_REQUEST).detail(detail))
    }

    /// Whether a parameter is there and was not taken yet.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// All values of a parameter.
    pub(crate) fn all<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let texts = self.values.remove(name).unwrap_or_default();
        if texts.len() > VALUES_MAX {
            self.error(name, "too-many", format!("give at most {VALUES_MAX} values"));
        }
        let mut values = Vec::new();
        for text in texts.iter().take(VALUES_MAX) {
            match parse(text) {
                Ok(value) => values.push(value),
                Err(detail) => self.error(name, "invalid", detail),
            }
        }
        values
    }

    /// The one value of a parameter.
    pub(crate) fn one<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        if self.values.get(name).is_some_and(|values| values.len() > 1) {
            self.error(name, "repeated", "give it once".to_owned());
        }
        self.all(name, parse).into_iter().next()
    }

    /// The one value of a parameter that has to be there. Without an error, there is one.
    pub(crate) fn required<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        if self.values.contains_key(name) {
            return self.one(name, parse);
        }
        // What is wrong with an empty value is what the caller has to know of the missing one.
        let detail = parse("").err().unwrap_or_default();
        self.error(name, "required", format!("is required; it {detail}"));
        None
    }

    /// Says that something is wrong with a parameter.
    pub(crate) fn error(&mut self, name: &str, code: &'static str, detail: String) {
        self.errors.push(FieldError::new(name, code, detail));
    }

    /// An error, if anything was wrong.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        refused(self.errors)
    }
}

/// The problem with some parameters, if anything is wrong with them.
pub(crate) fn refused(errors: Vec<FieldError>) -> Result<(), Problem> {
    if errors.is_empty() {
        return Ok(());
    }
    let detail = "Some parameters have values that are not acceptable; errors says which and why.";
    Err(Problem::new(&INVALID_FIELDS).detail(detail).fields(errors))
}

/// One of a list of names.
pub(crate) fn one_of<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let found = all.iter().copied().find(|value| name(*value) == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|value| name(*value)).collect();
            format!("must be one of: {}", names.join(", "))
        })
    }
}

/// A UUID.
pub(crate) fn uuid(text: &str) -> Result<uuid::Uuid, String> {
    text.parse().map_err(|_| "must be a UUID".to_owned())
}

/// A date and nothing after it: jiff also takes one for the beginning of a time without a zone.
pub(crate) fn day(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| text.len() == DATE_CHARACTERS)
}

/// `2026-01-31`
const DATE_CHARACTERS: usize = 10;

/// An instant, or a date for its beginning in UTC. Digits that Postgres does not keep are cut off.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    let at = text.parse::<Timestamp>().ok().or_else(|| day(text).and_then(midnight));
    at.filter(|at| *at >= EARLIEST)
        .and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok())
        .ok_or_else(|| "must be a time like 2026-03-02T09:00:00Z, or a date; in a query, + is written %2B".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_or_a_date_and_never_the_beginning_of_something_else() {
        let at = |text| time(text).map(|at| at.to_string());
        assert_eq!(at("2026-11-29T00:48:00Z"), Ok("2026-11-29T00:48:00Z".to_owned()));
        assert_eq!(at("2026-11-29"), Ok("2026-11-29T00:00:00Z".to_owned()));
        for text in [
            "2026-11-29T00:48:00",
            "2026-11-29T00:48",
            "2026-11-29 00:48:00",
            "20261129",
            "2026-11-29T00:48:00[UTC]",
        ] {
            assert!(at(text).is_err(), "{text}");
        }
    }
}
