//! E-mail addresses: each is one user's, whoever wants it at the same time and whatever breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::actor::{Actor, Permission};
use domain::directory::Event;
use domain::ids::{CommandId, UserId};
use domain::people::{Profile, Rejection, User, UserKind};
use domain::testing::agent;
use domain::text::Label;
use event_log::{Directory, ProfileError, ProfileOutcome, Request};
use futures::future::join_all;
use test_harness::{ChaosProxy, wait_until};
use uuid::Uuid;

use crate::support::{Desk, LIMIT, Raw, connect};

const DIRECTORY: &str = "RC_DIRECTORY";

fn wish() -> Request {
    let administrator = Actor {
        permissions: BTreeSet::from([Permission::Administer]),
        ..agent()
    };
    Request::new(CommandId::from(Uuid::new_v4()), [7; 32], Arc::new(administrator))
}

fn user(email: Option<&str>) -> Profile {
    let label = |text: &str| Label::parse(text).unwrap();
    Profile::User(User {
        email: email.map(label),
        ..User::plain(label("Ada"), UserKind::Customer)
    })
}

async fn write(directory: &Directory, id: Uuid, email: Option<&str>) -> Result<ProfileOutcome, ProfileError> {
    directory.write(id, &user(email), &wish()).await
}

fn taken_from(result: Result<ProfileOutcome, ProfileError>) -> Option<Uuid> {
    match result {
        Ok(_) => None,
        Err(ProfileError::Rejected(Rejection::AddressTaken(taken))) => Some(taken.by.as_uuid()),
        Err(other) => panic!("{other:?}"),
    }
}

/// What the log says at its end: the addresses of users' profiles, and of how many addresses each of them is the holder.
async fn standing(raw: &Raw) -> (BTreeMap<Uuid, String>, BTreeMap<Uuid, usize>) {
    let mut profiles = BTreeMap::new();
    let mut holders: BTreeMap<Uuid, Option<UserId>> = BTreeMap::new();
    for (_, bytes) in raw.stored(DIRECTORY).await {
        let record = wire::decode::<Event>(&bytes).unwrap();
        let id = record.header.aggregate_id;
        for event in record.events {
            match event {
                Event::Profile(profile) => match *profile {
                    Profile::User(User { email: Some(email), .. }) => {
                        profiles.insert(id, email.as_str().to_lowercase());
                    }
                    _ => drop(profiles.remove(&id)),
                },
                Event::Address(held) => drop(holders.insert(id, held.by)),
                other => panic!("{other:?}"),
            }
        }
    }
    let mut held = BTreeMap::new();
    for holder in holders.into_values().flatten() {
        *held.entry(holder.as_uuid()).or_default() += 1;
    }
    (profiles, held)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_users_who_want_an_address_at_once_one_gets_it() {
    let desk = Desk::start().await;
    let other = connect(desk.nats.url()).await;
    let wanted = (1..=8_u128)
        .zip([&desk.log, &other].into_iter().cycle())
        .map(|(n, log)| {
            let directory = log.directory();
            let email = if n % 2 == 0 {
                "ada@example.org"
            } else {
                "Ada@Example.ORG"
            };
            tokio::spawn(async move { write(&directory, Uuid::from_u128(n), Some(email)).await })
        });
    let results: Vec<_> = join_all(wanted).await.into_iter().map(Result::unwrap).collect();
    let refused: Vec<Uuid> = results.into_iter().filter_map(taken_from).collect();
    let (profiles, held) = standing(&desk.raw().await).await;
    let winner = *profiles.keys().next().unwrap();
    assert_eq!(refused, [winner; 7]);
    assert_eq!((profiles.len(), held), (1, BTreeMap::from([(winner, 1)])));
}

#[tokio::test]
async fn an_address_is_free_once_its_user_has_another_or_none() {
    let desk = Desk::start().await;
    let directory = desk.log.directory();
    let [ada, bob] = [1, 2].map(Uuid::from_u128);
    let steps = [
        (ada, Some("ada@example.org"), None),
        (bob, Some("ada@example.org"), Some(ada)),
        (bob, Some("bob@example.org"), None),
        // The same in other letters is no other address.
        (ada, Some("ADA@example.org"), None),
        (ada, Some("a.lovelace@example.org"), None),
        (bob, Some("ada@example.org"), None),
        (ada, Some("bob@example.org"), None),
        (ada, None, None),
        (bob, Some("bob@example.org"), None),
    ];
    for (place, (user, email, taken)) in steps.into_iter().enumerate() {
        assert_eq!(taken_from(write(&directory, user, email).await), taken, "step {place}");
    }
    let (profiles, held) = standing(&desk.raw().await).await;
    assert_eq!(profiles, BTreeMap::from([(bob, "bob@example.org".to_owned())]));
    assert_eq!(held, BTreeMap::from([(bob, 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_repeats_their_wish_over_a_network_that_breaks_writes_a_profile_once_and_its_address_with_it() {
    const WISHES: u64 = 12;
    let desk = Desk::start().await;
    let proxy = ChaosProxy::start(desk.nats.url()).await;
    let directory = connect(proxy.url()).await.directory();
    let raw = desk.raw().await;
    let id = Uuid::from_u128(1);
    let writing = tokio::spawn(async move {
        for n in 0..WISHES {
            let (profile, request) = (user(Some(&format!("ada{n}@example.org"))), wish());
            while let Err(error) = directory.write(id, &profile, &request).await {
                assert!(matches!(error, ProfileError::Failed(_)), "{error:?}");
            }
        }
    });
    // One address held, and then one let go of and another held, each with a profile.
    for written in 1..WISHES * 3 - 1 {
        wait_until("a record", LIMIT, async || {
            raw.last_sequence(DIRECTORY).await >= written
        })
        .await;
        proxy.disconnect();
    }
    writing.await.unwrap();
    assert_eq!(raw.last_sequence(DIRECTORY).await, WISHES * 3 - 1);
    let (profiles, held) = standing(&raw).await;
    assert_eq!(
        profiles,
        BTreeMap::from([(id, format!("ada{}@example.org", WISHES - 1))])
    );
    assert_eq!(held, BTreeMap::from([(id, 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_leaves_no_profile_without_its_address_and_no_address_without_its_profile() {
    let desk = Desk::start().await;
    let raw = desk.raw().await;
    let enough = Arc::new(AtomicBool::new(false));
    let writers = (1..=6_u128).map(|n| {
        let (directory, enough) = (desk.log.directory(), Arc::clone(&enough));
        tokio::spawn(async move {
            // However many come to nothing, there are more.
            for turn in (0..).take_while(|_| !enough.load(Ordering::Relaxed)) {
                let email = format!("{}@example.org", (n + turn) % 7);
                // Refused, unknown or done: the log says at the end what it came to.
                let _ = write(&directory, Uuid::from_u128(n), Some(&email)).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for written in [20, 60] {
        wait_until("some records", LIMIT, async || {
            raw.last_sequence(DIRECTORY).await >= written
        })
        .await;
        desk.nats.kill().await;
        desk.nats.restart().await;
    }
    enough.store(true, Ordering::Relaxed);
    join_all(writers).await;
    let (profiles, held) = standing(&desk.raw().await).await;
    assert!(!profiles.is_empty());
    assert_eq!(profiles.values().collect::<BTreeSet<_>>().len(), profiles.len());
    let expected: BTreeMap<Uuid, usize> = profiles.keys().map(|user| (*user, 1)).collect();
    assert_eq!(held, expected);
}
