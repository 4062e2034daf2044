//! Filters by due time, overdue and rating.

use std::collections::BTreeSet;

use domain::testing::{agent, body, create, customer};
use domain::ticket::{Accept, Close, Command, ProposeClosure, Rate, RequestInfo};
use serde_json::Value;

use crate::desk::{Desk, ticket};

async fn numbers(desk: &Desk, token: &str, query: &str) -> Vec<u64> {
    let page = desk.get(token, &format!("/v1/tickets?sort=number&{query}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    page.column("number").iter().filter_map(Value::as_u64).collect()
}

/// Ticket 1 has waited for a century, 2 waits, 3 waits for nothing.
async fn desk_with_waits() -> (Desk, String) {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    for n in 1..4 {
        let Command::Create(mut sample, _) = create() else {
            panic!("the sample is a creation")
        };
        sample.number = domain::ids::TicketNumber(n);
        let at = (n == 1).then(|| "1926-01-01T00:00:00Z".parse().unwrap());
        let ask = RequestInfo { comment: body("What?") };
        let commands = [
            (customer(), Command::Create(sample, None)),
            (agent(), Command::Accept(Accept { assignee: None })),
            (agent(), Command::RequestInfo(ask)),
        ];
        for (actor, command) in commands.into_iter().take(if n == 3 { 2 } else { 3 }) {
            desk.give_at(ticket(n), &actor, command, at).await;
        }
    }
    desk.get(&token, "/v1/tickets").await;
    (desk, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn due_times_are_filtered_and_compared_with_now() {
    let (desk, token) = desk_with_waits().await;
    let numbers = async |query: &str| numbers(&desk, &token, query).await;
    assert_eq!(numbers("overdue=true").await, [1]);
    assert_eq!(numbers("overdue=false").await, [2, 3]);
    assert_eq!(numbers("due_to=1930-01-01").await, [1]);
    assert_eq!(numbers("due_from=1930-01-01").await, [2]);
    assert_eq!(
        numbers("due_from=1900-01-01&overdue=false&status=waiting_for_info").await,
        [2]
    );
    let due = desk.get(&token, "/v1/tickets/2").await.body["due_at"].clone();
    let due = due.as_str().unwrap();
    assert_eq!(numbers(&format!("due_from={due}")).await, [2], "from is included");
    assert_eq!(numbers(&format!("due_to={due}")).await, [1], "to is not");
    let page = desk
        .get(&token, "/v1/tickets?overdue=true&count=exact&fields=overdue")
        .await;
    assert_eq!(
        (&page.body["total"], &page.column("overdue")),
        (&1.into(), &vec![true.into()])
    );
}

/// Lists by one time begin where filters by another say that they can, and lists by number where the days' numbers do.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_by_time_finds_the_same_tickets_in_every_order() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    let asker = desk.token(&customer()).await;
    // Numbers neither rise nor fall with the days; some tickets change long after they were created.
    let days = [
        "2026-02-03",
        "2026-01-01",
        "2026-03-01",
        "2025-12-31",
        "2026-02-03",
        "2026-01-15",
    ];
    for (n, day) in (1..).zip(days) {
        let Command::Create(mut sample, _) = create() else {
            panic!("the sample is a creation")
        };
        sample.number = domain::ids::TicketNumber(n);
        let at = |hour: u32| Some(format!("{day}T{hour:02}:00:00Z").parse().unwrap());
        desk.give_at(ticket(n), &customer(), Command::Create(sample, None), at(9))
            .await;
        let accept = Command::Accept(Accept { assignee: None });
        let later = if n % 2 == 0 {
            Some("2026-02-20T10:00:00Z".parse().unwrap())
        } else {
            at(10)
        };
        desk.give_at(ticket(n), &agent(), accept, later).await;
    }
    let whole = desk.get(&token, "/v1/tickets?sort=number").await;
    let times = |column: &str| whole.column(column);
    for (filter, column, from) in [
        ("created_from", "created_at", true),
        ("created_to", "created_at", false),
        ("updated_from", "updated_at", true),
        ("updated_to", "updated_at", false),
    ] {
        let mut sizes = BTreeSet::new();
        for limit in [
            "2026-01-01T09:00:00Z",
            "2026-01-10T00:00:00Z",
            "2026-02-03T10:00:00Z",
            "2026-02-20T10:00:00Z",
        ] {
            let expected: BTreeSet<u64> = (1..)
                .zip(times(column))
                .filter(|(_, at)| (at.as_str().unwrap() >= limit) == from)
                .map(|(number, _)| number)
                .collect();
            sizes.insert(expected.len());
            for sort in ["number", "created_at", "updated_at", "priority", "due_at"] {
                for (caller, direction) in [(&token, ""), (&token, "-"), (&asker, ""), (&asker, "-")] {
                    let path = format!("/v1/tickets?{filter}={limit}&sort={direction}{sort}");
                    let found = desk.get(caller, &path).await.column("number");
                    assert_eq!(found.len(), expected.len(), "{path}");
                    let found: BTreeSet<u64> = found.iter().filter_map(Value::as_u64).collect();
                    assert_eq!(found, expected, "{path}");
                }
            }
        }
        assert!(sizes.len() > 1, "{filter}: {sizes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ratings_are_filtered_with_both_ends() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    for (n, score) in (1..5).zip([1, 3, 5, 0]) {
        desk.open(n).await;
        let propose = ProposeClosure { solution: body("F5") };
        let close = Close {
            comment: None,
            reason: None,
        };
        desk.give(ticket(n), &agent(), Command::Accept(Accept { assignee: None }))
            .await;
        desk.give(ticket(n), &agent(), Command::ProposeClosure(propose)).await;
        desk.give(ticket(n), &customer(), Command::Close(close)).await;
        if score > 0 {
            let rate = Rate { score, comment: None };
            desk.give(ticket(n), &customer(), Command::Rate(rate)).await;
        }
    }
    desk.get(&token, "/v1/tickets").await;
    let numbers = async |query: &str| numbers(&desk, &token, query).await;
    assert_eq!(numbers("rating_from=1").await, [1, 2, 3]);
    assert_eq!(numbers("rating_from=3&rating_to=5").await, [2, 3]);
    assert_eq!(numbers("rating_to=3&status=closed").await, [1, 2]);
    assert_eq!(numbers("rating_from=4&rating_to=2").await, [0_u64; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_that_make_no_sense_are_refused_together() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    let answer = desk
        .get(
            &token,
            "/v1/tickets?overdue=yes&rating_from=0&rating_to=6&due_from=soon&due_to=&as_of=2999-01-01&q=+",
        )
        .await;
    answer.assert_problem(422, "invalid-fields");
    let wrong: Vec<&str> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(wrong.len(), 7, "{wrong:?}");
}
