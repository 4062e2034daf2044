//! The table of the contract over HTTP, cell by cell: every command from every status by everybody. What is expected is
//! written here from the contract alone.

use std::collections::BTreeMap;

use domain::policy::WaitPolicy;
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::http::Answer;
use crate::people::{
    AGENT, CUSTOMER, FOLLOWER, GROUP, IMPORTER, LEAD, LEADER, PEER, Person, STAFF_REQUESTER, STRANGER,
};

/// Requests under way at the same time.
const CONCURRENT: usize = 16;

const PEOPLE: [Person; 8] = [AGENT, LEAD, STAFF_REQUESTER, CUSTOMER, PEER, FOLLOWER, LEADER, STRANGER];

/// Each status, with the commands of staff that lead to it from new.
const STATUSES: [(&str, &[&str]); 8] = [
    ("new", &[]),
    ("in_progress", &["accept"]),
    ("waiting_for_info", &["accept", "request-info"]),
    ("waiting_for_fix", &["accept", "await-fix"]),
    ("waiting_for_implementation", &["accept", "await-implementation"]),
    ("waiting_for_closure", &["accept", "propose-closure"]),
    ("closed", &["accept", "propose-closure", "close"]),
    ("reopened", &["accept", "propose-closure", "close", "reopen"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Staff,
    RequestersSide,
    Either,
    Everybody,
}

/// A row of the contract's table: command, body, from which statuses (nothing: from any; `open`: any but closed), to
/// which status (nothing: unchanged), by whom.
type Row = (&'static str, &'static str, &'static str, &'static str, By);

const TABLE: [Row; 20] = [
    ("accept", "{}", "new reopened", "in_progress", By::Staff),
    (
        "request-info",
        WORDS,
        "in_progress reopened",
        "waiting_for_info",
        By::Staff,
    ),
    (
        "provide-info",
        WORDS,
        "waiting_for_info",
        "in_progress",
        By::RequestersSide,
    ),
    ("await-fix", "{}", "in_progress", "waiting_for_fix", By::Staff),
    (
        "await-implementation",
        "{}",
        "in_progress",
        "waiting_for_implementation",
        By::Staff,
    ),
    (
        "resume",
        "{}",
        "waiting_for_info waiting_for_fix waiting_for_implementation waiting_for_closure",
        "in_progress",
        By::Staff,
    ),
    (
        "propose-closure",
        r#"{"solution": "x"}"#,
        "in_progress waiting_for_fix waiting_for_implementation",
        "waiting_for_closure",
        By::Staff,
    ),
    ("close", "{}", "open", "closed", By::Either),
    ("close", r#"{"reason": "x"}"#, "open", "closed", By::Either),
    ("reopen", WORDS, "closed waiting_for_closure", "reopened", By::Either),
    ("rate", r#"{"score": 4}"#, "closed", "", By::RequestersSide),
    (
        "comment",
        r#"{"body": "x", "visibility": "public"}"#,
        "",
        "",
        By::Everybody,
    ),
    (
        "comment",
        r#"{"body": "x", "visibility": "internal"}"#,
        "",
        "",
        By::Staff,
    ),
    ("classify", r#"{"system": "x"}"#, "open", "", By::Staff),
    ("classify", r#"{"priority": "critical"}"#, "open", "", By::Staff),
    ("assign", r#"{"assignee": null}"#, "open", "", By::Staff),
    ("edit", r#"{"subject": "x"}"#, "open", "", By::Either),
    ("edit", r#"{"custom_fields": {"seats": 3}}"#, "open", "", By::Either),
    ("follow", "{}", "", "", By::Everybody),
    ("unfollow", "{}", "", "", By::Everybody),
];

const WORDS: &str = r#"{"comment": "x"}"#;

const TYPES: [&str; 2] = ["defect", "feature_request"];

/// A cell of the table, with a ticket of its own.
#[derive(Debug, Clone, Copy)]
struct Cell {
    row: Row,
    ticket_type: &'static str,
    status: &'static str,
    way: &'static [&'static str],
    person: Person,
}

/// What a cell answers: HTTP status, and the ticket's status or the problem's code.
type Expected = (u16, &'static str);

impl Cell {
    fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for row in TABLE {
            for ticket_type in TYPES {
                // A ticket waits for what its type may wait for. Apart from that types make no difference, except to
                // the two commands that say so.
                let waits = |status: &str| match status {
                    "waiting_for_fix" => ticket_type == "defect",
                    "waiting_for_implementation" => ticket_type == "feature_request",
                    _ => ticket_type == "defect" || row.0.starts_with("await-"),
                };
                for (status, way) in STATUSES.into_iter().filter(|(status, _)| waits(status)) {
                    cells.extend(PEOPLE.map(|person| Self {
                        row,
                        ticket_type,
                        status,
                        way,
                        person,
                    }));
                }
            }
        }
        cells
    }

    fn expected(&self) -> Expected {
        let (command, body, from, to, by) = self.row;
        let closed = self.status == "closed";
        if self.person == STRANGER || (self.person == LEADER && closed) {
            return (404, "ticket-not-found");
        }
        let staff = self.person.staff;
        let requesters_side = [CUSTOMER, PEER, STAFF_REQUESTER].contains(&self.person);
        let permitted = match by {
            By::Staff => staff,
            By::RequestersSide => requesters_side,
            By::Either => staff || requesters_side,
            By::Everybody => true,
        };
        if !permitted {
            return (403, "not-permitted");
        }
        match from {
            "open" if closed => return (409, "ticket-closed"),
            "open" | "" => {}
            statuses if statuses.split(' ').any(|status| status == self.status) => {}
            _ => return (409, "wrong-status"),
        }
        match command {
            "close" if self.status != "waiting_for_closure" => self.closing_early(body),
            "await-fix" if self.ticket_type != "defect" => (409, "wrong-type"),
            "await-implementation" if self.ticket_type != "feature_request" => (409, "wrong-type"),
            "reopen" if !closed => (200, "in_progress"),
            "comment"
                if requesters_side
                    && body.contains("public")
                    && ["waiting_for_info", "waiting_for_closure"].contains(&self.status) =>
            {
                (200, "in_progress")
            }
            _ if to.is_empty() => (200, self.status),
            _ => (200, to),
        }
    }

    /// Before closure is proposed, staff with the permission close, for a reason.
    fn closing_early(&self, body: &str) -> Expected {
        match (self.person.staff, self.person == LEAD, body.contains("reason")) {
            (false, _, _) => (409, "wrong-status"),
            (true, false, _) => (403, "not-permitted"),
            (true, true, false) => (422, "invalid-fields"),
            (true, true, true) => (200, "closed"),
        }
    }

    /// The commands that make the cell's ticket, by an importer who may act for everybody.
    fn preparation(&self, key: &str) -> Vec<Value> {
        let body = json!({
            "subject": "Export fails", "description": "It says 500.", "type": self.ticket_type,
            "on_behalf_of": { "id": CUSTOMER.user, "organisation": CUSTOMER.organisation },
        });
        let mut lines = vec![json!({ "command": "create", "key": key, "body": body })];
        let mut give = |command: &str, body: Value| {
            let (ticket, key) = (format!("${key}"), format!("{key}-{command}"));
            lines.push(json!({ "command": command, "ticket": ticket, "key": key, "body": body }));
        };
        if self.person == FOLLOWER {
            give("follow", json!({ "user": FOLLOWER.user }));
        }
        if self.person == LEADER {
            give("assign", json!({ "group": GROUP }));
        }
        for command in self.way {
            let body = match *command {
                "request-info" | "reopen" => json!({ "comment": "x" }),
                "propose-closure" => json!({ "solution": "x" }),
                _ => json!({}),
            };
            give(command, body);
        }
        lines
    }

    async fn answer(&self, desk: &Desk, ticket: &str) -> Answer {
        let path = format!("/v1/tickets/{ticket}/{}", self.row.0);
        let body = serde_json::from_str(self.row.1).unwrap();
        desk.api.post(&self.person.token(), &path, &body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_table_answers_over_http_as_the_contract_says() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let cells = Cell::all();
    let tickets = prepared(&desk, &cells).await;
    let answers: Vec<_> = stream::iter(cells.iter().zip(&tickets))
        .map(async |(cell, ticket)| (cell, cell.answer(&desk, ticket).await))
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    assert_eq!(answers.len(), cells.len());
    let wrong: Vec<String> = answers
        .iter()
        .filter_map(|(cell, answer)| {
            let told = if answer.status == 200 {
                &answer.body["status"]
            } else {
                &answer.body["code"]
            };
            let (expected, found) = (cell.expected(), (answer.status, told.as_str().unwrap_or_default()));
            let Cell {
                row: (command, body, ..),
                ticket_type,
                status,
                person,
                ..
            } = cell;
            (found != expected).then(|| {
                format!(
                    "{command} {body} by {} of a {ticket_type}, {status}: {found:?}, not {expected:?}",
                    person.name
                )
            })
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} cells are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // What is refused for its status says what could be done instead.
    for (_, answer) in answers.iter().filter(|(_, answer)| answer.status == 409) {
        assert!(answer.body["allowed_commands"].is_array(), "{}", answer.body);
    }
}

/// A ticket for each cell, standing where the cell says.
async fn prepared(desk: &Desk, cells: &[Cell]) -> Vec<String> {
    let preparations = cells
        .iter()
        .enumerate()
        .map(|(n, cell)| cell.preparation(&format!("cell-{n}")));
    let lines: Vec<Value> = preparations.flatten().collect();
    let mut stands: BTreeMap<String, (String, String)> = BTreeMap::new();
    for chunk in lines.chunks(5_000) {
        for (line, result) in chunk.iter().zip(desk.api.bulk(&IMPORTER.token(), chunk).await) {
            assert!([json!(200), json!(201)].contains(&result["status"]), "{line}: {result}");
            let key = line["ticket"]
                .as_str()
                .map_or_else(|| line["key"].as_str().unwrap(), |key| &key[1..]);
            let text = |name: &str| result[name].as_str().unwrap().to_owned();
            stands.insert(key.to_owned(), (text("id"), text("ticket_status")));
        }
    }
    let ticket = |(n, cell): (usize, &Cell)| {
        let (id, status) = stands.remove(&format!("cell-{n}")).unwrap();
        assert_eq!(status, cell.status);
        id
    };
    cells.iter().enumerate().map(ticket).collect()
}
