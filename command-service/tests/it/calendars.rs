//! Calendars: created, changed, explained.

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{AGENT, Answer, CUSTOMER, Call, Desk};

fn moscow() -> Value {
    let hours = json!([["09:00", "13:00"], ["14:00", "18:00"]]);
    json!({
        "name": "Support desk Moscow",
        "time_zone": "Europe/Moscow",
        "week": { "mon": hours, "tue": hours, "wed": hours, "thu": hours, "fri": hours, "sat": [] },
        "holidays": ["2026-01-01"],
        "overrides": [{ "date": "2026-02-14", "intervals": [["09:00", "15:00"]] }],
        "closures": [{ "date": "2026-03-06", "intervals": [["16:00", "18:00"]] }],
    })
}

fn with(mut calendar: Value, field: &str, value: Value) -> Value {
    calendar[field] = value;
    calendar
}

fn put(desk: &Desk, id: &str, body: &Value) -> Call {
    let path = format!("/v1/calendars/{id}");
    let call = desk.request(Method::PUT, &path).by(AGENT);
    call.body("application/json", body.to_string())
}

async fn created(desk: &Desk) -> String {
    let answer = desk.post(AGENT, "/v1/calendars", &moscow()).send().await;
    answer.expect(201).id()
}

async fn explained(desk: &Desk, id: &str, question: &Value) -> Answer {
    let path = format!("/v1/calendars/{id}/explain");
    desk.post(CUSTOMER, &path, question).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_created_once_and_explains_itself_at_once() {
    let desk = Desk::open().await;
    let create = || desk.post(AGENT, "/v1/calendars", &moscow()).key("calendar-1");
    let first = create().send().await.expect(201);
    assert_eq!(first.header("ETag"), Some("\"1\""));
    let location = format!("/v1/calendars/{}", first.id());
    assert_eq!(first.header("Location"), Some(location.as_str()));
    assert!(first.header("Commit-Position").unwrap().starts_with("65535:"));
    assert_eq!(
        (&first.body["version"], &first.body["revision"]),
        (&json!(1), &json!(1))
    );
    let again = create().send().await.expect(201);
    assert!(again.replayed() && !first.replayed());
    assert_eq!(again.body, first.body);
    let other = with(moscow(), "name", "Another".into());
    let reused = desk.post(AGENT, "/v1/calendars", &other).key("calendar-1").send().await;
    reused.problem(422, "idempotency-key-reused");

    // Forty working hours after Friday evening.
    let question = json!({ "from": "2026-10-23T17:00:00+03:00", "working": "PT40H" });
    let due = explained(&desk, &first.id(), &question).await.expect(200);
    assert_eq!(due.body["due"], "2026-10-30T14:00:00Z");
    assert_eq!(due.header("ETag"), Some("\"1\""));
    let segments = due.body["segments"].as_array().unwrap();
    assert_eq!(
        segments[0],
        json!({ "from": "2026-10-23T14:00:00Z", "to": "2026-10-23T15:00:00Z", "kind": "working" })
    );
    assert_eq!(segments.last().unwrap()["to"], "2026-10-30T14:00:00Z");

    let question = json!({ "from": "2026-03-06T12:00:00.000001+03:00", "to": "2026-03-07T00:00:00+03:00" });
    let elapsed = explained(&desk, &first.id(), &question).await.expect(200);
    assert_eq!(elapsed.body["elapsed"], "PT2H59M59.999999S");
    let kinds: Vec<&str> = elapsed.body["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|segment| segment["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["working", "outside_hours", "working", "closure", "outside_hours"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_counts_from_its_date_and_none_is_made_for_nothing() {
    let desk = Desk::open().await;
    let id = created(&desk).await;
    let longer = with(
        moscow(),
        "week",
        json!({ "tue": [["00:00", "24:00"]], "wed": [["00:00", "24:00"]] }),
    );
    let longer = with(longer, "effective_from", "2026-07-01".into());
    let changed = put(&desk, &id, &longer)
        .if_match("\"1\"")
        .key("p")
        .send()
        .await
        .expect(200);
    assert_eq!(changed.body["version"], 2);
    assert_eq!(changed.body["effective_from"], "2026-07-01");
    let never = with(longer.clone(), "effective_from", "9999-12-31".into());
    let refused = put(&desk, &id, &never).send().await;
    assert_eq!(
        refused.problem(422, "invalid-fields")["errors"][0]["pointer"],
        "/effective_from"
    );
    let unchanged = put(&desk, &id, &longer).send().await.expect(200);
    assert_eq!(unchanged.header("ETag"), Some("\"2\""));
    assert!(!unchanged.replayed());
    let stale = put(&desk, &id, &moscow()).if_match("\"1\"").send().await;
    assert_eq!(stale.problem(412, "revision-mismatch")["revision"], 2);
    let replayed = put(&desk, &id, &longer)
        .if_match("\"1\"")
        .key("p")
        .send()
        .await
        .expect(200);
    assert!(replayed.replayed());
    assert_eq!(replayed.body, changed.body);

    // A Tuesday of the first version, a Wednesday of the second.
    let question = json!({ "from": "2026-06-30T00:00:00+03:00", "to": "2026-07-02T00:00:00+03:00" });
    let elapsed = explained(&desk, &id, &question).await.expect(200);
    assert_eq!(elapsed.body["elapsed"], "PT32H");
    // From the beginning of a stretch only the version in force counts.
    let question = json!({ "from": "2026-07-01T00:00:00+03:00", "working": "PT24H" });
    let due = explained(&desk, &id, &question).await.expect(200);
    assert_eq!(due.body["due"], "2026-07-01T21:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_ask_and_do_not_write() {
    let desk = Desk::open().await;
    let id = created(&desk).await;
    for (method, path) in [
        (Method::POST, "/v1/calendars".to_owned()),
        (Method::PUT, format!("/v1/calendars/{id}")),
        (Method::POST, format!("/v1/calendars/{id}/holidays")),
    ] {
        let call = desk.request(method.clone(), &path).by(CUSTOMER);
        let answer = call.body("application/json", moscow().to_string()).send().await;
        answer.problem(403, "not-permitted");
        let call = desk.request(method, &path);
        let answer = call.body("application/json", moscow().to_string()).send().await;
        answer.problem(401, "unauthenticated");
    }
    let given = json!({ "calendar": moscow(), "from": "2026-01-01T00:00:00Z", "working": "PT0S" });
    let answer = desk
        .post(CUSTOMER, "/v1/calendars/explain", &given)
        .send()
        .await
        .expect(200);
    assert_eq!(answer.body["due"], "2026-01-02T06:00:00Z");
    assert_eq!(answer.body["segments"][0]["kind"], "holiday");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_a_calendar_is_told_at_once() {
    let desk = Desk::open().await;
    let wrong = json!({
        "name": 5, "week": { "mon": [["9:00", "17:00"], ["10:00"]], "someday": [] },
        "holidays": ["2026-02-30", 7], "closures": [{ "date": "2026-01-01", "hours": [] }], "colour": "red",
    });
    let answer = desk.post(AGENT, "/v1/calendars", &wrong).send().await;
    let errors = [
        ("/name", "wrong_type"),
        ("/time_zone", "required"),
        ("/week/mon/0/0", "invalid"),
        ("/week/mon/1", "wrong_type"),
        ("/week/someday", "unknown_field"),
        ("/holidays/0", "invalid"),
        ("/holidays/1", "wrong_type"),
        ("/closures/0/hours", "unknown_field"),
        ("/closures/0/intervals", "required"),
        ("/colour", "unknown_field"),
    ];
    answer.problem_of(400, "malformed-request", &errors);
    let wrong = json!({
        "name": " ", "time_zone": "Europe/Atlantis", "week": { "mon": [["09:00", "13:00"], ["12:00", "18:00"]] },
        "overrides": [{ "date": "2026-01-01", "intervals": [] }, { "date": "2026-01-02", "intervals": [["22:00", "06:00"]] }],
    });
    let answer = desk.post(AGENT, "/v1/calendars", &wrong).send().await;
    let errors = [
        ("/name", "invalid"),
        ("/time_zone", "invalid"),
        ("/week/mon", "overlapping_intervals"),
        ("/overrides/1/intervals", "reversed_interval"),
    ];
    answer.problem_of(422, "invalid-fields", &errors);
    let idle = json!({ "name": "Idle", "time_zone": "UTC", "week": { "mon": [] } });
    let answer = desk.post(AGENT, "/v1/calendars", &idle).send().await;
    answer.problem_of(422, "invalid-fields", &[("/week", "no_working_time")]);
    let question = json!({ "calendar": idle, "from": "2026-01-01T00:00:00Z" });
    let answer = desk.post(AGENT, "/v1/calendars/explain", &question).send().await;
    answer.problem_of(
        422,
        "invalid-fields",
        &[("/calendar/week", "no_working_time"), ("", "required")],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_without_an_answer_say_why() {
    let desk = Desk::open().await;
    let id = created(&desk).await;
    let from = "2026-06-05T10:00:00Z";
    for (question, pointer, code) in [
        (json!({ "from": from, "working": "P1D" }), "/working", "invalid"),
        (json!({ "from": from, "working": "-PT1H" }), "/working", "invalid"),
        (json!({ "from": from, "working": "PT100000H" }), "/working", "invalid"),
        (json!({ "from": from, "working": "forty hours" }), "/working", "invalid"),
        (
            json!({ "from": from, "to": "2026-06-05T09:59:59.999999Z" }),
            "/to",
            "invalid",
        ),
        (json!({ "from": from, "to": "2056-06-05T10:00:00Z" }), "/to", "invalid"),
        (
            json!({ "from": "-000001-01-01T00:00:00Z", "to": from }),
            "/from",
            "invalid",
        ),
        (
            json!({ "from": from, "to": from, "working": "PT1H" }),
            "/working",
            "conflict",
        ),
        (json!({ "from": from }), "", "required"),
        (json!({ "working": "PT1H" }), "/from", "required"),
    ] {
        let answer = explained(&desk, &id, &question).await;
        answer.problem_of(422, "invalid-fields", &[(pointer, code)]);
    }
    let answer = explained(&desk, &id, &json!({ "from": from, "working": 40 })).await;
    answer.problem_of(400, "malformed-request", &[("/working", "wrong_type")]);
    let answer = explained(&desk, &id, &json!({ "from": from, "to": from, "calendar": moscow() })).await;
    answer.problem_of(400, "malformed-request", &[("/calendar", "unknown_field")]);
    let question = json!({ "from": from, "to": from });
    for id in ["tea-time", "00000000-0000-0000-0000-000000000000"] {
        explained(&desk, id, &question).await.problem(404, "calendar-not-found");
        put(&desk, id, &moscow())
            .send()
            .await
            .problem(404, "calendar-not-found");
    }
    let answer = explained(&desk, &id, &question).await.expect(200);
    assert_eq!(answer.body, json!({ "elapsed": "PT0S", "segments": [] }));
}

const HOLIDAYS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:May\r\n  Day\r\nDTSTART;VALUE=DATE:20260501\r\n\
    DTEND;VALUE=DATE:20260503\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:New Year\r\nDTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY\r\n\
    END:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:Meeting\r\nDTSTART:20260504T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn holidays_are_imported_as_a_new_version_with_a_report() {
    let desk = Desk::open().await;
    let id = created(&desk).await;
    let path = format!("/v1/calendars/{id}/holidays");
    let import = |file: &'static str, key: &str| {
        let call = desk.request(Method::POST, &path).by(AGENT).key(key);
        call.body("text/calendar; charset=utf-8", file).send()
    };
    let first = import(HOLIDAYS, "i-1").await.expect(200);
    assert_eq!((&first.body["version"], &first.body["events"]), (&json!(2), &json!(3)));
    // The clock stands in 2026: from 2024 to 2036, of which 2026 was known.
    assert_eq!(
        (&first.body["dates"], &first.body["added"]),
        (&json!(2 + 13), &json!(2 + 12))
    );
    assert_eq!(first.body["recurrences_until"], "2036-12-31");
    assert_eq!(
        first.body["skipped"],
        json!([{ "line": 14, "summary": "Meeting", "reason": "it does not last whole days" }])
    );
    let again = import(HOLIDAYS, "i-1").await.expect(200);
    assert!(again.replayed());
    assert_eq!(again.body, first.body);
    let anew = import(HOLIDAYS, "i-2").await.expect(200);
    assert_eq!((&anew.body["version"], &anew.body["added"]), (&json!(2), &json!(0)));
    let question = json!({ "from": "2026-05-01T00:00:00+03:00", "to": "2026-05-03T00:00:00+03:00" });
    let answer = explained(&desk, &id, &question).await.expect(200);
    assert_eq!(answer.body["elapsed"], "PT0S");
    assert_eq!(answer.body["segments"].as_array().unwrap().len(), 1);
    assert_eq!(answer.body["segments"][0]["kind"], "holiday");

    let monthly =
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260501\nRRULE:FREQ=MONTHLY\nEND:VEVENT\nEND:VCALENDAR\n";
    let answer = import(monthly, "i-3").await;
    answer.problem_of(422, "invalid-fields", &[("line 4", "unreadable")]);
    let call = desk.request(Method::POST, &path).by(AGENT);
    call.body("application/json", "{}")
        .send()
        .await
        .problem(415, "unsupported-media-type");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_at_once_all_become_versions() {
    const WRITERS: u64 = 8;
    let desk = Desk::open().await;
    let id = created(&desk).await;
    let calls = (0..WRITERS).map(|writer| {
        let body = with(moscow(), "name", format!("Desk {writer}").into());
        let call = put(&desk, &id, &body);
        call.send()
    });
    let mut versions: Vec<u64> = futures::future::join_all(calls)
        .await
        .into_iter()
        .map(|answer| answer.expect(200).body["version"].as_u64().unwrap())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..2 + WRITERS).collect::<Vec<_>>());
}
