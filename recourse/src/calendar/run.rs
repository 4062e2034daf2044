//! The subcommands, and what they print.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde_json::Value;
use uuid::Uuid;

/// A desk answers at once, or after it has waited for its log for some seconds.
const TIMEOUT: Duration = Duration::from_mins(1);
/// As many bytes as the desk takes; a larger file is refused there too, but less clearly.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

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
    /// The desk's address.
    #[arg(long, env = "RECOURSE_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A token of a member of staff, such as the administrator's.
    #[arg(long, env = "RECOURSE_TOKEN", hide_env_values = true)]
    token: String,
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
        let shown = self.file.display();
        let size = std::fs::metadata(&self.file)
            .with_context(|| format!("cannot open {shown}"))?
            .len();
        if size > FILE_BYTES_MAX {
            bail!(
                "{shown} has {size} bytes; a desk takes at most {FILE_BYTES_MAX}: split it, or leave out years long past"
            );
        }
        let file = std::fs::read(&self.file).with_context(|| format!("cannot read {shown}"))?;
        let url = address(&self.url, self.calendar)?;
        // Fails only if a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(TIMEOUT)
            .build()
            .context("cannot set up an HTTP client")?;
        let answer = client
            .post(url.clone())
            .bearer_auth(&self.token)
            .header(CONTENT_TYPE, "text/calendar; charset=utf-8")
            .header("Idempotency-Key", Uuid::new_v4().to_string())
            .body(file)
            .send()
            .await
            .with_context(|| format!("the desk at {url} cannot be reached; run the same import again once it can"))?;
        let status = answer.status();
        let text = answer
            .text()
            .await
            .context("the desk's answer broke off; run the same import again")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if !status.is_success() {
            bail!("the desk answers {status}: {}", problem(&body));
        }
        print(&report(&body)?)
    }
}

fn address(desk: &str, calendar: Uuid) -> anyhow::Result<Url> {
    let url = Url::parse(desk)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"));
    let mut url =
        url.with_context(|| format!("`{desk}` is not the address of a desk; it looks like http://127.0.0.1:8080"))?;
    // A desk may stand under a path of its host, behind a proxy.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty()
            .extend(["v1", "calendars", &calendar.to_string(), "holidays"]);
    }
    Ok(url)
}

/// What a problem says, with each of its errors on a line.
fn problem(body: &Value) -> String {
    let detail = body["detail"]
        .as_str()
        .unwrap_or("no desk answers like this; check the address");
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().fold(detail.to_owned(), |text, error| {
        let (pointer, detail) = (&error["pointer"], &error["detail"]);
        let place = pointer.as_str().filter(|place| !place.is_empty()).unwrap_or("calendar");
        format!("{text}\n  {place}: {}", detail.as_str().unwrap_or_default())
    })
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

/// Standard output is the report's; whoever closed it does not want it.
fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot print the report"),
        _ => Ok(()),
    }
}
