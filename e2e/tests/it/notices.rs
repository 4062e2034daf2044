//! Telling people what the desk does by itself.

use command_service::Mail;
use domain::policy::WaitPolicy;
use jiff::SignedDuration;
use serde_json::{Value, json};
use test_harness::Smtp;

use crate::desk::{Desk, at};
use crate::people::{ADMINISTRATOR, AGENT, CUSTOMER, Person};

const AGENTS: &str = "agent@example.org";
const CUSTOMERS: &str = "customer@example.org";

/// A desk that sends mail, with an agent and a customer who read it in English.
async fn desk(smtp: &Smtp) -> Desk {
    let mail = Mail::new(&smtp.url(), "desk@example.org", "https://desk.example.org").unwrap();
    let desk = Desk::open_with(WaitPolicy::supportal(), Some(mail)).await;
    for (person, kind, email) in [(AGENT, "staff", AGENTS), (CUSTOMER, "customer", CUSTOMERS)] {
        let profile = json!({ "name": kind, "kind": kind, "email": email, "language": "en" });
        let path = format!("/v1/users/{}", person.user);
        let written = desk.api.put(&ADMINISTRATOR.token(), &path, &profile).await;
        written.expect(200);
    }
    desk
}

async fn give(desk: &Desk, person: Person, ticket: &str, command: &str, body: Value) {
    let path = format!("/v1/tickets/{ticket}/{command}");
    desk.api.post(&person.token(), &path, &body).await.expect(200);
}

/// A ticket that the agent works on; the customer was told.
async fn accepted(desk: &Desk, smtp: &Smtp) -> String {
    let body = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    let created = desk.api.post(&CUSTOMER.token(), "/v1/tickets", &body).await;
    let ticket = created.expect(201).id();
    give(desk, AGENT, &ticket, "accept", json!({})).await;
    told(
        smtp,
        &[(CUSTOMERS, "The ticket was given to somebody who works on it.")],
    )
    .await;
    ticket
}

/// Checks that these mails come next, in some order: to whom, and what they begin with.
async fn told(smtp: &Smtp, expected: &[(&str, &str)]) {
    let mut mails = Vec::new();
    for _ in expected {
        let mail = smtp.mail().await;
        let sentence = mail.text().lines().next().unwrap().to_owned();
        mails.push((mail.to.concat(), sentence));
    }
    mails.sort();
    let owned = |(to, sentence): &(&str, &str)| ((*to).to_owned(), (*sentence).to_owned());
    assert_eq!(mails, expected.iter().map(owned).collect::<Vec<_>>());
}

async fn due(desk: &Desk, ticket: &str) -> String {
    desk.caught_up().await;
    let path = format!("/v1/tickets/{ticket}");
    let ticket = desk.api.get(&AGENT.token(), &path).await.expect(200);
    ticket.body["sla"]["due_at"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_told_that_nobody_answered_and_that_nobody_objected() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp).await;
    let ticket = accepted(&desk, &smtp).await;
    give(
        &desk,
        AGENT,
        &ticket,
        "request-info",
        json!({ "comment": "Which version?" }),
    )
    .await;
    let question = "There is a question about the ticket. It waits for an answer.";
    told(&smtp, &[(CUSTOMERS, question)]).await;
    desk.clock.set(at(&due(&desk, &ticket).await));
    let silence = "Nobody answered in time. The ticket will be closed unless somebody objects.";
    told(&smtp, &[(AGENTS, silence), (CUSTOMERS, silence)]).await;
    desk.clock.set(at(&due(&desk, &ticket).await));
    let closed = "Nobody objected, and the ticket was closed.";
    told(&smtp, &[(AGENTS, closed), (CUSTOMERS, closed)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_are_told_of_promised_times_and_customers_are_not() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp).await;
    let hours = json!([["00:00", "24:00"]]);
    let calendar = json!({ "name": "Always", "time_zone": "UTC", "week": { "mon": hours } });
    let token = ADMINISTRATOR.token();
    let calendar = desk.api.post(&token, "/v1/calendars", &calendar).await.expect(201).id();
    let notify = |whom: &str| json!({ "action": "notify", "whom": whom, "delivery": "at_once" });
    let target = json!({ "within": { "elapsed": "PT10H" }, "on_breach": [notify("assignee"), notify("followers")] });
    let policy = json!({ "name": "Promises", "calendar": calendar, "targets": { "resolution": target } });
    desk.api.post(&token, "/v1/policies", &policy).await.expect(201);

    let ticket = accepted(&desk, &smtp).await;
    desk.caught_up().await;
    let sla = desk
        .api
        .get(&token, &format!("/v1/tickets/{ticket}/sla"))
        .await
        .expect(200);
    // Who acts at the instant itself is in time.
    let after = |name: &str| at(sla.body["targets"][0][name].as_str().unwrap()) + SignedDuration::from_micros(1);
    desk.clock.set(after("warn_at"));
    told(&smtp, &[(AGENTS, "A time that was promised for the ticket is near.")]).await;
    desk.clock.set(after("due_at"));
    told(&smtp, &[(AGENTS, "A time that was promised for the ticket is over.")]).await;
    // The customer, who follows the ticket, hears of what comes next, and of nothing before.
    give(
        &desk,
        AGENT,
        &ticket,
        "comment",
        json!({ "body": "Sorry.", "visibility": "public" }),
    )
    .await;
    told(&smtp, &[(CUSTOMERS, "There is a new comment on the ticket.")]).await;
    let outbox = desk.log.outbox().await.unwrap();
    test_harness::wait_until("all notices to be sent", crate::http::LIMIT, async || {
        outbox.waiting().await.unwrap() == 0
    })
    .await;
    assert!(smtp.mails().await.is_empty());
}
