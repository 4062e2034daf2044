//! The figures told apart: by period, or by a property of the tickets.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{LISTED_MAX, Ratings, Shown, of_property};
use super::ask::{Grouping, Period, Property};
use super::figures::{CountRow, HappenedRow, What};
use super::measured::{DurationRow, Durations};
use crate::names::Names;

/// The most periods that are told apart, the latest ones. More than a year of days is asked for in
/// weeks or months.
const PERIODS_MAX: usize = 400;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DashboardGroup)]
pub(super) struct Group {
    /// A code, an id, or the first day of a period; null for nobody.
    #[schema(required = true)]
    key: Option<String>,
    /// Of people, groups and organisations; null for one that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    name: Option<Name>,
    /// Of groups by property: how many tickets have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total: Option<i64>,
    /// Of groups by property: how many of these are not closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    open: Option<i64>,
    /// Of groups by property: how many of these are overdue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    overdue: Option<i64>,
    created: i64,
    closed: i64,
    durations: Durations,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ratings: Option<Ratings>,
}

impl Group {
    /// What of it is shown.
    pub(super) fn limited_to(self, shown: Shown) -> Self {
        Self {
            overdue: self.overdue.filter(|_| shown.due),
            ratings: self.ratings.filter(|_| shown.ratings),
            ..self
        }
    }
}

/// What the directory calls somebody, if it knows.
#[derive(Debug, Serialize)]
struct Name(Option<String>);

/// The groups, the earliest period first, or those with most tickets first.
pub(super) fn groups(
    grouping: Grouping,
    counts: &[CountRow],
    happened: &[HappenedRow],
    durations: &[DurationRow],
    names: &Names,
) -> Vec<Group> {
    match grouping {
        Grouping::Period(period) => by_period(period, happened, durations),
        Grouping::Property(property) => by_property(property, counts, happened, durations, names),
    }
}

fn by_period(period: Period, happened: &[HappenedRow], durations: &[DurationRow]) -> Vec<Group> {
    let mut of: HashMap<String, Vec<&HappenedRow>> = HashMap::new();
    for row in happened.iter().filter(|row| row.total > 0) {
        if let Some(day) = row.day {
            of.entry(period.first_day(day).to_string()).or_default().push(row);
        }
    }
    let durations = by_group(durations);
    let keys: BTreeSet<&str> = of.keys().map(String::as_str).chain(durations.keys().copied()).collect();
    let cut = keys.len().saturating_sub(PERIODS_MAX);
    keys.into_iter()
        .skip(cut)
        .map(|key| group(key, of.get(key), durations.get(key)))
        .collect()
}

fn by_property(
    property: Property,
    counts: &[CountRow],
    happened: &[HappenedRow],
    durations: &[DurationRow],
    names: &Names,
) -> Vec<Group> {
    let mut of: HashMap<&str, Vec<&HappenedRow>> = HashMap::new();
    for row in happened {
        if let Some(key) = &row.key {
            of.entry(key).or_default().push(row);
        }
    }
    let durations = by_group(durations);
    let mut counts: Vec<&CountRow> = of_property(counts, property).collect();
    counts.sort_by_key(|row| (Reverse(row.total), row.value.as_str()));
    counts.truncate(LISTED_MAX);
    let groups = counts.into_iter().map(|row| {
        let key = row.value.as_str();
        Group {
            name: property
                .named()
                .map(|kind| Name(key.parse().ok().and_then(|id| names.name(kind, id)))),
            total: Some(row.total),
            open: Some(row.open),
            overdue: Some(row.overdue),
            ..group(key, of.get(key), durations.get(key))
        }
    });
    groups.collect()
}

fn by_group(durations: &[DurationRow]) -> HashMap<&str, Vec<&DurationRow>> {
    let mut of: HashMap<&str, Vec<&DurationRow>> = HashMap::new();
    for row in durations {
        if let Some(key) = row.group() {
            of.entry(key).or_default().push(row);
        }
    }
    of
}

fn group(key: &str, happened: Option<&Vec<&HappenedRow>>, durations: Option<&Vec<&DurationRow>>) -> Group {
    let happened = || happened.into_iter().flatten().copied();
    let count = |what: What| happened().filter(|row| row.what == what).map(|row| row.total).sum();
    Group {
        key: Some(key).filter(|key| !key.is_empty()).map(str::to_owned),
        name: None,
        total: None,
        open: None,
        overdue: None,
        created: count(What::Created),
        closed: count(What::Closed),
        durations: Durations::of(&durations.into_iter().flatten().copied()),
        ratings: Some(Ratings::of(happened())),
    }
}
