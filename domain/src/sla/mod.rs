//! What the desk promises: how soon it answers and solves, and how each minute of that counts.
//!
//! A [`SlaPolicy`] says what is promised to the tickets of its [`Scope`]; a [`Book`] finds the one
//! for a ticket. A promise that was given is a [`Clock`]: it starts, pauses, goes on and ends by
//! events that ride along in the record of whatever caused them ([`follow()`]), and it warns and
//! breaches at instants known beforehand ([`Clocks::timers`], [`Clocks::overdue`]).
//!
//! One sentence defines what has elapsed: **the time from the clock's start, less its pauses,
//! intersected with the hours of the calendar that it is pinned to.** Nothing is ever added to a
//! due time, so a pause outside of working hours costs nothing and saves nothing.
//!
//! [`decide`] puts it all together for one record of a ticket, and [`Promised`] is what it decides on.
//!
//! * [`Clocks::explain`]: the same time, segment by segment, with the reason for each.
//! * [`escalate`]: what a policy makes of a breach.
//! * [`re_evaluate()`]: puts running clocks under the policies of today, when somebody asks.
//! * [`stored`]: policies as people write them, version after version; a [`Library`] keeps all of
//!   them and the calendars' versions, and makes the [`Book`] for an instant.
//! * [`rehearse()`]: what would have become of a history under other policies; [`Rehearsal`] and [`Report`]: the same for
//!   all tickets of a desk.

mod book;
mod breach;
mod clock;
mod clocks;
mod error;
mod event;
mod explain;
mod follow;
mod library;
mod policy;
mod presets;
mod promised;
mod re_evaluate;
mod rehearsal;
mod rehearse;
pub mod stored;
mod talk;

pub use book::{Book, BookError, Matter, Scope, UnknownPin};
pub use breach::{BreachAction, Delivery, Notified, escalate};
pub use clock::{Clock, Ended, Pause, PauseReason, Terms};
pub use clocks::{Clocks, Timer, TimerKind};
pub use error::{SlaPolicyError, TargetError};
pub use event::{Cancellation, ClockId, Counting, Marks, ReEvaluation, SlaEvent, Why};
pub use explain::{ClockState, Explanation, Part, PartKind};
pub use follow::{Step, follow};
pub use library::{InForce, Library};
pub use policy::{ACTIONS_MAX, Edition, ID_CHARS_MAX, Pin, SlaCalendar, SlaPolicy, SlaPolicySpec, Target, TargetKind};
pub use promised::{Desk, Happened, Promised, Undecided, decide};
pub use re_evaluate::{Moved, Running, moved, re_evaluate};
pub use rehearsal::{Compared, Differing, Group, Rehearsal, Report, Tally, Window};
pub use rehearse::{Outcome, Recorded, Verdict, compare, rehearse};
pub use talk::Talk;
