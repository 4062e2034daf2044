//! Times that a desk promises, kept by all services together.

use domain::policy::WaitPolicy;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sqlx::PgPool;
use test_harness::wait_until;

use crate::desk::{Desk, at};
use crate::http::{Answer, LIMIT};
use crate::people::{AGENT, CUSTOMER, IMPORTER, LEAD, Person};
use crate::processes::recourse_succeeds;

const MICROSECOND: SignedDuration = SignedDuration::from_micros(1);

/// The desk of the example in docs/sla.md.
async fn promising(targets: &Value) -> Desk {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let hours = json!([["09:00", "13:00"], ["14:00", "18:00"]]);
    let calendar = json!({
        "name": "Office", "time_zone": "UTC",
        "week": { "mon": hours, "tue": hours, "wed": hours, "thu": hours, "fri": hours },
        "holidays": ["2026-03-09", "2026-03-10"],
        "closures": [{ "date": "2026-03-06", "intervals": [["16:00", "18:00"]] }],
    });
    let token = AGENT.token();
    let calendar = desk.api.post(&token, "/v1/calendars", &calendar).await.expect(201).id();
    let policy = json!({ "name": "Promises", "calendar": calendar, "targets": targets });
    desk.api.post(&token, "/v1/policies", &policy).await.expect(201);
    desk
}

fn solution() -> Value {
    json!({ "resolution": { "within": { "working": "PT6H" }, "paused_in": ["waiting_for_info"] } })
}

async fn give(desk: &Desk, when: &str, person: Person, path: &str, body: &Value) -> Answer {
    desk.clock.set(at(when));
    let answer = desk.api.post(&person.token(), path, body).await;
    assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
    answer
}

async fn create(desk: &Desk, when: &str) -> String {
    let body = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    give(desk, when, CUSTOMER, "/v1/tickets", &body).await.id()
}

async fn target(desk: &Desk, ticket: &str, query: &str) -> Value {
    desk.caught_up().await;
    let path = format!("/v1/tickets/{ticket}/sla{query}");
    let answer = desk.api.get(&AGENT.token(), &path).await.expect(200);
    assert_eq!(answer.body["id"], *ticket);
    answer.body["targets"][0].clone()
}

/// Each event's name, when it happened, and its time of its own.
async fn timeline(desk: &Desk, person: Person, ticket: &str) -> Vec<(String, String, Value)> {
    let path = format!("/v1/tickets/{ticket}/timeline?limit=200");
    let items = desk.api.get(&person.token(), &path).await.expect(200);
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let read = |item: &Value| {
        let details = item["details"]["at"].clone();
        (text(item, "event"), text(item, "occurred_at"), details)
    };
    items.items().iter().map(read).collect()
}

/// Writes the desk's policy anew, with two hours for the first response; returns its id and its calendar's.
async fn promise_two_hours(desk: &Desk) -> (String, String) {
    desk.caught_up().await;
    let token = AGENT.token();
    let policies = desk.api.get(&token, "/v1/policies").await.expect(200);
    let [id, calendar] = ["id", "calendar"].map(|column| policies.column(column)[0].to_owned());
    let targets = json!({ "first_response": { "within": { "working": "PT2H" } } });
    let body = json!({ "name": "Promises", "calendar": calendar, "targets": targets });
    let path = format!("/v1/policies/{id}");
    desk.api.put(&token, &path, &body).await.expect(200);
    (id, calendar)
}

async fn breaches(desk: &Desk, ticket: &str) -> Vec<String> {
    let events = timeline(desk, AGENT, ticket).await.into_iter();
    let breaches = events.filter(|(event, ..)| event == "sla_breached");
    breaches.map(|(_, occurred_at, _)| occurred_at).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_for_centuries_is_not_told_hour_by_hour() {
    let desk = promising(&solution()).await;
    let ticket = async |occurred_at: &str| {
        let body = json!({
            "subject": "Export fails", "description": "It says 500.", "type": "defect",
            "occurred_at": occurred_at, "honour_deadlines": true,
        });
        desk.api
            .post(&IMPORTER.token(), "/v1/tickets", &body)
            .await
            .expect(201)
            .id()
    };
    let (old, older) = (
        ticket("1930-01-01T00:00:00Z").await,
        ticket("1900-01-01T00:00:00Z").await,
    );
    assert_eq!(target(&desk, &old, "").await["state"], "breached");
    let path = format!("/v1/tickets/{older}/sla");
    let refused = desk.api.get(&AGENT.token(), &path).await.expect(422);
    assert_eq!(refused.body["code"], "query-too-expensive");
}

/// What analysts read of a ticket's clocks.
async fn promises(desk: &Desk, ticket: &str) -> Vec<Value> {
    let db = PgPool::connect(&desk.database_url).await.unwrap();
    let rows = sqlx::query_scalar(
        "SELECT to_jsonb(p) FROM analytics.promises_v1 p WHERE ticket_id::text = $1 ORDER BY started_at, target",
    );
    rows.bind(ticket).fetch_all(&db).await.unwrap()
}

/// The digests there are, oldest first: where each begins and ends, and how many promises were breached in it.
async fn digests(desk: &Desk) -> Vec<(Value, Value, Value)> {
    desk.caught_up().await;
    let staff = AGENT.token();
    let list = desk.api.get(&staff, "/v1/digests?limit=200").await.expect(200);
    let mut told = Vec::new();
    for item in list.items().iter().rev() {
        let path = format!("/v1/digests/{}", item["id"].as_str().unwrap());
        let digest = desk.api.get(&staff, &path).await.expect(200).body;
        told.push((
            digest["from"].clone(),
            digest["until"].clone(),
            digest["breached"]["total"].clone(),
        ));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_are_drawn_once_and_those_that_were_missed_are_made_up_for() {
    let desk = promising(&json!({ "first_response": { "within": { "working": "PT1H" } } })).await;
    let cron = "0 0 9 * * MON-FRI";
    let (one, other) = (desk.draw_digests(cron), desk.draw_digests(cron));
    let ticket = create(&desk, "2026-03-02T10:00:00Z").await;
    desk.caught_up().await;
    desk.clock.set(at("2026-03-03T09:00:00Z"));
    let first = (Value::Null, json!("2026-03-03T09:00:00Z"), json!(1));
    wait_until("the first digest", LIMIT, async || {
        let seen = digests(&desk).await;
        if seen == [first.clone()] { Ok(()) } else { Err(seen) }
    })
    .await;
    one.trigger();
    other.trigger();

    // Nobody draws for three days, of which one is a Saturday.
    desk.clock.set(at("2026-03-07T12:00:00Z"));
    let again = desk.draw_digests(cron);
    let later = ["2026-03-04T09:00:00Z", "2026-03-05T09:00:00Z", "2026-03-06T09:00:00Z"];
    let ends = std::iter::once("2026-03-03T09:00:00Z").chain(later);
    let missed = ends
        .zip(later)
        .map(|(from, until)| (json!(from), json!(until), json!(0)));
    let all: Vec<_> = std::iter::once(first).chain(missed).collect();
    wait_until("the digests that were missed", LIMIT, async || {
        let seen = digests(&desk).await;
        if seen == all { Ok(()) } else { Err(seen) }
    })
    .await;
    again.trigger();

    let path = "/v1/digests?limit=1";
    let newest = desk.api.get(&AGENT.token(), path).await.expect(200);
    let next = newest.body["next_cursor"].as_str().unwrap();
    let second = desk
        .api
        .get(&AGENT.token(), &format!("{path}&cursor={next}"))
        .await
        .expect(200);
    assert_eq!(second.items()[0]["until"], "2026-03-05T09:00:00Z");
    let oldest = desk.api.get(&AGENT.token(), "/v1/digests?limit=200").await.expect(200);
    let oldest = oldest.items().last().unwrap()["id"].as_str().unwrap().to_owned();
    let told = desk
        .api
        .get(&AGENT.token(), &format!("/v1/digests/{oldest}"))
        .await
        .expect(200);
    let breach = &told.body["breached"]["items"][0];
    assert_eq!(
        (&breach["ticket"]["id"], &breach["at"]),
        (&json!(ticket), &json!("2026-03-02T11:00:00Z"))
    );
    assert_eq!((&told.body["created"], &told.body["closed"]), (&json!(1), &json!(0)));
    desk.api.get(&CUSTOMER.token(), path).await.expect(403);
    desk.api.get(&AGENT.token(), "/v1/digests/1").await.expect(404);
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn analysts_read_of_promises_what_is_told_of_them() {
    let targets = json!({
        "first_response": { "within": { "working": "PT1H" } },
        "resolution": { "within": { "elapsed": "PT48H" }, "paused_in": ["waiting_for_info"] },
    });
    let desk = promising(&targets).await;
    let ticket = create(&desk, "2026-03-02T09:00:00Z").await;
    let path = |command: &str| format!("/v1/tickets/{ticket}/{command}");
    give(&desk, "2026-03-02T11:00:00Z", AGENT, &path("accept"), &json!({})).await;
    let words = json!({ "comment": "Which one?" });
    give(&desk, "2026-03-02T12:00:00Z", AGENT, &path("request-info"), &words).await;
    desk.caught_up().await;
    let told = desk.api.get(&AGENT.token(), &path("sla")).await.expect(200).body;
    let rows = promises(&desk, &ticket).await;
    let told = told["targets"].as_array().unwrap();
    assert_eq!(
        rows.iter().map(|row| &row["state"]).collect::<Vec<_>>(),
        ["breached", "paused"]
    );
    for (row, told) in rows.iter().zip(told) {
        for name in ["target", "number", "state", "policy_version", "calendar_version"] {
            assert_eq!(row[name], told[name], "{name}: {row} and {told}");
        }
        for name in ["started_at", "breached_at", "ended_at"] {
            let time = |value: &Value| value[name].as_str().map(at);
            assert_eq!(time(row), time(told), "{name}: {row} and {told}");
        }
        assert_eq!(
            (&row["policy"], &row["calendar"]),
            (&told["policy"]["name"], &told["calendar"]["name"])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_minute_of_a_promise_is_told_with_its_reason() {
    let desk = promising(&solution()).await;
    let ticket = create(&desk, "2026-03-06T12:00:00Z").await;
    let clock = target(&desk, &ticket, "").await;
    assert_eq!(clock["due_at"], "2026-03-11T12:00:00Z");
    assert_eq!(clock["state"], "running");

    let path = |command: &str| format!("/v1/tickets/{ticket}/{command}");
    give(&desk, "2026-03-06T12:30:00Z", AGENT, &path("accept"), &json!({})).await;
    let words = json!({ "comment": "Which one?" });
    give(&desk, "2026-03-06T14:30:00Z", AGENT, &path("request-info"), &words).await;
    let paused = target(&desk, &ticket, "").await;
    assert_eq!((&paused["state"], &paused["due_at"]), (&json!("paused"), &Value::Null));
    give(&desk, "2026-03-06T15:00:00Z", CUSTOMER, &path("provide-info"), &words).await;

    desk.clock.set(at("2026-03-11T10:00:00Z"));
    let clock = target(&desk, &ticket, "").await;
    for (name, expected) in [
        ("target", "resolution"),
        ("state", "running"),
        ("within", "PT6H"),
        ("time", "working"),
        ("due_at", "2026-03-11T12:30:00Z"),
        ("elapsed", "PT3H30M"),
        ("remaining", "PT2H30M"),
    ] {
        assert_eq!(clock[name], expected, "{name}");
    }
    assert_eq!(
        (&clock["policy_version"], &clock["calendar_version"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(clock["policy"]["name"], "Promises");
    assert_eq!(clock["calendar"]["name"], "Office");
    let segment = |to: &str, kind: &str, more: Value| (format!("2026-03-{to}:00Z"), kind.to_owned(), more);
    let paused_by = json!({ "revision": 3, "event": "information_requested", "status": "waiting_for_info" });
    let expected = [
        segment("06T13:00", "running", Value::Null),
        segment("06T14:00", "outside_hours", Value::Null),
        segment("06T14:30", "running", Value::Null),
        segment("06T15:00", "paused", paused_by),
        segment("06T16:00", "running", Value::Null),
        segment("06T18:00", "closure", json!("2026-03-06")),
        segment("09T00:00", "outside_hours", Value::Null),
        segment("10T00:00", "holiday", json!("2026-03-09")),
        segment("11T00:00", "holiday", json!("2026-03-10")),
        segment("11T09:00", "outside_hours", Value::Null),
        segment("11T10:00", "running", Value::Null),
    ];
    let segments = clock["segments"].as_array().unwrap();
    let mut from = json!("2026-03-06T12:00:00Z");
    for (segment, (to, kind, more)) in segments.iter().zip(&expected) {
        assert_eq!(segment["from"], from);
        assert_eq!((&segment["to"], &segment["kind"]), (&json!(to), &json!(kind)));
        let told = if kind == "paused" {
            &segment["paused_by"]
        } else {
            &segment["date"]
        };
        assert_eq!(told, more);
        from = segment["to"].clone();
    }
    assert_eq!(segments.len(), expected.len());

    let then = target(&desk, &ticket, "?as_of=2026-03-06T14:45:00Z").await;
    assert_eq!(
        (&then["state"], &then["elapsed"]),
        (&json!("paused"), &json!("PT1H30M"))
    );
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_is_breached_once_at_its_instant_however_late_and_by_however_many_schedulers() {
    let desk = promising(&solution()).await;
    desk.another_scheduler();
    let late = create(&desk, "2026-03-04T09:00:00Z").await;
    let kept = create(&desk, "2026-03-04T09:00:00Z").await;
    desk.caught_up().await;
    let close = json!({ "reason": "Done." });
    give(
        &desk,
        "2026-03-04T16:00:00Z",
        LEAD,
        &format!("/v1/tickets/{kept}/close"),
        &close,
    )
    .await;
    assert_eq!(
        breaches(&desk, &late).await,
        [""; 0],
        "at the due instant itself everybody is in time"
    );

    desk.clock.set(at("2026-03-04T17:00:00Z"));
    wait_until("the breach", LIMIT, async || !breaches(&desk, &late).await.is_empty()).await;
    desk.clock.advance(SignedDuration::from_mins(5));
    desk.caught_up().await;
    assert_eq!(breaches(&desk, &late).await, ["2026-03-04T16:00:00Z"]);
    assert_eq!(target(&desk, &late, "").await["state"], "breached");
    assert_eq!(target(&desk, &kept, "").await["state"], "met");
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_before_the_scheduler_looks_records_the_breach_along() {
    let desk = promising(&json!({ "first_response": { "within": { "working": "PT1H" } } })).await;
    let ticket = create(&desk, "2026-03-04T09:00:00Z").await;
    let late = at("2026-03-04T10:00:00Z") + MICROSECOND;
    desk.clock.set(late);
    let words = json!({ "body": "We look into it.", "visibility": "public" });
    let path = format!("/v1/tickets/{ticket}/comment");
    desk.api.post(&AGENT.token(), &path, &words).await.expect(200);
    desk.caught_up().await;
    assert_eq!(breaches(&desk, &ticket).await, ["2026-03-04T10:00:00Z"]);
    let clock = target(&desk, &ticket, "").await;
    assert_eq!(clock["state"], "breached");
    assert_eq!(clock["ended_at"], late.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_hear_nothing_of_what_the_desk_demands_of_itself() {
    let desk = promising(&solution()).await;
    let ticket = create(&desk, "2026-03-04T09:00:00Z").await;
    desk.caught_up().await;
    desk.clock.set(at("2026-03-04T17:00:00Z"));
    wait_until("the breach", LIMIT, async || !breaches(&desk, &ticket).await.is_empty()).await;
    let seen = timeline(&desk, CUSTOMER, &ticket).await;
    assert_eq!(
        seen.iter().map(|(event, ..)| event.as_str()).collect::<Vec<_>>(),
        ["created"]
    );
    let words = json!({ "body": "Hello?", "visibility": "public" });
    let path = format!("/v1/tickets/{ticket}/comment");
    let said = desk.api.post(&CUSTOMER.token(), &path, &words).await.expect(200);
    assert_eq!(said.body["events"], json!(["commented"]));
    let path = format!("/v1/tickets/{ticket}/sla");
    let refused = desk.api.get(&CUSTOMER.token(), &path).await.expect(403);
    assert_eq!(refused.body["code"], "not-permitted");
    let feed = desk.api.get(&CUSTOMER.token(), "/v1/events").await.expect(200);
    assert!(!feed.body.to_string().contains("sla_"), "{}", feed.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_of_policy_or_calendar_moves_nothing_that_runs() {
    let desk = promising(&json!({ "first_response": { "within": { "working": "PT1H" } } })).await;
    let before = create(&desk, "2026-03-04T09:00:00Z").await;
    promise_two_hours(&desk).await;
    let after = create(&desk, "2026-03-04T09:00:00Z").await;
    let (before, after) = (target(&desk, &before, "").await, target(&desk, &after, "").await);
    assert_eq!(
        (&before["due_at"], &before["policy_version"]),
        (&json!("2026-03-04T10:00:00Z"), &json!(1))
    );
    assert_eq!(
        (&after["due_at"], &after["policy_version"]),
        (&json!("2026-03-04T11:00:00Z"), &json!(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn running_clocks_move_only_when_somebody_asks_who_has_seen_before_what_will_move() {
    let desk = promising(&json!({ "first_response": { "within": { "working": "PT1H" } } })).await;
    let ticket = create(&desk, "2026-03-04T09:00:00Z").await;
    let closed = create(&desk, "2026-03-04T09:00:00Z").await;
    let close = json!({ "reason": "Done." });
    let token = AGENT.token();
    desk.api
        .post(&LEAD.token(), &format!("/v1/tickets/{closed}/close"), &close)
        .await
        .expect(200);
    let (id, calendar) = promise_two_hours(&desk).await;

    let path = format!("/v1/policies/{id}/re-evaluate");
    let preview = json!({ "preview": true });
    let expected = json!([{
        "ticket": { "id": ticket, "number": 1 },
        "target": "first_response", "number": 1,
        "from": { "policy": id, "policy_version": 1, "calendar": calendar, "calendar_version": 1, "within": "PT1H", "due_at": "2026-03-04T10:00:00Z" },
        "to": { "policy": id, "policy_version": 2, "calendar": calendar, "calendar_version": 1, "within": "PT2H", "due_at": "2026-03-04T11:00:00Z" },
    }]);
    let told = desk.api.post(&token, &path, &preview).await.expect(200);
    assert_eq!(told.body["changes"], expected);
    assert_eq!(told.body["tickets"], 1);
    assert_eq!(target(&desk, &ticket, "").await["due_at"], "2026-03-04T10:00:00Z");

    let applied = desk
        .api
        .try_post(&token, &path, &json!({}), "once")
        .await
        .unwrap()
        .expect(200);
    assert_eq!(applied.body["changes"], expected);
    let clock = target(&desk, &ticket, "").await;
    assert_eq!(
        (&clock["due_at"], &clock["policy_version"]),
        (&json!("2026-03-04T11:00:00Z"), &json!(2))
    );
    let again = desk
        .api
        .try_post(&token, &path, &json!({}), "once")
        .await
        .unwrap()
        .expect(200);
    assert_eq!(again.body, applied.body);
    assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
    let nothing = desk.api.post(&token, &path, &preview).await.expect(200);
    assert_eq!(nothing.body["changes"], json!([]));

    let unknown = format!("/v1/policies/{ticket}/re-evaluate");
    desk.api.post(&token, &unknown, &preview).await.expect(404);
    desk.api.post(&CUSTOMER.token(), &path, &preview).await.expect(403);
    let wrong = desk
        .api
        .post(&token, &path, &json!({ "preview": "yes", "counting": "twice" }))
        .await
        .expect(400);
    assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 2);
    desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_of_what_was_in_force_finds_what_happened_and_of_a_draft_what_would_have() {
    let target = |within: &str| json!({ "first_response": { "within": { "working": within } } });
    let desk = promising(&target("PT1H")).await;
    let words = json!({ "body": "We look into it.", "visibility": "public" });
    let (late, kept) = (
        create(&desk, "2026-03-04T09:00:00Z").await,
        create(&desk, "2026-03-04T10:00:00Z").await,
    );
    give(
        &desk,
        "2026-03-04T10:30:00Z",
        AGENT,
        &format!("/v1/tickets/{late}/comment"),
        &words,
    )
    .await;
    give(
        &desk,
        "2026-03-04T10:45:00Z",
        AGENT,
        &format!("/v1/tickets/{kept}/comment"),
        &words,
    )
    .await;
    desk.caught_up().await;
    let token = AGENT.token();
    let policies = desk.api.get(&token, "/v1/policies").await.expect(200);
    let calendar = policies.column("calendar")[0].to_owned();
    let before = desk.tables().await;

    let rehearse = async |targets: Value, more: &Value| {
        let mut body = json!({ "policy": { "name": "Draft", "calendar": calendar, "targets": targets } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.api.post(&token, "/v1/policies/rehearse", &body).await
    };
    let counts = |answer: &Value, when: &str| {
        let tally = &answer["targets"]["first_response"][when];
        (tally["met"].as_u64().unwrap(), tally["breached"].as_u64().unwrap())
    };
    let same = rehearse(target("PT1H"), &json!({})).await.expect(200).body;
    assert_eq!((counts(&same, "then"), counts(&same, "now")), ((1, 1), (1, 1)));
    assert_eq!((&same["tickets"], &same["differing"]), (&json!(2), &json!(0)));

    let shorter = rehearse(target("PT30M"), &json!({})).await.expect(200).body;
    assert_eq!((counts(&shorter, "then"), counts(&shorter, "now")), ((1, 1), (0, 2)));
    assert_eq!(shorter["by_month"][0]["month"], "2026-03");
    assert_eq!(shorter["by_priority"][0]["targets"], shorter["targets"]);
    assert_eq!(shorter["by_group"][0]["group"], Value::Null);
    let differing = shorter["differing_tickets"].as_array().unwrap();
    assert_eq!(differing.len(), 1);
    assert_eq!(differing[0]["id"], kept);
    assert_eq!(differing[0]["clocks"][0]["now"]["breached_at"], "2026-03-04T10:30:00Z");

    let hours = json!({ "calendar": { "name": "Late", "time_zone": "UTC", "week": { "wed": [["10:00", "18:00"]] } } });
    let later = rehearse(target("PT1H"), &hours).await.expect(200).body;
    assert_eq!(counts(&later, "now"), (2, 0), "an hour of these hours begins at ten");
    let none = rehearse(target("PT1H"), &json!({ "to": "2026-03-04" }))
        .await
        .expect(200)
        .body;
    assert_eq!(none["tickets"], 0);
    let backwards = json!({ "from": "2026-06-01", "to": "2026-05-01" });
    let backwards = rehearse(target("PT1H"), &backwards).await.expect(422);
    assert_eq!(backwards.body["errors"][0]["pointer"], "/to");

    let wrong = rehearse(target("P1D"), &json!({ "limit": 1_000_000, "from": "yesterday" }))
        .await
        .expect(422);
    let pointers: Vec<&str> = wrong.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers.len(), 3, "{pointers:?}");
    assert!(
        pointers.contains(&"/policy/targets/first_response/within/working"),
        "{pointers:?}"
    );
    assert_eq!(desk.tables().await, before, "a rehearsal changes nothing");
    the_command_line_says_the_same(&desk, &calendar).await;
}

async fn the_command_line_says_the_same(desk: &Desk, calendar: &str) {
    let dir = tempfile::tempdir().unwrap();
    let draft = dir.path().join("draft.toml");
    let text = format!(
        "name = 'Draft'\ncalendar = '{calendar}'\n[targets.first_response]\nwithin = {{ working = 'PT30M' }}\n"
    );
    std::fs::write(&draft, text).unwrap();
    let words = [
        "sla",
        "rehearse",
        "--policy",
        draft.to_str().unwrap(),
        "--url",
        &desk.api.url,
        "--token",
        &AGENT.token(),
    ];
    let printed = recourse_succeeds(&words).await;
    let row = printed
        .lines()
        .find(|line| line.starts_with("all "))
        .unwrap_or(&printed);
    let cells: Vec<&str> = row.split_whitespace().take(8).collect();
    assert_eq!(
        cells,
        ["all", "first_response", "1", "/", "0", "1", "/", "2"],
        "{printed}"
    );
    assert!(
        printed.contains("Tickets whose promises come out otherwise: 1"),
        "{printed}"
    );
}
