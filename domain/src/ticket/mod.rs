//! A ticket's life: commands, the events that they make, and the rules in between.

mod command;
mod decide;
mod event;
mod evolve;
mod rejection;
mod rules;
mod state;

pub use command::{
    Accept, AddComment, Assign, Await, Change, Classify, Close, Command, CommandName, CustomFields, CustomValue, Edit,
    ProposeClosure, ProvideInfo, Rate, Reopen, RequestInfo, Resume, Visibility,
};
pub(crate) use decide::settled;
pub use decide::{Context, Decision, decide};
pub use event::{Assigned, Classified, Created, Edited, Event, Wait};
pub use rejection::{NotOffered, Rejection};
pub use rules::{Standing, allowed_commands, rule_in_words};
pub use state::{Status, Ticket, TicketState};
