//! What callers may send and what they are answered, for the OpenAPI document.

mod calendars;
mod policies;
mod routes;

pub use routes::openapi;
