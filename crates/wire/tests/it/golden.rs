//! Golden bytes, both ways: what is written today is what was written on the first day, and what was written then is
//! read today.
//!
//! Each file holds samples as hexadecimal digits, with an empty line between two. `RECOURSE_GOLDEN=add cargo test -p
//! wire golden` writes the files that are missing, and never changes one that is there.

use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use domain::actor::ActorKind;
use domain::directory;
use domain::ticket::Event;
use wire::{KindVersion, Payload, Record, decode, encode};

use crate::samples::{bare_header, directory_events, full_header, ticket_events};

const FROZEN: &str = "The bytes of a frozen event changed. Fix the code, not this file.";
const BYTES_A_LINE: usize = 32;

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The file's samples; if there is no such file and the caller asked for it, it is written first.
fn golden(name: &str, current: Option<&[Vec<u8>]>) -> Vec<Vec<u8>> {
    let path = golden_dir().join(format!("{name}.hex"));
    let adding = std::env::var_os("RECOURSE_GOLDEN").is_some_and(|value| value == "add");
    if let Some(samples) = current
        && adding
        && !path.exists()
    {
        fs::write(&path, written(samples)).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}. If it is new, write it with RECOURSE_GOLDEN=add cargo test -p wire golden",
            path.display()
        )
    });
    text.split("\n\n").map(read).collect()
}

fn written(samples: &[Vec<u8>]) -> String {
    let samples: Vec<String> = samples
        .iter()
        .map(|bytes| bytes.chunks(BYTES_A_LINE).fold(String::new(), line))
        .collect();
    samples.join("\n")
}

fn line(mut text: String, bytes: &[u8]) -> String {
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text + "\n"
}

fn read(sample: &str) -> Vec<u8> {
    let digits: Vec<u32> = sample.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    assert!(rest.is_empty(), "half a byte");
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(high * 16 + low).unwrap())
        .collect()
}

/// Holds every kind and version of the registry against its file.
fn check_registry<E: Payload + Debug + PartialEq>(all_samples: &[E]) {
    for (stored_as, name) in E::registry() {
        let KindVersion { kind, version } = *stored_as;
        let samples: Vec<&E> = all_samples.iter().filter(|sample| sample.kind().kind == kind).collect();
        assert!(!samples.is_empty(), "there is no sample of {name}");
        // What is written as this version today; nothing, if a newer one took its place.
        let written: Vec<&E> = samples
            .iter()
            .copied()
            .filter(|sample| sample.kind() == *stored_as)
            .collect();
        let current: Vec<Vec<u8>> = written.iter().map(|sample| sample.encode().unwrap()).collect();
        let bytes = golden(&format!("{name}.v{version}"), (!written.is_empty()).then_some(&current));
        let read: Vec<E> = bytes
            .iter()
            .map(|bytes| E::decode(*stored_as, bytes).unwrap())
            .collect();
        let expected = if written.is_empty() {
            // Samples of what an older version does not have come after all that it has.
            samples.into_iter().take(read.len()).collect()
        } else {
            assert!(bytes == current, "{name}.v{version}: {FROZEN}");
            written
        };
        assert!(
            read.iter().eq(expected),
            "{name}.v{version}: old bytes are read as something else"
        );
    }
}

#[test]
fn the_bytes_of_a_tickets_events_are_golden() {
    check_registry::<Event>(&ticket_events());
}

#[test]
fn the_bytes_of_the_directorys_events_are_golden() {
    check_registry::<directory::Event>(&directory_events());
}

#[test]
fn the_bytes_of_a_whole_record_are_golden() {
    let mut records = vec![Record {
        header: full_header(),
        events: ticket_events().into_iter().take(3).collect(),
    }];
    for kind in [ActorKind::Staff, ActorKind::Customer, ActorKind::System] {
        records.push(Record {
            header: bare_header(kind),
            events: vec![Event::ClosureWaitExpired],
        });
    }
    let current: Vec<Vec<u8>> = records.iter().map(|record| encode(record).unwrap()).collect();
    let bytes = golden("record.v1", Some(&current));
    assert!(bytes == current, "record.v1: {FROZEN}");
    let read: Vec<Record<Event>> = bytes.iter().map(|bytes| decode(bytes).unwrap()).collect();
    assert_eq!(read, records);
}

#[test]
fn the_hash_that_links_records_is_golden() {
    let bytes = golden("record.v1", None);
    let hashes: Vec<Vec<u8>> = bytes.iter().map(|bytes| wire::hash(bytes).to_vec()).collect();
    assert!(golden("hash.v1", Some(&hashes)) == hashes, "hash.v1: {FROZEN}");
}

#[test]
fn every_golden_file_stands_for_something() {
    let ticket = Event::registry().iter();
    let all = ticket.chain(directory::Event::registry());
    let mut known: Vec<String> = all
        .map(|(stored_as, name)| format!("{name}.v{}.hex", stored_as.version))
        .collect();
    known.extend(["record.v1.hex".to_owned(), "hash.v1.hex".to_owned()]);
    for file in fs::read_dir(golden_dir()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains(&name),
            "{name} belongs to no kind and version: versions are never given up"
        );
    }
}
