//! Generations of read models: schemas of tables, of which one for each projection is what readers see.

use std::fmt;

use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, PgExecutor};

use crate::analytics;
use crate::checkpoint::{self, Key};
use crate::database::{USUAL, begin};

/// The advisory lock of whoever makes, shows or drops generations ("rcgenera" in ASCII).
const LOCK: i64 = i64::from_be_bytes(*b"rcgenera");

/// How the statement that makes a view begins.
const VIEW: &str = "CREATE OR REPLACE VIEW ";

/// The schema of one generation of a projection's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Schema {
    projection: &'static str,
    generation: i32,
}

impl Schema {
    pub(crate) const fn new(projection: &'static str, generation: i32) -> Self {
        Self { projection, generation }
    }
}

/// Its name in SQL.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.projection, self.generation)
    }
}

/// What a projection's tables are made of: SQL in which `{schema}` stands for the generation's schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// The projection.
    pub(crate) projection: &'static str,
    tables: &'static str,
    indexes: &'static str,
    views: &'static str,
}

/// The projections that have generations.
pub(crate) const LAYOUTS: [Layout; 2] = [
    Layout {
        projection: "tickets",
        tables: include_str!("../schema/tickets_tables.sql"),
        indexes: include_str!("../schema/tickets_indexes.sql"),
        views: include_str!("../schema/tickets_views.sql"),
    },
    Layout {
        projection: "directory",
        tables: include_str!("../schema/directory_tables.sql"),
        indexes: include_str!("../schema/directory_indexes.sql"),
        views: include_str!("../schema/directory_views.sql"),
    },
];

/// A generation and what it is to readers.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Standing {
    pub(crate) projection: String,
    pub(crate) generation: i32,
    pub(crate) state: String,
    layout: String,
}

impl Standing {
    /// The layout by which this binary writes to the generation, if its tables are of that layout.
    pub(crate) fn layout(&self) -> Option<&'static Layout> {
        Layout::of(&self.projection).filter(|layout| layout.digest() == self.layout)
    }

    /// Whether it is what readers see.
    pub(crate) fn serves(&self) -> bool {
        self.state == "serving"
    }
}

impl Layout {
    /// The layout of the projection of that name.
    pub(crate) fn of(projection: &str) -> Option<&'static Self> {
        LAYOUTS.iter().find(|layout| layout.projection == projection)
    }

    /// Tells layouts apart: a projector of another release may know other columns.
    pub(crate) fn digest(&self) -> String {
        let text = [self.tables, self.indexes, self.views].concat();
        let [a, b, c, d, ..] = wire::hash(text.as_bytes());
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// Makes a generation's tables.
    pub(crate) async fn make_tables(&self, db: &mut PgConnection, generation: i32) -> Result<(), sqlx::Error> {
        self.execute(db, generation, self.tables).await
    }

    /// Makes a generation's indexes.
    pub(crate) async fn make_indexes(&self, db: &mut PgConnection, generation: i32) -> Result<(), sqlx::Error> {
        self.execute(db, generation, self.indexes).await
    }

    /// The statements that make a generation's indexes: those that have to come first, and the rest, which
    /// can be carried out at once.
    pub(crate) fn index_statements(&self, generation: i32) -> (Vec<String>, Vec<String>) {
        let schema = Schema::new(self.projection, generation).to_string();
        let sql = self.indexes.replace("{schema}", &schema);
        let statements = sql
            .split(";\n")
            .map(str::trim)
            .filter(|statement| !statement.is_empty());
        statements
            .map(str::to_owned)
            .partition(|statement| statement.contains("ADD CONSTRAINT"))
    }

    /// Removes a generation.
    pub(crate) async fn drop(&self, db: &mut PgConnection, generation: i32) -> Result<(), sqlx::Error> {
        for table in ["generations", "checkpoints", "skipped"] {
            let sql = format!("DELETE FROM recourse.{table} WHERE projection = $1 AND generation = $2");
            sqlx::query(AssertSqlSafe(sql))
                .bind(self.projection)
                .bind(generation)
                .execute(&mut *db)
                .await?;
        }
        self.execute(db, generation, "DROP SCHEMA IF EXISTS {schema} CASCADE")
            .await
    }

    /// Shows a generation to readers, within a transaction. Postgres lets a view be replaced by one with the same
    /// columns and more of them; where another release had others, the views are made anew, and with them those of
    /// analysts that stand on them.
    pub(crate) async fn show(&self, db: &mut PgConnection, generation: i32) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("SAVEPOINT shown").execute(&mut *db).await?;
        match self.execute(db, generation, self.views).await {
            Err(error) if has_other_columns(&error) => {
                sqlx::raw_sql("ROLLBACK TO SAVEPOINT shown").execute(&mut *db).await?;
                let views = self.views.lines().filter_map(|line| line.strip_prefix(VIEW));
                for view in views.filter_map(|line| line.split_whitespace().next()) {
                    self.execute(db, generation, &format!("DROP VIEW IF EXISTS {view} CASCADE"))
                        .await?;
                }
                self.execute(db, generation, self.views).await?;
                analytics::forget(db).await?;
            }
            shown => shown?,
        }
        analytics::catch_up(db).await
    }

    async fn execute(&self, db: &mut PgConnection, generation: i32, sql: &str) -> Result<(), sqlx::Error> {
        let schema = Schema::new(self.projection, generation);
        // All of it is this crate's own text.
        let sql = sql.replace("{schema}", &schema.to_string());
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await?;
        Ok(())
    }
}

/// Postgres will not make these columns of those.
fn has_other_columns(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "42P16")
}

/// Notes a generation of this layout, and what it is.
pub(crate) async fn note(
    db: &mut PgConnection,
    layout: &Layout,
    generation: i32,
    state: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO recourse.generations (projection, generation, state, layout) VALUES ($1, $2, $3, $4)
         ON CONFLICT (projection, generation) DO UPDATE SET state = excluded.state, since = now()",
    )
    .bind(layout.projection)
    .bind(generation)
    .bind(state)
    .bind(layout.digest())
    .execute(db)
    .await?;
    Ok(())
}

/// Makes the first generation of every projection that has none, with the checkpoints of these
/// partitions; all at once, so that no reader takes some for all of them. Returns whether it made any.
pub(crate) async fn ensure(db: &PgPool, partitions: u16) -> Result<bool, sqlx::Error> {
    let known: i64 = sqlx::query_scalar("SELECT count(DISTINCT projection) FROM recourse.generations")
        .fetch_one(db)
        .await?;
    let tokens = checkpoint::ensure(db, &[crate::tokens::KEY]).await? > 0;
    if usize::try_from(known).is_ok_and(|known| known >= LAYOUTS.len()) {
        return Ok(tokens);
    }
    let mut tx = begin(db, USUAL).await?;
    lock(&mut tx).await?;
    for layout in LAYOUTS {
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM recourse.generations WHERE projection = $1)")
            .bind(layout.projection)
            .fetch_one(&mut *tx)
            .await?;
        if exists {
            continue;
        }
        layout.make_tables(&mut tx, 1).await?;
        layout.make_indexes(&mut tx, 1).await?;
        layout.show(&mut tx, 1).await?;
        note(&mut tx, &layout, 1, "serving").await?;
        checkpoint::ensure(&mut *tx, &keys(layout.projection, 1, partitions)).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// The checkpoints of a generation.
pub(crate) fn keys(projection: &'static str, generation: i32, partitions: u16) -> Vec<Key> {
    let partitions = if projection == "tickets" { partitions } else { 1 };
    (0..partitions)
        .map(|partition| Key {
            projection,
            generation,
            partition,
        })
        .collect()
}

/// Waits until nobody else makes, shows or drops generations, and keeps them from it until the
/// transaction's end.
pub(crate) async fn lock(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(tx)
        .await?;
    Ok(())
}

/// The generations that were kept for longer than so many days since readers were switched away from them.
pub(crate) async fn kept_for_longer(db: &PgPool, days: u16) -> Result<Vec<(String, i32)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT projection, generation FROM recourse.generations
         WHERE state = 'kept' AND since < now() - make_interval(days => $1)",
    )
    .bind(i32::from(days))
    .fetch_all(db)
    .await
}

/// The generations that readers were switched away from before they were ever whole. Nobody can be switched back to them.
pub(crate) async fn kept_unfilled(db: &PgPool) -> Result<Vec<(String, i32)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT g.projection, g.generation FROM recourse.generations g
         WHERE g.state = 'kept'
           AND EXISTS (SELECT FROM recourse.checkpoints c
                       WHERE c.projection = g.projection AND c.generation = g.generation AND NOT c.filled)",
    )
    .fetch_all(db)
    .await
}

/// Every generation there is, by projection and age.
pub(crate) async fn all(db: impl PgExecutor<'_>) -> Result<Vec<Standing>, sqlx::Error> {
    sqlx::query_as(
        "SELECT projection, generation, state, layout FROM recourse.generations ORDER BY projection, generation",
    )
    .fetch_all(db)
    .await
}
