//! An incident as the desk will have it, and the commands that take it from there to what the
//! next row says.

use std::collections::{BTreeMap, HashSet};

use domain::ticket::{CommandName, Status};
use jiff::Timestamp;

use super::fields::{changed, create_key, custom_fields, priority, solution, take};
use super::line::{Body, Line, Person};
use super::report::Findings;
use super::source::Row;
use super::{names, path};

/// What the file says about an incident so far, as the desk has it.
#[derive(Debug)]
pub(super) struct Incident {
    pub(super) status: Status,
    pub(super) priority: &'static str,
    pub(super) category: Option<String>,
    pub(super) system: Option<String>,
    pub(super) custom_fields: BTreeMap<&'static str, String>,
    pub(super) caller: Option<String>,
    pub(super) assignee: Option<String>,
    pub(super) group: Option<String>,
    /// The time of its last command.
    pub(super) last: Timestamp,
    /// The key of the command that began the wait in which it is.
    pub(super) wait: Option<String>,
}

/// What all commands of one row have in common.
pub(super) struct Update<'r> {
    pub(super) row: &'r Row,
    pub(super) number: &'r str,
    /// The beginning of their keys.
    pub(super) key: String,
    pub(super) occurred_at: Timestamp,
    /// Who made the update.
    pub(super) by: Option<Person>,
}

impl Incident {
    /// Gives the commands that take the incident from what it is to what the row says, and notes
    /// where the desk cannot have it so.
    pub(super) fn follow(
        &mut self,
        update: &mut Update<'_>,
        target: Status,
        honoured: &HashSet<String>,
        adjusted: &mut Findings,
        lines: &mut Vec<Line>,
    ) {
        let (given, late) = (lines.len(), update.occurred_at < self.last);
        update.occurred_at = update.occurred_at.max(self.last);
        let example = || format!("{} in line {}", update.number, update.row.line);
        if target == Status::New && self.status != Status::New {
            adjusted.add("set back to New; the desk keeps such tickets in progress", example);
        }
        if target == Status::Closed && self.status == Status::Closed && self.differs(update) {
            adjusted.add("changed after it was closed; left out unless it is reopened", example);
        }
        // A closed ticket takes no corrections, so they come after it is reopened.
        if self.status == Status::Closed {
            self.step(update, target, honoured, lines);
        }
        if self.status != Status::Closed {
            self.correct(update, lines);
        }
        while self.step(update, target, honoured, lines) {}
        if lines.len() > given {
            self.last = update.occurred_at;
            if late {
                adjusted.add(
                    "its time lies before that of the update before it; given that one's time",
                    example,
                );
            }
        }
    }

    /// Gives the next command on the way to `target`; answers whether there was one.
    fn step(&mut self, update: &Update<'_>, target: Status, honoured: &HashSet<String>, lines: &mut Vec<Line>) -> bool {
        let Some((command, status)) = path::next(self.status, target) else {
            return false;
        };
        let row = update.row;
        let state = row.incident_state.as_deref().unwrap_or_default();
        let mut line = update.line(command, Body::default());
        self.wait = None;
        match command {
            CommandName::Accept => {
                // Whoever sets the ticket going works on it, unless the source names somebody.
                if self.assignee.is_none() {
                    self.assignee.clone_from(&row.sys_updated_by);
                }
                line.body.assignee = self.assignee.as_deref().map(names::user);
            }
            CommandName::RequestInfo => {
                line.body.comment = Some(format!("{state} (ServiceNow)"));
                self.wait = Some(line.key.clone());
            }
            CommandName::AwaitFix => {
                line.body.comment = Some(format!("{state} (ServiceNow)"));
                line.body.reference = if state == "Awaiting Vendor" {
                    row.vendor.clone()
                } else {
                    row.problem_id.clone()
                };
            }
            CommandName::ProposeClosure => {
                line.body.solution = Some(solution(row));
                self.wait = Some(line.key.clone());
            }
            CommandName::Reopen => {
                // The caller disagreed; ServiceNow records only who typed it in.
                line.body.on_behalf_of = self.caller.as_deref().map(names::customer);
                line.body.comment = Some(format!("{state} again (ServiceNow)"));
            }
            _ => {}
        }
        if honoured.contains(&line.key) {
            line.body.honour_deadlines = Some(true);
        }
        self.status = status;
        lines.push(line);
        true
    }

    /// Gives the commands that correct the ticket's fields to what the row knows.
    fn correct(&mut self, update: &Update<'_>, lines: &mut Vec<Line>) {
        let row = update.row;
        let classify = Body {
            priority: priority(row).filter(|priority| *priority != self.priority),
            category: changed(row.category.as_ref(), self.category.as_ref()),
            system: changed(row.cmdb_ci.as_ref(), self.system.as_ref()),
            ..Body::default()
        };
        if classify != Body::default() {
            self.priority = classify.priority.unwrap_or(self.priority);
            take(&mut self.category, classify.category.as_ref());
            take(&mut self.system, classify.system.as_ref());
            lines.push(update.line(CommandName::Classify, classify));
        }
        let custom_fields = self.corrected_fields(update);
        if custom_fields != self.custom_fields {
            self.custom_fields.clone_from(&custom_fields);
            lines.push(update.line(
                CommandName::Edit,
                Body {
                    custom_fields,
                    ..Body::default()
                },
            ));
        }
        let assignee = changed(row.assigned_to.as_ref(), self.assignee.as_ref());
        let group = changed(row.assignment_group.as_ref(), self.group.as_ref());
        if assignee.is_some() || group.is_some() {
            let body = Body {
                assignee: assignee.as_deref().map(names::user),
                group: group.as_deref().map(names::group),
                ..Body::default()
            };
            take(&mut self.assignee, assignee.as_ref());
            take(&mut self.group, group.as_ref());
            lines.push(update.line(CommandName::Assign, body));
        }
    }

    /// The custom fields with what the row knows of them; what it does not know stays.
    fn corrected_fields(&self, update: &Update<'_>) -> BTreeMap<&'static str, String> {
        let mut fields = self.custom_fields.clone();
        fields.extend(custom_fields(update.number, update.row));
        fields
    }

    /// Whether a row knows anything else than the incident has.
    fn differs(&self, update: &Update<'_>) -> bool {
        let row = update.row;
        priority(row).is_some_and(|priority| priority != self.priority)
            || self.corrected_fields(update) != self.custom_fields
            || changed(row.category.as_ref(), self.category.as_ref()).is_some()
            || changed(row.cmdb_ci.as_ref(), self.system.as_ref()).is_some()
            || changed(row.assigned_to.as_ref(), self.assignee.as_ref()).is_some()
            || changed(row.assignment_group.as_ref(), self.group.as_ref()).is_some()
    }
}

impl Update<'_> {
    /// One of the row's commands. No row has two of the same name, so the name ends the key.
    fn line(&self, command: CommandName, body: Body) -> Line {
        Line {
            command: command.as_str(),
            ticket: Some(format!("${}", create_key(self.number))),
            key: format!("{}:{}", self.key, command.as_str()),
            body: Body {
                occurred_at: self.occurred_at.to_string(),
                on_behalf_of: self.by.clone(),
                ..body
            },
            incident: self.number.to_owned(),
        }
    }
}
