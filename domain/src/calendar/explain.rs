//! Answers with their reasons: when something is due or how much working time has passed, and
//! what each moment in between was.

use jiff::Timestamp;

use super::error::DueError;
use super::timeline::Timeline;
use super::walk::{HORIZON, Segment};
use super::working_time::WorkingTime;

/// The longest list of reasons. Enough for twenty years of a plain week, or ten with a lunch
/// break; beyond it an answer is megabytes that nobody reads.
pub const SEGMENTS_MAX: usize = 20_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// When has so much working time passed?
    Due {
        /// Since when.
        from: Timestamp,
        /// How much.
        working: WorkingTime,
    },
    /// How much working time lies in between?
    Elapsed {
        /// The first instant inside.
        from: Timestamp,
        /// The first instant after.
        to: Timestamp,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The instant.
    Due(Timestamp),
    /// The working time.
    Elapsed(WorkingTime),
}

/// An answer and its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The answer.
    pub answer: Answer,
    /// The whole stretch in order, without a gap; neighbours differ in kind.
    pub segments: Vec<Segment>,
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// `to` is before `from`.
    #[error("must not be before from: time is not counted backwards")]
    Backwards,
    /// The stretch is longer than [`HORIZON`].
    #[error("must not be more than twenty years (7300 days) after from")]
    TooFar,
    /// There would be more than [`SEGMENTS_MAX`] segments.
    #[error("spans more than {SEGMENTS_MAX} segments of this calendar: ask about a shorter time")]
    TooManySegments,
    /// No version of the calendar is in force yet.
    #[error("is before the calendar's first version takes effect, at {begins}")]
    NotInForce {
        /// When one is.
        begins: Timestamp,
    },
    /// There is no due time.
    #[error(transparent)]
    Due(#[from] DueError),
}

/// Answers a question.
pub fn explain(hours: &Timeline, question: Question) -> Result<Explanation, QuestionError> {
    let (Question::Due { from, .. } | Question::Elapsed { from, .. }) = question;
    if let Some(begins) = hours.begins().filter(|begins| from < *begins) {
        return Err(QuestionError::NotInForce { begins });
    }
    let (answer, to) = match question {
        Question::Due { from, working } => {
            let due = hours.due(from, working.0)?;
            (Answer::Due(due), due)
        }
        Question::Elapsed { from, to } => {
            if to < from {
                return Err(QuestionError::Backwards);
            }
            if from.duration_until(to) > HORIZON {
                return Err(QuestionError::TooFar);
            }
            (Answer::Elapsed(WorkingTime(hours.elapsed(from, to))), to)
        }
    };
    let segments = hours
        .segments(from, to, SEGMENTS_MAX)
        .ok_or(QuestionError::TooManySegments)?;
    Ok(Explanation { answer, segments })
}
