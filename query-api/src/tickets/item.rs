//! A ticket as lists show it.

use domain::actor::Actor;
use domain::directory::EntryKind;
use domain::portal::Property;
use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};
use sqlx::types::Uuid;

use crate::names::Names;

/// A column of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Id,
    Number,
    Subject,
    Status,
    Type,
    Priority,
    Category,
    System,
    Environment,
    Service,
    Product,
    PlatformVersion,
    Requester,
    Organisation,
    Group,
    Project,
    Assignee,
    CreatedAt,
    UpdatedAt,
    DueAt,
    Overdue,
    Rating,
    Revision,
}

impl Field {
    /// All of them, in the order of the contract.
    pub(crate) const ALL: [Self; 23] = [
        Self::Id,
        Self::Number,
        Self::Subject,
        Self::Status,
        Self::Type,
        Self::Priority,
        Self::Category,
        Self::System,
        Self::Environment,
        Self::Service,
        Self::Product,
        Self::PlatformVersion,
        Self::Requester,
        Self::Organisation,
        Self::Group,
        Self::Project,
        Self::Assignee,
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::DueAt,
        Self::Overdue,
        Self::Rating,
        Self::Revision,
    ];

    /// Those that an actor is shown.
    pub(crate) fn shown_to(actor: &Actor) -> Vec<Self> {
        let shown = |field: &Self| field.property().is_none_or(|property| actor.is_shown(&property));
        Self::ALL.into_iter().filter(shown).collect()
    }

    /// What it shows of a ticket, if a portal may hide that.
    pub(super) const fn property(self) -> Option<Property> {
        match self {
            Self::Id
            | Self::Number
            | Self::Subject
            | Self::Status
            | Self::Type
            | Self::Requester
            | Self::Organisation
            | Self::CreatedAt
            | Self::UpdatedAt
            | Self::Revision => None,
            Self::Priority => Some(Property::Priority),
            Self::Category => Some(Property::Category),
            Self::System => Some(Property::System),
            Self::Environment => Some(Property::Environment),
            Self::Service => Some(Property::Service),
            Self::Product => Some(Property::Product),
            Self::PlatformVersion => Some(Property::PlatformVersion),
            Self::Group => Some(Property::Group),
            Self::Project => Some(Property::Project),
            Self::Assignee => Some(Property::Assignee),
            Self::DueAt | Self::Overdue => Some(Property::DueAt),
            Self::Rating => Some(Property::Rating),
        }
    }

    /// Its name in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Number => "number",
            Self::Subject => "subject",
            Self::Status => "status",
            Self::Type => "type",
            Self::Priority => "priority",
            Self::Category => "category",
            Self::System => "system",
            Self::Environment => "environment",
            Self::Service => "service",
            Self::Product => "product",
            Self::PlatformVersion => "platform_version",
            Self::Requester => "requester",
            Self::Organisation => "organisation",
            Self::Group => "group",
            Self::Project => "project",
            Self::Assignee => "assignee",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::DueAt => "due_at",
            Self::Overdue => "overdue",
            Self::Rating => "rating",
            Self::Revision => "revision",
        }
    }
}

/// The columns that every query of tickets reads.
pub(crate) const COLUMNS: &str = "t.id, t.number, t.subject, t.status, t.status_rank, t.ticket_type, t.priority, \
    t.priority_rank, t.category, t.system, t.environment, t.service, t.product, t.platform_version, \
    t.requester_id, t.organisation_id, t.group_id, t.project_id, t.assignee_id, t.created_at, t.updated_at, t.due_at, t.rating, \
    t.revision";

/// A ticket's row.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct TicketRow {
    pub(crate) id: Uuid,
    pub(crate) number: i64,
    pub(crate) subject: String,
    pub(crate) status: String,
    pub(crate) status_rank: i16,
    pub(crate) ticket_type: String,
    pub(crate) priority: String,
    pub(crate) priority_rank: i16,
    pub(crate) category: Option<String>,
    pub(crate) system: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) platform_version: Option<String>,
    pub(crate) requester_id: Uuid,
    pub(crate) organisation_id: Option<Uuid>,
    pub(crate) group_id: Option<Uuid>,
    pub(crate) project_id: Option<Uuid>,
    pub(crate) assignee_id: Option<Uuid>,
    pub(crate) created_at: jiff_sqlx::Timestamp,
    pub(crate) updated_at: jiff_sqlx::Timestamp,
    pub(crate) due_at: Option<jiff_sqlx::Timestamp>,
    pub(crate) rating: Option<i16>,
    pub(crate) revision: i64,
    /// How well it answers what was asked, where that is the order of the list.
    #[sqlx(default)]
    pub(crate) rank: Option<i64>,
}

impl TicketRow {
    /// Everybody and everything kind name the list shows.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Uuid> + use<> {
        [
            Some(self.requester_id),
            self.organisation_id,
            self.group_id,
            self.project_id,
            self.assignee_id,
        ]
        .into_iter()
        .flatten()
    }

    /// Whether its time is over. A closed ticket waits for nothing, so that it has no due time.
    pub(crate) fn is_overdue(&self, now: Timestamp) -> bool {
        self.due_at.is_some_and(|due_at| due_at.to_jiff() < now)
    }
}

/// A row with all that it takes to write it down.
#[derive(Debug)]
pub(crate) struct Item<'i> {
    pub(crate) row: &'i TicketRow,
    pub(crate) fields: &'i [Field],
    pub(crate) names: &'i Names,
    pub(crate) now: Timestamp,
}

impl Item<'_> {
    fn value(&self, field: Field) -> Value {
        let row = self.row;
        match field {
            Field::Id => json!(row.id),
            Field::Number => json!(row.number),
            Field::Subject => json!(row.subject),
            Field::Status => json!(row.status),
            Field::Type => json!(row.ticket_type),
            Field::Priority => json!(row.priority),
            Field::Category => json!(row.category),
            Field::System => json!(row.system),
            Field::Environment => json!(row.environment),
            Field::Service => json!(row.service),
            Field::Product => json!(row.product),
            Field::PlatformVersion => json!(row.platform_version),
            Field::Requester => self.names.json(EntryKind::User, Some(row.requester_id)),
            Field::Organisation => self.names.json(EntryKind::Organisation, row.organisation_id),
            Field::Group => self.names.json(EntryKind::Group, row.group_id),
            Field::Project => self.names.json(EntryKind::Project, row.project_id),
            Field::Assignee => self.names.json(EntryKind::User, row.assignee_id),
            Field::CreatedAt => json!(row.created_at.to_jiff()),
            Field::UpdatedAt => json!(row.updated_at.to_jiff()),
            Field::DueAt => json!(row.due_at.map(jiff_sqlx::Timestamp::to_jiff)),
            Field::Overdue => json!(row.is_overdue(self.now)),
            Field::Rating => json!(row.rating),
            Field::Revision => json!(row.revision),
        }
    }
}

/// The fields that were asked for, in the order of the contract.
impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for field in self.fields {
            map.serialize_entry(field.as_str(), &self.value(*field))?;
        }
        map.end()
    }
}
