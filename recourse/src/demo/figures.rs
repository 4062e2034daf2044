//! How real tickets come and live, as a few tables.
//!
//! Derived from the beginning of the public audit log of an IT company's service desk: C. A. L. do Amaral, M. Fantinato
//! and S. M. Peres, "Incident management process enriched event log", UCI Machine Learning Repository no. 498, CC BY
//! 4.0. The part used has 5,998 updates of 890 incidents of 639 callers, with its states mapped as the importer maps
//! them (see `recourse/src/import/path.rs`). What that log does not know is marked as our own choice.

/// Arrivals by hour of the day, on the first two days (the third is cut off in the afternoon).
pub(super) const ARRIVALS_BY_HOUR: [u64; 24] = [
    0, 6, 2, 1, 1, 1, 4, 7, 41, 68, 53, 44, 46, 34, 50, 53, 34, 24, 9, 17, 11, 7, 4, 5,
];

/// Updates by day of the week, from Monday: those made by people, later than a week after the incident was opened.
/// Of arrivals the log has only three weekdays.
pub(super) const UPDATES_BY_DAY: [u64; 7] = [175, 249, 264, 214, 169, 62, 1];

/// Minutes until somebody first takes an incident up: every tenth of the distribution.
pub(super) const MINUTES_UNTIL_TAKEN: [u64; 11] = [0, 0, 3, 11, 56, 315, 1_125, 1_702, 2_982, 5_715, 24_678];

/// Minutes that work takes until the incident is solved or has to wait. The last tenth ends at the 99th hundredth.
pub(super) const MINUTES_OF_WORK: [u64; 11] = [0, 3, 9, 31, 146, 943, 1_612, 3_197, 8_642, 28_976, 111_078];

/// Minutes until the caller answers a question, or work goes on without an answer.
pub(super) const MINUTES_UNTIL_ANSWERED: [u64; 11] = [
    1, 230, 1_162, 2_474, 4_096, 8_137, 10_137, 14_544, 25_302, 57_173, 347_264,
];

/// Minutes until a vendor or another team has found a remedy.
pub(super) const MINUTES_UNTIL_FIXED: [u64; 11] =
    [2, 2, 925, 1_455, 2_639, 7_064, 11_236, 18_440, 23_062, 60_433, 332_489];

/// What work comes to, from the transitions out of `New` and `Active`: a solution (380 + 222), a question (228 + 80), a
/// wait for somebody else's work (21 + 9).
pub(super) const WORK_COMES_TO: [u64; 3] = [602, 308, 30];
/// The same for feature requests, which that log does not have: most are waited for. Our own choice.
pub(super) const WORK_ON_FEATURES_COMES_TO: [u64; 3] = [400, 150, 450];

/// Incidents by the number of times that they were given to somebody else.
pub(super) const REASSIGNMENTS: [u64; 10] = [499, 204, 92, 33, 16, 14, 11, 7, 5, 9];

/// Solutions with which the caller did not agree: 11 of 901.
pub(super) const DECLINED_PER_THOUSAND: u64 = 12;
/// Closed incidents that were opened again: 10 of 890, and some by us that the caller took for a new one.
pub(super) const REOPENED_PER_THOUSAND: u64 = 15;
/// Solutions that the caller confirms before the desk closes by itself. That log's desk closes nearly all of them by
/// itself, after 120 hours: hence our own choice.
pub(super) const CONFIRMED_PER_THOUSAND: u64 = 280;

/// Incidents by priority: critical, high, medium, low.
pub(super) const PRIORITIES: [u64; 4] = [15, 33, 757, 85];

/// Incidents by category; a few stand for most.
pub(super) const CATEGORIES: [u64; 27] = [
    204, 166, 62, 55, 45, 45, 44, 34, 34, 30, 29, 26, 21, 15, 13, 12, 11, 9, 8, 5, 4, 4, 4, 3, 1, 1, 1,
];

/// Incidents by the group that had them last; one is the first line, and many have a handful.
pub(super) const GROUPS: [u64; 50] = [
    175, 59, 53, 51, 38, 37, 35, 34, 34, 34, 31, 28, 27, 20, 20, 17, 16, 16, 16, 15, 8, 8, 8, 7, 7, 7, 6, 5, 5, 5, 4,
    4, 4, 4, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1,
];

/// Tickets by type, for each priority: outage, defect, consultation, feature request. Our own choice.
pub(super) const TYPES: [[u64; 4]; 4] = [[9, 1, 0, 0], [6, 4, 0, 0], [1, 44, 40, 15], [0, 15, 45, 40]];

/// Organisations by language: Russian, English, Spanish. Our own choice.
pub(super) const LANGUAGES: [u64; 3] = [55, 25, 20];

/// Ratings from 1 to 5. Our own choice: people rate when they are glad or cross.
pub(super) const RATINGS: [u64; 5] = [8, 5, 10, 27, 50];
/// Closings that are rated. Our own choice.
pub(super) const RATED_PER_THOUSAND: u64 = 220;

/// Sentences of a description: from a single line to several paragraphs. Our own choice.
pub(super) const SENTENCES: [u64; 9] = [1, 1, 2, 2, 3, 4, 6, 9, 24];
