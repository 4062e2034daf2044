//! Reading the fields of a JSON object, and collecting what is wrong with them.

use std::fmt::Display;

use domain::Timestamp;
use domain::directory::EntryKind;
use domain::text::Label;
use domain::ticket::Change;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::problem::{FieldError, Problem, types};

/// The fields of one body, while they are read.
#[derive(Debug)]
pub struct Fields<'b> {
    body: &'b Map<String, Value>,
    known: Vec<&'static str>,
    /// Wrong type: the request cannot be read.
    malformed: Vec<FieldError>,
    /// Right type, unacceptable value.
    invalid: Vec<FieldError>,
    mentions: Vec<(EntryKind, Uuid, Label)>,
    /// Whether a caller sent it, now.
    sent: bool,
}

/// Fields that hold words of many lines, or secrets: what may be in them is their author's business; logins, which have a rule
/// of their own; and parts of a body that are looked at where they are read.
const FREE: [&str; 10] = [
    "login",
    "calendar",
    "policy",
    "description",
    "comment",
    "body",
    "solution",
    "reason",
    "password",
    "new_password",
];

/// What people defined for themselves: texts of it may have lines.
const CUSTOM_FIELDS: &str = "custom_fields";

/// What a reader of one value says of it.
#[derive(Debug)]
pub enum Unreadable {
    /// It is of another type than this.
    Type(&'static str),
    /// It is not acceptable.
    Value(&'static str, String),
}

type Read<T> = Result<T, Unreadable>;

impl<'b> Fields<'b> {
    /// The fields of this body, none of them read yet.
    pub fn new(body: &'b Map<String, Value>) -> Self {
        Self {
            body,
            known: Vec::new(),
            malformed: Vec::new(),
            invalid: Vec::new(),
            mentions: Vec::new(),
            sent: true,
        }
    }

    /// The fields of what was sent once, and is kept: rules that came later do not count for it.
    pub(super) fn kept(body: &'b Map<String, Value>) -> Self {
        Self {
            sent: false,
            ..Self::new(body)
        }
    }

    /// The field's value; `None` if it is absent or null.
    pub fn optional<T>(&mut self, name: &'static str, read: impl FnOnce(&Value) -> Read<T>) -> Option<T> {
        self.present(name)
            .filter(|value| !value.is_null())
            .and_then(|value| self.taken(name, read(value)))
    }

    /// The field's value, which must be there.
    pub fn required<T>(&mut self, name: &'static str, read: impl FnOnce(&Value) -> Read<T>) -> Option<T> {
        if let Some(value) = self.present(name).filter(|value| !value.is_null()) {
            return self.taken(name, read(value));
        }
        self.refuse(pointer(name), "required", "is required");
        None
    }

    /// A change to a value that there must always be.
    pub fn change<T>(&mut self, name: &'static str, read: impl FnOnce(&Value) -> Read<T>) -> Change<T> {
        match self.present(name) {
            None => Change::Keep,
            Some(value) => self.taken(name, read(value)).into(),
        }
    }

    /// A change to a value that may be taken away: null does so.
    pub fn change_optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Read<T>,
    ) -> Change<Option<T>> {
        match self.present(name) {
            None => Change::Keep,
            Some(Value::Null) => Change::Set(None),
            Some(value) => self.taken(name, read(value)).map(Some).into(),
        }
    }

    /// True or false.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.optional(name, |value| value.as_bool().ok_or(Unreadable::Type("true or false")))
    }

    /// An id of a person, group or organisation: alone, or as `{"id", "name"}`.
    pub fn reference(&mut self, value: &Value, kind: EntryKind) -> Read<Uuid> {
        let Value::Object(object) = value else {
            return uuid(value);
        };
        if let Some(unknown) = object.keys().find(|key| !matches!(key.as_str(), "id" | "name")) {
            return Err(Unreadable::Value(
                "unknown_field",
                format!("has the unknown field {unknown}; it takes id and name"),
            ));
        }
        let id = object
            .get("id")
            .map_or(Err(Unreadable::Type("an object with an id")), uuid)?;
        if let Some(name) = object.get("name").filter(|name| !name.is_null()) {
            let name = text(Label::parse)(name)?;
            self.mention(kind, id, name);
        }
        Ok(id)
    }

    /// Remembers that an id goes by a name.
    pub fn mention(&mut self, kind: EntryKind, id: Uuid, name: Label) {
        self.mentions.push((kind, id, name));
    }

    /// Notes that at least one of some fields must be there.
    pub fn require_any(&mut self, names: &[&'static str]) {
        if !names.iter().any(|name| self.body.contains_key(*name)) {
            let detail = format!("at least one of these fields is required: {}", names.join(", "));
            self.invalid.push(FieldError::new("", "required", detail));
        }
    }

    /// Notes something wrong with the value of a field, or of a part of one.
    pub fn refuse(&mut self, pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        self.invalid.push(FieldError::new(pointer, code, detail));
    }

    /// Notes what was found wrong with parts of the body elsewhere.
    pub fn take_in(&mut self, malformed: Vec<FieldError>, invalid: Vec<FieldError>) {
        self.malformed.extend(malformed);
        self.invalid.extend(invalid);
    }

    /// Whether the field is there and not null.
    pub fn has(&self, name: &str) -> bool {
        self.body.get(name).is_some_and(|value| !value.is_null())
    }

    /// Field's raw value, if it is there. The field counts as known from now on.
    pub fn present(&mut self, name: &'static str) -> Option<&'b Value> {
        self.known.push(name);
        self.body.get(name)
    }

    fn taken<T>(&mut self, name: &'static str, read: Read<T>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(Unreadable::Type(expected)) => {
                self.malformed.push(FieldError::new(
                    pointer(name),
                    "wrong_type",
                    format!("must be {expected}"),
                ));
                None
            }
            Err(Unreadable::Value(code, detail)) => {
                self.invalid.push(FieldError::new(pointer(name), code, detail));
                None
            }
        }
    }

    /// What is wrong with the fields: with their shape, and with their values.
    pub fn errors(&mut self) -> (Vec<FieldError>, Vec<FieldError>) {
        for name in self.body.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let takes = match self.known.as_slice() {
                [] => "none".to_owned(),
                known => known.join(", "),
            };
            let detail = format!("is not a field of this command; it takes {takes}");
            self.malformed
                .push(FieldError::new(pointer(name), "unknown_field", detail));
        }
        if self.sent {
            self.invalid.extend(turned("", self.body));
        }
        (std::mem::take(&mut self.malformed), std::mem::take(&mut self.invalid))
    }

    /// The names that were mentioned, if nothing is wrong with any field.
    pub fn finish(mut self) -> Result<Vec<(EntryKind, Uuid, Label)>, Problem> {
        let (malformed, invalid) = self.errors();
        refused(malformed, invalid)?;
        Ok(self.mentions)
    }
}

/// What is wrong with the single lines of an object that was sent, which stands at this place.
pub(super) fn turned(at: &str, object: &Map<String, Value>) -> Vec<FieldError> {
    let lines = object.iter().filter(|(name, _)| !FREE.contains(&name.as_str()));
    let wrong = lines.filter_map(|(name, value)| Some((name, misleading(value, name != CUSTOM_FIELDS)?)));
    let refused = wrong.map(|(name, mark)| {
        let detail = format!(
            "must not contain U+{:04X}, which makes text look other than it is: leave it out",
            u32::from(mark)
        );
        FieldError::new(format!("{at}{}", pointer(name)), "invalid", detail)
    });
    refused.collect()
}

/// A character in a name or a value of what was sent with which a name looks like another one, wherever it is shown: one that
/// makes text run the other way for as long as nobody ends it (CVE-2021-42574), one that shows nothing, or one that begins a
/// line or is no letter at all. Letters, marks and joiners of any script are none of them. NUL is refused elsewhere.
fn misleading(value: &Value, is_one_line: bool) -> Option<char> {
    let misleads = |c: &char| match c {
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}' => true,
        '\r' | '\n' | '\u{2028}' | '\u{2029}' => is_one_line,
        '\0' | '\t' => false,
        c => c.is_control(),
    };
    let in_text = |text: &str| text.chars().find(misleads);
    match value {
        Value::String(text) => in_text(text),
        Value::Array(items) => items.iter().find_map(|item| misleading(item, is_one_line)),
        Value::Object(members) => members
            .iter()
            .find_map(|(name, value)| in_text(name).or_else(|| misleading(value, is_one_line))),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The problem with a body, if there is anything wrong with it: with its shape, or with values.
pub(super) fn refused(malformed: Vec<FieldError>, invalid: Vec<FieldError>) -> Result<(), Problem> {
    if !malformed.is_empty() {
        let errors = malformed.into_iter().chain(invalid).collect();
        return Err(Problem::new(&types::MALFORMED_REQUEST)
            .detail("The body is not what this command takes. See errors for each field.")
            .fields(errors));
    }
    if !invalid.is_empty() {
        return Err(Problem::new(&types::INVALID_FIELDS)
            .detail("Some fields have values that are not acceptable. See errors for each of them.")
            .fields(invalid));
    }
    Ok(())
}

/// The object that a body must be.
pub fn object(body: Value) -> Result<Map<String, Value>, Problem> {
    match body {
        Value::Object(map) => Ok(map),
        _ => Err(Problem::new(&types::MALFORMED_REQUEST).detail("The body must be a JSON object.")),
    }
}

/// A JSON pointer to a field of the body.
pub fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A string.
pub fn string(value: &Value) -> Read<&str> {
    value.as_str().ok_or(Unreadable::Type("a string"))
}

/// A string that `parse` accepts.
pub fn text<T, E: Display>(parse: impl FnOnce(&str) -> Result<T, E>) -> impl FnOnce(&Value) -> Read<T> {
    move |value| parse(string(value)?).map_err(|error| Unreadable::Value("invalid", error.to_string()))
}

/// The one of `all` that has the value for its name.
pub fn one_of<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, value: &Value) -> Read<T> {
    let text = string(value)?;
    all.iter().copied().find(|one| name(*one) == text).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        Unreadable::Value("invalid", format!("must be one of: {}", names.join(", ")))
    })
}

/// A UUID.
pub fn uuid(value: &Value) -> Read<Uuid> {
    let text = string(value)?;
    Uuid::parse_str(text).map_err(|_| Unreadable::Value("invalid", "must be a UUID".to_owned()))
}

/// A whole number; the greatest or least of 64 bits in place of one that does not fit. 5.0 is as whole as 5, and what is next to
/// nothing is not.
pub fn whole(value: &Value) -> Read<i64> {
    let whole = value.as_i64().or_else(|| {
        let is_whole = |number: &f64| number.trunc().to_bits() == number.to_bits();
        let number = value.as_f64().filter(is_whole)?;
        let beyond = if number < 0.0 { i64::MIN } else { i64::MAX };
        Some(format!("{number:.0}").parse().unwrap_or(beyond))
    });
    whole.ok_or(Unreadable::Type("a whole number"))
}

/// A whole number of the few that callers may choose from; any that is none of 0 to 254 is 255,
/// which nobody may.
pub fn few(value: &Value) -> Read<u8> {
    whole(value).map(|number| u8::try_from(number).unwrap_or(u8::MAX))
}

/// An RFC 3339 instant, kept to the microsecond.
pub fn instant(value: &Value) -> Read<Timestamp> {
    let text = string(value)?;
    let invalid = || {
        Unreadable::Value(
            "invalid",
            "must be an RFC 3339 instant such as 2026-10-23T14:00:00Z, with up to nine digits of a second and before 9999-12-30T22:00:00Z".to_owned(),
        )
    };
    let at: Timestamp = text.parse().map_err(|_| invalid())?;
    Timestamp::from_microsecond(at.as_microsecond()).map_err(|_| invalid())
}

/// An instant, or a date for its beginning in UTC.
pub fn instant_or_date(value: &Value) -> Read<Timestamp> {
    let date = string(value)?.parse::<Date>().ok();
    match date.and_then(|date| date.to_zoned(TimeZone::UTC).ok()) {
        Some(start) if value.as_str().is_some_and(|text| text.len() == DATE_CHARACTERS) => Ok(start.timestamp()),
        _ => instant(value),
    }
}

/// `2026-01-31`
const DATE_CHARACTERS: usize = 10;
