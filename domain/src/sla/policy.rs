//! What a desk promises, as people write it down and as it is in force.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::book::Scope;
use super::breach::{BreachAction, Delivery};
use super::error::{SlaPolicyError, TargetError};
use crate::calendar::Calendar;
use crate::policy::{LENGTH_MAX, LENGTH_MIN, PolicyError, WaitLength, WaitPolicy};
use crate::text::Code;
use crate::ticket::Status;

/// A longer id makes no readable policy name beside its version.
pub const ID_CHARS_MAX: usize = 50;

/// More consequences of one breach than this are a program, not a policy.
pub const ACTIONS_MAX: usize = 8;

/// What a desk can promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// Staff's first words that the requester can read.
    FirstResponse,
    /// Staff's words after those of the requester's side, each time anew.
    NextResponse,
    /// The closing of the ticket.
    Resolution,
}

impl TargetKind {
    /// All of them, in the order in which a ticket meets them.
    pub const ALL: [Self; 3] = [Self::FirstResponse, Self::NextResponse, Self::Resolution];

    /// Its name in JSON, configuration and the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstResponse => "first_response",
            Self::NextResponse => "next_response",
            Self::Resolution => "resolution",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A promise: how soon, by which time, and what if not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// How soon, in working time of the policy's calendar or in time by the clock.
    pub within: WaitLength,
    /// The statuses in which the clock stands still.
    pub paused_in: BTreeSet<Status>,
    /// Warns when this many per cent of the time have elapsed, from 1 to 99.
    pub warn_percent: Option<u8>,
    /// What happens on a breach besides its event.
    pub on_breach: Vec<BreachAction>,
}

impl Target {
    /// A promise that warns at 80 per cent, and nothing else.
    pub const fn new(within: WaitLength) -> Self {
        Self {
            within,
            paused_in: BTreeSet::new(),
            warn_percent: Some(80),
            on_breach: Vec::new(),
        }
    }

    /// This promise, paused in these statuses.
    #[must_use]
    pub fn paused_in(self, statuses: impl IntoIterator<Item = Status>) -> Self {
        Self {
            paused_in: statuses.into_iter().collect(),
            ..self
        }
    }

    /// The elapsed time at which to warn.
    pub(super) fn warn_after(&self) -> Option<SignedDuration> {
        let micros = i64::try_from(self.within.duration().as_micros()).unwrap_or(i64::MAX);
        let percent = i64::from(self.warn_percent?);
        Some(SignedDuration::from_micros(
            micros / 100 * percent + micros % 100 * percent / 100,
        ))
    }
}

/// One version of something that people edit: its id, and which version from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edition {
    /// Of what.
    pub id: Code,
    /// Which version.
    pub version: u32,
}

impl Edition {
    /// The version of that id.
    pub fn new(id: &str, version: u32) -> Self {
        Self {
            id: Code::new(id),
            version,
        }
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.id, self.version)
    }
}

/// By which version of a policy and of its calendar a clock runs, whatever becomes of either.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    /// The policy.
    pub policy: Edition,
    /// Its calendar.
    pub calendar: Edition,
}

/// One version of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlaCalendar {
    /// Which.
    pub edition: Edition,
    /// The hours.
    pub calendar: Calendar,
}

/// A policy as written down, not yet checked. See [`SlaPolicy::try_new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlaPolicySpec {
    /// Its id, such as `supportal` or a UUID: small letters, digits, `_` and `-`.
    pub id: Code,
    /// Which tickets it is for.
    pub scope: Scope,
    /// The id of the calendar whose hours it counts. Clocks pin the calendar's version of the
    /// moment, so that a new holiday needs no new version of every policy.
    pub calendar: Code,
    /// What is promised. A policy without targets promises nothing, which can be meant.
    pub targets: BTreeMap<TargetKind, Target>,
    /// How long the requester's side may take to answer a question; without it, for ever.
    pub information: Option<WaitLength>,
    /// How long the requester's side may take to object to closing; without it, for ever.
    pub closure: Option<WaitLength>,
    /// Whether a public comment of the requester's side puts a waiting ticket back into work.
    pub reply_resumes: bool,
}

impl SlaPolicySpec {
    /// A policy for every ticket that promises nothing and waits for ever.
    pub fn new(id: &str, calendar: &str) -> Self {
        Self {
            id: Code::new(id),
            scope: Scope::default(),
            calendar: Code::new(calendar),
            targets: BTreeMap::new(),
            information: None,
            closure: None,
            reply_resumes: true,
        }
    }

    /// This policy with one more promise.
    #[must_use]
    pub fn with(mut self, kind: TargetKind, target: Target) -> Self {
        self.targets.insert(kind, target);
        self
    }
}

/// One version of a policy, bound to one version of its calendar, all of it checked: every
/// promise and every wait has a due time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlaPolicy {
    spec: SlaPolicySpec,
    pin: Pin,
    waits: WaitPolicy,
}

impl SlaPolicy {
    /// Checks a version of a policy and reports everything that is wrong with it.
    pub fn try_new(spec: SlaPolicySpec, version: u32, calendar: SlaCalendar) -> Result<Self, Vec<SlaPolicyError>> {
        let mut errors = Vec::new();
        if !is_id(spec.id.as_str()) {
            errors.push(SlaPolicyError::Id);
        }
        if version == 0 {
            errors.push(SlaPolicyError::Version);
        }
        if spec.calendar != calendar.edition.id {
            errors.push(SlaPolicyError::OtherCalendar {
                named: spec.calendar.clone(),
                given: calendar.edition.id.clone(),
            });
        }
        for (kind, target) in &spec.targets {
            let found = check(target, &calendar.calendar);
            errors.extend(
                found
                    .into_iter()
                    .map(|error| SlaPolicyError::Target { kind: *kind, error }),
            );
        }
        let policy = Edition {
            id: spec.id.clone(),
            version,
        };
        let waits = WaitPolicy::try_new(&policy.to_string(), spec.information, spec.closure, calendar.calendar);
        match waits {
            Ok(waits) if errors.is_empty() => Ok(Self {
                waits: WaitPolicy {
                    reply_resumes: spec.reply_resumes,
                    ..waits
                },
                pin: Pin {
                    policy,
                    calendar: calendar.edition,
                },
                spec,
            }),
            Ok(_) => Err(errors),
            Err(found) => {
                // The name is made of the id, which was judged above.
                let of_waits = found.into_iter().filter(|error| !matches!(error, PolicyError::Name(_)));
                errors.extend(of_waits.map(SlaPolicyError::Wait));
                Err(errors)
            }
        }
    }

    /// A policy of waits that were checked, and whose id has the right letters.
    pub(super) fn of_checked(spec: SlaPolicySpec, version: u32, waits: WaitPolicy) -> Self {
        let edition = |id: &Code, version| Edition {
            id: id.clone(),
            version,
        };
        let pin = Pin {
            policy: edition(&spec.id, version),
            calendar: edition(&spec.calendar, 1),
        };
        Self { spec, pin, waits }
    }

    /// What it was made from.
    pub fn spec(&self) -> &SlaPolicySpec {
        &self.spec
    }

    /// What a clock that starts now is pinned to.
    pub fn pin(&self) -> &Pin {
        &self.pin
    }

    /// Whose hours it counts.
    pub fn calendar(&self) -> &Calendar {
        &self.waits.calendar
    }

    /// How long tickets wait for people under it.
    pub fn waits(&self) -> &WaitPolicy {
        &self.waits
    }

    /// What it promises of that kind.
    pub fn target(&self, kind: TargetKind) -> Option<&Target> {
        self.spec.targets.get(&kind)
    }

    /// When to tell people of something that happened at `at`.
    pub fn deliver_at(&self, delivery: Delivery, at: Timestamp) -> Timestamp {
        match delivery {
            Delivery::AtOnce => at,
            // Only the end of all time has no working instant after it.
            Delivery::WorkingHours => self.calendar().due(at, SignedDuration::ZERO).unwrap_or(at),
        }
    }

    /// When so much more of the time that `within` means has passed since `from`.
    pub(super) fn due(&self, within: WaitLength, from: Timestamp, more: SignedDuration) -> Timestamp {
        let due = match within {
            WaitLength::Working(_) => self.calendar().due(from, more).ok(),
            WaitLength::Elapsed(_) => from.checked_add(more).ok(),
        };
        // The policy was checked, so only the end of all time can be in the way.
        due.unwrap_or(Timestamp::MAX)
    }

    /// How much of the time that `within` means lies between two instants.
    pub(super) fn measure(&self, within: WaitLength, from: Timestamp, to: Timestamp) -> SignedDuration {
        match within {
            WaitLength::Working(_) => self.calendar().elapsed(from, to),
            WaitLength::Elapsed(_) => from.duration_until(to).max(SignedDuration::ZERO),
        }
    }
}

fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    !id.is_empty() && id.len() <= ID_CHARS_MAX && id.bytes().all(allowed)
}

fn check(target: &Target, calendar: &Calendar) -> Vec<TargetError> {
    let mut errors = Vec::new();
    let length = target.within.duration();
    if length < LENGTH_MIN || length > LENGTH_MAX {
        errors.push(TargetError::Length);
    } else if matches!(target.within, WaitLength::Working(working) if working > calendar.certain()) {
        errors.push(TargetError::TooLittleWork);
    }
    if target.warn_percent.is_some_and(|percent| !(1..=99).contains(&percent)) {
        errors.push(TargetError::Warning);
    }
    if target.paused_in.contains(&Status::Closed) {
        errors.push(TargetError::PausedWhenClosed);
    }
    let mut open = Status::ALL.into_iter().filter(|status| status.is_open());
    if open.all(|status| target.paused_in.contains(&status)) {
        errors.push(TargetError::NeverRuns);
    }
    if target.on_breach.len() > ACTIONS_MAX {
        errors.push(TargetError::TooManyActions {
            count: target.on_breach.len(),
        });
    }
    errors
}
