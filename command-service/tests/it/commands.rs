//! Every route, as it is meant to be used.

use domain::ticket::Event;
use serde_json::{Value, json};

use crate::desk::{ADMINISTRATOR, AGENT, CUSTOMER, Desk, IMPORTER, LEAD, PEER, Person, sample};

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_created_with_all_that_its_author_says_about_it() {
    let desk = Desk::open().await;
    let body = json!({
        "subject": "Export fails", "description": "It says 500.\nAlways.", "type": "outage", "priority": "low",
        "system": "billing", "environment": "production", "platform_version": "7.1", "category": "Reports",
        "service": "Export", "custom_fields": { "seats": 12, "vip": true, "site": "Perm" },
    });
    let created = desk.create(CUSTOMER, &body).send().await.expect(201);

    let id = created.id();
    let number = created.body["number"].as_u64().unwrap();
    assert!(number >= 1);
    assert_eq!(
        created.body,
        json!({ "id": id, "number": number, "status": "new", "revision": 1 })
    );
    assert_eq!(created.header("Location"), Some(format!("/v1/tickets/{id}").as_str()));
    assert_eq!(created.header("ETag"), Some("\"1\""));
    let (partition, sequence) = created.header("Commit-Position").unwrap().split_once(':').unwrap();
    assert!(partition.parse::<u16>().is_ok() && sequence.parse() == Ok(1_u64));
    assert!(!created.replayed());

    let records = desk.records(&id).await;
    let [Event::Created(event)] = records[0].events.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(event.subject.as_str(), "Export fails");
    assert_eq!(event.description.as_str(), "It says 500.\nAlways.");
    assert_eq!(
        (event.ticket_type.code.as_str(), event.priority.code.as_str()),
        ("outage", "low")
    );
    let labels = [
        &event.system,
        &event.environment,
        &event.platform_version,
        &event.category,
        &event.service,
    ];
    let labels: Vec<_> = labels.iter().map(|label| label.as_ref().unwrap().as_str()).collect();
    assert_eq!(labels, ["billing", "production", "7.1", "Reports", "Export"]);
    assert_eq!(event.custom_fields.len(), 3);
    assert_eq!((event.requester.as_uuid(), event.number.0), (CUSTOMER.user(), number));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_types_own_priority_holds_unless_another_is_chosen() {
    let desk = Desk::open().await;
    for (ticket_type, priority) in [
        ("outage", "critical"),
        ("defect", "high"),
        ("consultation", "medium"),
        ("feature_request", "low"),
    ] {
        let id = desk.ticket(ticket_type).await;
        let records = desk.records(&id).await;
        let Some(Event::Created(event)) = records[0].events.first() else {
            panic!("{records:?}")
        };
        assert_eq!(event.priority.code.as_str(), priority);
    }
}

/// Who, which command, its body, the status after it, the events that it makes.
type Step = (Person, &'static str, Value, &'static str, &'static [&'static str]);

fn life() -> Vec<Step> {
    let words = || json!({ "comment": "words" });
    vec![
        (AGENT, "accept", json!({}), "in_progress", &["accepted"]),
        (
            AGENT,
            "request-info",
            words(),
            "waiting_for_info",
            &["information_requested"],
        ),
        (
            CUSTOMER,
            "provide-info",
            words(),
            "in_progress",
            &["information_provided"],
        ),
        (
            AGENT,
            "await-fix",
            json!({ "reference": "BUG-1" }),
            "waiting_for_fix",
            &["fix_awaited"],
        ),
        (AGENT, "resume", json!({}), "in_progress", &["work_resumed"]),
        (
            AGENT,
            "comment",
            json!({ "body": "hm", "visibility": "internal" }),
            "in_progress",
            &["commented"],
        ),
        (
            CUSTOMER,
            "comment",
            json!({ "body": "hm?", "visibility": "public" }),
            "in_progress",
            &["commented"],
        ),
        (
            AGENT,
            "classify",
            json!({ "priority": "critical", "category": "Login" }),
            "in_progress",
            &["classified"],
        ),
        (
            AGENT,
            "assign",
            json!({ "assignee": null }),
            "in_progress",
            &["assigned"],
        ),
        (
            CUSTOMER,
            "edit",
            json!({ "subject": "Export and import fail" }),
            "in_progress",
            &["edited"],
        ),
        (AGENT, "follow", json!({}), "in_progress", &["followed"]),
        (AGENT, "unfollow", json!({}), "in_progress", &["unfollowed"]),
        (
            AGENT,
            "propose-closure",
            json!({ "solution": "Press F5." }),
            "waiting_for_closure",
            &["closure_proposed"],
        ),
        (CUSTOMER, "reopen", words(), "in_progress", &["closure_declined"]),
        (
            LEAD,
            "close",
            json!({ "reason": "A duplicate." }),
            "closed",
            &["closed"],
        ),
        (
            CUSTOMER,
            "rate",
            json!({ "score": 4, "comment": "Fine." }),
            "closed",
            &["rated"],
        ),
        (CUSTOMER, "reopen", words(), "reopened", &["reopened"]),
        (
            AGENT,
            "request-info",
            words(),
            "waiting_for_info",
            &["information_requested"],
        ),
        // The answer to a question is as good in a comment.
        (
            CUSTOMER,
            "comment",
            json!({ "body": "7.1", "visibility": "public" }),
            "in_progress",
            &["commented", "work_resumed"],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_moves_the_ticket_on_and_says_where_it_stands() {
    let desk = Desk::open().await;
    let created = desk.create(CUSTOMER, &sample("defect")).send().await.expect(201);
    let (id, number) = (created.id(), created.body["number"].clone());
    for (revision, (person, command, body, status, events)) in (2_u64..).zip(life()) {
        let answer = desk.command(person, &id, command, &body).send().await.expect(200);
        let expected = json!({ "id": id, "number": number, "status": status, "revision": revision, "events": events });
        assert_eq!(answer.body, expected, "{command}");
        assert_eq!(answer.header("ETag"), Some(format!("\"{revision}\"").as_str()));
        let (_, sequence) = answer.header("Commit-Position").unwrap().split_once(':').unwrap();
        assert_eq!(sequence.parse(), Ok(revision), "there is no other ticket");
    }
    let feature = desk.ticket("feature_request").await;
    desk.command(AGENT, &feature, "accept", &json!({}))
        .send()
        .await
        .expect(200);
    let waiting = desk
        .command(AGENT, &feature, "await-implementation", &json!({}))
        .send()
        .await
        .expect(200);
    assert_eq!(waiting.body["status"], "waiting_for_implementation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_holds_already_changes_nothing() {
    let desk = Desk::open().await;
    let id = desk.ticket_in_progress().await;
    let before = desk
        .command(CUSTOMER, &id, "follow", &json!({}))
        .send()
        .await
        .expect(200);
    assert_eq!(
        (&before.body["events"], &before.body["revision"]),
        (&json!([]), &json!(2))
    );
    assert_eq!(before.header("ETag"), Some("\"2\""));
    assert_eq!(desk.records(&id).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_fields_needs_no_body() {
    let desk = Desk::open().await;
    let id = desk.ticket("defect").await;
    let path = format!("/v1/tickets/{id}/accept");
    let answer = desk
        .request(reqwest::Method::POST, &path)
        .by(AGENT)
        .send()
        .await
        .expect(200);
    assert_eq!(answer.body["status"], "in_progress");
    let records = desk.records(&id).await;
    assert_eq!(
        records[1].events,
        [Event::Accepted {
            assignee: AGENT.user().into()
        }]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_open_tickets_for_customers() {
    let desk = Desk::open().await;
    let mut body = sample("consultation");
    body["on_behalf_of"] = json!({ "id": CUSTOMER.user(), "name": "Ada", "organisation": uuid::Uuid::from_u128(1) });
    let id = desk.create(AGENT, &body).send().await.expect(201).id();
    let records = desk.records(&id).await;
    let Some(Event::Created(event)) = records[0].events.first() else {
        panic!("{records:?}")
    };
    assert_eq!(event.requester.as_uuid(), CUSTOMER.user());
    assert_eq!(
        records[0].header.actor.user.as_uuid(),
        AGENT.user(),
        "who did it is not who wishes it"
    );
    desk.command(
        CUSTOMER,
        &id,
        "comment",
        &json!({ "body": "mine", "visibility": "public" }),
    )
    .send()
    .await
    .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_profile_belongs_to_the_organisation_that_it_says_whoever_opens_their_tickets() {
    let desk = Desk::open().await;
    let (own, other) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    let profile = json!({ "name": "Ada", "kind": "customer", "organisation": own });
    let path = format!("/v1/users/{}", CUSTOMER.user());
    let call = desk.request(reqwest::Method::PUT, &path).by(ADMINISTRATOR);
    call.body("application/json", profile.to_string())
        .send()
        .await
        .expect(200);
    let organisation = async |id: &str| {
        let records = desk.records(id).await;
        let Some(Event::Created(event)) = records[0].events.first() else {
            panic!("{records:?}")
        };
        event.organisation.map(domain::ids::OrganisationId::as_uuid)
    };
    let open = |person: Person, on_behalf_of: Value| {
        let mut body = sample("consultation");
        body["on_behalf_of"] = on_behalf_of;
        desk.create(person, &body).send()
    };
    for theirs in [
        json!(CUSTOMER.user()),
        json!({ "id": CUSTOMER.user(), "organisation": own }),
    ] {
        let id = open(AGENT, theirs).await.expect(201).id();
        assert_eq!(organisation(&id).await, Some(own));
        // Colleagues see it.
        let comment = json!({ "body": "ours", "visibility": "public" });
        desk.command(PEER, &id, "comment", &comment).send().await.expect(200);
    }
    let foreign = json!({ "id": CUSTOMER.user(), "organisation": other });
    let refused = open(AGENT, foreign.clone()).await;
    refused.problem_of(422, "invalid-fields", &[("/on_behalf_of/organisation", "invalid")]);
    // History is as it was then.
    let id = open(IMPORTER, foreign).await.expect(201).id();
    assert_eq!(organisation(&id).await, Some(other));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_of_a_request_is_kept_with_its_record() {
    let desk = Desk::open().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let call = desk.create(CUSTOMER, &sample("defect")).header("traceparent", trace);
    let id = call.send().await.expect(201).id();
    assert_eq!(desk.records(&id).await[0].header.traceparent.as_deref(), Some(trace));
}
