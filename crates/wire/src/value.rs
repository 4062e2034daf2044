//! Small values that many payloads share, between their stored form and the domain.

use domain::Timestamp;
use domain::ids::{GroupId, OrganisationId, UserId};
use domain::text::{Body, Label};
use domain::ticket::Change;

use crate::envelope::DecodeError;

/// Microseconds since the Unix epoch.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// By way of nanoseconds: microseconds cannot name the last second that there is, where a wait
/// ends that would go on beyond it.
pub(crate) fn timestamp(micros: i64) -> Result<Timestamp, DecodeError> {
    Timestamp::from_nanosecond(i128::from(micros) * 1000).map_err(|_| DecodeError::Value { field: "time" })
}

pub(crate) fn label(text: &str) -> Result<Label, DecodeError> {
    Label::parse(text).map_err(|_| DecodeError::Value { field: "label" })
}

pub(crate) fn body(text: &str) -> Result<Body, DecodeError> {
    Body::parse(text).map_err(|_| DecodeError::Value { field: "body" })
}

pub(crate) fn optional_label(text: Option<&str>) -> Result<Option<Label>, DecodeError> {
    text.map(label).transpose()
}

pub(crate) fn optional_body(text: Option<&str>) -> Result<Option<Body>, DecodeError> {
    text.map(body).transpose()
}

/// `None` is stored for "keep".
pub(crate) fn stored<'d, T, S>(change: &'d Change<T>, store: impl FnOnce(&'d T) -> S) -> Option<S> {
    change.value().map(store)
}

pub(crate) fn change<S, T>(
    stored: Option<S>,
    read: impl FnOnce(S) -> Result<T, DecodeError>,
) -> Result<Change<T>, DecodeError> {
    Ok(stored.map(read).transpose()?.into())
}

pub(crate) fn user(bytes: [u8; 16]) -> UserId {
    UserId::from_bytes(bytes)
}

pub(crate) fn organisation(bytes: [u8; 16]) -> OrganisationId {
    OrganisationId::from_bytes(bytes)
}

pub(crate) fn group(bytes: [u8; 16]) -> GroupId {
    GroupId::from_bytes(bytes)
}
