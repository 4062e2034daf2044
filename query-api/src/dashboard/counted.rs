//! Figures counted over the tickets that somebody sees, now or at an instant of the past.

use domain::actor::Actor;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::{Postgres, QueryBuilder};

use super::ask::{Ask, Grouping};
use super::measured::{EXACT_MAX, push_keys};
use crate::access::push_visible;

/// How `seen` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// All of it, once.
    Whole,
    /// As far as what happened in some days leads to it.
    Led,
}

/// Appends `seen`: the tickets, as they are or were.
pub(super) fn push_seen(sql: &mut QueryBuilder<Postgres>, actor: &Actor, ask: &Ask, reading: Reading) {
    let property = ask.grouping.and_then(Grouping::property);
    sql.push(match reading {
        Reading::Whole => "seen AS MATERIALIZED (",
        Reading::Led => "seen AS NOT MATERIALIZED (",
    });
    sql.push(format_args!(
        "SELECT t.id, t.revision, t.status, t.ticket_type, t.priority, t.group_id, t.project_id, t.assignee_id,
                t.organisation_id,
                t.created_at, t.due_at, {} AS property
         FROM ",
        property.map_or("''::text", |property| property.of_t())
    ));
    match ask.as_of {
        None => sql.push("desk.tickets t WHERE "),
        Some(at) => {
            sql.push("desk.ticket_history t WHERE t.recorded_at <= ");
            sql.push_bind(at.to_sqlx()).push(" AND t.valid_to > ");
            sql.push_bind(at.to_sqlx()).push(" AND ")
        }
    };
    push_visible(sql, actor);
    sql.push(")");
}

/// Appends the beginning of a query of `tickets`: how many have each value of each dimension. It can go on with a
/// condition, and ends with a grouping.
pub(super) fn push_counted_by_value(sql: &mut QueryBuilder<Postgres>, tickets: &str, at: Timestamp) {
    sql.push(
        "SELECT one.dimension, one.value, count(*) AS total, count(*) FILTER (WHERE t.status <> 'closed') AS open,
                count(*) FILTER (WHERE t.due_at < ",
    );
    sql.push_bind(at.to_sqlx());
    sql.push(format_args!(
        ") AS overdue
         FROM {tickets} t
         CROSS JOIN LATERAL (VALUES
             ('all', ''),
             ('status', t.status),
             ('type', t.ticket_type),
             ('priority', t.priority),
             ('group', COALESCE(t.group_id::text, '')),
             ('project', COALESCE(t.project_id::text, '')),
             ('assignee', COALESCE(t.assignee_id::text, '')),
             ('organisation', COALESCE(t.organisation_id::text, ''))
         ) AS one (dimension, value)"
    ));
}

/// Appends `counts`.
pub(super) fn push_counts(sql: &mut QueryBuilder<Postgres>, at: Timestamp) {
    sql.push("counts AS (");
    push_counted_by_value(sql, "seen", at);
    sql.push(" GROUP BY one.dimension, one.value)");
}

/// Appends `passed`: what was measured of them. What a record of later did to a ticket was not known then.
pub(super) fn push_passed(sql: &mut QueryBuilder<Postgres>, ask: &Ask) {
    sql.push(
        "passed AS MATERIALIZED (
            SELECT m.kind, (m.occurred_at AT TIME ZONE 'UTC')::date AS day, m.micros, m.working_micros, m.bucket,
                   m.working_bucket, t.property
            FROM desk.measures m
            JOIN seen t ON t.id = m.ticket_id AND t.revision >= m.revision
            WHERE ",
    );
    ask.days.push_instant(sql, "m.occurred_at");
    sql.push(")");
}

/// Appends `happened`, by day and by property. Every closing has its measure.
pub(super) fn push_happened(sql: &mut QueryBuilder<Postgres>, ask: &Ask) {
    sql.push(
        "happened AS (
            SELECT one.what, one.score, one.day, one.key, count(*) AS total
            FROM (
                SELECT 'created' AS what, NULL::smallint AS score, (t.created_at AT TIME ZONE 'UTC')::date AS day,
                       t.property AS key
                FROM seen t
                WHERE ",
    );
    ask.days.push_instant(sql, "t.created_at");
    sql.push(
        "
                UNION ALL
                SELECT 'closed', NULL, p.day, p.property FROM passed p WHERE p.kind = 'closing'
                UNION ALL
                SELECT 'rated', (l.details ->> 'score')::smallint, (l.occurred_at AT TIME ZONE 'UTC')::date, t.property
                FROM desk.timeline l
                JOIN seen t ON t.id = l.ticket_id AND t.revision >= l.revision
                WHERE l.event = 'rated' AND ",
    );
    ask.days.push_instant(sql, "l.occurred_at");
    sql.push(
        ") AS one
            GROUP BY GROUPING SETS ((one.what, one.score, one.day), (one.what, one.score, one.key))
        )",
    );
}

/// Appends `measured` and `buckets`.
pub(super) fn push_measures(sql: &mut QueryBuilder<Postgres>, ask: &Ask) {
    sql.push(
        "sizes AS (SELECT p.kind, count(*) AS total FROM passed p GROUP BY p.kind),
        measured AS (
            SELECT one.key, p.kind, p.micros, p.working_micros
            FROM passed p ",
    );
    push_keys(sql, ask, "p.day", "p.property");
    sql.push(format_args!(
        " WHERE p.kind IN (SELECT s.kind FROM sizes s WHERE s.total <= {EXACT_MAX})
        ),
        buckets AS (
            SELECT one.key, p.kind, c.clock, c.bucket, count(*) AS total
            FROM passed p
            CROSS JOIN LATERAL (VALUES ('elapsed', p.bucket), ('working', p.working_bucket)) AS c (clock, bucket) "
    ));
    push_keys(sql, ask, "p.day", "p.property");
    sql.push(format_args!(
        " WHERE p.kind IN (SELECT s.kind FROM sizes s WHERE s.total > {EXACT_MAX})
            GROUP BY one.key, p.kind, c.clock, c.bucket
        )"
    ));
}
