//! Signing in: logins and passwords to sessions.
//!
//! * [`passwords`]: what is kept of a password, and whether one is right.
//! * [`sessions`]: how sessions begin and end.

mod passwords;
mod sessions;

pub(crate) use passwords::Passwords;
pub(crate) use sessions::{Begun, unacceptable};
