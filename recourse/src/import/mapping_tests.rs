//! Whole files to commands, and those commands by the desk's own rules.

use std::collections::HashSet;

use domain::actor::{Actor, ActorKind};
use domain::catalogue::Catalogue;
use domain::ids::{GroupId, TicketNumber, UserId};
use domain::policy::WaitPolicy;
use domain::text::{Body as Text, Label, Subject};
use domain::ticket::{
    Accept, Assign, Await, Change, Classify, Close, Command, Context, Created, CustomValue, Edit, ProposeClosure,
    Reopen, RequestInfo, Resume, Ticket, decide,
};
use jiff::Timestamp;

use super::line::{Body, Line};
use super::mapping::Mapper;
use super::report::Report;
use super::source::{Rows, SourceError};

const HEADER: &str = "number,incident_state,sys_mod_count,caller_id,opened_at,sys_updated_by,sys_updated_at,priority,\
                      assignment_group,assigned_to,category,subcategory,problem_id";

fn now() -> Timestamp {
    "2020-01-01T00:00:00Z".parse().unwrap()
}

fn map_with(rows: &str, honoured: HashSet<String>) -> (Vec<Line>, Report, HashSet<String>) {
    let file = format!("{HEADER}\n{rows}");
    let mut mapper = Mapper::new(now(), honoured);
    let lines = Rows::open(file.as_bytes())
        .unwrap()
        .flat_map(|row| mapper.map(&row.unwrap()))
        .collect();
    let (report, running) = mapper.finish();
    (lines, report, running)
}

fn map(rows: &str) -> (Vec<Line>, Report) {
    let (lines, report, _) = map_with(rows, HashSet::new());
    (lines, report)
}

/// A row in which only the state, the count and the minute matter.
fn row(number: &str, state: &str, count: u32) -> String {
    format!(
        "{number},{state},{count},Caller 1,29-02-2016 01:00,Agent 1,29-02-2016 02:{count:02},3 - Moderate,?,?,?,?,?\n"
    )
}

fn commands(lines: &[Line]) -> Vec<&'static str> {
    lines.iter().map(|line| line.command).collect()
}

fn json(line: &Line) -> serde_json::Value {
    serde_json::to_value(line).unwrap()
}

#[test]
fn an_incident_is_opened_by_its_caller_when_it_was_opened() {
    let (lines, _) = map(
        "INC1,New,0,Caller 2403,29-02-2016 01:16,Updated by 21,29-02-2016 01:23,2 - High,Group 56,?,Category 55,Subcategory 170,?\n",
    );
    assert_eq!(commands(&lines), ["create", "assign"]);
    let create = json(&lines[0]);
    assert_eq!(create["key"], "servicenow:INC1:create");
    assert_eq!(create["body"]["occurred_at"], "2016-02-29T01:16:00Z");
    assert_eq!(create["body"]["on_behalf_of"]["name"], "Caller 2403");
    assert_eq!(create["body"]["on_behalf_of"]["kind"], "customer");
    assert_eq!(create["body"]["subject"], "INC1: Category 55, Subcategory 170");
    assert_eq!(create["body"]["type"], "defect");
    assert_eq!(create["body"]["priority"], "high");
    let assign = json(&lines[1]);
    assert_eq!(assign["ticket"], "$servicenow:INC1:create");
    assert_eq!(assign["key"], "servicenow:INC1:0:assign");
    assert_eq!(assign["body"]["occurred_at"], "2016-02-29T01:23:00Z");
    assert_eq!(assign["body"]["on_behalf_of"]["name"], "Updated by 21");
    assert_eq!(assign["body"]["on_behalf_of"]["kind"], "staff");
    assert_eq!(assign["body"]["group"]["name"], "Group 56");
    assert_eq!(
        assign["body"].get("assignee"),
        None,
        "what the source does not know is left alone"
    );
}

#[test]
fn where_the_source_skips_a_state_the_commands_lead_there() {
    let (lines, report) = map(&[row("INC1", "New", 0), row("INC1", "Closed", 1)].concat());
    assert_eq!(commands(&lines), ["create", "accept", "propose-closure", "close"]);
    assert_eq!(report.statuses.get("closed"), Some(&1));
}

#[test]
fn rows_that_repeat_what_is_known_make_no_commands() {
    let rows: String = (0..4).map(|count| row("INC1", "Active", count)).collect();
    let (lines, report) = map(&rows);
    assert_eq!(commands(&lines), ["create", "accept"]);
    assert_eq!((report.rows, report.rows_unchanged), (4, 3));
}

#[test]
fn a_closed_incident_is_reopened_before_it_is_corrected() {
    let (lines, _) = map(&[
        row("INC1", "Closed", 0),
        "INC1,Active,1,Caller 1,29-02-2016 01:00,Agent 2,29-02-2016 03:00,1 - Critical,Group 2,?,?,?,?\n".to_owned(),
    ]
    .concat());
    let way = [
        "create",
        "accept",
        "propose-closure",
        "close",
        "reopen",
        "classify",
        "assign",
        "accept",
    ];
    assert_eq!(commands(&lines), way);
    assert_eq!(
        json(&lines[4])["body"]["on_behalf_of"]["name"],
        "Caller 1",
        "the caller disagreed"
    );
}

#[test]
fn a_longer_file_maps_its_beginning_to_the_same_lines() {
    let rows = every_sequence_of_three();
    let (all, _) = map(&rows);
    for cut in [1, 7, 500, 1_000] {
        let beginning: String = rows.split_inclusive('\n').take(cut).collect();
        let (lines, _) = map(&beginning);
        assert_eq!(lines.as_slice(), &all[..lines.len()]);
    }
}

#[test]
fn no_two_lines_have_the_same_key_though_the_source_repeats_its_counts() {
    let rows = [
        row("INC1", "New", 2),
        row("INC1", "Active", 2),
        row("INC1", "Awaiting User Info", 1),
        row("INC1", "Active", 2),
    ];
    let (lines, _) = map(&rows.concat());
    let keys: HashSet<&str> = lines.iter().map(|line| line.key.as_str()).collect();
    assert_eq!(keys.len(), lines.len());
}

#[test]
fn times_that_go_back_are_raised_and_counted() {
    let (lines, report) = map(&[
        row("INC1", "New", 9),
        row("INC1", "Active", 20),
        row("INC1", "Resolved", 5),
    ]
    .concat());
    let times: Vec<&str> = lines.iter().map(|line| line.body.occurred_at.as_str()).collect();
    assert_eq!(
        times,
        ["2016-02-29T01:00:00Z", "2016-02-29T02:20:00Z", "2016-02-29T02:20:00Z"]
    );
    assert_eq!(
        report
            .adjusted
            .count("its time lies before that of the update before it; given that one's time"),
        1
    );
}

#[test]
fn bad_rows_are_skipped_with_a_reason_and_nothing_else_is_lost() {
    let (lines, report) = map(&[
        row("INC1", "New", 0),
        row("INC1", "-100", 1),
        "INC1,Active\n".to_owned(),
        row("?", "Active", 2),
        row("INC1", "Active", 3).replace("29-02-2016 02:03", "31-02-2016 02:03"),
        row("INC1", "Resolved", 4),
    ]
    .concat());
    assert_eq!(commands(&lines), ["create", "accept", "propose-closure"]);
    assert_eq!(report.skipped.total(), 4);
    assert_eq!(report.skipped.count("the desk has nothing for the state `-100`"), 1);
    assert_eq!(
        report
            .skipped
            .count("the row has another number of cells than the header"),
        1
    );
    assert_eq!(report.skipped.count("the incident's number is unknown (?)"), 1);
    assert_eq!(report.skipped.count("the time of the update cannot be read"), 1);
}

#[test]
fn an_update_from_the_future_holds_back_what_follows_it() {
    let future = row("INC1", "Active", 1).replace("29-02-2016 02:01", "01-01-2031 00:00");
    let (lines, report) = map(&[
        row("INC1", "New", 0),
        future,
        row("INC1", "Closed", 2),
        row("INC2", "New", 0),
    ]
    .concat());
    assert_eq!(commands(&lines), ["create", "create"]);
    assert_eq!(report.skipped.total(), 2);
}

#[test]
fn only_waits_that_still_run_at_the_end_honour_their_deadlines() {
    let rows = [
        row("INC1", "Awaiting User Info", 0),
        row("INC1", "Active", 1),
        row("INC1", "Awaiting User Info", 2),
        row("INC2", "Resolved", 0),
        row("INC3", "Closed", 0),
    ]
    .concat();
    let (_, _, running) = map_with(&rows, HashSet::new());
    let expected = ["servicenow:INC1:2:request-info", "servicenow:INC2:0:propose-closure"];
    assert_eq!(running, HashSet::from(expected.map(str::to_owned)));
    let (lines, _, _) = map_with(&rows, running);
    let honouring: Vec<_> = lines
        .iter()
        .filter(|line| line.body.honour_deadlines == Some(true))
        .collect();
    assert_eq!(
        honouring.iter().map(|line| line.key.as_str()).collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn a_file_of_something_else_is_refused_with_what_it_lacks() {
    let Err(SourceError::NotServiceNow { missing }) = Rows::open("number,state\n1,New\n".as_bytes()).map(|_| ()) else {
        panic!("it was accepted");
    };
    assert_eq!(missing.first(), Some(&"incident_state"));
}

/// The desk replays a repeated command by the key that it recorded, and it records what made
/// events: so each command must make some, or a second import would not be the same.
#[test]
fn by_the_desks_own_rules_every_command_changes_its_ticket() {
    let (lines, _) = map(&every_sequence_of_three());
    let mut tickets = std::collections::HashMap::<&str, Ticket>::new();
    for line in &lines {
        let ticket = tickets.remove(line.incident.as_str()).unwrap_or_default();
        tickets.insert(&line.incident, carry_out(ticket, line));
    }
    assert_eq!(tickets.len(), 512);
}

/// Every state after every other after every other, with assignments and priorities that move.
fn every_sequence_of_three() -> String {
    const STATES: [&str; 8] = [
        "New",
        "Active",
        "Awaiting User Info",
        "Awaiting Problem",
        "Awaiting Vendor",
        "Awaiting Evidence",
        "Resolved",
        "Closed",
    ];
    let mut rows = String::new();
    for sequence in 0..STATES.len().pow(3) {
        for step in 0..3_usize {
            let turn = sequence / STATES.len().pow(u32::try_from(step).unwrap());
            let (state, salt) = (STATES[turn % STATES.len()], sequence + step * 5);
            let assignee = ["?", "Agent 1", "Resolver 2"][salt % 3];
            let priority = ["1 - Critical", "3 - Moderate", "?"][salt / 3 % 3];
            let subcategory = ["?", "Subcategory 1", "Subcategory 2"][salt / 2 % 3];
            let row = format!(
                "INC{sequence},{state},{step},Caller 1,29-02-2016 01:00,Agent 1,29-02-2016 02:0{step},{priority},\
                 Group {},{assignee},?,{subcategory},?\n",
                salt % 2
            );
            rows.push_str(&row);
        }
    }
    rows
}

fn carry_out(ticket: Ticket, line: &Line) -> Ticket {
    let by = line.body.on_behalf_of.as_ref().unwrap();
    let kind = if by.kind == ActorKind::Staff.as_str() {
        ActorKind::Staff
    } else {
        ActorKind::Customer
    };
    let policy = WaitPolicy::supportal();
    let ctx = Context {
        actor: &Actor::plain(UserId::from(by.id), kind),
        now: now(),
        occurred_at: Some(line.body.occurred_at.parse().unwrap()),
        honour_deadlines: false,
        policy: &policy,
    };
    let decision = decide(&ticket, &command(line), &ctx).unwrap_or_else(|no| panic!("{}: {no}", line.key));
    assert!(!decision.events.is_empty(), "{} changes nothing", line.key);
    decision
        .events
        .iter()
        .fold(ticket, |ticket, event| ticket.evolve(event, decision.occurred_at))
}

fn command(line: &Line) -> Command {
    let body = &line.body;
    let text = |text: &Option<String>| Text::parse(text.as_deref().unwrap()).unwrap();
    let label = |label: &Option<String>| label.as_deref().map(|label| Label::parse(label).unwrap());
    let assignee = body.assignee.as_ref().map(|user| UserId::from(user.id));
    match line.command {
        "create" => create(body),
        "accept" => Command::Accept(Accept { assignee }),
        "request-info" => Command::RequestInfo(RequestInfo {
            comment: text(&body.comment),
        }),
        "await-fix" => Command::AwaitFix(Await {
            comment: Some(text(&body.comment)),
            reference: label(&body.reference),
        }),
        "resume" => Command::Resume(Resume { comment: None }),
        "propose-closure" => Command::ProposeClosure(ProposeClosure {
            solution: text(&body.solution),
        }),
        "close" => Command::Close(Close {
            comment: None,
            reason: None,
        }),
        "reopen" => Command::Reopen(Reopen {
            comment: text(&body.comment),
        }),
        "classify" => Command::Classify(Box::new(Classify {
            priority: body
                .priority
                .map(|code| Catalogue::default().priority(code).unwrap().clone())
                .into(),
            category: label(&body.category).map(Some).into(),
            system: label(&body.system).map(Some).into(),
            ..Classify::default()
        })),
        "edit" => Command::Edit(Box::new(Edit {
            custom_fields: Change::Set(custom_fields(body)),
            ..Edit::default()
        })),
        "assign" => Command::Assign(Assign {
            assignee: assignee.map(Some).into(),
            group: body.group.as_ref().map(|group| Some(GroupId::from(group.id))).into(),
        }),
        other => panic!("the importer gives no {other}"),
    }
}

fn create(body: &Body) -> Command {
    let catalogue = Catalogue::default();
    let created = Created {
        number: TicketNumber(1),
        subject: Subject::parse(body.subject.as_deref().unwrap()).unwrap(),
        description: Text::parse(body.description.as_deref().unwrap()).unwrap(),
        ticket_type: catalogue
            .ticket_type(body.ticket_type.unwrap())
            .unwrap()
            .ticket_type
            .clone(),
        priority: catalogue.priority(body.priority.unwrap()).unwrap().clone(),
        category: body.category.as_deref().map(|category| Label::parse(category).unwrap()),
        system: None,
        environment: None,
        product: None,
        service: None,
        platform_version: None,
        custom_fields: custom_fields(body),
        requester: UserId::from(body.on_behalf_of.as_ref().unwrap().id),
        organisation: None,
    };
    Command::Create(Box::new(created), None)
}

fn custom_fields(body: &Body) -> domain::ticket::CustomFields {
    let field = |(name, value): (&&str, &String)| {
        (
            Label::parse(name).unwrap(),
            CustomValue::Text(Label::parse(value).unwrap()),
        )
    };
    body.custom_fields.iter().map(field).collect()
}
