//! Tickets: the list, the whole of it as a file, one of them, its timeline, and the times promised to it.

mod clocks;
pub(crate) mod export;
pub(crate) mod filter;
pub(crate) mod item;
pub(crate) mod list;
mod numbers;
pub(crate) mod one;
pub(crate) mod search;
pub(crate) mod sla;
pub(crate) mod sort;
mod terms;
pub(crate) mod timeline;
pub(crate) mod view;
