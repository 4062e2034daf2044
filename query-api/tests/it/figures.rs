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
        desk.get(&staff, "/v1/dashboard").await;
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
    let all = desk.get(&token, "/v1/dashboard").await.body["created_by_day"].clone();
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
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    for query in [
        "from=2024-03-02&to=2024-03-01",
        "from=monday",
        "to=2024-02-30",
        "from=2024-03-01&from=2024-03-02",
        "group_by=year",
        "group_by=",
        "group_by=day&group_by=week",
        "as_of=yesterday",
        "as_of=9999-12-31",
        "as_of=-009999-01-01",
        "as_of=2999-01-01T00:00:00Z",
    ] {
        let answer = desk.get(&token, &format!("/v1/dashboard?{query}")).await;
        answer.assert_problem(422, "invalid-fields");
    }
    for query in ["groupby=day", "limit=1", "day=2024-03-01"] {
        let answer = desk.get(&token, &format!("/v1/dashboard?{query}")).await;
        answer.assert_problem(400, "malformed-request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_without_tickets_has_figures_too() {
    let desk = Desk::start().await;
    let (staff, requester) = (desk.token(&agent()).await, desk.token(&customer()).await);
    let nothing = json!({ "count": 0, "median_seconds": null, "p90_seconds": null, "bound": null });
    let clocks = json!({ "elapsed": nothing, "working": nothing });
    let none = json!({
        "total": 0, "open": 0, "overdue": 0, "by_status": {}, "by_type": {}, "by_priority": {},
        "by_group": [], "by_assignee": [], "by_organisation": [], "created_by_day": [], "closed_by_day": [],
        "durations": { "first_response": clocks, "closing": clocks },
        "ratings": { "count": 0, "average": null, "by_score": {} },
    });
    for token in [&staff, &requester] {
        assert_eq!(desk.get(token, "/v1/dashboard").await.body, none);
        let long_ago = desk.get(token, "/v1/dashboard?as_of=2001-01-01").await;
        assert_eq!(long_ago.body, none);
        let grouped = desk.get(token, "/v1/dashboard?group_by=assignee").await;
        assert_eq!(grouped.body["groups"], json!([]));
    }
}
