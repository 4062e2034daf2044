//! What follows from a breach.

use crate::catalogue::Catalogue;
use crate::ids::GroupId;
use crate::text::Code;
use crate::ticket::{Assigned, Change, Classified, Event, TicketState};

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

/// When people are told. The breach itself happens when it is due, day or night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// When it happens.
    AtOnce,
    /// Then, or when the desk opens next.
    WorkingHours,
}

/// The facts that a breach adds to an open ticket; they belong into the record of the breach.
/// What holds already, and what the catalogue no longer offers, makes no event.
pub fn consequences(actions: &[BreachAction], ticket: &TicketState, catalogue: &Catalogue) -> Vec<Event> {
    if !ticket.status.is_open() {
        return Vec::new();
    }
    actions
        .iter()
        .filter_map(|action| match action {
            BreachAction::RaisePriority(code) => {
                let priority = catalogue.priority(code.as_str()).ok()?;
                (priority.rank > ticket.priority.rank).then(|| {
                    Event::Classified(Box::new(Classified {
                        priority: Change::Set(priority.clone()),
                        ..Classified::default()
                    }))
                })
            }
            BreachAction::Reassign(group) => {
                let changes = Assigned {
                    assignee: Change::Set(None).unless_already(&ticket.assignee),
                    group: Change::Set(Some(*group)).unless_already(&ticket.group),
                };
                (ticket.group != Some(*group)).then_some(Event::Assigned(changes))
            }
            BreachAction::Notify(..) => None,
        })
        .collect()
}
