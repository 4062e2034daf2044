//! A made-up history, made with the command that people use.

use std::collections::BTreeSet;

use domain::policy::WaitPolicy;
use sqlx::{Connection as _, PgConnection};

use crate::desk::{Desk, at, histories, records};
use crate::people::AGENT;
use crate::processes::recourse_succeeds;

/// How many tickets are made.
const TICKETS: u64 = 200;
/// The history begins after [`crate::desk::NOON`], at which the desk's clock stands: to its scheduler nothing is due, and
/// whatever ends is ended by the demo.
const UNTIL: &str = "2026-06-01T09:00:00Z";
const DAYS: &str = "60";

async fn demo(desk: &Desk) -> String {
    let tickets = TICKETS.to_string();
    let words = [
        "demo",
        "--tickets",
        &tickets,
        "--seed",
        "7",
        "--days",
        DAYS,
        "--until",
        UNTIL,
        "--nats-url",
        desk.nats_url(),
    ];
    recourse_succeeds(&words).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_is_made_once_lies_in_the_past_and_shows_in_the_list() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let report = demo(&desk).await;
    let made = records(&desk.log).await;
    assert!(made > 3 * TICKETS, "{report}");
    let told = format!("{TICKETS} tickets: made {made} records now, and 0 had been made before");
    assert!(report.contains(&told), "{told} is missing in: {report}");

    let again = demo(&desk).await;
    assert_eq!(records(&desk.log).await, made, "a second run adds nothing");
    let told = format!("made 0 records now, and {made} had been made before");
    assert!(again.contains(&told), "{told} is missing in: {again}");

    desk.caught_up().await;
    let mut listed = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/tickets?limit=200&sort=number{cursor}");
        let page = desk.api.get(&AGENT.token(), &path).await.expect(200);
        for item in page.items() {
            assert!(item["requester"]["name"].is_string(), "{item}");
            listed.insert(item["id"].as_str().unwrap().to_owned());
        }
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(u64::try_from(listed.len()).unwrap(), TICKETS);
    it_lies_in_the_past_and_nothing_is_overdue(&desk).await;
    desk.rebuilding_changes_nothing().await;
}

async fn it_lies_in_the_past_and_nothing_is_overdue(desk: &Desk) {
    let until = at(UNTIL);
    for history in histories(&desk.log).await.values() {
        assert!(history.is_sorted_by_key(|stored| stored.record.header.recorded_at));
        for stored in history {
            let header = &stored.record.header;
            assert!(header.occurred_at <= header.recorded_at && header.recorded_at <= until);
        }
    }
    let mut db = PgConnection::connect(&desk.database_url).await.unwrap();
    let timers = "SELECT count(*) FILTER (WHERE due_at <= $1::timestamptz), count(*) FROM desk.ticket_timers";
    let (overdue, running): (i64, i64) = sqlx::query_as(timers).bind(UNTIL).fetch_one(&mut db).await.unwrap();
    assert_eq!(overdue, 0, "of {running}");
    assert!(running > 0);
}
