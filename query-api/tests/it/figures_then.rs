//! The two ways to the dashboard's figures, now and in the past.

use std::collections::BTreeMap;

use domain::durations::bucket;
use domain::policy::WaitPolicy;
use domain::testing::{CUSTOMER, agent, customer};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use service_kit::{Clock as _, SystemClock};
use sqlx::postgres::PgPool;

use crate::desk::{Desk, stranger, ticket};
use crate::histories::{Lived, Random, live, long_before, neighbour, percentile};

const GROUPINGS: [&str; 9] = [
    "day",
    "week",
    "month",
    "status",
    "type",
    "priority",
    "group",
    "assignee",
    "organisation",
];

/// Questions with every grouping, and with days that leave something out.
fn questions(since: Timestamp) -> Vec<String> {
    let day = |days: i64| {
        (since + jiff::SignedDuration::from_hours(24 * days))
            .to_zoned(TimeZone::UTC)
            .date()
    };
    let ranges = [
        String::new(),
        format!("from={}&to={}", day(8), day(27)),
        format!("from={}", day(20)),
    ];
    let groupings = GROUPINGS
        .iter()
        .map(|name| format!("group_by={name}"))
        .chain([String::new()]);
    groupings
        .flat_map(|grouping| ranges.clone().map(|range| format!("/v1/dashboard?{grouping}&{range}")))
        .map(|question| question.trim_end_matches('&').replace("?&", "?"))
        .collect()
}

fn at(question: &str, instant: Timestamp) -> String {
    format!("{}&as_of={instant}", question.trim_end_matches('&')).replace("?&", "?")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_what_is_counted_now_and_for_every_past_instant() {
    let desk = Desk::start().await;
    let tokens = [
        desk.token(&agent()).await,
        desk.token(&customer()).await,
        desk.token(&neighbour()).await,
    ];
    let since = long_before(SystemClock.now());
    let (mut random, mut answers) = (Random(4), Vec::new());
    let questions = questions(since);
    for round in 0..4 {
        for n in 1..=12 {
            live(&desk, 12 * round + n, since, &mut random).await;
        }
        for token in &tokens {
            for question in &questions {
                let answer = desk.get(token, question).await;
                assert_eq!(answer.status, 200, "{question}: {}", answer.body);
                answers.push((SystemClock.now(), token, question, answer.body));
            }
        }
    }
    let last = answers.last().unwrap();
    assert!(last.3["total"].as_i64().unwrap() > 5, "{}", last.3);
    for (instant, token, question, answer) in &answers {
        let then = desk.get(token, &at(question, *instant)).await;
        assert_eq!(&then.body, answer, "{question} as of {instant}");
    }
    // What only one of the ways does must have been there to be done.
    let whole = desk.get(&tokens[0], "/v1/dashboard?group_by=group").await.body;
    assert!(
        whole["overdue"].as_i64() > Some(0) && whole["ratings"]["count"].as_i64() > Some(0),
        "{whole}"
    );
    assert!(whole["groups"].as_array().unwrap().len() > 2, "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn durations_and_ratings_are_those_of_the_tickets_that_one_sees() {
    let desk = Desk::start().await;
    let since = long_before(SystemClock.now());
    let (mut random, mut lives) = (Random(11), Vec::new());
    for n in 1..=40 {
        lives.push(live(&desk, n, since, &mut random).await);
    }
    let own = |lived: &&Lived| lived.requester == CUSTOMER;
    let of_others = |lived: &&Lived| lived.requester == neighbour().user;
    for (actor, seen) in [
        (agent(), lives.iter().collect::<Vec<_>>()),
        (customer(), lives.iter().filter(own).collect()),
        (neighbour(), lives.iter().filter(of_others).collect()),
        (stranger(), Vec::new()),
    ] {
        let token = desk.token(&actor).await;
        let answer = desk.get(&token, "/v1/dashboard").await.body;
        assert_eq!(answer["total"], json!(seen.len()), "{actor:?}");
        let responses = seen
            .iter()
            .filter_map(|lived| Some((lived.created_at, lived.first_response_at?)));
        assert_durations(&answer["durations"]["first_response"], &responses.collect::<Vec<_>>());
        let closings = seen
            .iter()
            .flat_map(|lived| lived.closed_at.iter().map(|at| (lived.created_at, *at)));
        assert_durations(&answer["durations"]["closing"], &closings.collect::<Vec<_>>());
        let scores: Vec<u8> = seen.iter().flat_map(|lived| lived.scores.clone()).collect();
        assert_ratings(&answer["ratings"], &scores);
    }
    assert!(lives.iter().filter(|lived| lived.closed_at.len() > 1).count() > 1);
}

#[track_caller]
fn assert_durations(answer: &Value, spans: &[(Timestamp, Timestamp)]) {
    let calendar = WaitPolicy::supportal().calendar;
    let elapsed = spans
        .iter()
        .map(|(from, to)| to.duration_since(*from).as_secs_f64())
        .collect();
    let working = spans
        .iter()
        .map(|(from, to)| calendar.elapsed(*from, *to).as_secs_f64())
        .collect();
    for (clock, values) in [("elapsed", elapsed), ("working", working)] {
        let values: Vec<f64> = values;
        let measure = &answer[clock];
        assert_eq!(measure["count"], json!(values.len()), "{answer}");
        assert_eq!(measure["bound"], Value::Null);
        for (name, part) in [("median_seconds", 0.5), ("p90_seconds", 0.9)] {
            match (measure[name].as_f64(), percentile(values.clone(), part)) {
                (Some(answered), Some(reckoned)) => {
                    assert!(
                        (answered - reckoned).abs() < 1e-3,
                        "{clock} {name}: {answered}, not {reckoned}"
                    );
                }
                (answered, reckoned) => assert_eq!(answered, reckoned, "{clock} {name}"),
            }
        }
    }
}

#[track_caller]
fn assert_ratings(answer: &Value, scores: &[u8]) {
    let mut by_score: BTreeMap<u8, u32> = BTreeMap::new();
    for score in scores {
        *by_score.entry(*score).or_default() += 1;
    }
    let sum: f64 = scores.iter().copied().map(f64::from).sum();
    let count = f64::from(u32::try_from(scores.len()).unwrap());
    let average = (count > 0.0).then(|| sum / count);
    assert_eq!(
        answer,
        &json!({ "count": scores.len(), "average": average, "by_score": by_score })
    );
}

/// More than are sorted: see `EXACT_MAX` of the dashboard.
const MANY: usize = 12_000;

#[tokio::test(flavor = "multi_thread")]
async fn beyond_ten_thousand_percentiles_are_within_a_hundredth() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.open(1).await;
    desk.get(&token, "/v1/dashboard").await;
    let mut random = Random(5);
    // From a second to some months, most of them short.
    let micros: Vec<i64> = (0..MANY)
        .map(|_| {
            let end = 1_000_000_u64 << random.below(22);
            random.below(end).cast_signed()
        })
        .collect();
    insert_closings(&PgPool::connect(&desk.database_url).await.unwrap(), &micros).await;

    let kept = desk.get(&token, "/v1/dashboard?group_by=month").await.body;
    let now = SystemClock.now();
    let counted = desk
        .get(&token, &format!("/v1/dashboard?group_by=month&as_of={now}"))
        .await
        .body;
    assert_eq!(kept["durations"], counted["durations"]);
    assert_eq!(kept["groups"][0]["durations"], counted["groups"][0]["durations"]);
    let elapsed = &kept["durations"]["closing"]["elapsed"];
    assert_eq!(elapsed, &kept["groups"][0]["durations"]["closing"]["elapsed"]);
    assert_eq!((&elapsed["count"], &elapsed["bound"]), (&json!(MANY), &json!(0.01)));
    let seconds: Vec<f64> = micros.iter().map(|micros| seconds(*micros)).collect();
    for (name, part) in [("median_seconds", 0.5), ("p90_seconds", 0.9)] {
        let (answered, exact) = (
            elapsed[name].as_f64().unwrap(),
            percentile(seconds.clone(), part).unwrap(),
        );
        assert!(
            (answered - exact).abs() <= 0.01 * exact,
            "{name}: {answered}, not {exact}"
        );
    }
    let by_status = desk.get(&token, "/v1/dashboard?group_by=status").await.body;
    assert_eq!(&by_status["groups"][0]["durations"]["closing"]["elapsed"], elapsed);
}

fn seconds(micros: i64) -> f64 {
    f64::from(u32::try_from(micros / 1000).unwrap()) / 1e3
}

/// Closings of the one ticket, as the projector would have measured and counted them.
async fn insert_closings(db: &PgPool, micros: &[i64]) {
    let buckets: Vec<i16> = micros.iter().map(|micros| bucket(seconds(*micros))).collect();
    sqlx::query(
        "INSERT INTO tickets_1.measures (ticket_id, revision, place, partition, kind, occurred_at, micros,
             working_micros, bucket, working_bucket)
         SELECT $1, 1, 1 + place, 0, 'closing', '2026-03-02T09:00:00Z', micros, micros, bucket, bucket
         FROM UNNEST($2::bigint[], $3::smallint[]) WITH ORDINALITY AS one (micros, bucket, place)",
    )
    .bind(ticket(1).as_uuid())
    .bind(micros)
    .bind(buckets)
    .execute(db)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO tickets_1.measure_counts (kind, clock, span, starts, partition, totals)
         SELECT kind, clock, span, date_trunc(span, occurred_at AT TIME ZONE 'UTC')::date, part,
                array_agg((SELECT count(*) FROM tickets_1.measures m WHERE m.kind = one.kind AND m.place % 2 = part
                           AND m.bucket = slot) ORDER BY slot)
         FROM (SELECT DISTINCT kind, occurred_at, place % 2 AS part FROM tickets_1.measures) AS one
         CROSS JOIN generate_series(0, (SELECT max(bucket) FROM tickets_1.measures)) AS slot
         CROSS JOIN (VALUES ('elapsed'), ('working')) AS clocks (clock)
         CROSS JOIN (VALUES ('day'), ('month')) AS spans (span)
         GROUP BY kind, clock, span, 4, part",
    )
    .execute(db)
    .await
    .unwrap();
}
