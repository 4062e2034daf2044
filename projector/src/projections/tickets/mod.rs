//! The projection `tickets`: the list, the timeline, the timers and the dashboard's counters.

mod bulk;
mod clock_details;
mod clocks;
mod details;
mod fold;
mod histogram;
mod rows;
mod store;
pub(crate) mod texts;
mod ticket;

#[cfg(test)]
mod tests;

pub(crate) use ticket::CorruptRow;

pub(crate) use store::Tickets;
