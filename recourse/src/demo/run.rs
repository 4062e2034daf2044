//! The command line of the demo.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use domain::Timestamp;
use event_log::{EventLog, LogConfig};
use service_kit::{Clock as _, SystemClock};

use super::clock::LivedClock;
use super::make::{Maker, Tally};
use super::world::{Plan, World};
use crate::files::print;
use crate::progress::Shown;
use crate::services::{PolicyArgs, load_policy};
use crate::up::Connection;

/// More tickets than the largest desk sees in a decade; their arrivals are kept in memory.
const TICKETS_MAX: u64 = 10_000_000;
/// Ten years.
const DAYS_MAX: i64 = 3_650;

/// What to make up, and where.
///
/// The tickets go through the log of a running desk like everybody's. The same arguments make the same tickets, and a
/// ticket that is there is not made again: an interrupted run goes on where it stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// How many tickets.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=TICKETS_MAX))]
    tickets: u64,
    /// Another seed makes other tickets.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Over how many days the tickets are spread.
    #[arg(long, value_name = "D", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    days: u32,
    /// When these days end; now if nothing is said. Name it to repeat a run.
    #[arg(long, value_name = "RFC3339")]
    until: Option<Timestamp>,
    /// The data directory of a desk on this machine that `recourse up` runs.
    #[arg(
        long,
        env = "RECOURSE_DATA_DIR",
        default_value = "./recourse-data",
        value_name = "DIR"
    )]
    data_dir: PathBuf,
    /// The NATS server of a desk elsewhere, instead of a data directory.
    #[arg(long, env = "RECOURSE_NATS_URL", hide_env_values = true, value_name = "URL")]
    nats_url: Option<String>,
    #[command(flatten)]
    policy: PolicyArgs,
}

/// Makes the tickets, and prints what it came to.
pub(crate) fn run(args: DemoArgs) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?
        .block_on(args.run())
}

impl DemoArgs {
    async fn run(self) -> anyhow::Result<()> {
        let now = SystemClock.now();
        ensure!(
            self.until.is_none_or(|until| until <= now),
            "--until lies in the future: a history ends now at the latest"
        );
        // Whole seconds can be typed.
        let until = self
            .until
            .or_else(|| Timestamp::from_second(now.as_second()).ok())
            .unwrap_or(now);
        let plan = Plan {
            tickets: self.tickets,
            seed: self.seed,
            days: self.days,
            until,
            policy: load_policy(&self.policy.policy)?,
        };
        let world = World::new(plan).context("--days reach back before all time")?;
        let log = self.log().await?;
        if self.until.is_none() {
            print(&format!(
                "To repeat this run or to go on with it, say --until {until}\n"
            ))?;
        }
        make(Arc::new(Maker::new(world, &log))).await
    }

    async fn log(&self) -> anyhow::Result<EventLog> {
        let url = match &self.nats_url {
            Some(url) => url.clone(),
            None => Connection::read(&self.data_dir)?.nats,
        };
        // What the log is made of was decided when it was made.
        let config = LogConfig {
            url,
            partitions: None,
            replicas: 1,
        };
        EventLog::connect(&config, Arc::new(LivedClock))
            .await
            .context("the desk does not run: start it with `recourse up`")
    }
}

async fn make(maker: Arc<Maker>) -> anyhow::Result<()> {
    let names = u64::try_from(maker.world.people.names().len()).unwrap_or(0);
    let naming = Shown::new(names, "names");
    maker.name_everybody(|| naming.advance(1)).await?;
    naming.finish();

    let bar = Shown::new(maker.world.plan.tickets, "tickets");
    let (mut tally, began) = (Tally::default(), Instant::now());
    let made = maker
        .make_all(|lived| {
            tally.add(lived);
            bar.advance(1);
        })
        .await;
    bar.finish();
    // A run that was refused has nothing to tell but why.
    if !tally.statuses.is_empty() {
        print(&summary(&tally, began.elapsed().as_secs_f64())?)?;
    }
    made
}

fn summary(tally: &Tally, seconds: f64) -> Result<String, std::fmt::Error> {
    let Tally {
        made,
        before,
        overtaken,
        statuses,
    } = tally;
    let tickets: u64 = statuses.values().sum();
    let mut text = format!("{tickets} tickets: made {made} records now, and {before} had been made before.\n");
    writeln!(text, "Tickets by their last status:")?;
    for (status, count) in statuses {
        writeln!(text, "  {count:>9}  {status}")?;
    }
    if *overtaken > 0 {
        writeln!(
            text,
            "{overtaken} tickets were closed by the desk before somebody made up could answer."
        )?;
    }
    let rate = f64::from(u32::try_from(made + before).unwrap_or(u32::MAX)) / seconds.max(0.001);
    writeln!(text, "{seconds:.1} s, {rate:.0} commands a second.")?;
    Ok(text)
}
