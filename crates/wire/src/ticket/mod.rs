//! Stored form of a ticket's events.

mod clock;
mod created;
mod life;
mod registry;
mod talk;
mod work;
