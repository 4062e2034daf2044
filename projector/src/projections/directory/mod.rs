//! The projection `directory`: names and profiles of users, groups, organisations, roles, permission sets and items of the catalogue,
//! calendars, policies, contracts, and digests. Readers join
//! them when they are asked, so that this stream and the tickets' need no order between them.

mod actions;
mod calendars;
mod contracts;
mod digests;
mod policies;
mod profiles;
mod project;

pub(crate) use project::Directory;
