//! Durations in buckets: so many counts stand for any number of durations, and medians and percentiles
//! come from them within a known bound.

/// Up to so many seconds, a bucket is one second wide.
const EXACT_MAX: u16 = 100;

/// The width of every further bucket, as a part of its lower end. Whatever lies in a bucket is
/// within half of this from its middle: see [`ERROR_MAX`].
const WIDTH: f64 = 0.02;

/// The most that a bucket's value can differ from a duration that lies in it: one per cent of it, or half
/// a second.
pub const ERROR_MAX: f64 = WIDTH / 2.0;

/// The bucket that a duration lies in. Buckets grow with durations.
#[expect(
    clippy::cast_possible_truncation,
    reason = "two thousand buckets reach further than time does"
)]
pub fn bucket(seconds: f64) -> i16 {
    let exact = f64::from(EXACT_MAX);
    let seconds = seconds.max(0.0);
    if seconds < exact {
        return seconds as i16;
    }
    let beyond = (seconds / exact).ln() / WIDTH.ln_1p();
    EXACT_MAX.cast_signed().saturating_add(beyond as i16)
}

/// The duration in seconds that a bucket stands for: its middle.
pub fn value(bucket: i16) -> f64 {
    let exact = EXACT_MAX.cast_signed();
    if bucket < exact {
        return f64::from(bucket) + 0.5;
    }
    let steps = f64::from(bucket.saturating_sub(exact));
    f64::from(EXACT_MAX) * (steps * WIDTH.ln_1p()).exp() * (1.0 + WIDTH / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buckets_value_is_near_whatever_lies_in_it() {
        let mut seconds = 0.0;
        while seconds < 3.0e9 {
            let near = (value(bucket(seconds)) - seconds).abs();
            assert!(near <= 0.5_f64.max(seconds * ERROR_MAX), "{near} at {seconds}");
            seconds += 0.25 + seconds * 0.000_7;
        }
    }

    #[test]
    fn longer_durations_are_never_in_lower_buckets() {
        let mut seconds = 0.0;
        let mut last = bucket(seconds);
        while seconds < 1.0e10 {
            seconds += 0.1 + seconds * 0.003;
            let next = bucket(seconds);
            assert!(next >= last);
            last = next;
        }
    }
}
