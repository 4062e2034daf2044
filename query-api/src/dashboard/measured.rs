//! Medians and percentiles of durations.

use std::collections::BTreeMap;

use domain::durations::{ERROR_MAX, value};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};
use utoipa::ToSchema;

use super::ask::Ask;

/// Up to so many measures, percentiles are exact. Beyond, they come from counts of buckets: sorting would take longer the
/// more there are.
pub(super) const EXACT_MAX: u32 = 10_000;

/// What is measured.
pub(super) const KINDS: [&str; 2] = ["first_response", "closing"];

/// The key of everything together. No code, id or date is written so.
pub(super) const ALL: &str = "*";

/// Measures in SQL, from `measured`: each percentile itself.
pub(super) const DURATIONS: &str = "durations AS (
        SELECT m.key, m.kind, c.clock, count(*) AS total,
               percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY c.micros) AS exact
        FROM measured m
        CROSS JOIN LATERAL (VALUES ('elapsed', m.micros), ('working', m.working_micros)) AS c (clock, micros)
        GROUP BY m.key, m.kind, c.clock
    )";

/// Appends a join with the keys under which something counts: that of everything, and its group's.
pub(super) fn push_keys(sql: &mut QueryBuilder<Postgres>, ask: &Ask, day: &str, property: &str) {
    sql.push(format_args!("CROSS JOIN LATERAL (VALUES ('{ALL}')"));
    if let Some(grouping) = ask.grouping {
        sql.push(format_args!(", ({})", grouping.key(day, property)));
    }
    sql.push(") AS one (key)");
}

/// A row of `buckets`.
#[derive(Debug, Deserialize)]
pub(super) struct BucketRow {
    key: String,
    kind: String,
    clock: String,
    bucket: i16,
    total: i64,
}

/// What was measured of one kind by one clock, under one key.
#[derive(Debug, Deserialize)]
pub(super) struct DurationRow {
    key: String,
    kind: String,
    clock: String,
    total: i64,
    /// In microseconds.
    exact: Option<[f64; 2]>,
    /// The buckets in which the neighbours of each percentile lie, if it is not known exactly.
    #[serde(skip)]
    neighbours: Option<[(i16, i16); 2]>,
}

/// How many durations lie in each bucket, from bucket 0, by key, kind and clock.
#[derive(Debug, Default)]
pub(super) struct Histograms(BTreeMap<(String, String, String), Vec<i64>>);

impl Histograms {
    /// Those of `buckets`.
    pub(super) fn of(rows: &[BucketRow]) -> Self {
        let mut histograms = Self::default();
        for row in rows {
            let bucket = usize::try_from(row.bucket).unwrap_or_default();
            histograms.add(&row.key, &row.kind, &row.clock, bucket, [row.total]);
        }
        histograms
    }

    /// Adds counts of buckets, the first of which is `from`.
    pub(super) fn add(
        &mut self,
        key: &str,
        kind: &str,
        clock: &str,
        from: usize,
        totals: impl IntoIterator<Item = i64>,
    ) {
        let name = (key.to_owned(), kind.to_owned(), clock.to_owned());
        let sums = self.0.entry(name).or_default();
        for (bucket, total) in (from..).zip(totals) {
            if sums.len() <= bucket {
                sums.resize(bucket + 1, 0);
            }
            if let Some(sum) = sums.get_mut(bucket) {
                *sum += total;
            }
        }
    }

    /// What comes of them.
    pub(super) fn rows(self) -> impl Iterator<Item = DurationRow> {
        self.0.into_iter().map(|((key, kind, clock), totals)| {
            let total = totals.iter().sum();
            DurationRow {
                key,
                kind,
                clock,
                total,
                exact: None,
                neighbours: Some([50, 90].map(|percent| neighbours(&totals, total, percent))),
            }
        })
    }
}

/// The buckets that the two neighbours of a percentile lie in.
fn neighbours(totals: &[i64], total: i64, percent: i64) -> (i16, i16) {
    let scaled = total.saturating_sub(1).saturating_mul(percent);
    let holding = |rank: i64| {
        let mut upto = 0;
        let holds = |(_, total): &(i16, &i64)| {
            upto += **total;
            upto > rank
        };
        (0..).zip(totals).find(holds).map_or(0, |(bucket, _)| bucket)
    };
    (holding(scaled / 100), holding((scaled + 99) / 100))
}

/// How long things took.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Durations {
    first_response: Clocks,
    closing: Clocks,
}

/// By the clock on the wall, and in the hours in which the desk works.
#[derive(Debug, Serialize, ToSchema)]
struct Clocks {
    elapsed: Measure,
    working: Measure,
}

#[derive(Debug, Default, Serialize, ToSchema)]
struct Measure {
    count: i64,
    #[schema(required = true)]
    median_seconds: Option<f64>,
    #[schema(required = true)]
    p90_seconds: Option<f64>,
    /// By what part of them they can be wrong; null: they are exact.
    #[schema(required = true)]
    bound: Option<f64>,
}

impl Durations {
    /// Those of everything.
    pub(super) fn of_all(rows: &[DurationRow]) -> Self {
        Self::of(&rows.iter().filter(|row| row.group().is_none()))
    }

    /// Those of one group's rows.
    pub(super) fn of<'r>(rows: &(impl Iterator<Item = &'r DurationRow> + Clone)) -> Self {
        let measure = |kind: &str, clock: &str| {
            let row = rows.clone().find(|row| row.kind == kind && row.clock == clock);
            row.map(DurationRow::measure).unwrap_or_default()
        };
        let [first_response, closing] = KINDS.map(|kind| Clocks {
            elapsed: measure(kind, "elapsed"),
            working: measure(kind, "working"),
        });
        Self {
            first_response,
            closing,
        }
    }
}

impl DurationRow {
    /// The group that the row is of; `None`: of everything.
    pub(super) fn group(&self) -> Option<&str> {
        Some(self.key.as_str()).filter(|key| *key != ALL)
    }

    fn measure(&self) -> Measure {
        let [median, p90] = match (self.exact, self.neighbours) {
            (Some(exact), _) => exact.map(|micros| Some(micros / 1e6)),
            (None, Some([median, p90])) => [
                Some(between(median, self.total, 50)),
                Some(between(p90, self.total, 90)),
            ],
            (None, None) => [None, None],
        };
        Measure {
            count: self.total,
            median_seconds: median,
            p90_seconds: p90,
            bound: self.exact.is_none().then_some(ERROR_MAX),
        }
    }
}

/// A percentile that lies between two neighbours, as far from them as its rank is from theirs: what
/// `percentile_cont` and numpy do.
fn between((lower, upper): (i16, i16), total: i64, percent: i64) -> f64 {
    let rank = total.saturating_sub(1).saturating_mul(percent);
    let part = i32::try_from(rank % 100).map_or(0.0, f64::from) / 100.0;
    let (lower, upper) = (value(lower), value(upper));
    lower + part * (upper - lower)
}
