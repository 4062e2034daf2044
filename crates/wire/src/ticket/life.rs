//! Waits, closing and reopening.

use domain::text::Body;
use domain::ticket::{Event, Wait};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::value;

/// FROZEN. `due_at`: microseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
pub(super) struct WaitV1<'b> {
    number: u32,
    due_at: i64,
    policy: &'b str,
}

impl<'d> WaitV1<'d> {
    fn of(wait: &'d Wait) -> Self {
        Self {
            number: wait.number,
            due_at: value::micros(wait.due_at),
            policy: wait.policy.as_str(),
        }
    }

    fn read(self) -> Result<Wait, DecodeError> {
        Ok(Wait {
            number: self.number,
            due_at: value::timestamp(self.due_at)?,
            policy: value::label(self.policy)?,
        })
    }
}

/// FROZEN. Information was requested, or closing proposed: words and a wait.
#[derive(Serialize, Deserialize)]
pub(super) struct AskedV1<'b> {
    body: &'b str,
    #[serde(borrow)]
    wait: Option<WaitV1<'b>>,
}

impl<'d> AskedV1<'d> {
    pub(super) fn of(body: &'d Body, wait: Option<&'d Wait>) -> Self {
        Self {
            body: body.as_str(),
            wait: wait.map(WaitV1::of),
        }
    }

    pub(super) fn read(self) -> Result<(Body, Option<Wait>), DecodeError> {
        Ok((value::body(self.body)?, self.wait.map(WaitV1::read).transpose()?))
    }
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
pub(super) struct ClosedV1<'b> {
    comment: Option<&'b str>,
    reason: Option<&'b str>,
}

impl<'d> ClosedV1<'d> {
    pub(super) fn of(comment: Option<&'d Body>, reason: Option<&'d Body>) -> Self {
        Self {
            comment: comment.map(Body::as_str),
            reason: reason.map(Body::as_str),
        }
    }

    pub(super) fn read(self) -> Result<Event, DecodeError> {
        Ok(Event::Closed {
            comment: value::optional_body(self.comment)?,
            reason: value::optional_body(self.reason)?,
        })
    }
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
pub(super) struct InformationWaitExpiredV1<'b> {
    #[serde(borrow)]
    wait: Option<WaitV1<'b>>,
}

impl<'d> InformationWaitExpiredV1<'d> {
    pub(super) fn of(wait: Option<&'d Wait>) -> Self {
        Self {
            wait: wait.map(WaitV1::of),
        }
    }

    pub(super) fn read(self) -> Result<Event, DecodeError> {
        Ok(Event::InformationWaitExpired {
            wait: self.wait.map(WaitV1::read).transpose()?,
        })
    }
}

/// FROZEN. The score is from 1 to 5.
#[derive(Serialize, Deserialize)]
pub(super) struct RatedV1<'b> {
    score: u8,
    comment: Option<&'b str>,
}

impl<'d> RatedV1<'d> {
    pub(super) fn of(score: u8, comment: Option<&'d Body>) -> Self {
        Self {
            score,
            comment: comment.map(Body::as_str),
        }
    }

    pub(super) fn read(self) -> Result<Event, DecodeError> {
        Ok(Event::Rated {
            score: self.score,
            comment: value::optional_body(self.comment)?,
        })
    }
}
