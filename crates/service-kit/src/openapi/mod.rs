//! Describing routes for the OpenAPI document.
//!
//! Each service has an `openapi.rs` that names its routes as an [`Api`]; [`document`] makes one document of all of
//! them, for the whole desk. What is served at `/v1/openapi.json` is that document as it is committed,
//! `docs/openapi.json`: `cargo xtask openapi` writes it, and a test compares the two.
//!
//! * [`Operation`]: one route, with its parameters, bodies, answers and problems.
//! * [`schema`]: shapes of values, short enough to stand in a line.

mod api;
pub mod catalogue;
mod operation;
mod operators;
pub mod people;
pub mod schema;

pub use api::{Api, document};
pub use operation::{Operation, Payload, header, json, path, query};
pub use operators::operators;

/// The document as it is committed and served.
pub const COMMITTED: &str = include_str!("../../../../docs/openapi.json");
