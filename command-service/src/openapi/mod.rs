//! What callers may send and what they are answered, for the OpenAPI document.

mod calendars;
mod links;
mod openid;
mod people;
mod policies;
mod routes;
mod sessions;
mod settings;
mod tokens;

pub use routes::openapi;
