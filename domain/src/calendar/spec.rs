//! What people write down about a desk's working time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::{Date, Weekday};

/// A name longer than this does not fit where people choose a calendar from a list.
pub const NAME_CHARS_MAX: usize = 100;

/// More intervals than one an hour in a day are a mistake, not a timetable.
pub const INTERVALS_PER_DAY_MAX: usize = 24;

/// Dates that a calendar may name of each sort: thirty years with a hundred exceptions each.
pub const SPECIAL_DATES_MAX: usize = 3_000;

const SECONDS_PER_DAY: u32 = 24 * 60 * 60;

/// The days of a week, in the order in which people read them.
pub const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// A day's name in JSON, in configuration and in the read models.
pub const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    }
}

/// A desk's working time as written down, not yet checked. See [`super::Calendar::try_new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSpec {
    /// For people, up to [`NAME_CHARS_MAX`] characters.
    pub name: String,
    /// The IANA name of the zone whose wall clock all other fields mean, such as `Europe/Moscow`.
    pub time_zone: String,
    /// The hours of an ordinary week.
    pub week: Week,
    /// Dates without any hours, whatever the other fields say.
    pub holidays: BTreeSet<Date>,
    /// Dates whose hours replace those of their weekday, such as a Saturday that is worked.
    pub overrides: BTreeMap<Date, Vec<Interval>>,
    /// Time taken out of whatever hours its date has.
    pub closures: BTreeMap<Date, Vec<Interval>>,
}

impl CalendarSpec {
    /// Works the given hours in each week of the zone, with no date that differs.
    pub fn weekly(name: impl Into<String>, time_zone: impl Into<String>, week: Week) -> Self {
        Self {
            name: name.into(),
            time_zone: time_zone.into(),
            week,
            holidays: BTreeSet::new(),
            overrides: BTreeMap::new(),
            closures: BTreeMap::new(),
        }
    }
}

/// The hours of an ordinary week; a day that is not set has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Week([Vec<Interval>; 7]);

impl Week {
    /// The same hours on each of the five days from Monday to Friday.
    #[must_use]
    pub fn monday_to_friday(hours: &[Interval]) -> Self {
        WEEKDAYS
            .into_iter()
            .take(5)
            .fold(Self::default(), |week, day| week.with(day, hours.to_vec()))
    }

    /// The same hours on every day.
    #[must_use]
    pub fn daily(hours: &[Interval]) -> Self {
        WEEKDAYS
            .into_iter()
            .fold(Self::default(), |week, day| week.with(day, hours.to_vec()))
    }

    /// Every hour of every day.
    #[must_use]
    pub fn round_the_clock() -> Self {
        Self::daily(&[Interval::WHOLE_DAY])
    }

    /// This week with the hours of one day replaced.
    #[must_use]
    pub fn with(mut self, day: Weekday, hours: Vec<Interval>) -> Self {
        if let Some(slot) = self.0.get_mut(index(day)) {
            *slot = hours;
        }
        self
    }

    /// The hours of one day.
    pub fn hours(&self, day: Weekday) -> &[Interval] {
        self.0.get(index(day)).map_or(&[], Vec::as_slice)
    }

    /// All seven days, Monday first.
    pub fn days(&self) -> impl Iterator<Item = (Weekday, &[Interval])> {
        WEEKDAYS.into_iter().map(|day| (day, self.hours(day)))
    }
}

fn index(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

/// A stretch of one day by the wall clock: from `start` up to, not including, `end`.
///
/// Whether it is empty or runs backwards is for [`super::Calendar::try_new`] to say, together
/// with everything else that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// The first moment inside.
    pub start: TimeOfDay,
    /// The first moment after; `24:00` ends a day.
    pub end: TimeOfDay,
}

impl Interval {
    /// From midnight to midnight.
    pub const WHOLE_DAY: Self = Self {
        start: TimeOfDay::MIDNIGHT,
        end: TimeOfDay::END_OF_DAY,
    };

    /// Reads both ends, such as `"09:00"` and `"13:00"`; see [`TimeOfDay::parse`].
    pub fn parse(start: &str, end: &str) -> Result<Self, TimeOfDayError> {
        Ok(Self {
            start: TimeOfDay::parse(start)?,
            end: TimeOfDay::parse(end)?,
        })
    }

    /// From one full hour to another; hours beyond 24 mean 24.
    pub const fn hours(start: u32, end: u32) -> Self {
        Self {
            start: TimeOfDay::hour(start),
            end: TimeOfDay::hour(end),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

/// A time that a wall clock shows, to the second, from `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u32);

/// The text is not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time of day: write hours and minutes, such as 09:00, up to 24:00")]
pub struct TimeOfDayError {
    /// What was given.
    pub text: String,
}

impl TimeOfDay {
    /// `00:00`, which begins a day.
    pub const MIDNIGHT: Self = Self(0);
    /// `24:00`, which ends a day.
    pub const END_OF_DAY: Self = Self(SECONDS_PER_DAY);

    /// Reads `HH:MM` or `HH:MM:SS`, two digits each, up to and including `24:00`.
    pub fn parse(text: &str) -> Result<Self, TimeOfDayError> {
        read(text).ok_or_else(|| TimeOfDayError { text: text.to_owned() })
    }

    /// A full hour; beyond 24 it is 24.
    pub const fn hour(hour: u32) -> Self {
        if hour < 24 {
            Self(hour * 60 * 60)
        } else {
            Self::END_OF_DAY
        }
    }

    /// So many seconds since the day began, at most a day's.
    pub const fn from_seconds(seconds: u32) -> Option<Self> {
        if seconds <= SECONDS_PER_DAY {
            Some(Self(seconds))
        } else {
            None
        }
    }

    /// Seconds by the wall clock since the day began.
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hour:02}:{minute:02}")?;
        if second == 0 { Ok(()) } else { write!(f, ":{second:02}") }
    }
}

fn read(text: &str) -> Option<TimeOfDay> {
    let mut parts = text.split(':');
    let hour = two_digits(parts.next()?)?;
    let minute = two_digits(parts.next()?)?;
    let second = parts.next().map_or(Some(0), two_digits)?;
    let seconds = hour * 3600 + minute * 60 + second;
    let plausible = parts.next().is_none() && minute < 60 && second < 60 && seconds <= SECONDS_PER_DAY;
    plausible.then_some(TimeOfDay(seconds))
}

fn two_digits(text: &str) -> Option<u32> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_reads_and_prints_the_same() {
        for text in ["00:00", "09:05", "23:59:59", "24:00"] {
            assert_eq!(TimeOfDay::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_no_clock_shows_is_refused() {
        for text in [
            "",
            "9:00",
            "09",
            "09:60",
            "24:01",
            "25:00",
            "09:00:60",
            "09:00:00:00",
            "+9:00",
            "09:00 ",
        ] {
            assert!(TimeOfDay::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_that_is_not_set_has_no_hours() {
        let week = Week::monday_to_friday(&[Interval::hours(9, 17)]);
        assert_eq!(week.hours(Weekday::Friday), [Interval::hours(9, 17)]);
        assert_eq!(week.hours(Weekday::Saturday), []);
        assert_eq!(week.days().filter(|(_, hours)| !hours.is_empty()).count(), 5);
    }
}
