//! Several projectors at once, and projectors that end at any moment.

use crate::desk::{Desk, Running, database, rebuilt};

#[tokio::test(flavor = "multi_thread")]
async fn two_projectors_at_once_make_the_same_tables() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let projectors = [Running::start(&desk, &url), Running::start(&desk, &url)];
    desk.lives(0, 30).await;
    desk.caught_up(&pool).await;
    let tables = projector::testing::dump(&pool).await.unwrap();
    assert_eq!(tables, rebuilt(&desk).await);
    for projector in projectors {
        projector.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stands_by_takes_over() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    let first = Running::start(&desk, &url);
    desk.lives(0, 5).await;
    desk.caught_up(&pool).await;
    let second = Running::start(&desk, &url);
    first.crash().await;
    desk.lives(5, 10).await;
    desk.caught_up(&pool).await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_crashes_again_and_again_comes_to_the_same_tables() {
    let desk = Desk::start().await;
    let (url, pool) = database().await;
    for round in 0..8 {
        let projector = Running::start(&desk, &url);
        desk.lives(round * 4, round * 4 + 4).await;
        projector.crash().await;
    }
    let projector = Running::start(&desk, &url);
    desk.caught_up(&pool).await;
    let tables = projector::testing::dump(&pool).await.unwrap();
    assert_eq!(tables, rebuilt(&desk).await);
    projector.stop().await;
}
