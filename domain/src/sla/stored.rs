//! The life of the desk's policies: versions, none of which is ever lost.
//!
//! [`decide`] turns a [`Command`] into a [`Revised`], or says why not. All policies are decided
//! upon together, because no two of them may be for the same tickets; [`Policies`] is what all
//! facts about them make.

use std::collections::BTreeMap;

use super::book::Scope;
use super::error::SlaPolicyError;
use super::policy::{Edition, SlaCalendar, SlaPolicy, SlaPolicySpec, Target, TargetKind};
use crate::actor::{Actor, ActorKind};
use crate::calendar::Calendar;
use crate::ids::{CalendarId, PolicyId, Revision};
use crate::policy::WaitLength;
use crate::text::{Code, Label};

/// A policy takes no more versions than this: one a week for ten years.
pub const VERSIONS_MAX: usize = 500;

/// A desk takes no more policies than this, those that are not in force any more included: an
/// agreement of its own for each of a thousand organisations. All are read for a command on one.
pub const POLICIES_MAX: usize = 1_000;

/// The calendar of a policy that names none. Every instant is working time to it.
pub const ROUND_THE_CLOCK: &str = "round_the_clock";

/// One version of a policy, as people wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// For people.
    pub name: Label,
    /// Whether it applies to tickets. A policy out of force leaves its tickets to others, and
    /// what runs by it goes on.
    pub in_force: bool,
    /// Which tickets it is for.
    pub scope: Scope,
    /// Whose hours it counts. `None`: all hours are working hours.
    pub calendar: Option<CalendarId>,
    /// What is promised.
    pub targets: BTreeMap<TargetKind, Target>,
    /// How long the requester's side may take to answer a question; without it, for ever.
    pub information: Option<WaitLength>,
    /// How long the requester's side may take to object to closing; without it, for ever.
    pub closure: Option<WaitLength>,
    /// Whether a public comment of the requester's side puts a waiting ticket back into work.
    pub reply_resumes: bool,
}

impl Version {
    /// A policy for every ticket that promises nothing and waits for ever.
    pub const fn new(name: Label) -> Self {
        Self {
            name,
            in_force: true,
            scope: Scope {
                organisation: None,
                service: None,
                ticket_type: None,
                priority: None,
            },
            calendar: None,
            targets: BTreeMap::new(),
            information: None,
            closure: None,
            reply_resumes: true,
        }
    }

    /// The version as it is in force with this version of its calendar.
    pub fn with_hours(&self, id: PolicyId, number: u32, hours: SlaCalendar) -> Result<SlaPolicy, Vec<SlaPolicyError>> {
        let spec = SlaPolicySpec {
            id: Code::new(&id.to_string()),
            scope: self.scope.clone(),
            calendar: calendar_code(self.calendar),
            targets: self.targets.clone(),
            information: self.information,
            closure: self.closure,
            reply_resumes: self.reply_resumes,
        };
        SlaPolicy::try_new(spec, number, hours)
    }
}

impl SlaCalendar {
    /// A version of a stored calendar.
    pub fn stored(id: CalendarId, version: u32, calendar: Calendar) -> Self {
        let id = calendar_code(Some(id));
        Self {
            edition: Edition { id, version },
            calendar,
        }
    }

    /// What a policy without a calendar counts by.
    pub fn round_the_clock() -> Self {
        Self {
            edition: Edition::new(ROUND_THE_CLOCK, 1),
            calendar: Calendar::round_the_clock(),
        }
    }
}

fn calendar_code(calendar: Option<CalendarId>) -> Code {
    calendar.map_or_else(|| Code::new(ROUND_THE_CLOCK), |id| Code::new(&id.to_string()))
}

/// How a version came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is the first.
    Created,
    /// It was written anew.
    Changed,
}

impl Change {
    /// Its name in the log, in JSON and in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "policy_created",
            Self::Changed => "policy_changed",
        }
    }
}

/// The fact that there is a new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revised {
    /// How it came to be.
    pub change: Change,
    /// Of which policy.
    pub policy: PolicyId,
    /// Which of its versions it is, from 1.
    pub number: u32,
    /// The version, whole.
    pub version: Version,
}

/// A version that somebody wants, with the hours that its calendar has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What is wanted.
    pub version: Version,
    /// The calendar that it names, or the one of those that name none. `None`: it does not exist.
    pub hours: Option<SlaCalendar>,
}

/// A wish to change a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make it.
    Create(Draft),
    /// Write it anew.
    Replace(Draft),
}

/// One thing that is wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// There is no such calendar.
    #[error("there is no calendar with this id: create it first")]
    UnknownCalendar,
    /// The policy could not be kept.
    #[error(transparent)]
    Policy(SlaPolicyError),
}

/// Why a wish is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such policy.
    #[error("there is no such policy")]
    Absent,
    /// There is one already.
    #[error("the policy exists already")]
    AlreadyCreated,
    /// Only staff may do that.
    #[error("only staff may create and change policies")]
    NotPermitted,
    /// What would come out is no policy.
    #[error("the policy would not be acceptable")]
    Invalid(Vec<Flaw>),
    /// Another policy is for exactly the same tickets.
    #[error("another policy is for the same tickets")]
    SameScope {
        /// Which.
        other: PolicyId,
        /// Its name.
        name: Label,
    },
    /// It has as many versions as a policy may have.
    #[error("the policy has {VERSIONS_MAX} versions, as many as a policy may have")]
    TooManyVersions,
    /// There are as many policies as there may be.
    #[error("there are {POLICIES_MAX} policies, as many as a desk may have")]
    TooManyPolicies,
}

impl Draft {
    /// Everything that is wrong with it, whatever other policies there are.
    pub fn flaws(&self, id: PolicyId) -> Vec<Flaw> {
        // Without its hours the draft is judged by the most generous ones.
        let hours = self.hours.clone().unwrap_or_else(|| SlaCalendar {
            edition: Edition {
                id: calendar_code(self.version.calendar),
                version: 1,
            },
            calendar: Calendar::round_the_clock(),
        });
        let missing = self.hours.is_none().then_some(Flaw::UnknownCalendar);
        let errors = self.version.with_hours(id, 1, hours).err().unwrap_or_default();
        missing
            .into_iter()
            .chain(errors.into_iter().map(Flaw::Policy))
            .collect()
    }
}

/// All policies, each with its versions in the order in which they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies(BTreeMap<PolicyId, Vec<Version>>);

impl Policies {
    /// Takes in a recorded fact.
    #[must_use]
    pub fn evolve(mut self, event: &Revised) -> Self {
        let versions = self.0.entry(event.policy).or_default();
        versions.push(event.version.clone());
        self
    }

    /// How many versions a policy has: the number of the last. 0: it does not exist.
    pub fn revision(&self, id: PolicyId) -> Revision {
        let versions = self.0.get(&id).map_or(0, Vec::len);
        Revision(u64::try_from(versions).unwrap_or(u64::MAX))
    }

    /// The version of a policy that was written last.
    pub fn last(&self, id: PolicyId) -> Option<&Version> {
        self.0.get(&id)?.last()
    }

    /// Another policy than `id` that is in force for exactly these tickets.
    fn other_for(&self, scope: &Scope, id: PolicyId) -> Option<(PolicyId, &Version)> {
        let mut others = self.0.iter().filter(|(other, _)| **other != id);
        others.find_map(|(other, versions)| {
            let last = versions.last()?;
            (last.in_force && last.scope == *scope).then_some((*other, last))
        })
    }
}

/// Returns the version of the policy `id` that `command` makes; none if it would be like the last.
pub fn decide(
    policies: &Policies,
    id: PolicyId,
    command: &Command,
    actor: &Actor,
) -> Result<Option<Revised>, Rejection> {
    match actor.kind {
        // A policy can give anybody's tickets to another group.
        ActorKind::Staff if actor.sees_everything() => {}
        ActorKind::Staff | ActorKind::Customer | ActorKind::System => return Err(Rejection::NotPermitted),
    }
    let (change, draft) = match (command, policies.last(id)) {
        (Command::Create(_), Some(_)) => return Err(Rejection::AlreadyCreated),
        (Command::Create(draft), None) => (Change::Created, draft),
        (Command::Replace(_), None) => return Err(Rejection::Absent),
        (Command::Replace(draft), Some(last)) if draft.version == *last => return Ok(None),
        (Command::Replace(draft), Some(_)) => (Change::Changed, draft),
    };
    let flaws = draft.flaws(id);
    if !flaws.is_empty() {
        return Err(Rejection::Invalid(flaws));
    }
    let version = draft.version.clone();
    if version.in_force
        && let Some((other, theirs)) = policies.other_for(&version.scope, id)
    {
        let name = theirs.name.clone();
        return Err(Rejection::SameScope { other, name });
    }
    let before = policies.0.get(&id).map_or(0, Vec::len);
    if before >= VERSIONS_MAX {
        return Err(Rejection::TooManyVersions);
    }
    if before == 0 && policies.0.len() >= POLICIES_MAX {
        return Err(Rejection::TooManyPolicies);
    }
    Ok(Some(Revised {
        change,
        policy: id,
        number: u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1),
        version,
    }))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::calendar::{CalendarSpec, Interval, Week};
    use crate::ids::UserId;
    use crate::sla::TargetError;

    const GOLD: PolicyId = PolicyId::from_bytes([1; 16]);
    const OTHER: PolicyId = PolicyId::from_bytes([2; 16]);
    const CALENDAR: CalendarId = CalendarId::from_bytes([3; 16]);

    fn staff() -> Actor {
        Actor::plain(UserId::from_bytes([1; 16]), ActorKind::Staff)
    }

    fn version(name: &str) -> Version {
        Version::new(Label::parse(name).unwrap())
    }

    fn draft(version: Version) -> Draft {
        let hours = Some(SlaCalendar::round_the_clock());
        Draft { version, hours }
    }

    fn when(policies: &Policies, id: PolicyId, command: &Command) -> Policies {
        let revised = decide(policies, id, command, &staff()).unwrap().unwrap();
        policies.clone().evolve(&revised)
    }

    fn with_gold() -> Policies {
        when(&Policies::default(), GOLD, &Command::Create(draft(version("Gold"))))
    }

    #[test]
    fn only_staff_create_and_change() {
        for kind in [ActorKind::Customer, ActorKind::System] {
            let actor = Actor::plain(UserId::from_bytes([1; 16]), kind);
            let create = Command::Create(draft(version("Gold")));
            let refused = decide(&Policies::default(), GOLD, &create, &actor);
            assert_eq!(refused, Err(Rejection::NotPermitted));
        }
    }

    #[test]
    fn what_exists_is_not_created_and_what_does_not_is_not_changed() {
        let (create, replace) = (
            Command::Create(draft(version("Gold"))),
            Command::Replace(draft(version("Gold"))),
        );
        let created = decide(&with_gold(), GOLD, &create, &staff());
        assert_eq!(created, Err(Rejection::AlreadyCreated));
        let replaced = decide(&with_gold(), OTHER, &replace, &staff());
        assert_eq!(replaced, Err(Rejection::Absent));
    }

    #[test]
    fn the_same_again_makes_no_version_and_anything_else_the_next() {
        let same = Command::Replace(draft(version("Gold")));
        assert_eq!(decide(&with_gold(), GOLD, &same, &staff()), Ok(None));
        let policies = when(&with_gold(), GOLD, &Command::Replace(draft(version("Silver"))));
        assert_eq!(policies.revision(GOLD), Revision(2));
        let revised = decide(&policies, GOLD, &same, &staff()).unwrap().unwrap();
        assert_eq!((revised.change, revised.number), (Change::Changed, 3));
    }

    #[test]
    fn no_two_policies_in_force_are_for_the_same_tickets() {
        let create = Command::Create(draft(version("Other")));
        let refused = decide(&with_gold(), OTHER, &create, &staff());
        let name = Label::parse("Gold").unwrap();
        assert_eq!(refused, Err(Rejection::SameScope { other: GOLD, name }));
        let narrower = Scope {
            priority: Some(Code::new("high")),
            ..Scope::default()
        };
        let narrower = Version {
            scope: narrower,
            ..version("Other")
        };
        let both = when(&with_gold(), OTHER, &Command::Create(draft(narrower)));
        let widen = Command::Replace(draft(version("Other")));
        assert!(matches!(
            decide(&both, OTHER, &widen, &staff()),
            Err(Rejection::SameScope { .. })
        ));
        // Out of force, it leaves its tickets to the other, and does not get them back by itself.
        let retired = Version {
            in_force: false,
            ..version("Gold")
        };
        let after = when(&both, GOLD, &Command::Replace(draft(retired)));
        let after = when(&after, OTHER, &widen);
        let back = Command::Replace(draft(version("Gold")));
        assert!(matches!(
            decide(&after, GOLD, &back, &staff()),
            Err(Rejection::SameScope { other: OTHER, .. })
        ));
    }

    #[test]
    fn everything_wrong_with_a_draft_is_told_at_once() {
        let long = Target {
            warn_percent: Some(100),
            ..Target::new(WaitLength::Working(SignedDuration::from_hours(9_000)))
        };
        let version = Version {
            calendar: Some(CALENDAR),
            targets: [(TargetKind::Resolution, long)].into(),
            ..version("Gold")
        };
        let target = |error| {
            let kind = TargetKind::Resolution;
            Flaw::Policy(SlaPolicyError::Target { kind, error })
        };
        let missing = Draft {
            version: version.clone(),
            hours: None,
        };
        let refused = decide(&Policies::default(), GOLD, &Command::Create(missing), &staff());
        let flaws = vec![Flaw::UnknownCalendar, target(TargetError::Warning)];
        assert_eq!(refused, Err(Rejection::Invalid(flaws)));
        // An hour a week is not enough for nine thousand of them in twenty years.
        let week = Week::default().with(jiff::civil::Weekday::Sunday, vec![Interval::hours(2, 3)]);
        let sundays = Calendar::try_new(CalendarSpec::weekly("Sundays", "UTC", week)).unwrap();
        let short = Draft {
            version,
            hours: Some(SlaCalendar::stored(CALENDAR, 1, sundays)),
        };
        let refused = decide(&Policies::default(), GOLD, &Command::Create(short), &staff());
        let flaws = vec![target(TargetError::TooLittleWork), target(TargetError::Warning)];
        assert_eq!(refused, Err(Rejection::Invalid(flaws)));
    }
}
