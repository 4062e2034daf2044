//! A history played under other policies, record by record, and what comes of many.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::book::{Book, UnknownPin};
use super::clocks::Clocks;
use super::explain::ClockState;
use super::follow::{Step, follow};
use super::policy::TargetKind;
use super::promised::{Happened, Promised};
use super::rehearse::{Verdict, compare};
use crate::ids::{GroupId, TicketNumber};
use crate::text::Code;

/// One ticket while its history is played: as it was, and its clocks as they would have been. Keeps no history, so that
/// many tickets can be played at a time.
#[derive(Debug, Clone, Default)]
pub struct Rehearsal {
    then: Promised,
    now: Clocks,
    created_at: Option<Timestamp>,
}

impl Rehearsal {
    /// The next record. What it says of clocks is what happened; `draft` says what would have.
    ///
    /// Consequences of breaches are steps like any other: the priority that a breach raised then is raised now, and one
    /// that a draft would raise is not.
    pub fn take(&mut self, record: &Happened<'_>, draft: &Book) -> Result<(), UnknownPin> {
        let before = self.then.ticket.clone();
        self.then.evolve(record);
        let Some(after) = self.then.ticket.state() else {
            return Ok(());
        };
        self.created_at.get_or_insert(record.occurred_at);
        let step = Step {
            revision: record.revision,
            occurred_at: record.occurred_at,
            actor: record.actor,
            events: record.events,
            before: before.state(),
            after,
        };
        let events = follow(&self.now, &step, draft)?;
        self.now.apply(&step, &events);
        Ok(())
    }

    /// How each clock came out by `until`, and how it would have.
    pub fn verdicts(&mut self, until: Timestamp) -> Vec<Verdict> {
        self.now.let_pass(until);
        compare(&self.then.clocks, &self.now, until)
    }

    /// The clocks as they would have come out by `until`.
    pub(super) fn finish(mut self, until: Timestamp) -> Clocks {
        self.now.let_pass(until);
        self.now
    }
}

/// How many clocks stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [u64; ClockState::ALL.len()],
}

impl Tally {
    /// Those in one state.
    pub fn of(&self, state: ClockState) -> u64 {
        place(state)
            .and_then(|place| self.counts.get(place))
            .copied()
            .unwrap_or(0)
    }

    fn count(&mut self, state: ClockState) {
        if let Some(count) = place(state).and_then(|place| self.counts.get_mut(place)) {
            *count += 1;
        }
    }

    fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }
}

fn place(state: ClockState) -> Option<usize> {
    ClockState::ALL.iter().position(|one| *one == state)
}

/// What happened beside what would have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// By the record.
    pub then: Tally,
    /// Under the draft.
    pub now: Tally,
}

impl Compared {
    fn take(&mut self, verdict: &Verdict) {
        if let Some(then) = verdict.then {
            self.then.count(then.state);
        }
        if let Some(now) = verdict.now {
            self.now.count(now.state);
        }
    }

    fn add(&mut self, other: &Self) {
        self.then.add(&other.then);
        self.now.add(&other.now);
    }
}

/// Tickets that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// All of them.
    All,
    /// Those created in the month that begins on that day, in UTC.
    Month(Date),
    /// Those whose priority is this one, in the end.
    Priority(Code),
    /// Those that this group works on, in the end; `None`: no group.
    Of(Option<GroupId>),
}

/// A ticket some of whose clocks came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing<I> {
    /// Which ticket.
    pub ticket: I,
    /// Its number.
    pub number: TicketNumber,
    /// Those clocks.
    pub verdicts: Vec<Verdict>,
}

/// What came of the tickets that were created within some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<I> {
    window: Window,
    /// How many tickets there were.
    pub tickets: u64,
    /// By group, and by what was promised.
    pub compared: BTreeMap<Group, BTreeMap<TargetKind, Compared>>,
    /// How many tickets differ.
    pub differing: u64,
    /// The first of them by number, as many as are wanted.
    pub first: Vec<Differing<I>>,
}

/// Which tickets are looked at, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Created at or after this instant.
    pub from: Option<Timestamp>,
    /// Created before this one.
    pub to: Option<Timestamp>,
    /// The present.
    pub until: Timestamp,
    /// How many tickets that differ are told by name.
    pub limit: usize,
}

impl Window {
    /// Whether a ticket that was created then is looked at.
    pub fn holds(&self, created_at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= created_at) && self.to.is_none_or(|to| created_at < to)
    }
}

impl<I> Report<I> {
    /// Nothing yet.
    pub const fn new(window: Window) -> Self {
        Self {
            window,
            tickets: 0,
            compared: BTreeMap::new(),
            differing: 0,
            first: Vec::new(),
        }
    }

    /// Takes in a ticket of the window that was played to its end.
    pub fn take(&mut self, ticket: I, mut played: Rehearsal) {
        let verdicts = played.verdicts(self.window.until);
        let Some((created_at, state)) = played.created_at.zip(played.then.ticket.state()) else {
            return;
        };
        self.tickets += 1;
        let groups = [
            Group::All,
            Group::Month(TimeZone::UTC.to_datetime(created_at).date().first_of_month()),
            Group::Priority(state.priority.code.clone()),
            Group::Of(state.group),
        ];
        for group in groups {
            let of_group = self.compared.entry(group).or_default();
            for verdict in &verdicts {
                of_group.entry(verdict.clock.target).or_default().take(verdict);
            }
        }
        let state_of = |outcome: Option<super::rehearse::Outcome>| outcome.map(|outcome| outcome.state);
        let verdicts: Vec<Verdict> = verdicts
            .into_iter()
            .filter(|verdict| state_of(verdict.then) != state_of(verdict.now))
            .collect();
        if !verdicts.is_empty() {
            self.differing += 1;
            let number = state.number;
            self.name(Differing {
                ticket,
                number,
                verdicts,
            });
        }
    }

    /// Takes in what came of other tickets.
    pub fn add(&mut self, other: Self) {
        self.tickets += other.tickets;
        self.differing += other.differing;
        for (group, targets) in other.compared {
            let of_group = self.compared.entry(group).or_default();
            for (target, compared) in targets {
                of_group.entry(target).or_default().add(&compared);
            }
        }
        for differing in other.first {
            self.name(differing);
        }
    }

    fn name(&mut self, differing: Differing<I>) {
        let place = self.first.partition_point(|one| one.number < differing.number);
        if place < self.window.limit {
            self.first.insert(place, differing);
            self.first.truncate(self.window.limit);
        }
    }
}
