//! Policies to rows.

use domain::actor::{Actor, ActorKind};
use domain::ids::{CommandId, PolicyId};
use domain::sla::stored::{Command, Draft, Version};
use domain::sla::{Scope, SlaCalendar};
use domain::text::Label;
use event_log::Request;
use uuid::Uuid;

use crate::desk::{Desk, Running, SOMEBODY, database, rebuilt};

fn draft(name: &str) -> Draft {
    let name = Label::parse(name).unwrap();
    let version = Version {
        scope: Scope {
            service: Some(name.clone()),
            ..Scope::default()
        },
        ..Version::new(name)
    };
    let hours = Some(SlaCalendar::round_the_clock());
    Draft { version, hours }
}

async fn give(desk: &Desk, policy: u128, command: &Command) {
    let id = PolicyId::from(Uuid::from_u128(policy));
    let request = Request {
        command_id: CommandId::from(Uuid::new_v4()),
        digest: [0; 32],
        actor: std::sync::Arc::new(Actor::plain(SOMEBODY, ActorKind::Staff)),
        via: None,
        occurred_at: None,
        honour_deadlines: false,
        if_match: None,
        origin: None,
        traceparent: None,
    };
    desk.log.policies().execute(id, command, &request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_has_a_row_and_a_rebuild_makes_the_same() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    give(&desk, 1, &Command::Create(draft("Gold \\ \"one\""))).await;
    give(&desk, 2, &Command::Create(draft("Silver"))).await;
    desk.caught_up(&pool).await;
    give(&desk, 1, &Command::Replace(draft("Platinum"))).await;
    desk.caught_up(&pool).await;
    let versions: Vec<(i64, String)> =
        sqlx::query_as("SELECT v.version, v.change FROM desk.policy_versions v WHERE v.id = $1 ORDER BY v.version")
            .bind(Uuid::from_u128(1))
            .fetch_all(&pool)
            .await
            .unwrap();
    let expected = [(1, "policy_created"), (2, "policy_changed")];
    assert_eq!(versions, expected.map(|(version, change)| (version, change.to_owned())));
    let last: Vec<(i64, String)> = sqlx::query_as("SELECT version, name FROM desk.policies ORDER BY id")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(last, [(2, "Platinum".to_owned()), (1, "Silver".to_owned())]);
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), rebuilt(&desk).await);
    projector.stop().await;
}
