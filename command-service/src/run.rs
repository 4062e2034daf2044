//! The service as a process.

use std::net::SocketAddr;

use domain::policy::WaitPolicy;
use domain::sla::SlaPolicy;
use event_log::{BookKeeper, EventLog};
use service_kit::clock::SharedClock;
use service_kit::http::{Limits, finish, operations, serve};
use service_kit::telemetry::Metrics;
use service_kit::{Health, Shutdown};
use tokio::net::TcpListener;

use crate::app::App;
use crate::http::routes;
use crate::mail::{MailArgs, MailSettingsError};
use crate::notices::Notifier;
use crate::openid::{OpenIdArgs, OpenIdSettingsError};

/// Settings of the command service.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Address to listen on. Port 0 takes a free one.
    #[arg(
        long,
        env = "RECOURSE_LISTEN",
        default_value = "127.0.0.1:8081",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,
    /// How mail is sent.
    #[command(flatten)]
    pub mail: MailArgs,
    /// How people sign in with accounts elsewhere.
    #[command(flatten)]
    pub openid: OpenIdArgs,
}

/// The service could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: choose another address with --listen, or stop what listens there")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Mail is not to be sent like that.
    #[error(transparent)]
    Mail(#[from] MailSettingsError),
    /// Nobody is to sign in like that.
    #[error(transparent)]
    OpenId(#[from] OpenIdSettingsError),
    /// Serving ended.
    #[error("serving ended")]
    Serve(#[source] std::io::Error),
}

/// Keeps the service's tokens and policies up to date, tells when tokens were used, answers those who forgot their password,
/// and tells people what happens to tickets, as tasks, until shutdown.
pub fn keep_informed(app: &App, keeper: BookKeeper, clock: SharedClock, health: &Health, shutdown: &Shutdown) {
    let ready = health.component("policies");
    shutdown.tracker().spawn(keeper.keep(ready, shutdown.clone()));
    let ready = health.component("tokens");
    shutdown
        .tracker()
        .spawn(app.tokens.clone().keep(clock.clone(), ready, shutdown.clone()));
    shutdown
        .tracker()
        .spawn(app.clone().tell_uses(clock.clone(), shutdown.clone()));
    shutdown.tracker().spawn(app.clone().answer_resets(shutdown.clone()));
    if let Some(mail) = app.mail.clone() {
        let notifier = Notifier {
            app: app.clone(),
            mail,
            clock,
            shutdown: shutdown.clone(),
        };
        shutdown.tracker().spawn(notifier.run(health.component("notices")));
    }
}

/// Serves commands until shutdown, then finishes what was accepted.
pub async fn run(
    config: Config,
    log: EventLog,
    policy: &WaitPolicy,
    clock: SharedClock,
    health: Health,
    metrics: Metrics,
    shutdown: Shutdown,
) -> Result<(), RunError> {
    let address = config.listen;
    let mail = config.mail.mail()?;
    let openid = config.openid.openid(config.mail.public_url()?.as_deref())?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| RunError::Listen { address, source })?;
    let (books, keeper) = log.books(SlaPolicy::waiting(policy));
    let app = App::new(&log, books, mail, openid);
    keep_informed(&app, keeper, clock, &health, &shutdown);
    tracing::info!(address = %listener.local_addr().unwrap_or(address), "the command service listens");
    let router = finish(routes(app).merge(operations(health, metrics)), Limits::default());
    serve(listener, router, &shutdown).await.map_err(RunError::Serve)
}
