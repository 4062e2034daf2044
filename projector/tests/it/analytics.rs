//! The views of schema `analytics`, and the role that reads them.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use test_harness::postgres;
use uuid::Uuid;

use crate::desk::{Desk, Running, SOMEBODY, database};

const VIEWS: [&str; 7] = [
    "tickets_v1",
    "status_periods_v1",
    "waits_v1",
    "promises_v1",
    "comments_v1",
    "ratings_v1",
    "daily_v1",
];

/// What is done; the error's code if it is not permitted.
async fn done(db: &mut PgConnection, sql: &str) -> Result<(), String> {
    let done = db.execute(AssertSqlSafe(sql.to_owned())).await;
    done.map(|_| ()).map_err(|error| {
        let error = error.into_database_error().unwrap();
        error.code().unwrap().into_owned()
    })
}

#[tokio::test]
async fn an_analyst_reads_the_views_and_nothing_else() {
    let (url, pool) = database().await;
    projector::testing::prepare(&pool).await.unwrap();
    let name = format!("analyst_{}", Uuid::new_v4().simple());
    let admit = format!("CREATE ROLE {name} LOGIN IN ROLE recourse_analyst");
    sqlx::raw_sql(AssertSqlSafe(admit)).execute(&pool).await.unwrap();
    let mut db = PgConnection::connect(&url).await.unwrap();
    // As somebody who was given the role, with no right beside it.
    done(&mut db, &format!("SET SESSION AUTHORIZATION {name}"))
        .await
        .unwrap();

    for view in VIEWS {
        let read = done(&mut db, &format!("SELECT * FROM analytics.{view}")).await;
        assert_eq!(read, Ok(()), "{view}");
        let delete = done(&mut db, &format!("DELETE FROM analytics.{view}")).await;
        assert!(delete.is_err(), "{view}");
    }
    for readable in [
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT * FROM information_schema.columns WHERE table_schema = 'analytics'",
    ] {
        assert_eq!(done(&mut db, readable).await, Ok(()), "{readable}");
    }
    for forbidden in [
        "SELECT * FROM desk.tickets",
        "SELECT * FROM desk.descriptions",
        "SELECT * FROM desk.directory_names",
        "SELECT * FROM tickets_1.timeline",
        "SELECT * FROM directory_1.directory_names",
        "SELECT * FROM recourse.access_tokens",
        "SELECT * FROM recourse.checkpoints",
        "SELECT recourse.words('hm')",
        "SELECT * FROM public._sqlx_migrations",
        "CREATE TABLE analytics.mine (id integer)",
        "CREATE TABLE public.mine (id integer)",
        "CREATE SCHEMA mine",
        "SET ROLE pg_read_all_data",
    ] {
        let refused = done(&mut db, forbidden).await;
        assert_eq!(refused, Err("42501".to_owned()), "{forbidden}");
    }
}

#[tokio::test]
async fn every_view_and_every_column_says_what_it_is() {
    let (_, pool) = database().await;
    projector::testing::prepare(&pool).await.unwrap();
    let silent: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname || COALESCE('.' || a.attname, '')
         FROM pg_class c
         LEFT JOIN LATERAL (
             SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
             UNION ALL
             SELECT NULL, 0
         ) AS a ON true
         WHERE c.relnamespace = 'analytics'::regnamespace
           AND NOT EXISTS (
               SELECT FROM pg_description d
               WHERE d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum)
         ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(silent, [""; 0]);
    let views: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_views WHERE schemaname = 'analytics'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(usize::try_from(views), Ok(VIEWS.len()));
}

/// Makes generation 2 of a projection, fills it with the rows of the first, and shows it.
async fn switch(pool: &PgPool, projection: &str, layout: [&str; 3], tables: &[&str]) {
    let schema = format!("{projection}_2");
    let [make, index, show] = layout.map(|sql| sql.replace("{schema}", &schema));
    sqlx::raw_sql(AssertSqlSafe(make)).execute(pool).await.unwrap();
    for table in tables {
        let copy = format!("INSERT INTO {schema}.{table} SELECT * FROM {projection}_1.{table}");
        sqlx::raw_sql(AssertSqlSafe(copy)).execute(pool).await.unwrap();
    }
    for sql in [index, show, format!("DROP SCHEMA {projection}_1 CASCADE")] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.unwrap();
    }
}

async fn rows(pool: &PgPool) -> Vec<String> {
    let mut rows = Vec::new();
    for view in VIEWS {
        let sql = format!("SELECT v::text FROM analytics.{view} v ORDER BY 1");
        let some: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
        assert!(!some.is_empty() || view == "ratings_v1", "{view}");
        rows.extend(some);
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn the_views_follow_the_generation_that_serves() {
    let desk = Desk::start().await;
    desk.lives(0, 14).await;
    desk.name(SOMEBODY, "Ada Lovelace").await;
    let (url, pool) = database().await;
    let projector = Running::start(&desk, &url);
    desk.caught_up(&pool).await;
    projector.stop().await;
    let before = rows(&pool).await;
    assert!(before.iter().any(|row| row.contains("Ada Lovelace")));

    let tickets = [
        include_str!("../../schema/tickets_tables.sql"),
        include_str!("../../schema/tickets_indexes.sql"),
        include_str!("../../schema/tickets_views.sql"),
    ];
    let directory = [
        include_str!("../../schema/directory_tables.sql"),
        include_str!("../../schema/directory_indexes.sql"),
        include_str!("../../schema/directory_views.sql"),
    ];
    switch(
        &pool,
        "tickets",
        tickets,
        &[
            "tickets",
            "timeline",
            "ticket_clocks",
            "measures",
            "daily",
            "daily_ratings",
        ],
    )
    .await;
    switch(&pool, "directory", directory, &["directory_names"]).await;
    assert_eq!(rows(&pool).await, before);
    sqlx::query(
        "UPDATE tickets_2.tickets SET number = 4711 WHERE number = (SELECT max(number) FROM tickets_2.tickets)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let seen: i64 = sqlx::query_scalar("SELECT max(number) FROM analytics.tickets_v1")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(seen, 4711);
}

#[tokio::test]
async fn a_user_who_may_not_make_roles_has_the_views_all_the_same() {
    let mut admin = PgConnection::connect(postgres().await.url()).await.unwrap();
    let name = format!("plain_{}", Uuid::new_v4().simple());
    done(&mut admin, &format!("CREATE ROLE {name} LOGIN PASSWORD '{name}'"))
        .await
        .unwrap();
    done(&mut admin, &format!("CREATE DATABASE {name} OWNER {name}"))
        .await
        .unwrap();
    let options = PgConnectOptions::from_str(postgres().await.url()).unwrap();
    let pool = PgPool::connect_with(options.username(&name).password(&name).database(&name))
        .await
        .unwrap();
    projector::testing::prepare(&pool).await.unwrap();
    // Another start finds all of it there.
    projector::testing::prepare(&pool).await.unwrap();
    for view in VIEWS {
        let sql = format!("SELECT count(*) FROM analytics.{view}");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&pool).await.unwrap();
        assert_eq!(count, 0);
    }
}
