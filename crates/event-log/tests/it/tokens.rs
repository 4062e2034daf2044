//! The bucket of tokens, and following it.

use std::time::Duration;

use domain::Timestamp;
use event_log::{TokenChange, TokenChanges, TokenStore, TokenStoreError};
use service_kit::tokens::{GrantKind, TokenGrant, TokenHash, generate};
use uuid::Uuid;

use crate::support::{Desk, LIMIT, Raw, connect};

fn grant(name: &str) -> TokenGrant {
    TokenGrant {
        user: Uuid::from_u128(1),
        name: name.to_owned(),
        kind: GrantKind::Staff,
        organisation: None,
        groups: Vec::new(),
        leading: false,
        permissions: Vec::new(),
        created_at: Timestamp::UNIX_EPOCH,
        revoked_at: None,
        expires_at: None,
        session: None,
        viewer: None,
        scopes: None,
        purpose: None,
    }
}

async fn keep(tokens: &TokenStore, name: &str) -> TokenHash {
    let (_, hash) = generate();
    tokens.put(hash, &grant(name)).await.unwrap();
    hash
}

/// The next change, or a failure if there is none in good time.
async fn next(changes: &mut TokenChanges) -> TokenChange {
    tokio::time::timeout(LIMIT, changes.next())
        .await
        .expect("a change")
        .unwrap()
}

/// What is told until [`TokenChange::CaughtUp`].
async fn until_caught_up(changes: &mut TokenChanges) -> Vec<TokenChange> {
    let mut told = Vec::new();
    loop {
        match next(changes).await {
            TokenChange::CaughtUp => return told,
            change => told.push(change),
        }
    }
}

#[tokio::test]
async fn a_token_grants_what_was_kept_for_it_last() {
    let desk = Desk::start().await;
    let tokens = desk.log.tokens();
    let (_, unknown) = generate();
    assert_eq!(tokens.get(unknown).await.unwrap(), None);
    let hash = keep(&tokens, "Ada").await;
    assert_eq!(tokens.get(hash).await.unwrap(), Some(grant("Ada")));
    let revoked = TokenGrant {
        revoked_at: Some(Timestamp::UNIX_EPOCH),
        ..grant("Ada")
    };
    tokens.put(hash, &revoked).await.unwrap();
    let other_process = connect(desk.nats.url()).await.tokens();
    assert!(other_process.get(hash).await.unwrap().unwrap().is_revoked());
}

#[tokio::test]
async fn whoever_follows_an_empty_bucket_has_caught_up_at_once() {
    let desk = Desk::start().await;
    let tokens = desk.log.tokens();
    let mut changes = tokens.follow().await.unwrap();
    assert_eq!(next(&mut changes).await, TokenChange::CaughtUp);
    let hash = keep(&tokens, "Ada").await;
    assert_eq!(
        next(&mut changes).await,
        TokenChange::Granted(hash, Box::new(grant("Ada")))
    );
}

#[tokio::test]
async fn whoever_follows_hears_what_is_there_then_that_this_was_all_then_what_happens() {
    let desk = Desk::start().await;
    let tokens = desk.log.tokens();
    let mut kept = Vec::new();
    for name in ["Ada", "Grace", "Edsger"] {
        kept.push(TokenChange::Granted(keep(&tokens, name).await, Box::new(grant(name))));
    }
    let mut changes = tokens.follow().await.unwrap();
    assert_eq!(until_caught_up(&mut changes).await, kept);

    let hash = keep(&tokens, "Barbara").await;
    assert_eq!(
        next(&mut changes).await,
        TokenChange::Granted(hash, Box::new(grant("Barbara")))
    );
    let revoked = TokenGrant {
        revoked_at: Some(Timestamp::UNIX_EPOCH),
        ..grant("Barbara")
    };
    tokens.put(hash, &revoked).await.unwrap();
    assert_eq!(next(&mut changes).await, TokenChange::Granted(hash, Box::new(revoked)));
}

#[tokio::test]
async fn only_the_last_grant_of_a_token_is_told() {
    let desk = Desk::start().await;
    let tokens = desk.log.tokens();
    let hash = keep(&tokens, "Ada").await;
    tokens.put(hash, &grant("Countess")).await.unwrap();
    let mut changes = tokens.follow().await.unwrap();
    let told = until_caught_up(&mut changes).await;
    assert_eq!(told, [TokenChange::Granted(hash, Box::new(grant("Countess")))]);
}

#[tokio::test]
async fn a_token_can_be_forgotten() {
    let desk = Desk::start().await;
    let tokens = desk.log.tokens();
    let bucket = desk.raw().await.context.get_key_value("rc-tokens").await.unwrap();
    let (ada, grace) = (keep(&tokens, "Ada").await, keep(&tokens, "Grace").await);
    let mut changes = tokens.follow().await.unwrap();
    assert_eq!(until_caught_up(&mut changes).await.len(), 2);
    bucket.delete(ada.to_string()).await.unwrap();
    assert_eq!(next(&mut changes).await, TokenChange::Forgotten(ada));
    bucket.purge(grace.to_string()).await.unwrap();
    assert_eq!(next(&mut changes).await, TokenChange::Forgotten(grace));
    assert_eq!(tokens.get(ada).await.unwrap(), None);
    // Who comes later hears of the forgotten too, and of nothing else.
    let mut later = tokens.follow().await.unwrap();
    let told = until_caught_up(&mut later).await;
    assert_eq!(told, [TokenChange::Forgotten(ada), TokenChange::Forgotten(grace)]);
}

#[tokio::test]
async fn what_is_no_token_is_passed_over_even_as_the_last_entry() {
    let desk = Desk::start().await;
    let tokens = desk.log.tokens();
    let hash = keep(&tokens, "Ada").await;
    let bucket = desk.raw().await.context.get_key_value("rc-tokens").await.unwrap();
    bucket.put("note", "not ours".into()).await.unwrap();
    let mut changes = tokens.follow().await.unwrap();
    let told = until_caught_up(&mut changes).await;
    assert_eq!(told, [TokenChange::Granted(hash, Box::new(grant("Ada")))]);
}

#[tokio::test]
async fn a_grant_that_cannot_be_read_is_an_error_that_names_the_token() {
    let desk = Desk::start().await;
    let tokens = desk.log.tokens();
    let (_, hash) = generate();
    let bucket = desk.raw().await.context.get_key_value("rc-tokens").await.unwrap();
    bucket.put(hash.to_string(), "{}".into()).await.unwrap();
    let read = tokens.get(hash).await;
    assert!(
        matches!(read, Err(TokenStoreError::Malformed { hash: named, .. }) if named == hash),
        "{read:?}"
    );
    let mut changes = tokens.follow().await.unwrap();
    let followed = changes.next().await;
    assert!(
        matches!(followed, Err(TokenStoreError::Malformed { .. })),
        "{followed:?}"
    );
}

#[tokio::test]
async fn a_new_connection_ends_the_following_and_beginning_anew_tells_everything() {
    let desk = Desk::start().await;
    let tokens = desk.log.tokens();
    let ada = keep(&tokens, "Ada").await;
    let mut changes = tokens.follow().await.unwrap();
    assert_eq!(until_caught_up(&mut changes).await.len(), 1);
    desk.nats.kill().await;
    desk.nats.restart().await;
    let ended = changes.next().await;
    assert!(matches!(ended, Err(TokenStoreError::Unavailable(_))), "{ended:?}");

    let grace = keep(&connect(desk.nats.url()).await.tokens(), "Grace").await;
    let mut changes = tokens.follow().await.unwrap();
    let granted =
        [(ada, "Ada"), (grace, "Grace")].map(|(hash, name)| TokenChange::Granted(hash, Box::new(grant(name))));
    assert_eq!(until_caught_up(&mut changes).await, granted);
}

#[tokio::test]
async fn nothing_is_left_of_a_session_that_is_over_or_was_ended() {
    let desk = Desk::start().await;
    let tokens = desk.log.tokens();
    let (_, ended) = generate();
    let (_, short) = generate();
    tokens.put_for(ended, &grant("Ada"), LIMIT).await.unwrap();
    tokens
        .put_for(short, &grant("Bob"), Duration::from_secs(1))
        .await
        .unwrap();
    let mut changes = tokens.follow().await.unwrap();
    let told = until_caught_up(&mut changes).await;
    assert!(
        told.contains(&TokenChange::Granted(ended, Box::new(grant("Ada")))),
        "{told:?}"
    );
    tokens.forget(ended).await.unwrap();
    // Whoever follows is told of both, the one that nobody ended included.
    let mut forgotten = Vec::new();
    while forgotten.len() < 2 {
        if let TokenChange::Forgotten(hash) = next(&mut changes).await {
            forgotten.push(hash);
        }
    }
    forgotten.sort();
    let mut both = [ended, short];
    both.sort();
    assert_eq!(forgotten, both);
    assert_eq!(
        (tokens.get(ended).await.unwrap(), tokens.get(short).await.unwrap()),
        (None, None)
    );
}

#[tokio::test]
async fn a_bucket_of_an_older_release_learns_to_forget() {
    let nats = test_harness::Nats::start().await;
    let context = Raw::connect(nats.url()).await.context;
    let older = async_nats::jetstream::kv::Config {
        bucket: "rc-tokens".to_owned(),
        description: "what an operator wrote".to_owned(),
        history: 1,
        ..Default::default()
    };
    let store = context.create_key_value(older).await.unwrap();
    let (_, kept) = generate();
    let value = serde_json::to_vec(&grant("Ada")).unwrap();
    store.put(kept.to_string(), value.into()).await.unwrap();

    let tokens = connect(nats.url()).await.tokens();
    assert_eq!(tokens.get(kept).await.unwrap(), Some(grant("Ada")));
    let (_, session) = generate();
    tokens.put_for(session, &grant("Bob"), LIMIT).await.unwrap();
    assert_eq!(tokens.get(session).await.unwrap(), Some(grant("Bob")));
    let described = context.get_stream("KV_rc-tokens").await.unwrap();
    let description = described.cached_info().config.description.clone();
    assert_eq!(description.as_deref(), Some("what an operator wrote"));
}
