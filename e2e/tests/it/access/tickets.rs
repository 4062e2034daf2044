//! Everybody on the routes of tickets, for tickets of every kind: the very status of each answer, what a ticket says that
//! somebody may do with it, and the same commands as lines of one request.

use std::collections::BTreeSet;

use domain::policy::WaitPolicy;
use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::admit::{PROJECT, admit};
use super::who::{EVERYBODY, Entry, KINDS, Kind, Who};
use crate::desk::{Desk, NOON};
use crate::people::{AGENT, CUSTOMER, FOLLOWER, IMPORTER};

/// Rows that are asked at the same time.
const CONCURRENT: usize = 16;

/// Who may give a command to a ticket that they see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Everybody,
    Staff,
    RequestersSide,
    Either,
    /// Those who may say when it happened, whether or not they see the ticket: what a body may say comes first.
    Importers,
}

/// A command, with its body, from which statuses it is possible (nothing: from any; `open`: from any but closed), and
/// for whom. In this order all of them are given to a ticket.
type Row = (&'static str, &'static str, &'static str, By);

const WORDS: &str = r#"{"comment": "Words."}"#;
const REASON: &str = r#"{"reason": "Sent twice."}"#;

const COMMANDS: [Row; 22] = [
    (
        "comment",
        r#"{"body": "Words.", "visibility": "public"}"#,
        "",
        By::Everybody,
    ),
    (
        "comment",
        r#"{"body": "Words.", "visibility": "internal"}"#,
        "",
        By::Staff,
    ),
    ("comment", IN_THE_PAST, "", By::Importers),
    ("follow", "{}", "", By::Everybody),
    (
        "follow",
        r#"{"user": "00000000-0000-0000-0000-0000000000f0"}"#,
        "",
        By::Staff,
    ),
    ("edit", r#"{"subject": "Words"}"#, "open", By::Either),
    ("classify", r#"{"category": "Printers"}"#, "open", By::Staff),
    (
        "assign",
        r#"{"assignee": "00000000-0000-0000-0000-000000000001"}"#,
        "open",
        By::Staff,
    ),
    ("accept", "{}", "new reopened", By::Staff),
    ("request-info", WORDS, "in_progress reopened", By::Staff),
    ("provide-info", WORDS, "waiting_for_info", By::RequestersSide),
    ("await-fix", "{}", "in_progress", By::Staff),
    // Of a defect nobody waits for an implementation.
    ("await-implementation", "{}", "never", By::Staff),
    (
        "resume",
        "{}",
        "waiting_for_info waiting_for_fix waiting_for_closure",
        By::Staff,
    ),
    (
        "propose-closure",
        r#"{"solution": "Toner."}"#,
        "in_progress waiting_for_fix",
        By::Staff,
    ),
    ("rate", r#"{"score": 5}"#, "closed", By::RequestersSide),
    ("reopen", WORDS, "closed waiting_for_closure", By::Either),
    ("close", REASON, "open", By::Either),
    (
        "propose-closure",
        r#"{"solution": "Ink."}"#,
        "in_progress waiting_for_fix",
        By::Staff,
    ),
    ("close", "{}", "open", By::Either),
    (
        "unfollow",
        r#"{"user": "00000000-0000-0000-0000-0000000000f0"}"#,
        "",
        By::Staff,
    ),
    ("unfollow", "{}", "", By::Everybody),
];

/// A comment of an hour that has struck.
const IN_THE_PAST: &str = r#"{"body": "Words.", "visibility": "public", "occurred_at": "2026-03-02T09:00:00Z"}"#;

/// The status of the answer to somebody's command, if the ticket stands at this status.
fn expected(who: Who, kind: &Kind, (command, _, from, by): Row, status: &str) -> u16 {
    match who.entry() {
        Entry::Refused => return 401,
        Entry::PasswordFirst | Entry::Looking => return 403,
        Entry::Full => {}
    }
    let (own, side) = (who.traits(), who.requesters_side(kind));
    if by == By::Importers && !own.holds("import") {
        return 403;
    }
    if !who.sees(kind) {
        return 404;
    }
    let permitted = match by {
        By::Everybody | By::Importers => true,
        By::Staff => own.staff,
        By::RequestersSide => side,
        By::Either => own.staff || side,
    };
    let possible = match from {
        "" => true,
        "open" => status != "closed",
        statuses => statuses.split(' ').any(|one| one == status),
    };
    match (permitted, possible) {
        (false, _) => 403,
        (true, false) => 409,
        (true, true) if command == "close" && status != "waiting_for_closure" => match (own.staff, who.closes(kind)) {
            (false, _) => 409,
            (true, false) => 403,
            (true, true) => 200,
        },
        (true, true) => 200,
    }
}

/// The commands that a ticket says are somebody's: those that the rows of this table let them give, by their names.
fn offered(who: Who, kind: &Kind) -> BTreeSet<&'static str> {
    let status = if kind.open { "new" } else { "closed" };
    let theirs = COMMANDS
        .into_iter()
        .filter(|row| expected(who, kind, *row, status) == 200);
    theirs.map(|(command, ..)| command).collect()
}

/// Through whose eyes somebody reads.
fn reader(who: Who) -> Who {
    match who.entry() {
        Entry::Looking => Who::Known(CUSTOMER),
        Entry::Refused | Entry::PasswordFirst | Entry::Full => who,
    }
}

/// The lines that open a ticket of a kind for somebody's row.
fn preparation(key: &str, who: Who, kind: &Kind) -> Vec<Value> {
    let (requester, organisation) = kind.requester(who);
    let body = json!({
        "subject": "Export fails", "description": "It says 500.", "type": "defect",
        "on_behalf_of": { "id": requester, "organisation": organisation },
    });
    let mut lines = vec![json!({ "command": "create", "key": key, "body": body })];
    let mut give = |command: &str, body: Value| {
        let (ticket, key) = (format!("${key}"), format!("{key}-{command}"));
        lines.push(json!({ "command": command, "ticket": ticket, "key": key, "body": body }));
    };
    if kind.group.is_some() {
        give("assign", json!({ "group": kind.group }));
    }
    if kind.followed {
        give("follow", json!({ "user": FOLLOWER.user }));
        give("classify", json!({ "project": PROJECT }));
    }
    if !kind.open {
        give("close", json!({ "reason": "Sent twice." }));
    }
    lines
}

/// Somebody, a kind of tickets, and two tickets of it: for single requests, and for lines.
type Place = (Who, Kind, [String; 2]);

async fn places(desk: &Desk) -> Vec<Place> {
    let pairs = || EVERYBODY.into_iter().flat_map(|who| KINDS.map(|kind| (who, kind)));
    let lines = pairs().enumerate().flat_map(|(n, (who, kind))| {
        let keys = [format!("{n}-single"), format!("{n}-lines")];
        keys.into_iter().flat_map(move |key| preparation(&key, who, &kind))
    });
    let lines: Vec<Value> = lines.collect();
    let results = desk.api.bulk(&IMPORTER.token(), &lines).await;
    let mut opened = Vec::new();
    for (line, result) in lines.iter().zip(results) {
        assert!([json!(200), json!(201)].contains(&result["status"]), "{line}: {result}");
        if line["command"] == "create" {
            opened.push(result["id"].as_str().unwrap().to_owned());
        }
    }
    let (tickets, rest) = opened.as_chunks::<2>();
    assert!(rest.is_empty());
    let places = pairs().zip(tickets);
    places
        .map(|((who, kind), tickets)| (who, kind, tickets.clone()))
        .collect()
}

/// What is asked, and the status of the answer.
type Asked = (String, u16);

async fn send(desk: &Desk, who: Who, method: Method, path: &str, body: Option<(&str, String)>) -> (u16, String) {
    let mut request = desk.api.anonymous(method, path);
    if who != Who::Anonymous {
        request = request.bearer_auth(who.token());
    }
    if let Some((kind, body)) = body {
        request = request.header("Content-Type", kind).body(body);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Reads a ticket in all ways, and returns what is wrong.
async fn read(desk: &Desk, (who, kind, [ticket, _]): &Place) -> Vec<String> {
    let mut wrong = Vec::new();
    for (what, by) in [("", By::Everybody), ("/timeline", By::Everybody), ("/sla", By::Staff)] {
        let path = format!("/v1/tickets/{ticket}{what}");
        let (status, text) = send(desk, *who, Method::GET, &path, None).await;
        let expected = expected(reader(*who), kind, ("", "", "", by), "");
        if status != expected {
            wrong.push(format!(
                "{who:?} reads {what} of {}: {status}, not {expected}",
                kind.name
            ));
        } else if status == 200 && what.is_empty() {
            let shown: Value = serde_json::from_str(&text).unwrap();
            let shown = shown["allowed_commands"].as_array().unwrap().iter();
            let shown: BTreeSet<&str> = shown.map(|name| name.as_str().unwrap()).collect();
            let offered = offered(reader(*who), kind);
            if shown != offered {
                wrong.push(format!(
                    "{who:?} is offered of {}: {shown:?}, not {offered:?}",
                    kind.name
                ));
            }
        }
    }
    wrong
}

/// Gives a ticket all commands, and returns what is answered and what is wrong with that.
async fn command(desk: &Desk, (who, kind, [ticket, _]): &Place) -> (Vec<Asked>, Vec<String>) {
    let mut stands = String::from(if kind.open { "new" } else { "closed" });
    let (mut answers, mut wrong) = (Vec::new(), Vec::new());
    for row in COMMANDS {
        let (command, body, ..) = row;
        let path = format!("/v1/tickets/{ticket}/{command}");
        let json = Some(("application/json", body.to_owned()));
        let (status, text) = send(desk, *who, Method::POST, &path, json).await;
        let expected = expected(*who, kind, row, &stands);
        if status != expected {
            let name = kind.name;
            wrong.push(format!(
                "{who:?} {command} {body} of {name}, {stands}: {status}, not {expected}"
            ));
        }
        if status == 200 {
            let answer: Value = serde_json::from_str(&text).unwrap();
            answer["status"].as_str().unwrap().clone_into(&mut stands);
        }
        answers.push((format!("{command} {body}"), status));
    }
    (answers, wrong)
}

/// The statuses that the same commands have as lines of one request, for another ticket of the kind.
async fn in_bulk(desk: &Desk, (who, _, [_, ticket]): &Place) -> Vec<Asked> {
    let line = |(n, (command, body, ..)): (usize, Row)| {
        let body: Value = serde_json::from_str(body).unwrap();
        json!({ "command": command, "ticket": ticket, "key": format!("{ticket}-{n}"), "body": body }).to_string()
    };
    let lines: Vec<String> = COMMANDS.into_iter().enumerate().map(line).collect();
    let ndjson = Some(("application/x-ndjson", lines.join("\n")));
    let (status, text) = send(desk, *who, Method::POST, "/v1/commands", ndjson).await;
    let statuses: Vec<u16> = if status == 200 {
        let results = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        results
            .map(|result| result["status"].as_u64().unwrap().try_into().unwrap())
            .collect()
    } else {
        vec![status; COMMANDS.len()]
    };
    let named = COMMANDS.map(|(command, body, ..)| format!("{command} {body}"));
    named.into_iter().zip(statuses).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_answered_alike_alone_and_in_bulk_about_tickets_of_every_kind() {
    assert!(IN_THE_PAST.contains(NOON), "the clock stands there");
    assert_eq!(AGENT.user.as_u128(), 1, "whom tickets are assigned to");
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk).await;
    let places = places(&desk).await;
    desk.caught_up().await;
    let wrong = stream::iter(&places).map(async |place| {
        let mut wrong = read(&desk, place).await;
        let (alone, more) = command(&desk, place).await;
        wrong.extend(more);
        let in_bulk = in_bulk(&desk, place).await;
        let differ: Vec<_> = alone
            .iter()
            .zip(&in_bulk)
            .filter(|(alone, in_bulk)| alone != in_bulk)
            .collect();
        if !differ.is_empty() {
            wrong.push(format!("{:?}, {}: alone and in bulk {differ:?}", place.0, place.1.name));
        }
        wrong
    });
    let wrong: Vec<Vec<String>> = wrong.buffer_unordered(CONCURRENT).collect().await;
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    desk.rebuilding_changes_nothing().await;
}
