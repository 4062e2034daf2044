//! From where users do what they do: ids that the log keeps, and addresses that can be forgotten.

use std::collections::BTreeSet;

use domain::ids::UserId;
use event_log::{Origin, OriginChange, OriginChanges, OriginStore};
use uuid::Uuid;

use crate::support::{Desk, LIMIT, connect};

const ADA: UserId = UserId::from_bytes([1; 16]);
const BOB: UserId = UserId::from_bytes([2; 16]);

fn origin(address: &str, agent: Option<&str>) -> Origin {
    Origin {
        address: Some(address.to_owned()),
        forwarded_for: None,
        agent: agent.map(str::to_owned),
    }
}

async fn id(origins: &OriginStore, user: UserId, origin: &Origin) -> Uuid {
    origins.id(user, origin).await.unwrap().expect("there is room")
}

async fn next(changes: &mut OriginChanges) -> OriginChange {
    tokio::time::timeout(LIMIT, changes.next())
        .await
        .expect("a change")
        .unwrap()
}

#[tokio::test]
async fn an_origin_has_one_id_for_each_user_in_whichever_process_and_at_whatever_moment() {
    let desk = Desk::start().await;
    let home = origin("192.0.2.1", Some("desk/1.0"));
    let at_once = futures::future::join_all((0..8).map(|_| {
        let (url, home) = (desk.nats.url().to_owned(), home.clone());
        async move { id(&connect(&url).await.origins(), ADA, &home).await }
    }));
    let ids: BTreeSet<Uuid> = at_once.await.into_iter().collect();
    assert_eq!(ids.len(), 1, "eight processes at once");
    let origins = desk.log.origins();
    let others = [
        (BOB, home.clone()),
        (ADA, origin("192.0.2.1", None)),
        (ADA, origin("192.0.2.2", Some("desk/1.0"))),
        (
            ADA,
            Origin {
                forwarded_for: Some("desk/1.0".to_owned()),
                ..origin("192.0.2.1", None)
            },
        ),
    ];
    let mut all = ids;
    for (user, other) in &others {
        assert!(all.insert(id(&origins, *user, other).await), "{other:?}");
    }
    assert!(all.contains(&id(&origins, ADA, &home).await));
}

#[tokio::test]
async fn whoever_follows_is_told_what_is_known_and_what_is_forgotten() {
    let desk = Desk::start().await;
    let (origins, home) = (desk.log.origins(), origin("192.0.2.1", None));
    let seen = id(&origins, ADA, &home).await;
    let mut changes = origins.follow().await.unwrap();
    let OriginChange::Known(key, known) = next(&mut changes).await else {
        panic!("it is known")
    };
    assert_eq!((known.id, known.user, &known.origin), (seen, ADA.as_uuid(), &home));
    assert_eq!(next(&mut changes).await, OriginChange::CaughtUp);

    let raw = desk.raw().await;
    let bucket = raw.context.get_key_value("rc-origins").await.unwrap();
    bucket.purge(&key).await.unwrap();
    assert_eq!(next(&mut changes).await, OriginChange::Forgotten(key));
    // What is seen again after that is not known to be the same.
    let again = id(&connect(desk.nats.url()).await.origins(), ADA, &home).await;
    assert_ne!(again, seen);
}

#[tokio::test]
async fn who_comes_from_ever_new_places_fills_no_bucket_and_nobody_elses_day() {
    let desk = Desk::start().await;
    let origins = desk.log.origins();
    let mut known = 0;
    for n in 0..1_010 {
        let made_up = origin("192.0.2.1", Some(&format!("agent {n}")));
        known += u32::from(origins.id(ADA, &made_up).await.unwrap().is_some());
    }
    assert_eq!(known, 1_000);
    id(&origins, ADA, &origin("192.0.2.1", Some("agent 0"))).await;
    id(&origins, BOB, &origin("192.0.2.1", None)).await;
}
