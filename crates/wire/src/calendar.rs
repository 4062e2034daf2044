//! Stored form of a calendar's versions.

use std::collections::BTreeMap;

use domain::calendar::stored::{Change, Revised, Version};
use domain::calendar::{CalendarSpec, Interval, TimeOfDay, Week};
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};

pub(crate) const CREATED_V1: KindVersion = KindVersion { kind: 1001, version: 1 };
pub(crate) const CHANGED_V1: KindVersion = KindVersion { kind: 1002, version: 1 };
pub(crate) const HOLIDAYS_ADDED_V1: KindVersion = KindVersion { kind: 1003, version: 1 };

/// FROZEN. Year × 10,000 + month × 100 + day.
type DateV1 = i32;

/// FROZEN. Pairs of seconds of the wall clock.
type HoursV1 = Vec<(u32, u32)>;

/// FROZEN. `week` begins on Monday.
#[derive(Serialize, Deserialize)]
struct VersionV1<'b> {
    name: &'b str,
    time_zone: &'b str,
    week: [HoursV1; 7],
    holidays: Vec<DateV1>,
    overrides: Vec<(DateV1, HoursV1)>,
    closures: Vec<(DateV1, HoursV1)>,
    effective_from: Option<DateV1>,
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct HolidaysAddedV1<'b> {
    added: u32,
    #[serde(borrow)]
    version: VersionV1<'b>,
}

const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

pub(crate) const fn kind(revised: &Revised) -> KindVersion {
    match revised.change {
        Change::Created => CREATED_V1,
        Change::Changed => CHANGED_V1,
        Change::HolidaysAdded { .. } => HOLIDAYS_ADDED_V1,
    }
}

pub(crate) fn encode(revised: &Revised) -> Result<Vec<u8>, postcard::Error> {
    let version = stored(&revised.version);
    match revised.change {
        Change::Created | Change::Changed => postcard::to_stdvec(&version),
        Change::HolidaysAdded { added } => postcard::to_stdvec(&HolidaysAddedV1 { added, version }),
    }
}

/// `None`: the kind is none of a calendar's.
pub(crate) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<Revised, DecodeError>> {
    let whole = |change: Change| {
        let version = exact::<VersionV1<'_>>(bytes).and_then(read)?;
        Ok(Revised { change, version })
    };
    match kind {
        CREATED_V1 => Some(whole(Change::Created)),
        CHANGED_V1 => Some(whole(Change::Changed)),
        HOLIDAYS_ADDED_V1 => Some(exact::<HolidaysAddedV1<'_>>(bytes).and_then(|stored| {
            Ok(Revised {
                change: Change::HolidaysAdded { added: stored.added },
                version: read(stored.version)?,
            })
        })),
        _ => None,
    }
}

fn stored(version: &Version) -> VersionV1<'_> {
    let Version { spec, effective_from } = version;
    VersionV1 {
        name: &spec.name,
        time_zone: &spec.time_zone,
        week: DAYS.map(|day| stored_hours(spec.week.hours(day))),
        holidays: spec.holidays.iter().copied().map(stored_date).collect(),
        overrides: stored_dates(&spec.overrides),
        closures: stored_dates(&spec.closures),
        effective_from: effective_from.map(stored_date),
    }
}

fn stored_dates(dates: &BTreeMap<Date, Vec<Interval>>) -> Vec<(DateV1, HoursV1)> {
    dates
        .iter()
        .map(|(date, hours)| (stored_date(*date), stored_hours(hours)))
        .collect()
}

fn stored_hours(hours: &[Interval]) -> HoursV1 {
    hours
        .iter()
        .map(|interval| (interval.start.seconds(), interval.end.seconds()))
        .collect()
}

fn stored_date(date: Date) -> DateV1 {
    let (year, month, day) = (i32::from(date.year()), i32::from(date.month()), i32::from(date.day()));
    year * 10_000 + month * 100 + day
}

fn read(stored: VersionV1<'_>) -> Result<Version, DecodeError> {
    let mut week = Week::default();
    for (day, hours) in DAYS.into_iter().zip(stored.week) {
        week = week.with(day, read_hours(&hours)?);
    }
    let spec = CalendarSpec {
        name: stored.name.to_owned(),
        time_zone: stored.time_zone.to_owned(),
        week,
        holidays: stored
            .holidays
            .into_iter()
            .map(read_date)
            .collect::<Result<_, DecodeError>>()?,
        overrides: read_dates(stored.overrides)?,
        closures: read_dates(stored.closures)?,
    };
    Ok(Version {
        spec,
        effective_from: stored.effective_from.map(read_date).transpose()?,
    })
}

fn read_dates(stored: Vec<(DateV1, HoursV1)>) -> Result<BTreeMap<Date, Vec<Interval>>, DecodeError> {
    stored
        .into_iter()
        .map(|(date, hours)| Ok((read_date(date)?, read_hours(&hours)?)))
        .collect()
}

fn read_hours(stored: &[(u32, u32)]) -> Result<Vec<Interval>, DecodeError> {
    let time = |seconds: u32| TimeOfDay::from_seconds(seconds).ok_or(DecodeError::Value { field: "time of day" });
    stored
        .iter()
        .map(|(start, end)| {
            Ok(Interval {
                start: time(*start)?,
                end: time(*end)?,
            })
        })
        .collect()
}

fn read_date(stored: DateV1) -> Result<Date, DecodeError> {
    let parts = (
        i16::try_from(stored.div_euclid(10_000)),
        i8::try_from(stored.rem_euclid(10_000) / 100),
        i8::try_from(stored.rem_euclid(100)),
    );
    let date = match parts {
        (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
        _ => None,
    };
    date.ok_or(DecodeError::Value { field: "date" })
}
