//! The projection `directory`: names of users, groups and organisations, and calendars. Readers join
//! them when they are asked, so that this stream and the tickets' need no order between them.

mod calendars;
mod project;

pub(crate) use project::Directory;
