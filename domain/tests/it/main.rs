//! The specification of the desk, as tests: what may happen to a ticket, and when.

// Marked as tests as a whole, so that helpers may unwrap as the tests themselves may.
#[cfg(test)]
mod calendar;
#[cfg(test)]
mod calendar_explained;
#[cfg(test)]
mod calendar_properties;
#[cfg(test)]
mod every_cell;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod people;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod sla_cases;
#[cfg(test)]
mod sla_decided;
#[cfg(test)]
mod sla_policies;
#[cfg(test)]
mod sla_properties;
#[cfg(test)]
mod sla_rules;
#[cfg(test)]
mod sla_story;
