//! Journeys across all services, and faults. Everything is in `tests/it`: this crate is its tests.
