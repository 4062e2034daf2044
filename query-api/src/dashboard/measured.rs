//! Medians and percentiles of durations.

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
const ALL: &str = "*";

/// Measures in SQL, from `measured` and `buckets`: each percentile itself, or the buckets that its two
/// neighbours lie in.
pub(super) const DURATIONS: &str = "durations AS (
        SELECT m.key, m.kind, c.clock, count(*) AS total,
               percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY c.micros) AS exact,
               NULL::smallint[] AS lower, NULL::smallint[] AS upper
        FROM measured m
        CROSS JOIN LATERAL (VALUES ('elapsed', m.micros), ('working', m.working_micros)) AS c (clock, micros)
        GROUP BY m.key, m.kind, c.clock
        UNION ALL
        SELECT b.key, b.kind, b.clock, b.whole, NULL,
               ARRAY[min(b.bucket) FILTER (WHERE b.upto > (b.whole - 1) * 50 / 100),
                     min(b.bucket) FILTER (WHERE b.upto > (b.whole - 1) * 90 / 100)],
               ARRAY[min(b.bucket) FILTER (WHERE b.upto > ((b.whole - 1) * 50 + 99) / 100),
                     min(b.bucket) FILTER (WHERE b.upto > ((b.whole - 1) * 90 + 99) / 100)]
        FROM (
            SELECT key, kind, clock, bucket,
                   (sum(total) OVER (PARTITION BY key, kind, clock ORDER BY bucket))::bigint AS upto,
                   (sum(total) OVER (PARTITION BY key, kind, clock))::bigint AS whole
            FROM buckets
        ) AS b
        GROUP BY b.key, b.kind, b.clock, b.whole
    )";

/// Appends a join with the keys under which something counts: that of everything, and its group's.
pub(super) fn push_keys(sql: &mut QueryBuilder<Postgres>, ask: &Ask, day: &str, property: &str) {
    sql.push(format_args!("CROSS JOIN LATERAL (VALUES ('{ALL}')"));
    if let Some(grouping) = ask.grouping {
        sql.push(format_args!(", ({})", grouping.key(day, property)));
    }
    sql.push(") AS one (key)");
}

/// A row of `durations`.
#[derive(Debug, Deserialize)]
pub(super) struct DurationRow {
    key: String,
    kind: String,
    clock: String,
    total: i64,
    /// In microseconds.
    exact: Option<[f64; 2]>,
    lower: Option<[i16; 2]>,
    upper: Option<[i16; 2]>,
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
        let [median, p90] = match (self.exact, self.lower, self.upper) {
            (Some(exact), ..) => exact.map(|micros| Some(micros / 1e6)),
            (None, Some([median_lower, p90_lower]), Some([median_upper, p90_upper])) => [
                Some(between(median_lower, median_upper, self.total, 50)),
                Some(between(p90_lower, p90_upper, self.total, 90)),
            ],
            _ => [None, None],
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
fn between(lower: i16, upper: i16, total: i64, percent: i64) -> f64 {
    let rank = total.saturating_sub(1).saturating_mul(percent);
    let part = i32::try_from(rank % 100).map_or(0.0, f64::from) / 100.0;
    let (lower, upper) = (value(lower), value(upper));
    lower + part * (upper - lower)
}
