//! Who may do what: everybody × every route of the OpenAPI document × tickets of every kind and entries of the directory.
//!
//! * [`who`]: everybody, and what makes them who they are.
//! * [`admit`]: their profiles, tokens and sessions.
//! * [`everywhere`]: every route, and what its answer says of access alone.
//! * [`tickets`]: the routes of tickets, on tickets of every kind, with the very status of each answer, alone and in bulk.

mod admit;
mod everywhere;
mod tickets;
mod who;
