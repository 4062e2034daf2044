//! What is asked of the dashboard.

use domain::actor::Actor;
use domain::directory::EntryKind;
use domain::portal;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use jiff_sqlx::ToSqlx as _;
use sqlx::{Postgres, QueryBuilder};

use crate::params::{Params, day, one_of, time};

/// The parameters of the dashboard.
pub(super) const NAMES: [&str; 4] = ["from", "to", "group_by", "as_of"];

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    pub(super) days: Days,
    pub(super) grouping: Option<Grouping>,
    /// `None`: now.
    pub(super) as_of: Option<Timestamp>,
}

impl Ask {
    /// Takes it out of the parameters.
    pub(super) fn read(params: &mut Params, now: Timestamp, actor: &Actor) -> Self {
        let days = Days::read(params);
        let is_offered = |grouping: &Grouping| grouping.property().is_none_or(|property| property.is_shown_to(actor));
        let offered: Vec<Grouping> = Grouping::ALL.into_iter().filter(is_offered).collect();
        let grouping = params.one("group_by", one_of(&offered, Grouping::as_str));
        let as_of = params.one("as_of", time);
        if as_of.is_some_and(|at| at > now) {
            params.error("as_of", "invalid", "must not be in the future".to_owned());
        }
        Self { days, grouping, as_of }
    }
}

/// Whole days in UTC, both ends included. Without an end: as far as there is anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Days {
    from: Option<Date>,
    to: Option<Date>,
}

impl Days {
    fn read(params: &mut Params) -> Self {
        let (from, to) = (params.one("from", date), params.one("to", date));
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            params.error("from", "invalid", "must not be after to".to_owned());
        }
        Self { from, to }
    }

    /// No day at all.
    pub(super) const NONE: Self = Self {
        from: Some(Date::MAX),
        to: Some(Date::constant(1, 1, 1)),
    };

    /// The months that lie in them as a whole, from the first day of the first to the last of the last.
    pub(super) fn months(self) -> Self {
        let first_of_next = |day: Date| day.last_of_month().tomorrow().unwrap_or(Date::MAX);
        Self {
            from: self.from.map(|from| match from.day() {
                1 => from,
                _ => first_of_next(from),
            }),
            to: self.to.map(|to| {
                let last = to.last_of_month();
                let before = || to.first_of_month().yesterday().unwrap_or(to);
                if to == last { last } else { before() }
            }),
        }
    }

    /// Appends the condition that `day`, a date in SQL, is one of them.
    pub(super) fn push_day(self, sql: &mut QueryBuilder<Postgres>, day: &str) {
        sql.push("TRUE");
        if let Some(from) = self.from {
            sql.push(format_args!(" AND {day} >= ")).push_bind(from.to_sqlx());
        }
        if let Some(to) = self.to {
            sql.push(format_args!(" AND {day} <= ")).push_bind(to.to_sqlx());
        }
    }

    /// Appends the condition that `instant`, a time in SQL, lies on one of them; in a form that an index
    /// of times serves.
    pub(super) fn push_instant(self, sql: &mut QueryBuilder<Postgres>, instant: &str) {
        sql.push("TRUE");
        if let Some(from) = self.from.and_then(midnight) {
            sql.push(format_args!(" AND {instant} >= ")).push_bind(from.to_sqlx());
        }
        let end = self.to.and_then(|to| to.checked_add(1.day()).ok()).and_then(midnight);
        if let Some(end) = end {
            sql.push(format_args!(" AND {instant} < ")).push_bind(end.to_sqlx());
        }
    }
}

/// What the figures are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grouping {
    Period(Period),
    Property(Property),
}

/// A stretch of days in UTC, in which something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Day,
    /// From Monday.
    Week,
    Month,
}

/// What a ticket has one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Property {
    Status,
    Type,
    Priority,
    Group,
    Project,
    Assignee,
    Organisation,
}

impl Grouping {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Period(Period::Day),
        Self::Period(Period::Week),
        Self::Period(Period::Month),
        Self::Property(Property::Status),
        Self::Property(Property::Type),
        Self::Property(Property::Priority),
        Self::Property(Property::Group),
        Self::Property(Property::Project),
        Self::Property(Property::Assignee),
        Self::Property(Property::Organisation),
    ];

    /// Its name in the query.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Period(period) => period.as_str(),
            Self::Property(property) => property.as_str(),
        }
    }

    /// The property, if it is one.
    pub(super) const fn property(self) -> Option<Property> {
        match self {
            Self::Period(_) => None,
            Self::Property(property) => Some(property),
        }
    }

    /// The key of a group in SQL, for something that happened on `day` with a ticket that has `property`.
    pub(super) fn key(self, day: &str, property: &str) -> String {
        match self {
            Self::Period(period) => format!("date_trunc('{}', {day}::timestamp)::date::text", period.as_str()),
            Self::Property(_) => property.to_owned(),
        }
    }
}

impl Period {
    /// As requests have it, and as Postgres truncates dates.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The first day of the period that `day` lies in.
    pub(super) fn first_day(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = day.weekday().to_monday_zero_offset();
                day.checked_sub(i64::from(since_monday).days()).unwrap_or(day)
            }
            Self::Month => day.first_of_month(),
        }
    }
}

impl Property {
    /// As requests have it, and as the dimension of the same counts.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Type => "type",
            Self::Priority => "priority",
            Self::Group => "group",
            Self::Project => "project",
            Self::Assignee => "assignee",
            Self::Organisation => "organisation",
        }
    }

    /// Whether an actor is shown it.
    pub(super) fn is_shown_to(self, actor: &Actor) -> bool {
        let hidden_by_portals = match self {
            Self::Status | Self::Type | Self::Organisation => return true,
            Self::Priority => portal::Property::Priority,
            Self::Group => portal::Property::Group,
            Self::Project => portal::Property::Project,
            Self::Assignee => portal::Property::Assignee,
        };
        actor.is_shown(&hidden_by_portals)
    }

    /// Its value for the ticket `t` in SQL, as text; empty for nobody.
    pub(super) const fn of_t(self) -> &'static str {
        match self {
            Self::Status => "t.status",
            Self::Type => "t.ticket_type",
            Self::Priority => "t.priority",
            Self::Group => "COALESCE(t.group_id::text, '')",
            Self::Project => "COALESCE(t.project_id::text, '')",
            Self::Assignee => "COALESCE(t.assignee_id::text, '')",
            Self::Organisation => "COALESCE(t.organisation_id::text, '')",
        }
    }

    /// Under what its values have names, if they are ids.
    pub(super) const fn named(self) -> Option<EntryKind> {
        match self {
            Self::Status | Self::Type | Self::Priority => None,
            Self::Group => Some(EntryKind::Group),
            Self::Project => Some(EntryKind::Project),
            Self::Assignee => Some(EntryKind::User),
            Self::Organisation => Some(EntryKind::Organisation),
        }
    }
}

fn midnight(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

/// A date, or an instant for the date that it lies on in UTC. Years are those that Postgres has too.
fn date(text: &str) -> Result<Date, String> {
    let on_its_day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let date = day(text).or_else(|| text.parse().ok().map(on_its_day));
    date.filter(|date: &Date| date.year() > 0)
        .ok_or_else(|| "must be a date like 2026-03-02".to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_period_begins_with_its_first_day() {
        let sunday = date(2026, 3, 1);
        assert_eq!(Period::Day.first_day(sunday), sunday);
        assert_eq!(Period::Week.first_day(sunday), date(2026, 2, 23));
        assert_eq!(Period::Week.first_day(date(2026, 3, 2)), date(2026, 3, 2));
        assert_eq!(Period::Month.first_day(date(2026, 2, 28)), date(2026, 2, 1));
    }

    #[test]
    fn months_are_whole_ones() {
        let months = |from: Date, to: Date| {
            let Days { from, to } = Days {
                from: Some(from),
                to: Some(to),
            }
            .months();
            (from.unwrap(), to.unwrap())
        };
        let (january, february) = (date(2026, 1, 1), date(2026, 2, 28));
        assert_eq!(months(january, february), (january, february));
        assert_eq!(months(date(2025, 12, 2), date(2026, 3, 30)), (january, february));
        // None is whole where they end before they begin.
        assert_eq!(
            months(date(2026, 1, 2), date(2026, 2, 27)),
            (date(2026, 2, 1), date(2026, 1, 31))
        );
    }
}
