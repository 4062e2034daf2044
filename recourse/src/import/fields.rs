//! What the desk's fields are made of.

use std::collections::BTreeMap;

use domain::text::Subject;
use jiff::Timestamp;

use super::source::{self, Row};

/// An incident's number goes into every key, and keys are bounded.
const NUMBER_CHARACTERS_MAX: usize = 100;

pub(super) fn create_key(number: &str) -> String {
    format!("servicenow:{number}:create")
}

pub(super) fn number(row: &Row) -> Result<&str, String> {
    let number = row.number.as_deref().ok_or("the incident's number is unknown (?)")?;
    if number.len() <= NUMBER_CHARACTERS_MAX && number.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(number);
    }
    Err("the incident's number has other than at most 100 visible ASCII characters".to_owned())
}

/// When the incident was opened, as well as the source knows.
pub(super) fn opened_at(row: &Row) -> Option<Timestamp> {
    [&row.opened_at, &row.sys_created_at]
        .into_iter()
        .find_map(|time| time.as_deref().and_then(source::time))
}

/// The desk's priority for the source's, which begins with its number: `2 - High`.
pub(super) fn priority(row: &Row) -> Option<&'static str> {
    Some(match row.priority.as_deref()?.chars().next()? {
        '1' => "critical",
        '2' => "high",
        '3' => "medium",
        '4' | '5' => "low",
        _ => return None,
    })
}

/// What the row knows, if that is something else than the ticket has.
pub(super) fn changed(known: Option<&String>, current: Option<&String>) -> Option<String> {
    known.filter(|known| Some(*known) != current).cloned()
}

pub(super) fn take(current: &mut Option<String>, change: Option<&String>) {
    if let Some(change) = change {
        *current = Some(change.clone());
    }
}

pub(super) fn custom_fields(number: &str, row: &Row) -> BTreeMap<&'static str, String> {
    let number = number.to_owned();
    [
        ("servicenow_number", Some(&number)),
        ("change_request", row.rfc.as_ref()),
        ("contact_type", row.contact_type.as_ref()),
        ("impact", row.impact.as_ref()),
        ("location", row.location.as_ref()),
        ("problem", row.problem_id.as_ref()),
        ("subcategory", row.subcategory.as_ref()),
        ("symptom", row.u_symptom.as_ref()),
        ("urgency", row.urgency.as_ref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value.clone())))
    .collect()
}

/// What is known of the matter in a few words.
pub(super) fn matter(row: &Row) -> String {
    let known: Vec<&str> = [&row.category, &row.subcategory, &row.u_symptom]
        .into_iter()
        .filter_map(|cell| cell.as_deref())
        .collect();
    if known.is_empty() {
        "an incident".to_owned()
    } else {
        known.join(", ")
    }
}

pub(super) fn subject(number: &str, row: &Row) -> String {
    let subject = format!(
        "{number}: {}",
        row.short_description.clone().unwrap_or_else(|| matter(row))
    );
    subject.chars().take(Subject::CHARACTERS_MAX).collect()
}

pub(super) fn description(number: &str, row: &Row) -> String {
    row.description
        .clone()
        .unwrap_or_else(|| format!("Imported from ServiceNow, incident {number}: {}.", matter(row)))
}

pub(super) fn solution(row: &Row) -> String {
    row.close_notes.clone().unwrap_or_else(|| match &row.closed_code {
        Some(code) => format!("Resolved in ServiceNow, {code}."),
        None => "Resolved in ServiceNow.".to_owned(),
    })
}
