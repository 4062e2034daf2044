//! The desk as a whole. Each test tells a story over HTTP and then looks at what remains of it: in the log, in the
//! read models, among the machine's processes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of integration tests stand outside of test functions; a test that cannot go on panics"
)]

mod access;
mod actions;
mod apart;
mod attacks;
mod catalogue;
mod connected;
mod contracts;
mod demo;
mod desk;
mod directory;
mod faults;
mod foreign;
mod heavy;
mod hidden;
mod http;
mod import;
mod journey;
mod notices;
mod openapi;
mod openid;
mod people;
mod portals;
mod processes;
mod projects;
mod promises;
mod rebuild;
mod revoked;
mod rights;
mod routes;
mod services;
mod sessions;
mod surface;
mod table;
mod tokens;
mod up;
mod views;
