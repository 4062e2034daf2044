//! Medians and percentiles.

use std::time::Duration;

/// The value that half of the others do not exceed. Nothing: zero.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The latency that this share of all requests, in hundredths, does not exceed. `sorted` is in ascending order.
pub(crate) fn percentile(sorted: &[u32], hundredths: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let micros = sorted.get(last * hundredths / 100).copied().unwrap_or_default();
    Duration::from_micros(micros.into())
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds are far below 2^52")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert!((median(vec![9.0, 1.0, 3.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let sorted: Vec<u32> = (1..=101).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_micros(51));
        assert_eq!(percentile(&sorted, 99), Duration::from_micros(100));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
