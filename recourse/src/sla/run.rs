//! The subcommands.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Map, Value};

use super::{draft, report};
use crate::api::{ApiArgs, Sent};
use crate::files::print;

/// A desk of millions of tickets plays its history within minutes.
const REHEARSAL_TIMEOUT: Duration = Duration::from_mins(30);

/// Arguments of `recourse sla`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play the desk's history under a draft of a policy, and print what would have become of its promises. Changes nothing.
    ///
    /// The draft takes the place of the policy in force for the same tickets; all others stay. Files are TOML with the fields that
    /// `POST /v1/policies` and `POST /v1/calendars` take. "Then" is what the log says, "now" what would have been.
    Rehearse(Rehearse),
}

#[derive(Debug, clap::Args)]
struct Rehearse {
    /// The policy's draft.
    #[arg(long, value_name = "FILE.toml")]
    policy: PathBuf,
    /// Hours to count by, in place of those of the calendar that the policy names.
    #[arg(long, value_name = "FILE.toml")]
    calendar: Option<PathBuf>,
    /// Only tickets created at or after this instant, or this date's beginning in UTC.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only tickets created before this instant, or this date's beginning in UTC.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// How many of the tickets that differ are named.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    limit: u32,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: ApiArgs,
}

/// Carries out `recourse sla`.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let Command::Rehearse(rehearse) = args.command;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")?
        .block_on(rehearse.run())
}

impl Rehearse {
    async fn run(self) -> anyhow::Result<()> {
        let mut body = Map::new();
        body.insert("policy".to_owned(), draft::read(&self.policy)?);
        if let Some(calendar) = &self.calendar {
            body.insert("calendar".to_owned(), draft::read(calendar)?);
        }
        for (name, bound) in [("from", self.from), ("to", self.to)] {
            if let Some(bound) = bound {
                body.insert(name.to_owned(), bound.into());
            }
        }
        body.insert("limit".to_owned(), self.limit.into());
        let sent = Sent {
            media_type: "application/json",
            body: Value::Object(body).to_string().into_bytes(),
            within: REHEARSAL_TIMEOUT,
            what: "draft",
        };
        let answer = self.api.post(&["policies", "rehearse"], sent).await?;
        let text = if self.json {
            format!("{answer:#}\n")
        } else {
            report::table(&answer)
        };
        print(&text)
    }
}
