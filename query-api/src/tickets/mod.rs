//! Tickets: the list, one of them, and its timeline.

mod filter;
mod item;
pub(crate) mod list;
pub(crate) mod one;
mod search;
mod sort;
pub(crate) mod timeline;
mod view;
