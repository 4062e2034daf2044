//! How many durations fall into each bucket, by day and by month: whatever stretch of time is asked for, few rows
//! have it, and how many rows does not depend on how much happened.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;

use super::rows::MeasureCountRow;

/// Counts by kind of measure, clock and day.
#[derive(Debug, Default)]
pub(super) struct Histograms(BTreeMap<(&'static str, &'static str, Date), Vec<i32>>);

impl Histograms {
    /// Counts a duration that lies in `bucket`.
    pub(super) fn count(&mut self, kind: &'static str, clock: &'static str, day: Date, bucket: i16) {
        let totals = self.0.entry((kind, clock, day)).or_default();
        let place = usize::try_from(bucket).unwrap_or_default();
        if totals.len() <= place {
            totals.resize(place + 1, 0);
        }
        if let Some(total) = totals.get_mut(place) {
            *total += 1;
        }
    }

    /// Their rows.
    pub(super) fn rows(self, partition: i32) -> Vec<MeasureCountRow> {
        let mut months: BTreeMap<(&'static str, &'static str, Date), Vec<i32>> = BTreeMap::new();
        for ((kind, clock, day), totals) in &self.0 {
            add(months.entry((kind, clock, day.first_of_month())).or_default(), totals);
        }
        let spans = [("day", self.0), ("month", months)];
        let rows = spans.into_iter().flat_map(|(span, counts)| {
            counts
                .into_iter()
                .map(move |((kind, clock, starts), totals)| MeasureCountRow {
                    kind,
                    clock,
                    span,
                    starts: starts.to_sqlx(),
                    partition,
                    totals,
                })
        });
        rows.collect()
    }
}

/// Adds counts to others, one by one; the shorter counts as followed by zeros.
pub(super) fn add(sum: &mut Vec<i32>, totals: &[i32]) {
    if sum.len() < totals.len() {
        sum.resize(totals.len(), 0);
    }
    for (sum, total) in sum.iter_mut().zip(totals) {
        *sum += total;
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_has_what_its_days_have() {
        let mut histograms = Histograms::default();
        for (day, bucket) in [(1, 0), (1, 2), (30, 2), (31, 4)] {
            histograms.count("closing", "elapsed", date(2026, 3, day), bucket);
        }
        histograms.count("closing", "elapsed", date(2026, 4, 1), 1);
        let rows: Vec<_> = histograms
            .rows(7)
            .into_iter()
            .map(|row| (row.span, row.starts.to_jiff(), row.totals))
            .collect();
        let expected = [
            ("day", date(2026, 3, 1), vec![1, 0, 1]),
            ("day", date(2026, 3, 30), vec![0, 0, 1]),
            ("day", date(2026, 3, 31), vec![0, 0, 0, 0, 1]),
            ("day", date(2026, 4, 1), vec![0, 1]),
            ("month", date(2026, 3, 1), vec![1, 0, 2, 0, 1]),
            ("month", date(2026, 4, 1), vec![0, 1]),
        ];
        assert_eq!(rows, expected);
    }
}
