//! `/v1/settings`: what the caller chose for themselves.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use domain::notice::NoticeKind;
use domain::people::Language;
use domain::settings::{Settings, Theme};
use serde_json::{Map, Value, json};
use service_kit::Problem;
use service_kit::body::{Fields, Unreadable, object, one_of, pointer};
use service_kit::http::{ApiJson, Caller};
use service_kit::problem::FieldError;

use super::headers::refuse_parameters;
use super::sessions::NO_STORE;
use crate::app::App;
use crate::problem::of_settings;

/// What one chooses.
pub(crate) const MEMBERS: [&str; 3] = ["theme", "language", "notices"];

/// `GET /v1/settings`: one's own.
pub(super) async fn own(State(app): State<App>, uri: Uri, Caller(caller): Caller) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    let settings = app
        .settings
        .of(caller.user)
        .await
        .map_err(|error| of_settings(&error))?;
    Ok(answer(&settings))
}

/// `PUT /v1/settings`: one's own, whole. What is left out is as if nobody had chosen it; something has to be there.
pub(super) async fn replace(
    State(app): State<App>,
    uri: Uri,
    Caller(caller): Caller,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    let settings = read(&object(body)?)?;
    let caller = app.by_now(&caller)?;
    let kept = app.settings.put(caller.user, &settings).await;
    kept.map_err(|error| of_settings(&error))?;
    Ok(answer(&settings))
}

fn read(body: &Map<String, Value>) -> Result<Settings, Problem> {
    let mut fields = Fields::new(body);
    let theme = fields.optional("theme", |value| one_of(&Theme::ALL, Theme::as_str, value));
    let language = fields.optional("language", |value| one_of(&Language::ALL, Language::as_str, value));
    let object = |value: &Value| value.as_object().cloned().ok_or(Unreadable::Type("an object"));
    let notices = fields.optional("notices", object).unwrap_or_default();
    // A body that was lost on the way changes nothing.
    fields.require_any(&MEMBERS);
    let (muted, malformed) = muted(&notices);
    fields.take_in(malformed, Vec::new());
    fields.finish()?;
    Ok(Settings {
        theme: theme.unwrap_or(Theme::System),
        language,
        muted,
    })
}

/// Which notices are turned off, and what of it cannot be read.
fn muted(notices: &Map<String, Value>) -> (BTreeSet<NoticeKind>, Vec<FieldError>) {
    let (mut muted, mut malformed) = (BTreeSet::new(), Vec::new());
    // Some that are wrong tell as much as all, and each names all kinds.
    for (name, value) in notices.iter().take(NoticeKind::ALL.len() * 2) {
        let pointer = format!("/notices{}", pointer(name));
        match (NoticeKind::parse(name), value) {
            (Some(kind), Value::Bool(false)) => {
                muted.insert(kind);
            }
            (Some(_), Value::Bool(true)) => {}
            (Some(_), _) => malformed.push(FieldError::new(pointer, "wrong_type", "must be true or false")),
            (None, _) => {
                let known = NoticeKind::ALL.map(NoticeKind::as_str).join(", ");
                let detail = format!("is no kind of notice; there are {known}");
                malformed.push(FieldError::new(pointer, "unknown_field", detail));
            }
        }
    }
    (muted, malformed)
}

fn answer(settings: &Settings) -> Response {
    let notices = NoticeKind::ALL.map(|kind| (kind.as_str().to_owned(), Value::Bool(settings.wants(kind))));
    let body = json!({
        "theme": settings.theme.as_str(),
        "language": settings.language.map(Language::as_str),
        "notices": Map::from_iter(notices),
    });
    (NO_STORE, Json(body)).into_response()
}
