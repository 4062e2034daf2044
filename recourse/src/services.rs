//! Each service as a process of its own, and what all processes of the desk have in common.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use domain::policy::WaitPolicy;
use domain::sla::SlaPolicy;
use event_log::{EventLog, LogConfig, PARTITIONS_MAX};
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all};
use service_kit::clock::pause;
use service_kit::flags::{DatabaseArgs, NatsArgs};
use service_kit::http::{Limits, SHUTDOWN_GRACE, finish, operations, serve};
use service_kit::telemetry::{LogArgs, Metrics};
use service_kit::{Health, SharedClock, Shutdown, SystemClock, chain, policy_file, telemetry};
use tokio::net::TcpListener;

/// Arguments of `recourse command-service`.
#[derive(Debug, clap::Args)]
pub(crate) struct CommandServiceArgs {
    #[command(flatten)]
    config: command_service::Config,
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    new_log: NewLogArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// Arguments of `recourse projector`.
#[derive(Debug, clap::Args)]
pub(crate) struct ProjectorArgs {
    #[command(flatten)]
    config: projector::Config,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Address of health and metrics; nothing else is served there.
    #[arg(
        long,
        env = "RECOURSE_LISTEN",
        default_value = "127.0.0.1:8083",
        value_name = "ADDRESS"
    )]
    listen: SocketAddr,
    #[command(flatten)]
    log: LogArgs,
}

/// Arguments of `recourse query-api`.
#[derive(Debug, clap::Args)]
pub(crate) struct QueryApiArgs {
    #[command(flatten)]
    config: query_api::Config,
    #[command(flatten)]
    log: LogArgs,
}

/// Arguments of `recourse sla-scheduler`.
#[derive(Debug, clap::Args)]
pub(crate) struct SlaSchedulerArgs {
    #[command(flatten)]
    config: sla_scheduler::Config,
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    new_log: NewLogArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Address of health and metrics; nothing else is served there.
    #[arg(
        long,
        env = "RECOURSE_LISTEN",
        default_value = "127.0.0.1:8084",
        value_name = "ADDRESS"
    )]
    listen: SocketAddr,
    #[command(flatten)]
    log: LogArgs,
}

/// How the log is made by whoever finds none.
#[derive(Debug, Clone, Copy, clap::Args)]
struct NewLogArgs {
    /// Partitions of the log, should it not exist yet; 8 if nothing is said. Fixed from then on.
    #[arg(long, env = "RECOURSE_PARTITIONS", value_parser = clap::value_parser!(u16).range(1..=i64::from(PARTITIONS_MAX)))]
    partitions: Option<u16>,
    /// Copies of each stream, should the log not exist yet: 1, or 3 on a cluster.
    #[arg(long, env = "RECOURSE_REPLICAS", default_value_t = 1, value_name = "COPIES")]
    replicas: u8,
}

/// How long tickets wait, and when the desk works. Every service that gives commands, and the projector for its
/// durations in working time, needs the same one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PolicyArgs {
    /// Waits and calendar: `supportal` (40 working hours, then 40 more), `cabinet` (24 hours by the
    /// clock before closing), or a TOML file of your own.
    #[arg(
        long,
        env = "RECOURSE_POLICY",
        default_value = "supportal",
        value_name = "supportal|cabinet|FILE.toml"
    )]
    pub(crate) policy: String,
}

/// What every process of the desk has.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) clock: SharedClock,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
}

/// Runs a service until it ends by itself, which is a failure, or is told to stop.
pub(crate) fn process(log: LogArgs, service: impl AsyncFnOnce(Process) -> anyhow::Result<()>) -> anyhow::Result<()> {
    telemetry::init(log.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(async {
        let process = Process {
            clock: SystemClock::shared(),
            health: Health::default(),
            metrics: Metrics::install(),
            shutdown: Shutdown::from_signals().context("cannot listen for signals")?,
        };
        let shutdown = process.shutdown.clone();
        tokio::spawn(
            process
                .metrics
                .clone()
                .upkeep(Arc::clone(&process.clock), shutdown.clone()),
        );
        let ended = service(process).await;
        shutdown.trigger();
        if tokio::time::timeout(SHUTDOWN_GRACE, shutdown.finished()).await.is_err() {
            tracing::warn!("some tasks did not end in time; they are cut off");
        }
        telemetry::flush();
        ended
    })
}

pub(crate) fn command_service(args: CommandServiceArgs) -> anyhow::Result<()> {
    let policy = load_policy(&args.policy.policy)?;
    process(args.log, async |process| {
        let Some(log) = connect(&args.new_log.of(&args.nats), &process).await? else {
            return Ok(());
        };
        let Process {
            clock,
            health,
            metrics,
            shutdown,
        } = process;
        command_service::run(args.config, log, &policy, clock, health, metrics, shutdown).await?;
        Ok(())
    })
}

pub(crate) fn projector(args: ProjectorArgs) -> anyhow::Result<()> {
    let policy = load_policy(&args.policy.policy)?;
    process(args.log, async |process| {
        let (clock, health, shutdown) = (Arc::clone(&process.clock), &process.health, &process.shutdown);
        let projecting =
            async { Ok(projector::run(args.config, policy.calendar.clone(), clock, health, shutdown).await?) };
        beside_operations(args.listen, &process, projecting.boxed_local()).await
    })
}

pub(crate) fn query_api(args: QueryApiArgs) -> anyhow::Result<()> {
    process(args.log, async |process| {
        let Process {
            clock,
            health,
            metrics,
            shutdown,
        } = process;
        query_api::run(args.config, clock, health, metrics, &shutdown).await?;
        Ok(())
    })
}

pub(crate) fn sla_scheduler(args: SlaSchedulerArgs) -> anyhow::Result<()> {
    let SlaSchedulerArgs {
        config,
        nats,
        new_log,
        database,
        policy,
        listen,
        log,
    } = args;
    let policy = load_policy(&policy.policy)?;
    process(log, async |process| {
        let timers = sla_scheduler::pool(&database.database_url)?;
        let scheduling = async {
            let Some(log) = connect(&new_log.of(&nats), &process).await? else {
                return Ok(());
            };
            let (books, keeper) = log.books(SlaPolicy::waiting(&policy));
            let ready = process.health.component("policies");
            let shutdown = &process.shutdown;
            shutdown.tracker().spawn(keeper.keep(ready, shutdown.clone()));
            let (clock, tickets, digests) = (Arc::clone(&process.clock), log.tickets(books), log.digests());
            sla_scheduler::run(&config, timers, tickets, digests, clock, &process.health, shutdown).await;
            Ok(())
        };
        beside_operations(listen, &process, scheduling.boxed_local()).await
    })
}

/// Serves health and metrics while `work` goes on. Both end at the shutdown.
async fn beside_operations(
    address: SocketAddr,
    process: &Process,
    work: LocalBoxFuture<'_, anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let listener = listen(address).await?;
    let router = operations(process.health.clone(), process.metrics.clone());
    let serving = async { Ok(serve(listener, finish(router, Limits::default()), &process.shutdown).await?) };
    together(&process.shutdown, [serving.boxed_local(), work]).await
}

/// Runs parts of a process until each has ended. None of them ends by itself unless it fails, so
/// that the first to end takes the others with it.
pub(crate) async fn together<const N: usize>(
    shutdown: &Shutdown,
    parts: [LocalBoxFuture<'_, anyhow::Result<()>>; N],
) -> anyhow::Result<()> {
    let parts = parts.map(|part| async {
        let ended = part.await;
        shutdown.trigger();
        ended
    });
    join_all(parts).await.into_iter().collect()
}

/// Listens on an address.
pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: choose another address with --listen, or stop what listens there")
    })?;
    tracing::info!(%address, "listening on {}", listener.local_addr().unwrap_or(address));
    Ok(listener)
}

/// The policy of a preset or a file.
pub(crate) fn load_policy(policy: &str) -> anyhow::Result<Arc<WaitPolicy>> {
    Ok(Arc::new(policy_file::load(policy)?))
}

impl NewLogArgs {
    fn of(self, nats: &NatsArgs) -> LogConfig {
        LogConfig {
            url: nats.nats_url.clone(),
            partitions: self.partitions,
            replicas: usize::from(self.replicas),
        }
    }
}

/// Between two attempts to reach the log. NATS is back within a second or within minutes; a look each
/// second costs nothing and adds little to either.
const CONNECT_PAUSE: Duration = Duration::from_secs(1);

/// Connects to the log, however long that takes; `None` if the shutdown comes first. A log that is
/// there and is not as it should be is for people: an error.
pub(crate) async fn connect(config: &LogConfig, process: &Process) -> anyhow::Result<Option<EventLog>> {
    let component = process.health.component("log");
    loop {
        match EventLog::connect(config, Arc::clone(&process.clock)).await {
            Ok(log) => {
                component.ready();
                return Ok(Some(log));
            }
            Err(error) if error.may_pass() => {
                component.unready("the log does not answer");
                tracing::warn!("cannot connect to the log yet: {}", chain(&error));
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = pause(&SystemClock, CONNECT_PAUSE) => {}
            () = process.shutdown.cancelled() => return Ok(None),
        }
    }
}
