//! Rows to tables: one `UNNEST` statement for a batch of rows, whatever their number.

use jiff_sqlx::{Date, Timestamp};
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres};
use uuid::Uuid;

/// A statement under construction.
pub(crate) type Statement = Query<'static, Postgres, PgArguments>;

/// A type of column: how an array of its values travels to Postgres.
pub(crate) trait Column {
    /// What the array holds.
    type Element<'r>
    where
        Self: 'r;

    /// The element's type in SQL.
    const ELEMENT: &'static str;

    /// What makes an element the column's value, if it is not already.
    const CAST: &'static str = "";

    /// The value as an element.
    fn element(&self) -> Self::Element<'_>;
}

macro_rules! plain_column {
    ($($type:ty => $sql:literal),* $(,)?) => {
        $(impl Column for $type {
            type Element<'r> = Self;
            const ELEMENT: &'static str = $sql;

            fn element(&self) -> Self {
                *self
            }
        })*
    };
}

plain_column! {
    Uuid => "uuid",
    Option<Uuid> => "uuid",
    i16 => "smallint",
    Option<i16> => "smallint",
    i32 => "integer",
    Option<i32> => "integer",
    i64 => "bigint",
    Timestamp => "timestamptz",
    Option<Timestamp> => "timestamptz",
    Date => "date",
}

impl Column for String {
    type Element<'r> = &'r str;
    const ELEMENT: &'static str = "text";

    fn element(&self) -> &str {
        self
    }
}

impl Column for Option<String> {
    type Element<'r> = Option<&'r str>;
    const ELEMENT: &'static str = "text";

    fn element(&self) -> Option<&str> {
        self.as_deref()
    }
}

/// Names that the code itself gives: of events, statuses, kinds.
impl Column for &'static str {
    type Element<'r> = &'static str;
    const ELEMENT: &'static str = "text";

    fn element(&self) -> &'static str {
        self
    }
}

/// Postgres has no arrays of arrays of different lengths, so a list travels as its text.
impl Column for Vec<Uuid> {
    type Element<'r> = String;
    const ELEMENT: &'static str = "text";
    const CAST: &'static str = "::uuid[]";

    fn element(&self) -> String {
        let items: Vec<String> = self.iter().map(Uuid::to_string).collect();
        format!("{{{}}}", items.join(","))
    }
}

impl Column for Value {
    type Element<'r> = String;
    const ELEMENT: &'static str = "text";
    const CAST: &'static str = "::jsonb";

    fn element(&self) -> String {
        self.to_string()
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnSpec {
    name: &'static str,
    element: &'static str,
    cast: &'static str,
}

impl ColumnSpec {
    pub(crate) const fn of<C: Column>(name: &'static str) -> Self {
        Self {
            name,
            element: C::ELEMENT,
            cast: C::CAST,
        }
    }
}

/// What happens to a row whose key exists.
#[derive(Debug, Clone, Copy)]
pub(crate) enum IfPresent {
    /// It cannot; Postgres refuses, and the projection halts.
    Refuse,
    /// The new row takes its place.
    Replace,
    /// The columns that are not the key are added to what is there.
    Add,
}

/// A row type that knows its table. Made by [`table`].
pub(crate) trait Table: Sized {
    /// The table, with its schema.
    const NAME: &'static str;
    /// The columns of its primary key.
    const KEY: &'static [&'static str];
    /// What a second row of the same key does.
    const IF_PRESENT: IfPresent;

    fn columns() -> Vec<ColumnSpec>;

    fn bind(statement: Statement, rows: &[Self]) -> Statement;
}

/// Writes a row type down together with its table: a field is a column of the same name.
macro_rules! table {
    (
        $(#[$attribute:meta])*
        $name:ident in $table:literal key ($($key:ident),+) if_present $if_present:ident {
            $($column:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        pub(crate) struct $name {
            $(pub(crate) $column: $type,)+
        }

        impl $crate::table::Table for $name {
            const NAME: &'static str = $table;
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            const IF_PRESENT: $crate::table::IfPresent = $crate::table::IfPresent::$if_present;

            fn columns() -> Vec<$crate::table::ColumnSpec> {
                vec![$($crate::table::ColumnSpec::of::<$type>(stringify!($column))),+]
            }

            fn bind(statement: $crate::table::Statement, rows: &[Self]) -> $crate::table::Statement {
                use $crate::table::Column as _;
                statement$(.bind(rows.iter().map(|row| row.$column.element()).collect::<Vec<_>>()))+
            }
        }
    };
}
pub(crate) use table;

/// Writes all rows in one statement.
pub(crate) async fn write<T: Table>(db: &mut PgConnection, rows: &[T]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(AssertSqlSafe(insert::<T>()));
    T::bind(statement, rows).execute(db).await?;
    Ok(())
}

/// The statement's text. All of it comes from this crate's own names.
fn insert<T: Table>() -> String {
    let columns = T::columns();
    let list = |each: &dyn Fn((usize, &ColumnSpec)) -> String| -> String {
        let items: Vec<String> = (1..).zip(&columns).map(each).collect();
        items.join(", ")
    };
    let names = list(&|(_, column)| column.name.to_owned());
    let values = list(&|(_, column)| format!("rows.{}{}", column.name, column.cast));
    let arrays = list(&|(number, column)| format!("${number}::{}[]", column.element));
    let sql = format!(
        "INSERT INTO {table} AS present ({names})\nSELECT {values}\nFROM UNNEST({arrays}) AS rows ({names})",
        table = T::NAME
    );
    let rest = columns.iter().filter(|column| !T::KEY.contains(&column.name));
    let changes: Vec<String> = match T::IF_PRESENT {
        IfPresent::Refuse => return sql,
        IfPresent::Replace => rest.map(|column| format!("{0} = excluded.{0}", column.name)).collect(),
        IfPresent::Add => rest
            .map(|column| format!("{0} = present.{0} + excluded.{0}", column.name))
            .collect(),
    };
    let (key, changes) = (T::KEY.join(", "), changes.join(", "));
    sql + &format!("\nON CONFLICT ({key}) DO UPDATE SET {changes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    table! {
        #[derive(Debug)]
        Sample in "s.samples" key (id) if_present Add { id: Uuid, many: Vec<Uuid>, count: i64 }
    }

    #[test]
    fn a_batch_is_one_statement() {
        assert_eq!(
            insert::<Sample>(),
            "INSERT INTO s.samples AS present (id, many, count)\n\
             SELECT rows.id, rows.many::uuid[], rows.count\n\
             FROM UNNEST($1::uuid[], $2::text[], $3::bigint[]) AS rows (id, many, count)\n\
             ON CONFLICT (id) DO UPDATE SET many = present.many + excluded.many, count = present.count + excluded.count"
        );
    }
}
