//! What a desk's tickets can be asked by: for each filter the value that most tickets have, and those of tickets
//! spread evenly over the desk.

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// How many tickets are looked at for values.
const SAMPLE: i64 = 20;

/// A filter, and values for it.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) name: &'static str,
    /// Which of its values these are.
    pub(crate) which: &'static str,
    pub(crate) values: Vec<String>,
}

/// All that cases are made of.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(crate) filters: Vec<Filter>,
    /// Words of subjects.
    pub(crate) subjects: Vec<String>,
    pub(crate) numbers: Vec<String>,
    /// The customer with most tickets, and the organisation.
    pub(crate) customer: Uuid,
    pub(crate) organisation: Option<Uuid>,
}

/// Filters by equality, and their columns as text.
const EQUAL: [(&str, &str); 12] = [
    ("status", "status"),
    ("type", "ticket_type"),
    ("priority", "priority"),
    ("category", "category"),
    ("system", "system"),
    ("environment", "environment"),
    ("service", "service"),
    ("platform_version", "platform_version"),
    ("requester", "requester_id::text"),
    ("organisation", "organisation_id::text"),
    ("assignee", "assignee_id::text"),
    ("group", "group_id::text"),
];

/// Filters by time, and their columns.
const TIMES: [(&str, &str); 6] = [
    ("created_from", "created_at"),
    ("created_to", "created_at"),
    ("updated_from", "updated_at"),
    ("updated_to", "updated_at"),
    ("due_from", "due_at"),
    ("due_to", "due_at"),
];

/// Filters whose values are known.
const KNOWN: [(&str, &str); 7] = [
    ("assignee", "none"),
    ("overdue", "true"),
    ("overdue", "false"),
    ("rating_from", "1"),
    ("rating_from", "5"),
    ("rating_to", "1"),
    ("rating_to", "5"),
];

/// Looks at the desk's tickets.
pub(crate) async fn look(db: &mut PgConnection) -> anyhow::Result<Values> {
    let mut filters = Vec::new();
    for (name, column) in EQUAL {
        let most = format!(
            "SELECT {column} FROM desk.tickets WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        );
        let most: Vec<String> = sqlx::query_scalar(AssertSqlSafe(most)).fetch_all(&mut *db).await?;
        filters.push((name, "commonest", most));
        filters.push((name, "any", spread(db, column).await?));
    }
    for (name, column) in TIMES {
        filters.push((name, "any", spread(db, &in_text(column)).await?));
    }
    for (name, value) in KNOWN {
        filters.push((name, value, vec![value.to_owned()]));
    }
    let numbers = spread(db, "number::text").await?;
    filters.push(("number", "any", numbers.clone()));
    let filters = filters.into_iter().filter(|(.., values)| !values.is_empty());
    let filters = filters
        .map(|(name, which, values)| Filter { name, which, values })
        .collect();
    let (customer, organisation) = sqlx::query_as(
        "SELECT requester_id, organisation_id FROM desk.tickets GROUP BY 1, 2 ORDER BY count(*) DESC, 1 LIMIT 1",
    )
    .fetch_one(&mut *db)
    .await?;
    Ok(Values {
        filters,
        subjects: spread(db, "subject").await?,
        numbers,
        customer,
        organisation,
    })
}

/// Moments of the desk's history.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Moments {
    /// The day 30 days before the end.
    pub(crate) recent: String,
    /// The day 30 days before that.
    pub(crate) earlier: String,
    /// The day half a year before the end.
    pub(crate) long_ago: String,
}

pub(crate) async fn moments(db: &mut PgConnection) -> anyhow::Result<Moments> {
    let found = sqlx::query_as(
        "SELECT (max(recorded_at)::date - 30)::text AS recent, (max(recorded_at)::date - 60)::text AS earlier,
                (max(recorded_at)::date - 182)::text AS long_ago
         FROM desk.tickets",
    );
    Ok(found.fetch_one(db).await?)
}

/// A time as the API takes it.
fn in_text(column: &str) -> String {
    format!("to_char({column}, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
}

/// What stands in a column of tickets whose numbers are evenly spread.
async fn spread(db: &mut PgConnection, column: &str) -> anyhow::Result<Vec<String>> {
    let sql = format!(
        "SELECT v FROM (SELECT max(number) AS last FROM desk.tickets) m,
             generate_series(1, $1) AS step,
             LATERAL (SELECT {column} AS v FROM desk.tickets t
                      WHERE t.number >= m.last * step / ($1 + 1) AND {column} IS NOT NULL
                      ORDER BY t.number LIMIT 1) t"
    );
    let found = sqlx::query_scalar(AssertSqlSafe(sql)).bind(SAMPLE).fetch_all(db);
    Ok(found.await?)
}
