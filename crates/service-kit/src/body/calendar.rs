//! Calendars, and questions to them, as JSON.

use std::collections::{BTreeMap, BTreeSet};

use domain::EARLIEST;
use domain::calendar::{Calendar, CalendarError, CalendarSpec, Interval, Place, Timeline, Week};
use domain::calendar::{Question, QuestionError, TimeOfDay, WEEKDAYS, WorkingTime, weekday_name};
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::fields::{Fields, Unreadable, instant, pointer as pointer_to, text};
use super::reader::Reader;
use crate::problem::{FieldError, Problem, types};

/// The longest names of zones have some thirty characters. What is longer is not repeated back.
const ZONE_CHARACTERS_MAX: usize = 100;

const FIELDS: [&str; 7] = [
    "name",
    "time_zone",
    "week",
    "holidays",
    "overrides",
    "closures",
    "effective_from",
];

/// The next day does not begin everywhere before time ends.
const EFFECTIVE_LAST: Date = Date::constant(9999, 12, 30);

/// A calendar and the date from which it is in force, if it is not for all dates.
pub type Given = (Calendar, Option<Date>);

/// The body of `POST /v1/calendars` and `PUT /v1/calendars/{id}`.
pub fn calendar(body: &Map<String, Value>) -> Result<Given, Problem> {
    let mut reader = Reader::default();
    let given = reader.calendar("", body);
    reader.finish()?;
    // A calendar that could not be made has left an error behind.
    given.ok_or_else(Problem::internal)
}

/// A calendar that is the part `name` of a body, if it is there.
pub fn part(name: &'static str, fields: &mut Fields<'_>) -> Option<Calendar> {
    let mut reader = Reader::default();
    let object = fields.optional(name, |value| {
        value.as_object().ok_or(Unreadable::Type("an object")).cloned()
    });
    let given = object.and_then(|object| reader.calendar(&pointer_to(name), &object));
    fields.take_in(reader.malformed, reader.invalid);
    given.map(|(calendar, _)| calendar)
}

/// The body of `POST /v1/calendars/{id}/explain`.
pub fn question(body: &Map<String, Value>) -> Result<Question, Problem> {
    let mut fields = Fields::new(body);
    let question = asked(&mut fields);
    fields.finish()?;
    question.ok_or_else(Problem::internal)
}

/// The body of `POST /v1/calendars/explain`.
pub fn question_with_calendar(body: &Map<String, Value>) -> Result<(Timeline, Question), Problem> {
    let mut fields = Fields::new(body);
    let mut reader = Reader::default();
    let object = fields.required("calendar", |value| {
        value.as_object().ok_or(Unreadable::Type("an object")).cloned()
    });
    let given = object.and_then(|object| reader.calendar("/calendar", &object));
    let question = asked(&mut fields);
    fields.take_in(reader.malformed, reader.invalid);
    fields.finish()?;
    let (given, question) = given.zip(question).ok_or_else(Problem::internal)?;
    Ok((Timeline::of([given]), question))
}

fn asked(fields: &mut Fields<'_>) -> Option<Question> {
    let at = |value: &Value| {
        let at = instant(value)?;
        let early = || Unreadable::Value("invalid", "must not be before the year 1".to_owned());
        Some(at).filter(|at| *at >= EARLIEST).ok_or_else(early)
    };
    let from = fields.required("from", at);
    let (has_working, has_to) = (fields.has("working"), fields.has("to"));
    let working = fields.optional("working", text(WorkingTime::parse));
    let to = fields.optional("to", at);
    match (has_working, has_to) {
        (true, true) => {
            let detail = "ask for the due time with working, or for the elapsed time with to; not both";
            fields.refuse("/working", "conflict", detail);
            None
        }
        (false, false) => {
            let detail = "one of working (a duration such as PT40H) and to (an instant) is required";
            fields.refuse("", "required", detail);
            None
        }
        (true, false) => from.zip(working).map(|(from, working)| Question::Due { from, working }),
        (false, true) => from.zip(to).map(|(from, to)| Question::Elapsed { from, to }),
    }
}

/// The problem of a question without an answer.
pub fn unanswered(question: Question, error: QuestionError) -> Problem {
    let long = match question {
        Question::Due { .. } => "/working",
        Question::Elapsed { .. } => "/to",
    };
    let pointer = match error {
        QuestionError::NotInForce { .. } => "/from",
        QuestionError::Backwards | QuestionError::TooFar | QuestionError::TooManySegments | QuestionError::Due(_) => {
            long
        }
    };
    Problem::new(&types::INVALID_FIELDS)
        .detail("The question has no answer. See errors.")
        .field(FieldError::new(pointer, "invalid", error.to_string()))
}

/// What is wrong with a calendar that came to be by a command, not by a body of its own.
pub fn unacceptable(errors: &[CalendarError]) -> Problem {
    let errors = errors
        .iter()
        .map(|error| FieldError::new("", code(error), error.to_string()));
    Problem::new(&types::INVALID_FIELDS)
        .detail("The calendar would not be acceptable with these holidays. See errors.")
        .fields(errors.collect())
}

impl Reader {
    fn calendar(&mut self, at: &str, object: &Map<String, Value>) -> Option<Given> {
        self.unknown(at, object, &FIELDS);
        self.refuse_turned(at, object);
        let some = |name: &str| object.get(name).filter(|value| !value.is_null());
        let name = self.required_string(&format!("{at}/name"), some("name"));
        let time_zone = self.required_string(&format!("{at}/time_zone"), some("time_zone"));
        let time_zone = time_zone.filter(|zone| {
            let plausible = zone.chars().count() <= ZONE_CHARACTERS_MAX;
            if !plausible {
                self.refuse(
                    format!("{at}/time_zone"),
                    "invalid",
                    "is not an IANA name such as Europe/Moscow",
                );
            }
            plausible
        });
        let week = some("week").map_or_else(Week::default, |value| self.week(&format!("{at}/week"), value));
        let holidays = some("holidays").map(|value| self.holidays(&format!("{at}/holidays"), value));
        let (overrides, override_places) = self.dated(&format!("{at}/overrides"), some("overrides"));
        let (closures, closure_places) = self.dated(&format!("{at}/closures"), some("closures"));
        let place = format!("{at}/effective_from");
        let effective_from = some("effective_from").map(|value| self.date(&place, value));
        if effective_from.flatten().is_some_and(|date| date > EFFECTIVE_LAST) {
            self.refuse(place, "invalid", format!("must not be after {EFFECTIVE_LAST}"));
        }
        if !self.is_content() {
            return None;
        }
        let spec = CalendarSpec {
            name: name?,
            time_zone: time_zone?,
            week,
            holidays: holidays.unwrap_or_default(),
            overrides,
            closures,
        };
        match Calendar::try_new(spec) {
            Ok(calendar) => Some((calendar, effective_from.flatten())),
            Err(errors) => {
                for error in &errors {
                    let pointer = pointer(error, &override_places, &closure_places);
                    self.refuse(format!("{at}{pointer}"), code(error), error.to_string());
                }
                None
            }
        }
    }

    fn week(&mut self, at: &str, value: &Value) -> Week {
        let Some(object) = value.as_object() else {
            self.wrong_type(at, "an object of the days mon, tue, wed, thu, fri, sat, sun");
            return Week::default();
        };
        self.unknown(at, object, &WEEKDAYS.map(weekday_name));
        WEEKDAYS.into_iter().fold(Week::default(), |week, day| {
            let name = weekday_name(day);
            match object.get(name).filter(|value| !value.is_null()) {
                Some(value) => week.with(day, self.intervals(&format!("{at}/{name}"), value)),
                None => week,
            }
        })
    }

    fn holidays(&mut self, at: &str, value: &Value) -> BTreeSet<Date> {
        let dates = self.array(at, value, "an array of dates").iter().enumerate();
        dates
            .filter_map(|(index, value)| self.date(&format!("{at}/{index}"), value))
            .collect()
    }

    /// Dates with hours, and where each of them stands.
    fn dated(&mut self, at: &str, value: Option<&Value>) -> (BTreeMap<Date, Vec<Interval>>, BTreeMap<Date, usize>) {
        let (mut hours, mut places) = (BTreeMap::new(), BTreeMap::new());
        let entries = value.map_or(&[][..], |value| {
            self.array(at, value, "an array of objects with date and intervals")
        });
        for (index, entry) in entries.iter().enumerate() {
            let at = format!("{at}/{index}");
            let Some(object) = entry.as_object() else {
                self.wrong_type(at, "an object with date and intervals");
                continue;
            };
            self.unknown(&at, object, &["date", "intervals"]);
            let date_at = format!("{at}/date");
            let date = if let Some(value) = object.get("date") {
                self.date(&date_at, value)
            } else {
                self.refuse(date_at.clone(), "required", "is required");
                None
            };
            let intervals_at = format!("{at}/intervals");
            let intervals = if let Some(value) = object.get("intervals") {
                self.intervals(&intervals_at, value)
            } else {
                self.refuse(intervals_at, "required", "is required; [] is no hours at all");
                Vec::new()
            };
            let Some(date) = date else { continue };
            places.entry(date).or_insert(index);
            if hours.insert(date, intervals).is_some() {
                let detail = format!("{date} is there twice: put all its intervals into one entry");
                self.refuse(date_at, "repeated", detail);
            }
        }
        (hours, places)
    }

    fn intervals(&mut self, at: &str, value: &Value) -> Vec<Interval> {
        let pairs = self.array(at, value, "an array of intervals such as [\"09:00\", \"17:00\"]");
        let pairs = pairs.iter().enumerate();
        pairs
            .filter_map(|(index, value)| self.interval(&format!("{at}/{index}"), value))
            .collect()
    }

    fn interval(&mut self, at: &str, value: &Value) -> Option<Interval> {
        let Some([start, end]) = value.as_array().map(Vec::as_slice) else {
            self.wrong_type(at, "an array of two times such as [\"09:00\", \"17:00\"]");
            return None;
        };
        let start = self.time(&format!("{at}/0"), start);
        let end = self.time(&format!("{at}/1"), end);
        start.zip(end).map(|(start, end)| Interval { start, end })
    }

    fn time(&mut self, at: &str, value: &Value) -> Option<TimeOfDay> {
        let Some(text) = value.as_str() else {
            self.wrong_type(at, "a time of day such as \"09:00\"");
            return None;
        };
        let time = TimeOfDay::parse(text).ok();
        if time.is_none() {
            self.refuse(at, "invalid", "must be a time of day such as 09:00, up to 24:00");
        }
        time
    }

    fn date(&mut self, at: &str, value: &Value) -> Option<Date> {
        let Some(text) = value.as_str() else {
            self.wrong_type(at, "a date such as \"2026-01-31\"");
            return None;
        };
        let date = date(text);
        if date.is_none() {
            self.refuse(at, "invalid", "must be a date of the calendar such as 2026-01-31");
        }
        date
    }
}

/// `2026-01-31`, of the years 1 to 9999.
fn date(text: &str) -> Option<Date> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date: Date = text.parse().ok().filter(|_| shaped)?;
    (date.year() >= 1).then_some(date)
}

fn pointer(error: &CalendarError, overrides: &BTreeMap<Date, usize>, closures: &BTreeMap<Date, usize>) -> String {
    let of_date = |list: &str, places: &BTreeMap<Date, usize>, date: &Date| match places.get(date) {
        Some(index) => format!("/{list}/{index}/intervals"),
        None => format!("/{list}"),
    };
    match error {
        CalendarError::Name => "/name".to_owned(),
        CalendarError::UnknownZone { .. } => "/time_zone".to_owned(),
        CalendarError::NoWorkingTime => "/week".to_owned(),
        CalendarError::TooManyDates { what, .. } => format!("/{what}"),
        CalendarError::EmptyInterval { place, .. }
        | CalendarError::ReversedInterval { place, .. }
        | CalendarError::OverlappingIntervals { place, .. }
        | CalendarError::TooManyIntervals { place, .. } => match place {
            Place::Week(day) => format!("/week/{}", weekday_name(*day)),
            Place::Override(date) => of_date("overrides", overrides, date),
            Place::Closure(date) => of_date("closures", closures, date),
        },
    }
}

const fn code(error: &CalendarError) -> &'static str {
    match error {
        CalendarError::Name | CalendarError::UnknownZone { .. } => "invalid",
        CalendarError::EmptyInterval { .. } => "empty_interval",
        CalendarError::ReversedInterval { .. } => "reversed_interval",
        CalendarError::OverlappingIntervals { .. } => "overlapping_intervals",
        CalendarError::TooManyIntervals { .. } | CalendarError::TooManyDates { .. } => "too_many",
        CalendarError::NoWorkingTime => "no_working_time",
    }
}
