//! `GET /v1/dashboard`

use domain::testing::{AGENT, agent, customer};
use serde_json::json;

use crate::desk::{Desk, ticket};

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_of_the_tickets_that_one_sees() {
    let desk = Desk::start().await;
    let (staff, requester) = (desk.token(&agent()).await, desk.token(&customer()).await);
    // All of them are of the customer's organisation: kept counters and counting must agree.
    desk.lives(1, 15).await;
    for n in [13, 14] {
        let follow = domain::ticket::Command::Follow(Some(AGENT));
        desk.give(ticket(n), &agent(), follow).await;
        desk.get_settled(&staff, "/v1/dashboard").await;
    }
    let kept = desk.get(&staff, "/v1/dashboard").await;
    assert_eq!(kept.status, 200, "{}", kept.body);
    let counted = desk.get(&requester, "/v1/dashboard").await;
    assert_eq!(kept.body, counted.body);

    assert_eq!(
        (&kept.body["total"], &kept.body["open"], &kept.body["overdue"]),
        (&json!(14), &json!(12), &json!(0))
    );
    assert_eq!(
        kept.body["by_status"],
        json!({ "new": 2, "in_progress": 6, "waiting_for_info": 2, "waiting_for_closure": 2, "closed": 2 })
    );
    assert_eq!(kept.body["by_type"], json!({ "consultation": 14 }));
    assert_eq!(kept.body["by_priority"], json!({ "medium": 14 }));
    assert_eq!(
        kept.body["by_group"],
        json!([{ "id": null, "name": null, "count": 14, "open": 12 }])
    );
    assert_eq!(
        kept.body["by_assignee"],
        json!([
            { "id": AGENT.to_string(), "name": null, "count": 12, "open": 10 },
            { "id": null, "name": null, "count": 2, "open": 2 },
        ])
    );
    let sum = |name: &str| -> u64 {
        kept.body[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["count"].as_u64().unwrap())
            .sum()
    };
    assert_eq!((sum("created_by_day"), sum("closed_by_day")), (14, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_picked_and_checked() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.open(1).await;
    let all = desk.get_settled(&token, "/v1/dashboard").await.body["created_by_day"].clone();
    let day = all[0]["day"].as_str().unwrap().to_owned();
    assert_eq!(all, json!([{ "day": day, "count": 1 }]));
    for (range, expected) in [
        (format!("from={day}&to={day}"), &all),
        (format!("from={day}T23:59:59Z"), &all),
        ("to=2024-03-01".to_owned(), &json!([])),
    ] {
        let picked = desk.get(&token, &format!("/v1/dashboard?{range}")).await;
        assert_eq!(&picked.body["created_by_day"], expected, "{range}");
    }
    desk.get(&token, "/v1/dashboard?from=2024-03-02&to=2024-03-01")
        .await
        .assert_problem(422, "invalid-fields");
    desk.get(&token, "/v1/dashboard?from=monday")
        .await
        .assert_problem(422, "invalid-fields");
    desk.get(&token, "/v1/dashboard?group_by=day")
        .await
        .assert_problem(400, "malformed-request");
}
