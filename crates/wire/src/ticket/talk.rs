//! Words: answers, reasons, comments.

use domain::text::Body;
use domain::ticket::{Event, Visibility};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::value;

/// FROZEN. An event that is its words: provided information, a declined closure, reopening.
#[derive(Serialize, Deserialize)]
pub(super) struct SaidV1<'b> {
    comment: &'b str,
}

impl<'d> SaidV1<'d> {
    pub(super) fn of(comment: &'d Body) -> Self {
        Self {
            comment: comment.as_str(),
        }
    }

    pub(super) fn read(self) -> Result<Body, DecodeError> {
        value::body(self.comment)
    }
}

/// FROZEN. Work went on, perhaps with a word.
#[derive(Serialize, Deserialize)]
pub(super) struct WorkResumedV1<'b> {
    comment: Option<&'b str>,
}

impl<'d> WorkResumedV1<'d> {
    pub(super) fn of(comment: Option<&'d Body>) -> Self {
        Self {
            comment: comment.map(Body::as_str),
        }
    }

    pub(super) fn read(self) -> Result<Event, DecodeError> {
        Ok(Event::WorkResumed {
            comment: value::optional_body(self.comment)?,
        })
    }
}

/// FROZEN. `visibility`: 1 public, 2 internal.
#[derive(Serialize, Deserialize)]
pub(super) struct CommentedV1<'b> {
    body: &'b str,
    visibility: u8,
}

impl<'d> CommentedV1<'d> {
    pub(super) fn of(body: &'d Body, visibility: Visibility) -> Self {
        let visibility = match visibility {
            Visibility::Public => 1,
            Visibility::Internal => 2,
        };
        Self {
            body: body.as_str(),
            visibility,
        }
    }

    pub(super) fn read(self) -> Result<Event, DecodeError> {
        let visibility = match self.visibility {
            1 => Visibility::Public,
            2 => Visibility::Internal,
            _ => return Err(DecodeError::Value { field: "visibility" }),
        };
        Ok(Event::Commented {
            body: value::body(self.body)?,
            visibility,
        })
    }
}
