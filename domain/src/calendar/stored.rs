//! A calendar's life: versions, none of which is ever lost.
//!
//! [`decide`] turns a [`Command`] into a [`Revised`], or says why not; [`Versions`] is what all
//! of them make. The version in force at an instant is the last one written whose
//! `effective_from` is not after it: see [`Timeline`].

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::actor::{Actor, ActorKind};
use crate::ids::Revision;

use super::ask::instant;
use super::error::CalendarError;
use super::spec::CalendarSpec;
use super::timeline::Timeline;
use super::walk::Calendar;

/// A calendar takes no more versions than this: one a week for ten years. All of them are read
/// for each question to it.
pub const VERSIONS_MAX: usize = 500;

/// One version of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What people wrote down.
    pub spec: CalendarSpec,
    /// The first date that it is for, by its own wall clock. `None`: all dates.
    pub effective_from: Option<Date>,
}

impl Version {
    /// The version's calendar, checked, and the first instant that it is for; `None`: all.
    pub fn hours(&self) -> Result<(Calendar, Option<Timestamp>), Vec<CalendarError>> {
        let calendar = Calendar::try_new(self.spec.clone())?;
        let from = self.effective_from.map(|date| instant(calendar.start_of(date)));
        Ok((calendar, from))
    }
}

/// How a version came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is the first.
    Created,
    /// It was written anew.
    Changed,
    /// Holidays were added to the version before.
    HolidaysAdded {
        /// How many.
        added: u32,
    },
}

impl Change {
    /// Its name in the log, in JSON and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "calendar_created",
            Self::Changed => "calendar_changed",
            Self::HolidaysAdded { .. } => "calendar_holidays_added",
        }
    }
}

/// The fact that there is a new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revised {
    /// How it came to be.
    pub change: Change,
    /// The version, whole.
    pub version: Version,
}

/// A wish to change a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make it.
    Create(Calendar, Option<Date>),
    /// Write it anew.
    Replace(Calendar, Option<Date>),
    /// Add holidays to its last version, which keeps everything else.
    AddHolidays(BTreeSet<Date>),
}

/// Why a wish is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such calendar.
    #[error("there is no such calendar")]
    Absent,
    /// There is one already.
    #[error("the calendar exists already")]
    AlreadyCreated,
    /// Only staff may do that.
    #[error("only staff may create and change calendars")]
    NotPermitted,
    /// What would come out is no calendar.
    #[error("the calendar would not be acceptable")]
    Invalid(Vec<CalendarError>),
    /// It has as many versions as a calendar may have.
    #[error("the calendar has {VERSIONS_MAX} versions, as many as a calendar may have")]
    TooManyVersions,
}

/// A calendar's versions, in the order in which they were written. None: it does not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions(Vec<Version>);

impl Versions {
    /// Takes in a recorded fact.
    #[must_use]
    pub fn evolve(mut self, event: &Revised) -> Self {
        self.0.push(event.version.clone());
        self
    }

    /// How many there are: the number of the last.
    pub fn revision(&self) -> Revision {
        Revision(u64::try_from(self.0.len()).unwrap_or(u64::MAX))
    }

    /// All of them, in the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = &Version> {
        self.0.iter()
    }

    /// The version that was written last.
    pub fn last(&self) -> Option<&Version> {
        self.0.last()
    }

    /// Which calendar is in force when.
    pub fn timeline(&self) -> Result<Timeline, Vec<CalendarError>> {
        let calendars = self.0.iter().map(|version| {
            let calendar = Calendar::try_new(version.spec.clone())?;
            Ok((calendar, version.effective_from))
        });
        Ok(Timeline::of(calendars.collect::<Result<Vec<_>, Vec<CalendarError>>>()?))
    }
}

/// Returns the version that `command` makes; none if it would be like the last.
pub fn decide(versions: &Versions, command: &Command, actor: &Actor) -> Result<Option<Revised>, Rejection> {
    match actor.kind {
        ActorKind::Staff => {}
        ActorKind::Customer | ActorKind::System => return Err(Rejection::NotPermitted),
    }
    let revised = match (command, versions.last()) {
        (Command::Create(..), Some(_)) => return Err(Rejection::AlreadyCreated),
        (Command::Create(calendar, effective_from), None) => Revised {
            change: Change::Created,
            version: version(calendar, *effective_from),
        },
        (Command::Replace(..) | Command::AddHolidays(_), None) => return Err(Rejection::Absent),
        (Command::Replace(calendar, effective_from), Some(_)) => Revised {
            change: Change::Changed,
            version: version(calendar, *effective_from),
        },
        (Command::AddHolidays(dates), Some(last)) => with_holidays(last, dates)?,
    };
    if versions.last() == Some(&revised.version) {
        return Ok(None);
    }
    if versions.0.len() >= VERSIONS_MAX {
        return Err(Rejection::TooManyVersions);
    }
    Ok(Some(revised))
}

fn version(calendar: &Calendar, effective_from: Option<Date>) -> Version {
    Version {
        spec: calendar.spec().clone(),
        effective_from,
    }
}

fn with_holidays(last: &Version, dates: &BTreeSet<Date>) -> Result<Revised, Rejection> {
    let mut spec = last.spec.clone();
    let before = spec.holidays.len();
    spec.holidays.extend(dates);
    let added = spec.holidays.len().saturating_sub(before);
    let calendar = Calendar::try_new(spec).map_err(Rejection::Invalid)?;
    Ok(Revised {
        change: Change::HolidaysAdded {
            added: u32::try_from(added).unwrap_or(u32::MAX),
        },
        version: version(&calendar, last.effective_from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Interval, Week};
    use crate::ids::UserId;

    fn actor(kind: ActorKind) -> Actor {
        Actor::plain(UserId::from_bytes([1; 16]), kind)
    }

    fn calendar(end: u32) -> Calendar {
        let week = Week::monday_to_friday(&[Interval::hours(9, end)]);
        Calendar::try_new(CalendarSpec::weekly("Office", "Europe/Berlin", week)).unwrap()
    }

    fn created() -> Versions {
        when(&Versions::default(), &Command::Create(calendar(17), None))
            .unwrap()
            .1
    }

    /// What a member of staff makes of the calendar.
    fn when(versions: &Versions, command: &Command) -> Option<(Change, Versions)> {
        let revised = decide(versions, command, &actor(ActorKind::Staff)).unwrap()?;
        Some((revised.change, versions.clone().evolve(&revised)))
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn only_staff_create_and_change() {
        let create = Command::Create(calendar(17), None);
        for kind in [ActorKind::Customer, ActorKind::System] {
            let refused = decide(&Versions::default(), &create, &actor(kind));
            assert_eq!(refused, Err(Rejection::NotPermitted));
        }
        assert!(when(&Versions::default(), &create).is_some());
    }

    #[test]
    fn what_exists_is_not_created_and_what_does_not_is_not_changed() {
        let staff = actor(ActorKind::Staff);
        let create = Command::Create(calendar(17), None);
        assert_eq!(decide(&created(), &create, &staff), Err(Rejection::AlreadyCreated));
        for command in [
            Command::Replace(calendar(17), None),
            Command::AddHolidays([day("2026-01-01")].into()),
        ] {
            let refused = decide(&Versions::default(), &command, &staff);
            assert_eq!(refused, Err(Rejection::Absent));
        }
    }

    #[test]
    fn the_same_again_makes_no_version_but_another_date_does() {
        assert!(when(&created(), &Command::Replace(calendar(17), None)).is_none());
        let later = Command::Replace(calendar(17), Some(day("2026-07-01")));
        let (change, versions) = when(&created(), &later).unwrap();
        assert_eq!(change, Change::Changed);
        assert!(when(&versions, &later).is_none());
    }

    #[test]
    fn holidays_are_added_to_the_last_version_and_counted_once() {
        let changed = Command::Replace(calendar(15), Some(day("2026-07-01")));
        let (_, versions) = when(&created(), &changed).unwrap();
        let add = Command::AddHolidays([day("2026-12-25"), day("2026-12-26")].into());
        let (change, versions) = when(&versions, &add).unwrap();
        assert_eq!(change, Change::HolidaysAdded { added: 2 });
        let last = versions.last().unwrap();
        assert_eq!(last.effective_from, Some(day("2026-07-01")));
        assert_eq!(last.spec.holidays.len(), 2);
        assert!(when(&versions, &add).is_none());
    }

    #[test]
    fn holidays_may_not_take_all_the_work_away() {
        let only = day("2026-06-06");
        let spec = CalendarSpec {
            overrides: [(only, vec![Interval::hours(9, 15)])].into(),
            ..CalendarSpec::weekly("Once", "UTC", Week::default())
        };
        let create = Command::Create(Calendar::try_new(spec).unwrap(), None);
        let (_, versions) = when(&Versions::default(), &create).unwrap();
        let refused = decide(
            &versions,
            &Command::AddHolidays([only].into()),
            &actor(ActorKind::Staff),
        );
        assert_eq!(refused, Err(Rejection::Invalid(vec![CalendarError::NoWorkingTime])));
    }

    #[test]
    fn the_last_version_that_is_in_force_counts() {
        let changed = Command::Replace(calendar(15), Some(day("2026-07-01")));
        let (_, versions) = when(&created(), &changed).unwrap();
        let timeline = versions.timeline().unwrap();
        // Tuesday and Wednesday: eight hours by the first version, six by the second.
        let from = "2026-06-30T00:00:00+02:00".parse().unwrap();
        let to = "2026-07-02T00:00:00+02:00".parse().unwrap();
        assert_eq!(timeline.elapsed(from, to).as_hours(), 14);
    }
}
