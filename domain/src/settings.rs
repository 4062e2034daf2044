//! What users choose for themselves. It is no fact about anybody: it changes nothing but what they see and are told.

use std::collections::BTreeSet;

use crate::notice::NoticeKind;
use crate::people::Language;
use crate::words::words;

words! {
    /// How pages look.
    Theme 3 {
        /// As the device has it.
        System "system",
        /// Dark on light.
        Light "light",
        /// Light on dark.
        Dark "dark",
    }
}

/// What a user chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How pages look.
    pub theme: Theme,
    /// In which language pages and mails are; `None`: the one that their profile says.
    pub language: Option<Language>,
    /// What they do not want to be told.
    pub muted: BTreeSet<NoticeKind>,
}

impl Default for Settings {
    /// Those of somebody who chose nothing: they are told everything that concerns them.
    fn default() -> Self {
        Self {
            theme: Theme::System,
            language: None,
            muted: BTreeSet::new(),
        }
    }
}

impl Settings {
    /// Whether the user wants to be told that.
    pub fn wants(&self, kind: NoticeKind) -> bool {
        !self.muted.contains(&kind)
    }
}
