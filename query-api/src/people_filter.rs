//! Filters of lists of users, groups, organisations, roles, permission sets, projects, portals and items of the catalogue: each may be
//! repeated for "any of", and all of them together are "and".

use domain::actor::{Permission, StaffScope};
use domain::catalogue::{Awaits, FieldValue, ItemKind};
use domain::directory::EntryKind;
use domain::people::UserKind;
use domain::text::{Code, Label};
use serde_json::{Value, json};
use sqlx::{Postgres, QueryBuilder};

use crate::database::escaped;
use crate::params::{Params, one_of, uuid};

/// A filter of a list of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Its name in the query.
    pub(crate) name: &'static str,
    /// What its values are.
    pub(crate) values: Values,
    /// Where a profile has them.
    at: At,
}

/// What the values of a filter are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// Ids.
    Ids,
    /// Texts of a profile, whole.
    Texts,
    /// `true` or `false`.
    Flag,
    /// `staff`, `customer`.
    Kinds,
    /// `all`, `groups`.
    Scopes,
    /// Permissions by their names.
    Permissions,
    /// Codes of types or priorities.
    Codes,
    /// What types wait for, by name.
    Awaits,
    /// What custom fields take, by name.
    Fields,
}

/// Where a profile has what a filter asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In this member.
    Member(&'static str),
    /// In the list that this member is.
    List(&'static str),
    /// In the roles that a user holds.
    Held,
    /// In whether `systems` has any.
    Systems,
}

const fn filter(name: &'static str, values: Values, at: At) -> Filter {
    Filter { name, values, at }
}

const ARCHIVED: Filter = filter("archived", Values::Flag, At::Member("archived"));
const CODE: Filter = filter("code", Values::Codes, At::Member("code"));
const LEADING: Filter = filter("leading", Values::Flag, At::Member("leading"));
const PERMISSION: Filter = filter("permission", Values::Permissions, At::List("permissions"));
const PERMISSION_SET: Filter = filter("permission_set", Values::Ids, At::List("permission_sets"));

/// The filters of lists of this kind, besides `q`.
pub(crate) fn filters(kind: EntryKind) -> Vec<Filter> {
    match kind {
        EntryKind::User => vec![
            filter("kind", Values::Kinds, At::Member("kind")),
            filter("organisation", Values::Ids, At::Member("organisation")),
            filter("group", Values::Ids, At::List("groups")),
            filter("role", Values::Ids, At::Held),
            LEADING,
            filter("scope", Values::Scopes, At::Member("scope")),
            PERMISSION,
            filter("enabled", Values::Flag, At::Member("enabled")),
        ],
        EntryKind::Group => vec![
            filter("system", Values::Texts, At::List("systems")),
            filter("connected", Values::Flag, At::Systems),
            PERMISSION_SET,
            ARCHIVED,
        ],
        EntryKind::Organisation => vec![
            filter("product", Values::Texts, At::List("products")),
            filter("portal", Values::Ids, At::Member("portal")),
            ARCHIVED,
        ],
        EntryKind::Portal => vec![ARCHIVED],
        EntryKind::Role => vec![LEADING, PERMISSION_SET, ARCHIVED],
        EntryKind::PermissionSet => vec![PERMISSION, ARCHIVED],
        EntryKind::Project => vec![
            filter("follower", Values::Ids, At::List("followers")),
            filter("organisation", Values::Ids, At::List("organisations")),
            ARCHIVED,
        ],
        EntryKind::Item(kind) => match kind {
            ItemKind::Type => vec![CODE, filter("awaits", Values::Awaits, At::Member("awaits")), ARCHIVED],
            ItemKind::Priority => vec![CODE, ARCHIVED],
            ItemKind::Category | ItemKind::System | ItemKind::Environment | ItemKind::ServiceCatalogue => {
                vec![ARCHIVED]
            }
            ItemKind::Product => vec![filter("system", Values::Texts, At::List("systems")), ARCHIVED],
            ItemKind::Service => vec![filter("catalogue", Values::Ids, At::List("catalogues")), ARCHIVED],
            ItemKind::CustomField => vec![
                filter("value", Values::Fields, At::Member("value")),
                filter("required", Values::Flag, At::Member("required")),
                filter("type", Values::Codes, At::List("types")),
                ARCHIVED,
            ],
        },
    }
}

/// What is asked of the entries of a list.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Of each list one is to hold.
    conditions: Vec<Vec<Condition>>,
    /// A part of the name or of the address.
    part: Option<Label>,
}

#[derive(Debug)]
enum Condition {
    /// The profile has this.
    Has(Value),
    /// A group that is connected to no system yet, or one that is.
    Connected(bool),
}

/// Takes the filters of this kind out of the parameters.
pub(crate) fn read(kind: EntryKind, params: &mut Params) -> Asked {
    let conditions = filters(kind).into_iter().map(|filter| {
        let values = params.all(filter.name, |text| filter.values.read(text));
        values.into_iter().map(|value| filter.at.condition(&value)).collect()
    });
    Asked {
        conditions: conditions.collect(),
        part: params.one("q", label),
    }
}

impl Values {
    fn read(self, text: &str) -> Result<Value, String> {
        match self {
            Self::Ids => uuid(text).map(|id| id.to_string().into()),
            Self::Texts => label(text).map(|label| label.as_str().into()),
            Self::Flag => one_of(&[true, false], |flag| if flag { "true" } else { "false" })(text).map(Value::Bool),
            Self::Kinds => one_of(&UserKind::ALL, UserKind::as_str)(text).map(|kind| kind.as_str().into()),
            Self::Scopes => one_of(&StaffScope::ALL, StaffScope::as_str)(text).map(|scope| scope.as_str().into()),
            Self::Codes => Code::parse(text)
                .map(|code| code.as_str().into())
                .map_err(|error| error.to_string()),
            Self::Awaits => one_of(&Awaits::ALL, Awaits::as_str)(text).map(|awaits| awaits.as_str().into()),
            Self::Fields => one_of(&FieldValue::NAMES, |name| name)(text).map(Value::from),
            Self::Permissions => {
                one_of(&Permission::ALL, Permission::as_str)(text).map(|permission| permission.as_str().into())
            }
        }
    }
}

impl At {
    fn condition(self, value: &Value) -> Condition {
        match self {
            Self::Member(name) => Condition::Has(json!({ name: value })),
            Self::List(name) => Condition::Has(json!({ name: [value] })),
            Self::Held => Condition::Has(json!({ "roles": [{ "role": value }] })),
            Self::Systems => Condition::Connected(*value == Value::Bool(true)),
        }
    }
}

impl Asked {
    /// Appends the conditions on the entries `t`.
    pub(crate) fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        for any_of in self.conditions.iter().filter(|any_of| !any_of.is_empty()) {
            for (place, condition) in any_of.iter().enumerate() {
                sql.push(if place == 0 { " AND (" } else { " OR " });
                condition.push(sql);
            }
            sql.push(")");
        }
        if let Some(part) = &self.part {
            // As the index has it.
            sql.push(" AND t.name || E'\\n' || COALESCE(t.definition ->> 'email', '') ILIKE ")
                .push_bind(format!("%{}%", escaped(part.as_str())));
        }
    }
}

impl Condition {
    fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Has(part) => sql.push("t.definition @> ").push_bind(part.clone()),
            Self::Connected(true) => sql.push("t.definition -> 'systems' <> '[]'"),
            Self::Connected(false) => sql.push("t.definition -> 'systems' = '[]'"),
        };
    }
}

fn label(text: &str) -> Result<Label, String> {
    Label::parse(text).map_err(|error| error.to_string())
}
