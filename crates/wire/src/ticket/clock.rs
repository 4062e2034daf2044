//! Stored form of what happens to a ticket's clocks.

use domain::sla::{Cancellation, ClockId, Counting, Edition, Marks, Pin, ReEvaluation, SlaEvent, Why};
use domain::text::Code;
use serde::{Deserialize, Serialize};

use super::registry::v1;
use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};
use crate::promise::{
    LengthV1, read_length, read_status, read_target, read_whom, stored_length, stored_status, stored_target,
    stored_whom,
};
use crate::value;

pub(super) const STARTED: KindVersion = v1(21);
pub(super) const PAUSED: KindVersion = v1(22);
pub(super) const RESUMED: KindVersion = v1(23);
pub(super) const FULFILLED: KindVersion = v1(24);
pub(super) const CANCELLED: KindVersion = v1(25);
pub(super) const WARNED: KindVersion = v1(26);
pub(super) const BREACHED: KindVersion = v1(27);
pub(super) const RE_EVALUATED: KindVersion = v1(28);
pub(super) const NOTICE_DUE: KindVersion = v1(29);

/// FROZEN. `target`: 1 first response, 2 next response, 3 resolution.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct ClockV1 {
    target: u8,
    number: u32,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct EditionV1<'b> {
    id: &'b str,
    version: u32,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct PinV1<'b> {
    #[serde(borrow)]
    policy: EditionV1<'b>,
    #[serde(borrow)]
    calendar: EditionV1<'b>,
}

/// FROZEN. Microseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
struct MarksV1 {
    warn_at: Option<i64>,
    due_at: Option<i64>,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct StartedV1<'b> {
    clock: ClockV1,
    #[serde(borrow)]
    pin: PinV1<'b>,
    within: LengthV1,
    marks: MarksV1,
}

/// FROZEN. `status`: its place in a ticket's life, from 1 for new to 8 for reopened.
#[derive(Serialize, Deserialize)]
struct PausedV1 {
    clock: ClockV1,
    status: u8,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct ResumedV1 {
    clock: ClockV1,
    marks: MarksV1,
}

/// FROZEN. `why`: 1 resolved, 2 withdrawn.
#[derive(Serialize, Deserialize)]
struct CancelledV1 {
    clock: ClockV1,
    why: u8,
}

/// FROZEN. A warning or a breach. Microseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
struct ReachedV1 {
    clock: ClockV1,
    at: i64,
}

/// FROZEN. `why`: 1 the ticket changed, 2 somebody asked. `counting`: 1 kept, 2 afresh.
#[derive(Serialize, Deserialize)]
struct ReEvaluatedV1<'b> {
    clock: ClockV1,
    why: u8,
    counting: u8,
    #[serde(borrow)]
    from: PinV1<'b>,
    #[serde(borrow)]
    to: PinV1<'b>,
    within: LengthV1,
    before: MarksV1,
    marks: MarksV1,
}

/// FROZEN. `whom`: 1 the assignee, 2 the group, 3 the followers. Microseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
struct NoticeDueV1 {
    clock: ClockV1,
    whom: u8,
    at: i64,
}

pub(super) const fn kind(event: &SlaEvent) -> KindVersion {
    match event {
        SlaEvent::Started { .. } => STARTED,
        SlaEvent::Paused { .. } => PAUSED,
        SlaEvent::Resumed { .. } => RESUMED,
        SlaEvent::Fulfilled { .. } => FULFILLED,
        SlaEvent::Cancelled { .. } => CANCELLED,
        SlaEvent::Warned { .. } => WARNED,
        SlaEvent::Breached { .. } => BREACHED,
        SlaEvent::ReEvaluated(_) => RE_EVALUATED,
        SlaEvent::NoticeDue { .. } => NOTICE_DUE,
    }
}

pub(super) fn encode(event: &SlaEvent) -> Result<Vec<u8>, postcard::Error> {
    match event {
        SlaEvent::Started {
            clock,
            pin,
            within,
            marks,
        } => postcard::to_stdvec(&StartedV1 {
            clock: stored_clock(*clock),
            pin: stored_pin(pin),
            within: stored_length(*within),
            marks: stored_marks(marks),
        }),
        SlaEvent::Paused { clock, status } => postcard::to_stdvec(&PausedV1 {
            clock: stored_clock(*clock),
            status: stored_status(*status),
        }),
        SlaEvent::Resumed { clock, marks } => postcard::to_stdvec(&ResumedV1 {
            clock: stored_clock(*clock),
            marks: stored_marks(marks),
        }),
        SlaEvent::Fulfilled { clock } => postcard::to_stdvec(&stored_clock(*clock)),
        SlaEvent::Cancelled { clock, why } => postcard::to_stdvec(&CancelledV1 {
            clock: stored_clock(*clock),
            why: match why {
                Cancellation::Resolved => 1,
                Cancellation::Withdrawn => 2,
            },
        }),
        SlaEvent::Warned { clock, at } | SlaEvent::Breached { clock, at } => postcard::to_stdvec(&ReachedV1 {
            clock: stored_clock(*clock),
            at: value::micros(*at),
        }),
        SlaEvent::ReEvaluated(change) => postcard::to_stdvec(&stored_re_evaluation(change)),
        SlaEvent::NoticeDue { clock, whom, at } => postcard::to_stdvec(&NoticeDueV1 {
            clock: stored_clock(*clock),
            whom: stored_whom(*whom),
            at: value::micros(*at),
        }),
    }
}

/// `None`: the kind is none of a clock's.
pub(super) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<SlaEvent, DecodeError>> {
    Some(match kind {
        STARTED => started(bytes),
        PAUSED => paused(bytes),
        RESUMED => resumed(bytes),
        FULFILLED => exact(bytes)
            .and_then(read_clock)
            .map(|clock| SlaEvent::Fulfilled { clock }),
        CANCELLED => cancelled(bytes),
        WARNED => reached(bytes).map(|(clock, at)| SlaEvent::Warned { clock, at }),
        BREACHED => reached(bytes).map(|(clock, at)| SlaEvent::Breached { clock, at }),
        RE_EVALUATED => re_evaluated(bytes),
        NOTICE_DUE => notice_due(bytes),
        _ => return None,
    })
}

fn started(bytes: &[u8]) -> Result<SlaEvent, DecodeError> {
    let stored: StartedV1<'_> = exact(bytes)?;
    Ok(SlaEvent::Started {
        clock: read_clock(stored.clock)?,
        pin: read_pin(&stored.pin),
        within: read_length(&stored.within)?,
        marks: read_marks(&stored.marks)?,
    })
}

fn paused(bytes: &[u8]) -> Result<SlaEvent, DecodeError> {
    let stored: PausedV1 = exact(bytes)?;
    Ok(SlaEvent::Paused {
        clock: read_clock(stored.clock)?,
        status: read_status(stored.status)?,
    })
}

fn resumed(bytes: &[u8]) -> Result<SlaEvent, DecodeError> {
    let stored: ResumedV1 = exact(bytes)?;
    Ok(SlaEvent::Resumed {
        clock: read_clock(stored.clock)?,
        marks: read_marks(&stored.marks)?,
    })
}

fn cancelled(bytes: &[u8]) -> Result<SlaEvent, DecodeError> {
    let stored: CancelledV1 = exact(bytes)?;
    let why = match stored.why {
        1 => Cancellation::Resolved,
        2 => Cancellation::Withdrawn,
        _ => return Err(DecodeError::Value { field: "why" }),
    };
    let clock = read_clock(stored.clock)?;
    Ok(SlaEvent::Cancelled { clock, why })
}

fn reached(bytes: &[u8]) -> Result<(ClockId, domain::Timestamp), DecodeError> {
    let stored: ReachedV1 = exact(bytes)?;
    Ok((read_clock(stored.clock)?, value::timestamp(stored.at)?))
}

fn re_evaluated(bytes: &[u8]) -> Result<SlaEvent, DecodeError> {
    let stored: ReEvaluatedV1<'_> = exact(bytes)?;
    Ok(SlaEvent::ReEvaluated(Box::new(ReEvaluation {
        clock: read_clock(stored.clock)?,
        why: match stored.why {
            1 => Why::TicketChanged,
            2 => Why::Asked,
            _ => return Err(DecodeError::Value { field: "why" }),
        },
        counting: match stored.counting {
            1 => Counting::Kept,
            2 => Counting::Afresh,
            _ => return Err(DecodeError::Value { field: "counting" }),
        },
        from: read_pin(&stored.from),
        to: read_pin(&stored.to),
        within: read_length(&stored.within)?,
        before: read_marks(&stored.before)?,
        marks: read_marks(&stored.marks)?,
    })))
}

fn notice_due(bytes: &[u8]) -> Result<SlaEvent, DecodeError> {
    let stored: NoticeDueV1 = exact(bytes)?;
    Ok(SlaEvent::NoticeDue {
        clock: read_clock(stored.clock)?,
        whom: read_whom(stored.whom)?,
        at: value::timestamp(stored.at)?,
    })
}

fn stored_clock(clock: ClockId) -> ClockV1 {
    ClockV1 {
        target: stored_target(clock.target),
        number: clock.number,
    }
}

fn read_clock(stored: ClockV1) -> Result<ClockId, DecodeError> {
    Ok(ClockId {
        target: read_target(stored.target)?,
        number: stored.number,
    })
}

fn stored_pin(pin: &Pin) -> PinV1<'_> {
    PinV1 {
        policy: stored_edition(&pin.policy),
        calendar: stored_edition(&pin.calendar),
    }
}

fn read_pin(stored: &PinV1<'_>) -> Pin {
    Pin {
        policy: read_edition(&stored.policy),
        calendar: read_edition(&stored.calendar),
    }
}

fn stored_edition(edition: &Edition) -> EditionV1<'_> {
    EditionV1 {
        id: edition.id.as_str(),
        version: edition.version,
    }
}

fn read_edition(stored: &EditionV1<'_>) -> Edition {
    Edition {
        id: Code::new(stored.id),
        version: stored.version,
    }
}

fn stored_marks(marks: &Marks) -> MarksV1 {
    MarksV1 {
        warn_at: marks.warn_at.map(value::micros),
        due_at: marks.due_at.map(value::micros),
    }
}

fn read_marks(stored: &MarksV1) -> Result<Marks, DecodeError> {
    Ok(Marks {
        warn_at: stored.warn_at.map(value::timestamp).transpose()?,
        due_at: stored.due_at.map(value::timestamp).transpose()?,
    })
}

fn stored_re_evaluation(change: &ReEvaluation) -> ReEvaluatedV1<'_> {
    ReEvaluatedV1 {
        clock: stored_clock(change.clock),
        why: match change.why {
            Why::TicketChanged => 1,
            Why::Asked => 2,
        },
        counting: match change.counting {
            Counting::Kept => 1,
            Counting::Afresh => 2,
        },
        from: stored_pin(&change.from),
        to: stored_pin(&change.to),
        within: stored_length(change.within),
        before: stored_marks(&change.before),
        marks: stored_marks(&change.marks),
    }
}
