//! Reading a ServiceNow incident audit log: a CSV file in which one row is one update.

use std::io::Read;

use domain::text::{Body, Label};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};

/// Columns without which a file is not an incident audit log.
const COLUMNS_REQUIRED: [&str; 7] = [
    "number",
    "incident_state",
    "caller_id",
    "opened_at",
    "sys_updated_by",
    "sys_updated_at",
    "priority",
];

/// How ServiceNow writes times, as exports and the published data set have them.
const TIME_FORMATS: [&str; 4] = [
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
];

/// One update of an incident. `None`: the source does not know (`?`) or has no such column.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Row {
    /// The line of the file, for people.
    #[serde(skip)]
    pub(crate) line: u64,
    #[serde(deserialize_with = "known")]
    pub(crate) number: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) incident_state: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) sys_mod_count: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) caller_id: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) opened_at: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) sys_created_at: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) sys_updated_by: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) sys_updated_at: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) priority: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) impact: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) urgency: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) category: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) subcategory: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) u_symptom: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) cmdb_ci: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) location: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) contact_type: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) problem_id: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) rfc: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) vendor: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) closed_code: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) assignment_group: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) assigned_to: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(crate) short_description: Option<String>,
    #[serde(deserialize_with = "known_text")]
    pub(crate) description: Option<String>,
    #[serde(deserialize_with = "known_text")]
    pub(crate) close_notes: Option<String>,
}

/// What the source really says in a cell; the desk keeps labels of bounded length without NUL.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(clipped(&String::deserialize(deserializer)?, Label::CHARACTERS_MAX))
}

/// The same for many lines of a person's words.
fn known_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(clipped(&String::deserialize(deserializer)?, Body::CHARACTERS_MAX))
}

fn clipped(cell: &str, characters_max: usize) -> Option<String> {
    let text: String = cell
        .trim()
        .chars()
        .filter(|c| *c != '\0')
        .take(characters_max)
        .collect();
    let text = text.trim_end();
    if text.is_empty() || text == "?" {
        None
    } else {
        Some(text.to_owned())
    }
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// The line of the file.
    pub(crate) line: u64,
    /// Why.
    pub(crate) reason: &'static str,
}

/// Why a file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("the file is not a ServiceNow incident audit log: it lacks the columns {}", missing.join(", "))]
    NotServiceNow { missing: Vec<&'static str> },
    #[error("the file cannot be read as CSV")]
    Csv(#[source] csv::Error),
}

/// The rows of a file, each as it is read.
pub(crate) struct Rows<R> {
    reader: csv::Reader<R>,
    headers: csv::StringRecord,
    record: csv::StringRecord,
}

impl<R: Read> Rows<R> {
    /// Reads the header line and checks that it is one of an audit log.
    pub(crate) fn open(input: R) -> Result<Self, SourceError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(input);
        let headers = reader.headers().map_err(SourceError::Csv)?.clone();
        let missing: Vec<_> = COLUMNS_REQUIRED
            .into_iter()
            .filter(|column| !headers.iter().any(|header| header == *column))
            .collect();
        if !missing.is_empty() {
            return Err(SourceError::NotServiceNow { missing });
        }
        Ok(Self {
            reader,
            headers,
            record: csv::StringRecord::new(),
        })
    }
}

/// What is wrong with one row alone. `None`: reading cannot go on.
fn unreadable(error: &csv::Error) -> Option<Unreadable> {
    let (position, reason) = match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, .. } => (pos, "the row has another number of cells than the header"),
        csv::ErrorKind::Utf8 { pos, .. } => (pos, "the row is not UTF-8 text"),
        _ => return None,
    };
    Some(Unreadable {
        line: position.as_ref().map_or(0, csv::Position::line),
        reason,
    })
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Result<Row, Unreadable>, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.read_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => {
                let line = self.record.position().map_or(0, csv::Position::line);
                Some(match self.record.deserialize::<Row>(Some(&self.headers)) {
                    Ok(row) => Ok(Ok(Row { line, ..row })),
                    Err(error) => Err(SourceError::Csv(error)),
                })
            }
            Err(error) => Some(match unreadable(&error) {
                Some(unreadable) => Ok(Err(unreadable)),
                None => Err(SourceError::Csv(error)),
            }),
        }
    }
}

/// A time of the source. ServiceNow keeps UTC.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    TIME_FORMATS
        .into_iter()
        .find_map(|format| DateTime::strptime(format, text).ok())
        .and_then(|at| at.to_zoned(TimeZone::UTC).ok())
        .map(|at| at.timestamp())
}
