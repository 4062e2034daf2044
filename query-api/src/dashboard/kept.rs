//! Figures that the projector keeps: all tickets, as they stand.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::ask::{Ask, Days, Grouping, Period};
use super::counted::push_counted_by_value;
use super::measured::{ALL, EXACT_MAX, Histograms, KINDS, push_keys};

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

/// Appends `sizes` and `measured`. How many measures there are is found out by looking for so many of
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
    sql.push(")");
}

/// How many of what was measured fall into each bucket.
pub(super) async fn histograms(db: &mut PgConnection, ask: &Ask, kinds: &[String]) -> Result<Histograms, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT ");
    match ask.grouping {
        Some(grouping) => sql.push(grouping.key("d.starts", "NULL::text")),
        None => sql.push("NULL::text"),
    };
    sql.push(" AS key, d.kind, d.clock, d.totals FROM desk.measure_counts d WHERE d.kind = ANY(")
        .push_bind(kinds)
        .push(") AND (");
    let by_month = match ask.grouping {
        None | Some(Grouping::Period(Period::Month) | Grouping::Property(_)) => ask.days.months(),
        Some(Grouping::Period(Period::Day | Period::Week)) => Days::NONE,
    };
    sql.push("d.span = 'month' AND ");
    by_month.push_day(&mut sql, "d.starts");
    sql.push(" OR d.span = 'day' AND ");
    ask.days.push_day(&mut sql, "d.starts");
    sql.push(" AND NOT (");
    by_month.push_day(&mut sql, "d.starts");
    sql.push("))");
    let rows: Vec<(Option<String>, String, String, Vec<i32>)> = sql.build_query_as().fetch_all(db).await?;
    let mut histograms = Histograms::default();
    for (key, kind, clock, totals) in rows {
        for key in key.iter().map(String::as_str).chain([ALL]) {
            histograms.add(key, &kind, &clock, 0, totals.iter().copied().map(i64::from));
        }
    }
    Ok(histograms)
}
