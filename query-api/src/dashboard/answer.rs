//! What the dashboard says.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use axum::{Extension, Json};
use domain::actor::Actor;
use domain::directory::EntryKind;
use domain::portal;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use service_kit::Problem;
use service_kit::http::Caller;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{Ask, NAMES, Property};
use super::figures::{CountRow, Figures, HappenedRow, What, figures};
use super::groups::{Group, groups};
use super::measured::Durations;
use crate::app::App;
use crate::database::problem;
use crate::moment::Moment;
use crate::names::Names;
use crate::params::Params;

/// The most people, groups or organisations that are listed, those with most tickets first. More
/// is a report and not a dashboard.
pub(super) const LISTED_MAX: usize = 1000;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dashboard {
    total: i64,
    open: i64,
    /// As whatever is about a property of tickets, it is left out where the caller's portal does not show that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    overdue: Option<i64>,
    by_status: BTreeMap<String, i64>,
    by_type: BTreeMap<String, i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    by_priority: Option<BTreeMap<String, i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    by_group: Option<Vec<Listed>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    by_assignee: Option<Vec<Listed>>,
    by_organisation: Vec<Listed>,
    created_by_day: Vec<Day>,
    closed_by_day: Vec<Day>,
    durations: Durations,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ratings: Option<Ratings>,
    /// If they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    groups: Option<Vec<Group>>,
}

/// Which figures an actor is shown, of those that are about properties which portals may hide.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) due: bool,
    pub(super) ratings: bool,
}

impl Shown {
    fn to(actor: &Actor) -> Self {
        Self {
            due: actor.is_shown(&portal::Property::DueAt),
            ratings: actor.is_shown(&portal::Property::Rating),
        }
    }
}

/// Somebody with so many tickets, and so many of them open. Nobody is `id: null`.
#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    #[schema(required = true)]
    id: Option<Uuid>,
    #[schema(required = true)]
    name: Option<String>,
    count: i64,
    open: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct Day {
    #[schema(value_type = String, format = Date)]
    day: Date,
    count: i64,
}

/// What requesters thought of the work.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Ratings {
    count: i64,
    /// Null without any.
    #[schema(required = true)]
    average: Option<f64>,
    /// How many of each score.
    #[schema(value_type = BTreeMap<String, i64>)]
    by_score: BTreeMap<u8, i64>,
}

impl Ratings {
    /// Sums up those among what happened.
    pub(super) fn of<'r>(rows: impl Iterator<Item = &'r HappenedRow>) -> Self {
        let mut ratings = Self::default();
        let mut points = 0;
        for row in rows.filter(|row| row.what == What::Rated) {
            let Some(score) = row.score else { continue };
            ratings.count += row.total;
            points += row.total * i64::from(score);
            *ratings.by_score.entry(score).or_default() += row.total;
        }
        ratings.average = (ratings.count > 0).then(|| quotient(points, ratings.count));
        ratings
    }
}

/// Of numbers of ratings, which never reach the fifty-third power of two.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below what a float holds exactly"
)]
fn quotient(points: i64, count: i64) -> f64 {
    points as f64 / count as f64
}

/// The figures, within what the caller may see.
pub(crate) async fn dashboard(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Json<Dashboard>, Problem> {
    let now = app.clock.now();
    let mut params = Params::read(&uri, &NAMES)?;
    let ask = Ask::read(&mut params, now, &actor);
    params.finish()?;
    answer(&app, &actor, &ask, now).await.map(Json).map_err(problem)
}

async fn answer(app: &App, actor: &Actor, ask: &Ask, now: Timestamp) -> Result<Dashboard, sqlx::Error> {
    let Figures {
        counts,
        happened,
        durations,
    } = figures(&app.db, actor, ask, now).await?;
    let listed: Vec<Uuid> = counts.iter().filter_map(|row| row.value.parse().ok()).collect();
    let moment = ask.as_of.map_or(Moment::Present(now), Moment::Past);
    let names = Names::at(&app.db, listed, moment).await?;
    let all = counts.iter().find(|row| row.dimension == "all");
    let shown = Shown::to(actor);
    let is_shown = |property: Property| property.is_shown_to(actor);
    let by_day = || happened.iter().filter(|row| row.day.is_some());
    Ok(Dashboard {
        total: all.map_or(0, |row| row.total),
        open: all.map_or(0, |row| row.open),
        overdue: shown.due.then(|| all.map_or(0, |row| row.overdue)),
        by_status: by_code(&counts, Property::Status),
        by_type: by_code(&counts, Property::Type),
        by_priority: is_shown(Property::Priority).then(|| by_code(&counts, Property::Priority)),
        by_group: is_shown(Property::Group).then(|| by_id(&counts, Property::Group, EntryKind::Group, &names)),
        by_assignee: is_shown(Property::Assignee).then(|| by_id(&counts, Property::Assignee, EntryKind::User, &names)),
        by_organisation: by_id(&counts, Property::Organisation, EntryKind::Organisation, &names),
        created_by_day: series(by_day(), What::Created),
        closed_by_day: series(by_day(), What::Closed),
        durations: Durations::of_all(&durations),
        ratings: shown.ratings.then(|| Ratings::of(by_day())),
        groups: ask.grouping.map(|grouping| {
            let groups = groups(grouping, &counts, &happened, &durations, &names).into_iter();
            groups.map(|group| group.limited_to(shown)).collect()
        }),
    })
}

/// The counts of one dimension.
pub(super) fn of_property(counts: &[CountRow], property: Property) -> impl Iterator<Item = &CountRow> {
    counts.iter().filter(move |row| row.dimension == property.as_str())
}

fn by_code(counts: &[CountRow], property: Property) -> BTreeMap<String, i64> {
    of_property(counts, property)
        .map(|row| (row.value.clone(), row.total))
        .collect()
}

fn by_id(counts: &[CountRow], property: Property, kind: EntryKind, names: &Names) -> Vec<Listed> {
    let mut listed: Vec<Listed> = of_property(counts, property)
        .map(|row| {
            let id = row.value.parse().ok();
            Listed {
                id,
                name: id.and_then(|id| names.name(kind, id)),
                count: row.total,
                open: row.open,
            }
        })
        .collect();
    listed.sort_by_key(|listed| (Reverse(listed.count), listed.id));
    listed.truncate(LISTED_MAX);
    listed
}

fn series<'r>(by_day: impl Iterator<Item = &'r HappenedRow>, what: What) -> Vec<Day> {
    let mut series: Vec<Day> = by_day
        .filter(|row| row.what == what && row.total > 0)
        .filter_map(|row| row.day.map(|day| Day { day, count: row.total }))
        .collect();
    series.sort_by_key(|day| day.day);
    series
}
