//! Telling people by mail what happens to tickets.

use std::collections::BTreeMap;

use command_service::Mail;
use reqwest::Method;
use serde_json::{Value, json};
use test_harness::{LATER, REFUSED, Smtp, wait_until};
use uuid::Uuid;

use crate::desk::{ADMINISTRATOR, AGENT, CUSTOMER, Desk, IMPORTER, LEAD, LIMIT, Person, sample};

const DESK: &str = "https://desk.example.org";
/// Staff who follow and do nothing.
const WATCHER: Uuid = Uuid::from_u128(0x3a7c_4e12);
/// The last words on a ticket, which only staff are told of.
const LAST: &str = "That is all.";

const ADA: &str = "ada@example.org";
const CAROL: &str = "carol@example.org";
const WATCHERS: &str = "watcher@example.org";

/// A desk whose mail goes to a server, with an agent, a customer and a watcher who have addresses.
async fn desk(smtp: &Smtp) -> Desk {
    let mail = Mail::new(&smtp.url(), "desk@example.org", DESK).unwrap();
    let desk = Desk::open_with(Some(mail)).await;
    let person = |kind: &str, email: &str, language: &str| json!({ "name": email.split('@').next(), "kind": kind, "email": email, "language": language });
    put(
        &desk,
        &format!("/v1/users/{}", AGENT.user()),
        &person("staff", ADA, "en"),
    )
    .await;
    put(
        &desk,
        &format!("/v1/users/{}", CUSTOMER.user()),
        &person("customer", CAROL, "ru"),
    )
    .await;
    put(&desk, &format!("/v1/users/{WATCHER}"), &person("staff", WATCHERS, "en")).await;
    desk
}

async fn put(desk: &Desk, path: &str, body: &Value) {
    let call = desk.request(Method::PUT, path).by(ADMINISTRATOR);
    call.body("application/json", body.to_string()).send().await.expect(200);
}

async fn turn_off(desk: &Desk, person: Person, notices: &Value) {
    let call = desk.request(Method::PUT, "/v1/settings").by(person);
    let body = json!({ "notices": notices });
    call.body("application/json", body.to_string()).send().await.expect(200);
}

async fn give(desk: &Desk, person: Person, ticket: &str, command: &str, body: &Value) {
    desk.command(person, ticket, command, body).send().await.expect(200);
}

/// A new ticket of the customer's, which the watcher follows.
async fn watched(desk: &Desk) -> String {
    let ticket = desk.ticket("defect").await;
    give(desk, LEAD, &ticket, "follow", &json!({ "user": WATCHER })).await;
    ticket
}

/// What was mailed to whom, what each mail says, once all that happened to the ticket is told: the customer's own language is
/// Russian.
async fn told(desk: &Desk, smtp: &Smtp, ticket: &str) -> BTreeMap<String, Vec<String>> {
    let last = json!({ "body": LAST, "visibility": "internal" });
    give(desk, LEAD, ticket, "comment", &last).await;
    let mut mails = Vec::new();
    loop {
        let mail = smtp.mail().await;
        let is_last = mail.to == [WATCHERS] && mail.text().contains(LAST);
        mails.push(mail);
        if is_last {
            break;
        }
    }
    nothing_waits(desk).await;
    mails.extend(smtp.mails().await);
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mail in mails.iter().filter(|mail| !mail.text().contains(LAST)) {
        told.entry(mail.to.concat()).or_default().push(mail.text());
    }
    told
}

async fn nothing_waits(desk: &Desk) {
    let outbox = desk.log.outbox().await.unwrap();
    wait_until("all notices to be sent", LIMIT, async || {
        outbox.waiting().await.unwrap() == 0
    })
    .await;
}

/// The first lines of what somebody was told, in some order.
fn sentences<'t>(told: &'t BTreeMap<String, Vec<String>>, to: &str) -> Vec<&'t str> {
    let texts = told.get(to).into_iter().flatten();
    let mut sentences: Vec<&str> = texts.map(|text| text.lines().next().unwrap()).collect();
    sentences.sort_unstable();
    sentences
}

/// From when it is accepted until it is closed.
async fn life(desk: &Desk, ticket: &str) {
    give(
        desk,
        AGENT,
        ticket,
        "request-info",
        &json!({ "comment": "Which version?\nAnd where?" }),
    )
    .await;
    give(
        desk,
        CUSTOMER,
        ticket,
        "provide-info",
        &json!({ "comment": "Version 7." }),
    )
    .await;
    give(
        desk,
        AGENT,
        ticket,
        "propose-closure",
        &json!({ "solution": "Press F5." }),
    )
    .await;
    give(desk, CUSTOMER, ticket, "close", &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_whom_a_ticket_concerns_hears_what_the_others_do() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp).await;
    let ticket = watched(&desk).await;
    give(&desk, AGENT, &ticket, "accept", &json!({})).await;
    // The watcher is told in English, the customer in Russian, in some order.
    let mut mails = [smtp.mail().await, smtp.mail().await];
    mails.sort_by_key(|mail| mail.to.concat());
    let [to_customer, to_watcher] = &mails;
    assert_eq!(
        (to_customer.to.concat(), to_watcher.to.concat()),
        (CAROL.to_owned(), WATCHERS.to_owned())
    );
    assert_eq!(to_watcher.headers("Subject"), ["[#1] Export fails"]);
    assert_eq!(to_watcher.headers("Auto-Submitted"), ["auto-generated"]);
    let thread = format!("<{ticket}@example.org>");
    assert_eq!(to_watcher.headers("References"), [thread.as_str()]);
    assert_eq!(to_customer.headers("References"), [thread]);
    assert_ne!(to_customer.headers("Message-ID"), to_watcher.headers("Message-ID"));
    let status = |mail: &test_harness::Mail| {
        mail.text()
            .lines()
            .filter(|line| line.contains(": "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(status(to_watcher), ["Status: In progress"]);
    assert_eq!(status(to_customer), ["Статус: В работе"]);
    for mail in &mails {
        assert!(
            mail.text().contains(&format!("\n{DESK}/tickets/1\n")),
            "{}",
            mail.text()
        );
        assert!(
            mail.text().trim_end().ends_with(&format!("\n{DESK}/settings")),
            "{}",
            mail.text()
        );
    }

    life(&desk, &ticket).await;
    let told = told(&desk, &smtp, &ticket).await;
    assert_eq!(
        sentences(&told, CAROL),
        [
            "По тикету задан вопрос. Он ожидает ответа.",
            "Тикет считается решённым. Он будет закрыт, если никто не возразит."
        ]
    );
    let question = told[CAROL].iter().find(|text| text.starts_with("По тикету")).unwrap();
    assert!(
        question.contains("\n\nada:\n> Which version?\n> And where?\n\n#1 Export fails\n"),
        "{question}"
    );
    assert_eq!(
        sentences(&told, ADA),
        ["The question about the ticket was answered.", "The ticket was closed."]
    );
    assert_eq!(
        sentences(&told, WATCHERS),
        [
            "The question about the ticket was answered.",
            "The ticket is thought to be solved. It will be closed unless somebody objects.",
            "The ticket was closed.",
            "There is a question about the ticket. It waits for an answer.",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn turning_one_off_stops_exactly_that_one_for_whoever_turned_it_off() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp).await;
    turn_off(&desk, CUSTOMER, &json!({ "question": false })).await;
    turn_off(&desk, AGENT, &json!({ "answer": true, "closed": false })).await;
    let ticket = watched(&desk).await;
    give(&desk, AGENT, &ticket, "accept", &json!({})).await;
    life(&desk, &ticket).await;
    let told = told(&desk, &smtp, &ticket).await;
    assert_eq!(
        sentences(&told, CAROL),
        [
            "Тикет передан специалисту.",
            "Тикет считается решённым. Он будет закрыт, если никто не возразит."
        ]
    );
    assert_eq!(sentences(&told, ADA), ["The question about the ticket was answered."]);
    assert_eq!(told[WATCHERS].len(), 5);
    // Who wants no comments is told that one took the ticket back into work.
    let ticket = watched(&desk).await;
    give(&desk, AGENT, &ticket, "accept", &json!({})).await;
    give(&desk, AGENT, &ticket, "request-info", &json!({ "comment": "Which?" })).await;
    turn_off(&desk, AGENT, &json!({ "comment": false })).await;
    give(
        &desk,
        CUSTOMER,
        &ticket,
        "comment",
        &json!({ "body": "Both.", "visibility": "public" }),
    )
    .await;
    let told = self::told(&desk, &smtp, &ticket).await;
    assert_eq!(sentences(&told, ADA), ["Work on the ticket goes on."]);
    assert!(sentences(&told, WATCHERS).contains(&"There is a new comment on the ticket."));
    // A language of one's own counts before that of the profile.
    let call = desk.request(Method::PUT, "/v1/settings").by(CUSTOMER);
    let spanish = json!({ "language": "es" });
    call.body("application/json", spanish.to_string())
        .send()
        .await
        .expect(200);
    give(
        &desk,
        AGENT,
        &ticket,
        "propose-closure",
        &json!({ "solution": "Neither." }),
    )
    .await;
    let told = self::told(&desk, &smtp, &ticket).await;
    assert_eq!(
        sentences(&told, CAROL),
        ["El tique se considera resuelto. Se cerrará si nadie se opone."]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_what_they_may_not_see() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp).await;
    let ticket = watched(&desk).await;
    give(&desk, AGENT, &ticket, "accept", &json!({})).await;
    let internal = json!({ "body": "He is wrong.", "visibility": "internal" });
    give(&desk, LEAD, &ticket, "comment", &internal).await;
    let told = told(&desk, &smtp, &ticket).await;
    assert_eq!(sentences(&told, CAROL), ["Тикет передан специалисту."]);
    assert_eq!(
        sentences(&told, ADA),
        ["There is a new internal comment on the ticket. The requester does not see it: do not pass it on."]
    );

    // Who works on it is hidden from customers, then the whole ticket; and the agent may not come in any more.
    put(
        &desk,
        "/v1/portals/others",
        &json!({ "name": "Others", "visible": ["priority"] }),
    )
    .await;
    give(&desk, LEAD, &ticket, "assign", &json!({ "assignee": WATCHER })).await;
    give(
        &desk,
        LEAD,
        &ticket,
        "comment",
        &json!({ "body": "Hello.", "visibility": "public" }),
    )
    .await;
    let told = self::told(&desk, &smtp, &ticket).await;
    assert_eq!(sentences(&told, CAROL), ["К тикету добавлен комментарий."]);
    assert_eq!(
        sentences(&told, WATCHERS),
        ["A ticket was given to you.", "There is a new comment on the ticket."]
    );
    put(
        &desk,
        "/v1/portals/others",
        &json!({ "name": "Others", "types": ["outage"] }),
    )
    .await;
    let disabled = json!({ "name": "ada", "kind": "staff", "email": ADA, "enabled": false });
    put(&desk, &format!("/v1/users/{}", AGENT.user()), &disabled).await;
    give(&desk, LEAD, &ticket, "follow", &json!({ "user": AGENT.user() })).await;
    give(
        &desk,
        LEAD,
        &ticket,
        "comment",
        &json!({ "body": "Hello?", "visibility": "public" }),
    )
    .await;
    let told = self::told(&desk, &smtp, &ticket).await;
    assert_eq!(told.keys().collect::<Vec<_>>(), [WATCHERS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_refused_is_sent_again_unless_it_never_will_be_taken() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp).await;
    let at = |name: &str| format!("{name}@example.org");
    let (never, later) = (at(REFUSED), at(LATER));
    let agent = json!({ "name": "ada", "kind": "staff", "email": never });
    put(&desk, &format!("/v1/users/{}", AGENT.user()), &agent).await;
    let customer = json!({ "name": "carol", "kind": "customer", "email": later });
    put(&desk, &format!("/v1/users/{}", CUSTOMER.user()), &customer).await;
    let ticket = watched(&desk).await;
    give(&desk, LEAD, &ticket, "accept", &json!({ "assignee": AGENT.user() })).await;
    let told = told(&desk, &smtp, &ticket).await;
    assert_eq!(told.keys().collect::<Vec<_>>(), [&later, WATCHERS]);
    assert_eq!(
        sentences(&told, &later),
        ["The ticket was given to somebody who works on it."]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_long_ago_is_no_news() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp).await;
    let mut old = sample("defect");
    old["occurred_at"] = json!("2026-02-20T09:00:00Z");
    old["on_behalf_of"] = json!(CUSTOMER.user());
    let ticket = desk.create(IMPORTER, &old).send().await.expect(201).id();
    let follow = json!({ "user": WATCHER, "occurred_at": "2026-02-20T09:00:00Z" });
    give(&desk, IMPORTER, &ticket, "follow", &follow).await;
    let accept = |at: &str| json!({ "assignee": AGENT.user(), "occurred_at": at });
    give(&desk, IMPORTER, &ticket, "accept", &accept("2026-03-01T08:59:59Z")).await;
    let comment = json!({ "body": "New.", "visibility": "public", "occurred_at": "2026-03-01T09:00:00Z" });
    give(&desk, IMPORTER, &ticket, "comment", &comment).await;
    let told = told(&desk, &smtp, &ticket).await;
    assert_eq!(sentences(&told, ADA), ["There is a new comment on the ticket."]);
    assert_eq!(sentences(&told, CAROL), ["К тикету добавлен комментарий."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_though_the_log_is_killed_in_between() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp).await;
    let ticket = watched(&desk).await;
    give(&desk, AGENT, &ticket, "accept", &json!({})).await;
    desk.nats.kill().await;
    desk.nats.restart().await;
    let question = json!({ "comment": "Which?" });
    wait_until("the log to be back", LIMIT, async || {
        let ask = desk.command(AGENT, &ticket, "request-info", &question).key("question");
        ask.send().await.status == 200
    })
    .await;
    let told = told(&desk, &smtp, &ticket).await;
    // A server that is killed may have forgotten what was done a moment before: that is sent again, and known by its id.
    let mut carols = sentences(&told, CAROL);
    carols.dedup();
    assert_eq!(
        carols,
        [
            "По тикету задан вопрос. Он ожидает ответа.",
            "Тикет передан специалисту."
        ]
    );
}
