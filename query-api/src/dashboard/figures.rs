//! All the figures, of one moment, whichever way they are found.

use domain::actor::Actor;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use sqlx::postgres::PgPool;
use sqlx::{Postgres, QueryBuilder};

use super::ask::{Ask, Grouping};
use super::counted::Reading;
use super::measured::{BucketRow, DURATIONS, DurationRow, EXACT_MAX, Histograms};
use super::{counted, kept};
use crate::database::{ONE_MOMENT, begin};

/// All that is known.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) counts: Vec<CountRow>,
    pub(super) happened: Vec<HappenedRow>,
    pub(super) durations: Vec<DurationRow>,
}

/// What one statement finds.
#[derive(Debug, sqlx::FromRow)]
struct Found {
    #[sqlx(json)]
    counts: Vec<CountRow>,
    #[sqlx(json)]
    happened: Vec<HappenedRow>,
    /// Where there are so few that they are known exactly.
    #[sqlx(json)]
    durations: Vec<DurationRow>,
    #[sqlx(json)]
    buckets: Vec<BucketRow>,
    /// The kinds of which there are so many that histograms are kept for them.
    kept: Vec<String>,
}

/// How many tickets have a value of a dimension.
#[derive(Debug, Deserialize)]
pub(super) struct CountRow {
    pub(super) dimension: String,
    pub(super) value: String,
    pub(super) total: i64,
    pub(super) open: i64,
    pub(super) overdue: i64,
}

/// How often something happened on a day, or with tickets that have a value of the property that groups are by.
#[derive(Debug, Deserialize)]
pub(super) struct HappenedRow {
    pub(super) what: What,
    /// Of a rating.
    pub(super) score: Option<u8>,
    pub(super) day: Option<Date>,
    pub(super) key: Option<String>,
    pub(super) total: i64,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    Created,
    Closed,
    Rated,
}

/// Where the figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Kept,
    /// Counts of tickets are kept, what happened is counted in the days that are asked for.
    Half,
    Counted,
}

impl Way {
    fn of(actor: &Actor, ask: &Ask) -> Self {
        match (actor.sees_everything(), ask.as_of, ask.grouping) {
            (false, ..) | (_, Some(_), _) => Self::Counted,
            (true, None, Some(Grouping::Property(_))) => Self::Half,
            (true, None, None | Some(Grouping::Period(_))) => Self::Kept,
        }
    }
}

/// What `actor` sees of the figures.
pub(super) async fn figures(db: &PgPool, actor: &Actor, ask: &Ask, now: Timestamp) -> Result<Figures, sqlx::Error> {
    let mut sql = QueryBuilder::new("WITH ");
    let at = ask.as_of.unwrap_or(now);
    let then = |sql: &mut QueryBuilder<Postgres>| {
        sql.push(", ");
    };
    let way = Way::of(actor, ask);
    match way {
        Way::Kept => {
            kept::push_counts(&mut sql, at);
            then(&mut sql);
            kept::push_happened(&mut sql, ask);
            then(&mut sql);
            kept::push_measures(&mut sql, ask);
        }
        Way::Half | Way::Counted => {
            if way == Way::Half {
                counted::push_seen(&mut sql, actor, ask, Reading::Led);
                then(&mut sql);
                kept::push_counts(&mut sql, at);
            } else {
                counted::push_seen(&mut sql, actor, ask, Reading::Whole);
                then(&mut sql);
                counted::push_counts(&mut sql, at);
            }
            then(&mut sql);
            counted::push_passed(&mut sql, ask);
            then(&mut sql);
            counted::push_happened(&mut sql, ask);
            then(&mut sql);
            counted::push_measures(&mut sql, ask);
        }
    }
    then(&mut sql);
    sql.push(DURATIONS);
    sql.push(
        " SELECT (SELECT COALESCE(json_agg(c), '[]') FROM counts c) AS counts,
                 (SELECT COALESCE(json_agg(h), '[]') FROM happened h) AS happened,
                 (SELECT COALESCE(json_agg(d), '[]') FROM durations d) AS durations,",
    );
    match way {
        Way::Kept => sql.push(format_args!(
            "'[]'::json AS buckets, ARRAY(SELECT s.kind FROM sizes s WHERE s.total > {EXACT_MAX}) AS kept"
        )),
        Way::Half | Way::Counted => {
            sql.push("(SELECT COALESCE(json_agg(b), '[]') FROM buckets b) AS buckets, ARRAY[]::text[] AS kept")
        }
    };
    let mut moment = begin(db, ONE_MOMENT).await?;
    let found: Found = sql.build_query_as().fetch_one(&mut *moment).await?;
    let histograms = if found.kept.is_empty() {
        Histograms::of(&found.buckets)
    } else {
        kept::histograms(&mut moment, ask, &found.kept).await?
    };
    moment.commit().await?;
    Ok(Figures {
        counts: found.counts,
        happened: found.happened,
        durations: found.durations.into_iter().chain(histograms.rows()).collect(),
    })
}
