//! `recourse serve`: all four services in one process, as `recourse up` starts them.

mod admin_token;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use domain::sla::SlaPolicy;
use event_log::LogConfig;
use futures::FutureExt as _;
use service_kit::http::{Limits, finish, operations, serve};
use service_kit::telemetry::LogArgs;

use crate::services::{Process, connect, listen, load_policy, process, together};
use crate::up::SyncMode;

/// What `recourse up` hands to its services. The two URLs hold secrets and come through the environment.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory that holds the administrator's token.
    #[arg(long)]
    pub(crate) data_dir: PathBuf,
    /// Address to listen on.
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    /// The log.
    #[arg(long, env = "RECOURSE_NATS_URL", hide_env_values = true)]
    pub(crate) nats_url: String,
    /// The read models.
    #[arg(long, env = "RECOURSE_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: String,
    /// Waits and calendar: supportal, cabinet, or a TOML file.
    #[arg(long, default_value = "supportal")]
    pub(crate) policy: String,
    /// Partitions of the log, fixed when it is made.
    #[arg(long)]
    pub(crate) partitions: Option<u16>,
    /// When an acknowledged command is on the disk.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) sync: SyncMode,
    #[command(flatten)]
    mail: command_service::MailArgs,
    #[command(flatten)]
    openid: command_service::OpenIdArgs,
    #[command(flatten)]
    scheduler: sla_scheduler::Config,
    #[command(flatten)]
    retention: projector::Retention,
    #[command(flatten)]
    log: LogArgs,
}

/// One machine, one copy.
const REPLICAS: usize = 1;

/// Serves until told to stop.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    process(args.log, async |process| desk(args, process).await)
}

async fn desk(args: Args, process: Process) -> anyhow::Result<()> {
    let policy = load_policy(&args.policy)?;
    let mail = args.mail.mail()?;
    let openid = args.openid.openid(args.mail.public_url()?.as_deref())?;
    let listener = listen(args.listen).await?;
    let config = LogConfig {
        url: args.nats_url,
        partitions: args.partitions,
        replicas: REPLICAS,
    };
    let Some(log) = connect(&config, &process).await? else {
        return Ok(());
    };
    admin_token::ensure(&args.data_dir, &log, &*process.clock).await?;

    let Process {
        clock,
        health,
        metrics,
        shutdown,
    } = process;
    let (books, keeper) = log.books(SlaPolicy::waiting(&policy));
    let commands = command_service::App::new(&log, books.clone(), mail, openid);
    command_service::keep_informed(&commands, keeper, Arc::clone(&clock), &health, &shutdown);
    let queries = query_api::App::start(&args.database_url, Arc::clone(&clock), &health, &shutdown)
        .context("the database's URL is not acceptable")?;
    let router = command_service::routes(commands)
        .merge(query_api::routes(&queries))
        .merge(operations(health.clone(), metrics));
    let router = finish(router, Limits::default());
    let timers = sla_scheduler::pool(&args.database_url)?;
    let settings = projector::Settings {
        calendar: policy.calendar.clone(),
        retention: args.retention,
    };
    let (tickets, digests) = (log.tickets(books), log.digests());
    tracing::info!(sync = %args.sync, partitions = log.partitions(), "the desk is open");

    let serving = async {
        let served = serve(listener, router, &shutdown).await;
        queries.close().await;
        Ok(served?)
    };
    let projecting = async { Ok(projector::project(log, &args.database_url, settings, &health, &shutdown).await?) };
    let scheduling = async {
        sla_scheduler::run(&args.scheduler, timers, tickets, digests, clock, &health, &shutdown).await;
        Ok(())
    };
    together(
        &shutdown,
        [
            serving.boxed_local(),
            projecting.boxed_local(),
            scheduling.boxed_local(),
        ],
    )
    .await
}
