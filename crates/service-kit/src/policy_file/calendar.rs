//! The calendar of a policy file.

use std::collections::BTreeMap;

use domain::calendar::{Calendar, CalendarError, CalendarSpec, Interval, Place, Week, weekday_name};
use jiff::civil::{Date, Weekday};
use serde::Deserialize;

use super::problem::{FieldProblem, Problems};

/// Pairs of times of day.
type Hours = Vec<(String, String)>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CalendarFile {
    name: String,
    time_zone: String,
    #[serde(default)]
    week: WeekFile,
    #[serde(default)]
    holidays: Vec<String>,
    #[serde(default)]
    overrides: Vec<DateFile>,
    #[serde(default)]
    closures: Vec<DateFile>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WeekFile {
    mon: Hours,
    tue: Hours,
    wed: Hours,
    thu: Hours,
    fri: Hours,
    sat: Hours,
    sun: Hours,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DateFile {
    date: String,
    intervals: Hours,
}

impl CalendarFile {
    pub(super) fn calendar(self, problems: &mut Problems) -> Option<Calendar> {
        let before = problems.0.len();
        let mut holidays = Vec::new();
        for (index, text) in self.holidays.iter().enumerate() {
            holidays.extend(date(&format!("calendar.holidays[{index}]"), text, problems));
        }
        let spec = CalendarSpec {
            name: self.name,
            time_zone: self.time_zone,
            week: self.week.week(problems),
            holidays: holidays.into_iter().collect(),
            overrides: dates("calendar.overrides", &self.overrides, problems),
            closures: dates("calendar.closures", &self.closures, problems),
        };
        if problems.0.len() > before {
            return None;
        }
        match Calendar::try_new(spec) {
            Ok(calendar) => Some(calendar),
            Err(errors) => {
                problems.0.extend(errors.iter().map(calendar_problem));
                None
            }
        }
    }
}

impl WeekFile {
    fn week(&self, problems: &mut Problems) -> Week {
        let days = [
            (Weekday::Monday, &self.mon),
            (Weekday::Tuesday, &self.tue),
            (Weekday::Wednesday, &self.wed),
            (Weekday::Thursday, &self.thu),
            (Weekday::Friday, &self.fri),
            (Weekday::Saturday, &self.sat),
            (Weekday::Sunday, &self.sun),
        ];
        days.into_iter().fold(Week::default(), |week, (day, hours)| {
            week.with(day, intervals(&week_field(day), hours, problems))
        })
    }
}

fn dates(field: &str, entries: &[DateFile], problems: &mut Problems) -> BTreeMap<Date, Vec<Interval>> {
    let mut dates = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let hours = intervals(&format!("{field}.intervals"), &entry.intervals, problems);
        let Some(date) = date(&format!("{field}.date"), &entry.date, problems) else {
            continue;
        };
        if dates.insert(date, hours).is_some() {
            problems.add(
                format!("{field}.date"),
                format!("{date} is there twice: put all its intervals into one entry"),
            );
        }
    }
    dates
}

fn date(field: &str, text: &str, problems: &mut Problems) -> Option<Date> {
    let date = Date::strptime("%Y-%m-%d", text).ok();
    if date.is_none() {
        problems.add(field, format!("{text:?} is not a date: write it like 2026-01-31"));
    }
    date
}

fn intervals(field: &str, hours: &Hours, problems: &mut Problems) -> Vec<Interval> {
    let mut intervals = Vec::new();
    for (index, (start, end)) in hours.iter().enumerate() {
        match Interval::parse(start, end) {
            Ok(interval) => intervals.push(interval),
            Err(error) => problems.add(format!("{field}[{index}]"), error.to_string()),
        }
    }
    intervals
}

fn week_field(day: Weekday) -> String {
    format!("calendar.week.{}", weekday_name(day))
}

fn calendar_problem(error: &CalendarError) -> FieldProblem {
    let field = match error {
        CalendarError::Name => "calendar.name".to_owned(),
        CalendarError::UnknownZone { .. } => "calendar.time_zone".to_owned(),
        CalendarError::NoWorkingTime => "calendar.week".to_owned(),
        CalendarError::TooManyDates { what, .. } => format!("calendar.{what}"),
        CalendarError::EmptyInterval { place, .. }
        | CalendarError::ReversedInterval { place, .. }
        | CalendarError::OverlappingIntervals { place, .. }
        | CalendarError::TooManyIntervals { place, .. } => match place {
            Place::Week(day) => week_field(*day),
            Place::Override(_) => "calendar.overrides".to_owned(),
            Place::Closure(_) => "calendar.closures".to_owned(),
        },
    };
    FieldProblem {
        field,
        detail: error.to_string(),
    }
}
