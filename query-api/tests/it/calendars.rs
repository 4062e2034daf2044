//! Calendars and their versions.

use std::sync::Arc;

use domain::actor::Actor;
use domain::calendar::stored::Command;
use domain::calendar::{Calendar, CalendarSpec, Interval, Week};
use domain::directory::EntryKind;
use domain::ids::{CalendarId, CommandId};
use domain::testing::{agent, customer};
use domain::text::Label;
use event_log::{CalendarOutcome, Request};
use serde_json::json;
use uuid::Uuid;

use crate::desk::Desk;

fn office(name: &str, end: u32) -> Calendar {
    let week = Week::monday_to_friday(&[Interval::hours(9, end)]);
    let spec = CalendarSpec {
        overrides: [("2026-02-14".parse().unwrap(), vec![Interval::hours(9, 24)])].into(),
        ..CalendarSpec::weekly(name, "Europe/Moscow", week)
    };
    Calendar::try_new(spec).unwrap()
}

fn calendar(n: u128) -> CalendarId {
    Uuid::from_u128(n).into()
}

async fn give(desk: &Desk, id: CalendarId, command: &Command) -> CalendarOutcome {
    let request = Request {
        command_id: CommandId::from(Uuid::new_v4()),
        digest: [0; 32],
        actor: Arc::new(agent()),
        via: None,
        occurred_at: None,
        honour_deadlines: false,
        if_match: None,
        origin: None,
        traceparent: None,
    };
    desk.log.calendars().execute(id, command, &request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_can_be_read_by_everybody_with_who_wrote_it_and_when() {
    let desk = Desk::start().await;
    let token = desk.token(&customer()).await;
    let ada = Label::parse("Ada").unwrap();
    let named = desk.log.directory();
    let user = agent().user.as_uuid();
    named.name(EntryKind::User, user, &ada, &Actor::system()).await.unwrap();
    give(&desk, calendar(1), &Command::Create(office("Office", 17), None)).await;
    let july = Some("2026-07-01".parse().unwrap());
    give(&desk, calendar(1), &Command::Replace(office("Bureau", 15), july)).await;
    let holidays = Command::AddHolidays(["2026-12-25".parse().unwrap()].into());
    let last = give(&desk, calendar(1), &holidays).await;

    let position = last.position.to_string();
    let path = format!("/v1/calendars/{}", calendar(1));
    let waiting = [("Min-Position", position.as_str()), ("Max-Wait-Ms", "10000")];
    let one = desk.get_with(&token, &path, &waiting).await;
    assert_eq!((one.status, one.header("etag")), (200, "\"3\""), "{}", one.body);
    let mut body = one.body.clone();
    assert!(body["changed_at"].take().as_str().unwrap().ends_with('Z'));
    let (hours, none) = (json!([["09:00", "15:00"]]), json!([]));
    let expected = json!({
        "id": calendar(1).to_string(), "name": "Bureau", "time_zone": "Europe/Moscow", "version": 3,
        "effective_from": "2026-07-01", "change": "calendar_holidays_added",
        "changed_by": { "id": user, "name": "Ada" }, "changed_at": null,
        "week": { "mon": hours, "tue": hours, "wed": hours, "thu": hours, "fri": hours, "sat": none, "sun": none },
        "holidays": ["2026-12-25"],
        "overrides": [{ "date": "2026-02-14", "intervals": [["09:00", "24:00"]] }],
        "closures": [],
    });
    assert_eq!(body, expected);

    let first = desk.get(&token, &format!("{path}?version=1")).await;
    assert_eq!(
        (&first.body["name"], &first.body["version"]),
        (&json!("Office"), &json!(1))
    );
    assert_eq!(
        (&first.body["effective_from"], first.header("etag")),
        (&json!(null), "\"3\"")
    );
    let versions = desk.get(&token, &format!("{path}/versions?count=exact&limit=2")).await;
    assert_eq!(versions.column("change"), ["calendar_created", "calendar_changed"]);
    assert_eq!(versions.body["total"], 3);
    let cursor = versions.body["next_cursor"].as_str().unwrap();
    let rest = desk.get(&token, &format!("{path}/versions?cursor={cursor}")).await;
    assert_eq!(rest.column("version"), [3]);
    assert_eq!(rest.body["next_cursor"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_each_calendar_once_by_name() {
    let desk = Desk::start().await;
    let token = desk.token(&customer()).await;
    for (n, name) in [(1, "Office"), (2, "Always"), (3, "Office"), (4, "Nights")] {
        give(&desk, calendar(n), &Command::Create(office(name, 17), None)).await;
    }
    let last = give(&desk, calendar(4), &Command::Replace(office("Zebra", 17), None)).await;
    let position = last.position.to_string();
    let waiting = [("Min-Position", position.as_str()), ("Max-Wait-Ms", "10000")];
    let whole = desk.get_with(&token, "/v1/calendars?count=exact", &waiting).await;
    assert_eq!(whole.column("name"), ["Always", "Office", "Office", "Zebra"]);
    assert_eq!(whole.body["total"], 4);
    let (mut names, mut path) = (Vec::new(), "/v1/calendars?limit=1".to_owned());
    loop {
        let page = desk.get(&token, &path).await;
        names.extend(page.column("id"));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        path = format!("/v1/calendars?limit=1&cursor={cursor}");
    }
    assert_eq!(names, whole.column("id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_not_understood_is_told() {
    let desk = Desk::start().await;
    let token = desk.token(&customer()).await;
    let last = give(&desk, calendar(1), &Command::Create(office("Office", 17), None)).await;
    let position = last.position.to_string();
    let waiting = [("Min-Position", position.as_str()), ("Max-Wait-Ms", "10000")];
    let empty = desk.get_with(&token, "/v1/calendars?limit=1", &waiting).await;
    assert_eq!(empty.column("name"), ["Office"]);
    let (known, unknown) = (calendar(1), calendar(2));
    for path in [
        format!("/v1/calendars/{unknown}"),
        format!("/v1/calendars/{unknown}/versions"),
        format!("/v1/calendars/{known}?version=2"),
        "/v1/calendars/tea-time".to_owned(),
    ] {
        desk.get(&token, &path).await.assert_problem(404, "calendar-not-found");
    }
    for path in [
        format!("/v1/calendars/{known}?version=0"),
        "/v1/calendars?limit=0".to_owned(),
    ] {
        desk.get(&token, &path).await.assert_problem(422, "invalid-fields");
    }
    for path in [
        "/v1/calendars?colour=red".to_owned(),
        "/v1/calendars?cursor=nonsense".to_owned(),
        format!("/v1/calendars/{known}?limit=1"),
    ] {
        desk.get(&token, &path).await.assert_problem(400, "malformed-request");
    }
}
