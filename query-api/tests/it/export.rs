//! `GET /v1/tickets/export`: each format read back with a reader of that format, and compared with
//! the pages of the list.

use std::io::Cursor;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use calamine::{Data, Reader, Xlsx};
use domain::testing::{agent, customer};
use domain::ticket::Command;
use jiff::Timestamp;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use sqlx::PgPool;
use test_harness::wait_until;

use crate::desk::{Desk, LIMIT, stranger, ticket};

/// The columns of a flat file, as programs find them.
const CSV_NAMES: &str = "id,number,subject,status,type,priority,category,system,environment,service,product,platform_version,\
    requester,requester_id,organisation,organisation_id,group,group_id,project,project_id,assignee,assignee_id,created_at,updated_at,\
    due_at,overdue,rating,revision";

async fn desk_with_lives(count: u64) -> (Desk, String) {
    let desk = Desk::start().await;
    desk.lives(1, count + 1).await;
    let token = desk.token(&agent()).await;
    let page = desk.get(&token, "/v1/tickets").await;
    assert_eq!(page.status, 200, "{}", page.body);
    (desk, token)
}

async fn database(desk: &Desk) -> PgPool {
    PgPool::connect(&desk.database_url).await.unwrap()
}

/// Tickets from `from` to `to`, straight into the rows.
async fn generate(db: &PgPool, from: i32, to: i32) {
    sqlx::query(
        "INSERT INTO desk.tickets (id, requester_id, followers, status, partition, sequence, revision, number, subject,
             description_revision, edited, status_rank, ticket_type, priority, priority_rank, custom_fields, waits,
             created_at, updated_at, recorded_at)
         SELECT gen_random_uuid(), gen_random_uuid(), '{}', 'new', 0, 1, 1, n, 'Ticket ' || n || repeat(' long', 30), 1,
             false, 0, 'defect', 'low', 0, '{}', 0, now(), now(), now()
         FROM generate_series($1, $2) n",
    )
    .bind(from)
    .bind(to)
    .execute(db)
    .await
    .unwrap();
}

/// Gives a ticket words that are hard to keep.
async fn rename(db: &PgPool, number: i64, subject: &str, system: &str) {
    sqlx::query("UPDATE desk.tickets SET subject = $2, system = $3 WHERE number = $1")
        .bind(number)
        .bind(subject)
        .bind(system)
        .execute(db)
        .await
        .unwrap();
}

/// The items of the list, of all its pages.
async fn listed(desk: &Desk, token: &str, query: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = format!("/v1/tickets?limit=200&{query}");
    loop {
        let page = desk.get(token, &path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        items.extend(page.body["items"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            return items;
        };
        path = format!("/v1/tickets?limit=200&{query}&cursor={cursor}");
    }
}

/// The whole file, and its headers' content type and file name.
async fn file(desk: &Desk, token: &str, format: &str, query: &str) -> (Vec<u8>, String, String) {
    let response = desk
        .begin(token, &format!("/v1/tickets/export?format={format}&{query}"))
        .await;
    let header = |name| response.headers()[name].to_str().unwrap().to_owned();
    let (kind, disposition) = (header("content-type"), header("content-disposition"));
    assert_eq!(response.status(), 200);
    assert!(!header("read-position").is_empty());
    (response.bytes().await.unwrap().to_vec(), kind, disposition)
}

async fn lines(desk: &Desk, token: &str, query: &str) -> Vec<Value> {
    let (bytes, kind, _) = file(desk, token, "ndjson", query).await;
    assert_eq!(kind, "application/x-ndjson");
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A CSV file's records, the titles first.
fn records(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let records = reader.records().map(Result::unwrap);
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

/// A column of an item, as a flat file shows it.
fn flat(item: &Value, name: &str) -> String {
    let value = match name {
        "requester" | "organisation" | "group" | "project" | "assignee" => &item[name]["name"],
        "requester_id" | "organisation_id" | "group_id" | "project_id" | "assignee_id" => {
            &item[name.strip_suffix("_id").unwrap()]["id"]
        }
        _ => &item[name],
    };
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_the_items_of_the_list_whatever_is_asked() {
    let (desk, token) = desk_with_lives(16).await;
    for query in [
        "",
        "sort=due_at",
        "sort=-priority&status=new&status=closed",
        "fields=number,assignee,due_at&sort=number",
        "assignee=none",
        "view=assigned",
        "number=12345",
    ] {
        let (list, lines) = (listed(&desk, &token, query).await, lines(&desk, &token, query).await);
        assert_eq!(lines, list, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_is_what_programs_expect() {
    let (desk, token) = desk_with_lives(9).await;
    let db = database(&desk).await;
    rename(&db, 3, "He said \"no\",\r\nand left", "Печать; и, сканер").await;
    rename(&db, 4, "=HYPERLINK(\"http://example.org\")", "+7 495").await;
    rename(&db, 5, "\tTab", "@home").await;
    let list = listed(&desk, &token, "sort=number").await;
    let (bytes, kind, disposition) = file(&desk, &token, "csv", "sort=number").await;
    assert_eq!(kind, "text/csv; charset=utf-8");
    assert!(
        disposition.starts_with("attachment; filename=\"tickets-") && disposition.ends_with("Z.csv\""),
        "{disposition}"
    );
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(
        text.starts_with(&format!("{CSV_NAMES}\r\n")) && text.ends_with("\r\n"),
        "{text}"
    );
    assert!(text.contains("\"He said \"\"no\"\",\r\nand left\""), "{text}");

    let records = records(&bytes);
    let (titles, rows) = records.split_first().unwrap();
    assert_eq!(rows.len(), list.len());
    for (row, item) in rows.iter().zip(&list) {
        for (cell, name) in row.iter().zip(titles) {
            let words = flat(item, name);
            let expected = if words.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                format!("'{words}")
            } else {
                words
            };
            assert_eq!(*cell, expected, "{name} of {item}");
        }
    }
    assert_eq!(rows[3][2], "'=HYPERLINK(\"http://example.org\")");
}

#[tokio::test(flavor = "multi_thread")]
async fn titles_are_in_the_language_asked_for_and_only_of_the_columns_asked_for() {
    let (desk, token) = desk_with_lives(1).await;
    let query = "fields=subject,requester,created_at";
    for (lang, expected) in [
        ("en", ["subject", "requester", "requester_id", "created_at"]),
        ("ru", ["Тема", "Заявитель", "Заявитель (ID)", "Создан"]),
        ("es", ["Asunto", "Solicitante", "Solicitante (ID)", "Creado"]),
    ] {
        let (bytes, _, _) = file(&desk, &token, "csv", &format!("{query}&lang={lang}")).await;
        assert_eq!(records(&bytes)[0], expected);
    }
    let (bytes, _, _) = file(&desk, &token, "xlsx", &format!("{query}&lang=ru")).await;
    let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["Тикеты"]);
    let sheet = book.worksheet_range("Тикеты").unwrap();
    let titles: Vec<String> = sheet.rows().next().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(titles, ["Тема", "Заявитель", "Заявитель (ID)", "Создан (UTC)"]);
    let json = lines(&desk, &token, &format!("{query}&lang=ru")).await;
    assert!(
        json[0].get("subject").is_some(),
        "lines keep the contract's names: {}",
        json[0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sheets_have_dates_numbers_and_texts_that_are_no_formulas() {
    let (desk, token) = desk_with_lives(9).await;
    let db = database(&desk).await;
    rename(&db, 4, "=1+1", "_x0041_ & <b>\u{1}").await;
    let list = listed(&desk, &token, "sort=number").await;
    let (bytes, kind, _) = file(&desk, &token, "xlsx", "sort=number").await;
    assert_eq!(
        kind,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    );
    let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
    assert!(book.worksheet_formula("Tickets").unwrap().is_empty());
    let sheet = book.worksheet_range("Tickets").unwrap();
    let names: Vec<&str> = CSV_NAMES.split(',').collect();
    assert_eq!(sheet.get_size(), (list.len() + 1, names.len()));
    for (row, item) in sheet.rows().skip(1).zip(&list) {
        for (cell, name) in row.iter().zip(&names) {
            let expected = flat(item, name);
            match cell {
                Data::Empty => assert_eq!(expected, "", "{name}"),
                Data::Float(number) => assert_eq!(expected, number.to_string(), "{name}"),
                Data::Bool(flag) => assert_eq!(expected, flag.to_string(), "{name}"),
                Data::DateTime(at) => {
                    let at = at.as_datetime().unwrap().and_utc().timestamp_millis();
                    let expected: Timestamp = expected.parse().unwrap();
                    assert!(
                        (at - expected.as_millisecond()).abs() <= 1,
                        "{name}: {at} for {expected}"
                    );
                }
                Data::String(text) => assert_eq!(*text, expected, "{name}"),
                other => panic!("{other:?} for {expected}"),
            }
            let kind = match *name {
                "number" | "revision" => matches!(cell, Data::Float(_)),
                "created_at" | "updated_at" => matches!(cell, Data::DateTime(_)),
                "overdue" => matches!(cell, Data::Bool(_)),
                "subject" => matches!(cell, Data::String(_)),
                _ => true,
            };
            assert!(kind, "{name} is {cell:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_has_types() {
    let (desk, token) = desk_with_lives(9).await;
    let list = listed(&desk, &token, "sort=number").await;
    let (bytes, kind, _) = file(&desk, &token, "parquet", "sort=number").await;
    assert_eq!(kind, "application/vnd.apache.parquet");
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    let names: Vec<String> = reader
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let contract: Vec<&String> = list[0].as_object().unwrap().keys().collect();
    assert_eq!(
        names.iter().collect::<std::collections::BTreeSet<_>>(),
        contract.into_iter().collect()
    );
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    let [batch] = batches.as_slice() else {
        panic!("{} batches", batches.len())
    };
    assert_eq!(batch.num_rows(), list.len());
    let numbers = batch["number"].as_primitive::<Int64Type>();
    let subjects = batch["subject"].as_string::<i32>();
    let created = batch["created_at"].as_primitive::<TimestampMicrosecondType>();
    assert_eq!(created.timezone(), Some("UTC"));
    let overdue = batch["overdue"].as_boolean();
    let (requester, assignee) = (batch["requester"].as_struct(), batch["assignee"].as_struct());
    let assignees = assignee.column(0).as_string::<i32>();
    for (row, item) in list.iter().enumerate() {
        assert_eq!(numbers.value(row), item["number"].as_i64().unwrap());
        assert_eq!(subjects.value(row), item["subject"].as_str().unwrap());
        let at: Timestamp = item["created_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(created.value(row), at.as_microsecond());
        assert_eq!(overdue.value(row), item["overdue"].as_bool().unwrap());
        let id = requester.column(0).as_string::<i32>().value(row);
        assert_eq!(id, item["requester"]["id"].as_str().unwrap());
        let somebody = arrow_array::Array::is_valid(assignee, row).then(|| assignees.value(row));
        assert_eq!(somebody, item["assignee"]["id"].as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_of_nothing_is_a_file_of_its_kind() {
    let (desk, token) = desk_with_lives(1).await;
    let nothing = "number=4711";
    let (csv, _, _) = file(&desk, &token, "csv", nothing).await;
    assert_eq!(records(&csv).len(), 1);
    assert!(file(&desk, &token, "ndjson", nothing).await.0.is_empty());
    let (xlsx, _, _) = file(&desk, &token, "xlsx", nothing).await;
    let mut book = Xlsx::new(Cursor::new(xlsx)).unwrap();
    assert_eq!(book.worksheet_range("Tickets").unwrap().height(), 1);
    let (parquet, _, _) = file(&desk, &token, "parquet", nothing).await;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(parquet)).unwrap();
    assert_eq!(reader.build().unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_gets_what_the_list_shows_a_customer() {
    let (desk, staff) = desk_with_lives(7).await;
    desk.give(ticket(2), &agent(), Command::Follow(Some(stranger().user)))
        .await;
    let (own, other) = (desk.token(&customer()).await, desk.token(&stranger()).await);
    desk.get(&staff, "/v1/tickets").await;
    assert_eq!(lines(&desk, &own, "").await.len(), 7);
    let seen = lines(&desk, &other, "").await;
    assert_eq!(seen, listed(&desk, &other, "").await);
    assert_eq!(seen.len(), 1);
    for format in ["csv", "xlsx", "parquet"] {
        let (bytes, _, _) = file(&desk, &other, format, "").await;
        let rows = match format {
            "csv" => records(&bytes).len() - 1,
            "xlsx" => {
                let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
                book.worksheet_range("Tickets").unwrap().height() - 1
            }
            _ => {
                let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
                reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum()
            }
        };
        assert_eq!(rows, 1, "{format}");
    }
    desk.get(&other, "/v1/tickets/export?format=csv&view=unassigned")
        .await
        .assert_problem(403, "not-permitted");
    desk.get("rct_guessed", "/v1/tickets/export?format=csv")
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_refused_with_what_would_be() {
    let (desk, token) = desk_with_lives(1).await;
    for path in ["limit=5", "cursor=x", "count=exact", "colour=red"] {
        desk.get(&token, &format!("/v1/tickets/export?format=csv&{path}"))
            .await
            .assert_problem(400, "malformed-request");
    }
    for (path, pointer, code) in [
        ("", "format", "required"),
        ("format=pdf", "format", "invalid"),
        ("format=", "format", "invalid"),
        ("format=csv&format=xlsx", "format", "repeated"),
        ("format=csv&lang=de", "lang", "invalid"),
        ("format=csv&fields=secret", "fields", "invalid"),
        ("format=csv&sort=colour", "sort", "invalid"),
    ] {
        let answer = desk.get(&token, &format!("/v1/tickets/export?{path}")).await;
        answer.assert_problem(422, "invalid-fields");
        let error = &answer.body["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&pointer.into(), &code.into()),
            "{path}"
        );
        if pointer == "format" && code != "repeated" {
            let detail = error["detail"].as_str().unwrap();
            assert!(detail.contains("csv, ndjson, xlsx, parquet"), "{detail}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_rows_are_one_moment_however_much_happens_meanwhile() {
    let (desk, token) = desk_with_lives(3).await;
    let db = database(&desk).await;
    generate(&db, 10_000, 39_999).await;
    let mut response = desk
        .begin(
            &token,
            "/v1/tickets/export?format=ndjson&sort=-number&fields=number,subject",
        )
        .await;
    let mut bytes = response.chunk().await.unwrap().unwrap().to_vec();
    // What is still to be read changes, goes away, and is joined by more.
    sqlx::query("UPDATE desk.tickets SET subject = 'Later', number = number + 100000 WHERE number < 25000")
        .execute(&db)
        .await
        .unwrap();
    sqlx::query("DELETE FROM desk.tickets WHERE number BETWEEN 30000 AND 35000")
        .execute(&db)
        .await
        .unwrap();
    generate(&db, 5000, 6000).await;
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes.extend(chunk);
    }
    let text = String::from_utf8(bytes).unwrap();
    let items: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<i64> = items.iter().map(|item| item["number"].as_i64().unwrap()).collect();
    let expected: Vec<i64> = (10_000..40_000).rev().chain([3, 2, 1]).collect();
    assert!(numbers == expected, "{} numbers", numbers.len());
    assert!(items.iter().all(|item| item["subject"] != "Later"));
}

/// How many transactions of the query service are open and wait for it. Those of lists never do.
async fn transactions(db: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'recourse query-api'
             AND state = 'idle in transaction'",
    )
    .fetch_one(db)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_gives_its_place_and_its_connection_back() {
    let (desk, token) = desk_with_lives(1).await;
    let db = database(&desk).await;
    generate(&db, 10_000, 59_999).await;
    let path = "/v1/tickets/export?format=ndjson";
    let mut reading = desk.begin(&token, path).await;
    reading.chunk().await.unwrap().unwrap();
    let waiting = desk.begin(&token, path).await;
    let refused = desk.get(&token, path).await;
    refused.assert_problem(429, "too-many-requests");
    assert_eq!(refused.header("retry-after"), "10");
    wait_until("both to wait for their callers", LIMIT, || async {
        let open = transactions(&db).await;
        if open == 2 { Ok(()) } else { Err(open) }
    })
    .await;
    assert_eq!(desk.get(&token, "/v1/tickets").await.status, 200);

    drop((reading, waiting));
    wait_until("the exports to end", LIMIT, || async {
        let open = transactions(&db).await;
        if open == 0 { Ok(()) } else { Err(open) }
    })
    .await;
    assert_eq!(lines(&desk, &token, "number=1").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_breaks_off_when_its_callers_token_is_revoked() {
    let (desk, token) = desk_with_lives(1).await;
    let db = database(&desk).await;
    generate(&db, 10_000, 59_999).await;
    let mut response = desk.begin(&token, "/v1/tickets/export?format=ndjson").await;
    response.chunk().await.unwrap().unwrap();
    desk.revoke(&token).await;
    wait_until("the export to let go of the database", LIMIT, || async {
        let open = transactions(&db).await;
        if open == 0 { Ok(()) } else { Err(open) }
    })
    .await;
    assert!(response.bytes().await.is_err(), "it ended as if it were whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_fails_half_way_is_never_taken_for_a_whole_one() {
    let (desk, token) = desk_with_lives(1).await;
    let db = database(&desk).await;
    generate(&db, 10_000, 59_999).await;
    for format in ["csv", "ndjson"] {
        let mut response = desk.begin(&token, &format!("/v1/tickets/export?format={format}")).await;
        response.chunk().await.unwrap().unwrap();
        let ended: Vec<bool> = sqlx::query_scalar(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'recourse query-api' AND xact_start IS NOT NULL",
        )
        .fetch_all(&db)
        .await
        .unwrap();
        assert!(!ended.is_empty(), "the export is at it");
        let rest = response.bytes().await;
        assert!(rest.is_err(), "{format} ended as if it were whole");
    }
}
