//! A batch of records to one change for each row. Pure: the same log makes the same rows,
//! whatever the batches.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::actor::ActorKind;
use domain::calendar::{Calendar, HORIZON};
use domain::durations;
use domain::ids::{GroupId, OrganisationId, ProjectId, UserId};
use domain::sla::SlaEvent;
use domain::ticket::{Event, Ticket};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use uuid::Uuid;
use wire::{Header, Record};

use super::clocks::Clocks;
use super::details::details;
use super::histogram::Histograms;
use super::rows::{
    ClockRow, CounterRow, DayRow, DescriptionRow, MeasureCountRow, MeasureRow, RatingsRow, TicketRow, TimelineRow,
    TimerRow, VersionRow,
};
use super::ticket::{CorruptRow, Known, WholeRow, signed};
use crate::projections::{Poison, PoisonReason, Positioned};
use crate::table::{Greatest, Least};

/// What records do to the tables.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    pub(super) tickets: Vec<TicketRow>,
    /// Tickets whose number, subject or description is new.
    pub(super) heads: Vec<Uuid>,
    pub(super) timers: Vec<TimerRow>,
    /// Tickets whose wait has ended.
    pub(super) timers_ended: Vec<Uuid>,
    pub(super) clocks: Vec<ClockRow>,
    /// Differences, to be added to what is there.
    pub(super) counters: Vec<CounterRow>,
    /// Differences, to be added to what is there.
    pub(super) days: Vec<DayRow>,
    /// Differences, to be added to what is there.
    pub(super) ratings: Vec<RatingsRow>,
    /// Differences, to be added to what is there.
    pub(super) measure_counts: Vec<MeasureCountRow>,
}

/// What records add to the tables that only grow.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Additions {
    pub(super) timeline: Vec<TimelineRow>,
    pub(super) versions: Vec<VersionRow>,
    pub(super) descriptions: Vec<DescriptionRow>,
    pub(super) measures: Vec<MeasureRow>,
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
    first_number: Least,
    last_number: Greatest,
}

/// Folds records into changes. It knows the tickets that they concern; what was added or changed is taken
/// out of it, in one go or in several.
#[derive(Debug)]
pub(super) struct Fold<'c> {
    partition: u16,
    calendar: &'c Calendar,
    tickets: HashMap<Uuid, Known>,
    /// Tickets that have changed, as they were before; `None`: not there.
    before: BTreeMap<Uuid, Option<Known>>,
    heads: BTreeSet<Uuid>,
    clocks: Clocks,
    additions: Additions,
    days: BTreeMap<Date, DayCount>,
    ratings: BTreeMap<(Date, u8), i64>,
    histograms: Histograms,
}

/// An event on its way into the tables.
struct Happening<'e> {
    sequence: u64,
    place: i32,
    header: &'e Header,
    event: &'e Event,
}

impl<'c> Fold<'c> {
    /// Begins with the rows that the records will touch, as far as they exist.
    pub(super) fn new(
        partition: u16,
        calendar: &'c Calendar,
        rows: Vec<WholeRow>,
        clocks: Vec<ClockRow>,
    ) -> Result<Self, CorruptRow> {
        let known = |whole: WholeRow| Ok((whole.row.id, Known::try_from(whole)?));
        Ok(Self {
            clocks: Clocks::of(clocks)?,
            tickets: rows.into_iter().map(known).collect::<Result<_, CorruptRow>>()?,
            ..Self::from_nothing(partition, calendar)
        })
    }

    /// Begins before the first record of a partition.
    pub(super) fn from_nothing(partition: u16, calendar: &'c Calendar) -> Self {
        Self {
            partition,
            calendar,
            tickets: HashMap::new(),
            before: BTreeMap::new(),
            heads: BTreeSet::new(),
            clocks: Clocks::default(),
            additions: Additions::default(),
            days: BTreeMap::new(),
            ratings: BTreeMap::new(),
            histograms: Histograms::default(),
        }
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
        let current = self.tickets.remove(&id);
        let expected = current.as_ref().map_or(0, |known| known.revision).saturating_add(1);
        if header.revision.0 != expected {
            return Err(PoisonReason::Revision {
                expected,
                found: header.revision.0,
            });
        }
        let recorded_at = current
            .as_ref()
            .map_or(header.recorded_at, |known| known.recorded_at.max(header.recorded_at));
        if let Some(known) = &current {
            self.additions.versions.push(VersionRow {
                row: known.to_row(id, self.partition),
                valid_to: recorded_at.to_sqlx(),
            });
        }
        self.before.entry(id).or_insert_with(|| current.clone());
        let mut marks = Marks::of(current.as_ref(), header);
        let last_at = current.as_ref().map(|known| known.state.last_occurred_at);
        self.clocks.apply(record, last_at)?;
        let mut ticket = current.map_or(Ticket::Absent, |known| Ticket::Present(Box::new(known.state)));
        for (place, event) in (0_i32..).zip(events) {
            let happening = Happening {
                sequence,
                place,
                header,
                event,
            };
            ticket = self.happen(&happening, ticket, &mut marks)?;
        }
        let Ticket::Present(state) = ticket else {
            return Err(PoisonReason::Empty);
        };
        if marks.description_revision == expected {
            self.additions.descriptions.push(DescriptionRow {
                ticket_id: id,
                revision: signed(expected),
                partition: self.partition.into(),
                description: state.description.as_str().to_owned(),
            });
        }
        let known = Known {
            state: *state,
            revision: expected,
            sequence,
            created_at: marks.created_at,
            first_response_at: marks.first_response_at,
            closed_at: marks.closed_at,
            recorded_at,
            description_revision: marks.description_revision,
            edited: marks.edited,
        };
        self.tickets.insert(id, known);
        Ok(())
    }

    /// Applies one event: the ticket after it, its line in the timeline, and what it adds to figures.
    fn happen(&mut self, happening: &Happening<'_>, ticket: Ticket, marks: &mut Marks) -> Result<Ticket, PoisonReason> {
        let Happening {
            sequence,
            place,
            header,
            event,
        } = *happening;
        let (id, at) = (header.aggregate_id, header.occurred_at);
        // Warnings and breaches have an instant of their own, which may be long ago.
        let happened_at = match event.sla() {
            Some(SlaEvent::Warned { at, .. } | SlaEvent::Breached { at, .. }) => *at,
            Some(_) | None => at,
        };
        let creation = matches!(event, Event::Created(_));
        if creation != ticket.state().is_none() {
            return Err(PoisonReason::Creation { event: event.name() });
        }
        let was_open = ticket.state().is_none_or(|state| state.status.is_open());
        let requester = ticket.state().map(|state| state.requester);
        let details = details(event, ticket.state());
        let ticket = ticket.evolve(event, at);
        let Some(state) = ticket.state() else {
            return Err(PoisonReason::Creation { event: event.name() });
        };
        let today = day(at);
        let count = self.days.entry(today).or_default();
        if creation {
            count.created += 1;
            let number = signed(state.number.0);
            count.first_number.0 = count.first_number.0.into_iter().chain([number]).min();
            count.last_number.0 = count.last_number.0.into_iter().chain([number]).max();
        }
        if state.status.is_open() {
            marks.closed_at = None;
        } else if was_open {
            marks.closed_at = Some(at);
            count.closed += 1;
            self.measure("closing", happening, marks.created_at);
        }
        if marks.first_response_at.is_none()
            && header.actor.kind == ActorKind::Staff
            && requester.is_some_and(|requester| requester != header.actor.user)
            && is_answer(event)
        {
            marks.first_response_at = Some(at);
            self.measure("first_response", happening, marks.created_at);
        }
        if let Event::Rated { score, .. } = event {
            *self.ratings.entry((today, *score)).or_default() += 1;
        }
        if let Some(kept) = new_head(event) {
            self.heads.insert(id);
            marks.edited |= !creation;
            if kept == Head::WithDescription {
                marks.description_revision = header.revision.0;
            }
        }
        self.additions.timeline.push(TimelineRow {
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
            occurred_at: happened_at.to_sqlx(),
            recorded_at: header.recorded_at.to_sqlx(),
            visibility: event.visibility().as_str(),
            details,
            origin_id: header.correlation,
        });
        Ok(ticket)
    }

    /// Measures from the ticket's creation to what happens now.
    fn measure(&mut self, kind: &'static str, happening: &Happening<'_>, created_at: Timestamp) {
        let header = happening.header;
        let (at, partition) = (header.occurred_at, i32::from(self.partition));
        // A desk is not asked for the hours of more than twenty years; nothing takes so long.
        let until = created_at.checked_add(HORIZON).map_or(at, |horizon| at.min(horizon));
        let elapsed = at.duration_since(created_at);
        let working = self.calendar.elapsed(created_at, until);
        let row = MeasureRow {
            ticket_id: header.aggregate_id,
            revision: signed(header.revision.0),
            place: happening.place,
            partition,
            kind,
            occurred_at: at.to_sqlx(),
            micros: micros(elapsed),
            working_micros: micros(working),
            bucket: durations::bucket(elapsed.as_secs_f64()),
            working_bucket: durations::bucket(working.as_secs_f64()),
        };
        for (clock, bucket) in [("elapsed", row.bucket), ("working", row.working_bucket)] {
            self.histograms.count(kind, clock, day(at), bucket);
        }
        self.additions.measures.push(row);
    }

    /// What was added since this was called last.
    pub(super) fn take_additions(&mut self) -> Additions {
        std::mem::take(&mut self.additions)
    }

    /// What has changed since this was called last.
    pub(super) fn take_changes(&mut self) -> Changes {
        let mut changes = Changes {
            heads: std::mem::take(&mut self.heads).into_iter().collect(),
            clocks: self.clocks.take_rows(self.partition),
            ..Changes::default()
        };
        let partition = i32::from(self.partition);
        let mut counts: BTreeMap<(&'static str, String), Count> = BTreeMap::new();
        for (id, before) in std::mem::take(&mut self.before) {
            let Some(after) = self.tickets.get(&id) else { continue };
            changes.tickets.push(after.to_row(id, self.partition));
            let had_timer = before.as_ref().is_some_and(|before| before.state.wait.is_some());
            match (timer(id, partition, after), had_timer) {
                (Some(timer), _) => changes.timers.push(timer),
                (None, true) => changes.timers_ended.push(id),
                (None, false) => {}
            }
            if let Some(before) = &before {
                count(&mut counts, before, -1);
            }
            count(&mut counts, after, 1);
        }
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
        let days = std::mem::take(&mut self.days)
            .into_iter()
            .filter(|(_, count)| count.created != 0 || count.closed != 0);
        changes.days = days
            .map(|(day, count)| DayRow {
                day: day.to_sqlx(),
                partition,
                created: count.created,
                closed: count.closed,
                first_number: count.first_number,
                last_number: count.last_number,
            })
            .collect();
        changes.ratings = std::mem::take(&mut self.ratings)
            .into_iter()
            .map(|((day, score), total)| RatingsRow {
                day: day.to_sqlx(),
                score: score.into(),
                partition,
                total,
            })
            .collect();
        changes.measure_counts = std::mem::take(&mut self.histograms).rows(partition);
        changes
    }
}

/// What the read model remembers of a ticket beyond the rules' own state, while a record is applied.
struct Marks {
    created_at: Timestamp,
    first_response_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    description_revision: u64,
    edited: bool,
}

impl Marks {
    fn of(known: Option<&Known>, header: &Header) -> Self {
        Self {
            created_at: known.map_or(header.occurred_at, |known| known.created_at),
            first_response_at: known.and_then(|known| known.first_response_at),
            closed_at: known.and_then(|known| known.closed_at),
            description_revision: known.map_or(0, |known| known.description_revision),
            edited: known.is_some_and(|known| known.edited),
        }
    }
}

/// What of a ticket's head is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    WithDescription,
    SubjectAlone,
}

fn new_head(event: &Event) -> Option<Head> {
    match event {
        Event::Created(_) => Some(Head::WithDescription),
        Event::Edited(changes) => match (changes.description.value(), changes.subject.value()) {
            (Some(_), _) => Some(Head::WithDescription),
            (None, Some(_)) => Some(Head::SubjectAlone),
            (None, None) => None,
        },
        Event::Accepted { .. }
        | Event::InformationRequested { .. }
        | Event::InformationProvided { .. }
        | Event::FixAwaited { .. }
        | Event::ImplementationAwaited { .. }
        | Event::WorkResumed { .. }
        | Event::ClosureProposed { .. }
        | Event::ClosureDeclined { .. }
        | Event::Closed { .. }
        | Event::Reopened { .. }
        | Event::Rated { .. }
        | Event::Commented { .. }
        | Event::Classified(_)
        | Event::Assigned(_)
        | Event::Followed { .. }
        | Event::Unfollowed { .. }
        | Event::ProjectChanged { .. }
        | Event::InformationWaitExpired { .. }
        | Event::ClosureWaitExpired
        | Event::Sla(_) => None,
    }
}

/// Whether an event of staff's says something to the requester first: a question, a solution, or any other words that
/// the requester can read. Giving information and declining a proposal answer what was said before.
fn is_answer(event: &Event) -> bool {
    event.is_said() && !matches!(event, Event::InformationProvided { .. } | Event::ClosureDeclined { .. })
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn timer(id: Uuid, partition: i32, ticket: &Known) -> Option<TimerRow> {
    let kind = ticket.wait_kind()?;
    let wait = ticket.state.wait.as_ref()?;
    Some(TimerRow {
        ticket_id: id,
        partition,
        kind: kind.as_str(),
        number: wait.number.cast_signed(),
        due_at: wait.due_at.to_sqlx(),
    })
}

/// Days are those of UTC: the desk's people and customers live in many zones.
fn day(at: Timestamp) -> Date {
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
        ("project", or_nobody(state.project.map(ProjectId::as_uuid))),
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
