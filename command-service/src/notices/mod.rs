//! Tells people what happens to tickets.
//!
//! The server keeps what is still to be done, so that any number of services share the work. Whoever is killed between a mail
//! and saying that it is sent has it sent twice, with the same `Message-ID`.
//!
//! * [`notifier`]: the tasks that do it.
//! * [`look`]: looks at each record for whom it concerns; a notice for each of them goes into the outbox.
//! * [`send`]: mails each notice, unless its reader turned it off, or may not see it by now.
//! * [`letter`]: what people read, in their language.

mod letter;
mod look;
mod notifier;
mod send;

pub(crate) use notifier::Notifier;
