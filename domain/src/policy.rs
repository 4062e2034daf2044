//! How long a ticket waits for people before the desk acts by itself.

use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Calendar, CalendarSpec, Interval, Week};
use crate::text::{Label, TextError};

/// The shortest wait. Below it a person could not even read the question.
pub const LENGTH_MIN: SignedDuration = SignedDuration::from_secs(1);

/// The longest wait, rather more than a year by the clock: beyond it one means "no such wait".
pub const LENGTH_MAX: SignedDuration = SignedDuration::from_hours(10_000);

/// How long tickets wait, and by which calendar. Make one with [`WaitPolicy::try_new`], which
/// sees to it that every wait has a due time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitPolicy {
    /// Name and version, such as `supportal/1`. The event that starts a wait records it.
    pub name: Label,
    /// How long the requester's side may take to answer a question; without it, for ever.
    pub information: Option<WaitLength>,
    /// How long the requester's side may take to object to closing; without it, for ever.
    pub closure: Option<WaitLength>,
    /// Whether a public comment of the requester's side puts a waiting ticket back into work.
    pub reply_resumes: bool,
    /// Whose hours [`WaitLength::Working`] counts.
    pub calendar: Calendar,
}

/// The length of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitLength {
    /// Working time of the policy's calendar.
    Working(SignedDuration),
    /// Time by the clock, whether anybody works or not.
    Elapsed(SignedDuration),
}

/// What a ticket can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitKind {
    /// An answer to a question, in `waiting_for_info`.
    Information,
    /// An objection to closing, in `waiting_for_closure`.
    Closure,
}

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The name is not a label.
    #[error("the policy's name is not acceptable")]
    Name(#[source] TextError),
    /// A wait is shorter than [`LENGTH_MIN`] or longer than [`LENGTH_MAX`].
    #[error("the wait for {} lasts from one second to 10000 hours", kind.as_str())]
    Length {
        /// Which wait.
        kind: WaitKind,
    },
    /// The calendar could run out of working time before the wait is over.
    #[error(
        "the wait for {} is too long for the hours of the calendar's week: shorten it, or give the week more hours",
        kind.as_str()
    )]
    TooLittleWork {
        /// Which wait.
        kind: WaitKind,
    },
}

impl WaitKind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Information, Self::Closure];

    /// Its name in configuration, messages, metrics and the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Closure => "closure",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl WaitLength {
    /// How much time, of whichever sort.
    pub const fn duration(self) -> SignedDuration {
        match self {
            Self::Working(duration) | Self::Elapsed(duration) => duration,
        }
    }
}

impl WaitPolicy {
    /// Waits for nobody: the desk does nothing by itself.
    ///
    /// # Panics
    ///
    /// Never: its name is a label, and it has no waits that could be wrong.
    pub fn none() -> Self {
        Self::try_new("none", None, None, Calendar::round_the_clock()).expect("a policy without waits is valid")
    }

    /// Checks a policy under which a reply puts a ticket back into work, and reports everything
    /// that is wrong with it. Set [`WaitPolicy::reply_resumes`] afterwards if it should not.
    pub fn try_new(
        name: &str,
        information: Option<WaitLength>,
        closure: Option<WaitLength>,
        calendar: Calendar,
    ) -> Result<Self, Vec<PolicyError>> {
        let mut errors = Vec::new();
        for (kind, length) in [(WaitKind::Information, information), (WaitKind::Closure, closure)] {
            let Some(length) = length else { continue };
            if length.duration() < LENGTH_MIN || length.duration() > LENGTH_MAX {
                errors.push(PolicyError::Length { kind });
            } else if matches!(length, WaitLength::Working(working) if working > calendar.certain()) {
                errors.push(PolicyError::TooLittleWork { kind });
            }
        }
        match Label::parse(name) {
            Ok(name) if errors.is_empty() => Ok(Self {
                name,
                information,
                closure,
                reply_resumes: true,
                calendar,
            }),
            Ok(_) => Err(errors),
            Err(error) => {
                errors.insert(0, PolicyError::Name(error));
                Err(errors)
            }
        }
    }

    /// The preset *supportal*: 40 working hours for an answer, then 40 to object, by the week of
    /// a desk in Moscow.
    ///
    /// # Panics
    ///
    /// Never: a test makes it.
    pub fn supportal() -> Self {
        let week = Week::monday_to_friday(&[Interval::hours(9, 13), Interval::hours(14, 18)]);
        let calendar = Calendar::try_new(CalendarSpec::weekly("Support desk Moscow", "Europe/Moscow", week))
            .expect("the preset's calendar is valid: checked by `the_presets_are_valid`");
        let wait = Some(WaitLength::Working(SignedDuration::from_hours(40)));
        Self::try_new("supportal/1", wait, wait, calendar)
            .expect("the preset is valid: checked by `the_presets_are_valid`")
    }

    /// The preset *cabinet*: questions wait for ever, and a proposal to close stands for 24 hours
    /// by the clock.
    ///
    /// # Panics
    ///
    /// Never: a test makes it.
    pub fn cabinet() -> Self {
        let closure = Some(WaitLength::Elapsed(SignedDuration::from_hours(24)));
        Self::try_new("cabinet/1", None, closure, Calendar::round_the_clock())
            .expect("the preset is valid: checked by `the_presets_are_valid`")
    }

    /// When a wait that begins at `from` is over; `None` if the policy has no such wait.
    ///
    /// A due time that lies beyond the last instant there is (in the year 9999) is that instant.
    pub fn due(&self, kind: WaitKind, from: Timestamp) -> Option<Timestamp> {
        let length = match kind {
            WaitKind::Information => self.information,
            WaitKind::Closure => self.closure,
        };
        let due = match length? {
            WaitLength::Working(working) => self.calendar.due(from, working).ok(),
            WaitLength::Elapsed(elapsed) => after(from, elapsed),
        };
        // The policy was checked, so only the end of all time can be in the way.
        Some(due.unwrap_or(Timestamp::MAX))
    }
}

/// Exact to the microsecond, like all due times.
fn after(from: Timestamp, elapsed: SignedDuration) -> Option<Timestamp> {
    let due = from.checked_add(elapsed).ok()?;
    Timestamp::from_microsecond(due.as_microsecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_hour_a_week() -> Calendar {
        let week = Week::default().with(jiff::civil::Weekday::Sunday, vec![Interval::hours(2, 3)]);
        Calendar::try_new(CalendarSpec::weekly("Sundays", "Europe/Berlin", week)).unwrap()
    }

    #[test]
    fn the_presets_are_valid() {
        assert_eq!(WaitPolicy::supportal().name.as_str(), "supportal/1");
        assert_eq!(WaitPolicy::cabinet().name.as_str(), "cabinet/1");
    }

    #[test]
    fn cabinet_has_no_wait_for_information() {
        assert_eq!(
            WaitPolicy::cabinet().due(WaitKind::Information, Timestamp::UNIX_EPOCH),
            None
        );
    }

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let too_short = Some(WaitLength::Elapsed(SignedDuration::ZERO));
        let too_long = Some(WaitLength::Working(SignedDuration::from_hours(600)));
        let errors = WaitPolicy::try_new(" ", too_short, too_long, one_hour_a_week()).unwrap_err();
        let expected = [
            PolicyError::Name(TextError::Blank),
            PolicyError::Length {
                kind: WaitKind::Information,
            },
            PolicyError::TooLittleWork {
                kind: WaitKind::Closure,
            },
        ];
        assert_eq!(errors, expected);
    }

    #[test]
    fn the_longest_wait_that_a_calendar_allows_ends_within_the_horizon() {
        let calendar = one_hour_a_week();
        let longest = calendar.certain();
        let policy = WaitPolicy::try_new("x/1", Some(WaitLength::Working(longest)), None, calendar).unwrap();
        let due = policy.due(WaitKind::Information, Timestamp::UNIX_EPOCH).unwrap();
        assert!(due < Timestamp::UNIX_EPOCH + crate::calendar::HORIZON, "{due}");
    }

    #[test]
    fn at_the_end_of_all_time_a_wait_ends_there() {
        assert_eq!(
            WaitPolicy::cabinet().due(WaitKind::Closure, Timestamp::MAX),
            Some(Timestamp::MAX)
        );
        assert_eq!(
            WaitPolicy::supportal().due(WaitKind::Closure, Timestamp::MAX),
            Some(Timestamp::MAX)
        );
    }
}
