//! Sorting, and going on from where a page ended.
//!
//! Every key is a whole number, or nothing: times are microseconds. Ties are broken by id, so that
//! a page has one right end, and rows that change elsewhere neither repeat others nor lose them.

use domain::EARLIEST;
use domain::actor::Actor;
use domain::portal::Property;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::item::TicketRow;
use crate::cursor::refused;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Number,
    CreatedAt,
    UpdatedAt,
    Priority,
    Status,
    DueAt,
    Relevance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

/// An order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sort {
    key: Key,
    direction: Direction,
}

/// The last row of a page: all that the next page needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    #[serde(rename = "s")]
    sort: String,
    #[serde(rename = "k")]
    key: Option<i64>,
    #[serde(rename = "i")]
    id: Uuid,
}

impl Sort {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::descending(Key::CreatedAt),
        Self::ascending(Key::CreatedAt),
        Self::descending(Key::UpdatedAt),
        Self::ascending(Key::UpdatedAt),
        Self::descending(Key::Number),
        Self::ascending(Key::Number),
        Self::descending(Key::Priority),
        Self::ascending(Key::Priority),
        Self::descending(Key::Status),
        Self::ascending(Key::Status),
        Self::descending(Key::DueAt),
        Self::ascending(Key::DueAt),
        Self::RELEVANCE,
    ];

    /// What answers a question best on top. There has to be a question.
    pub(crate) const RELEVANCE: Self = Self::descending(Key::Relevance);

    const fn ascending(key: Key) -> Self {
        Self {
            key,
            direction: Direction::Ascending,
        }
    }

    const fn descending(key: Key) -> Self {
        Self {
            key,
            direction: Direction::Descending,
        }
    }

    /// Its name in the query.
    pub(crate) const fn as_str(self) -> &'static str {
        match (self.key, self.direction) {
            (Key::Number, Direction::Ascending) => "number",
            (Key::Number, Direction::Descending) => "-number",
            (Key::CreatedAt, Direction::Ascending) => "created_at",
            (Key::CreatedAt, Direction::Descending) => "-created_at",
            (Key::UpdatedAt, Direction::Ascending) => "updated_at",
            (Key::UpdatedAt, Direction::Descending) => "-updated_at",
            (Key::Priority, Direction::Ascending) => "priority",
            (Key::Priority, Direction::Descending) => "-priority",
            (Key::Status, Direction::Ascending) => "status",
            (Key::Status, Direction::Descending) => "-status",
            (Key::DueAt, Direction::Ascending) => "due_at",
            (Key::DueAt, Direction::Descending) => "-due_at",
            (Key::Relevance, _) => "relevance",
        }
    }

    /// The order of that name, if it is by what the actor is shown.
    pub(crate) fn parse(text: &str, actor: &Actor) -> Result<Self, String> {
        let by = |sort: &Self| match sort.key {
            Key::Priority => Some(Property::Priority),
            Key::DueAt => Some(Property::DueAt),
            Key::Number | Key::CreatedAt | Key::UpdatedAt | Key::Status | Key::Relevance => None,
        };
        let shown = |sort: &Self| by(sort).is_none_or(|property| actor.is_shown(&property));
        let offered: Vec<Self> = Self::ALL.into_iter().filter(shown).collect();
        crate::params::one_of(&offered, Self::as_str)(text)
    }

    /// What it compares. Tickets without a due time come last either way.
    const fn column(self) -> &'static str {
        match (self.key, self.direction) {
            (Key::Number, _) => "t.number",
            (Key::CreatedAt, _) => "t.created_at",
            (Key::UpdatedAt, _) => "t.updated_at",
            (Key::Priority, _) => "t.priority_rank",
            (Key::Status, _) => "t.status_rank",
            (Key::DueAt, Direction::Ascending) => "COALESCE(t.due_at, 'infinity'::timestamptz)",
            (Key::DueAt, Direction::Descending) => "COALESCE(t.due_at, '-infinity'::timestamptz)",
            (Key::Relevance, _) => "t.rank",
        }
    }

    /// Whether it is by number.
    pub(crate) fn is_by_number(self) -> bool {
        self.key == Key::Number
    }

    /// Whether it is by the time of creation.
    pub(crate) fn is_by_creation(self) -> bool {
        self.key == Key::CreatedAt
    }

    /// Whether it is by the time of the last change.
    pub(crate) fn is_by_update(self) -> bool {
        self.key == Key::UpdatedAt
    }

    /// Appends the order.
    pub(crate) fn push_order(self, sql: &mut QueryBuilder<Postgres>) {
        let direction = match self.direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        sql.push(format_args!(
            " ORDER BY {} {direction}, t.id {direction}",
            self.column()
        ));
    }

    /// Appends the condition that a row comes after `cursor`.
    pub(crate) fn push_after(self, sql: &mut QueryBuilder<Postgres>, cursor: &Cursor) -> Result<(), Problem> {
        if cursor.sort != self.as_str() {
            return Err(refused(
                "The cursor belongs to another sort. Keep the sort while you go through pages.",
            ));
        }
        let comparison = match self.direction {
            Direction::Ascending => ">",
            Direction::Descending => "<",
        };
        sql.push(format_args!(" AND ({}, t.id) {comparison} (", self.column()));
        match (self.key, cursor.key) {
            (Key::Number | Key::Relevance, Some(key)) => {
                sql.push_bind(key);
            }
            (Key::Priority | Key::Status, Some(key)) => {
                sql.push_bind(i16::try_from(key).map_err(|_| damaged())?);
            }
            (Key::CreatedAt | Key::UpdatedAt | Key::DueAt, Some(key)) => {
                let at = Timestamp::from_microsecond(key).ok().filter(|at| *at >= EARLIEST);
                sql.push_bind(at.ok_or_else(damaged)?.to_sqlx());
            }
            (Key::DueAt, None) => {
                let last = match self.direction {
                    Direction::Ascending => "'infinity'::timestamptz",
                    Direction::Descending => "'-infinity'::timestamptz",
                };
                sql.push(last);
            }
            (Key::Number | Key::CreatedAt | Key::UpdatedAt | Key::Priority | Key::Status | Key::Relevance, None) => {
                return Err(damaged());
            }
        }
        sql.push(", ").push_bind(cursor.id).push(")");
        Ok(())
    }

    /// The cursor that follows `row`.
    pub(crate) fn cursor_after(self, row: &TicketRow) -> Cursor {
        let micros = |at: jiff_sqlx::Timestamp| at.to_jiff().as_microsecond();
        let key = match self.key {
            Key::Number => Some(row.number),
            Key::CreatedAt => Some(micros(row.created_at)),
            Key::UpdatedAt => Some(micros(row.updated_at)),
            Key::Priority => Some(row.priority_rank.into()),
            Key::Status => Some(row.status_rank.into()),
            Key::DueAt => row.due_at.map(micros),
            Key::Relevance => row.rank,
        };
        Cursor {
            sort: self.as_str().to_owned(),
            key,
            id: row.id,
        }
    }
}

/// The newest on top.
impl Default for Sort {
    fn default() -> Self {
        Self::descending(Key::CreatedAt)
    }
}

fn damaged() -> Problem {
    refused("The cursor is damaged. Take next_cursor as it is, or leave it out.")
}
