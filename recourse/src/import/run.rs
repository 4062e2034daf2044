//! The command line of the importer.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use service_kit::{Clock, SystemClock};

use super::line::Line;
use super::mapping::Mapper;
use super::pending::Tally;
use super::report::{self, Report};
use super::send::Desk;
use super::source::Rows;
use crate::files::print;
use crate::progress::Shown;

/// Lines sent in one request. The desk takes up to 10,000; fewer show progress sooner, and less
/// is sent again when a connection breaks.
const BATCH_LINES: usize = 1_000;

/// What to import, and where.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// Take over incidents from a ServiceNow incident audit log (CSV, one row for each update).
    ///
    /// Commands carry the original times, users and groups. The import can be repeated: what has
    /// been imported is not imported twice, and a longer file adds only what is new.
    Servicenow(Servicenow),
}

#[derive(Debug, Args)]
struct Servicenow {
    /// The audit log.
    file: PathBuf,

    /// The desk's address.
    #[arg(long, env = "RECOURSE_URL", default_value = "http://127.0.0.1:8080")]
    url: String,

    /// A token with the permission `import`, such as the administrator's.
    #[arg(
        long,
        env = "RECOURSE_TOKEN",
        hide_env_values = true,
        required_unless_present = "dry_run"
    )]
    token: Option<String>,

    /// Let waits that still run at the end of the file be due counting from when they began, so
    /// that those long past end at once. Otherwise they are due counting from the import.
    #[arg(long)]
    honour_past_deadlines: bool,

    /// Say what would be imported, and send nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Imports, and prints what it came to.
pub(crate) fn run(args: ImportArgs) -> anyhow::Result<()> {
    let Source::Servicenow(servicenow) = args.source;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(servicenow.run(&SystemClock))
}

impl Servicenow {
    async fn run(self, clock: &dyn Clock) -> anyhow::Result<()> {
        // One instant for both readings, so that they agree on what lies in the future.
        let now = clock.now();
        let (report, running) = survey(&self.file, now)?;
        print(&report.to_string())?;
        let Some(token) = self.token.filter(|_| !self.dry_run) else {
            return print("Nothing was sent.\n");
        };
        let honoured = if self.honour_past_deadlines {
            running
        } else {
            HashSet::new()
        };
        let desk = Desk::new(&self.url, token, SystemClock::shared())?;
        desk.greet().await?;
        let bar = Shown::new(report.commands_total(), "commands");
        let mut tally = Tally::default();
        let sent = send_all(&self.file, Mapper::new(now, honoured), &desk, &mut tally, &bar).await;
        bar.finish();
        print(&summary(&tally)?)?;
        sent?;
        let failed = tally.failed.total();
        anyhow::ensure!(
            failed == 0,
            "the desk refused {failed} commands; the reasons are listed above"
        );
        Ok(())
    }
}

fn open(path: &Path) -> anyhow::Result<Rows<BufReader<File>>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Rows::open(BufReader::new(file)).with_context(|| format!("cannot import {}", path.display()))
}

/// Maps the whole file, to know what there is and which waits still run at its end.
fn survey(path: &Path, now: Timestamp) -> anyhow::Result<(Report, HashSet<String>)> {
    let mut mapper = Mapper::new(now, HashSet::new());
    for row in open(path)? {
        mapper.map(&row?);
    }
    Ok(mapper.finish())
}

async fn send_all(path: &Path, mut mapper: Mapper, desk: &Desk, tally: &mut Tally, bar: &Shown) -> anyhow::Result<()> {
    let mut batch: Vec<Line> = Vec::new();
    for row in open(path)? {
        batch.extend(mapper.map(&row?));
        if batch.len() >= BATCH_LINES {
            desk.send(std::mem::take(&mut batch), tally, |answered| bar.advance(answered))
                .await?;
        }
    }
    desk.send(batch, tally, |answered| bar.advance(answered)).await?;
    Ok(())
}

fn summary(tally: &Tally) -> Result<String, std::fmt::Error> {
    let Tally { made, replayed, failed } = tally;
    let mut text = format!("The desk carried out {made} commands now and had carried out {replayed} before.\n");
    report::findings(&mut text, "It refused:", failed)?;
    Ok(text)
}
