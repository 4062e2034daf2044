//! For the tests of this crate and of others.

use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Row as _};

/// Every table that is made from the log, as text: equal texts, equal tables. Checkpoints are left
/// out, because how far a log was read says nothing about its content.
pub async fn dump(pool: &PgPool) -> Result<String, sqlx::Error> {
    let mut text = String::new();
    for table in TABLES {
        // The names are the constants below.
        let query = format!("SELECT to_jsonb(row)::text FROM {table} AS row ORDER BY 1");
        text.extend(["# ", table, "\n"]);
        for row in sqlx::query(AssertSqlSafe(query)).fetch_all(pool).await? {
            text.push_str(row.try_get(0)?);
            text.push('\n');
        }
    }
    Ok(text)
}

const TABLES: [&str; 7] = [
    "desk.tickets",
    "desk.timeline",
    "desk.ticket_timers",
    "desk.counters",
    "desk.daily",
    "desk.directory_names",
    "recourse.access_tokens",
];
