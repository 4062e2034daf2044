//! How fast rows are made of records: live, again, and what limits both.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use event_log::{EventLog, Source};
use service_kit::{SystemClock, clock::pause};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

use super::state::Filling;
use crate::desk::Desk;

/// How often it is looked how far the projector has come.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The same for whoever waits for its end.
const CATCHING_UP_LOOK_EVERY: Duration = Duration::from_millis(10);
/// What a reader of the log takes at once, as the projector does.
const BATCH: usize = 512;
/// What is sent to Postgres at once.
const COPY_BYTES: usize = 1024 * 1024;
/// The partition whose rows stand for all of them.
const PARTITION: i32 = 0;
/// The schema that raw copies go to.
const SCHEMA: &str = "bench_copy";

/// How many records of tickets the serving read model has.
pub(crate) async fn applied(db: &mut PgConnection) -> anyhow::Result<u64> {
    let sum: i64 = sqlx::query_scalar(
        "SELECT COALESCE(sum(c.sequence), 0)::bigint FROM recourse.checkpoints c
         JOIN recourse.generations g USING (projection, generation)
         WHERE c.projection = 'tickets' AND g.state = 'serving'",
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(sum).unwrap_or_default())
}

/// How many records of tickets the log has.
pub(crate) async fn recorded(desk: &Desk) -> anyhow::Result<u64> {
    recorded_in(&desk.log().await?).await
}

/// The same over a connection that is there.
pub(crate) async fn recorded_in(log: &EventLog) -> anyhow::Result<u64> {
    let mut sum = 0;
    for partition in 0..log.partitions() {
        sum += log.last_sequence(Source::Tickets(partition)).await?;
    }
    Ok(sum)
}

/// Waits until the read models have what the log has now, for so long at most.
pub(crate) async fn caught_up(desk: &Desk, limit: Duration) -> anyhow::Result<()> {
    let goal = recorded(desk).await?;
    let mut db = desk.database().await?;
    let began = Instant::now();
    // Before it has made its tables there is nothing to ask.
    while applied(&mut db).await.unwrap_or_default() < goal {
        anyhow::ensure!(began.elapsed() < limit, "the projector does not catch up");
        pause(&SystemClock, CATCHING_UP_LOOK_EVERY).await;
    }
    Ok(())
}

/// Lets a projector make the read models from nothing, for as long as it may take.
pub(crate) async fn live(desk: &Desk, limit: Duration) -> anyhow::Result<Filling> {
    let goal = recorded(desk).await?;
    let mut db = empty(desk).await?;
    let _projector = desk.service_unready("projector")?;
    // The tables are made first; what counts is from then on.
    let (began, before) = loop {
        pause(&SystemClock, LOOK_EVERY).await;
        if let Ok(records) = applied(&mut db).await {
            break (Instant::now(), records);
        }
    };
    let mut records = before;
    while records < goal && began.elapsed() < limit {
        pause(&SystemClock, LOOK_EVERY).await;
        records = applied(&mut db).await?;
    }
    Ok(Filling {
        records: records - before,
        seconds: began.elapsed().as_secs_f64(),
        whole: records >= goal,
    })
}

/// A database in which nothing is.
async fn empty(desk: &Desk) -> anyhow::Result<PgConnection> {
    let mut db = desk.database().await?;
    let schemas: Vec<String> = sqlx::query_scalar(
        "SELECT nspname::text FROM pg_namespace
         WHERE nspname IN ('recourse', 'desk', 'analytics') OR nspname ~ '^(tickets|directory)_[0-9]+$'",
    )
    .fetch_all(&mut db)
    .await?;
    for schema in schemas {
        let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut db).await?;
    }
    sqlx::query("DROP TABLE IF EXISTS public._sqlx_migrations")
        .execute(&mut db)
        .await?;
    Ok(db)
}

/// Lets a projector fill tables that lack much at once, as it does by itself after Postgres was lost.
pub(crate) async fn first_fill(desk: &Desk, limit: Duration) -> anyhow::Result<Filling> {
    let records = recorded(desk).await?;
    let began = Instant::now();
    caught_up(desk, limit).await?;
    Ok(Filling {
        records,
        seconds: began.elapsed().as_secs_f64(),
        whole: true,
    })
}

/// Makes the tickets' read model again, as an operator does, and removes all others.
pub(crate) async fn rebuild(desk: &Desk) -> anyhow::Result<Filling> {
    let records = recorded(desk).await?;
    let began = Instant::now();
    desk.projection(&["rebuild", "tickets"])?;
    let seconds = began.elapsed().as_secs_f64();
    let mut db = desk.database().await?;
    let others: Vec<i32> = sqlx::query_scalar(
        "SELECT generation FROM recourse.generations WHERE projection = 'tickets' AND state <> 'serving'",
    )
    .fetch_all(&mut db)
    .await?;
    for generation in others {
        desk.projection(&["drop", "tickets", "--generation", &generation.to_string()])?;
    }
    Ok(Filling {
        records,
        seconds,
        whole: true,
    })
}

/// Reads the log from its beginning to its end, two partitions at a time as a rebuild does, and does nothing with it.
pub(crate) async fn reading(desk: &Desk) -> anyhow::Result<Filling> {
    let log = desk.log().await?;
    let began = Instant::now();
    let mut records = 0;
    let partitions: Vec<u16> = (0..log.partitions()).collect();
    for two in partitions.chunks(2) {
        let tasks = two.iter().map(|partition| {
            let (log, source) = (log.clone(), Source::Tickets(*partition));
            tokio::spawn(async move {
                let until = log.last_sequence(source).await?;
                let mut reader = log.reader(source, None).await?;
                let mut at = 0;
                while at < until {
                    let batch = reader.next_batch(BATCH).await?;
                    at = batch.last().map_or(at, |entry| entry.sequence);
                }
                anyhow::Ok(at)
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            records += task.await.context("a reader panicked")??;
        }
    }
    Ok(Filling {
        records,
        seconds: began.elapsed().as_secs_f64(),
        whole: true,
    })
}

/// Copies the rows of one partition into tables without indexes and constraints, one table after the other.
pub(crate) async fn copy(desk: &Desk) -> anyhow::Result<Filling> {
    let mut db = desk.database().await?;
    sqlx::query("SET synchronous_commit = off").execute(&mut db).await?;
    let (schema, records): (String, i64) = sqlx::query_as(
        "SELECT 'tickets_' || c.generation, c.sequence FROM recourse.checkpoints c
         JOIN recourse.generations g USING (projection, generation)
         WHERE c.projection = 'tickets' AND g.state = 'serving' AND c.partition = $1",
    )
    .bind(PARTITION)
    .fetch_one(&mut db)
    .await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND a.attname = 'partition' ORDER BY 1",
    )
    .bind(&schema)
    .fetch_all(&mut db)
    .await?;
    drop_copies(&mut db).await?;
    let make = format!("CREATE SCHEMA {SCHEMA}");
    sqlx::query(AssertSqlSafe(make)).execute(&mut db).await?;
    let mut taken = Duration::ZERO;
    for table in &tables {
        let make = format!("CREATE TABLE {SCHEMA}.{table} AS SELECT * FROM {schema}.{table} WITH NO DATA");
        sqlx::query(AssertSqlSafe(make)).execute(&mut db).await?;
        let file = desk.dir.join("run").join(format!("{table}.copy"));
        copy_out(
            &mut db,
            &format!("SELECT * FROM {schema}.{table} WHERE partition = {PARTITION}"),
            &file,
        )
        .await?;
        let began = Instant::now();
        copy_in(&mut db, &format!("{SCHEMA}.{table}"), &file).await?;
        taken += began.elapsed();
        tokio::fs::remove_file(file).await?;
    }
    drop_copies(&mut db).await?;
    db.close().await?;
    Ok(Filling {
        records: u64::try_from(records).unwrap_or_default(),
        seconds: taken.as_secs_f64(),
        whole: false,
    })
}

async fn drop_copies(db: &mut PgConnection) -> anyhow::Result<()> {
    let drop = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE");
    sqlx::query(AssertSqlSafe(drop)).execute(db).await?;
    Ok(())
}

async fn copy_out(db: &mut PgConnection, rows: &str, file: &Path) -> anyhow::Result<()> {
    use futures::TryStreamExt as _;
    let mut into = tokio::fs::File::create(file).await?;
    let mut stream = db.copy_out_raw(&format!("COPY ({rows}) TO STDOUT")).await?;
    while let Some(bytes) = stream.try_next().await? {
        into.write_all(&bytes).await?;
    }
    drop(stream);
    into.flush().await?;
    Ok(())
}

async fn copy_in(db: &mut PgConnection, table: &str, file: &Path) -> anyhow::Result<()> {
    let mut from = tokio::fs::File::open(file).await?;
    let mut copy = db.copy_in_raw(&format!("COPY {table} FROM STDIN")).await?;
    loop {
        let mut bytes = vec![0; COPY_BYTES];
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            break;
        }
        bytes.truncate(read);
        copy.send(bytes).await?;
    }
    copy.finish().await?;
    Ok(())
}

/// What autovacuum does within minutes after tables were filled: statistics, and which pages everybody sees.
pub(crate) async fn settle(desk: &Desk) -> anyhow::Result<()> {
    let mut db = desk.database().await?;
    sqlx::query("SET maintenance_work_mem = '256MB'")
        .execute(&mut db)
        .await?;
    sqlx::query("VACUUM (ANALYZE)").execute(&mut db).await?;
    sqlx::query("CHECKPOINT").execute(&mut db).await?;
    Ok(())
}
