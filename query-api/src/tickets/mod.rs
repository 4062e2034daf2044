//! Tickets: the list, the whole of it as a file, one of them, and its timeline.

pub(crate) mod export;
pub(crate) mod filter;
pub(crate) mod item;
pub(crate) mod list;
mod numbers;
pub(crate) mod one;
pub(crate) mod search;
pub(crate) mod sort;
mod terms;
pub(crate) mod timeline;
pub(crate) mod view;
