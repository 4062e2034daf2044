//! `GET /v1/tickets/export`

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use domain::actor::Actor;
use domain::people::Language;
use jiff::Timestamp;
use service_kit::http::{Caller, token_hash};
use service_kit::tokens::TokenHash;
use service_kit::{Problem, chain};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::super::list::Selection;
use super::encode::{EncodeError, Input, Style, encode};
use super::format::Format;
use super::language;
use super::outlet::{Gone, Outlet, WhyGone};
use super::reading::{Batch, Reading};
use super::running::Running;
use crate::app::App;
use crate::database::problem;

/// The longest that an export may run. As long as it does, Postgres keeps every row that has
/// changed since it began.
const LASTS_MAX: Duration = Duration::from_hours(1);

/// A caller that takes nothing for so long has gone without saying so, or might as well have:
/// others wait for its place.
const PATIENCE: Duration = Duration::from_mins(1);

/// Batches that wait for the encoder, besides the one that it is at: so it need not wait for the
/// database, and more would only be held.
const BATCHES_MAX: usize = 1;

/// Why an export did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the rows cannot be read")]
    Read(#[source] sqlx::Error),
    #[error("the file cannot be made")]
    Encode(#[source] EncodeError),
    #[error("the encoder panicked")]
    Panicked(#[source] tokio::task::JoinError),
    #[error("it took longer than {} minutes", LASTS_MAX.as_secs() / 60)]
    TooLong,
    #[error("the caller's token is worth nothing any more")]
    ShutOut,
    #[error(transparent)]
    Gone(Gone),
}

/// All tickets of a selection, as a file.
pub(crate) async fn export(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let now = app.clock.now();
    let token = token_hash(&headers).ok_or_else(Problem::internal)?;
    let (mut selection, format, language) = read(&uri, now, &actor)?;
    selection.view.permitted(&actor)?;
    selection.settle(&app.db, &actor).await?;
    let running = app.exports.enter(actor.user)?;
    // What goes wrong before the first row is still a problem like any other.
    let mut reading = Reading::open(&app, &selection, &actor).await.map_err(problem)?;
    let first = reading.next().await.map_err(problem)?;

    let cut = running.cut();
    let (outlet, why_gone, body) = Outlet::open(PATIENCE, cut.clone());
    let style = Style {
        format,
        language,
        fields: selection.fields,
    };
    let making = Making {
        reading,
        first,
        style,
        outlet,
        why_gone,
        running,
        cut,
    };
    tokio::spawn(making.run(app, token));
    Ok((format.headers(now), body).into_response())
}

fn read(uri: &Uri, now: Timestamp, actor: &Actor) -> Result<(Selection, Format, Language), Problem> {
    let mut params = Selection::params(uri, &["format", "lang"], actor)?;
    let selection = Selection::read(&mut params, now, actor);
    let language = params.one("lang", language::parse).unwrap_or_default();
    let format = params.required("format", Format::parse);
    params.finish()?;
    let format = format.ok_or_else(Problem::internal)?;
    Ok((selection, format, language))
}

/// A file in the making.
#[derive(Debug)]
struct Making {
    reading: Reading,
    first: Option<Batch>,
    style: Style,
    outlet: Outlet,
    why_gone: WhyGone,
    running: Running,
    cut: CancellationToken,
}

impl Making {
    /// Runs to the end, whichever that is, and logs which. The end of the caller's token is one.
    async fn run(self, app: App, token: TokenHash) {
        let (format, cut, why_gone) = (self.style.format.as_str(), self.cut.clone(), self.why_gone.clone());
        let made = tokio::select! {
            made = tokio::time::timeout(LASTS_MAX, self.make()) => made.unwrap_or(Err(Failure::TooLong)),
            () = cut.cancelled() => Err(Failure::Gone(Gone::Cut)),
            () = app.until_worthless(token) => Err(Failure::ShutOut),
        };
        // Wakes an encoder that waits for its caller.
        cut.cancel();
        let made = made.map_err(|failure| match (failure, why_gone.get()) {
            // The encoder's own error is only the way in which it heard of this.
            (Failure::Encode(_), Some(gone)) => Failure::Gone(gone),
            (failure, _) => failure,
        });
        match made {
            Ok(rows) => tracing::info!(export.format = format, rows, "{rows} tickets exported as {format}"),
            Err(failure @ (Failure::Gone(_) | Failure::ShutOut | Failure::TooLong)) => {
                tracing::info!(export.format = format, "an export broke off: {}", chain(&failure));
            }
            Err(failure @ Failure::Read(_)) => {
                tracing::warn!(export.format = format, "an export broke off: {}", chain(&failure));
            }
            Err(failure @ (Failure::Encode(_) | Failure::Panicked(_))) => {
                tracing::error!(export.format = format, "an export broke off: {}", chain(&failure));
            }
        }
    }

    /// Reads and encodes, and returns how many rows it was.
    async fn make(self) -> Result<usize, Failure> {
        let (batches, input) = mpsc::channel(BATCHES_MAX);
        let (style, outlet, running) = (self.style, self.outlet, self.running);
        // The encoder may be at it for longer than this future is there: the place is its own.
        let encoding = spawn_blocking(move || encode(style, input, outlet, running));
        feed(self.reading, self.first, &batches).await.map_err(Failure::Read)?;
        let encoded = encoding.await.map_err(Failure::Panicked)?;
        encoded.map_err(Failure::Encode)
    }
}

/// Hands all rows to the encoder, and says that it was all.
async fn feed(mut reading: Reading, first: Option<Batch>, batches: &mpsc::Sender<Input>) -> Result<(), sqlx::Error> {
    let mut next = first;
    while let Some(batch) = next {
        // An encoder that is no longer there says itself why.
        if batches.send(Input::Batch(batch)).await.is_err() {
            return Ok(());
        }
        next = reading.next().await?;
    }
    // The database has done its part, however long the file takes from here.
    drop(reading);
    let _ = batches.send(Input::End).await;
    Ok(())
}
