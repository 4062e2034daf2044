//! The query service over HTTP, with a real log, a real projector and a real Postgres behind it.

// Marked as tests as a whole, so that helpers may unwrap as the tests themselves may.
#[cfg(test)]
mod analytics;
#[cfg(test)]
mod calendars;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod export;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod feed_live;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod figures_then;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod past;
#[cfg(test)]
mod people;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod positions;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod search;
#[cfg(test)]
mod ticket;
#[cfg(test)]
mod visible;
#[cfg(test)]
mod whole_life;
#[cfg(test)]
mod world;
