//! What analysts read with SQL is what the API answers.

use domain::testing::agent;
use jiff::Timestamp;
use serde_json::{Value, json};
use service_kit::{Clock as _, SystemClock};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

use crate::desk::{Answer, Desk};
use crate::histories::{Random, live, long_before};

/// Tickets of the history, fewer than a page of the API.
const TICKETS: u64 = 30;

struct Both {
    desk: Desk,
    token: String,
    db: PgPool,
}

impl Both {
    async fn begin() -> Self {
        let desk = Desk::start().await;
        let token = desk.token(&agent()).await;
        let since = long_before(SystemClock.now());
        let mut random = Random(23);
        for n in 1..=TICKETS {
            live(&desk, n, since, &mut random).await;
        }
        desk.get(&token, "/v1/tickets?limit=1").await;
        let db = PgPool::connect(&desk.database_url).await.unwrap();
        Self { desk, token, db }
    }

    async fn api(&self, path: &str) -> Answer {
        self.desk.get(&self.token, path).await
    }

    /// The rows of a view, in order.
    async fn rows(&self, view: &str, order: &str) -> Vec<Value> {
        let sql = format!("SELECT to_jsonb(v) FROM analytics.{view} v ORDER BY {order}");
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&self.db)
            .await
            .unwrap()
    }

    /// What happened to each ticket, by its number.
    async fn timelines(&self) -> Vec<(u64, Vec<Value>)> {
        let mut timelines = Vec::new();
        for n in 1..=TICKETS {
            let answer = self.api(&format!("/v1/tickets/{n}/timeline?limit=200")).await;
            timelines.push((n, answer.body["items"].as_array().unwrap().clone()));
        }
        timelines
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_views_say_what_the_api_says() {
    let both = Both::begin().await;
    tickets(&both).await;
    let timelines = both.timelines().await;
    status_periods_and_waits(&both, &timelines).await;
    comments_and_ratings(&both, &timelines).await;
    days(&both).await;
}

async fn tickets(both: &Both) {
    let rows = both.rows("tickets_v1", "number").await;
    assert_eq!(rows.len(), usize::try_from(TICKETS).unwrap());
    for row in rows {
        let ticket = both.api(&format!("/v1/tickets/{}", row["number"])).await.body;
        for name in [
            "id", "number", "subject", "status", "type", "priority", "system", "rating", "overdue", "revision",
        ] {
            assert_eq!(row[name], ticket[name], "{name}: {row} and {ticket}");
        }
        for (name, id) in [("requester", "requester_id"), ("organisation", "organisation_id")] {
            assert_eq!(row[id], ticket[name]["id"], "{name}: {row} and {ticket}");
        }
        for (name, id) in [
            ("group", "group_id"),
            ("assignee", "assignee_id"),
            ("project", "project_id"),
        ] {
            assert_eq!(row[id], ticket[name]["id"], "{name}: {row} and {ticket}");
        }
        for name in ["created_at", "updated_at", "closed_at", "due_at"] {
            assert_eq!(time(&row[name]), time(&ticket[name]), "{name}: {row} and {ticket}");
        }
        let spans = [
            ("first_response_at", "first_response_seconds"),
            ("closed_at", "closing_seconds"),
        ];
        for (end, seconds) in spans {
            let span = time(&row[end]).map(|end| end.duration_since(time(&row["created_at"]).unwrap()).as_secs_f64());
            assert_eq!(row[seconds].as_f64(), span, "{row}");
        }
    }
}

/// Status, the event that brought it and when, for each stretch of a ticket's timeline.
fn stretches(timeline: &[Value]) -> Vec<(Value, Value, Option<Timestamp>)> {
    let mut stretches: Vec<(Value, Value, Option<Timestamp>)> = Vec::new();
    for event in timeline {
        if stretches.last().is_none_or(|(status, ..)| *status != event["status"]) {
            stretches.push((
                event["status"].clone(),
                event["event"].clone(),
                time(&event["occurred_at"]),
            ));
        }
    }
    stretches
}

async fn status_periods_and_waits(both: &Both, timelines: &[(u64, Vec<Value>)]) {
    let mut rows = both.rows("status_periods_v1", "ticket_number, place").await.into_iter();
    let mut waits = both.rows("waits_v1", "ticket_number, began_at").await.into_iter();
    for (n, timeline) in timelines {
        let stretches = stretches(timeline);
        for (place, (status, event, began_at)) in stretches.iter().enumerate() {
            let row = rows.next().unwrap();
            assert_eq!((&row["ticket_number"], &row["place"]), (&json!(n), &json!(place + 1)));
            assert_eq!((&row["status"], &row["began_with"]), (status, event));
            assert_eq!(time(&row["began_at"]), *began_at);
            let next = stretches.get(place + 1);
            assert_eq!(
                row["ended_with"],
                next.map_or(Value::Null, |(_, event, _)| event.clone())
            );
            assert_eq!(time(&row["ended_at"]), next.and_then(|(.., at)| *at));
            if status == "waiting_for_info" || status == "waiting_for_closure" {
                let wait = waits.next().unwrap();
                assert_eq!(
                    (&wait["ticket_number"], time(&wait["began_at"])),
                    (&json!(n), *began_at)
                );
                assert_eq!(
                    (&wait["ended_at"], &wait["ended_with"]),
                    (&row["ended_at"], &row["ended_with"])
                );
                assert_eq!((&wait["policy"], &wait["expired"]), (&json!("test/1"), &json!(false)));
                let hours = if status == "waiting_for_info" { 100 } else { 50 };
                let due = began_at.unwrap() + jiff::SignedDuration::from_hours(hours);
                assert_eq!(time(&wait["due_at"]), Some(due));
            }
        }
    }
    assert_eq!((rows.next(), waits.next()), (None, None));
}

async fn comments_and_ratings(both: &Both, timelines: &[(u64, Vec<Value>)]) {
    let mut comments = both.rows("comments_v1", "ticket_number, revision").await.into_iter();
    let mut ratings = both.rows("ratings_v1", "ticket_number, occurred_at").await.into_iter();
    for (n, timeline) in timelines {
        for event in timeline {
            let details = &event["details"];
            let words =
                ["body", "comment", "solution", "reason"].map(|name| details[name].as_str().unwrap_or_default());
            let characters = words.concat().chars().count();
            if characters > 0 {
                let row = comments.next().unwrap();
                assert_eq!((&row["ticket_number"], &row["event"]), (&json!(n), &event["event"]));
                assert_eq!(
                    (&row["characters"], &row["visibility"]),
                    (&json!(characters), &event["visibility"])
                );
                assert_eq!(
                    (&row["author_id"], &row["revision"]),
                    (&event["actor"]["id"], &event["revision"])
                );
                assert_eq!(time(&row["occurred_at"]), time(&event["occurred_at"]));
            }
            if event["event"] == "rated" {
                let row = ratings.next().unwrap();
                assert_eq!((&row["ticket_number"], &row["score"]), (&json!(n), &details["score"]));
                assert_eq!(
                    (&row["rater_id"], &row["has_comment"]),
                    (&event["actor"]["id"], &json!(false))
                );
            }
        }
    }
    assert_eq!((comments.next(), ratings.next()), (None, None));
}

async fn days(both: &Both) {
    let rows = both.rows("daily_v1", "day").await;
    let dashboard = both.api("/v1/dashboard?group_by=day").await.body;
    for (name, series) in [("created", "created_by_day"), ("closed", "closed_by_day")] {
        let days: Vec<Value> = rows
            .iter()
            .filter(|row| row[name] != 0)
            .map(|row| json!({ "day": row["day"], "count": row[name] }))
            .collect();
        assert_eq!(Value::Array(days), dashboard[series]);
    }
    let ratings: i64 = rows.iter().filter_map(|row| row["ratings"].as_i64()).sum();
    assert_eq!(json!(ratings), dashboard["ratings"]["count"]);
    assert!(ratings > 0);
}
