//! Rows to tables: one `UNNEST` statement for a batch of rows, whatever their number; or one line of
//! `COPY` for each, as Postgres itself would write it.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff_sqlx::{Date, Timestamp};
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres};
use uuid::Uuid;

use crate::generation::Schema;
use crate::jsonb;

/// A statement under construction.
pub(crate) type Statement = Query<'static, Postgres, PgArguments>;

/// How `COPY` writes a value that is null.
const COPY_NULL: &str = "\\N";

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

    /// Appends the value as Postgres writes it in `COPY`'s text form. Both directions depend on it: rows
    /// are loaded by it, and compared by it with what Postgres has.
    fn copy(&self, line: &mut String);
}

macro_rules! plain_column {
    ($($type:ty => $sql:literal),* $(,)?) => {
        $(impl Column for $type {
            type Element<'r> = Self;
            const ELEMENT: &'static str = $sql;

            fn element(&self) -> Self {
                *self
            }

            fn copy(&self, line: &mut String) {
                Plain::plain(self, line);
            }
        }

        impl Column for Option<$type> {
            type Element<'r> = Self;
            const ELEMENT: &'static str = $sql;

            fn element(&self) -> Self {
                *self
            }

            fn copy(&self, line: &mut String) {
                match self {
                    Some(value) => Plain::plain(value, line),
                    None => line.push_str(COPY_NULL),
                }
            }
        })*
    };
}

plain_column! {
    bool => "boolean",
    Uuid => "uuid",
    i16 => "smallint",
    i32 => "integer",
    i64 => "bigint",
    Timestamp => "timestamptz",
    Date => "date",
}

/// A value whose text needs no escapes.
trait Plain {
    fn plain(&self, line: &mut String);
}

/// Writing to a string cannot fail.
fn put(line: &mut String, value: impl std::fmt::Display) {
    let _ = write!(line, "{value}");
}

impl Plain for bool {
    fn plain(&self, line: &mut String) {
        line.push(if *self { 't' } else { 'f' });
    }
}

impl Plain for Uuid {
    fn plain(&self, line: &mut String) {
        let mut buffer = Self::encode_buffer();
        line.push_str(self.hyphenated().encode_lower(&mut buffer));
    }
}

impl Plain for i16 {
    fn plain(&self, line: &mut String) {
        put(line, self);
    }
}

impl Plain for i32 {
    fn plain(&self, line: &mut String) {
        put(line, self);
    }
}

impl Plain for i64 {
    fn plain(&self, line: &mut String) {
        put(line, self);
    }
}

impl Plain for Timestamp {
    /// As a session in UTC writes it: `2026-03-02 09:00:00.25+00`.
    fn plain(&self, line: &mut String) {
        let at = TimeZone::UTC.to_datetime(self.to_jiff());
        put(
            line,
            format_args!(
                "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
                at.year(),
                at.month(),
                at.day(),
                at.hour(),
                at.minute(),
                at.second()
            ),
        );
        let micros = at.subsec_nanosecond() / 1000;
        if micros != 0 {
            let digits = format!("{micros:06}");
            put(line, format_args!(".{}", digits.trim_end_matches('0')));
        }
        line.push_str("+00");
    }
}

impl Plain for Date {
    fn plain(&self, line: &mut String) {
        put(line, self.to_jiff());
    }
}

/// Appends a text with the escapes of `COPY`.
fn escaped(text: &str, line: &mut String) {
    for character in text.chars() {
        match character {
            '\\' => line.push_str("\\\\"),
            '\u{8}' => line.push_str("\\b"),
            '\u{c}' => line.push_str("\\f"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            '\u{b}' => line.push_str("\\v"),
            other => line.push(other),
        }
    }
}

impl Column for String {
    type Element<'r> = &'r str;
    const ELEMENT: &'static str = "text";

    fn element(&self) -> &str {
        self
    }

    fn copy(&self, line: &mut String) {
        escaped(self, line);
    }
}

impl Column for Option<String> {
    type Element<'r> = Option<&'r str>;
    const ELEMENT: &'static str = "text";

    fn element(&self) -> Option<&str> {
        self.as_deref()
    }

    fn copy(&self, line: &mut String) {
        match self {
            Some(text) => escaped(text, line),
            None => line.push_str(COPY_NULL),
        }
    }
}

/// Names that the code itself gives: of events, statuses, kinds.
impl Column for &'static str {
    type Element<'r> = &'static str;
    const ELEMENT: &'static str = "text";

    fn element(&self) -> &'static str {
        self
    }

    fn copy(&self, line: &mut String) {
        escaped(self, line);
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

    fn copy(&self, line: &mut String) {
        line.push_str(&self.element());
    }
}

impl Column for Value {
    type Element<'r> = String;
    const ELEMENT: &'static str = "text";
    const CAST: &'static str = "::jsonb";

    fn element(&self) -> String {
        self.to_string()
    }

    fn copy(&self, line: &mut String) {
        escaped(&jsonb::text(self), line);
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
    /// The table, within its generation's schema.
    const NAME: &'static str;
    /// The columns of its primary key.
    const KEY: &'static [&'static str];
    /// What a second row of the same key does.
    const IF_PRESENT: IfPresent;

    fn columns() -> Vec<ColumnSpec>;

    fn bind<'r>(statement: Statement, rows: impl Iterator<Item = &'r Self> + Clone) -> Statement
    where
        Self: 'r;

    /// Appends the row's values, separated by tabs.
    fn copy(&self, line: &mut String);
}

/// Writes a row type down together with its table: a field is a column of the same name.
macro_rules! table {
    (
        $(#[$attribute:meta])*
        $name:ident in $table:literal key ($($key:ident),+) if_present $if_present:ident {
            $first:ident: $first_type:ty,
            $($column:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        pub(crate) struct $name {
            pub(crate) $first: $first_type,
            $(pub(crate) $column: $type,)+
        }

        impl $crate::table::Table for $name {
            const NAME: &'static str = $table;
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            const IF_PRESENT: $crate::table::IfPresent = $crate::table::IfPresent::$if_present;

            fn columns() -> Vec<$crate::table::ColumnSpec> {
                vec![
                    $crate::table::ColumnSpec::of::<$first_type>(stringify!($first)),
                    $($crate::table::ColumnSpec::of::<$type>(stringify!($column))),+
                ]
            }

            fn bind<'r>(
                statement: $crate::table::Statement,
                rows: impl Iterator<Item = &'r Self> + Clone,
            ) -> $crate::table::Statement {
                use $crate::table::Column as _;
                statement
                    .bind(rows.clone().map(|row| row.$first.element()).collect::<Vec<_>>())
                    $(.bind(rows.clone().map(|row| row.$column.element()).collect::<Vec<_>>()))+
            }

            fn copy(&self, line: &mut String) {
                use $crate::table::Column as _;
                self.$first.copy(line);
                $(
                    line.push('\t');
                    self.$column.copy(line);
                )+
            }
        }
    };
}
pub(crate) use table;

/// Writes all rows in one statement.
pub(crate) async fn write<T: Table>(db: &mut PgConnection, schema: Schema, rows: &[T]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(AssertSqlSafe(insert::<T>(schema)));
    T::bind(statement, rows.iter()).execute(db).await?;
    Ok(())
}

/// The table's columns, as a list in SQL.
pub(crate) fn names<T: Table>() -> String {
    let names: Vec<&str> = T::columns().iter().map(|column| column.name).collect();
    names.join(", ")
}

/// The statement's text. All of it comes from this crate's own names.
fn insert<T: Table>(schema: Schema) -> String {
    let columns = T::columns();
    let list = |each: &dyn Fn((usize, &ColumnSpec)) -> String| -> String {
        let items: Vec<String> = (1..).zip(&columns).map(each).collect();
        items.join(", ")
    };
    let names = names::<T>();
    let values = list(&|(_, column)| format!("rows.{}{}", column.name, column.cast));
    let arrays = list(&|(number, column)| format!("${number}::{}[]", column.element));
    let sql = format!(
        "INSERT INTO {schema}.{table} AS present ({names})\nSELECT {values}\nFROM UNNEST({arrays}) AS rows ({names})",
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
    use jiff_sqlx::ToSqlx as _;
    use serde_json::json;

    use super::*;

    table! {
        #[derive(Debug)]
        Sample in "samples" key (id) if_present Add { id: Uuid, many: Vec<Uuid>, count: i64 }
    }

    #[test]
    fn a_batch_is_one_statement() {
        assert_eq!(
            insert::<Sample>(Schema::new("tickets", 3)),
            "INSERT INTO tickets_3.samples AS present (id, many, count)\n\
             SELECT rows.id, rows.many::uuid[], rows.count\n\
             FROM UNNEST($1::uuid[], $2::text[], $3::bigint[]) AS rows (id, many, count)\n\
             ON CONFLICT (id) DO UPDATE SET many = present.many + excluded.many, count = present.count + excluded.count"
        );
    }

    #[test]
    fn a_line_of_copy_is_written_as_postgres_writes_it() {
        fn copied(column: &impl Column) -> String {
            let mut line = String::new();
            column.copy(&mut line);
            line
        }
        let at: jiff::Timestamp = "2026-03-02T09:00:00.250Z".parse().unwrap();
        assert_eq!(copied(&at.to_sqlx()), "2026-03-02 09:00:00.25+00");
        assert_eq!(copied(&None::<i64>), "\\N");
        assert_eq!(copied(&"a\tb\\c\nd".to_owned()), "a\\tb\\\\c\\nd");
        assert_eq!(
            copied(&json!({"bb": [1, true], "a": "x\ny"})),
            r#"{"a": "x\\ny", "bb": [1, true]}"#
        );
        let sample = Sample {
            id: Uuid::nil(),
            many: vec![Uuid::nil(), Uuid::nil()],
            count: -1,
        };
        let mut line = String::new();
        sample.copy(&mut line);
        let nil = Uuid::nil();
        assert_eq!(line, format!("{nil}\t{{{nil},{nil}}}\t-1"));
    }
}
