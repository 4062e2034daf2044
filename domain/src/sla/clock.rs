//! One promise that was given, and what has become of it.

use jiff::{SignedDuration, Timestamp};

use super::book::{Book, UnknownPin};
use super::clocks::{Timer, TimerKind};
use super::event::{Cancellation, ClockId, Counting, Marks, ReEvaluation, SlaEvent};
use super::policy::Pin;
use crate::ids::Revision;
use crate::policy::WaitLength;
use crate::ticket::Status;

/// By what a clock counts, from some instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Since when.
    pub from: Timestamp,
    /// The versions of policy and calendar.
    pub pin: Pin,
    /// The time allowed.
    pub within: WaitLength,
}

/// Time in which a clock stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// The first instant of it.
    pub from: Timestamp,
    /// The first instant after; `None`: it lasts.
    pub to: Option<Timestamp>,
    /// The record that began it.
    pub by: Revision,
    /// Why.
    pub reason: PauseReason,
}

/// Why a clock stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PauseReason {
    /// The ticket was in this status.
    Status(Status),
    /// No policy promised it meanwhile.
    Withdrawn,
}

/// The end of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// The record that ended it.
    pub by: Revision,
    /// Why without its target; `None`: the desk did what it had promised, in time or late.
    pub cancelled: Option<Cancellation>,
}

/// One promise that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Which.
    pub id: ClockId,
    /// When it began to run.
    pub started_at: Timestamp,
    /// The record that began it.
    pub started_by: Revision,
    /// By what it counted before, in order.
    pub earlier: Vec<Terms>,
    /// By what it counts now.
    pub terms: Terms,
    /// When it stood still, in order.
    pub pauses: Vec<Pause>,
    /// When it warns and is due.
    pub marks: Marks,
    /// When it warned last.
    pub warned_at: Option<Timestamp>,
    /// When its time was over. Nothing undoes that.
    pub breached_at: Option<Timestamp>,
    /// Its end, unless it still runs or stands still.
    pub ended: Option<Ended>,
}

/// A stretch of a clock's life under one set of terms, running or paused throughout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'c> {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) terms: &'c Terms,
    pub(super) pause: Option<&'c Pause>,
}

impl Clock {
    /// The clock that an event of a record at `at` starts, if it starts one.
    pub fn start(event: &SlaEvent, at: Timestamp, by: Revision) -> Option<Self> {
        let SlaEvent::Started {
            clock,
            pin,
            within,
            marks,
        } = event
        else {
            return None;
        };
        Some(Self {
            id: *clock,
            started_at: at,
            started_by: by,
            earlier: Vec::new(),
            terms: Terms {
                from: at,
                pin: pin.clone(),
                within: *within,
            },
            pauses: Vec::new(),
            marks: *marks,
            warned_at: None,
            breached_at: None,
            ended: None,
        })
    }

    /// What happens to it next if nobody does anything: its warning, and its breach.
    pub fn timers(&self) -> impl Iterator<Item = Timer> {
        let waits = self.is_open() && self.breached_at.is_none();
        let timer = |kind, at: Option<Timestamp>| {
            let clock = self.id;
            at.filter(|_| waits).map(|at| Timer { at, kind, clock })
        };
        let timers = [
            timer(TimerKind::Warning, self.marks.warn_at),
            timer(TimerKind::Breach, self.marks.due_at),
        ];
        timers.into_iter().flatten()
    }

    /// Whether it runs or stands still.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// The pause that lasts.
    pub fn pause(&self) -> Option<&Pause> {
        self.pauses.last().filter(|pause| pause.to.is_none())
    }

    /// How much of the promised time had elapsed at an instant: what lay between its start and
    /// then, less its pauses, as far as its calendar counts it.
    ///
    /// Looks at every day in between.
    pub fn elapsed(&self, at: Timestamp, book: &Book) -> Result<SignedDuration, UnknownPin> {
        let mut sum = SignedDuration::ZERO;
        for piece in self.pieces(at).into_iter().filter(|piece| piece.pause.is_none()) {
            let policy = book.pinned(&piece.terms.pin)?;
            sum = sum.saturating_add(policy.measure(piece.terms.within, piece.from, piece.to));
        }
        Ok(sum)
    }

    /// The clock's life up to an instant or its end, without a gap.
    pub(super) fn pieces(&self, until: Timestamp) -> Vec<Piece<'_>> {
        let until = self.ended.map_or(until, |ended| ended.at.min(until));
        let all: Vec<&Terms> = self.earlier.iter().chain([&self.terms]).collect();
        let ends = all.iter().skip(1).map(|terms| terms.from.min(until)).chain([until]);
        let mut pieces = Vec::new();
        for (terms, end) in all.iter().copied().zip(ends) {
            let mut at = terms.from;
            let piece = |from, to, pause| Piece { from, to, terms, pause };
            for pause in &self.pauses {
                let from = pause.from.max(at);
                let to = pause.to.unwrap_or(until).min(end);
                if from >= to {
                    continue;
                }
                if at < from {
                    pieces.push(piece(at, from, None));
                }
                pieces.push(piece(from, to, Some(pause)));
                at = to;
            }
            if at < end {
                pieces.push(piece(at, end, None));
            }
        }
        pieces
    }

    /// Applies what a record at `at` says of this clock. Total: never fails, never panics.
    ///
    /// `at` is when the record happened to the ticket's clocks: not before any record that was there before it.
    pub fn evolve(&mut self, event: &SlaEvent, at: Timestamp, by: Revision) {
        match event {
            SlaEvent::Started { .. } | SlaEvent::NoticeDue { .. } => {}
            SlaEvent::Paused { status, .. } => {
                self.end_pause(at);
                self.pauses.push(Pause {
                    from: at,
                    to: None,
                    by,
                    reason: PauseReason::Status(*status),
                });
                // What was reached already no pause can put off.
                let reached = |mark: &Timestamp| *mark <= at;
                self.marks = Marks {
                    warn_at: self.marks.warn_at.filter(reached),
                    due_at: self.marks.due_at.filter(reached),
                };
            }
            SlaEvent::Resumed { marks, .. } => {
                self.end_pause(at);
                self.open_again(at, PauseReason::Status(Status::Closed));
                self.marks = *marks;
            }
            SlaEvent::Fulfilled { .. } => self.end(at, by, None),
            SlaEvent::Cancelled { why, .. } => self.end(at, by, Some(*why)),
            SlaEvent::Warned { at, .. } => {
                self.warned_at = Some(*at);
                self.marks.warn_at = None;
            }
            SlaEvent::Breached { at, .. } => self.breached_at = Some(*at),
            SlaEvent::ReEvaluated(re_evaluation) => self.re_evaluated(re_evaluation, at),
        }
    }

    fn re_evaluated(&mut self, event: &ReEvaluation, at: Timestamp) {
        self.open_again(at, PauseReason::Withdrawn);
        self.put_under(event.counting, at, event.to.clone(), event.within);
        self.marks = event.marks;
    }

    /// Puts the clock under other terms.
    pub(super) fn put_under(&mut self, counting: Counting, at: Timestamp, pin: Pin, within: WaitLength) {
        let from = match counting {
            Counting::Kept => at,
            Counting::Afresh => self.started_at,
        };
        let before = std::mem::replace(&mut self.terms, Terms { from, pin, within });
        match counting {
            Counting::Kept => self.earlier.push(before),
            Counting::Afresh => self.earlier.clear(),
        }
    }

    /// The time since its end becomes a pause of the clock.
    pub(super) fn open_again(&mut self, at: Timestamp, reason: PauseReason) {
        if let Some(ended) = self.ended.take() {
            self.pauses.push(Pause {
                from: ended.at,
                to: Some(at),
                by: ended.by,
                reason,
            });
        }
    }

    fn end(&mut self, at: Timestamp, by: Revision, cancelled: Option<Cancellation>) {
        self.end_pause(at);
        self.ended = Some(Ended { at, by, cancelled });
    }

    fn end_pause(&mut self, at: Timestamp) {
        if let Some(pause) = self.pauses.last_mut()
            && pause.to.is_none()
        {
            pause.to = Some(at);
        }
    }
}
