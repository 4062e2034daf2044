//! When everything is looked at again: a cron expression.

use std::str::FromStr;

use chrono::DateTime;
use cron::Schedule;
use jiff::Timestamp;

/// The default: once a minute. What a sweep finds has been missed before, so that this is the
/// longest time for which a mistake of the memory can last.
pub const EVERY_MINUTE: &str = "0 * * * * *";

/// Instants that a cron expression stands for, in UTC.
///
/// In UTC on purpose: in a zone with summer time the crate skips the instants that fall into the
/// missing hour and gives those of the doubled hour twice, and a sweep has no use for local time.
#[derive(Debug, Clone)]
pub struct Sweep(Schedule);

/// The text is not a cron expression.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// As in crontab, without seconds.
    #[error("a sweep has six or seven fields, seconds first; to run at the full minute put `0 ` before the five")]
    NoSeconds,
    /// Anything else.
    #[error("not a cron expression: {0}")]
    Malformed(String),
}

/// A crontab's fields, which the crate refuses without saying why.
const FIELDS_OF_CRONTAB: usize = 5;

impl FromStr for Sweep {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        match Schedule::from_str(text) {
            Ok(schedule) => Ok(Self(schedule)),
            Err(_) if text.split_whitespace().count() == FIELDS_OF_CRONTAB => Err(SweepError::NoSeconds),
            Err(error) => Err(SweepError::Malformed(error.to_string())),
        }
    }
}

impl Sweep {
    /// The first instant of the expression after `now`; `None` if there is none left.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        // The expression knows whole seconds only, and "after" leaves out the second of `now`.
        let now = DateTime::from_timestamp(now.as_second(), 0)?;
        let next = self.0.after(&now).next()?;
        Timestamp::from_second(next.timestamp()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, now: &str) -> Option<String> {
        let sweep: Sweep = expression.parse().unwrap();
        sweep.next_after(now.parse().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn the_default_runs_at_every_full_minute() {
        let at = |now| next(EVERY_MINUTE, now).unwrap();
        assert_eq!(at("2026-03-01T10:00:00Z"), "2026-03-01T10:01:00Z");
        assert_eq!(at("2026-03-01T10:00:59.999999Z"), "2026-03-01T10:01:00Z");
    }

    #[test]
    fn summer_time_is_no_matter() {
        // Clocks in Berlin jump from two to three here.
        assert_eq!(
            next("0 30 * * * *", "2026-03-29T00:45:00Z").unwrap(),
            "2026-03-29T01:30:00Z"
        );
        assert_eq!(
            next("0 30 * * * *", "2026-10-25T00:45:00Z").unwrap(),
            "2026-10-25T01:30:00Z"
        );
    }

    #[test]
    fn a_crontab_expression_is_answered_with_what_is_missing() {
        assert!(matches!("* * * * *".parse::<Sweep>(), Err(SweepError::NoSeconds)));
        assert!(matches!("every minute".parse::<Sweep>(), Err(SweepError::Malformed(_))));
    }

    #[test]
    fn an_expression_may_come_to_an_end() {
        assert_eq!(next("0 0 0 1 1 * 2026", "2026-03-01T10:00:00Z"), None);
    }
}
