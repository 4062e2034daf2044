//! Rows to tables: one `UNNEST` statement for a batch of rows, whatever their number; or one tuple of a binary
//! `COPY` for each, as Postgres itself would write it.

use jiff::{SignedDuration, Timestamp as Instant, civil};
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

/// The length by which a binary `COPY` says that a value is null.
const COPY_NULL: i32 = -1;

/// Types, as arrays name them (`pg_type.dat` of Postgres).
const INTEGER_OID: i32 = 23;
const UUID_OID: i32 = 2950;

/// Where Postgres' time begins: 2000-01-01.
const POSTGRES_EPOCH: civil::Date = civil::Date::constant(2000, 1, 1);

/// The same in seconds since 1970.
const POSTGRES_EPOCH_SECONDS: i64 = 946_684_800;

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

    /// What becomes of the column `{}` when rows are added to what is `present`.
    const SUM: &'static str = "present.{} + excluded.{}";

    /// The value as an element.
    fn element(&self) -> Self::Element<'_>;

    /// Appends the value as Postgres writes it in a binary `COPY`, its length first. Both directions depend on
    /// it: rows are loaded by it, and compared by it with what Postgres has.
    fn copy(&self, tuple: &mut Vec<u8>);
}

macro_rules! plain_column {
    ($($type:ty => $sql:literal),* $(,)?) => {
        $(impl Column for $type {
            type Element<'r> = Self;
            const ELEMENT: &'static str = $sql;

            fn element(&self) -> Self {
                *self
            }

            fn copy(&self, tuple: &mut Vec<u8>) {
                sized(tuple, &self.bytes());
            }
        }

        impl Column for Option<$type> {
            type Element<'r> = Self;
            const ELEMENT: &'static str = $sql;

            fn element(&self) -> Self {
                *self
            }

            fn copy(&self, tuple: &mut Vec<u8>) {
                match self {
                    Some(value) => value.copy(tuple),
                    None => null(tuple),
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

/// A value of constant size, in the byte order of the network.
trait Fixed<const SIZE: usize> {
    fn bytes(&self) -> [u8; SIZE];
}

impl Fixed<1> for bool {
    fn bytes(&self) -> [u8; 1] {
        [u8::from(*self)]
    }
}

impl Fixed<16> for Uuid {
    fn bytes(&self) -> [u8; 16] {
        self.into_bytes()
    }
}

impl Fixed<2> for i16 {
    fn bytes(&self) -> [u8; 2] {
        self.to_be_bytes()
    }
}

impl Fixed<4> for i32 {
    fn bytes(&self) -> [u8; 4] {
        self.to_be_bytes()
    }
}

impl Fixed<8> for i64 {
    fn bytes(&self) -> [u8; 8] {
        self.to_be_bytes()
    }
}

impl Fixed<8> for Timestamp {
    /// Microseconds.
    fn bytes(&self) -> [u8; 8] {
        let at: Instant = self.to_jiff();
        let since = at.duration_since(Instant::UNIX_EPOCH) - SignedDuration::from_secs(POSTGRES_EPOCH_SECONDS);
        let micros = since.as_secs() * 1_000_000 + i64::from(since.subsec_micros());
        micros.to_be_bytes()
    }
}

impl Fixed<4> for Date {
    /// Days.
    fn bytes(&self) -> [u8; 4] {
        (self.to_jiff() - POSTGRES_EPOCH).get_days().to_be_bytes()
    }
}

/// Appends bytes after their length.
fn sized(tuple: &mut Vec<u8>, bytes: &[u8]) {
    // Nothing here is longer than a request may be.
    tuple.extend(i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
    tuple.extend(bytes);
}

fn null(tuple: &mut Vec<u8>) {
    tuple.extend(COPY_NULL.to_be_bytes());
}

impl Column for String {
    type Element<'r> = &'r str;
    const ELEMENT: &'static str = "text";

    fn element(&self) -> &str {
        self
    }

    fn copy(&self, tuple: &mut Vec<u8>) {
        sized(tuple, self.as_bytes());
    }
}

impl Column for Option<String> {
    type Element<'r> = Option<&'r str>;
    const ELEMENT: &'static str = "text";

    fn element(&self) -> Option<&str> {
        self.as_deref()
    }

    fn copy(&self, tuple: &mut Vec<u8>) {
        match self {
            Some(text) => text.copy(tuple),
            None => null(tuple),
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

    fn copy(&self, tuple: &mut Vec<u8>) {
        sized(tuple, self.as_bytes());
    }
}

/// Postgres has no arrays of arrays of different lengths, so a list travels as its text.
impl Column for Vec<Uuid> {
    type Element<'r> = String;
    const ELEMENT: &'static str = "text";
    const CAST: &'static str = "::uuid[]";

    fn element(&self) -> String {
        listed(self)
    }

    fn copy(&self, tuple: &mut Vec<u8>) {
        array(tuple, UUID_OID, self);
    }
}

/// Counts of one thing after the other.
impl Column for Vec<i32> {
    type Element<'r> = String;
    const ELEMENT: &'static str = "text";
    const CAST: &'static str = "::integer[]";

    fn element(&self) -> String {
        listed(self)
    }

    fn copy(&self, tuple: &mut Vec<u8>) {
        array(tuple, INTEGER_OID, self);
    }
}

/// A list as text.
fn listed<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    format!("{{{}}}", items.join(","))
}

/// Appends an array: the number of dimensions, whether there are nulls, the type; then how long the dimension is and
/// where it begins, and the elements. One without elements has no dimension.
fn array<T: Column>(tuple: &mut Vec<u8>, oid: i32, items: &[T]) {
    let mut array = Vec::with_capacity(20 + items.len() * 20);
    let length = i32::try_from(items.len()).unwrap_or(i32::MAX);
    for head in [i32::from(length > 0), 0, oid] {
        array.extend(head.to_be_bytes());
    }
    if length > 0 {
        for dimension in [length, 1] {
            array.extend(dimension.to_be_bytes());
        }
    }
    for item in items {
        item.copy(&mut array);
    }
    sized(tuple, &array);
}

/// The least and the greatest of some numbers, if there are any: that of both sides stays.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Least(pub(crate) Option<i64>);
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Greatest(pub(crate) Option<i64>);

macro_rules! extreme_column {
    ($($type:ty => $sum:literal),* $(,)?) => {
        $(impl Column for $type {
            type Element<'r> = Option<i64>;
            const ELEMENT: &'static str = "bigint";
            const SUM: &'static str = $sum;

            fn element(&self) -> Option<i64> {
                self.0
            }

            fn copy(&self, tuple: &mut Vec<u8>) {
                self.0.copy(tuple);
            }
        })*
    };
}

extreme_column! {
    Least => "LEAST(present.{}, excluded.{})",
    Greatest => "GREATEST(present.{}, excluded.{})",
}

impl Column for Value {
    type Element<'r> = String;
    const ELEMENT: &'static str = "text";
    const CAST: &'static str = "::jsonb";

    fn element(&self) -> String {
        self.to_string()
    }

    /// Its version, 1, and its text.
    fn copy(&self, tuple: &mut Vec<u8>) {
        sized(tuple, ["\u{1}", &jsonb::text(self)].concat().as_bytes());
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnSpec {
    name: &'static str,
    element: &'static str,
    cast: &'static str,
    sum: &'static str,
}

impl ColumnSpec {
    pub(crate) const fn of<C: Column>(name: &'static str) -> Self {
        Self {
            name,
            element: C::ELEMENT,
            cast: C::CAST,
            sum: C::SUM,
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

    /// Appends the row's values, as a binary `COPY` has them.
    fn copy(&self, tuple: &mut Vec<u8>);
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

            fn copy(&self, tuple: &mut Vec<u8>) {
                use $crate::table::Column as _;
                self.$first.copy(tuple);
                $(self.$column.copy(tuple);)+
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
            .map(|column| format!("{} = {}", column.name, column.sum.replace("{}", column.name)))
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
        Sample in "samples" key (id) if_present Add { id: Uuid, count: i64, first: Least }
    }
    table! {
        #[derive(Debug)]
        Several in "several" key (id) if_present Replace { id: Uuid, many: Vec<i32> }
    }

    #[test]
    fn a_batch_is_one_statement() {
        assert_eq!(
            insert::<Sample>(Schema::new("tickets", 3)),
            "INSERT INTO tickets_3.samples AS present (id, count, first)\n\
             SELECT rows.id, rows.count, rows.first\n\
             FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[]) AS rows (id, count, first)\n\
             ON CONFLICT (id) DO UPDATE SET count = present.count + excluded.count, \
             first = LEAST(present.first, excluded.first)"
        );
        assert_eq!(
            insert::<Several>(Schema::new("tickets", 3)),
            "INSERT INTO tickets_3.several AS present (id, many)\n\
             SELECT rows.id, rows.many::integer[]\n\
             FROM UNNEST($1::uuid[], $2::text[]) AS rows (id, many)\n\
             ON CONFLICT (id) DO UPDATE SET many = excluded.many"
        );
    }

    /// Postgres' own opinion, in `tests.rs` of the projection: a rebuild compares what it wrote with what it reads.
    #[test]
    fn a_tuple_has_the_length_of_each_value_before_it() {
        fn copied(column: &impl Column) -> Vec<u8> {
            let mut tuple = Vec::new();
            column.copy(&mut tuple);
            tuple
        }
        let at: jiff::Timestamp = "2000-01-01T00:00:00.25Z".parse().unwrap();
        assert_eq!(
            copied(&at.to_sqlx()),
            [&[0, 0, 0, 8][..], &250_000_i64.to_be_bytes()].concat()
        );
        let before: jiff::Timestamp = "1999-12-31T23:59:59.999999Z".parse().unwrap();
        assert_eq!(
            copied(&before.to_sqlx()),
            [&[0, 0, 0, 8][..], &(-1_i64).to_be_bytes()].concat()
        );
        assert_eq!(copied(&civil::date(2000, 3, 1).to_sqlx()), [0, 0, 0, 4, 0, 0, 0, 60]);
        assert_eq!(copied(&None::<i64>), [0xff; 4]);
        assert_eq!(copied(&"a\tb".to_owned()), *b"\0\0\0\x03a\tb");
        assert_eq!(
            copied(&json!({"bb": 1, "a": 2})),
            *b"\0\0\0\x12\x01{\"a\": 2, \"bb\": 1}"
        );
        assert_eq!(copied(&Vec::<Uuid>::new()), *b"\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\x0b\x86");
        let mut tuple = Vec::new();
        let several = Several {
            id: Uuid::nil(),
            many: vec![7],
        };
        several.copy(&mut tuple);
        let nil = [&[0, 0, 0, 16][..], &[0; 16]].concat();
        let array = [
            &[0, 0, 0, 28, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1][..],
            &[0, 0, 0, 4, 0, 0, 0, 7],
        ]
        .concat();
        assert_eq!(tuple, [&nil[..], &array].concat());
        tuple.clear();
        let sample = Sample {
            id: Uuid::nil(),
            count: -1,
            first: Least(None),
        };
        sample.copy(&mut tuple);
        assert_eq!(tuple, [&nil[..], &[0, 0, 0, 8], &[0xff; 8], &[0xff; 4]].concat());
    }
}
