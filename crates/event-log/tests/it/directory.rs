//! Names.

use domain::directory::{EntryKind, Event};
use domain::ids::Revision;
use domain::testing::agent;
use event_log::DirectoryError;
use futures::future::join_all;
use uuid::Uuid;
use wire::Record;

use crate::support::{Desk, Raw, connect};

fn label(text: &str) -> domain::text::Label {
    domain::text::Label::parse(text).unwrap()
}

async fn names(raw: &Raw) -> Vec<(EntryKind, String)> {
    let stored = raw.stored("RC_DIRECTORY").await;
    let records = stored.iter().map(|(_, bytes)| wire::decode::<Event>(bytes).unwrap());
    records
        .flat_map(|record| record.events)
        .filter_map(|event| match event {
            Event::Named { kind, name } => Some((kind, name.as_str().to_owned())),
            Event::Calendar(_)
            | Event::Policy(_)
            | Event::Agreed(_)
            | Event::Profile(_)
            | Event::Digest(_)
            | Event::Address(_) => None,
        })
        .collect()
}

#[tokio::test]
async fn a_name_given_twice_is_recorded_once() {
    let desk = Desk::start().await;
    let id = Uuid::new_v4();
    // The same process remembers; another one looks it up.
    let (directory, other) = (desk.log.directory(), connect(desk.nats.url()).await.directory());
    for directory in [&directory, &directory, &other] {
        directory
            .name(EntryKind::User, id, &label("Ada"), &agent())
            .await
            .unwrap();
    }
    assert_eq!(names(&desk.raw().await).await, [(EntryKind::User, "Ada".to_owned())]);
}

#[tokio::test]
async fn a_new_name_follows_from_the_old_one() {
    let desk = Desk::start().await;
    let directory = desk.log.directory();
    let id = Uuid::new_v4();
    for name in ["Ada Byron", "Ada King", "Ada Byron"] {
        directory
            .name(EntryKind::User, id, &label(name), &agent())
            .await
            .unwrap();
    }
    let stored = desk.raw().await.stored("RC_DIRECTORY").await;
    let mut before = (0, [0; 32]);
    for (revision, (sequence, bytes)) in (1..).zip(&stored) {
        let Record { header, .. } = wire::decode::<Event>(bytes).unwrap();
        assert_eq!((header.aggregate_id, header.revision), (id, Revision(revision)));
        assert_eq!((header.previous_sequence, header.previous_hash), before);
        assert_eq!(header.actor.user, agent().user);
        before = (*sequence, wire::hash(bytes));
    }
    assert_eq!(stored.len(), 3);
}

#[tokio::test]
async fn a_user_a_group_and_an_organisation_may_have_the_same_id() {
    let desk = Desk::start().await;
    for kind in EntryKind::ALL {
        let directory = desk.log.directory();
        directory
            .name(kind, Uuid::nil(), &label("same"), &agent())
            .await
            .unwrap();
    }
    assert_eq!(names(&desk.raw().await).await.len(), EntryKind::ALL.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_given_by_many_at_once_is_recorded_once() {
    let desk = Desk::start().await;
    let other = connect(desk.nats.url()).await;
    let id = Uuid::new_v4();
    let given = [&desk.log, &other].into_iter().cycle().take(16).map(|log| {
        let directory = log.directory();
        tokio::spawn(async move {
            directory
                .name(EntryKind::Group, id, &label("Second line"), &agent())
                .await
        })
    });
    for given in join_all(given).await {
        given.unwrap().unwrap();
    }
    assert_eq!(names(&desk.raw().await).await.len(), 1);
}

#[tokio::test]
async fn a_name_cannot_be_given_while_the_log_is_down_and_can_afterwards() {
    let desk = Desk::start().await;
    let directory = desk.log.directory();
    let (ada, actor) = (label("Ada"), agent());
    let name = || directory.name(EntryKind::User, Uuid::nil(), &ada, &actor);
    desk.nats.kill().await;
    let refused = name().await;
    assert!(matches!(refused, Err(DirectoryError::Unavailable)), "{refused:?}");
    desk.nats.restart().await;
    name().await.unwrap();
    assert_eq!(names(&desk.raw().await).await.len(), 1);
}
