//! How far some work has come, on standard error: a bar on a terminal, and a line now and then where that is none.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};

/// How often a line is written where there is no terminal: a log of an hour's work stays short.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Work that is made of things of one sort.
#[derive(Debug)]
pub(crate) struct Shown {
    bar: ProgressBar,
    what: &'static str,
    written: Mutex<Instant>,
}

impl Shown {
    /// So many are to do of what is called that.
    pub(crate) fn new(length: u64, what: &'static str) -> Self {
        let template = format!("{{bar:40}} {{pos}}/{{len}} {what}, {{rate}} a second, {{eta}} left {{msg}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style.with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // There is nobody to tell that it could not be written.
            let _ = write!(out, "{:.0}", state.per_sec());
        });
        Self {
            bar: ProgressBar::new(length).with_style(style),
            what,
            written: Mutex::new(Instant::now()),
        }
    }

    /// So many more are done.
    pub(crate) fn advance(&self, done: u64) {
        self.bar.inc(done);
        self.write();
    }

    /// So many are done of so many, and this is being done now.
    pub(crate) fn set(&self, done: u64, length: u64, stage: &'static str) {
        self.bar.set_length(length);
        self.bar.set_position(done);
        self.bar.set_message(stage);
        self.write();
    }

    /// All is done.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn write(&self) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.bar.is_hidden() || written.elapsed() < LINE_EVERY {
            return;
        }
        *written = Instant::now();
        let Self { bar, what, .. } = self;
        let (done, length) = (bar.position(), bar.length().unwrap_or_default());
        let pace = if done < length {
            format!(", {:.0} a second, {} left", bar.per_sec(), HumanDuration(bar.eta()))
        } else {
            String::new()
        };
        let line = format!("{done}/{length} {what}{pace} {}", bar.message());
        // The work goes on if nobody reads of it.
        let _ = writeln!(std::io::stderr(), "{}", line.trim_end());
    }
}
