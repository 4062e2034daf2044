//! Incidents from elsewhere, imported with the command that people use.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use domain::Timestamp;
use domain::policy::WaitPolicy;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::desk::{Desk, at, records};
use crate::people::{AGENT, IMPORTER};
use crate::processes::recourse_succeeds;

const HEADER: &str = "number,incident_state,sys_mod_count,caller_id,opened_at,sys_updated_by,sys_updated_at,category,\
                      priority,assignment_group,assigned_to\n";

/// A dozen incidents: states repeated, skipped, gone back on and unknown; values unknown; a time that goes back.
const INCIDENTS: &str = "\
INC01,New,0,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 09:05,Mail,3 - Moderate,Group 1,?
INC01,Active,1,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 09:10,Mail,3 - Moderate,Group 1,?
INC01,Active,2,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 09:15,Mail,3 - Moderate,Group 1,?
INC02,New,0,Caller 2,01-03-2016 09:00,Updated by 2,01-03-2016 09:20,?,2 - High,?,?
INC01,Awaiting User Info,3,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 10:00,Mail,3 - Moderate,Group 1,?
INC01,Active,4,Caller 1,01-03-2016 09:00,Updated by 1,02-03-2016 10:00,Mail,3 - Moderate,Group 1,?
INC01,Resolved,5,Caller 1,01-03-2016 09:00,Updated by 1,02-03-2016 11:00,Mail,3 - Moderate,Group 1,?
INC01,Closed,6,Caller 1,01-03-2016 09:00,Updated by 1,07-03-2016 11:00,Mail,3 - Moderate,Group 1,?
INC02,Closed,1,Caller 2,01-03-2016 09:00,Updated by 2,03-03-2016 09:00,?,2 - High,?,?
INC03,New,0,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 09:05,?,?,?,?
INC03,Active,1,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 09:10,?,?,?,?
INC03,Resolved,2,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 10:00,?,?,?,?
INC03,Active,3,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 11:00,?,?,?,?
INC03,Resolved,4,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 12:00,?,?,?,?
INC03,Closed,5,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 13:00,?,?,?,?
INC03,Active,6,Caller 1,01-03-2016 09:00,Updated by 1,01-03-2016 14:00,?,?,?,?
INC04,Resolved,9,Caller 3,01-03-2016 09:00,Updated by 3,04-03-2016 09:00,?,1 - Critical,Group 2,Resolver 4
INC05,Awaiting Problem,0,Caller 3,01-03-2016 09:00,Updated by 3,01-03-2016 09:30,?,3 - Moderate,?,?
INC05,Awaiting Vendor,1,Caller 3,01-03-2016 09:00,Updated by 3,01-03-2016 10:30,?,3 - Moderate,?,?
INC05,New,2,Caller 3,01-03-2016 09:00,Updated by 3,01-03-2016 11:30,?,3 - Moderate,?,?
INC06,Active,0,Caller 3,01-03-2016 09:00,Updated by 3,01-03-2016 09:30,?,3 - Moderate,?,?
INC06,-100,1,Caller 3,01-03-2016 09:00,Updated by 3,01-03-2016 10:30,?,3 - Moderate,?,?
INC07,New,?,?,01-03-2016 09:00,?,01-03-2016 09:30,?,?,?,?
INC08,Active,0,Caller 4,01-03-2016 09:00,Updated by 3,05-03-2016 09:30,?,3 - Moderate,?,?
INC08,Resolved,1,Caller 4,01-03-2016 09:00,Updated by 3,04-03-2016 09:30,?,3 - Moderate,?,?
INC09,Awaiting Evidence,0,Caller 4,01-03-2016 09:00,Updated by 3,05-03-2016 09:30,?,3 - Moderate,?,?
INC10,Awaiting Vendor,0,Caller 4,01-03-2016 09:00,Updated by 3,05-03-2016 09:30,?,3 - Moderate,?,?
INC11,New,0,Caller 4,01-03-2016 09:00,Updated by 3,05-03-2016 09:30,?,4 - Low,?,?
INC11,Resolved,1,Caller 4,01-03-2016 09:00,Updated by 3,05-03-2016 09:40,?,4 - Low,?,?
INC12,New,0,Caller 4,01-03-2016 09:00,Updated by 3,05-03-2016 09:30,?,4 - Low,Group 1,?
INC12,Active,1,Caller 4,01-03-2016 09:00,Updated by 3,05-03-2016 09:40,Mail,2 - High,Group 2,Resolver 4
";

/// What happened since: one incident goes on, one is new.
const LATER: &str = "\
INC09,Active,1,Caller 4,01-03-2016 09:00,Updated by 3,06-03-2016 09:30,?,3 - Moderate,?,?
INC13,New,0,Caller 5,06-03-2016 10:00,Updated by 3,06-03-2016 10:00,?,3 - Moderate,?,?
";

struct Import {
    desk: Desk,
    home: tempfile::TempDir,
}

impl Import {
    async fn begin() -> Self {
        Self {
            desk: Desk::open(WaitPolicy::supportal()).await,
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, rows: &str) -> PathBuf {
        let path = self.home.path().join("incidents.csv");
        fs::write(&path, format!("{HEADER}{rows}")).unwrap();
        path
    }

    /// Imports a file; returns how many records that added to the log.
    async fn run(&self, file: &Path) -> u64 {
        let before = records(&self.desk.log).await;
        let (file, token) = (file.to_str().unwrap(), IMPORTER.token());
        let words = [
            "import",
            "servicenow",
            file,
            "--url",
            &self.desk.api.url,
            "--token",
            &token,
        ];
        let report = recourse_succeeds(&words).await;
        let added = records(&self.desk.log).await - before;
        let told = format!("carried out {added} commands now");
        assert!(report.contains(&told), "{told} is missing in: {report}");
        self.desk.caught_up().await;
        added
    }

    async fn statuses(&self) -> BTreeMap<String, u64> {
        let dashboard = self.desk.api.get(&AGENT.token(), "/v1/dashboard").await.expect(200);
        let counts = dashboard.body["by_status"].as_object().unwrap().iter();
        let counts = counts.map(|(status, count)| (status.clone(), count.as_u64().unwrap()));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Each incident's ticket, page after page.
    async fn tickets(&self) -> BTreeMap<String, String> {
        let (mut tickets, mut cursor) = (BTreeMap::new(), String::new());
        loop {
            let path = format!("/v1/tickets?limit=200&sort=number{cursor}");
            let page = self.desk.api.get(&AGENT.token(), &path).await.expect(200);
            for item in page.items() {
                let (incident, _) = item["subject"].as_str().unwrap().split_once(':').unwrap();
                let seen = tickets.insert(incident.to_owned(), item["id"].as_str().unwrap().to_owned());
                assert_eq!(seen, None, "{incident} was imported twice");
            }
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return tickets,
            }
        }
    }

    /// A ticket's events: name, status after it, time.
    async fn timeline(&self, ticket: &str) -> Vec<(String, String, Timestamp)> {
        let path = format!("/v1/tickets/{ticket}/timeline?limit=200");
        let timeline = self.desk.api.get(&AGENT.token(), &path).await.expect(200);
        let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        let event = |item| {
            (
                text(item, "event"),
                text(item, "status"),
                at(&text(item, "occurred_at")),
            )
        };
        timeline.items().iter().map(event).collect()
    }
}

fn time(text: &str) -> Timestamp {
    DateTime::strptime("%d-%m-%Y %H:%M", text)
        .unwrap()
        .to_zoned(TimeZone::UTC)
        .unwrap()
        .timestamp()
}

/// What an audit log says, row by row: incident, status, time of the update, time of the opening.
fn rows(file: &Path) -> Vec<(String, Option<&'static str>, Timestamp, Timestamp)> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let columns = reader.headers().unwrap().clone();
    let column = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let (number, state) = (column("number"), column("incident_state"));
    let (updated, opened) = (column("sys_updated_at"), column("opened_at"));
    let row = |row: csv::StringRecord| {
        let status = match &row[state] {
            "New" => Some("new"),
            "Active" => Some("in_progress"),
            "Awaiting User Info" | "Awaiting Evidence" => Some("waiting_for_info"),
            "Awaiting Problem" | "Awaiting Vendor" => Some("waiting_for_fix"),
            "Resolved" => Some("waiting_for_closure"),
            "Closed" => Some("closed"),
            _ => None,
        };
        (row[number].to_owned(), status, time(&row[updated]), time(&row[opened]))
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// Where every incident stands at each of its rows; nothing leads back to new.
fn courses(file: &Path) -> BTreeMap<String, Vec<(&'static str, Timestamp)>> {
    let mut courses: BTreeMap<String, Vec<(&'static str, Timestamp)>> = BTreeMap::new();
    for (incident, status, updated, opened) in rows(file) {
        let Some(status) = status else { continue };
        let course = courses.entry(incident).or_insert_with(|| vec![("new", opened)]);
        let (before, latest) = *course.last().unwrap();
        let status = if status == "new" && before != "new" {
            "in_progress"
        } else {
            status
        };
        course.push((status, updated.max(latest)));
    }
    courses
}

fn counted(courses: &BTreeMap<String, Vec<(&'static str, Timestamp)>>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for course in courses.values() {
        *counts.entry(course.last().unwrap().0.to_owned()).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn incidents_are_taken_over_once_with_their_times_and_a_longer_file_adds_what_is_new() {
    let import = Import::begin().await;
    let file = import.file(INCIDENTS);
    assert!(import.run(&file).await > 0);
    let expected = [
        ("closed", 2),
        ("in_progress", 4),
        ("new", 1),
        ("waiting_for_closure", 3),
        ("waiting_for_fix", 1),
        ("waiting_for_info", 1),
    ];
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .map(|(status, count)| (status.to_owned(), count))
        .collect();
    assert_eq!(import.statuses().await, expected);
    assert_eq!(counted(&courses(&file)), expected);
    assert_eq!(import.run(&file).await, 0, "a second run adds nothing");
    the_timelines_are_those_of(&import, &file).await;

    let longer = import.file(&format!("{INCIDENTS}{LATER}"));
    assert_eq!(import.run(&longer).await, 2, "one command for each of the new rows");
    assert_eq!(import.statuses().await, counted(&courses(&longer)));
    import.desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skipped_state_is_made_up_for_and_a_reopened_incident_is_reopened() {
    let import = Import::begin().await;
    import.run(&import.file(INCIDENTS)).await;
    let tickets = import.tickets().await;
    let march = |day: u8, hour: u8, minute: u8| time(&format!("{day:02}-03-2016 {hour:02}:{minute:02}"));
    let events = async |incident: &str| -> Vec<(String, Timestamp)> {
        let timeline = import.timeline(&tickets[incident]).await;
        timeline.into_iter().map(|(event, _, at)| (event, at)).collect()
    };
    let named = |events: &[(&str, Timestamp)]| -> Vec<(String, Timestamp)> {
        events.iter().map(|(event, at)| ((*event).to_owned(), *at)).collect()
    };
    let closed = march(3, 9, 0);
    let skipped = [
        ("created", march(1, 9, 0)),
        ("accepted", closed),
        ("closure_proposed", closed),
        ("closed", closed),
    ];
    assert_eq!(events("INC02").await, named(&skipped));
    let reopened = [
        ("created", march(1, 9, 0)),
        ("accepted", march(1, 9, 10)),
        ("closure_proposed", march(1, 10, 0)),
        ("closure_declined", march(1, 11, 0)),
        ("closure_proposed", march(1, 12, 0)),
        ("closed", march(1, 13, 0)),
        ("reopened", march(1, 14, 0)),
        ("accepted", march(1, 14, 0)),
    ];
    assert_eq!(events("INC03").await, named(&reopened));
}

/// Each ticket's events are in order, begin when the incident was opened, and reach every state of the file at the time
/// that the file gives for it.
async fn the_timelines_are_those_of(import: &Import, file: &Path) {
    let (tickets, courses) = (import.tickets().await, courses(file));
    assert_eq!(tickets.keys().collect::<Vec<_>>(), courses.keys().collect::<Vec<_>>());
    for (incident, course) in &courses {
        let timeline = import.timeline(&tickets[incident]).await;
        assert!(timeline.is_sorted_by_key(|(_, _, at)| *at), "{incident}: {timeline:?}");
        let mut before = "";
        for (status, at) in course {
            let reached = timeline.iter().any(|(_, stands, when)| stands == status && when == at);
            assert!(
                reached || *status == before,
                "{incident} is {status} at {at}: {timeline:?}"
            );
            before = status;
        }
        let times: Vec<Timestamp> = course.iter().map(|(_, at)| *at).collect();
        let strange = timeline.iter().find(|(_, _, at)| !times.contains(at));
        assert_eq!(strange, None, "{incident} has no such time");
    }
}

/// The audit log of a real service desk, if it lies beside the project; it is not part of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_audit_log_is_taken_over_whole() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/incidents.csv");
    if !file.exists() {
        say(&format!("left out: there is no {}", file.display()));
        return;
    }
    let import = Import::begin().await;
    let added = import.run(&file).await;
    let courses = courses(&file);
    say(&format!(
        "{} incidents came to {added} commands: {:?}",
        courses.len(),
        counted(&courses)
    ));
    assert_eq!(import.statuses().await, counted(&courses));
    assert_eq!(import.run(&file).await, 0, "a second run adds nothing");
    the_timelines_are_those_of(&import, &file).await;
    import.desk.rebuilding_changes_nothing().await;
}

#[expect(clippy::print_stderr, reason = "shown to somebody who asks with --nocapture")]
fn say(what: &str) {
    eprintln!("{what}");
}
