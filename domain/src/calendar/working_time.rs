//! Working time as text: ISO 8601 durations of hours, minutes and seconds, such as `PT39H30M`.

use std::fmt;

use jiff::SignedDuration;

const SECONDS_PER_HOUR: i128 = 3600;
const SECONDS_PER_MINUTE: i128 = 60;
const MICROS_PER_SECOND: i128 = 1_000_000;

/// More digits of a number would say nothing: nine of them are a hundred thousand years of hours.
const WHOLE_DIGITS_MAX: usize = 9;
/// Digits of a fraction; those beyond what the log keeps are cut off.
const FRACTION_DIGITS_MAX: usize = 12;

/// An amount of working time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkingTime(pub SignedDuration);

/// The text is no amount of working time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkingTimeError {
    /// It is not an ISO 8601 duration.
    #[error("must be an ISO 8601 duration of hours, minutes and seconds, such as PT39H30M or PT0S")]
    Format,
    /// It is written in days or longer, which have no fixed working time.
    #[error(
        "must be written in hours, minutes and seconds, such as PT40H: how much working time a day, week, month or year has depends on the calendar"
    )]
    Dated,
    /// It is less than nothing.
    #[error("must not be negative")]
    Negative,
    /// A number has more digits than any working time needs.
    #[error(
        "has a number of too many digits: at most {WHOLE_DIGITS_MAX} before the point, {FRACTION_DIGITS_MAX} after it"
    )]
    TooLong,
}

impl WorkingTime {
    /// Reads `PT…H…M…S`, in this order, any of them left out but not all; the last number may
    /// have a fraction. Kept to the microsecond.
    pub fn parse(text: &str) -> Result<Self, WorkingTimeError> {
        if let Some(positive) = text.strip_prefix('-') {
            return Err(Self::parse(positive).err().unwrap_or(WorkingTimeError::Negative));
        }
        let rest = text.strip_prefix('P').ok_or(WorkingTimeError::Format)?;
        let (date, time) = rest
            .split_once('T')
            .map_or((rest, None), |(date, time)| (date, Some(time)));
        if !date.is_empty() {
            let dated = date.ends_with(['D', 'W', 'M', 'Y'])
                && date.starts_with(|first: char| first.is_ascii_digit())
                && date.chars().all(|it| it.is_ascii_digit() || "DWMY.,".contains(it));
            return Err(if dated {
                WorkingTimeError::Dated
            } else {
                WorkingTimeError::Format
            });
        }
        let mut rest = time.filter(|time| !time.is_empty()).ok_or(WorkingTimeError::Format)?;
        let mut micros: i128 = 0;
        let mut units = [('H', SECONDS_PER_HOUR), ('M', SECONDS_PER_MINUTE), ('S', 1)].into_iter();
        while !rest.is_empty() {
            let end = rest
                .find(|it: char| it.is_ascii_alphabetic())
                .ok_or(WorkingTimeError::Format)?;
            let (number, tail) = rest.split_at_checked(end).ok_or(WorkingTimeError::Format)?;
            let mut letters = tail.chars();
            let unit = letters.next();
            let seconds = units
                .find_map(|(name, seconds)| (Some(name) == unit).then_some(seconds))
                .ok_or(WorkingTimeError::Format)?;
            rest = letters.as_str();
            let (whole, fraction) = number
                .split_once(['.', ','])
                .map_or((number, None), |(whole, fraction)| (whole, Some(fraction)));
            // Only the smallest unit that is there may be broken.
            if fraction.is_some() && !rest.is_empty() {
                return Err(WorkingTimeError::Format);
            }
            let unit_micros = seconds.saturating_mul(MICROS_PER_SECOND);
            micros = micros.saturating_add(digits(whole, WHOLE_DIGITS_MAX)?.saturating_mul(unit_micros));
            if let Some(fraction) = fraction {
                let scale = (0..fraction.len()).fold(1_i128, |scale, _| scale.saturating_mul(10));
                let parts = digits(fraction, FRACTION_DIGITS_MAX)?.saturating_mul(unit_micros);
                micros = micros.saturating_add(parts.checked_div(scale).unwrap_or(0));
            }
        }
        i64::try_from(micros)
            .map(|micros| Self(SignedDuration::from_micros(micros)))
            .map_err(|_| WorkingTimeError::TooLong)
    }
}

fn digits(text: &str, most: usize) -> Result<i128, WorkingTimeError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WorkingTimeError::Format);
    }
    if text.len() > most {
        return Err(WorkingTimeError::TooLong);
    }
    text.parse().map_err(|_| WorkingTimeError::Format)
}

impl fmt::Display for WorkingTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        let (sign, micros) = if micros < 0 { ("-", -micros) } else { ("", micros) };
        let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
        let (hours, minutes) = (seconds / SECONDS_PER_HOUR, seconds / SECONDS_PER_MINUTE % 60);
        let seconds = seconds % SECONDS_PER_MINUTE;
        write!(f, "{sign}PT")?;
        if hours != 0 {
            write!(f, "{hours}H")?;
        }
        if minutes != 0 {
            write!(f, "{minutes}M")?;
        }
        if fraction != 0 {
            let digits = format!("{fraction:06}");
            write!(f, "{seconds}.{}S", digits.trim_end_matches('0'))
        } else if seconds != 0 || micros == 0 {
            write!(f, "{seconds}S")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, micros: i64) {
        assert_eq!(
            WorkingTime::parse(text),
            Ok(WorkingTime(SignedDuration::from_micros(micros))),
            "{text}"
        );
    }

    #[test]
    fn hours_minutes_and_seconds_are_read() {
        reads("PT40H", 40 * 3_600_000_000);
        reads("PT39H30M", 142_200_000_000);
        reads("PT0S", 0);
        reads("PT90M", 5_400_000_000);
        reads("PT1H0.25S", 3_600_250_000);
        reads("PT1.5H", 5_400_000_000);
        reads("PT0,000001S", 1);
        reads("PT0.0000019S", 1);
    }

    #[test]
    fn days_and_longer_are_no_working_time() {
        for text in ["P1D", "P1W", "P1DT2H", "P1M", "P1Y2M", "P0D"] {
            assert_eq!(WorkingTime::parse(text), Err(WorkingTimeError::Dated), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "P", "PT", "T1H", "1H", "PTH", "PT1", "PT1M2H", "PT1H2H", "PT1.5H3M", "PT1.H", "PT.5H", "pt1h",
            "PT 1H", "PT1H ", "PT+1H", "PT-1H", "PXD", "PT1X", "40", "PT1Ы",
        ] {
            assert_eq!(WorkingTime::parse(text), Err(WorkingTimeError::Format), "{text}");
        }
        assert_eq!(WorkingTime::parse("-PT1H"), Err(WorkingTimeError::Negative));
        assert_eq!(WorkingTime::parse("PT1234567890S"), Err(WorkingTimeError::TooLong));
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in [
            "PT39H30M",
            "PT0S",
            "PT40H",
            "PT1H0.25S",
            "PT59M59.000001S",
            "PT999999999H",
        ] {
            assert_eq!(WorkingTime::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(WorkingTime::parse("PT61M").unwrap().to_string(), "PT1H1M");
    }
}
