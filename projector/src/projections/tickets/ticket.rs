//! A ticket between its row and the domain's state. Events change the state by the domain's
//! own `evolve`; nothing here says again what an event means.

use std::collections::BTreeMap;

use domain::catalogue::{Awaits, Priority, TicketType};
use domain::ids::TicketNumber;
use domain::policy::WaitKind;
use domain::text::{Body, Code, Label, Subject};
use domain::ticket::{CustomFields, CustomValue, Status, TicketState, Wait};
use jiff_sqlx::ToSqlx as _;
use serde_json::Value;

use super::rows::TicketRow;

/// A ticket, with what the read model remembers beyond the rules' own state.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) state: TicketState,
    pub(super) revision: u64,
    pub(super) sequence: u64,
    pub(super) created_at: jiff::Timestamp,
    pub(super) first_response_at: Option<jiff::Timestamp>,
    pub(super) closed_at: Option<jiff::Timestamp>,
    /// `recorded_at` of the last record; never before that of the record before it, whatever the
    /// clocks of those who wrote them.
    pub(super) recorded_at: jiff::Timestamp,
    pub(super) description_revision: u64,
    pub(super) edited: bool,
}

/// A ticket's row with its description, which is kept apart.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(super) struct WholeRow {
    #[sqlx(flatten)]
    pub(super) row: TicketRow,
    pub(super) description: String,
}

/// A row holds what no ticket can hold: somebody changed it by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("table {table}, column {column}: the value is not one that the projection writes")]
pub(crate) struct CorruptRow {
    table: &'static str,
    column: &'static str,
}

const TABLE: &str = "tickets";

pub(super) const fn corrupt(table: &'static str, column: &'static str) -> CorruptRow {
    CorruptRow { table, column }
}

impl Known {
    /// The row for the ticket.
    pub(super) fn to_row(&self, id: uuid::Uuid, partition: u16) -> TicketRow {
        let state = &self.state;
        let wait = state.wait.as_ref();
        TicketRow {
            id,
            partition: partition.into(),
            sequence: signed(self.sequence),
            revision: signed(self.revision),
            number: signed(state.number.0),
            subject: state.subject.as_str().to_owned(),
            description_revision: signed(self.description_revision),
            edited: self.edited,
            status: state.status.as_str().to_owned(),
            status_rank: state.status.rank().into(),
            ticket_type: state.ticket_type.code.to_string(),
            awaits: state.ticket_type.awaits.map(|awaits| awaits.as_str().to_owned()),
            priority: state.priority.code.to_string(),
            priority_rank: state.priority.rank.into(),
            category: text(state.category.as_ref()),
            system: text(state.system.as_ref()),
            environment: text(state.environment.as_ref()),
            service: text(state.service.as_ref()),
            product: text(state.product.as_ref()),
            platform_version: text(state.platform_version.as_ref()),
            custom_fields: custom_fields_json(&state.custom_fields),
            requester_id: state.requester.as_uuid(),
            organisation_id: state.organisation.map(domain::ids::OrganisationId::as_uuid),
            group_id: state.group.map(domain::ids::GroupId::as_uuid),
            project_id: state.project.map(domain::ids::ProjectId::as_uuid),
            assignee_id: state.assignee.map(domain::ids::UserId::as_uuid),
            followers: state.followers.iter().map(|user| user.as_uuid()).collect(),
            wait_kind: self.wait_kind().map(|kind| kind.as_str().to_owned()),
            wait_number: wait.map(|wait| wait.number.cast_signed()),
            wait_policy: wait.map(|wait| wait.policy.as_str().to_owned()),
            due_at: wait.map(|wait| wait.due_at.to_sqlx()),
            waits: state.waits.cast_signed(),
            rating: state.rating.map(i16::from),
            created_at: self.created_at.to_sqlx(),
            updated_at: state.last_occurred_at.to_sqlx(),
            first_response_at: self.first_response_at.map(jiff::Timestamp::to_sqlx),
            closed_at: self.closed_at.map(jiff::Timestamp::to_sqlx),
            recorded_at: self.recorded_at.to_sqlx(),
        }
    }

    /// What the wait that runs is for.
    pub(super) fn wait_kind(&self) -> Option<WaitKind> {
        self.state.wait.as_ref()?;
        match self.state.status {
            Status::WaitingForInfo => Some(WaitKind::Information),
            Status::WaitingForClosure => Some(WaitKind::Closure),
            Status::New
            | Status::InProgress
            | Status::WaitingForFix
            | Status::WaitingForImplementation
            | Status::Closed
            | Status::Reopened => None,
        }
    }
}

impl TryFrom<WholeRow> for Known {
    type Error = CorruptRow;

    fn try_from(WholeRow { row, description }: WholeRow) -> Result<Self, CorruptRow> {
        let awaits = row
            .awaits
            .as_deref()
            .map(|name| Awaits::parse(name).ok_or(corrupt(TABLE, "awaits")))
            .transpose()?;
        let wait = match (row.wait_number, row.wait_policy, row.due_at) {
            (Some(number), Some(policy), Some(due_at)) => Some(Wait {
                number: number.cast_unsigned(),
                due_at: due_at.to_jiff(),
                policy: Label::parse(&policy).map_err(|_| corrupt(TABLE, "wait_policy"))?,
            }),
            _ => None,
        };
        let state = TicketState {
            number: TicketNumber(unsigned(row.number, TABLE, "number")?),
            status: Status::parse(&row.status).ok_or(corrupt(TABLE, "status"))?,
            subject: Subject::parse(&row.subject).map_err(|_| corrupt(TABLE, "subject"))?,
            description: Body::parse(&description).map_err(|_| corrupt(TABLE, "description"))?,
            ticket_type: TicketType {
                code: Code::new(&row.ticket_type),
                awaits,
            },
            priority: Priority {
                code: Code::new(&row.priority),
                rank: u8::try_from(row.priority_rank).map_err(|_| corrupt(TABLE, "priority_rank"))?,
            },
            category: label(row.category.as_deref(), "category")?,
            system: label(row.system.as_deref(), "system")?,
            environment: label(row.environment.as_deref(), "environment")?,
            service: label(row.service.as_deref(), "service")?,
            product: label(row.product.as_deref(), "product")?,
            platform_version: label(row.platform_version.as_deref(), "platform_version")?,
            custom_fields: custom_fields(&row.custom_fields).ok_or(corrupt(TABLE, "custom_fields"))?,
            requester: row.requester_id.into(),
            organisation: row.organisation_id.map(Into::into),
            assignee: row.assignee_id.map(Into::into),
            group: row.group_id.map(Into::into),
            project: row.project_id.map(Into::into),
            followers: row.followers.into_iter().map(Into::into).collect(),
            wait,
            waits: row.waits.cast_unsigned(),
            rating: row
                .rating
                .map(u8::try_from)
                .transpose()
                .map_err(|_| corrupt(TABLE, "rating"))?,
            last_occurred_at: row.updated_at.to_jiff(),
        };
        Ok(Self {
            state,
            revision: unsigned(row.revision, TABLE, "revision")?,
            sequence: unsigned(row.sequence, TABLE, "sequence")?,
            created_at: row.created_at.to_jiff(),
            first_response_at: row.first_response_at.map(jiff_sqlx::Timestamp::to_jiff),
            closed_at: row.closed_at.map(jiff_sqlx::Timestamp::to_jiff),
            recorded_at: row.recorded_at.to_jiff(),
            description_revision: unsigned(row.description_revision, TABLE, "description_revision")?,
            edited: row.edited,
        })
    }
}

/// Sequences and revisions count records; there will not be 2⁶³ of them.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(count: i64, table: &'static str, column: &'static str) -> Result<u64, CorruptRow> {
    u64::try_from(count).map_err(|_| corrupt(table, column))
}

fn text(label: Option<&Label>) -> Option<String> {
    label.map(|label| label.as_str().to_owned())
}

fn label(text: Option<&str>, column: &'static str) -> Result<Option<Label>, CorruptRow> {
    text.map(Label::parse).transpose().map_err(|_| corrupt(TABLE, column))
}

/// Custom fields as a JSON object.
pub(super) fn custom_fields_json(fields: &CustomFields) -> Value {
    let member = |(name, value): (&Label, &CustomValue)| {
        let value = match value {
            CustomValue::Text(text) => Value::from(text.as_str()),
            CustomValue::Number(number) => Value::from(*number),
            CustomValue::Flag(flag) => Value::from(*flag),
        };
        (name.as_str().to_owned(), value)
    };
    Value::Object(fields.iter().map(member).collect())
}

fn custom_fields(json: &Value) -> Option<CustomFields> {
    let member = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => CustomValue::Text(Label::parse(text).ok()?),
            Value::Number(number) => CustomValue::Number(number.as_i64()?),
            Value::Bool(flag) => CustomValue::Flag(*flag),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((Label::parse(name).ok()?, value))
    };
    json.as_object()?.iter().map(member).collect::<Option<BTreeMap<_, _>>>()
}
