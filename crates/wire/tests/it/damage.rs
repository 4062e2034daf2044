//! Damaged, cut and foreign bytes are noticed, each for what it is.

use domain::directory;
use domain::ticket::Event;
use proptest::prelude::*;
use wire::{DecodeError, KindVersion, Payload, Record, decode, encode, record_id};

use crate::samples::{directory_events, full_header, ticket_events};

const CHECKSUM_BYTES: usize = 4;
const MAGIC_AND_VERSION_BYTES: usize = 3;

fn record() -> Record<Event> {
    Record {
        header: full_header(),
        events: ticket_events().into_iter().take(4).collect(),
    }
}

fn bytes() -> Vec<u8> {
    encode(&record()).unwrap()
}

/// The record without its checksum, for a test to change.
fn open(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() - CHECKSUM_BYTES].to_vec()
}

/// Puts a fresh checksum on, as a faulty writer would and no faulty disk does.
fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

fn refusal(bytes: &[u8]) -> DecodeError {
    decode::<Event>(bytes).unwrap_err()
}

/// Where the number of events stands.
fn count_at(bytes: &[u8]) -> usize {
    let length = u32::from_le_bytes(bytes[3..7].try_into().unwrap());
    7 + usize::try_from(length).unwrap()
}

/// A sealed record of one event that claims to be of this kind.
fn claiming(kind: KindVersion, payload: &[u8]) -> Vec<u8> {
    let whole = bytes();
    let mut claim = whole[..count_at(&whole)].to_vec();
    claim.push(1);
    claim.extend(kind.kind.to_le_bytes());
    claim.push(kind.version);
    claim.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    claim.extend(payload);
    seal(claim)
}

#[test]
fn every_flipped_bit_is_noticed() {
    let whole = bytes();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            assert!(decode::<Event>(&damaged).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn damage_behind_the_frame_is_called_damage() {
    let mut damaged = bytes();
    damaged[MAGIC_AND_VERSION_BYTES] ^= 1;
    assert!(matches!(refusal(&damaged), DecodeError::Checksum));
}

#[test]
fn a_record_cut_short_anywhere_is_noticed() {
    let whole = bytes();
    for length in 0..whole.len() {
        assert!(decode::<Event>(&whole[..length]).is_err(), "{length} bytes");
    }
    // Even if what is left has a checksum of its own.
    let opened = open(&whole);
    for length in 0..opened.len() {
        assert!(
            decode::<Event>(&seal(opened[..length].to_vec())).is_err(),
            "{length} bytes, sealed"
        );
    }
}

#[test]
fn bytes_after_the_record_are_noticed() {
    let mut longer = bytes();
    longer.push(0);
    assert!(matches!(refusal(&longer), DecodeError::Checksum));
    let mut longer = open(&bytes());
    longer.extend([0; 3]);
    assert!(matches!(refusal(&seal(longer)), DecodeError::Trailing { bytes: 3 }));
}

#[test]
fn bytes_after_a_payload_are_noticed() {
    for event in ticket_events() {
        let mut payload = event.encode().unwrap();
        let read = decode::<Event>(&claiming(event.kind(), &payload)).unwrap();
        assert!(read.events.iter().eq([&event]));
        payload.push(0);
        let refusal = refusal(&claiming(event.kind(), &payload));
        assert!(
            matches!(refusal, DecodeError::Trailing { bytes: 1 }),
            "{}: {refusal}",
            event.name()
        );
    }
}

#[test]
fn bytes_after_the_header_are_noticed() {
    let whole = bytes();
    let (end, mut longer) = (count_at(&whole), open(&whole));
    longer.insert(end, 0);
    longer[3] += 1;
    assert!(matches!(refusal(&seal(longer)), DecodeError::Trailing { bytes: 1 }));
}

#[test]
fn bytes_that_begin_otherwise_are_no_record() {
    assert!(matches!(refusal(b""), DecodeError::NotARecord));
    assert!(matches!(refusal(b"{\"events\":[]}"), DecodeError::NotARecord));
}

#[test]
fn a_frame_of_a_later_version_is_called_so() {
    let mut later = open(&bytes());
    later[2] = 2;
    assert!(matches!(refusal(&seal(later.clone())), DecodeError::FrameVersion(2)));
    assert_eq!(record_id(&later), None);
}

#[test]
fn an_event_of_an_unknown_kind_or_version_is_called_so() {
    for unknown in [(0, 1), (31, 1), (1, 0), (1, 3), (1000, 1), (u16::MAX, u8::MAX)] {
        let unknown = KindVersion {
            kind: unknown.0,
            version: unknown.1,
        };
        let refused = refusal(&claiming(unknown, b""));
        assert!(
            matches!(refused, DecodeError::UnknownKind(named) if named == unknown),
            "{refused}"
        );
        let said = refused.to_string();
        assert!(
            said.contains(&format!("kind {} version {}", unknown.kind, unknown.version)),
            "{said}"
        );
    }
}

#[test]
fn a_record_whose_events_are_unknown_still_tells_its_id() {
    let unknown = claiming(KindVersion { kind: 999, version: 9 }, b"?");
    assert_eq!(record_id(&unknown), Some(full_header().record_id));
}

#[test]
fn a_record_of_the_directory_is_not_taken_for_a_tickets() {
    let record = Record {
        header: full_header(),
        events: directory_events(),
    };
    let bytes = encode(&record).unwrap();
    assert!(matches!(refusal(&bytes), DecodeError::UnknownKind(_)));
    assert_eq!(decode::<directory::Event>(&bytes).unwrap(), record);
}

#[test]
fn an_impossible_number_of_events_is_noticed() {
    for count in [0, 65, 255] {
        let whole = bytes();
        let (at, mut claim) = (count_at(&whole), open(&whole));
        claim[at] = count;
        assert!(matches!(refusal(&seal(claim)), DecodeError::EventCount(said) if said == count));
    }
}

#[test]
fn a_length_beyond_the_record_is_noticed() {
    let whole = bytes();
    for at in [3, count_at(&whole) + 4] {
        let mut claim = open(&whole);
        claim[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(refusal(&seal(claim)), DecodeError::NotARecord));
    }
}

#[test]
fn values_that_the_domain_does_not_admit_are_named() {
    let kind = |name: &str| Event::registry().iter().find(|(_, known)| *known == name).unwrap().0;
    let cases: [(&str, &[u8], &str); 4] = [
        ("information_provided", b"\x01 ", "body"),
        ("information_provided", b"\x02a\0", "body"),
        ("commented", b"\x01a\x03", "visibility"),
        ("information_wait_expired", b"\x01\x01\x01\x01 ", "label"),
    ];
    for (name, payload, expected) in cases {
        let refused = refusal(&claiming(kind(name), payload));
        assert!(
            matches!(refused, DecodeError::Value { field } if field == expected),
            "{name}: {refused}"
        );
    }
    let no_utf8 = refusal(&claiming(kind("information_provided"), b"\x01\xff"));
    assert!(matches!(no_utf8, DecodeError::Malformed(_)), "{no_utf8}");
}

proptest! {
    #[test]
    fn a_faulty_writer_does_not_make_the_reader_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut changed = open(&bytes());
        for (at, byte) in changes {
            let at = at.index(changed.len());
            changed[at] = byte;
        }
        let _ = decode::<Event>(&seal(changed));
    }

    #[test]
    fn several_damaged_bytes_in_a_row_are_noticed(at in any::<prop::sample::Index>(), burst in any::<u32>()) {
        let mut damaged = bytes();
        let at = at.index(damaged.len() - 3);
        // CRC32C notices every burst of up to 32 bits.
        for (byte, change) in damaged[at..at + 4].iter_mut().zip(burst.to_le_bytes()) {
            *byte ^= change;
        }
        prop_assert_eq!(decode::<Event>(&damaged).is_ok(), burst == 0);
    }
}
