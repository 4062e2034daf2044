//! `--policy`: a preset by name, or a TOML file.
//!
//! ```toml
//! name = "quick/1"
//! information = { working = "PT40H" }  # or { elapsed = "PT30S" }; left out: no such wait
//! closure = { elapsed = "PT30S" }
//! reply_resumes = true                 # left out: true
//!
//! [calendar]                           # may be left out if no wait counts working time
//! name = "Support desk Moscow"
//! time_zone = "Europe/Moscow"
//! week = { mon = [["09:00", "13:00"], ["14:00", "18:00"]] }
//! holidays = ["2026-01-01"]
//! overrides = [{ date = "2026-02-14", intervals = [["09:00", "15:00"]] }]
//! closures = [{ date = "2026-03-06", intervals = [["16:00", "18:00"]] }]
//! ```

mod calendar;
mod load;
mod problem;

pub use load::{PolicyFileError, load};
pub use problem::FieldProblem;
