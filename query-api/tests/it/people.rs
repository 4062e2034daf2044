//! Who gets in, and who sees what.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::actor::Actor;
use domain::ids::GroupId;
use domain::testing::{agent, customer};
use domain::ticket::{Assign, Change, Command};
use serde_json::Value;
use test_harness::wait_until;
use uuid::Uuid;

use crate::desk::{Desk, LIMIT, stranger, ticket};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_without_a_token_and_nobody_with_a_revoked_one() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    let answer = desk.get("rct_guessed", "/v1/tickets").await;
    answer.assert_problem(401, "unauthenticated");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));

    let before = Instant::now();
    desk.revoke(&token).await;
    wait_until("the token to be refused", LIMIT, || async {
        desk.get(&token, "/v1/tickets").await.status == 401
    })
    .await;
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_may_not_see_does_not_exist() {
    let desk = Desk::start().await;
    let token = desk.token(&stranger()).await;
    desk.lives(1, 8).await;
    desk.give(ticket(2), &agent(), Command::Follow(Some(stranger().user)))
        .await;
    let list = desk.get(&token, "/v1/tickets?count=exact").await;
    assert_eq!(list.column("number"), [2]);
    assert_eq!(list.body["total"], 1);
    assert_eq!(desk.get(&token, "/v1/tickets/2").await.status, 200);
    for path in [
        "/v1/tickets/3",
        "/v1/tickets/3/timeline",
        "/v1/tickets/12345",
        "/v1/tickets/three",
    ] {
        desk.get(&token, path).await.assert_problem(404, "ticket-not-found");
    }
    let dashboard = desk.get(&token, "/v1/dashboard").await;
    assert_eq!(dashboard.body["total"], 1);
    desk.get(&token, "/v1/projections")
        .await
        .assert_problem(403, "not-permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_the_tabs_of_the_portal() {
    let desk = Desk::start().await;
    let team = GroupId::from(Uuid::from_u128(50));
    let mut leader = stranger();
    leader.groups = BTreeSet::from([team]);
    leader.leads = BTreeSet::from([team]);
    let (staff, requester, leading) = (
        desk.token(&agent()).await,
        desk.token(&customer()).await,
        desk.token(&leader).await,
    );
    desk.lives(1, 8).await;
    let to_team = || {
        Command::Assign(Assign {
            assignee: Change::Keep,
            group: Change::Set(Some(team)),
        })
    };
    desk.give(ticket(2), &agent(), to_team()).await;
    desk.give(ticket(4), &agent(), to_team()).await;
    desk.get(&staff, "/v1/tickets").await;

    let numbers = async |token: &str, view: &str| {
        let page = desk.get(token, &format!("/v1/tickets?sort=number&view={view}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.column("number")
            .iter()
            .filter_map(Value::as_u64)
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(&requester, "mine").await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(numbers(&requester, "organisation").await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(numbers(&requester, "followed").await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(numbers(&staff, "mine").await, [0_u64; 0]);
    assert_eq!(numbers(&staff, "assigned").await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(numbers(&staff, "unassigned").await, [7]);
    assert_eq!(numbers(&leading, "group").await, [2, 4]);
    assert_eq!(numbers(&leading, "all").await, [2, 4]);
    desk.get(&requester, "/v1/tickets?view=group")
        .await
        .assert_problem(403, "not-permitted");
    desk.get(&requester, "/v1/tickets?view=unassigned")
        .await
        .assert_problem(403, "not-permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_loses_sight_of_a_closed_ticket_of_the_group() {
    let desk = Desk::start().await;
    let team = GroupId::from(Uuid::from_u128(50));
    let leader = Actor {
        groups: BTreeSet::from([team]),
        leads: BTreeSet::from([team]),
        ..stranger()
    };
    let token = desk.token(&leader).await;
    desk.lives(5, 6).await;
    let to_team = Command::Assign(Assign {
        assignee: Change::Keep,
        group: Change::Set(Some(team)),
    });
    desk.give(ticket(5), &agent(), to_team).await;
    assert_eq!(desk.get(&token, "/v1/tickets/5").await.status, 200);
    let close = Command::Close(domain::ticket::Close {
        comment: None,
        reason: None,
    });
    desk.give(ticket(5), &customer(), close).await;
    desk.get(&token, "/v1/tickets/5")
        .await
        .assert_problem(404, "ticket-not-found");
}
