//! A batch of records to one change for each row. Pure: the same log makes the same rows,
//! whatever the batches.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{GroupId, OrganisationId, UserId};
use domain::ticket::{Event, Ticket};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx as _;
use uuid::Uuid;
use wire::Record;

use super::details::{details, visibility};
use super::rows::{CounterRow, DayRow, TicketRow, TimelineRow, TimerRow};
use super::ticket::{CorruptRow, Known, signed};
use crate::projections::{Poison, PoisonReason, Positioned};

/// What a batch does to the tables.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    pub(super) tickets: Vec<TicketRow>,
    pub(super) timeline: Vec<TimelineRow>,
    pub(super) timers: Vec<TimerRow>,
    /// Tickets whose wait has ended.
    pub(super) timers_ended: Vec<Uuid>,
    /// Differences, to be added to what is there.
    pub(super) counters: Vec<CounterRow>,
    /// Differences, to be added to what is there.
    pub(super) days: Vec<DayRow>,
}

/// How many tickets, and how many of them open.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    total: i64,
    open: i64,
}

#[derive(Debug, Default, Clone, Copy)]
struct DayCount {
    created: i64,
    closed: i64,
}

/// The tickets of a batch, before it and so far.
#[derive(Debug)]
pub(super) struct Fold {
    partition: u16,
    before: BTreeMap<Uuid, Known>,
    after: BTreeMap<Uuid, Known>,
    touched: BTreeSet<Uuid>,
    timeline: Vec<TimelineRow>,
    days: BTreeMap<Date, DayCount>,
}

impl Fold {
    /// Begins with the rows that the batch will touch, as far as they exist.
    pub(super) fn new(partition: u16, rows: Vec<TicketRow>) -> Result<Self, CorruptRow> {
        let known = |row: TicketRow| Ok((row.id, Known::try_from(row)?));
        let before: BTreeMap<Uuid, Known> = rows.into_iter().map(known).collect::<Result<_, CorruptRow>>()?;
        Ok(Self {
            partition,
            after: before.clone(),
            before,
            touched: BTreeSet::new(),
            timeline: Vec::new(),
            days: BTreeMap::new(),
        })
    }

    /// Applies the next record.
    pub(super) fn apply(&mut self, positioned: &Positioned<Event>) -> Result<(), Poison> {
        let Positioned { sequence, record } = positioned;
        self.apply_record(*sequence, record).map_err(|reason| Poison {
            sequence: *sequence,
            reason,
        })
    }

    fn apply_record(&mut self, sequence: u64, record: &Record<Event>) -> Result<(), PoisonReason> {
        let Record { header, events } = record;
        let id = header.aggregate_id;
        let current = self.after.remove(&id);
        let expected = current.as_ref().map_or(0, |known| known.revision).saturating_add(1);
        if header.revision.0 != expected {
            return Err(PoisonReason::Revision {
                expected,
                found: header.revision.0,
            });
        }
        let opened_at = current.as_ref().map_or(header.occurred_at, |known| known.created_at);
        let mut closed_at = current.as_ref().and_then(|known| known.closed_at);
        let mut ticket = current.map_or(Ticket::Absent, |known| Ticket::Present(Box::new(known.state)));
        for (place, event) in (0_i32..).zip(events) {
            let creation = matches!(event, Event::Created(_));
            if creation != ticket.state().is_none() {
                return Err(PoisonReason::Creation { event: event.name() });
            }
            let was_open = ticket.state().is_none_or(|state| state.status.is_open());
            let details = details(event, ticket.state());
            ticket = ticket.evolve(event, header.occurred_at);
            let Some(state) = ticket.state() else {
                return Err(PoisonReason::Creation { event: event.name() });
            };
            let day = self.days.entry(day(header.occurred_at)).or_default();
            day.created += i64::from(creation);
            if state.status.is_open() {
                closed_at = None;
            } else if was_open {
                closed_at = Some(header.occurred_at);
                day.closed += 1;
            }
            self.timeline.push(TimelineRow {
                ticket_id: id,
                revision: signed(header.revision.0),
                place,
                partition: self.partition.into(),
                sequence: signed(sequence),
                event: event.name(),
                status: state.status.as_str(),
                actor_id: header.actor.user.as_uuid(),
                actor_kind: header.actor.kind.as_str(),
                via_id: header.via.map(UserId::as_uuid),
                occurred_at: header.occurred_at.to_sqlx(),
                recorded_at: header.recorded_at.to_sqlx(),
                visibility: visibility(event).as_str(),
                details,
            });
        }
        let Ticket::Present(state) = ticket else {
            return Err(PoisonReason::Empty);
        };
        let known = Known {
            state: *state,
            revision: expected,
            sequence,
            created_at: opened_at,
            closed_at,
        };
        self.after.insert(id, known);
        self.touched.insert(id);
        Ok(())
    }

    /// What the records so far do to the tables.
    pub(super) fn finish(self) -> Changes {
        let mut changes = Changes {
            timeline: self.timeline,
            ..Changes::default()
        };
        let mut counts: BTreeMap<(&'static str, String), Count> = BTreeMap::new();
        for id in self.touched {
            let before = self.before.get(&id);
            let Some(after) = self.after.get(&id) else { continue };
            changes.tickets.push(after.to_row(id, self.partition));
            match (
                timer(id, after),
                before.is_some_and(|before| before.state.wait.is_some()),
            ) {
                (Some(timer), _) => changes.timers.push(timer),
                (None, true) => changes.timers_ended.push(id),
                (None, false) => {}
            }
            if let Some(before) = before {
                count(&mut counts, before, -1);
            }
            count(&mut counts, after, 1);
        }
        let partition = i32::from(self.partition);
        let counters = counts
            .into_iter()
            .filter(|(_, count)| count.total != 0 || count.open != 0);
        changes.counters = counters
            .map(|((dimension, value), Count { total, open })| CounterRow {
                dimension,
                value,
                partition,
                total,
                open,
            })
            .collect();
        let days = self
            .days
            .into_iter()
            .filter(|(_, count)| count.created != 0 || count.closed != 0);
        changes.days = days
            .map(|(day, DayCount { created, closed })| DayRow {
                day: day.to_sqlx(),
                partition,
                created,
                closed,
            })
            .collect();
        changes
    }
}

fn timer(id: Uuid, ticket: &Known) -> Option<TimerRow> {
    let kind = ticket.wait_kind()?;
    let wait = ticket.state.wait.as_ref()?;
    Some(TimerRow {
        ticket_id: id,
        kind: kind.as_str(),
        number: wait.number.cast_signed(),
        due_at: wait.due_at.to_sqlx(),
    })
}

/// Days are those of UTC: the desk's people and customers live in many zones.
fn day(at: jiff::Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Adds a ticket to the counters of all its values, or takes it away.
fn count(counts: &mut BTreeMap<(&'static str, String), Count>, ticket: &Known, change: i64) {
    let state = &ticket.state;
    let or_nobody = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let values = [
        ("all", String::new()),
        ("status", state.status.as_str().to_owned()),
        ("type", state.ticket_type.code.to_string()),
        ("priority", state.priority.code.to_string()),
        ("group", or_nobody(state.group.map(GroupId::as_uuid))),
        ("assignee", or_nobody(state.assignee.map(UserId::as_uuid))),
        (
            "organisation",
            or_nobody(state.organisation.map(OrganisationId::as_uuid)),
        ),
    ];
    for key in values {
        let count = counts.entry(key).or_default();
        count.total += change;
        if state.status.is_open() {
            count.open += change;
        }
    }
}
