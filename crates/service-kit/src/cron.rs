//! Cron expressions, on the wall clock of a place.
//!
//! The crate behind them reads six or seven fields, seconds first, and refuses the five of a crontab. It counts the days of the
//! week from 1 for Sunday, where crontabs count from 0, so that `1-5` would be Sunday to Thursday: here days of the week go by
//! name alone. Given a time zone it leaves out the wall times that clocks skip in spring and gives those of autumn twice; here
//! it reckons without one, and each wall time is looked up in its zone afterwards: a skipped one happens later by as much as
//! was skipped, and one that comes twice happens the first time.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use cron::Schedule;
use jiff::civil;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

/// Instants at which something is done again and again.
#[derive(Debug, Clone)]
pub struct Cron {
    text: String,
    // It has eight sets of numbers within, and settings are moved about.
    schedule: Box<Schedule>,
    zone: TimeZone,
}

/// The text is not a cron expression.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// As in crontab, without seconds.
    #[error("there are six or seven fields, seconds first; to run at the full minute put `0 ` before the five")]
    NoSeconds,
    /// Days of the week are numbers.
    #[error("days of the week go by name, such as MON-FRI: numbers mean other days elsewhere")]
    NumberedDays,
    /// There is no such time zone.
    #[error("{0} is not a time zone of the IANA database, such as Europe/Moscow")]
    UnknownZone(String),
    /// Anything else.
    #[error("not a cron expression: {0}")]
    Malformed(String),
}

/// A crontab's fields.
const FIELDS_OF_CRONTAB: usize = 5;
/// Without the year, which may be left out.
const FIELDS: usize = 6;
/// Where the days of the week are.
const DAY_OF_WEEK: usize = 5;

/// A day is more than any clock was ever set forwards by, so that a change of clocks that still matters lies within it.
const LONGER_THAN_ANY_CHANGE: SignedDuration = SignedDuration::from_hours(25);

impl FromStr for Cron {
    type Err = CronError;

    /// `0 0 9 * * MON-FRI` in UTC, or `0 0 9 * * MON-FRI Europe/Moscow`.
    fn from_str(text: &str) -> Result<Self, CronError> {
        let mut fields: Vec<&str> = text.split_whitespace().collect();
        let count = fields.len();
        let is_zone = |last: &mut &str| last.starts_with(char::is_alphabetic) && (count > FIELDS || last.contains('/'));
        let zone = match fields.pop_if(is_zone) {
            // The database that calendars go by: the same on every machine.
            Some(name) => TimeZoneDatabase::bundled()
                .get(name)
                .map_err(|_| CronError::UnknownZone(name.to_owned()))?,
            None => TimeZone::UTC,
        };
        if fields.len() == FIELDS_OF_CRONTAB {
            return Err(CronError::NoSeconds);
        }
        let days = fields.get(DAY_OF_WEEK);
        if days.is_some_and(|days| days.contains(|letter: char| letter.is_ascii_digit())) {
            return Err(CronError::NumberedDays);
        }
        let schedule =
            Schedule::from_str(&fields.join(" ")).map_err(|error| CronError::Malformed(error.to_string()))?;
        Ok(Self {
            text: text.to_owned(),
            schedule: Box::new(schedule),
            zone,
        })
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Cron {
    /// The first instant of the expression after `now`; `None` if there is none left.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let local = self.zone.to_datetime(now);
        // Times that were skipped a moment ago happen now.
        let skipped = self.skipped_before(now);
        let mut next: Option<Timestamp> = None;
        for wall in self.schedule.after(&as_utc(local.saturating_sub(skipped))?) {
            let wall = TimeZone::UTC.to_datetime(Timestamp::from_second(wall.timestamp()).ok()?);
            // Only times that are skipped happen later than those that follow them.
            if next.is_some_and(|next| wall > self.zone.to_datetime(next)) {
                break;
            }
            let at = self.zone.to_ambiguous_timestamp(wall).compatible().ok()?;
            if at > now && next.is_none_or(|next| at < next) {
                next = Some(at);
            }
        }
        next
    }

    /// By how much clocks were set forwards lately.
    fn skipped_before(&self, now: Timestamp) -> SignedDuration {
        let before = now.saturating_sub(LONGER_THAN_ANY_CHANGE).unwrap_or(now);
        let seconds = |at| i64::from(self.zone.to_offset(at).seconds());
        SignedDuration::from_secs((seconds(now) - seconds(before)).max(0))
    }
}

/// A wall time as the crate takes it, in whole seconds: it leaves out the second that it is given.
fn as_utc(wall: civil::DateTime) -> Option<DateTime<chrono::Utc>> {
    let at = TimeZone::UTC.to_timestamp(wall).ok()?;
    DateTime::from_timestamp(at.as_second(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next few instants.
    fn next(expression: &str, now: &str, count: usize) -> Vec<String> {
        let cron: Cron = expression.parse().unwrap();
        let first = cron.next_after(now.parse().unwrap());
        let all = std::iter::successors(first, |last| cron.next_after(*last));
        all.take(count).map(|at| at.to_string()).collect()
    }

    #[test]
    fn every_minute_is_at_the_full_minute() {
        let at = |now| next("0 * * * * *", now, 1);
        assert_eq!(at("2026-03-01T10:00:00Z"), ["2026-03-01T10:01:00Z"]);
        assert_eq!(at("2026-03-01T10:00:59.999999Z"), ["2026-03-01T10:01:00Z"]);
    }

    #[test]
    fn working_days_are_those_of_the_place() {
        let at = next("0 0 9 * * MON-FRI Europe/Moscow", "2026-03-05T12:00:00Z", 2);
        assert_eq!(at, ["2026-03-06T06:00:00Z", "2026-03-09T06:00:00Z"]);
    }

    #[test]
    fn a_wall_time_that_is_skipped_happens_later_and_once() {
        // Clocks in Berlin jump from two to three at 01:00 UTC.
        let daily = next("0 30 2 * * * Europe/Berlin", "2026-03-28T00:00:00Z", 3);
        assert_eq!(
            daily,
            ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
        );
        let both = next("0 0,30 2,3 * * * Europe/Berlin", "2026-03-29T00:59:00Z", 3);
        assert_eq!(
            both,
            ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"],
            "two wall times that fall on one instant happen once"
        );
    }

    #[test]
    fn a_wall_time_that_comes_twice_happens_the_first_time() {
        let daily = next("0 30 2 * * * Europe/Berlin", "2026-10-24T12:00:00Z", 2);
        assert_eq!(daily, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    }

    #[test]
    fn summer_time_is_no_matter_in_utc() {
        let hourly = next("0 30 * * * *", "2026-03-29T00:45:00Z", 2);
        assert_eq!(hourly, ["2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"]);
    }

    #[test]
    fn a_day_that_a_place_left_out_is_made_up_for() {
        // Samoa had no 30 December 2011.
        let daily = next("0 0 9 * * * Pacific/Apia", "2011-12-29T00:00:00Z", 3);
        assert_eq!(
            daily,
            ["2011-12-29T19:00:00Z", "2011-12-30T19:00:00Z", "2011-12-31T19:00:00Z"]
        );
    }

    #[test]
    fn what_means_something_else_in_a_crontab_is_refused() {
        let refused = |text: &str| text.parse::<Cron>().unwrap_err();
        assert_eq!(refused("* * * * *"), CronError::NoSeconds);
        assert_eq!(refused("0 9 * * MON Europe/Moscow"), CronError::NoSeconds);
        assert_eq!(refused("0 0 9 * * 1-5"), CronError::NumberedDays);
        assert!(matches!(
            refused("0 0 9 * * MON Europe/Nowhere"),
            CronError::UnknownZone(_)
        ));
        assert!(matches!(refused("every minute"), CronError::Malformed(_)));
        assert!(matches!(refused("0 0 25 * * *"), CronError::Malformed(_)));
    }

    #[test]
    fn an_expression_may_come_to_an_end() {
        assert_eq!(next("0 0 0 1 1 * 2026", "2026-03-01T10:00:00Z", 1), [""; 0]);
    }
}
