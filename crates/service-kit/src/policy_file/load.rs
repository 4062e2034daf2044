//! The file as a whole, from its path to a policy.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use domain::calendar::Calendar;
use domain::policy::{PolicyError, WaitLength, WaitPolicy};
use jiff::SignedDuration;
use serde::Deserialize;

use super::calendar::CalendarFile;
use super::problem::{FieldProblem, Problems, listed};

/// A policy fits into a few pages; what is longer is some other file, given by mistake.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why there is no policy. Prints with its source, which says where in the file the trouble is.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// It is neither a preset nor a file that can be read.
    #[error("cannot read the policy {}: give supportal, cabinet, or the path of a TOML file", path.display())]
    Read {
        /// What was given.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is too long to be a policy.
    #[error("the policy file {} has more than {FILE_BYTES_MAX} bytes: give the path of a policy", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file is not TOML, or has fields that a policy does not have.
    #[error("cannot understand the policy file {}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what would be right there.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Some fields have values that make no policy.
    #[error("the policy file {} is not valid: {}", path.display(), listed(problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong with it.
        problems: Vec<FieldProblem>,
    },
}

/// The policy of a preset, `supportal` or `cabinet`, or of the TOML file at that path.
pub fn load(value: &str) -> Result<WaitPolicy, PolicyFileError> {
    match value {
        "supportal" => Ok(WaitPolicy::supportal()),
        "cabinet" => Ok(WaitPolicy::cabinet()),
        path => {
            let path = PathBuf::from(path);
            match read(&path) {
                Ok(text) if text.len() as u64 > FILE_BYTES_MAX => Err(PolicyFileError::TooLong { path }),
                Ok(text) => parse(path, &text),
                Err(source) => Err(PolicyFileError::Read { path, source }),
            }
        }
    }
}

/// Reads one byte more than allowed, so that the caller can tell.
fn read(path: &PathBuf) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    Ok(text)
}

fn parse(path: PathBuf, text: &str) -> Result<WaitPolicy, PolicyFileError> {
    match toml::from_str::<PolicyFile>(text) {
        Ok(file) => file
            .policy()
            .map_err(|problems| PolicyFileError::Invalid { path, problems }),
        Err(source) => Err(PolicyFileError::Syntax {
            path,
            source: Box::new(source),
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    name: String,
    information: Option<Length>,
    closure: Option<Length>,
    #[serde(default = "replies_resume")]
    reply_resumes: bool,
    calendar: Option<CalendarFile>,
}

/// What people expect of a desk: an answer takes the ticket back into work.
const fn replies_resume() -> bool {
    true
}

/// A wait, with its duration as in ISO 8601.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Length {
    Working(String),
    Elapsed(String),
}

impl PolicyFile {
    fn policy(self) -> Result<WaitPolicy, Vec<FieldProblem>> {
        let mut problems = Problems::default();
        let information = self
            .information
            .and_then(|length| length.read("information", &mut problems));
        let closure = self.closure.and_then(|length| length.read("closure", &mut problems));
        let calendar = match self.calendar {
            Some(file) => file.calendar(&mut problems),
            None if [information, closure]
                .iter()
                .any(|wait| matches!(wait, Some(WaitLength::Working(_)))) =>
            {
                problems.add(
                    "calendar",
                    "is required when a wait counts working time: add it, or use elapsed",
                );
                None
            }
            None => Some(Calendar::round_the_clock()),
        };
        match calendar {
            Some(calendar) if problems.0.is_empty() => WaitPolicy::try_new(&self.name, information, closure, calendar)
                .map(|policy| WaitPolicy {
                    reply_resumes: self.reply_resumes,
                    ..policy
                })
                .map_err(|errors| errors.iter().map(policy_problem).collect()),
            Some(_) | None => Err(problems.0),
        }
    }
}

impl Length {
    fn read(self, field: &str, problems: &mut Problems) -> Option<WaitLength> {
        match self {
            Self::Working(text) => Some(WaitLength::Working(duration(
                &format!("{field}.working"),
                &text,
                problems,
            )?)),
            Self::Elapsed(text) => Some(WaitLength::Elapsed(duration(
                &format!("{field}.elapsed"),
                &text,
                problems,
            )?)),
        }
    }
}

/// Hours, minutes and seconds only: whether a day is 24 hours, or the hours of a working day, or
/// what the clocks make of it, would be anybody's guess.
fn duration(field: &str, text: &str, problems: &mut Problems) -> Option<SignedDuration> {
    let duration = if text.starts_with("PT") {
        text.parse().ok()
    } else {
        None
    };
    if duration.is_none() {
        let detail = format!(
            "{text:?} is not a duration in hours, minutes and seconds: write it like PT40H or PT1M30S; \
             days are not allowed, since they can mean 24 hours or the hours of a working day"
        );
        problems.add(field, detail);
    }
    duration
}

fn policy_problem(error: &PolicyError) -> FieldProblem {
    match error {
        PolicyError::Name(error) => FieldProblem {
            field: "name".to_owned(),
            detail: error.to_string(),
        },
        PolicyError::Length { kind } | PolicyError::TooLittleWork { kind } => FieldProblem {
            field: kind.as_str().to_owned(),
            detail: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use domain::policy::WaitKind;
    use jiff::Timestamp;

    use super::*;

    const CALENDAR: &str = r#"
        [calendar]
        name = "Support desk Moscow"
        time_zone = "Europe/Moscow"
        week = { mon = [["09:00", "13:00"], ["14:00", "18:00"]], sat = [] }
        holidays = ["2026-01-01"]
        overrides = [{ date = "2026-02-14", intervals = [["09:00", "15:00"]] }]
        closures = [{ date = "2026-03-06", intervals = [["16:00", "18:00"]] }]
    "#;

    fn parsed(text: &str) -> Result<WaitPolicy, PolicyFileError> {
        parse(PathBuf::from("desk.toml"), text)
    }

    #[track_caller]
    fn problems(text: &str) -> Vec<(String, String)> {
        match parsed(text) {
            Err(PolicyFileError::Invalid { problems, .. }) => problems
                .into_iter()
                .map(|problem| (problem.field, problem.detail))
                .collect(),
            other => panic!("not invalid: {other:?}"),
        }
    }

    #[track_caller]
    fn only_problem(text: &str, field: &str, detail: &str) {
        let problems = problems(text);
        assert!(
            matches!(&problems[..], [(f, d)] if f == field && d.contains(detail)),
            "{problems:?}"
        );
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_presets_go_by_their_names() {
        assert_eq!(load("supportal").unwrap(), WaitPolicy::supportal());
        assert_eq!(load("cabinet").unwrap(), WaitPolicy::cabinet());
    }

    #[test]
    fn a_whole_file_makes_a_policy() {
        let head = "name = \"quick/1\"\ninformation = { working = \"PT6H\" }\nclosure = { elapsed = \"PT30S\" }\n";
        let policy = parsed(&format!("{head}reply_resumes = false\n{CALENDAR}")).unwrap();
        assert_eq!(policy.name.as_str(), "quick/1");
        assert!(!policy.reply_resumes);
        // The Saturday of the override: six hours by local time, from 09:00 to 15:00.
        let due = policy.due(WaitKind::Information, at("2026-02-14T05:00:00Z"));
        assert_eq!(due, Some(at("2026-02-14T12:00:00Z")));
        let due = policy.due(WaitKind::Closure, at("2026-02-14T05:00:00Z"));
        assert_eq!(due, Some(at("2026-02-14T05:00:30Z")));
    }

    #[test]
    fn waits_of_elapsed_time_need_no_calendar_and_replies_resume_unless_told_otherwise() {
        let policy = parsed("name = \"quick/1\"\nclosure = { elapsed = \"PT1M\" }").unwrap();
        assert!(policy.reply_resumes);
        assert_eq!(policy.due(WaitKind::Information, Timestamp::UNIX_EPOCH), None);
        assert_eq!(
            policy.due(WaitKind::Closure, at("2026-01-01T00:00:00Z")),
            Some(at("2026-01-01T00:01:00Z"))
        );
    }

    #[test]
    fn waits_of_working_time_need_a_calendar() {
        only_problem(
            "name = \"x/1\"\nclosure = { working = \"PT1H\" }",
            "calendar",
            "is required",
        );
    }

    #[test]
    fn days_are_refused_because_they_are_ambiguous() {
        only_problem(
            "name = \"x/1\"\nclosure = { elapsed = \"P2D\" }",
            "closure.elapsed",
            "days are not allowed",
        );
        only_problem(
            "name = \"x/1\"\nclosure = { elapsed = \"2 days\" }",
            "closure.elapsed",
            "like PT40H",
        );
    }

    #[test]
    fn waits_have_bounds() {
        for text in ["PT0S", "PT0.5S", "PT10001H"] {
            let file = format!("name = \"x/1\"\nclosure = {{ elapsed = \"{text}\" }}");
            only_problem(&file, "closure", "from one second to 10000 hours");
        }
    }

    #[test]
    fn a_wait_that_the_week_can_hardly_hold_is_refused() {
        let head = "name = \"x/1\"\nclosure = { working = \"PT9000H\" }\n";
        only_problem(&format!("{head}{CALENDAR}"), "closure", "too long for the hours");
    }

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let file = r#"
            name = "x/1"
            closure = { elapsed = "soon" }
            [calendar]
            name = "Desk"
            time_zone = "UTC"
            week = { tue = [["9:00", "13:00"]] }
            holidays = ["01.01.2026"]
            closures = [{ date = "2026-03-06", intervals = [] }, { date = "2026-03-06", intervals = [] }]
        "#;
        let fields: Vec<String> = problems(file).into_iter().map(|(field, _)| field).collect();
        let expected = [
            "closure.elapsed",
            "calendar.holidays[0]",
            "calendar.week.tue[0]",
            "calendar.closures[1].date",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_is_wrong_with_the_calendar_names_its_field() {
        let file = r#"
            name = "x/1"
            [calendar]
            name = "Desk"
            time_zone = "Europe/Atlantis"
            week = { fri = [["18:00", "09:00"]] }
        "#;
        let fields: Vec<String> = problems(file).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["calendar.time_zone", "calendar.week.fri"]);
        let error = parsed(file).unwrap_err().to_string();
        assert!(
            error.starts_with("the policy file desk.toml is not valid: calendar.time_zone: there is no"),
            "{error}"
        );
    }

    #[test]
    fn the_files_that_the_documentation_shows_are_policies() {
        let documentation = include_str!("../../../../docs/sla.md");
        let (_, section) = documentation.split_once("## The desk's own policy").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let files: Vec<&str> = section
            .split("```")
            .filter_map(|text| text.strip_prefix("toml"))
            .collect();
        assert_eq!(files.len(), 2);
        for file in files {
            parsed(file).unwrap();
        }
    }

    #[test]
    fn an_unknown_field_is_refused_with_those_that_exist() {
        let error = parsed("name = \"x/1\"\nclosing = 1").unwrap_err();
        assert_eq!(error.to_string(), "cannot understand the policy file desk.toml");
        let source = error.source().unwrap().to_string();
        assert!(
            source.contains("unknown field `closing`") && source.contains("`reply_resumes`"),
            "{source}"
        );
    }

    #[test]
    fn a_missing_file_is_answered_with_what_can_be_given() {
        let error = load("no-such-desk.toml").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("give supportal, cabinet, or the path of a TOML file"),
            "{error}"
        );
    }
}
