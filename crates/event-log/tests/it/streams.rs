//! What a first start makes, and what a later one refuses.

use std::time::Duration;

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType, SubjectTransform,
};
use event_log::{ConnectError, EventLog, LogConfig, PARTITIONS_DEFAULT, PARTITIONS_MAX};
use futures::future::join_all;
use service_kit::clock::SystemClock;
use test_harness::Nats;

use crate::support::{PARTITIONS, Raw, config, connect};

async fn try_connect(config: &LogConfig) -> Result<EventLog, ConnectError> {
    EventLog::connect(config, SystemClock::shared()).await
}

fn with_partitions(nats: &Nats, partitions: Option<u16>) -> LogConfig {
    LogConfig {
        partitions,
        ..config(nats.url())
    }
}

/// What all streams of the log have in common: nothing in them is ever lost or altered.
fn assert_keeps_everything(found: &Config) {
    assert_eq!(found.storage, StorageType::File);
    assert_eq!(found.retention, RetentionPolicy::Limits);
    assert!(found.deny_delete && found.deny_purge && found.allow_direct);
    assert!(!found.allow_rollup && !found.allow_message_ttl && !found.no_ack);
    assert_eq!(found.max_age, Duration::ZERO);
    let limits = (found.max_bytes, found.max_messages, found.max_messages_per_subject);
    assert_eq!(limits, (-1, -1, -1));
    assert_eq!(found.num_replicas, 1);
}

#[tokio::test]
async fn a_first_start_makes_streams_that_keep_everything() {
    let nats = Nats::start().await;
    let log = connect(nats.url()).await;
    let raw = Raw::connect(nats.url()).await;
    let expected = [
        ("RC_TICKETS_0", "rc.t.0.*", DiscardPolicy::New),
        ("RC_TICKETS_1", "rc.t.1.*", DiscardPolicy::New),
        ("RC_DIRECTORY", "rc.d.>", DiscardPolicy::New),
        ("RC_COUNTERS", "rc.c.>", DiscardPolicy::Old),
    ];
    for (name, subject, discard) in expected {
        let found = raw.config(name).await;
        assert_keeps_everything(&found);
        assert_eq!(found.subjects, [subject]);
        assert_eq!(found.discard, discard, "{name}");
        assert_eq!(found.allow_message_counter, name == "RC_COUNTERS");
        let metadata = |key: &str| found.metadata.get(key).cloned().unwrap_or_default();
        assert_eq!(metadata("recourse.epoch"), log.epoch().to_string());
        assert_eq!(metadata("recourse.partitions"), PARTITIONS.to_string());
        assert_eq!(metadata("recourse.format"), "1");
    }
    let absent = raw.context.get_stream("RC_TICKETS_2").await;
    assert!(absent.is_err());
}

#[tokio::test]
async fn a_later_start_finds_the_log_that_the_first_made() {
    let nats = Nats::start().await;
    let first = connect(nats.url()).await;
    for partitions in [None, Some(PARTITIONS)] {
        let later = try_connect(&with_partitions(&nats, partitions)).await.unwrap();
        assert_eq!((later.epoch(), later.partitions()), (first.epoch(), PARTITIONS));
    }
    nats.restart().await;
    assert_eq!(connect(nats.url()).await.epoch(), first.epoch());
}

#[tokio::test]
async fn a_directory_of_an_older_release_learns_to_take_records_together() {
    let nats = Nats::start().await;
    let first = connect(nats.url()).await;
    let raw = Raw::connect(nats.url()).await;
    let made = raw.config("RC_DIRECTORY").await;
    assert!(made.allow_atomic_publish);
    let older = Config {
        allow_atomic_publish: false,
        ..made.clone()
    };
    raw.context.update_stream(&older).await.unwrap();
    assert!(!raw.config("RC_DIRECTORY").await.allow_atomic_publish);
    assert_eq!(connect(nats.url()).await.epoch(), first.epoch());
    assert_eq!(raw.config("RC_DIRECTORY").await, made);
}

#[tokio::test]
async fn a_new_log_has_eight_partitions_unless_another_number_is_asked_for() {
    let nats = Nats::start().await;
    let log = try_connect(&with_partitions(&nats, None)).await.unwrap();
    assert_eq!((log.partitions(), PARTITIONS_DEFAULT), (8, 8));
}

#[tokio::test]
async fn another_number_of_partitions_is_refused() {
    let nats = Nats::start().await;
    connect(nats.url()).await;
    let refused = try_connect(&with_partitions(&nats, Some(3))).await;
    assert!(
        matches!(
            refused,
            Err(ConnectError::Partitions {
                asked: 3,
                recorded: PARTITIONS
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_impossible_number_of_partitions_is_refused_before_anything_is_made() {
    let nats = Nats::start().await;
    for asked in [0, PARTITIONS_MAX + 1] {
        let refused = try_connect(&with_partitions(&nats, Some(asked))).await;
        assert!(
            matches!(refused, Err(ConnectError::PartitionsOutOfRange { .. })),
            "{refused:?}"
        );
    }
    connect(nats.url()).await;
}

#[tokio::test]
async fn several_first_starts_at_once_agree_on_the_epoch() {
    let nats = Nats::start().await;
    let config = config(nats.url());
    let started = join_all((0..8).map(|_| try_connect(&config))).await;
    let epochs: Vec<_> = started.into_iter().map(|log| log.unwrap().epoch()).collect();
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
    assert_eq!(connect(nats.url()).await.epoch(), epochs[0]);
}

#[tokio::test]
async fn a_start_cut_short_is_taken_up_by_the_next() {
    let nats = Nats::start().await;
    let first = connect(nats.url()).await;
    let raw = Raw::connect(nats.url()).await;
    // The last ones made are the last ones missing.
    for stream in ["RC_DIRECTORY", "RC_COUNTERS", "RC_TICKETS_1"] {
        raw.context.delete_stream(stream).await.unwrap();
    }
    assert_eq!(connect(nats.url()).await.epoch(), first.epoch());
    raw.config("RC_TICKETS_1").await;
}

#[tokio::test]
async fn a_lost_stream_is_not_silently_made_anew() {
    let nats = Nats::start().await;
    connect(nats.url()).await;
    let raw = Raw::connect(nats.url()).await;
    for stream in ["RC_TICKETS_1", "RC_COUNTERS", "RC_TICKETS_0"] {
        let config = raw.config(stream).await;
        raw.context.delete_stream(stream).await.unwrap();
        let said = drift(&nats).await;
        assert!(said.contains(stream) && said.contains("missing"), "{said}");
        raw.context.create_stream(config).await.unwrap();
    }
    connect(nats.url()).await;
}

/// What a start says of a stream that is not as it was made.
async fn drift(nats: &Nats) -> String {
    match try_connect(&config(nats.url())).await {
        Err(ConnectError::Drift(drift)) => drift.to_string(),
        other => panic!("{other:?}"),
    }
}

type Change = fn(&mut Config);

#[tokio::test]
async fn a_stream_that_is_not_as_it_was_made_is_refused_with_the_settings_that_differ() {
    let faults: [(&str, Change); 19] = [
        ("subjects", |config| config.subjects = vec!["rc.d.*.*".to_owned()]),
        ("storage", |config| config.storage = StorageType::Memory),
        ("retention", |config| config.retention = RetentionPolicy::Interest),
        ("discard", |config| config.discard = DiscardPolicy::Old),
        ("deny_delete", |config| config.deny_delete = false),
        ("deny_purge", |config| config.deny_purge = false),
        ("allow_direct", |config| config.allow_direct = false),
        ("allow_rollup_hdrs", |config| {
            config.deny_purge = false;
            config.allow_rollup = true;
        }),
        ("allow_msg_ttl", |config| config.allow_message_ttl = true),
        ("no_ack", |config| config.no_ack = true),
        ("persist_mode_async", |config| {
            config.persist_mode = Some(PersistenceMode::Async);
            config.allow_atomic_publish = false;
        }),
        ("max_age", |config| config.max_age = Duration::from_hours(1)),
        ("max_bytes", |config| config.max_bytes = 1 << 20),
        ("max_msgs", |config| config.max_messages = 1000),
        ("max_msgs_per_subject", |config| config.max_messages_per_subject = 10),
        ("max_msg_size", |config| config.max_message_size = 4096),
        ("subject_transform", |config| {
            config.subject_transform = Some(SubjectTransform {
                source: "rc.d.>".to_owned(),
                destination: "rc.d.x.>".to_owned(),
            });
        }),
        ("recourse.epoch", |config| {
            drop(config.metadata.remove("recourse.epoch"));
        }),
        ("recourse.partitions", |config| {
            config.metadata.insert("recourse.partitions".to_owned(), "4".to_owned());
        }),
    ];
    let nats = Nats::start().await;
    connect(nats.url()).await;
    let raw = Raw::connect(nats.url()).await;
    let as_made = raw.config("RC_DIRECTORY").await;
    for (setting, change) in faults {
        let mut changed = as_made.clone();
        change(&mut changed);
        raw.context.delete_stream("RC_DIRECTORY").await.unwrap();
        let made = raw.context.create_stream(changed).await;
        made.unwrap_or_else(|error| panic!("{setting}: {error}"));
        let said = drift(&nats).await;
        assert!(
            said.contains("RC_DIRECTORY") && said.contains(setting),
            "{setting}: {said}"
        );
    }
}

#[tokio::test]
async fn a_log_of_a_later_format_is_refused() {
    let nats = Nats::start().await;
    connect(nats.url()).await;
    let raw = Raw::connect(nats.url()).await;
    let mut later = raw.config("RC_TICKETS_0").await;
    later.metadata.insert("recourse.format".to_owned(), "2".to_owned());
    raw.context.update_stream(later).await.unwrap();
    let said = drift(&nats).await;
    assert!(said.contains("recourse.format"), "{said}");
}

#[tokio::test]
async fn settings_that_are_the_operators_business_may_differ() {
    let nats = Nats::start().await;
    connect(nats.url()).await;
    let raw = Raw::connect(nats.url()).await;
    let mut other = raw.config("RC_TICKETS_0").await;
    other.description = Some("ours".to_owned());
    other.duplicate_window = Duration::from_secs(10);
    raw.context.update_stream(other).await.unwrap();
    connect(nats.url()).await;
}

#[tokio::test]
async fn a_token_in_any_of_several_addresses_will_do() {
    let nats = Nats::start().await;
    let port = nats.port();
    let url = format!("nats://127.0.0.1:{port}, {}", nats.url());
    connect(&url).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_or_lets_nobody_in_is_unavailable() {
    let nats = Nats::start().await;
    let stranger = format!("nats://wrong@127.0.0.1:{}", nats.port());
    let refused = try_connect(&config(&stranger)).await;
    assert!(matches!(refused, Err(ConnectError::Unavailable(_))), "{refused:?}");
    nats.kill().await;
    let refused = try_connect(&config(nats.url())).await;
    assert!(matches!(refused, Err(ConnectError::Unavailable(_))), "{refused:?}");
    let refused = try_connect(&config("nats://[")).await;
    assert!(matches!(refused, Err(ConnectError::Address(_))), "{refused:?}");
}
