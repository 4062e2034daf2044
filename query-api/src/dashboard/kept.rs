//! Figures that the projector keeps: all tickets, as they stand.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::{Postgres, QueryBuilder};

use super::ask::Ask;
use super::counted::push_counted_by_value;
use super::measured::{EXACT_MAX, KINDS, push_keys};

/// Appends `counts`. What is overdue are waits whose time is over and which the scheduler has not ended yet: always
/// few, and counted.
pub(super) fn push_counts(sql: &mut QueryBuilder<Postgres>, now: Timestamp) {
    sql.push("late AS (");
    push_counted_by_value(sql, "desk.tickets", now);
    sql.push(" WHERE t.due_at < ").push_bind(now.to_sqlx());
    sql.push(
        " GROUP BY one.dimension, one.value),
        held AS (
            SELECT dimension, value, sum(total)::bigint AS total, sum(open)::bigint AS open
            FROM desk.counters
            GROUP BY dimension, value
            HAVING sum(total) <> 0
        ),
        counts AS (
            SELECT h.dimension, h.value, h.total, h.open, COALESCE(l.overdue, 0) AS overdue
            FROM held h
            LEFT JOIN late l USING (dimension, value)
        )",
    );
}

/// Appends `happened`, by day alone.
pub(super) fn push_happened(sql: &mut QueryBuilder<Postgres>, ask: &Ask) {
    sql.push(
        "happened AS (
            SELECT one.what, NULL::smallint AS score, d.day, NULL::text AS key, sum(one.total)::bigint AS total
            FROM desk.daily d
            CROSS JOIN LATERAL (VALUES ('created', d.created), ('closed', d.closed)) AS one (what, total)
            WHERE ",
    );
    ask.days.push_day(sql, "d.day");
    sql.push(
        " GROUP BY one.what, d.day
            UNION ALL
            SELECT 'rated', d.score, d.day, NULL, sum(d.total)::bigint
            FROM desk.daily_ratings d
            WHERE ",
    );
    ask.days.push_day(sql, "d.day");
    sql.push(" GROUP BY d.score, d.day)");
}

/// Appends `measured` and `buckets`. How many measures there are is found out by looking for so many of
/// them that it does not matter how many more there are.
pub(super) fn push_measures(sql: &mut QueryBuilder<Postgres>, ask: &Ask) {
    sql.push("sizes AS (");
    for (place, kind) in KINDS.into_iter().enumerate() {
        sql.push(if place == 0 { "" } else { " UNION ALL " });
        sql.push(format_args!(
            "SELECT '{kind}' AS kind, count(*) AS total
             FROM (SELECT FROM desk.measures m WHERE m.kind = '{kind}' AND "
        ));
        ask.days.push_instant(sql, "m.occurred_at");
        sql.push(format_args!(" LIMIT {EXACT_MAX} + 1) AS found"));
    }
    sql.push("), measured AS (");
    for (place, kind) in KINDS.into_iter().enumerate() {
        sql.push(if place == 0 { "" } else { " UNION ALL " });
        sql.push(format_args!(
            "SELECT one.key, m.kind, m.micros, m.working_micros
             FROM (SELECT * FROM desk.measures m WHERE m.kind = '{kind}' AND "
        ));
        ask.days.push_instant(sql, "m.occurred_at");
        sql.push(format_args!(" LIMIT {EXACT_MAX}) AS m "));
        push_keys(sql, ask, "(m.occurred_at AT TIME ZONE 'UTC')::date", "''");
        sql.push(format_args!(
            " WHERE (SELECT s.total FROM sizes s WHERE s.kind = '{kind}') <= {EXACT_MAX}"
        ));
    }
    sql.push(
        "), buckets AS (
            SELECT one.key, d.kind, d.clock, d.bucket, sum(d.total)::bigint AS total
            FROM desk.measure_counts d ",
    );
    push_keys(sql, ask, "d.day", "''");
    sql.push(format_args!(
        " WHERE d.kind IN (SELECT s.kind FROM sizes s WHERE s.total > {EXACT_MAX}) AND "
    ));
    ask.days.push_day(sql, "d.day");
    sql.push(" GROUP BY one.key, d.kind, d.clock, d.bucket)");
}
