//! Carrying them out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use event_log::{EventLog, LogConfig};
use projector::{Comparison, Operator, Pace, Progress};
use service_kit::SystemClock;
use service_kit::clock::pause;

use super::args::{Args, Command, DeskArgs};
use super::report;
use crate::files::print;
use crate::progress::Shown;
use crate::services::load_policy;
use crate::up::Connection;

/// How often the progress is shown anew.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// Carries out `recourse projection`.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(carry_out(args.command))
}

async fn carry_out(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { desk } => {
            let listed = open(&desk).await?.list().await?;
            print(&report::standings(&listed)?)
        }
        Command::Rebuild { name, to, desk } => rebuild(&open(&desk).await?, &name, to).await,
        Command::Verify { name, generation, desk } => {
            let operator = open(&desk).await?;
            let progress = Arc::new(Progress::default());
            let verifying = operator.verify(&name, generation.generation, &progress);
            let (comparisons, _) = shown(&progress, verifying).await;
            let comparisons = comparisons?;
            print(&report::comparisons(&comparisons)?)?;
            ensure!(
                comparisons.iter().all(Comparison::is_equal),
                "the tables are not what the log says: rebuild the projection, and find out who changed them"
            );
            Ok(())
        }
        Command::SwitchBack { name, to, desk } => {
            let generation = open(&desk).await?.switch(&name, to).await?;
            print(&format!("Readers see generation {generation} of {name}.\n"))
        }
        Command::Pause { name, generation, desk } => {
            let paused = open(&desk)
                .await?
                .set_paused(&name, generation.generation, Pace::Paused)
                .await?;
            print(&format!("Paused {name} on {paused} partitions.\n"))
        }
        Command::Resume { name, generation, desk } => {
            let resumed = open(&desk)
                .await?
                .set_paused(&name, generation.generation, Pace::Running)
                .await?;
            print(&format!("Resumed {name} on {resumed} partitions.\n"))
        }
        Command::Skip {
            name,
            partition,
            reason,
            generation,
            desk,
        } => {
            ensure!(
                !reason.trim().is_empty(),
                "give a --reason: it is what people will read later"
            );
            let operator = open(&desk).await?;
            let skipped = operator
                .skip(&name, generation.generation, partition, reason.trim())
                .await?;
            print(&format!(
                "Passed over record {skipped} of partition {partition}. The rows of its ticket stay as they were.\n"
            ))
        }
        Command::Drop { name, generation, desk } => {
            open(&desk).await?.drop(&name, generation).await?;
            print(&format!("Dropped generation {generation} of {name}.\n"))
        }
    }
}

async fn rebuild(operator: &Operator, name: &str, to: Option<i32>) -> anyhow::Result<()> {
    let progress = Arc::new(Progress::default());
    let (rebuilt, took) = shown(&progress, operator.rebuild(name, to, &progress)).await;
    let (generation, comparisons) = rebuilt?;
    print(&report::comparisons(&comparisons)?)?;
    let records = progress.records.load(Ordering::Relaxed);
    let seconds = took.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people to look at")]
    let rate = records as f64 / seconds.max(0.001);
    print(&format!(
        "Readers see generation {generation} of {name}: {records} records in {seconds:.1} s, {rate:.0} a second, all included. \
         The one before is kept: `recourse projection switch-back {name}`, or `drop` it.\n"
    ))
}

/// Shows how far some work has come, while it goes on.
async fn shown<T>(progress: &Progress, work: impl Future<Output = T>) -> (T, Duration) {
    let (bar, started) = (Shown::new(0, "records"), Instant::now());
    let showing = async {
        loop {
            let (done, total) = (&progress.records, &progress.total);
            let stage = *progress.stage.borrow();
            bar.set(done.load(Ordering::Relaxed), total.load(Ordering::Relaxed), stage);
            pause(&SystemClock, SHOW_EVERY).await;
        }
    };
    let done = tokio::select! {
        done = work => done,
        never = showing => never,
    };
    bar.finish();
    (done, started.elapsed())
}

async fn open(args: &DeskArgs) -> anyhow::Result<Operator> {
    let (nats, database, policy) = if let (Some(nats), Some(database)) = (&args.nats_url, &args.database_url) {
        (nats.clone(), database.clone(), None)
    } else {
        let connection = Connection::read(&args.data_dir)?;
        (connection.nats, connection.database, connection.policy)
    };
    // Another calendar than the projector's would make other durations, and the comparison would find them right.
    let policy = args.policy.clone().or(policy).context(
        "name the --policy that the desk's projector runs with (supportal, cabinet or FILE.toml): \
         durations in working time are made by its calendar",
    )?;
    let policy = load_policy(&policy)?;
    // What the log is made of was decided when it was made.
    let config = LogConfig {
        url: nats,
        partitions: None,
        replicas: 1,
    };
    let log = EventLog::connect(&config, SystemClock::shared())
        .await
        .context("the log cannot be reached: start the desk with `recourse up`")?;
    Ok(Operator::new(log, &database, policy.calendar.clone())?)
}
