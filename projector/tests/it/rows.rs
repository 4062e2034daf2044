//! Given records, then rows.

use domain::testing::{create, customer};
use sqlx::Row as _;

use crate::desk::{Desk, Running, SOMEBODY, database, rebuilt, ticket};

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_shows_in_every_table() {
    let desk = Desk::start().await;
    desk.lives(0, 14).await;
    desk.name(SOMEBODY, "Ada").await;
    desk.name(SOMEBODY, "Ada Lovelace").await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.caught_up(&pool).await;

    let statuses = sqlx::query("SELECT status, count(*) FROM desk.tickets GROUP BY status ORDER BY status");
    let statuses: Vec<(String, i64)> = statuses
        .fetch_all(&pool)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let expected = [
        ("closed", 2),
        ("in_progress", 6),
        ("new", 2),
        ("waiting_for_closure", 2),
        ("waiting_for_info", 2),
    ];
    assert_eq!(statuses, expected.map(|(status, count)| (status.to_owned(), count)));

    let counted: Vec<(String, i64)> = sqlx::query(
        "SELECT value, sum(total)::bigint FROM desk.counters WHERE dimension = 'status' GROUP BY value ORDER BY value",
    )
    .fetch_all(&pool)
    .await
    .unwrap()
    .iter()
    .map(|row| (row.get(0), row.get(1)))
    .collect();
    assert_eq!(counted, statuses);

    let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM desk.ticket_timers")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(timers, 4, "two wait for information, two for closure");
    let name: String = sqlx::query_scalar("SELECT name FROM desk.directory_names")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(name, "Ada Lovelace");
    let events: Vec<String> = sqlx::query_scalar(
        "SELECT event FROM desk.timeline WHERE ticket_id = $1 AND event NOT LIKE 'sla\\_%' ORDER BY revision, place",
    )
    .bind(ticket(4).as_uuid())
    .fetch_all(&pool)
    .await
    .unwrap();
    let expected = [
        "created",
        "accepted",
        "commented",
        "information_requested",
        "commented",
        "work_resumed",
    ];
    assert_eq!(events, expected);
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_makes_the_tables_that_a_live_projector_made() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    // Following live, batches are small; rebuilding, they are large.
    desk.lives(0, 10).await;
    desk.caught_up(&pool).await;
    desk.lives(10, 20).await;
    desk.caught_up(&pool).await;
    let live = projector::testing::dump(&pool).await.unwrap();
    assert_eq!(live, rebuilt(&desk).await);
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_shows_within_a_second_of_being_written() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.caught_up(&pool).await;
    let before = std::time::Instant::now();
    desk.give(ticket(0), customer(), create()).await;
    desk.caught_up(&pool).await;
    assert!(
        before.elapsed() < std::time::Duration::from_secs(1),
        "{:?}",
        before.elapsed()
    );
    projector.stop().await;
}
