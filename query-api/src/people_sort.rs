//! In which order entries of the directory are listed. Ties are broken by name, and those by id.

use domain::directory::EntryKind;
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::cursor::refused;

/// What a list is sorted by. Who has none of it comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Name,
    LastName,
    FirstName,
    Position,
    Email,
    Organisation,
}

/// An order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    key: Key,
    descending: bool,
}

/// The last row of a page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    /// The order that it ended in. Those of the release before have none: they are by name.
    #[serde(default = "by_name")]
    sort: String,
    /// What the row was sorted by, if that is not its name.
    key: Option<String>,
    name: String,
    id: Uuid,
}

fn by_name() -> String {
    Order::BY_NAME.as_str().to_owned()
}

impl Order {
    /// By name, from the beginning of the alphabet.
    pub(crate) const BY_NAME: Self = Self {
        key: Key::Name,
        descending: false,
    };

    /// Those of lists of this kind.
    pub(crate) fn all(kind: EntryKind) -> Vec<Self> {
        let keys: &[Key] = match kind {
            EntryKind::User => &[
                Key::Name,
                Key::LastName,
                Key::FirstName,
                Key::Position,
                Key::Email,
                Key::Organisation,
            ],
            EntryKind::Group
            | EntryKind::Organisation
            | EntryKind::Role
            | EntryKind::PermissionSet
            | EntryKind::Project
            | EntryKind::Portal
            | EntryKind::Item(_) => &[Key::Name],
        };
        let both = |&key| [false, true].map(|descending| Self { key, descending });
        keys.iter().flat_map(both).collect()
    }

    /// Its name in queries.
    pub(crate) const fn as_str(self) -> &'static str {
        match (self.key, self.descending) {
            (Key::Name, false) => "name",
            (Key::Name, true) => "-name",
            (Key::LastName, false) => "last_name",
            (Key::LastName, true) => "-last_name",
            (Key::FirstName, false) => "first_name",
            (Key::FirstName, true) => "-first_name",
            (Key::Position, false) => "position",
            (Key::Position, true) => "-position",
            (Key::Email, false) => "email",
            (Key::Email, true) => "-email",
            (Key::Organisation, false) => "organisation",
            (Key::Organisation, true) => "-organisation",
        }
    }

    /// What an entry `t` is sorted by, besides its name: as the indexes have it.
    pub(crate) const fn key(self) -> Option<&'static str> {
        match self.key {
            Key::Name => None,
            Key::LastName => Some("COALESCE(t.definition ->> 'last_name', '')"),
            Key::FirstName => Some("COALESCE(t.definition ->> 'first_name', '')"),
            Key::Position => Some("COALESCE(t.definition ->> 'position', '')"),
            Key::Email => Some("COALESCE(t.definition ->> 'email', '')"),
            Key::Organisation => Some(
                "COALESCE((SELECT o.name FROM desk.directory_names o WHERE o.kind = 'organisation' AND o.id = (t.definition ->> 'organisation')::uuid), '')",
            ),
        }
    }

    /// Where the page after this row begins.
    pub(crate) fn after(self, key: Option<&str>, name: &str, id: Uuid) -> After {
        After {
            sort: self.as_str().to_owned(),
            key: key.map(str::to_owned),
            name: name.to_owned(),
            id,
        }
    }

    /// Appends the condition that entries `t` come after a row.
    pub(crate) fn push_after(self, sql: &mut QueryBuilder<Postgres>, after: After) -> Result<(), Problem> {
        if after.sort != self.as_str() || after.key.is_some() != self.key().is_some() {
            return Err(refused(
                "The cursor belongs to another sort. Keep sort as it was, or leave cursor out.",
            ));
        }
        sql.push(" AND (");
        if let Some(key) = self.key() {
            sql.push(key).push(", ");
        }
        sql.push("t.name, t.id)")
            .push(if self.descending { " < (" } else { " > (" });
        if let Some(key) = after.key {
            sql.push_bind(key).push(", ");
        }
        sql.push_bind(after.name).push(", ").push_bind(after.id).push(")");
        Ok(())
    }

    /// Appends the order of entries `t`.
    pub(crate) fn push(self, sql: &mut QueryBuilder<Postgres>) {
        let direction = if self.descending { " DESC" } else { "" };
        sql.push(" ORDER BY ");
        for column in self.key().into_iter().chain(["t.name"]) {
            sql.push(column).push(direction).push(", ");
        }
        sql.push("t.id").push(direction);
    }
}
