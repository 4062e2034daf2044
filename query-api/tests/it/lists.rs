//! `GET /v1/tickets`: pages, sorts, filters.

use std::collections::BTreeSet;

use domain::testing::{AGENT, agent, body};
use domain::ticket::{AddComment, Assign, Change, Command, Visibility};
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, ticket};

const SORTS: [&str; 6] = ["number", "created_at", "updated_at", "priority", "status", "due_at"];

async fn desk_with_lives(count: u64) -> (Desk, String) {
    let desk = Desk::start().await;
    desk.lives(1, count + 1).await;
    let token = desk.token(&agent()).await;
    desk.open(1000).await;
    desk.get(&token, "/v1/tickets").await;
    desk.give(ticket(count), &agent(), comment()).await;
    let page = desk.get(&token, "/v1/tickets").await;
    assert_eq!(page.status, 200, "{}", page.body);
    (desk, token)
}

fn comment() -> Command {
    Command::Comment(AddComment {
        body: body("note"),
        visibility: Visibility::Internal,
    })
}

/// All pages, and what happens between them.
async fn pages(desk: &Desk, token: &str, query: &str, mut between: impl AsyncFnMut(&Answer)) -> Vec<Value> {
    let mut ids = Vec::new();
    let mut path = format!("/v1/tickets?limit=4&{query}");
    loop {
        let page = desk.get(token, &path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        ids.extend(page.column("id"));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            assert_eq!(page.header("link"), "");
            return ids;
        };
        path = format!("/v1/tickets?limit=4&{query}&cursor={cursor}");
        assert_eq!(page.header("link"), format!("<{path}>; rel=\"next\""));
        between(&page).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_every_order_are_the_whole_list_in_pieces() {
    let (desk, token) = desk_with_lives(16).await;
    for sort in SORTS.iter().flat_map(|sort| [(*sort).to_owned(), format!("-{sort}")]) {
        let whole = desk
            .get(&token, &format!("/v1/tickets?limit=200&sort={sort}"))
            .await
            .column("id");
        assert_eq!(whole.len(), 17);
        let pieces = pages(&desk, &token, &format!("sort={sort}"), async |_| {}).await;
        assert_eq!(pieces, whole, "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_without_a_due_time_come_last_either_way() {
    let (desk, token) = desk_with_lives(16).await;
    for sort in ["due_at", "-due_at"] {
        let due = desk
            .get(&token, &format!("/v1/tickets?sort={sort}"))
            .await
            .column("due_at");
        let with = due.iter().take_while(|due| !due.is_null()).count();
        assert!(with > 1 && due.iter().skip(with).all(Value::is_null), "{due:?}");
        let sorted = due.iter().take(with).is_sorted_by_key(|due| due.as_str().unwrap());
        assert_eq!(sorted, sort == "due_at", "{due:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_neither_repeat_nor_lose_a_row_while_others_change() {
    let (desk, token) = desk_with_lives(16).await;
    // Tickets 3 and 10 change all the time, and new ones come.
    let moving: BTreeSet<String> = [3, 10].map(|n| ticket(n).to_string()).into();
    for sort in ["-updated_at", "updated_at", "number", "-created_at"] {
        let before = desk
            .get(&token, &format!("/v1/tickets?limit=200&sort={sort}"))
            .await
            .column("id");
        let mut next = 2000 + u64::try_from(before.len()).unwrap();
        let query = format!("sort={sort}");
        let seen = pages(&desk, &token, &query, async |_| {
            // The list would grow as fast as it is read if new tickets came for ever.
            if next < 2000 + u64::try_from(before.len()).unwrap() + 3 {
                desk.open(next).await;
                next += 1;
            }
            desk.give(ticket(3), &agent(), comment()).await;
            desk.give(ticket(10), &agent(), comment()).await;
            desk.get(&token, "/v1/tickets").await;
        });
        let seen: Vec<Value> = seen.await;
        let steady = |ids: &[Value]| -> Vec<Value> {
            let known = |id: &&Value| before.contains(id) && !moving.contains(id.as_str().unwrap());
            ids.iter().filter(known).cloned().collect()
        };
        assert_eq!(steady(&seen), steady(&before), "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_combine() {
    let (desk, token) = desk_with_lives(14).await;
    desk.give(
        ticket(7),
        &agent(),
        Command::Assign(Assign {
            assignee: Change::Set(Some(AGENT)),
            group: Change::Keep,
        }),
    )
    .await;
    desk.get(&token, "/v1/tickets").await;
    let numbers = async |query: &str| {
        let page = desk.get(&token, &format!("/v1/tickets?sort=number&{query}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.column("number")
            .iter()
            .map(|number| number.as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers("status=new").await, [7, 14, 1000]);
    assert_eq!(numbers("status=closed&status=waiting_for_info").await, [3, 6, 10, 13]);
    assert_eq!(numbers("assignee=none").await, [14, 1000]);
    assert_eq!(numbers(&format!("status=new&assignee={AGENT}")).await, [7]);
    assert_eq!(
        numbers(&format!("status=new&assignee={AGENT}&assignee=none")).await,
        [7, 14, 1000]
    );
    assert_eq!(numbers("number=5&number=6").await, [5, 6]);
    assert_eq!(
        numbers("type=consultation&priority=medium&system=billing&number=5").await,
        [5]
    );
    assert_eq!(numbers("type=defect").await, [0_u64; 0]);
    assert_eq!(numbers("category=none").await, [0_u64; 0]);
    assert_eq!(
        numbers("created_from=2020-01-01&created_to=2020-01-02T00:00:00Z").await,
        [0_u64; 0]
    );
    assert_eq!(numbers("updated_from=2020-01-01&number=5").await, [5]);
    assert_eq!(
        numbers(&format!("requester={}&number=5", domain::testing::CUSTOMER)).await,
        [5]
    );
    assert_eq!(
        numbers(&format!("organisation={}&number=5", domain::testing::CLIENT)).await,
        [5]
    );
    assert_eq!(numbers("group=00000000-0000-0000-0000-000000000001").await, [0_u64; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn count_and_fields_say_how_many_and_what() {
    let (desk, token) = desk_with_lives(3).await;
    let page = desk
        .get(
            &token,
            "/v1/tickets?limit=1&count=exact&sort=number&fields=status,number",
        )
        .await;
    assert_eq!(page.body["items"], json!([{ "number": 1, "status": "in_progress" }]));
    assert_eq!(page.body["total"], 4);
    let page = desk.get(&token, "/v1/tickets?limit=1").await;
    assert_eq!(page.body.get("total"), None);
    assert_eq!(page.body["items"][0].as_object().unwrap().len(), 23);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_understood_is_refused_with_what_can() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    let answer = desk.get(&token, "/v1/tickets?age=7&colour=red").await;
    answer.assert_problem(400, "malformed-request");
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(
        detail.contains("age, colour") && detail.contains("platform_version"),
        "{detail}"
    );

    let answer = desk
        .get(
            &token,
            "/v1/tickets?status=old&limit=0&assignee=me&sort=age&created_from=monday&updated_to=-005000-01-01",
        )
        .await;
    answer.assert_problem(422, "invalid-fields");
    let wrong: BTreeSet<&str> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        wrong,
        BTreeSet::from(["status", "limit", "assignee", "sort", "created_from", "updated_to"])
    );
    assert!(
        answer.body.to_string().contains("waiting_for_closure"),
        "the list of statuses: {}",
        answer.body
    );

    desk.get(&token, "/v1/tickets?limit=2&limit=3")
        .await
        .assert_problem(422, "invalid-fields");
    desk.get(&token, "/v1/tickets?cursor=nonsense")
        .await
        .assert_problem(400, "malformed-request");
    desk.get(&token, "/v1/tickets?system=a%00b")
        .await
        .assert_problem(422, "invalid-fields");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_belongs_to_its_sort() {
    let (desk, token) = desk_with_lives(3).await;
    let page = desk.get(&token, "/v1/tickets?limit=1&sort=number").await;
    let cursor = page.body["next_cursor"].as_str().unwrap();
    desk.get(&token, &format!("/v1/tickets?limit=1&sort=-number&cursor={cursor}"))
        .await
        .assert_problem(400, "malformed-request");
}
