//! The projection `tickets`: the list, the timeline, the timers and the dashboard's counters.

mod details;
mod fold;
mod rows;
mod store;
mod texts;
mod ticket;

#[cfg(test)]
mod tests;

pub(crate) use ticket::CorruptRow;

pub(crate) use store::Tickets;
