//! `GET /v1/tickets/{id}/sla`

use std::collections::{BTreeMap, BTreeSet, HashMap};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::{Extension, Json};
use domain::calendar::{Calendar, WorkingTime};
use domain::policy::WaitLength;
use domain::sla::stored::ROUND_THE_CLOCK;
use domain::sla::{Clock, Clocks, Edition, Explanation, Part, PartKind, PauseReason, Pin};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use service_kit::body::calendar;
use service_kit::http::Caller;
use service_kit::problem::types::{QUERY_TOO_EXPENSIVE, READ_MODEL_BEHIND};
use service_kit::{Problem, chain};
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use super::clocks::{ClocksError, Promised, clocks};
use super::one::Named;
use super::timeline::find;
use crate::access::for_staff;
use crate::app::App;
use crate::database::problem;
use crate::feed::details::{CountedTime, Target};
use crate::moment::Moment;
use crate::openapi;
use crate::params::Params;

/// What was promised to a ticket, and where every minute of it went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketSla)]
pub(crate) struct Promises {
    id: Uuid,
    /// The instant at which the clocks are looked at.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// In the order in which they started. Empty: no policy promises this ticket anything.
    targets: Vec<Promise>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TargetSla)]
struct Promise {
    target: Target,
    /// Which of the ticket's clocks for that target, from 1; only the next response has more than one.
    number: u32,
    #[schema(schema_with = openapi::clock_states)]
    state: &'static str,
    policy: Source,
    policy_version: u32,
    calendar: Source,
    calendar_version: u32,
    /// The time allowed, such as `PT4H`.
    within: String,
    /// Which time that is.
    time: CountedTime,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    ended_at: Option<Timestamp>,
    /// When it warns if it goes on as it does, or did last.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    warn_at: Option<Timestamp>,
    /// When it is due if it goes on as it does; null while it stands still with time left.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    due_at: Option<Timestamp>,
    /// When its time was over.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    breached_at: Option<Timestamp>,
    /// The sum of the running segments.
    elapsed: String,
    /// What is left; negative beyond it.
    remaining: String,
    segments: Vec<Segment>,
}

/// A policy or a calendar. `round_the_clock` is the calendar of policies that name none.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SlaSource)]
struct Source {
    id: String,
    #[schema(required = true)]
    name: Option<String>,
}

/// A stretch of time with one reason why it counts or does not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SlaSegment)]
struct Segment {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Only `running` counts.
    #[schema(schema_with = openapi::part_kinds)]
    kind: &'static str,
    /// What made a paused clock stand still.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    paused_by: Option<PausedBy>,
    /// The date of a holiday or a closure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = Date)]
    date: Option<Date>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SlaPausedBy)]
struct PausedBy {
    /// The ticket's record that did.
    #[schema(minimum = 1)]
    revision: u64,
    /// What happened in it first. Null: it says nothing but of clocks.
    #[schema(required = true)]
    event: Option<String>,
    /// The status in which the clock stands still. Null: for that time no policy promised it.
    #[schema(required = true)]
    status: Option<&'static str>,
}

/// The clocks of a ticket, explained.
pub(crate) async fn sla(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Promises>, Problem> {
    let mut params = Params::read(&uri, &["as_of"])?;
    let moment = Moment::read(&mut params, app.clock.now());
    params.finish()?;
    let ticket = find(&app, Named::parse(&path?)?, &actor, moment).await?;
    for_staff(&actor, "Promised times are for staff.")?;
    let promised = clocks(&app.db, ticket).await.map_err(unreadable)?;
    let at = promised.clocks.at(moment.at());
    if promised.clocks.iter().any(|clock| lasted(clock, at) > LIFE_MAX) {
        return Err(Problem::new(&QUERY_TOO_EXPENSIVE).detail(
            "A clock of this ticket has run for more than a hundred years, and each of its hours would be told. Ask with as_of about an earlier moment.",
        ));
    }
    let shelf = Shelf::of(&app.db, &promised.clocks).await?;
    let explained = promised.clocks.explain_by(at, |pin| shelf.hours(pin))?;
    Ok(Json(Promises {
        id: ticket.id,
        at,
        targets: explained.iter().map(|it| promise(it, &promised, &shelf)).collect(),
    }))
}

/// Some hundred thousand segments: more than any ticket that people live to see, less than what takes the memory of others.
const LIFE_MAX: SignedDuration = SignedDuration::from_hours(100 * 366 * 24);

fn lasted(clock: &Clock, at: Timestamp) -> SignedDuration {
    clock
        .ended
        .map_or(at, |ended| ended.at)
        .duration_since(clock.started_at)
}

fn unreadable(error: ClocksError) -> Problem {
    match error {
        ClocksError::Database(error) => problem(error),
        ClocksError::Unreadable(error) => {
            tracing::error!("the clocks of a ticket cannot be told: {}", chain(&error));
            Problem::internal()
        }
    }
}

/// What clocks are pinned to, by its versions.
#[derive(Debug, Default)]
struct Shelf {
    calendars: HashMap<Edition, Calendar>,
    names: BTreeMap<Edition, String>,
}

type VersionRow = (Uuid, i64, String);

impl Shelf {
    /// What these clocks are pinned to, now and before.
    async fn of(db: &PgPool, clocks: &Clocks) -> Result<Self, Problem> {
        let pins = clocks.iter().flat_map(|clock| {
            let terms = clock.earlier.iter().chain([&clock.terms]);
            terms.map(|terms| &terms.pin)
        });
        let pins: BTreeSet<&Pin> = pins.collect();
        let mut shelf = Self::default();
        shelf
            .calendars
            .insert(Edition::new(ROUND_THE_CLOCK, 1), Calendar::round_the_clock());
        let (ids, versions) = keys(pins.iter().map(|pin| &pin.calendar));
        let calendars: Vec<(Uuid, i64, String, String, Value)> = sqlx::query_as(
            "SELECT id, version, name, time_zone, definition FROM desk.calendar_versions
             WHERE (id, version) IN (SELECT * FROM unnest($1, $2))",
        )
        .bind(ids)
        .bind(versions)
        .fetch_all(db)
        .await
        .map_err(problem)?;
        for (id, version, name, time_zone, definition) in calendars {
            let edition = edition(id, version);
            let calendar = read_calendar(&name, time_zone, definition)?;
            shelf.calendars.insert(edition.clone(), calendar);
            shelf.names.insert(edition, name);
        }
        let (ids, versions) = keys(pins.iter().map(|pin| &pin.policy));
        let policies: Vec<VersionRow> = sqlx::query_as(
            "SELECT id, version, name FROM desk.policy_versions
             WHERE (id, version) IN (SELECT * FROM unnest($1, $2))",
        )
        .bind(ids)
        .bind(versions)
        .fetch_all(db)
        .await
        .map_err(problem)?;
        let named = policies
            .into_iter()
            .map(|(id, version, name)| (edition(id, version), name));
        shelf.names.extend(named);
        Ok(shelf)
    }

    /// The hours that a clock counts by.
    fn hours(&self, pin: &Pin) -> Result<&Calendar, Problem> {
        self.calendars.get(&pin.calendar).ok_or_else(|| {
            Problem::new(&READ_MODEL_BEHIND)
                .detail("The read model has a ticket's clock, and not yet the calendar that it counts by. Ask again.")
                .retry_after(1)
        })
    }

    fn source(&self, edition: &Edition) -> Source {
        Source {
            id: edition.id.to_string(),
            name: self.names.get(edition).cloned(),
        }
    }
}

/// Ids and versions of what is stored.
fn keys<'e>(editions: impl Iterator<Item = &'e Edition>) -> (Vec<Uuid>, Vec<i64>) {
    editions
        .filter_map(|edition| Some((edition.id.as_str().parse::<Uuid>().ok()?, i64::from(edition.version))))
        .unzip()
}

fn edition(id: Uuid, version: i64) -> Edition {
    Edition::new(&id.to_string(), u32::try_from(version).unwrap_or(u32::MAX))
}

fn read_calendar(name: &str, time_zone: String, definition: Value) -> Result<Calendar, Problem> {
    let mut body: Map<String, Value> = match definition {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    body.insert("name".to_owned(), name.into());
    body.insert("time_zone".to_owned(), time_zone.into());
    let (calendar, _) = calendar::calendar(&body).map_err(|_| {
        tracing::error!("a stored calendar, {name}, cannot be read");
        Problem::internal()
    })?;
    Ok(calendar)
}

fn promise(explained: &Explanation, promised: &Promised, shelf: &Shelf) -> Promise {
    let Explanation { pin, clock, within, .. } = explained;
    Promise {
        target: clock.target.into(),
        number: clock.number,
        state: explained.state.as_str(),
        policy: shelf.source(&pin.policy),
        policy_version: pin.policy.version,
        calendar: shelf.source(&pin.calendar),
        calendar_version: pin.calendar.version,
        within: WorkingTime(within.duration()).to_string(),
        time: match within {
            WaitLength::Working(_) => CountedTime::Working,
            WaitLength::Elapsed(_) => CountedTime::Elapsed,
        },
        started_at: explained.started_at,
        ended_at: explained.ended_at,
        warn_at: explained.warn_at,
        due_at: explained.due_at,
        breached_at: explained.breached_at,
        elapsed: WorkingTime(explained.elapsed).to_string(),
        remaining: WorkingTime(explained.remaining).to_string(),
        segments: explained.parts.iter().map(|part| segment(part, promised)).collect(),
    }
}

fn segment(part: &Part, promised: &Promised) -> Segment {
    let Part { from, to, kind } = *part;
    let (paused_by, date) = match kind {
        PartKind::Running | PartKind::OutsideHours => (None, None),
        PartKind::Paused { by, reason } => {
            let paused_by = PausedBy {
                revision: by.0,
                event: promised.causes.get(&by).cloned(),
                status: match reason {
                    PauseReason::Status(status) => Some(status.as_str()),
                    PauseReason::Withdrawn => None,
                },
            };
            (Some(paused_by), None)
        }
        PartKind::Holiday(date) | PartKind::Closure(date) => (None, Some(date)),
    };
    Segment {
        from,
        to,
        kind: kind.as_str(),
        paused_by,
        date,
    }
}
