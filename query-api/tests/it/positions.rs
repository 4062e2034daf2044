//! Reading one's own writes, and a read model that is not there.

use std::time::{Duration, Instant};

use domain::testing::agent;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use test_harness::{postgres, wait_until};

use crate::desk::{Desk, LIMIT, ticket};

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_what_it_has_written() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    for n in 1..30 {
        let opened = desk.open(n).await;
        let answer = desk.get(&token, &format!("/v1/tickets/{}", ticket(n))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let read = answer
            .header("read-position")
            .split(',')
            .map(|text| text.parse::<domain::ids::Position>().unwrap());
        assert!(
            read.into_iter()
                .any(|at| at.partition == opened.position.partition && at >= opened.position)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_does_not_come_is_not_waited_for_for_ever() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    let before = Instant::now();
    let headers = [("Min-Position", "0:999999, 1:0"), ("Max-Wait-Ms", "100")];
    let answer = desk.get_with(&token, "/v1/tickets", &headers).await;
    answer.assert_problem(503, "read-model-behind");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("read-position"), "0:0,1:0");
    assert!(before.elapsed() >= Duration::from_millis(100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_makes_no_sense_is_refused() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    for headers in [
        [("Min-Position", "7")],
        [("Min-Position", "9:1")],
        [("Max-Wait-Ms", "10001")],
    ] {
        desk.get_with(&token, "/v1/tickets", &headers)
            .await
            .assert_problem(400, "malformed-request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_that_is_gone_says_so_and_comes_back() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.lives(1, 5).await;
    desk.open(5).await;
    assert_eq!(desk.get(&token, "/v1/tickets/5").await.status, 200);

    let name = desk
        .database_url
        .split('?')
        .next()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let mut db = PgConnection::connect(postgres().await.url()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
        .execute(&mut db)
        .await
        .unwrap();

    // Until everything is back, the answer is never a wrong one.
    wait_until("the read model to come back", LIMIT, || async {
        let answer = desk.get_now(&token, "/v1/tickets?count=exact").await;
        if answer.status == 200 {
            assert_eq!(answer.body["total"], 5);
            return Ok(());
        }
        answer.assert_problem(503, "read-model-unavailable");
        Err(answer.body)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_whose_projector_never_ran_says_so() {
    let desk = Desk::without_projector().await;
    desk.get("rct_any", "/v1/tickets")
        .await
        .assert_problem(503, "read-model-unavailable");
    desk.start_projector();
    let token = desk.token(&agent()).await;
    assert_eq!(desk.get(&token, "/v1/tickets").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_how_far_the_projections_are() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.open(1).await;
    let answer = desk.get(&token, "/v1/projections").await;
    let state = |at: usize| {
        let item = &answer.body["items"][at];
        (
            item["projection"].as_str().unwrap(),
            item["partition"].as_u64(),
            item["state"].as_str().unwrap(),
            item["lag"].as_u64(),
        )
    };
    assert_eq!(state(0), ("directory", Some(0), "running", Some(0)));
    assert_eq!(state(1), ("tickets", Some(0), "running", Some(0)));
    assert_eq!(
        answer.body["items"][2]["position"], 1,
        "ticket 1 is of partition 1: {}",
        answer.body
    );
}
