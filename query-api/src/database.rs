//! The connection to Postgres, and what its failures mean to a caller.

use std::time::Duration;

use service_kit::problem::types::{QUERY_TOO_EXPENSIVE, READ_MODEL_UNAVAILABLE};
use service_kit::{Problem, chain};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};

/// Queries run in Postgres, which shares the machine's cores with us; more at once would only wait there.
const CONNECTIONS_MAX: u32 = 16;

/// How long a request waits for a connection. Whoever asks would rather hear at once that the
/// read model is gone.
const ACQUIRE_MAX: Duration = Duration::from_secs(2);

/// A connection that nobody has used for this long is given back: each costs Postgres megabytes.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// A query that runs longer than this is one that no index serves. It must not take the others'
/// connections with it.
const STATEMENT_MAX: &str = "15s";

/// What Postgres says of a query that it cut off.
const CANCELLED: &str = "57014";

/// Begins a transaction whose first statement fixes what all of it sees: nothing that happens later shows.
pub(crate) const ONE_MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// What every session is set to. Filters pick one ticket or nearly all of them, depending on the
/// value: a plan that is the same for all values would serve some of them badly. Many ask at once, so that
/// one question gets one core; and a plan for several walks all tickets where an index would do. Postgres
/// has a notice for every question without a word that counts, and nobody reads them.
const SESSION: [(&str, &str); 5] = [
    ("statement_timeout", STATEMENT_MAX),
    ("default_transaction_read_only", "on"),
    ("plan_cache_mode", "force_custom_plan"),
    ("max_parallel_workers_per_gather", "0"),
    ("client_min_messages", "warning"),
];

/// Begins a transaction on one of the pool's connections, by this statement. Whoever stops waiting meanwhile, such as a request
/// that is dropped, leaves none behind: sqlx 0.9 gives a connection back with an open transaction if it is dropped
/// between asking for one and hearing of it, and holds its locks and its view of the data for whoever uses that connection next.
pub(crate) async fn begin(pool: &PgPool, how: &'static str) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(how).await });
    begun.await.map_err(|_| sqlx::Error::WorkerCrashed)?
}

/// A pool that connects when it is first used, so that a service starts without its database.
pub(crate) fn pool(url: &str) -> Result<PgPool, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("recourse query-api").options(SESSION);
    Ok(PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_MAX)
        .idle_timeout(IDLE_MAX)
        .connect_lazy_with(options))
}

/// What a caller is told. A failure of our own making is logged here, and nowhere else.
#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
pub(crate) fn problem(error: sqlx::Error) -> Problem {
    if is_outage(&error) {
        tracing::debug!("the read model cannot be reached: {}", chain(&error));
        return unavailable("The read model cannot be reached. Commands are still accepted; try again in a moment.");
    }
    if error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .as_deref()
        == Some(CANCELLED)
    {
        tracing::warn!("a query was cut off: {}", chain(&error));
        return Problem::new(&QUERY_TOO_EXPENSIVE).detail(
            "The answer would have taken too long. Ask for less: add a filter that few tickets pass, or leave out count and sort.",
        );
    }
    tracing::error!("a query failed: {}", chain(&error));
    Problem::internal()
}

/// The read model is not there, or not whole.
pub(crate) fn unavailable(detail: &'static str) -> Problem {
    Problem::new(&READ_MODEL_UNAVAILABLE).detail(detail).retry_after(1)
}

/// Whether the database is away, starting, ending, full of others, or not yet made.
fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection failures, lack of resources, operators' doings, conflicts with them; then:
            // no such database, schema, table, column. The tables of another release lack columns until its projector is done.
            let class = ["08", "53", "57", "55", "40"]
                .iter()
                .any(|class| code.starts_with(class));
            // A query that took too long is no outage: it would take as long again.
            (class && code != CANCELLED) || ["3D000", "3F000", "42P01", "42703"].contains(&code.as_ref())
        }),
        _ => false,
    }
}

/// The text as part of a pattern of `LIKE`, in which it stands for itself.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use futures::poll;
    use test_harness::{postgres, wait_until};

    use super::*;

    #[tokio::test]
    async fn a_query_that_takes_too_long_is_the_question_s_fault() {
        let db = pool(&postgres().await.database().await).unwrap();
        let mut session = db.acquire().await.unwrap();
        sqlx::query("SET statement_timeout = '1ms'")
            .execute(&mut *session)
            .await
            .unwrap();
        let error = sqlx::query("SELECT pg_sleep(60)")
            .execute(&mut *session)
            .await
            .unwrap_err();
        assert_eq!(problem(error).body(uuid::Uuid::nil())["code"], "query-too-expensive");
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_no_transaction_behind() {
        let url = postgres().await.database().await;
        let (pool, others) = (pool(&url).unwrap(), PgPool::connect(&url).await.unwrap());
        let state = async || -> Vec<String> {
            let states = sqlx::query_scalar(
                "SELECT state FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'recourse query-api'",
            );
            states.fetch_all(&others).await.unwrap()
        };
        // A statement that takes its time: whoever asked is gone before anybody hears that the transaction has begun.
        let mut beginning = Box::pin(begin(&pool, "BEGIN; SELECT pg_sleep(0.3)"));
        while state().await != ["active"] {
            assert!(poll!(beginning.as_mut()).is_pending());
        }
        drop(beginning);
        wait_until("the transaction to be over", Duration::from_secs(10), async || {
            let now = state().await;
            if now == ["idle"] { Ok(()) } else { Err(now) }
        })
        .await;
    }
}
