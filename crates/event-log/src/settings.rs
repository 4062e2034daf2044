//! What users choose for themselves, in a key-value bucket: no facts, so that nobody needs to know what they were before.

use async_nats::jetstream::kv::Store;
use domain::ids::UserId;
use domain::notice::NoticeKind;
use domain::people::Language;
use domain::settings::{Settings, Theme};
use serde::{Deserialize, Serialize};

use crate::buckets::Bucket;
use crate::connection::Connection;

const SETTINGS: Bucket = Bucket {
    name: "rc-settings",
    description: "Recourse: what users chose for themselves",
    max_age: None,
    history: 1,
};

/// Settings cannot be read or kept now.
#[derive(Debug, thiserror::Error)]
#[error("settings cannot be read or kept")]
pub struct SettingsError(#[source] async_nats::Error);

fn unavailable(error: impl Into<async_nats::Error>) -> SettingsError {
    SettingsError(error.into())
}

/// Settings as they are kept, by their names. What a newer release wrote and this one does not know is as if nobody had
/// chosen it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    theme: String,
    language: Option<String>,
    muted: Vec<String>,
}

impl From<&Settings> for Kept {
    fn from(settings: &Settings) -> Self {
        Self {
            theme: settings.theme.as_str().to_owned(),
            language: settings.language.map(|language| language.as_str().to_owned()),
            muted: settings.muted.iter().map(|kind| kind.as_str().to_owned()).collect(),
        }
    }
}

impl From<Kept> for Settings {
    fn from(kept: Kept) -> Self {
        Self {
            theme: Theme::parse(&kept.theme).unwrap_or(Theme::System),
            language: kept.language.as_deref().and_then(Language::parse),
            muted: kept.muted.iter().filter_map(|name| NoticeKind::parse(name)).collect(),
        }
    }
}

/// What users chose. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SettingsStore(Store);

impl SettingsStore {
    pub(crate) async fn ensure(connection: &Connection, replicas: usize) -> Result<Self, SettingsError> {
        let bucket = SETTINGS.ensure(&connection.context, replicas).await;
        bucket.map(Self).map_err(unavailable)
    }

    /// What a user chose; the usual, if they chose nothing.
    pub async fn of(&self, user: UserId) -> Result<Settings, SettingsError> {
        let Some(kept) = self.0.get(key(user)).await.map_err(unavailable)? else {
            return Ok(Settings::default());
        };
        let kept: Kept = serde_json::from_slice(&kept).map_err(unavailable)?;
        Ok(kept.into())
    }

    /// Keeps what a user chose, whole. Of two at once the later one counts.
    pub async fn put(&self, user: UserId, settings: &Settings) -> Result<(), SettingsError> {
        let kept = serde_json::to_vec(&Kept::from(settings)).map_err(unavailable)?;
        let written = self.0.put(key(user), kept.into()).await;
        written.map(|_| ()).map_err(unavailable)
    }
}

fn key(user: UserId) -> String {
    user.as_uuid().simple().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_kept_is_read_and_what_is_unknown_left_out() {
        let settings = Settings {
            theme: Theme::Dark,
            language: Some(Language::Spanish),
            muted: BTreeSet::from([NoticeKind::Comment, NoticeKind::Closed]),
        };
        assert_eq!(Settings::from(Kept::from(&settings)), settings);
        let newer = br#"{"theme":"sepia","language":"tlh","muted":["comment","dreams"],"font":"large"}"#;
        let read = Settings::from(serde_json::from_slice::<Kept>(newer).unwrap());
        let known = Settings {
            muted: BTreeSet::from([NoticeKind::Comment]),
            ..Settings::default()
        };
        assert_eq!(read, known);
    }
}
