//! Clocks under other policies or versions than those that they started by.

use jiff::Timestamp;

use super::book::{Book, UnknownPin};
use super::clock::{Clock, PauseReason};
use super::clocks::Clocks;
use super::event::{Cancellation, ClockId, Counting, Marks, ReEvaluation, SlaEvent, Why};
use super::follow::{Draft, SoFar, Step, marks};
use super::policy::{Pin, SlaPolicy, Target, TargetKind};
use super::talk::Talk;
use crate::policy::WaitLength;

/// Puts a ticket's clocks under the policies and calendars that are in force now, because somebody
/// asked. The same answer is the preview and, recorded, the change itself; none: nothing changes.
///
/// What ended or was breached stays. `step` has no events; what was overdue by then comes first.
pub fn re_evaluate(
    clocks: &Clocks,
    step: &Step<'_>,
    book: &Book,
    counting: Counting,
) -> Result<Vec<SlaEvent>, UnknownPin> {
    let mut draft = Draft::new(clocks, step, book);
    draft.overdue()?;
    draft.re_evaluate(Why::Asked, counting)?;
    draft.follow_status()?;
    Ok(draft.events)
}

impl Draft<'_> {
    pub(super) fn re_evaluate(&mut self, why: Why, counting: Counting) -> Result<(), UnknownPin> {
        let policy = self.policy();
        for target in TargetKind::ALL {
            let Some(clock) = self.clocks.open(target) else {
                continue;
            };
            if clock.breached_at.is_some() || !concerns(clock, policy, why, counting) {
                continue;
            }
            let event = match policy.and_then(|policy| Some((policy, policy.target(target)?))) {
                Some((policy, promise)) => self.under(clock, policy, promise, why, counting)?,
                None => SlaEvent::Cancelled {
                    clock: clock.id,
                    why: Cancellation::Withdrawn,
                },
            };
            self.push(event);
        }
        if let Some(policy) = policy {
            self.revive(policy, why, counting)?;
        }
        // Nothing had been promised of these, so nothing has elapsed.
        self.start_what_is_wanted();
        Ok(())
    }

    /// What was promised, then not, and is again goes on with the time that had elapsed.
    fn revive(&mut self, policy: &SlaPolicy, why: Why, counting: Counting) -> Result<(), UnknownPin> {
        for target in TargetKind::ALL {
            let Some(promise) = policy.target(target) else { continue };
            let Some(clock) = self.clocks.last(target) else {
                continue;
            };
            if self.is_wanted(target) && self.is_withdrawn(clock) {
                let event = self.under(clock, policy, promise, why, counting)?;
                self.push(event);
            }
        }
        Ok(())
    }

    /// Whether the clock still measures what the ticket wants, and was only withdrawn.
    fn is_withdrawn(&self, clock: &Clock) -> bool {
        let Some(ended) = clock.ended else { return false };
        let same_wish = match self.talk {
            Talk::Owed { since } if clock.id.target == TargetKind::NextResponse => since <= ended.at,
            Talk::Owed { .. } | Talk::Unanswered | Talk::Answered => true,
        };
        ended.cancelled == Some(Cancellation::Withdrawn) && same_wish
    }

    fn under(
        &self,
        clock: &Clock,
        policy: &SlaPolicy,
        promise: &Target,
        why: Why,
        counting: Counting,
    ) -> Result<SlaEvent, UnknownPin> {
        let status = self.step.after.status;
        let mut then = clock.clone();
        then.open_again(self.at, PauseReason::Withdrawn);
        then.put_under(counting, self.at, policy.pin().clone(), promise.within);
        let so_far = SoFar {
            elapsed: then.elapsed(self.at, self.book)?,
            warned: clock.warned_at.is_some(),
            runs: !promise.paused_in.contains(&status),
            reached: Marks::default(),
        };
        Ok(SlaEvent::ReEvaluated(Box::new(ReEvaluation {
            clock: clock.id,
            why,
            counting,
            from: clock.terms.pin.clone(),
            to: policy.pin().clone(),
            within: promise.within,
            before: clock.marks,
            marks: marks(policy, clock.id.target, promise.within, self.at, &so_far),
        })))
    }
}

/// Whether a re-evaluation changes anything for a running clock.
fn concerns(clock: &Clock, policy: Option<&SlaPolicy>, why: Why, counting: Counting) -> bool {
    let Some(policy) = policy else { return true };
    let pin = &clock.terms.pin;
    match why {
        // Only whoever asks changes the version of a policy that goes on to apply.
        Why::TicketChanged => pin.policy.id != policy.spec().id,
        Why::Asked => pin != policy.pin() || (counting == Counting::Afresh && !clock.earlier.is_empty()),
    }
}

/// By what an open clock runs, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The versions of policy and calendar.
    pub pin: Pin,
    /// The time allowed.
    pub within: WaitLength,
    /// When it is due if it goes on as it does; none while it stands still with time left.
    pub due_at: Option<Timestamp>,
}

/// What became of a clock by a re-evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Which clock.
    pub clock: ClockId,
    /// How it ran before; `None`: it did not.
    pub from: Option<Running>,
    /// How it runs now; `None`: it does not.
    pub to: Option<Running>,
}

/// The clocks that run otherwise after a re-evaluation than before it.
pub fn moved(before: &Clocks, after: &Clocks) -> Vec<Moved> {
    let running = |clock: &Clock| {
        clock.is_open().then(|| Running {
            pin: clock.terms.pin.clone(),
            within: clock.terms.within,
            due_at: clock.marks.due_at,
        })
    };
    let moved = after.iter().map(|clock| Moved {
        clock: clock.id,
        from: before.get(clock.id).and_then(running),
        to: running(clock),
    });
    moved.filter(|moved| moved.from != moved.to).collect()
}
