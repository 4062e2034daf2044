//! `docs/events.md` names every kind and version that there is, and no other.

use domain::directory;
use domain::ticket::Event;
use wire::Payload;

const EVENTS_MD: &str = include_str!("../../../../docs/events.md");

/// The rows `| kind | version | name | …` of the document's tables.
fn documented() -> Vec<(u16, u8, String)> {
    EVENTS_MD.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(u16, u8, String)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let kind = cells.next()?.parse().ok()?;
    let version = cells.next()?.parse().ok()?;
    Some((kind, version, cells.next()?.trim_matches('`').to_owned()))
}

#[test]
fn every_kind_and_version_is_documented_in_order_and_nothing_else_is() {
    let ticket = Event::registry().iter();
    let registered: Vec<(u16, u8, String)> = ticket
        .chain(directory::Event::registry())
        .map(|(stored_as, name)| (stored_as.kind, stored_as.version, (*name).to_owned()))
        .collect();
    assert_eq!(documented(), registered);
}

#[test]
fn a_kind_is_stored_under_the_events_own_name() {
    for event in crate::samples::ticket_events() {
        let registered = Event::registry()
            .iter()
            .find(|(stored_as, _)| *stored_as == event.kind());
        assert_eq!(registered.map(|(_, name)| *name), Some(event.name()));
    }
}
