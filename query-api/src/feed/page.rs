//! `GET /v1/events`

use axum::extract::State;
use axum::http::header::{ACCEPT, HOST, LINK};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::problem::FieldError;
use service_kit::problem::types::INVALID_FIELDS;
use sqlx::postgres::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use super::described;
use super::details::Details;
use super::event::{CloudEvent, type_of};
use super::read::{Amount, EventRow, OfTicket, Stretch, Wanted, read};
use super::stream::{self, EVENT_STREAM};
use super::vector::Vector;
use crate::app::App;
use crate::database::problem;
use crate::names::{Names, ids_in};
use crate::page;
use crate::params::Params;

/// How many events a page has if nobody says.
pub(crate) const LIMIT_DEFAULT: u16 = 100;

/// The most events of a page: programs read it, and the fewer requests the better.
pub(crate) const LIMIT_MAX: u16 = 1000;

/// What the details of a page's events may add up to. A page of the longest descriptions would
/// otherwise have hundreds of megabytes.
const PAGE_BYTES_MAX: i64 = 4 * 1024 * 1024;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// `{"items", "position", "next_cursor"}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventPage)]
pub(crate) struct Page {
    #[schema(schema_with = described::events)]
    items: Vec<CloudEvent>,
    /// Where to go on, at any time.
    position: String,
    /// The same if more is there now, else null.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// What a caller asks of the feed.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) wanted: Wanted,
    pub(super) after: Vector,
    pub(super) limit: u16,
    /// Where the caller found this service.
    pub(super) base: String,
}

/// A page of the feed, or the feed itself.
pub(crate) async fn events(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let live = wants_stream(&headers);
    let asked = asked(&uri, &headers, live)?;
    if live {
        return stream::open(app, actor, &headers, asked).await;
    }
    let amount = Amount {
        events: asked.limit,
        bytes: PAGE_BYTES_MAX,
    };
    let stretch = read(&app.db, &actor, &asked.wanted, &asked.after, amount).await?;
    known(&asked.after, &stretch)?;
    let items = public(&app.db, stretch.rows, &asked.base).await?;
    let position = stretch.end.to_string();
    let mut headers = HeaderMap::new();
    if stretch.more
        && let Ok(link) = HeaderValue::from_str(&format!("<{}>; rel=\"next\"", page::next(&uri, "after", &position)))
    {
        headers.insert(LINK, link);
    }
    let page = Page {
        items,
        next_cursor: stretch.more.then(|| position.clone()),
        position,
    };
    Ok((headers, Json(page)).into_response())
}

/// The public form of some events.
pub(super) async fn public(db: &PgPool, rows: Vec<EventRow>, base: &str) -> Result<Vec<CloudEvent>, Problem> {
    let ids = rows
        .iter()
        .flat_map(|row| ids_in(&row.details).into_iter().chain([row.actor_id]).chain(row.via_id));
    let names = Names::of(db, ids.collect()).await.map_err(problem)?;
    rows.into_iter().map(|row| CloudEvent::of(row, &names, base)).collect()
}

/// Refuses positions in partitions that the log does not have.
pub(super) fn known(after: &Vector, stretch: &Stretch) -> Result<(), Problem> {
    let Some(partition) = after.stranger_to(&stretch.reached) else {
        return Ok(());
    };
    let detail = format!("there is no partition {partition}; send positions as this desk gave them");
    Err(Problem::new(&INVALID_FIELDS)
        .detail("The positions are not of this desk's log.")
        .field(FieldError::new("after", "unknown-partition", detail)))
}

fn asked(uri: &Uri, headers: &HeaderMap, live: bool) -> Result<Asked, Problem> {
    let mut params = Params::read(uri, &["after", "limit", "type", "ticket"])?;
    let after = params.one("after", |text| {
        text.parse::<Vector>().map_err(|error| error.to_string())
    });
    let limit = params.one("limit", limit).unwrap_or(LIMIT_DEFAULT);
    let wanted = Wanted {
        events: params.all("type", event),
        ticket: params.one("ticket", ticket),
    };
    let mut after = after.unwrap_or_default();
    // Whoever comes back was further on than when it came first. Pages have `after` alone; but what cannot be read is
    // refused wherever it stands.
    let last = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty());
    if let Some(last) = last {
        match last.to_str().unwrap_or("?").parse() {
            Ok(last) if live => after = last,
            Ok(_) => {}
            Err(error) => {
                let error: super::vector::VectorError = error;
                params.error("Last-Event-ID", "invalid", error.to_string());
            }
        }
    }
    params.finish()?;
    Ok(Asked {
        wanted,
        after,
        limit,
        base: base(uri, headers),
    })
}

/// Whether the caller wants to listen. Whoever names the type at all is a listener; others send `*/*`.
fn wants_stream(headers: &HeaderMap) -> bool {
    let ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    ranges
        .filter_map(|range| range.split(';').next())
        .any(|essence| essence.trim().eq_ignore_ascii_case(EVENT_STREAM))
}

/// Where the caller found this service, because `dataschema` is an absolute URI in `CloudEvents`.
/// Empty, if the request does not say; then it is a path.
fn base(uri: &Uri, headers: &HeaderMap) -> String {
    let host = uri.authority().cloned().or_else(|| {
        let host = headers.get(HOST)?.to_str().ok()?;
        host.parse::<Authority>().ok()
    });
    let secure = headers.get(FORWARDED_PROTO).is_some_and(|proto| proto == "https");
    let scheme = if secure { "https" } else { "http" };
    host.map(|host| format!("{scheme}://{host}")).unwrap_or_default()
}

fn limit(text: &str) -> Result<u16, String> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("must be a whole number from 1 to {LIMIT_MAX}"))
}

fn event(text: &str) -> Result<&'static str, String> {
    let found = Details::EVENTS.iter().copied().find(|event| type_of(event) == text);
    found.ok_or_else(|| {
        let types: Vec<String> = Details::EVENTS.iter().map(|event| type_of(event)).collect();
        format!("must be one of: {}", types.join(", "))
    })
}

fn ticket(text: &str) -> Result<OfTicket, String> {
    if let Ok(id) = text.parse::<Uuid>() {
        return Ok(OfTicket::Id(id));
    }
    let number = text.parse().ok().filter(|number| *number > 0).map(OfTicket::Number);
    number.ok_or_else(|| "must be a ticket's id or number".to_owned())
}
