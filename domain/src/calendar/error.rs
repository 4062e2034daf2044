//! What can be wrong with a calendar, and with a question to it.

use std::fmt;

use jiff::civil::{Date, Weekday};

use super::spec::{INTERVALS_PER_DAY_MAX, Interval, NAME_CHARS_MAX, SPECIAL_DATES_MAX};

/// One thing that is wrong with a [`super::CalendarSpec`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The name is empty, too long, or holds control characters.
    #[error("a calendar's name has 1 to {NAME_CHARS_MAX} printable characters")]
    Name,
    /// The zone is not in the IANA database.
    #[error("there is no time zone {time_zone:?}: use an IANA name such as Europe/Moscow")]
    UnknownZone {
        /// What was given.
        time_zone: String,
    },
    /// The interval ends when it begins.
    #[error("the interval {interval} ({place}) is empty: let it end after it begins, or leave it out")]
    EmptyInterval {
        /// Where it stands.
        place: Place,
        /// The interval.
        interval: Interval,
    },
    /// The interval ends before it begins.
    #[error(
        "the interval {interval} ({place}) runs backwards: one that passes midnight is two, up to 24:00 and from 00:00"
    )]
    ReversedInterval {
        /// Where it stands.
        place: Place,
        /// The interval.
        interval: Interval,
    },
    /// Two intervals of one day share some time.
    #[error("the intervals {first} and {second} ({place}) overlap: join them or move one")]
    OverlappingIntervals {
        /// Where both stand.
        place: Place,
        /// The one that begins first.
        first: Interval,
        /// The one that begins before the first has ended.
        second: Interval,
    },
    /// A day has more intervals than [`INTERVALS_PER_DAY_MAX`].
    #[error("there are {count} intervals ({place}): a day has at most {INTERVALS_PER_DAY_MAX}")]
    TooManyIntervals {
        /// Where they stand.
        place: Place,
        /// How many there are.
        count: usize,
    },
    /// Holidays, overrides or closures name more dates than [`SPECIAL_DATES_MAX`].
    #[error("the {what} name {count} dates: at most {SPECIAL_DATES_MAX} are allowed, drop those long past")]
    TooManyDates {
        /// `holidays`, `overrides` or `closures`.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// Nobody ever works, so nothing would ever be due.
    #[error(
        "the calendar has no working time: give at least one day of the week, or one override that is no holiday, some hours"
    )]
    NoWorkingTime,
}

/// Where in a calendar an interval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the hours of a weekday.
    Week(Weekday),
    /// In the hours that replace those of a date.
    Override(Date),
    /// In the time taken out of a date.
    Closure(Date),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Week(day) => write!(f, "week, {day:?}"),
            Self::Override(date) => write!(f, "override of {date}"),
            Self::Closure(date) => write!(f, "closure on {date}"),
        }
    }
}

/// Why there is no due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DueError {
    /// Time was asked for that runs backwards.
    #[error("working time to wait for is not negative")]
    Negative,
    /// The calendar has too little working time within [`super::HORIZON`] of the start.
    #[error("the calendar does not have that much working time within twenty years")]
    BeyondHorizon,
}
