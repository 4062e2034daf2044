//! What a step of a ticket makes of its clocks.

use jiff::{SignedDuration, Timestamp};

use super::book::{Book, Matter, UnknownPin};
use super::breach::BreachAction;
use super::clock::{Clock, PauseReason};
use super::clocks::{Clocks, just_after};
use super::event::{Cancellation, ClockId, Counting, Marks, SlaEvent, Why};
use super::policy::{SlaPolicy, Target, TargetKind};
use super::talk::{Talk, staff_spoke};
use crate::actor::{Actor, ActorKind};
use crate::ids::Revision;
use crate::policy::WaitLength;
use crate::ticket::{Event, TicketState};

/// One record of a ticket: what happened in it, and the ticket before and after.
#[derive(Debug, Clone, Copy)]
pub struct Step<'s> {
    /// Which record of the ticket it is.
    pub revision: Revision,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Whose doing it was.
    pub actor: &'s Actor,
    /// What happened. A record of clocks alone has none.
    pub events: &'s [Event],
    /// The ticket before; `None`: it was created.
    pub before: Option<&'s TicketState>,
    /// The ticket after.
    pub after: &'s TicketState,
}

impl Step<'_> {
    /// Whether time alone made it: the record of a timer, which is made once the timer's instant is over and says that
    /// it happened at that instant.
    fn is_of_a_timer(&self) -> bool {
        let expiry = |event: &Event| matches!(event, Event::InformationWaitExpired { .. } | Event::ClosureWaitExpired);
        self.actor.kind == ActorKind::System && !self.events.iter().any(expiry)
    }
}

/// What a step makes of the ticket's clocks. The facts belong into the record of the step itself.
///
/// What was overdue by then comes first: whoever acts before the scheduler has recorded a breach
/// records it along.
pub fn follow(clocks: &Clocks, step: &Step<'_>, book: &Book) -> Result<Vec<SlaEvent>, UnknownPin> {
    let mut draft = Draft::new(clocks, step, book);
    draft.overdue()?;
    draft.end_what_is_done();
    draft.reopen()?;
    draft.start_what_is_owed();
    match step.before {
        None => draft.start_what_is_wanted(),
        Some(before) => draft.follow_changes(before)?,
    }
    draft.follow_status()?;
    Ok(draft.events)
}

/// Clocks in the middle of a step.
pub(super) struct Draft<'d> {
    pub(super) clocks: Clocks,
    pub(super) step: &'d Step<'d>,
    pub(super) book: &'d Book,
    pub(super) at: Timestamp,
    /// Where the conversation stands after the step.
    pub(super) talk: Talk,
    pub(super) events: Vec<SlaEvent>,
}

impl<'d> Draft<'d> {
    pub(super) fn new(clocks: &Clocks, step: &'d Step<'d>, book: &'d Book) -> Self {
        let at = clocks.at(step.occurred_at);
        Self {
            clocks: clocks.clone(),
            step,
            book,
            at,
            talk: clocks.talk().after(step, at),
            events: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, event: SlaEvent) {
        self.clocks.evolve(&event, self.at, self.step.revision);
        self.events.push(event);
    }

    /// What time has done by then. Whoever acts at a due instant is in time.
    pub(super) fn overdue(&mut self) -> Result<(), UnknownPin> {
        let by = if self.step.is_of_a_timer() {
            just_after(self.at)
        } else {
            self.at
        };
        for event in self.clocks.overdue(by) {
            let breach = if let SlaEvent::Breached { clock, at } = event {
                Some((clock, at))
            } else {
                None
            };
            self.push(event);
            if let Some((clock, at)) = breach {
                self.give_notice(clock, at)?;
            }
        }
        Ok(())
    }

    /// Says whom the policy wants to be told of a breach, and when.
    fn give_notice(&mut self, clock: ClockId, breached_at: Timestamp) -> Result<(), UnknownPin> {
        let Some(breached) = self.clocks.get(clock) else {
            return Ok(());
        };
        let policy = self.book.pinned(&breached.terms.pin)?;
        let actions = policy.target(clock.target).map_or(&[][..], |target| &target.on_breach);
        for action in actions {
            if let BreachAction::Notify(whom, delivery) = action {
                let at = policy.deliver_at(*delivery, breached_at);
                self.push(SlaEvent::NoticeDue { clock, whom: *whom, at });
            }
        }
        Ok(())
    }

    /// The policy that today's book has for the ticket as it is now.
    pub(super) fn policy(&self) -> Option<&'d SlaPolicy> {
        self.book.in_force(&Matter::from(self.step.after))
    }

    /// Whether the ticket has something for that clock to measure.
    pub(super) fn is_wanted(&self, target: TargetKind) -> bool {
        let open = self.step.after.status.is_open();
        match target {
            TargetKind::FirstResponse => open && self.talk == Talk::Unanswered,
            TargetKind::NextResponse => open && matches!(self.talk, Talk::Owed { .. }),
            TargetKind::Resolution => open,
        }
    }

    /// Ends the open clocks that have nothing to measure any more. Words of staff fulfil a
    /// response, and closing fulfils the resolution; a ticket that is solved or closed without
    /// words owes no response.
    fn end_what_is_done(&mut self) {
        let spoke = staff_spoke(self.step);
        for target in TargetKind::ALL {
            let Some(clock) = self.clocks.open(target) else {
                continue;
            };
            if self.is_wanted(target) {
                continue;
            }
            let clock = clock.id;
            self.push(if target == TargetKind::Resolution || spoke {
                SlaEvent::Fulfilled { clock }
            } else {
                let why = Cancellation::Resolved;
                SlaEvent::Cancelled { clock, why }
            });
        }
    }

    /// A ticket that is opened again is still to be solved, with the time that had elapsed.
    fn reopen(&mut self) -> Result<(), UnknownPin> {
        let was_closed = self.step.before.is_some_and(|before| !before.status.is_open());
        if !was_closed {
            return Ok(());
        }
        for target in [TargetKind::FirstResponse, TargetKind::Resolution] {
            let Some(clock) = self.clocks.last(target) else {
                continue;
            };
            let by_closing = clock
                .ended
                .is_some_and(|ended| ended.cancelled != Some(Cancellation::Withdrawn));
            if by_closing && self.is_wanted(target) {
                let (clock, marks) = (clock.id, self.marks_of_going_on(clock)?);
                self.push(SlaEvent::Resumed { clock, marks });
            }
        }
        Ok(())
    }

    fn start_what_is_owed(&mut self) {
        let owed_before = matches!(self.clocks.talk(), Talk::Owed { .. });
        if !owed_before && self.is_wanted(TargetKind::NextResponse) {
            self.start(TargetKind::NextResponse);
        }
    }

    /// Starts what the policy promises and no clock measures.
    pub(super) fn start_what_is_wanted(&mut self) {
        for target in TargetKind::ALL {
            if self.is_wanted(target) && self.clocks.open(target).is_none() {
                self.start(target);
            }
        }
    }

    fn follow_changes(&mut self, before: &TicketState) -> Result<(), UnknownPin> {
        let id = |policy: Option<&'d SlaPolicy>| policy.map(|policy| &policy.spec().id);
        // A change that leads to the same policy changes nothing, even if that was edited meanwhile.
        if id(self.book.in_force(&Matter::from(before))) == id(self.policy()) {
            return Ok(());
        }
        self.re_evaluate(Why::TicketChanged, Counting::Kept)
    }

    /// Pauses and resumes what the ticket's status says.
    pub(super) fn follow_status(&mut self) -> Result<(), UnknownPin> {
        let status = self.step.after.status;
        for target in TargetKind::ALL {
            let Some(clock) = self.clocks.open(target) else {
                continue;
            };
            let policy = self.book.pinned(&clock.terms.pin)?;
            let pauses = policy
                .target(target)
                .is_some_and(|target| target.paused_in.contains(&status));
            let id = clock.id;
            match (pauses, clock.pause().map(|pause| pause.reason)) {
                (true, reason) if reason != Some(PauseReason::Status(status)) => {
                    self.push(SlaEvent::Paused { clock: id, status });
                }
                (false, Some(_)) => {
                    let marks = self.marks_of_going_on(clock)?;
                    self.push(SlaEvent::Resumed { clock: id, marks });
                }
                (true, _) | (false, None) => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, target: TargetKind) {
        let Some(policy) = self.policy() else { return };
        let Some(promise) = policy.target(target) else { return };
        let number = self.clocks.last(target).map_or(0, |last| last.id.number);
        let clock = ClockId {
            target,
            number: number.saturating_add(1),
        };
        let so_far = SoFar {
            elapsed: SignedDuration::ZERO,
            warned: false,
            runs: true,
            reached: Marks::default(),
        };
        self.push(SlaEvent::Started {
            clock,
            pin: policy.pin().clone(),
            within: promise.within,
            marks: marks(policy, target, promise.within, self.at, &so_far),
        });
    }

    /// When a clock that stood still will warn and be due if it goes on now.
    fn marks_of_going_on(&self, clock: &Clock) -> Result<Marks, UnknownPin> {
        let policy = self.book.pinned(&clock.terms.pin)?;
        // What was met with the last of its time is not breached in hindsight when it is reopened.
        let reached = if clock.is_open() || clock.breached_at.is_some() {
            clock.marks
        } else {
            Marks::default()
        };
        let so_far = SoFar {
            elapsed: clock.elapsed(self.at, self.book)?,
            warned: clock.warned_at.is_some() || clock.breached_at.is_some(),
            runs: true,
            reached,
        };
        Ok(marks(policy, clock.id.target, clock.terms.within, self.at, &so_far))
    }
}

/// What a clock's marks depend on besides its terms.
pub(super) struct SoFar {
    pub(super) elapsed: SignedDuration,
    /// Whether a warning that is due already was given.
    pub(super) warned: bool,
    /// Whether time elapses from now on.
    pub(super) runs: bool,
    /// When marks that are behind were reached; without it, now.
    pub(super) reached: Marks,
}

/// When a clock warns and is due, seen at `at`.
pub(super) fn marks(
    policy: &SlaPolicy,
    target: TargetKind,
    within: WaitLength,
    at: Timestamp,
    so_far: &SoFar,
) -> Marks {
    let mark = |after: SignedDuration, reached: Option<Timestamp>| {
        let left = after.saturating_sub(so_far.elapsed);
        if left <= SignedDuration::ZERO {
            Some(reached.unwrap_or(at))
        } else if so_far.runs {
            Some(policy.due(within, at, left))
        } else {
            None
        }
    };
    let warn_after = policy.target(target).and_then(Target::warn_after);
    let warn_again = |after: &SignedDuration| *after > so_far.elapsed || !so_far.warned;
    Marks {
        warn_at: warn_after
            .filter(warn_again)
            .and_then(|after| mark(after, so_far.reached.warn_at)),
        due_at: mark(within.duration(), so_far.reached.due_at),
    }
}
