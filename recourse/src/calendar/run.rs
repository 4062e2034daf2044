//! The subcommands, and what they print.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::Value;
use uuid::Uuid;

use crate::api::{ApiArgs, Sent};
use crate::files;

/// A desk answers at once, or after it has waited for its log for some seconds.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Arguments of `recourse calendar`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add the all-day events of an iCalendar file (.ics) to a calendar as holidays, as a new version.
    ///
    /// Yearly events are written out until ten years after this one. Events at an hour are listed and passed over; a file with
    /// events that cannot be read is refused whole. Running it again adds nothing twice.
    ImportHolidays(ImportHolidays),
}

#[derive(Debug, clap::Args)]
struct ImportHolidays {
    /// The file.
    file: PathBuf,
    /// The calendar's id; GET /v1/calendars lists them.
    #[arg(long, value_name = "ID")]
    calendar: Uuid,
    #[command(flatten)]
    api: ApiArgs,
}

/// Carries out `recourse calendar`.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let Command::ImportHolidays(import) = args.command;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")?
        .block_on(import.run())
}

impl ImportHolidays {
    async fn run(self) -> anyhow::Result<()> {
        let file = files::read(&self.file, "split it, or leave out years long past")?;
        let sent = Sent {
            media_type: "text/calendar; charset=utf-8",
            body: file,
            within: TIMEOUT,
            what: "calendar",
        };
        let calendar = self.calendar.to_string();
        let body = self.api.post(&["calendars", &calendar, "holidays"], sent).await?;
        files::print(&report(&body)?)
    }
}

fn report(body: &Value) -> Result<String, std::fmt::Error> {
    let number = |name: &str| body[name].as_u64().unwrap_or(0);
    let name = body["name"].as_str().unwrap_or_default();
    let mut text = String::new();
    writeln!(
        text,
        "{} events with {} dates: {} are new holidays of {name:?}, which is at version {}.",
        number("events"),
        number("dates"),
        number("added"),
        number("version")
    )?;
    if let Some(until) = body["recurrences_until"].as_str() {
        writeln!(
            text,
            "Yearly events are written out until {until}; import again before that."
        )?;
    }
    let skipped = body["skipped"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !skipped.is_empty() {
        writeln!(text, "Passed over:")?;
    }
    for event in skipped {
        writeln!(
            text,
            "  line {}: {:?}: {}",
            event["line"],
            event["summary"].as_str().unwrap_or_default(),
            event["reason"].as_str().unwrap_or_default()
        )?;
    }
    Ok(text)
}
