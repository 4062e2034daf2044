//! The routes of what users choose for themselves.

use domain::notice::NoticeKind;
use domain::settings::Theme;
use serde_json::json;
use service_kit::openapi::people::language;
use service_kit::openapi::schema::{
    Property, Shape, all_of, any_of, boolean, having, names, nullable, object, open_object, optional, reference,
    required,
};
use service_kit::openapi::{Api, Operation, json as json_body};
use utoipa::openapi::Required;

use super::sessions::{BARE, WITH_BODY};
use crate::http::SETTINGS;

const TAG: &str = "settings";

/// Adds them, and what they take and answer.
pub(super) fn with_settings(api: Api) -> Api {
    let theme = || names(Theme::ALL.map(Theme::as_str));
    let spoken_in = nullable(language());
    let spoken = "In which language pages and mails are; null: the profile's.";
    let mailed = "Which are mailed to oneself.";
    let written = [
        optional("theme", "`system`, if left out.", nullable(theme())),
        optional("language", spoken, spoken_in.clone()),
        optional(
            "notices",
            "Which are mailed to oneself; those that are left out are.",
            nullable(object(notices(optional))),
        ),
    ];
    let answered = [
        required("theme", "How pages look: as the device has it, or one of two.", theme()),
        required("language", spoken, spoken_in),
        required("notices", mailed, open_object(notices(required))),
    ];
    let something = any_of(SETTINGS.map(having));
    api.schema("SettingsWritten", all_of([object(written), something]))
        .schema("Settings", open_object(answered))
        .get("/v1/settings", own())
        .put("/v1/settings", replace())
}

fn notices(member: fn(&str, &str, Shape) -> Property) -> [Property; NoticeKind::ALL.len()] {
    NoticeKind::ALL.map(|kind| member(kind.as_str(), kind.about(), boolean()))
}

fn own() -> Operation {
    Operation::new("ownSettings", TAG, "What the caller chose for themselves")
        .for_callers()
        .answer(200, "All of it.", json_body(reference("Settings")))
        .problems(&BARE)
}

fn replace() -> Operation {
    let example = json!({ "theme": "dark", "language": "es", "notices": { "comment": false } });
    Operation::new("replaceSettings", TAG, "Choose for oneself")
        .about("All of it: what is left out is as if nobody had chosen it. Something has to be there.")
        .for_callers()
        .body(Required::True, json_body(reference("SettingsWritten")).example(example))
        .answer(200, "It is kept.", json_body(reference("Settings")))
        .problems(&WITH_BODY)
}
