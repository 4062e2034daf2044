//! What holds for all records and for all bytes.

use domain::directory;
use domain::ticket::Event;
use proptest::prelude::*;
use wire::{DecodeError, EVENTS_MAX, EncodeError, Payload, RECORD_BYTES_MAX, Record, decode, encode, record_id};

use crate::arbitrary::{directory_event, record, ticket_event};
use crate::samples::{body, full_header, ticket_events};

proptest! {
    #[test]
    fn a_tickets_record_is_read_as_it_was_written(record in record(ticket_event())) {
        match encode(&record) {
            Ok(bytes) => {
                prop_assert_eq!(record_id(&bytes), Some(record.header.record_id));
                prop_assert_eq!(decode::<Event>(&bytes).unwrap(), record);
            }
            // Several of the longest texts at once are more than a record holds.
            Err(error) => prop_assert!(matches!(error, EncodeError::TooLarge { .. }), "{}", error),
        }
    }

    #[test]
    fn a_record_of_the_directory_is_read_as_it_was_written(record in record(directory_event())) {
        let bytes = encode(&record).unwrap();
        prop_assert_eq!(decode::<directory::Event>(&bytes).unwrap(), record);
    }

    #[test]
    fn an_event_is_stored_as_a_kind_of_the_registry_under_its_own_name(event in ticket_event()) {
        let registered = Event::registry().iter().find(|(stored_as, _)| *stored_as == event.kind());
        prop_assert_eq!(registered.map(|(_, name)| *name), Some(event.name()));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode::<Event>(&bytes);
        let _ = decode::<directory::Event>(&bytes);
        let _ = record_id(&bytes);
    }

    #[test]
    fn no_payload_makes_the_reader_panic(
        kind in prop::sample::select(Event::registry()),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = Event::decode(kind.0, &bytes);
    }
}

#[test]
fn every_kind_of_the_registry_has_a_number_and_a_name_of_its_own() {
    let all: Vec<_> = Event::registry().iter().chain(directory::Event::registry()).collect();
    for (index, (stored_as, name)) in all.iter().enumerate() {
        let same = all
            .iter()
            .skip(index + 1)
            .find(|(other, other_name)| other == stored_as || (other.kind == stored_as.kind) != (other_name == name));
        assert_eq!(same, None, "{name} shares its number or its name");
    }
}

#[test]
fn the_longest_comment_and_description_fit_into_a_record() {
    let longest = body(&"\u{10ffff}".repeat(65_536));
    let events = vec![Event::Closed {
        comment: Some(longest.clone()),
        reason: Some(longest),
    }];
    let record = Record {
        header: full_header(),
        events,
    };
    let bytes = encode(&record).unwrap();
    assert!(bytes.len() < RECORD_BYTES_MAX);
    assert_eq!(decode::<Event>(&bytes).unwrap(), record);
}

fn record_of(events: Vec<Event>) -> Record<Event> {
    Record {
        header: full_header(),
        events,
    }
}

#[test]
fn a_record_of_no_events_is_not_written() {
    assert!(matches!(encode(&record_of(Vec::new())), Err(EncodeError::NoEvents)));
}

#[test]
fn a_record_holds_so_many_events_and_no_more() {
    let most = record_of(vec![Event::ClosureWaitExpired; EVENTS_MAX]);
    assert_eq!(decode::<Event>(&encode(&most).unwrap()).unwrap(), most);
    for events in [EVENTS_MAX + 1, 256, 257] {
        let refused = encode(&record_of(vec![Event::ClosureWaitExpired; events]));
        assert!(matches!(refused, Err(EncodeError::TooManyEvents { events: said }) if said == events));
    }
}

#[test]
fn a_record_that_is_too_large_is_neither_written_nor_read() {
    let comment = body(&"\u{10ffff}".repeat(65_536));
    let record = record_of(vec![Event::Reopened { comment }; 5]);
    assert!(matches!(encode(&record), Err(EncodeError::TooLarge { bytes }) if bytes > RECORD_BYTES_MAX));
    let read = decode::<Event>(&vec![0; RECORD_BYTES_MAX + 1]);
    assert!(matches!(read, Err(DecodeError::NotARecord)));
}

#[test]
fn the_samples_leave_no_kind_out() {
    for (stored_as, name) in Event::registry() {
        let sampled = ticket_events().iter().any(|event| event.kind().kind == stored_as.kind);
        assert!(sampled, "no sample of {name}");
    }
}
