//! Signing in: logins and passwords to sessions; and looking through a customer's eyes.
//!
//! * [`passwords`]: what is kept of a password, and whether one is right.
//! * [`sessions`]: how sessions begin and end.
//! * [`by_openid`]: how they begin for those who have an account elsewhere.
//! * [`views`]: how staff view the desk as a customer.
//! * [`links`]: how people choose a password by a link that was mailed.

mod by_openid;
mod links;
mod passwords;
mod sessions;
mod views;

pub(crate) use links::{Delivery, Invited, RESET_PAUSE, Resets};
pub(crate) use passwords::{Passwords, chosen};
pub(crate) use sessions::Begun;
pub(crate) use views::viewer;
