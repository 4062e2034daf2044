//! Which statuses and commands a desk uses for whom, and what people call them. Within the eight statuses of every
//! ticket: a workflow says less, never more.

use std::borrow::Cow;

use crate::policy::WaitPolicy;
use crate::ticket::{CommandName, Status};

/// What something is called in the languages of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels {
    /// English.
    pub en: &'static str,
    /// Russian.
    pub ru: &'static str,
    /// Spanish.
    pub es: &'static str,
}

/// What a status is called. Several statuses may share a label: whoever is not to tell them apart does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusLabels {
    /// By those who work on tickets.
    pub staff: Labels,
    /// By those who open them.
    pub customers: Labels,
}

/// A way of working, one of [`Workflow::ALL`].
#[derive(Debug, Clone, Copy)]
pub struct Workflow {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it says may change with the program; then this does.
    pub version: u32,
    /// The statuses that tickets come to.
    pub statuses: &'static [Status],
    /// The commands that may be given, besides creating.
    pub commands: &'static [CommandName],
    /// Whether a public comment of the requester's side takes a waiting ticket back into work, if its policy says so too.
    pub reply_resumes: bool,
    labels: fn(Status) -> StatusLabels,
}

impl Workflow {
    /// All of them.
    pub const ALL: [Self; 3] = [SUPPORTAL, CABINET, SIMPLE];

    /// That of whoever chose none.
    pub const USUAL: Self = SUPPORTAL;

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workflow| workflow.name == name)
    }

    /// What a status is called, also one that new tickets do not come to: older ones may be in it.
    pub fn labels(&self, status: Status) -> StatusLabels {
        (self.labels)(status)
    }

    /// How long its tickets wait, by their policy.
    pub fn waits<'p>(&self, policy: &'p WaitPolicy) -> Cow<'p, WaitPolicy> {
        if self.reply_resumes {
            return Cow::Borrowed(policy);
        }
        Cow::Owned(WaitPolicy {
            reply_resumes: false,
            ..policy.clone()
        })
    }

    /// Whether such a command may be given.
    pub fn uses(&self, command: CommandName) -> bool {
        self.commands.contains(&command)
    }
}

/// Every status and every command.
const SUPPORTAL: Workflow = Workflow {
    name: "supportal",
    version: 1,
    statuses: &Status::ALL,
    commands: &CommandName::ON_TICKET,
    reply_resumes: true,
    labels: supportal,
};

/// Waiting, in work, done, closed.
const CABINET: Workflow = Workflow {
    name: "cabinet",
    version: 1,
    statuses: &[
        Status::New,
        Status::InProgress,
        Status::WaitingForClosure,
        Status::Closed,
        Status::Reopened,
    ],
    commands: &[
        CommandName::Accept,
        CommandName::Resume,
        CommandName::ProposeClosure,
        CommandName::Close,
        CommandName::Reopen,
        CommandName::Rate,
        CommandName::Comment,
        CommandName::Classify,
        CommandName::Assign,
        CommandName::Edit,
        CommandName::Follow,
        CommandName::Unfollow,
    ],
    reply_resumes: true,
    labels: cabinet,
};

/// Open, closed.
const SIMPLE: Workflow = Workflow {
    name: "simple",
    version: 1,
    statuses: &[Status::New, Status::InProgress, Status::Closed, Status::Reopened],
    commands: &[
        CommandName::Accept,
        CommandName::Close,
        CommandName::Reopen,
        CommandName::Rate,
        CommandName::Comment,
        CommandName::Classify,
        CommandName::Assign,
        CommandName::Edit,
        CommandName::Follow,
        CommandName::Unfollow,
    ],
    reply_resumes: true,
    labels: simple,
};

const fn labels(en: &'static str, ru: &'static str, es: &'static str) -> Labels {
    Labels { en, ru, es }
}

const fn same(labels: Labels) -> StatusLabels {
    StatusLabels {
        staff: labels,
        customers: labels,
    }
}

const NEW: Labels = labels("New", "Новый", "Nuevo");
const IN_PROGRESS: Labels = labels("In progress", "В работе", "En curso");
const CLOSED: Labels = labels("Closed", "Закрыт", "Cerrado");
const REOPENED: Labels = labels("Reopened", "Переоткрыт", "Reabierto");
const WAITING_FOR_INFO: Labels = labels(
    "Waiting for information",
    "В ожидании информации",
    "En espera de información",
);
const WAITING_FOR_FIX: Labels = labels("Waiting for a fix", "Ожидание исправления", "En espera de corrección");
const WAITING_FOR_IMPLEMENTATION: Labels = labels(
    "Waiting for implementation",
    "Ожидание реализации",
    "En espera de implementación",
);
const WAITING_FOR_CLOSURE: Labels = labels("Waiting for closure", "В ожидании закрытия", "En espera de cierre");

fn supportal(status: Status) -> StatusLabels {
    same(match status {
        Status::New => NEW,
        Status::InProgress => IN_PROGRESS,
        Status::WaitingForInfo => WAITING_FOR_INFO,
        Status::WaitingForFix => WAITING_FOR_FIX,
        Status::WaitingForImplementation => WAITING_FOR_IMPLEMENTATION,
        Status::WaitingForClosure => WAITING_FOR_CLOSURE,
        Status::Closed => CLOSED,
        Status::Reopened => REOPENED,
    })
}

/// Requests are done for requesters when a solution is proposed. Staff see whether it is the first time.
fn cabinet(status: Status) -> StatusLabels {
    const WAITING: Labels = labels("Waiting", "В ожидании", "En espera");
    const PROCESSING: Labels = labels("Being processed", "В обработке", "En proceso");
    const DONE: Labels = labels("Done", "Выполнен", "Completado");
    match status {
        Status::New => same(WAITING),
        Status::Reopened => StatusLabels {
            staff: REOPENED,
            customers: WAITING,
        },
        Status::InProgress => same(PROCESSING),
        Status::WaitingForInfo => StatusLabels {
            staff: WAITING_FOR_INFO,
            customers: PROCESSING,
        },
        Status::WaitingForFix => StatusLabels {
            staff: WAITING_FOR_FIX,
            customers: PROCESSING,
        },
        Status::WaitingForImplementation => StatusLabels {
            staff: WAITING_FOR_IMPLEMENTATION,
            customers: PROCESSING,
        },
        Status::WaitingForClosure => same(DONE),
        Status::Closed => same(CLOSED),
    }
}

fn simple(status: Status) -> StatusLabels {
    const OPEN: Labels = labels("Open", "Открыт", "Abierto");
    match status {
        Status::Closed => same(CLOSED),
        Status::New
        | Status::InProgress
        | Status::WaitingForInfo
        | Status::WaitingForFix
        | Status::WaitingForImplementation
        | Status::WaitingForClosure
        | Status::Reopened => same(OPEN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_label_in_every_language_for_everybody() {
        for workflow in Workflow::ALL {
            for status in Status::ALL {
                let StatusLabels { staff, customers } = workflow.labels(status);
                for labels in [staff, customers] {
                    for label in [labels.en, labels.ru, labels.es] {
                        assert!(!label.is_empty(), "{} {}", workflow.name, status.as_str());
                    }
                }
            }
        }
    }

    #[test]
    fn statuses_and_commands_go_together() {
        for workflow in Workflow::ALL {
            let leads_to = [
                (CommandName::RequestInfo, Status::WaitingForInfo),
                (CommandName::AwaitFix, Status::WaitingForFix),
                (CommandName::AwaitImplementation, Status::WaitingForImplementation),
                (CommandName::ProposeClosure, Status::WaitingForClosure),
                (CommandName::Accept, Status::InProgress),
                (CommandName::Close, Status::Closed),
                (CommandName::Reopen, Status::Reopened),
            ];
            for (command, status) in leads_to {
                assert_eq!(
                    workflow.uses(command),
                    workflow.statuses.contains(&status),
                    "{}: {}",
                    workflow.name,
                    command.as_str()
                );
            }
            assert!(workflow.uses(CommandName::Comment), "people can talk");
        }
    }

    #[test]
    fn names_are_found() {
        for workflow in Workflow::ALL {
            assert_eq!(
                Workflow::parse(workflow.name).map(|found| found.name),
                Some(workflow.name)
            );
        }
        assert!(Workflow::parse("another").is_none());
    }
}
