//! `GET /v1/dashboard`: figures within what the caller may see.
//!
//! There are two ways to the same figures, and tests hold them against each other. What those see now who see every ticket is
//! *kept* by the projector, at a cost that does not depend on how many tickets there are: [`kept`]. What others see,
//! what was in the past, and groups by a property of the tickets are *counted* in one pass over the tickets: [`counted`].
//!
//! * [`ask`]: what is asked.
//! * [`figures`]: one statement that brings all the figures, whichever way.
//! * [`answer`]: what is said, and how the figures become it.
//! * [`groups`]: the same for each period, or for each value of a property.

pub(crate) mod answer;
pub(crate) mod ask;
mod counted;
mod figures;
mod groups;
mod kept;
mod measured;
