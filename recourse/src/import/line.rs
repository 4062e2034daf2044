//! One line for `POST /v1/commands`.
//!
//! The desk holds a repeated key against what the first line with it said, so the fields depend
//! on nothing but the source.

use std::collections::BTreeMap;

use domain::ticket::CommandName;
use serde::Serialize;
use uuid::Uuid;

/// A command with its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    /// The command's name, as in URLs.
    pub(crate) command: &'static str,
    /// `$` and the key of the create; absent on the create itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
    /// The idempotency key.
    pub(crate) key: String,
    /// What the single request would carry.
    pub(crate) body: Body,
    /// The incident, which orders lines: those of one incident are sent one after another.
    #[serde(skip)]
    pub(crate) incident: String,
}

impl Line {
    /// Whether it begins a wait that the desk may end by itself.
    pub(crate) fn begins_wait(&self) -> bool {
        [CommandName::RequestInfo, CommandName::ProposeClosure]
            .iter()
            .any(|command| command.as_str() == self.command)
    }

    /// The same wait, due counting from the other of its two times.
    pub(crate) fn with_the_other_deadline(mut self) -> Self {
        self.body.honour_deadlines = if self.body.honour_deadlines.is_some() {
            None
        } else {
            Some(true)
        };
        self
    }
}

/// The fields that the importer uses, of all commands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Body {
    pub(crate) occurred_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_behalf_of: Option<Person>,
    /// Whether a wait is due counting from `occurred_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) honour_deadlines: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) ticket_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) custom_fields: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assignee: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) solution: Option<String>,
}

/// Somebody in whose name a command is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
}

/// A user or a group by the identifier that the source's name makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    pub(crate) id: Uuid,
    pub(crate) name: String,
}
