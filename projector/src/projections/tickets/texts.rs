//! The words that tickets are found by. Postgres makes them from the rows that are already written, by the
//! functions of `migrations/0002_words.sql`: in the same way for a batch as for a whole partition.

use std::ops::RangeInclusive;

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::ticket::signed;
use crate::checkpoint::Key;

/// Writes the words of new heads, and adds those of what was said in the records of these sequences.
pub(super) async fn write(
    db: &mut PgConnection,
    key: Key,
    heads: &[Uuid],
    sequences: RangeInclusive<u64>,
) -> Result<(), sqlx::Error> {
    if !heads.is_empty() {
        let sql = format!(
            "INSERT INTO {schema}.ticket_texts (ticket_id, partition, label, head)
             {HEADS} WHERE t.id = ANY($1)
             ON CONFLICT (ticket_id) DO UPDATE SET label = excluded.label, head = excluded.head",
            schema = key.schema(),
            HEADS = heads_of(key),
        );
        sqlx::query(AssertSqlSafe(sql)).bind(heads).execute(&mut *db).await?;
    }
    let sql = format!(
        "UPDATE {schema}.ticket_texts AS present
         SET talk = recourse.joined(present.talk, said.talk),
             internal = CASE WHEN said.internal IS NULL THEN present.internal
                             ELSE recourse.joined(COALESCE(present.internal, ''), said.internal) END
         FROM ({said}) AS said
         WHERE present.ticket_id = said.ticket_id",
        schema = key.schema(),
        said = said_by(key),
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(i32::from(key.partition))
        .bind(signed(*sequences.start()))
        .bind(signed(*sequences.end()))
        .execute(db)
        .await?;
    Ok(())
}

/// Writes all words of a partition whose other rows are there.
pub(crate) async fn fill(db: &mut PgConnection, key: Key) -> Result<(), sqlx::Error> {
    let sql = format!(
        "INSERT INTO {schema}.ticket_texts (ticket_id, partition, label, head, talk, internal)
         SELECT heads.id, heads.partition, heads.label, heads.head, COALESCE(said.talk, ''), said.internal
         FROM ({heads} WHERE t.partition = $1) AS heads (id, partition, label, head)
         LEFT JOIN ({said}) AS said ON said.ticket_id = heads.id",
        schema = key.schema(),
        heads = heads_of(key),
        said = said_by(key),
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(i32::from(key.partition))
        .bind(0_i64)
        .bind(i64::MAX)
        .execute(db)
        .await?;
    Ok(())
}

/// Selects id, partition, label and words of tickets' heads.
fn heads_of(key: Key) -> String {
    format!(
        "SELECT t.id, t.partition, '#' || t.number || ' ' || t.subject,
                setweight(recourse.words(t.subject), 'A') || setweight(recourse.words(d.description), 'B')
         FROM {schema}.tickets t
         JOIN {schema}.descriptions d ON d.ticket_id = t.id AND d.revision = t.description_revision",
        schema = key.schema(),
    )
}

/// Selects the words of what was said about each ticket in a partition ($1), from a sequence ($2) to another ($3).
fn said_by(key: Key) -> String {
    format!(
        "SELECT ticket_id,
                COALESCE(recourse.joined_all(setweight(recourse.words(recourse.said(details)), 'C') ORDER BY revision, place)
                    FILTER (WHERE visibility = 'public'), '') AS talk,
                NULLIF(recourse.joined_all(setweight(recourse.words(recourse.said(details)), 'D') ORDER BY revision, place)
                    FILTER (WHERE visibility = 'internal'), '') AS internal
         FROM {schema}.timeline
         WHERE partition = $1 AND sequence BETWEEN $2 AND $3 AND recourse.said(details) <> ''
         GROUP BY ticket_id",
        schema = key.schema(),
    )
}
