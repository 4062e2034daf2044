//! Logins, passwords and failures in their buckets.

use domain::Timestamp;
use domain::ids::UserId;
use domain::sign_in::Login;
use event_log::{Credential, CredentialError, CredentialStore};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::support::{Desk, Raw, connect};

fn login(text: &str) -> Login {
    Login::parse(text).unwrap()
}

fn user(n: u128) -> UserId {
    Uuid::from_u128(n).into()
}

fn now() -> Timestamp {
    service_kit::clock::SystemClock::shared().now()
}

fn credential(login: &str, hash: &str) -> Credential {
    Credential {
        login: login.to_owned(),
        hash: Some(hash.to_owned()),
        link: None,
        change_password: false,
        changed_at: Timestamp::UNIX_EPOCH,
    }
}

async fn give(store: &CredentialStore, who: u128, name: &str) -> Result<(), CredentialError> {
    store.give(user(who), &credential(name, "first"), now()).await
}

async fn holder(store: &CredentialStore, name: &str) -> Option<UserId> {
    store.find(&login(name)).await.unwrap().map(|kept| kept.user)
}

#[tokio::test]
async fn a_login_is_one_users_at_a_time() {
    let desk = Desk::start().await;
    let store = desk.log.credentials();
    assert_eq!(holder(&store, "ada").await, None);
    give(&store, 1, "ada").await.unwrap();
    give(&store, 1, "ada").await.unwrap();
    assert!(matches!(give(&store, 2, "ada").await, Err(CredentialError::Taken)));
    assert_eq!(holder(&store, "ada").await, Some(user(1)));
    give(&store, 1, "lovelace").await.unwrap();
    assert_eq!(
        (holder(&store, "ada").await, holder(&store, "lovelace").await),
        (None, Some(user(1)))
    );
    give(&store, 2, "ada").await.unwrap();
    store.take(user(2)).await.unwrap();
    store.take(user(2)).await.unwrap();
    assert_eq!(holder(&store, "ada").await, None);
    give(&store, 3, "ada").await.unwrap();
    assert_eq!(holder(&store, "ada").await, Some(user(3)));
}

#[tokio::test]
async fn of_many_who_want_a_login_at_once_one_gets_it() {
    let desk = Desk::start().await;
    let store = desk.log.credentials();
    let wishes = (1..9).map(|who| {
        let store = store.clone();
        async move { give(&store, who, "ada").await }
    });
    let given: Vec<bool> = futures::future::join_all(wishes)
        .await
        .iter()
        .map(Result::is_ok)
        .collect();
    assert_eq!(given.iter().filter(|given| **given).count(), 1, "{given:?}");
    let winner = given.iter().position(|given| *given).unwrap() as u128 + 1;
    assert_eq!(holder(&store, "ada").await, Some(user(winner)));
}

/// What is left when the power goes between the claim of a login and the entry that names it.
#[tokio::test]
async fn a_claim_that_nothing_names_opens_nothing_and_ends() {
    let desk = Desk::start().await;
    let store = desk.log.credentials();
    give(&store, 1, "ada").await.unwrap();
    // The user's entry is gone, and the claim is not: as after the first half of either way.
    let raw = Raw::connect(desk.nats.url()).await;
    let bucket = raw.context.get_key_value("rc-credentials").await.unwrap();
    bucket
        .purge(format!("user.{}", Uuid::from_u128(1).simple()))
        .await
        .unwrap();
    assert_eq!(holder(&store, "ada").await, None);
    let give = |who, at| {
        let store = store.clone();
        async move { store.give(user(who), &credential("ada", "x"), at).await }
    };
    assert!(
        matches!(give(2, now()).await, Err(CredentialError::Taken)),
        "it may be on its way"
    );
    give(2, now() + SignedDuration::from_secs(62)).await.unwrap();
    assert_eq!(holder(&store, "ada").await, Some(user(2)));
    // Its first claimer may come late; it is not theirs any more.
    assert!(matches!(give(1, now()).await, Err(CredentialError::Taken)));
}

#[tokio::test]
async fn a_password_is_changed_by_who_saw_the_last_one() {
    let desk = Desk::start().await;
    let store = desk.log.credentials();
    give(&store, 1, "ada").await.unwrap();
    let kept = store.of(user(1)).await.unwrap().unwrap();
    store.change(&kept, &credential("ada", "second")).await.unwrap();
    let late = store.change(&kept, &credential("ada", "third")).await;
    assert!(matches!(late, Err(CredentialError::Contended)));
    let now = connect(desk.nats.url())
        .await
        .credentials()
        .of(user(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(now.credential.hash.as_deref(), Some("second"));
}

#[tokio::test]
async fn attempts_at_the_same_time_are_counted_one_by_one() {
    let desk = Desk::start().await;
    let store = desk.log.credentials();
    let attempts = (0..12).map(|_| {
        let store = store.clone();
        async move { store.attempt(&login("ada"), Timestamp::UNIX_EPOCH).await }
    });
    let attempts = futures::future::join_all(attempts).await;
    let free = attempts.iter().filter(|attempt| matches!(attempt, Ok(Ok(())))).count();
    assert!((1..=5).contains(&free), "{attempts:?}");
    store.succeeded(&login("ada")).await.unwrap();
    let again = store.attempt(&login("ada"), Timestamp::UNIX_EPOCH).await;
    assert!(matches!(again, Ok(Ok(()))), "{again:?}");
}

#[tokio::test]
async fn who_was_given_a_login_while_it_was_taken_has_it_whole_or_not_at_all() {
    let desk = Desk::start().await;
    let store = desk.log.credentials();
    for _ in 0..20 {
        give(&store, 1, "ada").await.unwrap();
        let taken = futures::future::join_all((0..3).map(|_| store.take(user(1))));
        let (given, taken) = futures::join!(give(&store, 1, "ada"), taken);
        assert!(taken.iter().all(Result::is_ok), "{taken:?}");
        assert!(
            given.is_ok() || matches!(given, Err(CredentialError::Contended)),
            "{given:?}"
        );
        let kept = store.of(user(1)).await.unwrap().map(|kept| kept.user);
        assert_eq!(holder(&store, "ada").await, kept);
        // A login that is somebody's is nobody else's.
        if kept.is_some() {
            assert!(matches!(give(&store, 2, "ada").await, Err(CredentialError::Taken)));
        }
    }
}
