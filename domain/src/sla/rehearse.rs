//! What would have become of a history under other policies.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::book::{Book, UnknownPin};
use super::clocks::Clocks;
use super::event::{ClockId, SlaEvent};
use super::explain::{ClockState, breached_at, state};
use super::promised::{Happened, Promised};
use super::rehearsal::Rehearsal;
use crate::actor::Actor;
use crate::ids::Revision;
use crate::ticket::Event;

/// A record of a ticket as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Which record of the ticket it is.
    pub revision: Revision,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Whose doing it was.
    pub actor: Actor,
    /// What happened to the ticket.
    pub events: Vec<Event>,
    /// What that made of its clocks.
    pub sla_events: Vec<SlaEvent>,
}

impl Recorded {
    fn saying<'r>(&'r self, events: &'r [Event]) -> Happened<'r> {
        Happened {
            revision: self.revision,
            occurred_at: self.occurred_at,
            actor: &self.actor,
            events,
        }
    }
}

impl Clocks {
    /// What has become of the clocks of a ticket, by what was recorded. Needs no policy.
    pub fn replay(history: &[Recorded]) -> Self {
        let mut promised = Promised::default();
        for recorded in history {
            let of_clocks = recorded
                .sla_events
                .iter()
                .map(|event| Event::Sla(Box::new(event.clone())));
            let events: Vec<Event> = recorded.events.iter().cloned().chain(of_clocks).collect();
            promised.evolve(&recorded.saying(&events));
        }
        promised.clocks
    }
}

/// What would have become of the clocks by `until` if these policies had always been in force: the
/// same steps at the same times, whatever was recorded of clocks.
///
/// Consequences of breaches are steps like any other: the priority that a breach raised then is
/// raised now, and one that a draft would raise is not.
pub fn rehearse(history: &[Recorded], draft: &Book, until: Timestamp) -> Result<Clocks, UnknownPin> {
    let mut rehearsal = Rehearsal::default();
    for recorded in history {
        rehearsal.take(&recorded.saying(&recorded.events), draft)?;
    }
    Ok(rehearsal.finish(until))
}

/// How a clock came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Met, breached, cancelled, or still under way.
    pub state: ClockState,
    /// When it was due last.
    pub due_at: Option<Timestamp>,
    /// When its time was over.
    pub breached_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How a clock came out then, and how it comes out now; `None`: there is no such clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Which clock. Further responses are told apart by their numbers, so where policies begin
    /// to promise them at different times, those after that do not correspond.
    pub clock: ClockId,
    /// What happened.
    pub then: Option<Outcome>,
    /// What would have.
    pub now: Option<Outcome>,
}

/// Compares two outcomes of one history as they stand at `until`, clock by clock.
pub fn compare(then: &Clocks, now: &Clocks, until: Timestamp) -> Vec<Verdict> {
    let mut verdicts: BTreeMap<ClockId, Verdict> = BTreeMap::new();
    for (clock, outcome) in outcomes(then, until) {
        let (then, now) = (Some(outcome), None);
        verdicts.insert(clock, Verdict { clock, then, now });
    }
    for (clock, outcome) in outcomes(now, until) {
        let absent = Verdict {
            clock,
            then: None,
            now: None,
        };
        verdicts.entry(clock).or_insert(absent).now = Some(outcome);
    }
    verdicts.into_values().collect()
}

fn outcomes(clocks: &Clocks, until: Timestamp) -> impl Iterator<Item = (ClockId, Outcome)> {
    clocks.iter().map(move |clock| {
        let breached_at = breached_at(clock, until);
        let outcome = Outcome {
            state: state(clock, breached_at),
            due_at: clock.marks.due_at,
            breached_at,
            ended_at: clock.ended.map(|ended| ended.at),
        };
        (clock.id, outcome)
    })
}
