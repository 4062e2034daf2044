//! New generations beside the one that serves.

use std::sync::Arc;

use domain::policy::WaitPolicy;
use projector::{Comparison, Operator, Pace, Progress, RebuildError, Retention, Settings};
use sqlx::postgres::PgPool;
use test_harness::wait_until;

use crate::desk::{Desk, LIMIT, Running, SOMEBODY, database, rebuilt};

fn operator(desk: &Desk, url: &str) -> Operator {
    Operator::new(desk.log.clone(), url, WaitPolicy::supportal().calendar).unwrap()
}

async fn serving(pool: &PgPool, projection: &str) -> i32 {
    sqlx::query_scalar("SELECT generation FROM recourse.generations WHERE projection = $1 AND state = 'serving'")
        .bind(projection)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_generation_equals_the_one_before_and_follows_the_log() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 20).await;
    desk.name(SOMEBODY, "Ada").await;
    desk.caught_up(&pool).await;
    let before = projector::testing::dump(&pool).await.unwrap();
    let operator = operator(&desk, &url);
    let progress = Arc::new(Progress::default());

    for (projection, tables) in [("tickets", 11 * 2), ("directory", 12)] {
        let (generation, comparisons) = operator.rebuild(projection, None, &progress).await.unwrap();
        assert_eq!((generation, serving(&pool, projection).await), (2, 2));
        assert_eq!(comparisons.len(), tables);
        assert!(comparisons.iter().all(Comparison::is_equal), "{comparisons:?}");
    }
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), before);

    // Both go on: the new one for readers, the old one to go back to.
    desk.lives(20, 30).await;
    desk.caught_up(&pool).await;
    let after = projector::testing::dump(&pool).await.unwrap();
    assert_eq!(operator.switch("tickets", None).await.unwrap(), 1);
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), after);

    assert!(matches!(
        operator.drop("tickets", 1).await,
        Err(RebuildError::Serves { .. })
    ));
    operator.drop("tickets", 2).await.unwrap();
    assert!(matches!(
        operator.switch("tickets", Some(2)).await,
        Err(RebuildError::UnknownGeneration { .. })
    ));
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_that_was_kept_for_long_is_dropped_and_no_other() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let every_second = Settings {
        retention: Retention {
            at: "* * * * * *".parse().unwrap(),
            keep_generations: 14,
        },
        ..Settings::new(WaitPolicy::supportal().calendar)
    };
    let projector = Running::start_with(&desk, &url, every_second);
    desk.lives(0, 3).await;
    desk.caught_up(&pool).await;
    let (operator, progress) = (operator(&desk, &url), Arc::new(Progress::default()));
    for projection in ["tickets", "directory"] {
        operator.rebuild(projection, None, &progress).await.unwrap();
    }
    sqlx::query("UPDATE recourse.generations SET since = now() - interval '14 days' WHERE projection = 'tickets'")
        .execute(&pool)
        .await
        .unwrap();
    wait_until("the old generation to be dropped", LIMIT, async || {
        let left: Vec<(String, i32)> =
            sqlx::query_as("SELECT projection, generation FROM recourse.generations ORDER BY 1, 2")
                .fetch_all(&pool)
                .await
                .unwrap();
        let expected = [("directory", 1), ("directory", 2), ("tickets", 2)];
        let expected = expected.map(|(projection, generation)| (projection.to_owned(), generation));
        if left == expected { Ok(()) } else { Err(left) }
    })
    .await;
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_projector_left_behind_that_ended_while_it_filled_a_read_model_is_dropped_by_the_next() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 3).await;
    desk.caught_up(&pool).await;
    let (operator, progress) = (operator(&desk, &url), Arc::new(Progress::default()));
    operator.rebuild("tickets", None, &progress).await.unwrap();
    projector.stop().await;
    sqlx::query("UPDATE recourse.checkpoints SET filled = false WHERE projection = 'tickets' AND generation = 1")
        .execute(&pool)
        .await
        .unwrap();

    let projector = Running::start(&desk, &url);
    wait_until("the generation to be dropped", LIMIT, async || {
        let left: Vec<i32> =
            sqlx::query_scalar("SELECT generation FROM recourse.generations WHERE projection = 'tickets'")
                .fetch_all(&pool)
                .await
                .unwrap();
        if left == [2] { Ok(()) } else { Err(left) }
    })
    .await;
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_changed_is_found() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 12).await;
    desk.caught_up(&pool).await;
    let operator = operator(&desk, &url);
    let progress = Arc::new(Progress::default());
    let equal = operator.verify("tickets", None, &progress).await.unwrap();
    assert!(equal.iter().all(Comparison::is_equal), "{equal:?}");

    sqlx::query("UPDATE tickets_1.timeline SET details = '{}' WHERE event = 'commented' AND partition = 0")
        .execute(&pool)
        .await
        .unwrap();
    // Of a partition that the log does not have.
    sqlx::query("INSERT INTO tickets_1.daily (day, partition, created, closed) VALUES ('2026-01-01', 77, 1, 1)")
        .execute(&pool)
        .await
        .unwrap();
    let found = operator.verify("tickets", None, &progress).await.unwrap();
    let different: Vec<(&str, u16)> = found
        .iter()
        .filter(|comparison| !comparison.is_equal())
        .map(|comparison| (comparison.table.as_str(), comparison.partition))
        .collect();
    assert_eq!(different, [("tickets_1.timeline", 0), ("tickets_1.daily", 77)]);
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_projection_stays_where_it_is_until_it_may_go_on() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 4).await;
    desk.caught_up(&pool).await;
    let operator = operator(&desk, &url);
    assert_eq!(operator.set_paused("tickets", None, Pace::Paused).await.unwrap(), 2);
    let before = projector::testing::dump(&pool).await.unwrap();
    desk.lives(4, 8).await;
    wait_until("a projector that says that it is paused", LIMIT, async || {
        let report = projector.health.report();
        let paused = |why: &Option<String>| why.as_ref().is_some_and(|why| why.contains("paused"));
        if report.components.values().filter(|why| paused(why)).count() == 2 {
            Ok(())
        } else {
            Err(report)
        }
    })
    .await;
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), before);

    assert_eq!(operator.set_paused("tickets", None, Pace::Running).await.unwrap(), 2);
    desk.caught_up(&pool).await;
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cut_off_rebuild_left_is_removed_by_the_next() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 6).await;
    desk.caught_up(&pool).await;
    let operator = operator(&desk, &url);
    let progress = Arc::new(Progress::default());
    // Cut off as soon as it has begun to make tables.
    let mut stages = progress.stage.subscribe();
    tokio::select! {
        _ = operator.rebuild("tickets", None, &progress) => panic!("it was to be cut off"),
        _ = stages.changed() => {}
    }
    assert_eq!(serving(&pool, "tickets").await, 1);
    let (generation, _) = operator.rebuild("tickets", None, &progress).await.unwrap();
    assert_eq!(generation, 2);
    let filling: i64 = sqlx::query_scalar("SELECT count(*) FROM recourse.generations WHERE state = 'filling'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(filling, 0);
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_starts_without_a_first_generation_is_ready() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.lives(0, 4).await;
    desk.caught_up(&pool).await;
    let operator = operator(&desk, &url);
    operator
        .rebuild("tickets", None, &Arc::new(Progress::default()))
        .await
        .unwrap();
    operator.drop("tickets", 1).await.unwrap();
    projector.stop().await;

    let projector = Running::start(&desk, &url);
    wait_until("a projector that is ready", LIMIT, async || {
        let report = projector.health.report();
        if report.ready { Ok(()) } else { Err(report) }
    })
    .await;
    projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_that_is_filled_at_once_equals_one_that_followed_the_log() {
    let desk = Desk::start().await;
    desk.lives(0, 20).await;
    let expected = rebuilt(&desk).await;
    let (url, pool) = database().await;
    let projector = Running::start_filling_at_once(&desk, &url);
    wait_until("a generation that was filled at once", LIMIT, async || {
        let generations: Vec<(i32, String)> = sqlx::query_as(
            "SELECT generation, state FROM recourse.generations WHERE projection = 'tickets' ORDER BY generation",
        )
        .fetch_all(&pool)
        .await
        .unwrap_or_default();
        if generations == [(2, "serving".to_owned())] {
            Ok(())
        } else {
            Err(generations)
        }
    })
    .await;
    desk.caught_up(&pool).await;
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), expected);

    // From then on it follows the log.
    desk.lives(20, 24).await;
    desk.caught_up(&pool).await;
    projector.stop().await;
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), rebuilt(&desk).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_release_are_replaced_at_the_start_and_left_alone_later() {
    let desk = Desk::start().await;
    desk.lives(0, 20).await;
    let expected = rebuilt(&desk).await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.caught_up(&pool).await;

    // Somebody newer takes over while this one runs.
    let others = "UPDATE recourse.generations SET layout = 'of another release'";
    sqlx::query(others).execute(&pool).await.unwrap();
    wait_until("the projector to leave them alone", LIMIT, async || {
        let report = format!("{:?}", projector.health.report());
        if report.contains("another release") {
            Ok(())
        } else {
            Err(report)
        }
    })
    .await;
    assert_eq!(
        (serving(&pool, "tickets").await, serving(&pool, "directory").await),
        (1, 1)
    );
    projector.stop().await;

    // Its views have other columns; so have those that analysts' views stand on.
    for others in [
        "ALTER VIEW desk.tickets RENAME COLUMN priority TO urgency",
        "ALTER VIEW desk.measure_counts RENAME COLUMN starts TO day",
        "ALTER VIEW desk.directory_names RENAME COLUMN name TO called",
    ] {
        sqlx::query(others).execute(&pool).await.unwrap();
    }

    // This one comes back.
    let projector = Running::start(&desk, &url);
    wait_until("tables of its own", LIMIT, async || {
        let serving = (serving(&pool, "tickets").await, serving(&pool, "directory").await);
        if serving == (2, 2) {
            Ok(())
        } else {
            Err(format!("{serving:?}; {:?}", projector.health.report()))
        }
    })
    .await;
    desk.caught_up(&pool).await;
    assert_eq!(projector::testing::dump(&pool).await.unwrap(), expected);
    let told: (i64, bool) = sqlx::query_as(
        "SELECT count(priority), has_table_privilege('recourse_analyst', 'analytics.tickets_v1', 'SELECT')
         FROM analytics.tickets_v1",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(told, (20, true));
    projector.stop().await;
}
