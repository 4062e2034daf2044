//! Lines that wait for their answers. Decides which answers stand and which lines go again.

use std::collections::{HashMap, HashSet};

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::line::Line;
use super::report::Findings;

/// What the desk says about one line.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Answer {
    key: String,
    /// What a request of its own would have been answered.
    status: u16,
    #[serde(default)]
    replayed: bool,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<Value>,
}

/// What sending came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Commands that the desk carried out now.
    pub(crate) made: u64,
    /// Commands that it had carried out before.
    pub(crate) replayed: u64,
    /// Commands that it refused, and why.
    pub(crate) failed: Findings,
}

/// Lines in the order in which they are to be carried out.
#[derive(Debug)]
pub(crate) struct Pending {
    lines: Vec<Option<Line>>,
    places: HashMap<String, usize>,
    /// Incidents of which the desk could not take a line. What it says about their further lines
    /// may follow from that, unless it carried them out.
    stuck: HashSet<String>,
    /// Waits that were given with the other deadline before.
    turned: Vec<Line>,
    /// Whether waits may be given again with the other deadline.
    turn: Turn,
}

/// Whether waits may be given again with the other deadline. Once is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// They may.
    Once,
    /// They have been.
    Done,
}

impl Pending {
    /// Lines of which none is answered.
    pub(crate) fn new(lines: Vec<Line>, turn: Turn) -> Self {
        let places = lines
            .iter()
            .enumerate()
            .map(|(place, line)| (line.key.clone(), place))
            .collect();
        let lines = lines.into_iter().map(Some).collect();
        Self {
            lines,
            places,
            stuck: HashSet::new(),
            turned: Vec::new(),
            turn,
        }
    }

    /// How many have no answer.
    pub(crate) fn len(&self) -> usize {
        self.lines.iter().flatten().count()
    }

    /// The lines without an answer, as the body of a request.
    pub(crate) fn ndjson(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut body = Vec::new();
        for line in self.lines.iter().flatten() {
            serde_json::to_writer(&mut body, line)?;
            body.push(b'\n');
        }
        Ok(body)
    }

    /// A new request begins.
    pub(crate) fn begin(&mut self) {
        self.stuck.clear();
    }

    /// Takes an answer. Lines whose answer stands are pending no longer.
    pub(crate) fn settle(&mut self, answer: &Answer, tally: &mut Tally) {
        let Some(place) = self
            .places
            .get(&answer.key)
            .and_then(|place| self.lines.get_mut(*place))
        else {
            return;
        };
        let Some(line) = place else { return };
        match answer.status {
            200..=299 => {
                if answer.replayed {
                    tally.replayed += 1;
                } else {
                    tally.made += 1;
                }
                *place = None;
            }
            status if passing(status) => {
                self.stuck.insert(line.incident.clone());
            }
            _ if self.stuck.contains(&line.incident) => {}
            _ if self.turn == Turn::Once && line.begins_wait() && answer.is("idempotency-key-reused") => {
                self.turned.extend(place.take().map(Line::with_the_other_deadline));
            }
            _ => {
                tally.failed.add(&answer.reason(), || answer.example());
                *place = None;
            }
        }
    }

    /// Waits that are to be given again with the deadline that an earlier run gave them.
    pub(crate) fn turned(self) -> Vec<Line> {
        self.turned
    }
}

impl Answer {
    fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the token lacks the permission to import: then no line will get through.
    pub(crate) fn forbids_importing(&self) -> bool {
        self.status == StatusCode::FORBIDDEN.as_u16() && self.key.ends_with(":create")
    }

    fn reason(&self) -> String {
        format!("{} {}", self.status, self.code.as_deref().unwrap_or("without a code"))
    }

    fn example(&self) -> String {
        let mut example = format!("{} ({}", self.key, self.detail.as_deref().unwrap_or("no detail"));
        for error in &self.errors {
            example.push(' ');
            example.push_str(&error.to_string());
        }
        example.push(')');
        example
    }
}

/// Whether a status says that the same request may well succeed in a moment.
pub(crate) fn passing(status: u16) -> bool {
    [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ]
    .iter()
    .any(|passing| passing.as_u16() == status)
}

#[cfg(test)]
mod tests {
    use super::super::line::Body;
    use super::*;

    fn line(incident: &str, command: &'static str) -> Line {
        Line {
            command,
            ticket: None,
            key: format!("{incident}:{command}"),
            body: Body::default(),
            incident: incident.to_owned(),
        }
    }

    fn answer(key: &str, status: u16, code: &str) -> Answer {
        Answer {
            key: key.to_owned(),
            status,
            code: Some(code.to_owned()),
            ..Answer::default()
        }
    }

    fn keys(pending: &Pending) -> Vec<&str> {
        pending.lines.iter().flatten().map(|line| line.key.as_str()).collect()
    }

    #[test]
    fn a_line_that_the_desk_could_not_take_goes_again_with_what_failed_because_of_it() {
        let lines = vec![
            line("A", "create"),
            line("B", "create"),
            line("A", "accept"),
            line("B", "accept"),
        ];
        let mut pending = Pending::new(lines, Turn::Once);
        let mut tally = Tally::default();
        pending.settle(&answer("A:create", 503, "outcome-unknown"), &mut tally);
        pending.settle(&answer("B:create", 201, ""), &mut tally);
        pending.settle(&answer("A:accept", 404, "ticket-not-found"), &mut tally);
        pending.settle(&answer("B:accept", 409, "wrong-status"), &mut tally);
        assert_eq!(keys(&pending), ["A:create", "A:accept"]);
        assert_eq!((tally.made, tally.failed.total()), (1, 1));

        pending.begin();
        pending.settle(
            &Answer {
                replayed: true,
                ..answer("A:create", 201, "")
            },
            &mut tally,
        );
        pending.settle(&answer("A:accept", 200, ""), &mut tally);
        assert_eq!((tally.made, tally.replayed, pending.len()), (2, 1, 0));
    }

    #[test]
    fn a_wait_that_an_earlier_run_gave_another_deadline_is_given_as_then() {
        let mut pending = Pending::new(vec![line("A", "request-info"), line("A", "resume")], Turn::Once);
        let mut tally = Tally::default();
        pending.settle(&answer("A:request-info", 422, "idempotency-key-reused"), &mut tally);
        pending.settle(&answer("A:resume", 422, "idempotency-key-reused"), &mut tally);
        assert_eq!((pending.len(), tally.failed.total()), (0, 1));
        let turned = pending.turned();
        assert_eq!(
            turned.iter().map(|line| line.body.honour_deadlines).collect::<Vec<_>>(),
            [Some(true)]
        );
    }

    #[test]
    fn answers_to_lines_that_nobody_sent_are_passed_over() {
        let mut pending = Pending::new(vec![line("A", "create")], Turn::Once);
        let mut tally = Tally::default();
        pending.settle(&answer("B:create", 201, ""), &mut tally);
        assert_eq!((pending.len(), tally.made), (1, 0));
    }
}
