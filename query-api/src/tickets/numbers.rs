//! Numbers and times of creation: the projector keeps which numbers the tickets of each day have. A list by number
//! that is to have tickets of some days alone begins where their numbers do.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use jiff_sqlx::{Date, ToSqlx as _};
use sqlx::{Postgres, QueryBuilder};

/// Appends what `t.created_at <= at` says of numbers.
pub(super) fn push_created_until(sql: &mut QueryBuilder<Postgres>, at: Timestamp) {
    sql.push(" AND t.number <= (SELECT max(d.last_number) FROM desk.daily d WHERE d.day <= ")
        .push_bind(day(at))
        .push(")");
}

/// Appends what `t.created_at >= at` says of numbers.
pub(super) fn push_created_from(sql: &mut QueryBuilder<Postgres>, at: Timestamp) {
    sql.push(" AND t.number >= (SELECT min(d.first_number) FROM desk.daily d WHERE d.day >= ")
        .push_bind(day(at))
        .push(")");
}

/// The day of the read model that an instant lies on.
fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().to_sqlx()
}
