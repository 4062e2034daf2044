//! Everything that is wrong with a calendar, found at once.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::error::{CalendarError, Place};
use super::spec::{CalendarSpec, INTERVALS_PER_DAY_MAX, Interval, NAME_CHARS_MAX, SPECIAL_DATES_MAX};

/// Finds the zone if nothing is wrong with the specification.
pub(super) fn check(spec: &CalendarSpec) -> Result<TimeZone, Vec<CalendarError>> {
    let mut errors = Vec::new();
    let length = spec.name.chars().count();
    if spec.name.trim().is_empty() || length > NAME_CHARS_MAX || spec.name.chars().any(char::is_control) {
        errors.push(CalendarError::Name);
    }
    let zone = zone(&spec.time_zone);
    if zone.is_none() {
        errors.push(CalendarError::UnknownZone {
            time_zone: spec.time_zone.clone(),
        });
    }
    for (what, count) in [
        ("holidays", spec.holidays.len()),
        ("overrides", spec.overrides.len()),
        ("closures", spec.closures.len()),
    ] {
        if count > SPECIAL_DATES_MAX {
            errors.push(CalendarError::TooManyDates { what, count });
        }
    }
    for (day, hours) in spec.week.days() {
        check_intervals(Place::Week(day), hours, &mut errors);
    }
    for (date, hours) in &spec.overrides {
        check_intervals(Place::Override(*date), hours, &mut errors);
    }
    for (date, hours) in &spec.closures {
        check_intervals(Place::Closure(*date), hours, &mut errors);
    }
    match zone {
        Some(zone) if errors.is_empty() => Ok(zone),
        Some(_) | None => Err(errors),
    }
}

/// The bundled database, not the machine's: a due time must not depend on where it was computed.
fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled()
        .get(name)
        .ok()
        .filter(|zone| !zone.is_unknown())
}

fn check_intervals(place: Place, intervals: &[Interval], errors: &mut Vec<CalendarError>) {
    if intervals.len() > INTERVALS_PER_DAY_MAX {
        errors.push(CalendarError::TooManyIntervals {
            place,
            count: intervals.len(),
        });
        return;
    }
    for &interval in intervals {
        if interval.start == interval.end {
            errors.push(CalendarError::EmptyInterval { place, interval });
        } else if interval.start > interval.end {
            errors.push(CalendarError::ReversedInterval { place, interval });
        }
    }
    let mut sorted: Vec<Interval> = intervals
        .iter()
        .copied()
        .filter(|interval| interval.start < interval.end)
        .collect();
    sorted.sort_unstable();
    for (first, second) in sorted.iter().zip(sorted.iter().skip(1)) {
        if second.start < first.end {
            errors.push(CalendarError::OverlappingIntervals {
                place,
                first: *first,
                second: *second,
            });
        }
    }
}
