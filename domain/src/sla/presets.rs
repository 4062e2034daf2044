//! Policies to begin with.

use jiff::SignedDuration;

use super::policy::{Edition, ID_CHARS_MAX, SlaCalendar, SlaPolicy, SlaPolicySpec, Target, TargetKind};
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

    /// A policy for all tickets that promises nothing and waits like this, pinned by what its name
    /// says: `desk/3` is version 3 of `desk`.
    pub fn waiting(waits: &WaitPolicy) -> Self {
        let name = waits.name.as_str();
        let (id, version) = name
            .rsplit_once('/')
            .and_then(|(id, version)| Some((id, version.parse::<u32>().ok().filter(|version| *version > 0)?)))
            .unwrap_or((name, 1));
        let calendar = as_id(&waits.calendar.spec().name);
        let spec = SlaPolicySpec {
            information: waits.information,
            closure: waits.closure,
            reply_resumes: waits.reply_resumes,
            ..SlaPolicySpec::new(&as_id(id), &calendar)
        };
        Self::of_checked(spec, version, waits.clone())
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

/// What a name says, in the letters that an id has.
fn as_id(name: &str) -> String {
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        letter @ ('a'..='z' | '0'..='9' | '_' | '-') => letter,
        _ => '_',
    };
    name.chars().take(ID_CHARS_MAX).map(letter).collect()
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
    fn waits_alone_make_a_policy_that_is_pinned_by_their_name() {
        let waits = WaitPolicy {
            name: crate::text::Label::parse("Наш desk/3").unwrap(),
            ..WaitPolicy::supportal()
        };
        let policy = SlaPolicy::waiting(&waits);
        assert_eq!(policy.waits(), &waits);
        assert_eq!(policy.pin().policy.to_string(), "____desk/3");
        assert_eq!(policy.pin().calendar.to_string(), "support_desk_moscow/1");
    }

    #[test]
    fn the_presets_that_were_there_before_keep_their_waits() {
        assert_eq!(SlaPolicy::supportal().waits(), &WaitPolicy::supportal());
        assert_eq!(SlaPolicy::cabinet().waits(), &WaitPolicy::cabinet());
    }
}
