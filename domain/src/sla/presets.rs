//! Policies to begin with.

use jiff::SignedDuration;

use super::policy::{Edition, SlaCalendar, SlaPolicy, SlaPolicySpec, Target, TargetKind};
use crate::calendar::{Calendar, CalendarSpec, Interval, Week};
use crate::policy::{WaitLength, WaitPolicy};
use crate::ticket::Status;

impl SlaPolicy {
    /// The preset *supportal*: the waits of [`WaitPolicy::supportal`]. That desk promised no times.
    ///
    /// # Panics
    ///
    /// Never: a test makes it.
    pub fn supportal() -> Self {
        Self::of_waits("supportal", "moscow", WaitPolicy::supportal())
    }

    /// The preset *cabinet*: the waits of [`WaitPolicy::cabinet`]. That desk promised no times.
    ///
    /// # Panics
    ///
    /// Never: a test makes it.
    pub fn cabinet() -> Self {
        Self::of_waits("cabinet", "round_the_clock", WaitPolicy::cabinet())
    }

    /// The preset *simple*: words within four working hours, every further answer within eight,
    /// and a solution within forty, by office hours in universal time. While the requester's side
    /// has the next move, the solution's clock stands still.
    ///
    /// # Panics
    ///
    /// Never: a test makes it.
    pub fn simple() -> Self {
        let week = Week::monday_to_friday(&[Interval::hours(9, 17)]);
        let calendar = Calendar::try_new(CalendarSpec::weekly("Office hours", "UTC", week))
            .expect("the preset's calendar is valid: checked by `the_presets_are_valid`");
        let hours = |hours| WaitLength::Working(SignedDuration::from_hours(hours));
        let resolution = Target::new(hours(40)).paused_in([Status::WaitingForInfo, Status::WaitingForClosure]);
        let spec = SlaPolicySpec::new("simple", "office")
            .with(TargetKind::FirstResponse, Target::new(hours(4)))
            .with(TargetKind::NextResponse, Target::new(hours(8)))
            .with(TargetKind::Resolution, resolution);
        Self::preset(spec, calendar)
    }

    fn of_waits(id: &str, calendar: &str, waits: WaitPolicy) -> Self {
        let spec = SlaPolicySpec {
            information: waits.information,
            closure: waits.closure,
            reply_resumes: waits.reply_resumes,
            ..SlaPolicySpec::new(id, calendar)
        };
        Self::preset(spec, waits.calendar)
    }

    fn preset(spec: SlaPolicySpec, calendar: Calendar) -> Self {
        let edition = Edition {
            id: spec.calendar.clone(),
            version: 1,
        };
        Self::try_new(spec, 1, SlaCalendar { edition, calendar })
            .expect("the preset is valid: checked by `the_presets_are_valid`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_valid() {
        for (policy, name) in [
            (SlaPolicy::supportal(), "supportal/1"),
            (SlaPolicy::cabinet(), "cabinet/1"),
            (SlaPolicy::simple(), "simple/1"),
        ] {
            assert_eq!(policy.pin().policy.to_string(), name);
        }
    }

    #[test]
    fn the_presets_that_were_there_before_keep_their_waits() {
        assert_eq!(SlaPolicy::supportal().waits(), &WaitPolicy::supportal());
        assert_eq!(SlaPolicy::cabinet().waits(), &WaitPolicy::cabinet());
    }
}
