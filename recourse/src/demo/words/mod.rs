//! What people write, in three languages. In every list the first is used often and the last hardly ever, so that a
//! search has common words and rare ones.
//!
//! Places to be filled: `{thing}`, `{code}`, `{host}`, `{time}`, `{number}`.

mod english;
mod russian;
mod spanish;
mod things;

pub(super) use things::{CATEGORIES, ENVIRONMENTS, GROUPS, SERVICES, SYSTEMS, VERSIONS};

/// A language that people write in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Russian,
    English,
    Spanish,
}

impl Language {
    /// In the order of `figures::LANGUAGES`.
    pub(super) const ALL: [Self; 3] = [Self::Russian, Self::English, Self::Spanish];

    /// What is written in it.
    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Russian => &russian::WORDS,
            Self::English => &english::WORDS,
            Self::Spanish => &spanish::WORDS,
        }
    }
}

/// Words and phrases of one language.
#[derive(Debug)]
pub(super) struct Words {
    /// Things that tickets are about.
    pub(super) things: &'static [&'static str],
    /// Subjects of outages and defects.
    pub(super) faults: &'static [&'static str],
    /// Subjects of consultations.
    pub(super) queries: &'static [&'static str],
    /// Subjects of feature requests.
    pub(super) wishes: &'static [&'static str],
    /// Under which circumstances: after a subject.
    pub(super) circumstances: &'static [&'static str],
    /// Sentences of descriptions.
    pub(super) sentences: &'static [&'static str],
    /// What staff ask.
    pub(super) questions: &'static [&'static str],
    /// What requesters answer.
    pub(super) answers: &'static [&'static str],
    /// What solved it.
    pub(super) solutions: &'static [&'static str],
    /// What staff tell each other.
    pub(super) notes: &'static [&'static str],
    /// What staff tell requesters.
    pub(super) remarks: &'static [&'static str],
    /// What requesters say meanwhile.
    pub(super) reminders: &'static [&'static str],
    /// Why work waits.
    pub(super) delays: &'static [&'static str],
    /// Why a solution is none, or the fault is back.
    pub(super) objections: &'static [&'static str],
    /// Why a ticket is closed without a solution.
    pub(super) reasons: &'static [&'static str],
    /// What people say at the end.
    pub(super) farewells: &'static [&'static str],
    /// First names of people.
    pub(super) first_names: &'static [&'static str],
    /// Last names of people, good for all of them.
    pub(super) last_names: &'static [&'static str],
    /// Names of organisations: what sort, first half, second half, where.
    pub(super) organisations: [&'static [&'static str]; 4],
}
