//! The projector against a real log and a real Postgres.

// Marked as tests as a whole, so that helpers may unwrap as the tests themselves may.
#[cfg(test)]
mod analytics;
#[cfg(test)]
mod calendars;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod generations;
#[cfg(test)]
mod nats_text;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod two;
