//! Working time: when a desk works, and what that makes of a duration.
//!
//! A [`CalendarSpec`] is what people write down: a time zone, the hours of a week, and the dates
//! that differ. [`Calendar::try_new`] checks all of it at once and gives a [`Calendar`], which can
//! answer when something is due, how much working time has passed, and why.
//!
//! [`explain()`] answers with the reasons, a [`Timeline`] puts one calendar after another, and
//! [`stored`] has a calendar's life in the log.
//!
//! One sentence defines everything here: **an instant is working when the wall clock in the
//! calendar's zone then shows a working time.** So a time of day that the clocks skip in spring
//! never happens and counts for nothing, and one that they repeat in autumn counts twice, because
//! people really do work through it twice: a round-the-clock desk in Berlin works 23 hours on the
//! one day and 25 on the other, while a desk from 09:00 to 17:00 works 8 hours on both.
//!
//! Time zone rules come from the copy of the IANA database inside the program, never from the
//! machine, so that every service computes the same due time from the same facts.
//!
//! Instants are exact to the microsecond, as everywhere in the log; what is finer is cut off.

mod ask;
mod check;
mod day;
mod error;
mod explain;
mod spec;
pub mod stored;
mod timeline;
mod walk;
mod working_time;

pub use error::{CalendarError, DueError, Place};
pub use explain::{Answer, Explanation, Question, QuestionError, SEGMENTS_MAX, explain};
pub use spec::{CalendarSpec, INTERVALS_PER_DAY_MAX, Interval, NAME_CHARS_MAX, SPECIAL_DATES_MAX};
pub use spec::{TimeOfDay, TimeOfDayError, WEEKDAYS, Week, weekday_name};
pub use timeline::Timeline;
pub use walk::{Calendar, HORIZON, Segment, SegmentKind};
pub use working_time::{WorkingTime, WorkingTimeError};
