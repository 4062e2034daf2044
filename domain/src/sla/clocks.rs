//! All clocks of a ticket.

use jiff::{SignedDuration, Timestamp};

use super::clock::Clock;
use super::event::{ClockId, SlaEvent};
use super::follow::Step;
use super::policy::TargetKind;
use super::talk::Talk;
use crate::ids::Revision;

/// All clocks of a ticket, in the order in which they started, and whose turn it is to speak.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clocks {
    all: Vec<Clock>,
    talk: Talk,
    last_at: Option<Timestamp>,
}

/// An instant at which something happens to a clock unless something else happens before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timer {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: TimerKind,
    /// To which clock.
    pub clock: ClockId,
}

/// What happens when nobody does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// It warns.
    Warning,
    /// Its time is over.
    Breach,
}

impl TimerKind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Warning, Self::Breach];

    /// Its name in metrics and the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Breach => "breach",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Timer {
    /// What happens.
    pub const fn event(self) -> SlaEvent {
        let Self { at, kind, clock } = self;
        match kind {
            TimerKind::Warning => SlaEvent::Warned { clock, at },
            TimerKind::Breach => SlaEvent::Breached { clock, at },
        }
    }
}

/// The first instant after one: whatever was due at it is over then. Everything is exact to the microsecond.
pub(super) fn just_after(instant: Timestamp) -> Timestamp {
    instant
        .checked_add(SignedDuration::from_micros(1))
        .unwrap_or(Timestamp::MAX)
}

impl Clocks {
    /// All of them, in the order in which they started.
    pub fn iter(&self) -> impl Iterator<Item = &Clock> {
        self.all.iter()
    }

    /// Whether nothing was ever promised.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The clock of that id.
    pub fn get(&self, id: ClockId) -> Option<&Clock> {
        self.all.iter().find(|clock| clock.id == id)
    }

    /// The latest clock of a target.
    pub fn last(&self, target: TargetKind) -> Option<&Clock> {
        self.all.iter().rev().find(|clock| clock.id.target == target)
    }

    /// The clock of a target that runs or stands still.
    pub fn open(&self, target: TargetKind) -> Option<&Clock> {
        self.last(target).filter(|clock| clock.is_open())
    }

    /// Where the conversation stands.
    pub fn talk(&self) -> Talk {
        self.talk
    }

    /// Applies a record: what happened to the ticket, and what that made of its clocks. Total:
    /// never fails, never panics.
    pub fn apply<'e>(&mut self, step: &Step<'_>, events: impl IntoIterator<Item = &'e SlaEvent>) {
        let at = self.record(step.occurred_at, step.revision, events);
        self.talk = self.talk.after(step, at);
    }

    /// Applies what a record says of clocks, where the conversation does not matter: nothing can be decided afterwards.
    /// Returns when it happened to them. Total: never fails, never panics.
    pub fn record<'e>(
        &mut self,
        occurred_at: Timestamp,
        by: Revision,
        events: impl IntoIterator<Item = &'e SlaEvent>,
    ) -> Timestamp {
        let at = self.at(occurred_at);
        for event in events {
            self.evolve(event, at, by);
        }
        self.last_at = Some(at);
        at
    }

    /// The instants to wake up at, soonest first: what warns and breaches if nothing happens. They
    /// replace all that were there before.
    pub fn timers(&self) -> Vec<Timer> {
        let mut timers: Vec<Timer> = self.all.iter().flat_map(Clock::timers).collect();
        timers.sort_unstable();
        timers
    }

    /// What has happened by `now` without anybody's doing and is not recorded yet, in order. Who
    /// answers at the due instant is in time, so a timer is over once the present is later.
    ///
    /// Asking again after it was recorded gives nothing, however late and however often.
    pub fn overdue(&self, now: Timestamp) -> Vec<SlaEvent> {
        let timers = self.timers().into_iter();
        timers.filter(|timer| timer.at < now).map(Timer::event).collect()
    }

    /// Lets time go by until an instant.
    pub(super) fn let_pass(&mut self, until: Timestamp) {
        for event in self.overdue(until) {
            self.evolve(&event, until, Revision::default());
        }
    }

    /// When a record happened to the clocks. An expiry that the scheduler records late happened
    /// before what was recorded meanwhile, but clocks do not run backwards. Exact to the
    /// microsecond, like everything in the log.
    pub fn at(&self, occurred_at: Timestamp) -> Timestamp {
        let at = Timestamp::from_microsecond(occurred_at.as_microsecond()).unwrap_or(occurred_at);
        self.last_at.map_or(at, |last| at.max(last))
    }

    pub(super) fn evolve(&mut self, event: &SlaEvent, at: Timestamp, by: Revision) {
        if let Some(clock) = Clock::start(event, at, by) {
            self.all.push(clock);
        } else if let Some(clock) = self.all.iter_mut().find(|clock| clock.id == event.clock()) {
            clock.evolve(event, at, by);
        }
    }
}
