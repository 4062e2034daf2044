//! Yearly recurrence: `RRULE`s of public holidays, written out as dates.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};

/// Years before the current one for which a rule is written out: questions about the recent past.
pub(super) const YEARS_BACK: i16 = 2;
/// Years after the current one for which a rule is written out. A calendar has room for dates, and
/// governments change holidays: import again before they are over.
pub(super) const YEARS_AHEAD: i16 = 10;

/// A rule, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Yearly {
    interval: i16,
    count: Option<u32>,
    until: Option<Date>,
    months: BTreeSet<i8>,
    month_days: BTreeSet<i8>,
    days: Vec<(Option<i8>, Weekday)>,
}

impl Yearly {
    /// Reads the value of an `RRULE`.
    pub(super) fn parse(rule: &str) -> Result<Self, String> {
        let mut yearly = Self {
            interval: 1,
            count: None,
            until: None,
            months: BTreeSet::new(),
            month_days: BTreeSet::new(),
            days: Vec::new(),
        };
        let mut frequency = None;
        for part in rule.split(';') {
            let (name, value) = part.split_once('=').ok_or_else(|| unreadable(part))?;
            let read = match name.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    frequency = Some(value.to_ascii_uppercase());
                    Some(())
                }
                "INTERVAL" => positive(value).map(|interval| yearly.interval = interval),
                "COUNT" => positive(value).map(|count: u32| yearly.count = Some(count)),
                "UNTIL" => date(value.get(..8).unwrap_or(value)).map(|until| yearly.until = Some(until)),
                "BYMONTH" => numbers(value, 1..=12).map(|months| yearly.months = months),
                "BYMONTHDAY" => numbers(value, -31..=31).map(|days| yearly.month_days = days),
                "BYDAY" => weekdays(value).map(|days| yearly.days = days),
                // It says where weeks begin, which no yearly rule of these parts asks.
                "WKST" => Some(()),
                _ => {
                    return Err(format!(
                        "has a rule with {name}, which is not understood here: write its dates out"
                    ));
                }
            };
            read.ok_or_else(|| unreadable(part))?;
        }
        match frequency.as_deref() {
            Some("YEARLY") => Ok(yearly),
            Some(other) => Err(format!(
                "recurs with FREQ={other}: only FREQ=YEARLY is understood here; write its dates out, or put it into the week"
            )),
            None => Err("has a rule without FREQ".to_owned()),
        }
    }

    /// The dates on which it recurs, from `start` on, within the years around `now`.
    pub(super) fn dates(&self, start: Date, now: Date) -> BTreeSet<Date> {
        let mut dates = BTreeSet::new();
        let first = now.year().saturating_sub(YEARS_BACK);
        let last = horizon(now);
        let mut left = self.count.unwrap_or(u32::MAX);
        let until = self.until.unwrap_or(Date::MAX).min(last);
        let mut year = start.year();
        if self.count.is_none() && year < first {
            // Nothing is counted, so that the years long past need not be walked through.
            let steps = first.saturating_sub(year).checked_div(self.interval).unwrap_or(0);
            year = year.saturating_add(steps.saturating_mul(self.interval));
        }
        while year <= last.year() && left > 0 {
            for date in self.of_year(year, start) {
                if date < start || date > until || left == 0 {
                    continue;
                }
                left = left.saturating_sub(1);
                if date.year() >= first {
                    dates.insert(date);
                }
            }
            year = year.saturating_add(self.interval);
        }
        dates
    }

    fn of_year(&self, year: i16, start: Date) -> Vec<Date> {
        let plain = self.months.is_empty() && self.month_days.is_empty() && self.days.is_empty();
        let months = (1..=12).filter(|month| {
            if plain {
                *month == start.month()
            } else {
                self.months.is_empty() || self.months.contains(month)
            }
        });
        let days = months.flat_map(|month| (1..=31).filter_map(move |day| Date::new(year, month, day).ok()));
        days.filter(|date| self.matches(*date, start)).collect()
    }

    fn matches(&self, date: Date, start: Date) -> bool {
        if self.month_days.is_empty() && self.days.is_empty() {
            return date.day() == start.day();
        }
        let from_the_end = date.day() - date.days_in_month() - 1;
        let month_day = self.month_days.is_empty()
            || self.month_days.contains(&date.day())
            || self.month_days.contains(&from_the_end);
        let day = self.days.is_empty() || self.days.iter().any(|(nth, weekday)| self.is_nth(date, *nth, *weekday));
        month_day && day
    }

    /// Whether a date is the nth such weekday of its month, or of its year if no month is named.
    fn is_nth(&self, date: Date, nth: Option<i8>, weekday: Weekday) -> bool {
        if date.weekday() != weekday {
            return false;
        }
        let Some(nth) = nth.map(i16::from) else { return true };
        let (day, length) = if self.months.is_empty() {
            (date.day_of_year(), date.days_in_year())
        } else {
            (i16::from(date.day()), i16::from(date.days_in_month()))
        };
        let from_the_start = (day - 1) / 7 + 1;
        let from_the_end = -((length - day) / 7 + 1);
        nth == from_the_start || nth == from_the_end
    }
}

/// The last date for which rules are written out.
pub(super) fn horizon(now: Date) -> Date {
    let year = now.year().saturating_add(YEARS_AHEAD);
    Date::new(year, 12, 31).unwrap_or(Date::MAX)
}

fn unreadable(part: &str) -> String {
    format!(
        "has a rule whose part {:?} cannot be read",
        part.chars().take(80).collect::<String>()
    )
}

fn positive<T: std::str::FromStr + PartialOrd + From<u8>>(text: &str) -> Option<T> {
    text.parse().ok().filter(|number| *number >= T::from(1))
}

fn numbers(text: &str, allowed: std::ops::RangeInclusive<i8>) -> Option<BTreeSet<i8>> {
    let number = |text: &str| {
        text.parse()
            .ok()
            .filter(|number| *number != 0 && allowed.contains(number))
    };
    text.split(',').map(number).collect()
}

fn weekdays(text: &str) -> Option<Vec<(Option<i8>, Weekday)>> {
    text.split(',').map(weekday).collect()
}

fn weekday(text: &str) -> Option<(Option<i8>, Weekday)> {
    let (nth, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let day = match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    if nth.is_empty() {
        return Some((None, day));
    }
    let nth = nth
        .parse()
        .ok()
        .filter(|nth: &i8| *nth != 0 && nth.unsigned_abs() <= 53)?;
    Some((Some(nth), day))
}

/// `20260101`.
pub(super) fn date(text: &str) -> Option<Date> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i32 = text.parse().ok().filter(|_| digits)?;
    let year = i16::try_from(number / 10_000).ok().filter(|year| *year >= 1)?;
    let (month, day) = (i8::try_from(number / 100 % 100).ok()?, i8::try_from(number % 100).ok()?);
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn recurs(rule: &str, start: &str, first: &[&str]) {
        let dates = Yearly::parse(rule)
            .unwrap()
            .dates(start.parse().unwrap(), "2026-11-24".parse().unwrap());
        let dates: Vec<String> = dates.iter().take(first.len()).map(Date::to_string).collect();
        assert_eq!(dates, first, "{rule}");
    }

    #[test]
    fn rules_of_public_holidays_are_written_out() {
        recurs("FREQ=YEARLY", "1970-01-01", &["2024-01-01", "2025-01-01"]);
        recurs("FREQ=YEARLY", "2026-12-25", &["2026-12-25", "2027-12-25"]);
        recurs(
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            "2000-11-23",
            &["2024-11-28", "2025-11-27", "2026-11-26"],
        );
        recurs(
            "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO",
            "2025-05-26",
            &["2025-05-26", "2026-05-25"],
        );
        recurs("FREQ=YEARLY;INTERVAL=4", "1996-02-29", &["2024-02-29", "2028-02-29"]);
        recurs("FREQ=YEARLY", "2024-02-29", &["2024-02-29", "2028-02-29"]);
        recurs(
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
            "2026-02-28",
            &["2026-02-28", "2027-02-28", "2028-02-29"],
        );
        recurs(
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            "1996-11-05",
            &["2024-11-05", "2028-11-07"],
        );
    }

    #[test]
    fn rules_end_when_they_say() {
        let now = "2026-11-24".parse().unwrap();
        let dates = |rule: &str, start: &str| Yearly::parse(rule).unwrap().dates(start.parse().unwrap(), now);
        assert_eq!(dates("FREQ=YEARLY;COUNT=3", "2025-01-01").len(), 3);
        assert_eq!(dates("FREQ=YEARLY;COUNT=3", "2022-01-01").len(), 1);
        assert_eq!(dates("FREQ=YEARLY;UNTIL=20270101", "2025-01-01").len(), 3);
        assert_eq!(dates("FREQ=YEARLY;UNTIL=20261231T235959Z", "2025-01-01").len(), 2);
        assert_eq!(
            dates("FREQ=YEARLY", "2025-01-01").last(),
            Some(&Date::constant(2036, 1, 1))
        );
    }

    #[test]
    fn rules_that_are_not_understood_are_refused() {
        for rule in [
            "FREQ=WEEKLY;BYDAY=SA",
            "INTERVAL=1",
            "FREQ=YEARLY;BYSETPOS=1",
            "FREQ=YEARLY;BYDAY=XX",
            "FREQ=YEARLY;INTERVAL=0",
            "FREQ=YEARLY;BYMONTH=13",
            "FREQ=YEARLY;BYMONTH=0",
            "FREQ",
            "FREQ=YEARLY;BYDAY=Ы",
        ] {
            assert!(Yearly::parse(rule).is_err(), "{rule}");
        }
    }
}
