//! Policies and their versions.

use std::sync::Arc;

use domain::ids::{CommandId, PolicyId};
use domain::policy::WaitLength;
use domain::sla::stored::{Command, Draft, Version};
use domain::sla::{BreachAction, Delivery, Notified, Scope, SlaCalendar, Target, TargetKind};
use domain::testing::{agent, customer};
use domain::text::{Code, Label};
use domain::ticket::Status;
use event_log::{PolicyOutcome, Request};
use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;

use crate::desk::Desk;

fn policy(n: u128) -> PolicyId {
    Uuid::from_u128(n).into()
}

/// A policy for the tickets of a service that has its name.
fn version(name: &str) -> Version {
    let name = Label::parse(name).unwrap();
    Version {
        scope: Scope {
            service: Some(name.clone()),
            priority: Some(Code::new("critical")),
            ..Scope::default()
        },
        ..Version::new(name)
    }
}

fn draft(version: Version) -> Draft {
    let hours = Some(SlaCalendar::round_the_clock());
    Draft { version, hours }
}

async fn give(desk: &Desk, id: PolicyId, command: &Command) -> PolicyOutcome {
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
    desk.log.policies().execute(id, command, &request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_read_every_version_with_who_wrote_it_and_when() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    give(&desk, policy(2), &Command::Create(draft(version("Silver")))).await;
    give(&desk, policy(1), &Command::Create(draft(version("Gold")))).await;
    let hours = |hours| WaitLength::Working(SignedDuration::from_hours(hours));
    let target = Target {
        on_breach: vec![
            BreachAction::RaisePriority(Code::new("critical")),
            BreachAction::Notify(Notified::Assignee, Delivery::WorkingHours),
        ],
        ..Target::new(hours(8)).paused_in([Status::WaitingForInfo])
    };
    let changed = Version {
        targets: [(TargetKind::Resolution, target)].into(),
        closure: Some(WaitLength::Elapsed(SignedDuration::from_mins(90))),
        ..version("Gold")
    };
    let last = give(&desk, policy(1), &Command::Replace(draft(changed))).await;

    let position = last.position.to_string();
    let path = format!("/v1/policies/{}", policy(1));
    let waiting = [("Min-Position", position.as_str()), ("Max-Wait-Ms", "10000")];
    let one = desk.get_with(&token, &path, &waiting).await;
    assert_eq!((one.status, one.header("etag")), (200, "\"2\""), "{}", one.body);
    let mut body = one.body.clone();
    assert!(body["changed_at"].take().as_str().unwrap().ends_with('Z'));
    assert_eq!(body["changed_by"].take()["id"], agent().user.to_string());
    let expected = json!({
        "id": policy(1).to_string(), "name": "Gold", "version": 2, "change": "policy_changed",
        "changed_by": null, "changed_at": null, "in_force": true, "calendar": null,
        "scope": { "organisation": null, "service": "Gold", "type": null, "priority": "critical" },
        "targets": { "resolution": {
            "within": { "working": "PT8H" }, "paused_in": ["waiting_for_info"], "warn_percent": 80,
            "on_breach": [
                { "action": "raise_priority", "priority": "critical" },
                { "action": "notify", "whom": "assignee", "delivery": "working_hours" },
            ],
        } },
        "information": null, "closure": { "elapsed": "PT1H30M" }, "reply_resumes": true,
    });
    assert_eq!(body, expected);
    let first = desk.get(&token, &format!("{path}?version=1")).await;
    assert_eq!((&first.body["targets"], first.header("etag")), (&json!({}), "\"2\""));
    let versions = desk.get(&token, &format!("{path}/versions?count=exact")).await;
    assert_eq!(versions.column("change"), ["policy_created", "policy_changed"]);
    assert_eq!(versions.body["total"], 2);
    let all = desk.get(&token, "/v1/policies?count=exact&limit=1").await;
    assert_eq!(
        (all.column("name"), &all.body["total"]),
        (vec![json!("Gold")], &json!(2))
    );
    let cursor = all.body["next_cursor"].as_str().unwrap();
    let rest = desk.get(&token, &format!("/v1/policies?cursor={cursor}")).await;
    assert_eq!(rest.column("name"), ["Silver"]);
    for path in [
        format!("/v1/policies/{}", policy(3)),
        format!("{path}?version=3"),
        "/v1/policies/tea-time/versions".to_owned(),
    ] {
        desk.get(&token, &path).await.assert_problem(404, "policy-not-found");
    }
    let unknown = desk.get(&token, "/v1/policies?colour=red").await;
    unknown.assert_problem(400, "malformed-request");

    let token = desk.token(&customer()).await;
    for path in [
        "/v1/policies",
        "/v1/policies/presets",
        path.as_str(),
        &format!("{path}/versions"),
    ] {
        desk.get(&token, path).await.assert_problem(403, "not-permitted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn presets_are_bodies_to_begin_with() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    let presets = desk.get(&token, "/v1/policies/presets").await;
    assert_eq!(presets.column("preset"), ["supportal", "cabinet", "simple"]);
    let simple = &presets.body["items"][2];
    assert_eq!(
        simple["policy"]["targets"]["first_response"]["within"],
        json!({ "working": "PT4H" })
    );
    assert_eq!(
        (&simple["policy"]["name"], &simple["calendar"]["time_zone"]),
        (&json!("simple"), &json!("UTC"))
    );
}
