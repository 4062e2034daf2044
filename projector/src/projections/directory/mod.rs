//! The projection `directory`: names of users, groups and organisations, their profiles, calendars,
//! policies, contracts, and digests. Readers join
//! them when they are asked, so that this stream and the tickets' need no order between them.

mod calendars;
mod contracts;
mod digests;
mod policies;
mod profiles;
mod project;

pub(crate) use project::Directory;
