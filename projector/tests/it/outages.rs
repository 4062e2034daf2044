//! What happens when servers go, and when a record cannot be applied.

use std::sync::Arc;

use domain::policy::WaitPolicy;
use projector::{Operator, Progress, RebuildError};
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use test_harness::{postgres, wait_until};

use crate::desk::{Desk, LIMIT, Running, database, position, rebuilt, ticket};
use crate::nats_text;

async fn drop_database(url: &str) {
    let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
    let mut db = PgConnection::connect(postgres().await.url()).await.unwrap();
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_database_comes_back_as_it_was() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 20).await;
    desk.caught_up(&pool).await;
    let before = projector::testing::dump(&pool).await.unwrap();
    pool.close().await;

    drop_database(&url).await;
    // Something has to happen for the projector to notice: it reads the log, not Postgres.
    desk.lives(20, 22).await;

    let pool = PgPool::connect_lazy(&url).unwrap();
    desk.caught_up(&pool).await;
    let after = projector::testing::dump(&pool).await.unwrap();
    assert_eq!(after, rebuilt(&desk).await);
    assert!(
        before
            .lines()
            .filter(|line| line.contains("\"revision\""))
            .all(|line| after.contains(line))
    );
    wait_until("health", LIMIT, || async { projector.health.report().ready }).await;
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_database_comes_back_although_nothing_happens() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 6).await;
    desk.caught_up(&pool).await;
    let before = projector::testing::dump(&pool).await.unwrap();
    pool.close().await;
    drop_database(&url).await;
    let pool = PgPool::connect_lazy(&url).unwrap();
    desk.caught_up(&pool).await;
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), before);
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_never_was_is_made() {
    let desk = Desk::start().await;
    desk.lives(0, 3).await;
    let (url, pool) = database().await;
    pool.close().await;
    drop_database(&url).await;
    let projector = Running::start(&desk, &url);
    let pool = PgPool::connect_lazy(&url).unwrap();
    desk.caught_up(&pool).await;
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_went_away_is_followed_again() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 5).await;
    desk.caught_up(&pool).await;
    desk.nats.kill().await;
    desk.nats.restart().await;
    wait_until("the log", LIMIT, || async { desk.log.is_connected() }).await;
    desk.lives(5, 10).await;
    desk.caught_up(&pool).await;
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), rebuilt(&desk).await);
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_record_halts_its_partition_alone() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    desk.lives(0, 4).await;
    let subject = format!("rc.t.0.{}", ticket(100).as_uuid().as_simple());
    nats_text::publish(&desk.nats, &subject, "not a record").await;
    desk.lives(4, 8).await;
    let projector = Running::start(&desk, &url);

    let halted = wait_until("partition 0 to halt", LIMIT, || async {
        sqlx::query_scalar::<_, String>("SELECT error FROM recourse.checkpoints WHERE state = 'halted'")
            .fetch_optional(&pool)
            .await
            .ok()
            .flatten()
    })
    .await;
    assert!(halted.contains("not a record"), "{halted}");
    // Tickets 0 and 2 came before it, with one and three records.
    assert_eq!(position(&pool, "tickets", 0).await.unwrap(), 4);
    let odd = desk.log.last_sequence(event_log::Source::Tickets(1)).await.unwrap();
    wait_until("partition 1 to go on", LIMIT, || async {
        position(&pool, "tickets", 1).await == Ok(odd)
    })
    .await;

    let report = projector.health.report();
    assert!(!report.ready);
    let why = report.components.get("projector/tickets/0").cloned().flatten().unwrap();
    assert!(why.contains("record 5"), "{why}");
    assert_eq!(report.components.get("projector/tickets/1"), Some(&None));

    // Somebody has looked at it, and it is nothing.
    let operator = Operator::new(desk.log.clone(), &url, WaitPolicy::supportal().calendar).unwrap();
    let reason = "published by hand";
    assert!(matches!(
        operator.skip("tickets", None, 1, reason).await,
        Err(RebuildError::NotHalted { .. })
    ));
    assert_eq!(operator.skip("tickets", None, 0, reason).await.unwrap(), 5);
    desk.caught_up(&pool).await;
    let noted: (String, String) = sqlx::query_as("SELECT reason, error FROM recourse.skipped")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!((noted.0.as_str(), noted.1.contains("not a record")), (reason, true));
    // A new generation passes over it as well.
    let progress = Arc::new(Progress::default());
    assert_eq!(operator.rebuild("tickets", None, &progress).await.unwrap().0, 2);
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_log_are_not_added_to() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 4).await;
    desk.caught_up(&pool).await;
    projector.stop().await;

    let other = Desk::start().await;
    other.lives(0, 8).await;
    let projector = Running::start(&other, &url);
    wait_until("the projections to halt", LIMIT, || async {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM recourse.checkpoints WHERE state = 'halted'")
            .fetch_one(&pool)
            .await
            .is_ok_and(|halted| halted == 2)
    })
    .await;
    assert!(!projector.health.report().ready);
    projector.stop().await;
}
