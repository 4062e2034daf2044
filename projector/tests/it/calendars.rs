//! Calendars to rows.

use domain::actor::{Actor, ActorKind};
use domain::calendar::stored::Command;
use domain::calendar::{Calendar, CalendarSpec, Interval, Week};
use domain::ids::{CalendarId, CommandId};
use event_log::Request;
use uuid::Uuid;

use crate::desk::{Desk, Running, SOMEBODY, database, rebuilt};

fn office(end: u32) -> Calendar {
    let week = Week::monday_to_friday(&[Interval::hours(9, end)]);
    Calendar::try_new(CalendarSpec::weekly("Office \\ \"one\"", "UTC", week)).unwrap()
}

async fn give(desk: &Desk, calendar: u128, command: &Command) {
    let id = CalendarId::from(Uuid::from_u128(calendar));
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
    desk.log.calendars().execute(id, command, &request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_has_a_row_and_a_rebuild_makes_the_same() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    for calendar in 0..3 {
        give(&desk, calendar, &Command::Create(office(17), None)).await;
    }
    desk.caught_up(&pool).await;
    let july = Some("2026-07-01".parse().unwrap());
    give(&desk, 1, &Command::Replace(office(16), july)).await;
    let holidays = Command::AddHolidays(["2026-12-25".parse().unwrap()].into());
    give(&desk, 1, &holidays).await;
    desk.caught_up(&pool).await;
    let versions: Vec<(i64, String)> =
        sqlx::query_as("SELECT v.version, v.change FROM desk.calendar_versions v WHERE v.id = $1 ORDER BY v.version")
            .bind(Uuid::from_u128(1))
            .fetch_all(&pool)
            .await
            .unwrap();
    let expected = [
        (1, "calendar_created"),
        (2, "calendar_changed"),
        (3, "calendar_holidays_added"),
    ];
    assert_eq!(versions, expected.map(|(version, change)| (version, change.to_owned())));
    let last: Vec<i64> = sqlx::query_scalar("SELECT version FROM desk.calendars ORDER BY id")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(last, [1, 3, 1]);
    let live = projector::testing::dump(&pool).await.unwrap();
    assert_eq!(live, rebuilt(&desk).await);

    // And so does a generation beside it, whose rows are compared line by line.
    let operator =
        projector::Operator::new(desk.log.clone(), &url, domain::policy::WaitPolicy::supportal().calendar).unwrap();
    let progress = std::sync::Arc::default();
    let (generation, comparisons) = operator.rebuild("directory", None, &progress).await.unwrap();
    assert_eq!(generation, 2);
    assert!(
        comparisons.iter().all(projector::Comparison::is_equal),
        "{comparisons:?}"
    );
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), live);
    projector.stop().await;
}
