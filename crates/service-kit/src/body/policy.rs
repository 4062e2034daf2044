//! Policies as JSON.

use std::collections::{BTreeMap, BTreeSet};

use domain::calendar::WorkingTime;
use domain::catalogue::Catalogue;
use domain::ids::{CalendarId, OrganisationId, PolicyId};
use domain::policy::{PolicyError, WaitLength};
use domain::sla::stored::{Draft, Flaw, Version};
use domain::sla::{
    BreachAction, Delivery, Notified, Scope, SlaCalendar, SlaPolicyError, Target, TargetError, TargetKind,
};
use domain::text::{Code, Label};
use domain::ticket::Status;
use jiff::SignedDuration;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::fields::{Unreadable, few, one_of, text, uuid};
use super::reader::{Members, Reader};
use crate::problem::{FieldError, Problem, types};

const FIELDS: [&str; 8] = [
    "name",
    "in_force",
    "scope",
    "calendar",
    "targets",
    "information",
    "closure",
    "reply_resumes",
];
const SCOPE: [&str; 4] = ["organisation", "service", "type", "priority"];
const TARGET: [&str; 4] = ["within", "paused_in", "warn_percent", "on_breach"];
const LENGTH: &str = "an object such as {\"working\": \"PT40H\"} or {\"elapsed\": \"PT24H\"}";
const ACTION: &str = "an object such as {\"action\": \"raise_priority\", \"priority\": \"critical\"}";
const ACTIONS: [&str; 3] = ["raise_priority", "reassign", "notify"];

/// The body of `POST /v1/policies` and `PUT /v1/policies/{id}`, as far as it could be read.
#[derive(Debug)]
pub struct Reading {
    /// Where in the body the policy stands.
    at: &'static str,
    reader: Reader,
    version: Version,
}

/// Reads a body, or the part `at` of one (such as `/policy`), and notes everything that is wrong with it.
pub fn read(at: &'static str, body: &Map<String, Value>, catalogue: &Catalogue) -> Result<Reading, Problem> {
    let mut reader = Reader::default();
    reader.refuse_turned(at, body);
    let body = Value::Object(body.clone());
    let members = reader
        .object(at, &body, "an object", &FIELDS)
        .ok_or_else(Problem::internal)?;
    let name_at = members.at("name");
    let name = reader.required_string(&name_at, members.get("name").map(|(_, value)| value));
    let name = name.and_then(|name| reader.label(&name_at, &Value::String(name)));
    // It stands for the name that is missing, which is told.
    let nameless = || Label::parse("nameless").map_err(|_| Problem::internal());
    let mut version = Version::new(name.map_or_else(nameless, Ok)?);
    version.in_force = reader.flag(&members, "in_force").unwrap_or(true);
    version.reply_resumes = reader.flag(&members, "reply_resumes").unwrap_or(true);
    version.calendar = reader.id(&members, "calendar").map(CalendarId::from);
    version.information = reader.optional_length(&members, "information");
    version.closure = reader.optional_length(&members, "closure");
    if let Some((at, value)) = members.get("scope") {
        version.scope = reader.scope(&at, value, catalogue);
    }
    if let Some((at, value)) = members.get("targets") {
        version.targets = reader.targets(&at, value, catalogue);
    }
    Ok(Reading { at, reader, version })
}

impl Reading {
    /// The calendar that the policy names.
    pub const fn calendar(&self) -> Option<CalendarId> {
        self.version.calendar
    }

    /// Notes what was found wrong with the rest of the body.
    pub fn take_in(&mut self, (malformed, invalid): (Vec<FieldError>, Vec<FieldError>)) {
        self.reader.malformed.extend(malformed);
        self.reader.invalid.extend(invalid);
    }

    /// What is wanted, with the hours that its calendar has now; `None`: there is no such one.
    ///
    /// What is wrong because of the calendar is told here only beside other mistakes. Alone it is
    /// for the rules to tell, who know whether the wish was carried out before.
    pub fn finish(mut self, hours: Option<SlaCalendar>) -> Result<Draft, Problem> {
        let draft = Draft {
            version: self.version,
            hours,
        };
        if !self.reader.is_content() {
            for flaw in draft.flaws(PolicyId::from(Uuid::nil())) {
                let (pointer, code) = place(&flaw);
                self.reader
                    .refuse(format!("{}{pointer}", self.at), code, flaw.to_string());
            }
        }
        self.reader.finish()?;
        Ok(draft)
    }
}

/// What the rules find wrong with a policy that is the part `at` of a body.
pub fn unacceptable(at: &str, flaws: &[Flaw]) -> Problem {
    let errors = flaws.iter().map(|flaw| {
        let (pointer, code) = place(flaw);
        FieldError::new(format!("{at}{pointer}"), code, flaw.to_string())
    });
    Problem::new(&types::INVALID_FIELDS)
        .detail("Some fields have values that are not acceptable. See errors for each of them.")
        .fields(errors.collect())
}

/// Where in a body a flaw is, and its code.
fn place(flaw: &Flaw) -> (String, &'static str) {
    match flaw {
        Flaw::UnknownCalendar => ("/calendar".to_owned(), "unknown"),
        // A stored policy has ids and versions that are right.
        Flaw::Policy(SlaPolicyError::Id | SlaPolicyError::Version | SlaPolicyError::OtherCalendar { .. }) => {
            (String::new(), "invalid")
        }
        Flaw::Policy(SlaPolicyError::Wait(error)) => match error {
            PolicyError::Name(_) => ("/name".to_owned(), "invalid"),
            PolicyError::Length { kind } => (format!("/{}", kind.as_str()), "out_of_range"),
            PolicyError::TooLittleWork { kind } => (format!("/{}", kind.as_str()), "too_little_work"),
        },
        Flaw::Policy(SlaPolicyError::Target { kind, error }) => {
            let (field, code) = match error {
                TargetError::Length => ("within", "out_of_range"),
                TargetError::TooLittleWork => ("within", "too_little_work"),
                TargetError::Warning => ("warn_percent", "out_of_range"),
                TargetError::PausedWhenClosed => ("paused_in", "closed"),
                TargetError::NeverRuns => ("paused_in", "never_runs"),
                TargetError::TooManyActions { .. } => ("on_breach", "too_many"),
            };
            (format!("/targets/{}/{field}", kind.as_str()), code)
        }
    }
}

impl Reader {
    fn label(&mut self, at: &str, value: &Value) -> Option<Label> {
        self.taken(at, text(Label::parse)(value))
    }

    fn flag(&mut self, members: &Members<'_>, name: &str) -> Option<bool> {
        let (at, value) = members.get(name)?;
        self.taken(&at, value.as_bool().ok_or(Unreadable::Type("true or false")))
    }

    fn id(&mut self, members: &Members<'_>, name: &str) -> Option<Uuid> {
        let (at, value) = members.get(name)?;
        self.taken(&at, uuid(value))
    }

    fn scope(&mut self, at: &str, value: &Value, catalogue: &Catalogue) -> Scope {
        let Some(members) = self.object(
            at,
            value,
            "an object with organisation, service, type, priority",
            &SCOPE,
        ) else {
            return Scope::default();
        };
        let organisation = self.id(&members, "organisation").map(OrganisationId::from);
        let service = members.get("service").and_then(|(at, value)| self.label(&at, value));
        let ticket_type = members.get("type").and_then(|(at, value)| {
            let code = text(|code| catalogue.ticket_type(code).map(|entry| entry.ticket_type.code.clone()));
            self.taken(&at, code(value))
        });
        let priority = self.priority(&members, catalogue);
        Scope {
            organisation,
            service,
            ticket_type,
            priority,
        }
    }

    fn priority(&mut self, members: &Members<'_>, catalogue: &Catalogue) -> Option<Code> {
        let (at, value) = members.get("priority")?;
        let code = text(|code| catalogue.priority(code).map(|priority| priority.code.clone()));
        self.taken(&at, code(value))
    }

    fn targets(&mut self, at: &str, value: &Value, catalogue: &Catalogue) -> BTreeMap<TargetKind, Target> {
        let names = TargetKind::ALL.map(TargetKind::as_str);
        let expected = "an object of the targets first_response, next_response, resolution";
        let Some(members) = self.object(at, value, expected, &names) else {
            return BTreeMap::new();
        };
        let mut targets = BTreeMap::new();
        for kind in TargetKind::ALL {
            let Some((at, value)) = members.get(kind.as_str()) else {
                continue;
            };
            targets.extend(self.target(&at, value, catalogue).map(|target| (kind, target)));
        }
        targets
    }

    fn target(&mut self, at: &str, value: &Value, catalogue: &Catalogue) -> Option<Target> {
        let members = self.object(at, value, "an object with within", &TARGET)?;
        let within = self.optional_length(&members, "within");
        if members.get("within").is_none() {
            self.refuse(members.at("within"), "required", "is required");
        }
        let paused_in = members.get("paused_in").map(|(at, value)| self.statuses(&at, value));
        let warn_percent = members
            .get("warn_percent")
            .and_then(|(at, value)| self.taken(&at, few(value)));
        let on_breach = members
            .get("on_breach")
            .map(|(at, value)| self.actions(&at, value, catalogue));
        let target = Target {
            paused_in: paused_in.unwrap_or_default(),
            on_breach: on_breach.unwrap_or_default(),
            ..Target::new(within?)
        };
        Some(match (warn_percent, members.is_null("warn_percent")) {
            (None, true) => Target {
                warn_percent: None,
                ..target
            },
            (None, false) => target,
            (Some(_), _) => Target { warn_percent, ..target },
        })
    }

    fn optional_length(&mut self, members: &Members<'_>, name: &str) -> Option<WaitLength> {
        let (at, value) = members.get(name)?;
        let length = self.object(&at, value, LENGTH, &["working", "elapsed"])?;
        let mut read = |name: &str, kind: fn(SignedDuration) -> WaitLength| {
            let (at, value) = length.said(name)?;
            let time = self.taken(&at, text(WorkingTime::parse)(value));
            Some(time.map(|WorkingTime(time)| kind(time)))
        };
        let working = read("working", WaitLength::Working);
        let elapsed = read("elapsed", WaitLength::Elapsed);
        match (working, elapsed) {
            (Some(length), None) | (None, Some(length)) => length,
            (Some(_), Some(_)) => {
                self.refuse(at, "conflict", "is either working time or elapsed time, not both");
                None
            }
            (None, None) => {
                let detail = "one of working and elapsed (durations such as PT40H) is required";
                self.refuse(at, "required", detail);
                None
            }
        }
    }

    fn statuses(&mut self, at: &str, value: &Value) -> BTreeSet<Status> {
        let values = self.array(at, value, "an array of statuses").iter().enumerate();
        values
            .filter_map(|(index, value)| {
                let status = one_of(&Status::ALL, Status::as_str, value);
                self.taken(&format!("{at}/{index}"), status)
            })
            .collect()
    }

    fn actions(&mut self, at: &str, value: &Value, catalogue: &Catalogue) -> Vec<BreachAction> {
        let values = self.array(at, value, "an array of actions").iter().enumerate();
        values
            .filter_map(|(index, value)| self.action(&format!("{at}/{index}"), value, catalogue))
            .collect()
    }

    fn action(&mut self, at: &str, value: &Value, catalogue: &Catalogue) -> Option<BreachAction> {
        let Some((at_name, name)) = value.as_object().and_then(|object| {
            let name = object.get("action")?;
            Some((format!("{at}/action"), name))
        }) else {
            if value.is_object() {
                self.refuse(format!("{at}/action"), "required", "is required");
            } else {
                self.wrong_type(at, ACTION);
            }
            return None;
        };
        let action = self.taken(&at_name, one_of(&ACTIONS, |name| name, name))?;
        let known: &[&str] = match action {
            "raise_priority" => &["action", "priority"],
            "reassign" => &["action", "group"],
            _ => &["action", "whom", "delivery"],
        };
        let members = self.object(at, value, ACTION, known)?;
        let needed = known.get(1).copied().unwrap_or_default();
        if members.get(needed).is_none() {
            self.refuse(members.at(needed), "required", "is required");
            return None;
        }
        match action {
            "raise_priority" => self.priority(&members, catalogue).map(BreachAction::RaisePriority),
            "reassign" => self.id(&members, "group").map(|id| BreachAction::Reassign(id.into())),
            _ => {
                let (at, whom) = members.get("whom")?;
                let whom = self.taken(&at, one_of(&Notified::ALL, Notified::as_str, whom));
                let delivery = match members.get("delivery") {
                    Some((at, delivery)) => self.taken(&at, one_of(&Delivery::ALL, Delivery::as_str, delivery)),
                    None => Some(Delivery::AtOnce),
                };
                Some(BreachAction::Notify(whom?, delivery?))
            }
        }
    }
}
