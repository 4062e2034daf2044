//! Rows to commands, the way a careful administrator would type them in.
//!
//! Two rules keep an import repeatable. A row's commands depend on the rows up to it alone, so a
//! longer file maps its beginning to the same commands. And a command is given only if it changes
//! the ticket, because the desk remembers the keys of those commands alone: hence each ticket is
//! followed here as the desk will have it.

use std::collections::{HashMap, HashSet};

use domain::ticket::{CommandName, Status};
use jiff::Timestamp;

use super::fields::{create_key, custom_fields, description, number, opened_at, priority, subject};
use super::incident::{Incident, Update};
use super::line::{Body, Line};
use super::report::Report;
use super::source::{self, Row, Unreadable};
use super::{names, path};

/// Every incident becomes a defect: something is broken, and its ticket may wait for a correction.
const TICKET_TYPE: &str = "defect";
/// ServiceNow's middle priority, for incidents whose priority the source does not know.
const PRIORITY_DEFAULT: &str = "medium";

/// Maps the rows of a file one after another.
#[derive(Debug)]
pub(crate) struct Mapper {
    /// Rows from after this instant are left for another day.
    now: Timestamp,
    incidents: HashMap<String, Incident>,
    /// Incidents with a row from the future: what follows it waits, too.
    held: HashSet<String>,
    /// How often each incident had each `sys_mod_count`, which should be once.
    updates: HashMap<(String, String), u32>,
    /// Waits that are due counting from when they began.
    honoured: HashSet<String>,
    report: Report,
}

impl Mapper {
    /// A mapper for a file read at `now`, with the waits that are to be due counting from when
    /// they began.
    pub(crate) fn new(now: Timestamp, honoured: HashSet<String>) -> Self {
        Self {
            now,
            incidents: HashMap::new(),
            held: HashSet::new(),
            updates: HashMap::new(),
            honoured,
            report: Report::default(),
        }
    }

    /// The commands that a row comes to.
    pub(crate) fn map(&mut self, row: &Result<Row, Unreadable>) -> Vec<Line> {
        self.report.rows += 1;
        let lines = match row {
            Ok(row) => self.readable(row).map_err(|reason| (row.line, reason)),
            Err(Unreadable { line, reason }) => Err((*line, (*reason).to_owned())),
        };
        match lines {
            Ok(lines) => {
                self.report.rows_unchanged += u64::from(lines.is_empty());
                for line in &lines {
                    *self.report.commands.entry(line.command).or_default() += 1;
                }
                lines
            }
            Err((line, reason)) => {
                self.report.skipped.add(&reason, || format!("line {line}"));
                Vec::new()
            }
        }
    }

    /// What it came to, and the keys of the waits that still run.
    pub(crate) fn finish(self) -> (Report, HashSet<String>) {
        let mut report = self.report;
        for incident in self.incidents.values() {
            *report.statuses.entry(incident.status.as_str()).or_default() += 1;
        }
        (
            report,
            self.incidents
                .into_values()
                .filter_map(|incident| incident.wait)
                .collect(),
        )
    }

    fn readable(&mut self, row: &Row) -> Result<Vec<Line>, String> {
        let number = number(row)?;
        let state = row.incident_state.as_deref().ok_or("the state is unknown (?)")?;
        let target = path::target(state).ok_or_else(|| format!("the desk has nothing for the state `{state}`"))?;
        let updated_at = row
            .sys_updated_at
            .as_deref()
            .ok_or("the time of the update is unknown (?)")?;
        let updated_at = source::time(updated_at).ok_or("the time of the update cannot be read")?;
        let opened_at = opened_at(row);
        // What follows an update from the future waits with it, so that their order stays.
        if self.held.contains(number)
            || [Some(updated_at), opened_at]
                .into_iter()
                .flatten()
                .any(|at| at > self.now)
        {
            self.held.insert(number.to_owned());
            return Err("it, or an update before it, lies in the future; import it again later".to_owned());
        }
        let mut update = Update {
            row,
            number,
            key: self.key(row, number),
            occurred_at: updated_at,
            by: row.sys_updated_by.as_deref().map(names::staff),
        };
        let mut lines = Vec::new();
        if !self.incidents.contains_key(number) {
            let incident = self.create(&update, opened_at, &mut lines);
            self.incidents.insert(number.to_owned(), incident);
        }
        let Some(incident) = self.incidents.get_mut(number) else {
            return Ok(lines);
        };
        incident.follow(
            &mut update,
            target,
            &self.honoured,
            &mut self.report.adjusted,
            &mut lines,
        );
        Ok(lines)
    }

    /// The key of a row: its incident and `sys_mod_count`, which is as good as an ordinal that
    /// does not move when the source gives more. The published data repeats some.
    fn key(&mut self, row: &Row, number: &str) -> String {
        let update = row
            .sys_mod_count
            .as_deref()
            .filter(|count| count.bytes().all(|byte| byte.is_ascii_digit()));
        let update = update.unwrap_or("row").to_owned();
        let times = self.updates.entry((number.to_owned(), update.clone())).or_default();
        *times += 1;
        if *times == 1 {
            format!("servicenow:{number}:{update}")
        } else {
            format!("servicenow:{number}:{update}.{times}")
        }
    }

    fn create(&mut self, update: &Update<'_>, opened_at: Option<Timestamp>, lines: &mut Vec<Line>) -> Incident {
        let row = update.row;
        if opened_at.is_none() {
            self.report.adjusted.add(
                "it is not known when it was opened; given the time of its first update",
                || format!("{} in line {}", update.number, row.line),
            );
        }
        let incident = Incident {
            status: Status::New,
            priority: priority(row).unwrap_or(PRIORITY_DEFAULT),
            category: row.category.clone(),
            system: row.cmdb_ci.clone(),
            custom_fields: custom_fields(update.number, row),
            caller: row.caller_id.clone(),
            assignee: None,
            group: None,
            last: opened_at.unwrap_or(update.occurred_at),
            wait: None,
        };
        let body = Body {
            on_behalf_of: incident.caller.as_deref().map(names::customer),
            subject: Some(subject(update.number, row)),
            description: Some(description(update.number, row)),
            ticket_type: Some(TICKET_TYPE),
            priority: Some(incident.priority),
            category: incident.category.clone(),
            system: incident.system.clone(),
            custom_fields: incident.custom_fields.clone(),
            ..Body::default()
        };
        // The key of the create names the incident alone: later lines refer to it.
        lines.push(Line {
            command: CommandName::Create.as_str(),
            ticket: None,
            key: create_key(update.number),
            body: Body {
                occurred_at: incident.last.to_string(),
                ..body
            },
            incident: update.number.to_owned(),
        });
        incident
    }
}
