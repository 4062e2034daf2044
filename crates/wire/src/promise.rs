//! What promises are made of, between its stored form and the domain.

use domain::policy::WaitLength;
use domain::sla::{Notified, TargetKind};
use domain::ticket::Status;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;

/// FROZEN. `kind`: 1 working time, 2 time by the clock. Microseconds.
#[derive(Serialize, Deserialize)]
pub(crate) struct LengthV1 {
    kind: u8,
    micros: i64,
}

/// FROZEN. A stored status is its place here, from 1.
const STATUSES: [Status; 8] = [
    Status::New,
    Status::InProgress,
    Status::WaitingForInfo,
    Status::WaitingForFix,
    Status::WaitingForImplementation,
    Status::WaitingForClosure,
    Status::Closed,
    Status::Reopened,
];

/// Lengths are whole microseconds, and of a year at most where a policy has them.
pub(crate) fn stored_length(length: WaitLength) -> LengthV1 {
    LengthV1 {
        kind: match length {
            WaitLength::Working(_) => 1,
            WaitLength::Elapsed(_) => 2,
        },
        micros: i64::try_from(length.duration().as_micros()).unwrap_or(i64::MAX),
    }
}

pub(crate) fn read_length(stored: &LengthV1) -> Result<WaitLength, DecodeError> {
    let duration = SignedDuration::from_micros(stored.micros);
    match stored.kind {
        1 => Ok(WaitLength::Working(duration)),
        2 => Ok(WaitLength::Elapsed(duration)),
        _ => Err(DecodeError::Value { field: "kind of time" }),
    }
}

pub(crate) const fn stored_target(target: TargetKind) -> u8 {
    match target {
        TargetKind::FirstResponse => 1,
        TargetKind::NextResponse => 2,
        TargetKind::Resolution => 3,
    }
}

pub(crate) const fn read_target(stored: u8) -> Result<TargetKind, DecodeError> {
    match stored {
        1 => Ok(TargetKind::FirstResponse),
        2 => Ok(TargetKind::NextResponse),
        3 => Ok(TargetKind::Resolution),
        _ => Err(DecodeError::Value { field: "target" }),
    }
}

pub(crate) const fn stored_status(status: Status) -> u8 {
    match status {
        Status::New => 1,
        Status::InProgress => 2,
        Status::WaitingForInfo => 3,
        Status::WaitingForFix => 4,
        Status::WaitingForImplementation => 5,
        Status::WaitingForClosure => 6,
        Status::Closed => 7,
        Status::Reopened => 8,
    }
}

pub(crate) fn read_status(stored: u8) -> Result<Status, DecodeError> {
    let place = usize::from(stored).checked_sub(1);
    let status = place.and_then(|place| STATUSES.get(place));
    status.copied().ok_or(DecodeError::Value { field: "status" })
}

pub(crate) const fn stored_whom(whom: Notified) -> u8 {
    match whom {
        Notified::Assignee => 1,
        Notified::Group => 2,
        Notified::Followers => 3,
    }
}

pub(crate) const fn read_whom(stored: u8) -> Result<Notified, DecodeError> {
    match stored {
        1 => Ok(Notified::Assignee),
        2 => Ok(Notified::Group),
        3 => Ok(Notified::Followers),
        _ => Err(DecodeError::Value { field: "whom" }),
    }
}
