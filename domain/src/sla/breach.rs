//! What follows from a breach.

use jiff::Timestamp;

use super::book::{Book, UnknownPin};
use super::clocks::Clocks;
use super::event::SlaEvent;
use crate::catalogue::Catalogue;
use crate::ids::GroupId;
use crate::text::Code;
use crate::ticket::{Assigned, Change, Classified, Event, Ticket, TicketState};

/// Something that a policy asks for when a target is breached. The event of the breach itself is
/// always recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BreachAction {
    /// Makes the ticket as urgent as this priority, never less urgent than it is.
    RaisePriority(Code),
    /// Gives the ticket to this group, and takes it from the person who had it.
    Reassign(GroupId),
    /// Tells people.
    Notify(Notified, Delivery),
}

impl BreachAction {
    /// Its name in JSON and configuration.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::RaisePriority(_) => "raise_priority",
            Self::Reassign(_) => "reassign",
            Self::Notify(..) => "notify",
        }
    }
}

/// Who is told of a breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notified {
    /// Whoever works on the ticket.
    Assignee,
    /// The group that works on it.
    Group,
    /// Everybody who follows it.
    Followers,
}

impl Notified {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Assignee, Self::Group, Self::Followers];

    /// Its name in JSON, configuration and the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assignee => "assignee",
            Self::Group => "group",
            Self::Followers => "followers",
        }
    }

    /// Whoever goes by that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|whom| whom.as_str() == name)
    }
}

/// When people are told. The breach itself happens when it is due, day or night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// When it happens.
    AtOnce,
    /// Then, or when the desk opens next.
    WorkingHours,
}

impl Delivery {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::AtOnce, Self::WorkingHours];

    /// Its name in JSON and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::WorkingHours => "working_hours",
        }
    }

    /// The way of delivery of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delivery| delivery.as_str() == name)
    }
}

/// The facts that the breaches add to a ticket which have happened by `now` and are not recorded
/// yet. They belong into the record of those breaches, after whatever else happens in it: `ticket`
/// is the ticket after that. What they change, [`super::follow()`] then sees like any other change.
///
/// What holds already, what the catalogue no longer offers and what a closed ticket does not take
/// makes no event.
pub fn escalate(
    clocks: &Clocks,
    ticket: &TicketState,
    now: Timestamp,
    book: &Book,
    catalogue: &Catalogue,
) -> Result<Vec<Event>, UnknownPin> {
    let mut ticket = Ticket::Present(Box::new(ticket.clone()));
    let mut events = Vec::new();
    let overdue = clocks.overdue(clocks.at(now));
    for event in overdue
        .iter()
        .filter(|event| matches!(event, SlaEvent::Breached { .. }))
    {
        let Some(clock) = clocks.get(event.clock()) else {
            continue;
        };
        let target = book.pinned(&clock.terms.pin)?.target(clock.id.target);
        for action in target.map_or(&[][..], |target| &target.on_breach) {
            if let Some(fact) = ticket.state().and_then(|state| consequence(action, state, catalogue)) {
                ticket = ticket.evolve(&fact, now);
                events.push(fact);
            }
        }
    }
    Ok(events)
}

fn consequence(action: &BreachAction, ticket: &TicketState, catalogue: &Catalogue) -> Option<Event> {
    if !ticket.status.is_open() {
        return None;
    }
    match action {
        BreachAction::RaisePriority(code) => {
            let priority = catalogue.offered_priority(code.as_str())?;
            let changes = Classified {
                priority: Change::Set(priority.clone()),
                ..Classified::default()
            };
            (priority.rank > ticket.priority.rank).then(|| Event::Classified(Box::new(changes)))
        }
        BreachAction::Reassign(group) => {
            let changes = Assigned {
                assignee: Change::Set(None).unless_already(&ticket.assignee),
                group: Change::Set(Some(*group)),
            };
            (ticket.group != Some(*group)).then_some(Event::Assigned(changes))
        }
        BreachAction::Notify(..) => None,
    }
}
