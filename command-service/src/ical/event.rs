//! Events: the dates of those that last whole days.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::Date;

use super::lines::{Property, properties};
use super::recurrence::{Yearly, date, horizon};
use super::unreadable::Unreadable;

/// More events than a calendar has room for holidays.
const EVENTS_MAX: usize = domain::calendar::SPECIAL_DATES_MAX;
/// A longer event is a mistake in the file, not a holiday.
const DAYS_MAX: i32 = 366;
/// Of a longer summary the beginning is enough to find the event.
const SUMMARY_CHARACTERS_MAX: usize = 100;
/// What is wrong with a file shows in the first of its mistakes.
const UNREADABLE_MAX: usize = 100;

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Holidays {
    /// The dates of its all-day events.
    pub(crate) dates: BTreeSet<Date>,
    /// How many events there were, whatever they were.
    pub(crate) events: usize,
    /// The events that are no holidays.
    pub(crate) skipped: Vec<Skipped>,
    /// Where rules were cut off, if there were any.
    pub(crate) written_out_until: Option<Date>,
}

/// An event that is no holiday.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// The line on which it begins.
    pub(crate) line: usize,
    /// What it is called.
    pub(crate) summary: String,
    /// Why it is none.
    pub(crate) reason: &'static str,
}

/// Reads a file; rules are written out around the year of `now`.
pub(crate) fn holidays(file: &str, now: Date) -> Result<Holidays, Vec<Unreadable>> {
    let (properties, mut unreadable) = properties(file);
    let events = match events(&properties) {
        Ok(events) => events,
        Err(error) => {
            unreadable.push(error);
            Vec::new()
        }
    };
    let mut holidays = Holidays {
        events: events.len(),
        ..Holidays::default()
    };
    for event in &events {
        match event.dates(now) {
            Ok(Dates::These(dates)) => {
                holidays.dates.extend(dates);
                if event.find("RRULE").is_some() {
                    holidays.written_out_until = Some(horizon(now));
                }
            }
            Ok(Dates::No(reason)) => holidays.skipped.push(Skipped {
                line: event.line,
                summary: event.summary(),
                reason,
            }),
            Err(error) => unreadable.push(error),
        }
    }
    if unreadable.is_empty() {
        return Ok(holidays);
    }
    unreadable.truncate(UNREADABLE_MAX);
    Err(unreadable)
}

/// The properties of one `VEVENT`, without those of what is inside it.
#[derive(Debug)]
struct Event<'f> {
    line: usize,
    properties: Vec<&'f Property>,
}

enum Dates {
    These(BTreeSet<Date>),
    No(&'static str),
}

/// The events of a file, if its components are in order.
fn events(properties: &[Property]) -> Result<Vec<Event<'_>>, Unreadable> {
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut inside: Vec<String> = Vec::new();
    for property in properties {
        let component = property.value.trim().to_ascii_uppercase();
        match (property.name.as_str(), inside.last().map(String::as_str)) {
            ("BEGIN", outer) => {
                if (outer.is_none()) != (component == "VCALENDAR") {
                    return Err(Unreadable::new(
                        property.line,
                        "begins in the wrong place: an iCalendar file is one or more VCALENDARs with components inside",
                    ));
                }
                if component == "VEVENT" {
                    events.push(Event {
                        line: property.line,
                        properties: Vec::new(),
                    });
                }
                inside.push(component);
            }
            ("END", Some(outer)) if outer == component => {
                inside.pop();
            }
            ("END", _) => {
                return Err(Unreadable::new(property.line, "ends what did not begin"));
            }
            (_, None) => {
                return Err(Unreadable::new(
                    property.line,
                    "stands outside of BEGIN:VCALENDAR and END:VCALENDAR: this is no iCalendar file",
                ));
            }
            (_, Some("VEVENT")) => {
                if let Some(event) = events.last_mut() {
                    event.properties.push(property);
                }
            }
            (_, Some(_)) => {}
        }
        if events.len() > EVENTS_MAX {
            return Err(Unreadable::new(
                property.line,
                format!("is beyond the {EVENTS_MAX} events that are read: import a shorter file"),
            ));
        }
    }
    match (inside.last(), properties.last()) {
        (None, Some(_)) => Ok(events),
        (None, None) => Err(Unreadable::new(1, "is empty: send an iCalendar file")),
        (Some(open), _) => Err(Unreadable::new(
            properties.last().map_or(1, |last| last.line),
            format!("is the last line, and {open} has not ended: the file is cut off"),
        )),
    }
}

impl Event<'_> {
    fn find(&self, name: &str) -> Option<&Property> {
        self.properties.iter().copied().find(|property| property.name == name)
    }

    fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Property> {
        self.properties
            .iter()
            .copied()
            .filter(move |property| property.name == name)
    }

    fn summary(&self) -> String {
        let text = self.find("SUMMARY").map(Property::text).unwrap_or_default();
        text.chars().take(SUMMARY_CHARACTERS_MAX).collect()
    }

    fn dates(&self, now: Date) -> Result<Dates, Unreadable> {
        if self
            .find("STATUS")
            .is_some_and(|status| status.value.trim().eq_ignore_ascii_case("CANCELLED"))
        {
            return Ok(Dates::No("it is cancelled"));
        }
        if self.find("RECURRENCE-ID").is_some() {
            return Ok(Dates::No(
                "it changes one occurrence of another event, which is not understood here: check that date",
            ));
        }
        let start = self
            .find("DTSTART")
            .ok_or_else(|| Unreadable::new(self.line, "is an event without DTSTART"))?;
        let Some(first) = whole_date(start)? else {
            return Ok(Dates::No("it does not last whole days"));
        };
        let days = self.days(first)?;
        let mut firsts = self.occurrences(first, now)?;
        if firsts.is_empty() {
            return Ok(Dates::No("it does not recur any more"));
        }
        for property in self.all("RDATE") {
            firsts.extend(date_list(property)?);
        }
        for property in self.all("EXDATE") {
            for date in date_list(property)? {
                firsts.remove(&date);
            }
        }
        let each = |first: &Date| {
            let first = *first;
            (0..days).filter_map(move |day| first.checked_add(Span::new().days(day)).ok())
        };
        Ok(Dates::These(firsts.iter().flat_map(each).collect()))
    }

    fn occurrences(&self, first: Date, now: Date) -> Result<BTreeSet<Date>, Unreadable> {
        let mut rules = self.all("RRULE");
        match (rules.next(), rules.next()) {
            (None, _) => Ok([first].into()),
            (Some(rule), None) => Yearly::parse(rule.value.trim())
                .map(|yearly| yearly.dates(first, now))
                .map_err(|detail| Unreadable::new(rule.line, detail)),
            (Some(_), Some(second)) => Err(Unreadable::new(
                second.line,
                "is a second rule of one event, which is not understood here: write its dates out",
            )),
        }
    }

    /// How many days it lasts. `DTEND` is the first date after it.
    fn days(&self, first: Date) -> Result<i32, Unreadable> {
        let (line, days) = match (self.find("DTEND"), self.find("DURATION")) {
            (Some(end), _) => {
                let last = whole_date(end)?.ok_or_else(|| {
                    Unreadable::new(end.line, "is no date, although DTSTART is one: write both alike")
                })?;
                let days = first.until(last).map_or(i32::MAX, |span| span.get_days());
                // Some programs write the same date twice for a single day.
                (end.line, if days == 0 { 1 } else { days })
            }
            (None, Some(duration)) => (duration.line, duration_days(duration)?),
            (None, None) => return Ok(1),
        };
        if (1..=DAYS_MAX).contains(&days) {
            Ok(days)
        } else {
            Err(Unreadable::new(
                line,
                format!("makes the event {days} days long: it lasts from 1 to {DAYS_MAX}"),
            ))
        }
    }
}

/// The date that a property says; `None` if it says a time of day too.
fn whole_date(property: &Property) -> Result<Option<Date>, Unreadable> {
    let value = property.value.trim();
    let timed = value.contains(['T', 't']);
    if timed
        && property
            .parameter("VALUE")
            .is_none_or(|kind| !kind.eq_ignore_ascii_case("DATE"))
    {
        return Ok(None);
    }
    date(value)
        .map(Some)
        .ok_or_else(|| Unreadable::new(property.line, format!("has no date such as {}:20260101", property.name)))
}

fn date_list(property: &Property) -> Result<Vec<Date>, Unreadable> {
    let dates = property.value.split(',').map(|text| date(text.trim()));
    dates.collect::<Option<_>>().ok_or_else(|| {
        Unreadable::new(
            property.line,
            format!("has no dates such as {};VALUE=DATE:20260101", property.name),
        )
    })
}

/// `P2D`, `P1W`.
fn duration_days(property: &Property) -> Result<i32, Unreadable> {
    let value = property.value.trim().to_ascii_uppercase();
    let number = |unit: char| value.strip_prefix('P')?.strip_suffix(unit)?.parse::<i32>().ok();
    let days = number('D').or_else(|| number('W').map(|weeks| weeks.saturating_mul(7)));
    days.ok_or_else(|| {
        Unreadable::new(
            property.line,
            "is no number of days or weeks, such as P2D or P1W, as all-day events have",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(events: &str) -> Result<Holidays, Vec<Unreadable>> {
        let file = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n");
        holidays(&file, "2026-11-24".parse().unwrap())
    }

    fn event(lines: &str) -> String {
        let lines: Vec<String> = lines.lines().map(|line| format!("{}\r\n", line.trim())).collect();
        let lines = lines.concat();
        format!("BEGIN:VEVENT\r\n{lines}END:VEVENT\r\n")
    }

    #[track_caller]
    fn dates(lines: &str, expected: &[&str]) {
        let found = read(&event(lines)).unwrap().dates;
        let found: Vec<String> = found.iter().map(Date::to_string).collect();
        assert_eq!(found, expected, "{lines}");
    }

    #[test]
    fn all_day_events_are_holidays_up_to_the_date_before_dtend() {
        dates("DTSTART;VALUE=DATE:20260101", &["2026-01-01"]);
        dates(
            "DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260102",
            &["2026-01-01"],
        );
        dates(
            "DTSTART;VALUE=DATE:20251231\nDTEND;VALUE=DATE:20260102",
            &["2025-12-31", "2026-01-01"],
        );
        dates(
            "DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260101",
            &["2026-01-01"],
        );
        dates("DTSTART:20260101\nDURATION:P2D", &["2026-01-01", "2026-01-02"]);
        dates(
            "DTSTART;VALUE=DATE:20260101\nRDATE;VALUE=DATE:20260301,20260401\nEXDATE;VALUE=DATE:20260301",
            &["2026-01-01", "2026-04-01"],
        );
    }

    #[test]
    fn what_is_no_holiday_is_reported() {
        let timed = event("SUMMARY:Stand\\, up\nDTSTART;TZID=Europe/Berlin:20260101T100000\nDTEND:20260101T110000Z");
        let cancelled = event("STATUS:CANCELLED\nDTSTART;VALUE=DATE:20260101");
        let ended = event("DTSTART;VALUE=DATE:20100101\nRRULE:FREQ=YEARLY;COUNT=2");
        let read = read(&format!("{timed}{cancelled}{ended}")).unwrap();
        assert_eq!((read.events, read.dates.len()), (3, 0));
        let skipped: Vec<(usize, &str, &str)> = read
            .skipped
            .iter()
            .map(|it| (it.line, it.summary.as_str(), it.reason))
            .collect();
        let expected = [
            (3, "Stand, up", "it does not last whole days"),
            (8, "", "it is cancelled"),
            (12, "", "it does not recur any more"),
        ];
        assert_eq!(skipped, expected);
    }

    #[test]
    fn alarms_and_time_zones_are_no_events() {
        let with_alarm = "BEGIN:VTIMEZONE\nBEGIN:STANDARD\nDTSTART:19701025T030000\nEND:STANDARD\nEND:VTIMEZONE\n\
             BEGIN:VEVENT\nDTSTART;VALUE=DATE:20260101\nBEGIN:VALARM\nDURATION:PT15M\nEND:VALARM\nEND:VEVENT\n";
        let read = read(with_alarm).unwrap();
        assert_eq!((read.events, read.dates.len()), (1, 1));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line_all_at_once() {
        let wrong = [
            "DTSTART;VALUE=DATE:20260230",
            "SUMMARY:No start",
            "DTSTART;VALUE=DATE:20260102\nDTEND;VALUE=DATE:20260101",
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=MONTHLY",
            "DTSTART;VALUE=DATE:20260101\nDTEND:20260102T000000Z",
        ];
        let errors = read(&wrong.map(event).concat()).unwrap_err();
        let lines: Vec<usize> = errors.iter().map(|error| error.line).collect();
        assert_eq!(lines, [4, 6, 11, 15, 19]);
    }

    #[test]
    fn what_is_no_icalendar_file_is_refused() {
        let now = "2026-11-24".parse().unwrap();
        for file in [
            "",
            "{}",
            "DTSTART:20260101",
            "BEGIN:VCALENDAR\n",
            "END:VCALENDAR\n",
            "BEGIN:VEVENT\nEND:VEVENT\n",
        ] {
            assert!(holidays(file, now).is_err(), "{file:?}");
        }
        assert_eq!(
            holidays("BEGIN:VCALENDAR\nEND:VCALENDAR\n", now),
            Ok(Holidays::default())
        );
    }
}
