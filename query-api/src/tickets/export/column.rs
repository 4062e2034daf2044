//! Tickets as tables that are flat: a column for the name of somebody, and one for the id.

use std::borrow::Cow;

use domain::directory::EntryKind;
use jiff::Timestamp;
use uuid::Uuid;

use super::super::item::{Field, TicketRow};
use super::reading::Batch;

/// A column of a flat table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// The field, or the name of whom it points to.
    Of(Field),
    /// The id of whom it points to.
    IdOf(Field),
}

/// What stands in a column of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cell<'c> {
    Nothing,
    /// People's words, which may be anything.
    Words(Cow<'c, str>),
    /// A code or an id of the desk's own.
    Code(Cow<'c, str>),
    Number(i64),
    Flag(bool),
    Time(Timestamp),
}

impl Column {
    /// The columns of some fields, in their order.
    pub(super) fn all(fields: &[Field]) -> Vec<Self> {
        let columns = |field: &Field| {
            let id = points_to(*field).map(|_| Self::IdOf(*field));
            [Some(Self::Of(*field)), id].into_iter().flatten()
        };
        fields.iter().flat_map(columns).collect()
    }

    /// Its name for programs, which is the contract's.
    pub(super) fn name(self) -> Cow<'static, str> {
        match self {
            Self::Of(field) => field.as_str().into(),
            Self::IdOf(field) => format!("{}_id", field.as_str()).into(),
        }
    }

    /// Whether it holds points in time.
    pub(super) const fn is_time(self) -> bool {
        matches!(self, Self::Of(Field::CreatedAt | Field::UpdatedAt | Field::DueAt))
    }

    /// Its cell in a row of `batch`.
    pub(super) fn cell<'c>(self, row: &'c TicketRow, batch: &Batch) -> Cell<'c> {
        let named = |field| {
            let name = points_to(field)
                .zip(id(row, field))
                .and_then(|(kind, id)| batch.names.name(kind, id));
            name.map_or(Cell::Nothing, |name| Cell::Words(name.into()))
        };
        match self {
            Self::IdOf(field) => id(row, field).map_or(Cell::Nothing, |id| Cell::Code(id.to_string().into())),
            Self::Of(field) => match field {
                Field::Id => Cell::Code(row.id.to_string().into()),
                Field::Number => Cell::Number(row.number),
                Field::Subject => words(Some(&row.subject)),
                Field::Status => Cell::Code(row.status.as_str().into()),
                Field::Type => Cell::Code(row.ticket_type.as_str().into()),
                Field::Priority => Cell::Code(row.priority.as_str().into()),
                Field::Category => words(row.category.as_deref()),
                Field::System => words(row.system.as_deref()),
                Field::Environment => words(row.environment.as_deref()),
                Field::Service => words(row.service.as_deref()),
                Field::Product => words(row.product.as_deref()),
                Field::PlatformVersion => words(row.platform_version.as_deref()),
                Field::Requester | Field::Organisation | Field::Group | Field::Project | Field::Assignee => {
                    named(field)
                }
                Field::CreatedAt => Cell::Time(row.created_at.to_jiff()),
                Field::UpdatedAt => Cell::Time(row.updated_at.to_jiff()),
                Field::DueAt => row.due_at.map_or(Cell::Nothing, |at| Cell::Time(at.to_jiff())),
                Field::Overdue => Cell::Flag(row.is_overdue(batch.now)),
                Field::Rating => row.rating.map_or(Cell::Nothing, |score| Cell::Number(score.into())),
                Field::Revision => Cell::Number(row.revision),
            },
        }
    }
}

/// What kind of entry of the directory a field points to, if it does.
pub(super) const fn points_to(field: Field) -> Option<EntryKind> {
    match field {
        Field::Requester | Field::Assignee => Some(EntryKind::User),
        Field::Organisation => Some(EntryKind::Organisation),
        Field::Group => Some(EntryKind::Group),
        Field::Project => Some(EntryKind::Project),
        Field::Id
        | Field::Number
        | Field::Subject
        | Field::Status
        | Field::Type
        | Field::Priority
        | Field::Category
        | Field::System
        | Field::Environment
        | Field::Service
        | Field::Product
        | Field::PlatformVersion
        | Field::CreatedAt
        | Field::UpdatedAt
        | Field::DueAt
        | Field::Overdue
        | Field::Rating
        | Field::Revision => None,
    }
}

/// Whom a field points to.
pub(super) fn id(row: &TicketRow, field: Field) -> Option<Uuid> {
    match field {
        Field::Requester => Some(row.requester_id),
        Field::Organisation => row.organisation_id,
        Field::Group => row.group_id,
        Field::Project => row.project_id,
        Field::Assignee => row.assignee_id,
        _ => None,
    }
}

fn words(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Nothing, |text| Cell::Words(text.into()))
}
