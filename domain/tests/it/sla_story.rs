//! A ticket with its clocks, told step by step. Times are those of the wall clock in Berlin.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::actor::Actor;
use domain::calendar::{Calendar, CalendarSpec, Interval, Week};
use domain::catalogue::Catalogue;
use domain::ids::Revision;
use domain::policy::{WaitLength, WaitPolicy};
use domain::sla::{
    Book, ClockId, ClockState, Clocks, Counting, Desk, Edition, Explanation, Happened, PartKind, PauseReason, Promised,
    Recorded, SlaCalendar, SlaEvent, SlaPolicy, SlaPolicySpec, Step, Target, TargetKind, Undecided, decide,
    re_evaluate,
};
use domain::testing::{NoProfiles, agent, body, create, customer};
use domain::text::Code;
use domain::ticket::{
    Accept, AddComment, Change, Classify, Close, Command, Context, Event, ProposeClosure, ProvideInfo, Rejection,
    Reopen, RequestInfo, Status, Ticket, TicketState, Visibility,
};
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

pub(crate) const FIRST: TargetKind = TargetKind::FirstResponse;
pub(crate) const NEXT: TargetKind = TargetKind::NextResponse;
pub(crate) const SOLVED: TargetKind = TargetKind::Resolution;

pub(crate) fn berlin() -> TimeZone {
    TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap()
}

pub(crate) fn at(local: &str) -> Timestamp {
    berlin().to_timestamp(local.parse::<DateTime>().unwrap()).unwrap()
}

pub(crate) fn shows(instant: Timestamp) -> String {
    berlin().to_datetime(instant).to_string()
}

pub(crate) fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

pub(crate) fn working(hours: i64) -> WaitLength {
    WaitLength::Working(SignedDuration::from_hours(hours))
}

pub(crate) fn by_the_clock(hours: i64) -> WaitLength {
    WaitLength::Elapsed(SignedDuration::from_hours(hours))
}

pub(crate) fn clock(target: TargetKind, number: u32) -> ClockId {
    ClockId { target, number }
}

/// Version 1 of the calendar `desk`.
pub(crate) fn calendar(spec: CalendarSpec) -> SlaCalendar {
    calendar_version(spec, 1)
}

pub(crate) fn calendar_version(spec: CalendarSpec, version: u32) -> SlaCalendar {
    SlaCalendar {
        edition: Edition::new("desk", version),
        calendar: Calendar::try_new(spec).unwrap(),
    }
}

pub(crate) fn weekly(week: Week) -> SlaCalendar {
    calendar(CalendarSpec::weekly("Desk", "Europe/Berlin", week))
}

/// Monday to Friday.
pub(crate) fn office(start: u32, end: u32) -> SlaCalendar {
    weekly(Week::monday_to_friday(&[Interval::hours(start, end)]))
}

/// Monday to Friday from 9 to 17 with holidays: version 2.
pub(crate) fn office_closed_on(holidays: &[&str]) -> SlaCalendar {
    let week = Week::monday_to_friday(&[Interval::hours(9, 17)]);
    let holidays: BTreeSet<_> = holidays.iter().map(|date| date.parse().unwrap()).collect();
    let spec = CalendarSpec {
        holidays,
        ..CalendarSpec::weekly("Desk", "Europe/Berlin", week)
    };
    calendar_version(spec, 2)
}

pub(crate) fn always() -> SlaCalendar {
    weekly(Week::round_the_clock())
}

/// A policy `std` for every ticket, by the calendar `desk`.
pub(crate) fn promising(targets: impl IntoIterator<Item = (TargetKind, Target)>) -> SlaPolicySpec {
    SlaPolicySpec {
        targets: targets.into_iter().collect(),
        ..SlaPolicySpec::new("std", "desk")
    }
}

/// A promise of a solution that does not count while the requester's side has the next move.
pub(crate) fn solution(within: WaitLength) -> Target {
    Target::new(within).paused_in([Status::WaitingForInfo, Status::WaitingForClosure])
}

pub(crate) fn policy(spec: SlaPolicySpec, calendar: SlaCalendar) -> SlaPolicy {
    SlaPolicy::try_new(spec, 1, calendar).unwrap()
}

pub(crate) fn book(policies: impl IntoIterator<Item = SlaPolicy>) -> Book {
    Book::try_new(policies.into_iter().collect()).unwrap()
}

/// A policy for tickets of one priority.
pub(crate) fn for_priority(priority: &str, id: &str, spec: SlaPolicySpec) -> SlaPolicySpec {
    let mut spec = spec;
    spec.id = Code::new(id);
    spec.scope.priority = Some(Code::new(priority));
    spec
}

pub(crate) fn accept() -> Command {
    Command::Accept(Accept { assignee: None })
}

pub(crate) fn says(visibility: Visibility) -> Command {
    Command::Comment(AddComment {
        body: body("words"),
        visibility,
    })
}

pub(crate) fn question() -> Command {
    Command::RequestInfo(RequestInfo {
        comment: body("which?"),
    })
}

pub(crate) fn answer() -> Command {
    Command::ProvideInfo(ProvideInfo { comment: body("this") })
}

pub(crate) fn proposal() -> Command {
    Command::ProposeClosure(ProposeClosure { solution: body("F5") })
}

pub(crate) fn close() -> Command {
    Command::Close(Close {
        comment: None,
        reason: None,
    })
}

pub(crate) fn close_because() -> Command {
    Command::Close(Close {
        comment: None,
        reason: Some(body("a duplicate")),
    })
}

pub(crate) fn reopen() -> Command {
    Command::Reopen(Reopen { comment: body("no") })
}

pub(crate) fn prioritise(code: &str) -> Command {
    let priority = Catalogue::default().priority(code).unwrap().clone();
    Command::Classify(Box::new(Classify {
        priority: Change::Set(priority),
        ..Classify::default()
    }))
}

/// A ticket, its clocks and all that was recorded.
pub(crate) struct Story {
    pub(crate) ticket: Ticket,
    pub(crate) clocks: Clocks,
    pub(crate) history: Vec<Recorded>,
    pub(crate) book: Book,
    pub(crate) now: Timestamp,
    /// Whether the requester's words put a waiting ticket back into work.
    pub(crate) waits: WaitPolicy,
}

impl Story {
    pub(crate) fn new(book: Book, now: Timestamp) -> Self {
        Self {
            ticket: Ticket::Absent,
            clocks: Clocks::default(),
            history: Vec::new(),
            book,
            now,
            waits: WaitPolicy::cabinet(),
        }
    }

    /// The sample ticket, of medium priority, opened by its requester.
    pub(crate) fn opened(book: Book, local: &str) -> Self {
        let mut story = Self::new(book, at(local));
        story.tell(&customer(), &create()).unwrap();
        story
    }

    pub(crate) fn at(&mut self, local: &str) -> &mut Self {
        self.now = at(local);
        self
    }

    pub(crate) fn staff(&mut self, command: &Command) -> &mut Self {
        self.tell(&agent(), command).unwrap();
        self
    }

    pub(crate) fn requester(&mut self, command: &Command) -> &mut Self {
        self.tell(&customer(), command).unwrap();
        self
    }

    /// Gives a command and records what comes of it.
    pub(crate) fn tell(&mut self, actor: &Actor, command: &Command) -> Result<(), Rejection> {
        let ctx = Context {
            actor,
            now: self.now,
            occurred_at: None,
            honour_deadlines: false,
            policy: &self.waits,
        };
        let mut promised = Promised {
            ticket: self.ticket.clone(),
            clocks: self.clocks.clone(),
            revision: Revision(u64::try_from(self.history.len()).unwrap()),
        };
        let desk = Desk {
            book: &self.book,
            catalogue: &Catalogue::default(),
            profiles: &NoProfiles,
        };
        let revision = self.next_revision();
        let decision = match decide(&promised, revision, command, &ctx, &desk) {
            Ok(decision) => decision,
            Err(Undecided::Rejected(rejection)) => return Err(rejection),
            Err(Undecided::UnknownPin(unknown)) => panic!("{unknown}"),
        };
        if decision.events.is_empty() {
            return Ok(());
        }
        promised.evolve(&Happened {
            revision,
            occurred_at: decision.occurred_at,
            actor,
            events: &decision.events,
        });
        (self.ticket, self.clocks) = (promised.ticket, promised.clocks);
        let (of_clocks, events): (Vec<Event>, Vec<Event>) =
            decision.events.into_iter().partition(|event| event.sla().is_some());
        self.history.push(Recorded {
            revision,
            occurred_at: decision.occurred_at,
            actor: actor.clone(),
            events,
            sla_events: of_clocks.iter().filter_map(Event::sla).cloned().collect(),
        });
        Ok(())
    }

    /// Lets the scheduler fire what is overdue, one timer after the other; says what time has done.
    pub(crate) fn scheduler(&mut self) -> Vec<SlaEvent> {
        let recorded = self.history.len();
        while let Some(timer) = self.clocks.timers().first().filter(|timer| timer.at < self.now) {
            let timer = *timer;
            let before = self.history.len();
            self.tell(&Actor::system(), &Command::FireTimer(timer)).unwrap();
            let last = self.history.last().unwrap();
            assert_eq!((self.history.len(), last.occurred_at), (before + 1, timer.at));
        }
        let made = self.history.iter().skip(recorded);
        let by_time = |event: &&SlaEvent| matches!(event, SlaEvent::Warned { .. } | SlaEvent::Breached { .. });
        made.flat_map(|recorded| &recorded.sla_events)
            .filter(by_time)
            .cloned()
            .collect()
    }

    /// Shows what a re-evaluation would change.
    pub(crate) fn preview(&self, counting: Counting) -> Vec<SlaEvent> {
        let (actor, ticket) = (agent(), self.state());
        let step = self.step(&actor, self.now, ticket);
        re_evaluate(&self.clocks, &step, &self.book, counting).unwrap()
    }

    /// Re-evaluates; says what changed.
    pub(crate) fn re_evaluate(&mut self, counting: Counting) -> Vec<SlaEvent> {
        let events = self.preview(counting);
        self.record(&agent(), self.now, events.clone());
        events
    }

    fn record(&mut self, actor: &Actor, occurred_at: Timestamp, sla_events: Vec<SlaEvent>) {
        let ticket = self.state().clone();
        let step = self.step(actor, occurred_at, &ticket);
        let revision = step.revision;
        let mut clocks = self.clocks.clone();
        clocks.apply(&step, &sla_events);
        self.clocks = clocks;
        self.history.push(Recorded {
            revision,
            occurred_at,
            actor: actor.clone(),
            events: Vec::new(),
            sla_events,
        });
    }

    fn step<'s>(&self, actor: &'s Actor, occurred_at: Timestamp, ticket: &'s TicketState) -> Step<'s> {
        Step {
            revision: self.next_revision(),
            occurred_at,
            actor,
            events: &[],
            before: Some(ticket),
            after: ticket,
        }
    }

    fn next_revision(&self) -> Revision {
        Revision(self.history.len() as u64 + 1)
    }

    pub(crate) fn state(&self) -> &TicketState {
        self.ticket.state().unwrap()
    }

    /// The latest clock of a target, explained now.
    #[track_caller]
    pub(crate) fn explain(&self, target: TargetKind) -> Explanation {
        let all = self.clocks.explain(self.now, &self.book).unwrap();
        let last = all
            .into_iter()
            .rev()
            .find(|explanation| explanation.clock.target == target);
        last.expect("the target has a clock")
    }

    /// The latest clock of a target stands so now.
    #[track_caller]
    pub(crate) fn stands(&mut self, target: TargetKind, state: ClockState) -> &mut Self {
        assert_eq!(self.explain(target).state, state, "{target:?} at {}", shows(self.now));
        self
    }

    /// The latest clock of a target is due then.
    #[track_caller]
    pub(crate) fn due(&mut self, target: TargetKind, expected: &str) -> &mut Self {
        let due = self.explain(target).due_at.expect("it is due some time");
        assert_eq!(shows(due), format!("{expected}:00"), "{target:?}");
        assert_eq!(due, at(expected));
        self
    }

    /// So many minutes have elapsed on the latest clock of a target.
    #[track_caller]
    pub(crate) fn elapsed(&mut self, target: TargetKind, expected: i64) -> &mut Self {
        assert_eq!(self.explain(target).elapsed, minutes(expected), "{target:?}");
        self
    }

    #[track_caller]
    pub(crate) fn has_no(&mut self, target: TargetKind) -> &mut Self {
        assert_eq!(self.clocks.last(target), None);
        self
    }

    /// The parts of the latest clock of a target: until when, and what.
    #[track_caller]
    pub(crate) fn parts(&mut self, target: TargetKind, expected: &[(&str, &str)]) -> &mut Self {
        let parts = self.explain(target).parts;
        let told: Vec<(String, String)> = parts.iter().map(|part| (shows(part.to), in_words(part.kind))).collect();
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(to, kind)| (format!("{to}:00"), (*kind).to_owned()))
            .collect();
        assert_eq!(told, expected);
        self
    }

    /// Names of the clock events of the last record.
    pub(crate) fn last_names(&self) -> Vec<&'static str> {
        let last = self.history.last().unwrap();
        last.sla_events.iter().map(SlaEvent::name).collect()
    }
}

fn in_words(kind: PartKind) -> String {
    match kind {
        PartKind::Running | PartKind::OutsideHours => kind.as_str().to_owned(),
        PartKind::Paused {
            by,
            reason: PauseReason::Status(status),
        } => format!("paused by {by}: {}", status.as_str()),
        PartKind::Paused {
            by,
            reason: PauseReason::Withdrawn,
        } => format!("paused by {by}: withdrawn"),
        PartKind::Holiday(date) | PartKind::Closure(date) => format!("{} {date}", kind.as_str()),
    }
}
