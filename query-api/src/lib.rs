//! Postgres read models to HTTP. Needs Postgres alone, and says how far behind the log it is.
//!
//! * [`routes`]: every route on one screen.
//! * [`positions`]: `Min-Position` and `Read-Position`.
//! * [`feed`]: the public feed of events, in pages and live.
//! * [`access`]: who sees which ticket, as SQL that stands in every query.

mod access;
mod actions;
mod app;
mod calendars;
mod config;
mod contracts;
mod cursor;
mod dashboard;
mod database;
mod digests;
mod feed;
mod holders;
mod moment;
mod names;
mod openapi;
mod openapi_people;
mod openapi_versions;
mod page;
mod params;
mod people;
mod people_filter;
mod people_sort;
mod policies;
mod portal;
mod positions;
mod projections;
mod rights;
mod support;
mod tickets;
mod versions;
mod workflows;

use std::io;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use domain::directory::EntryKind;
use service_kit::http::{Limits, finish, operations, serve};
use service_kit::telemetry::Metrics;
use service_kit::{Health, SharedClock, Shutdown};
use tokio::net::TcpListener;

pub use app::App;
pub use config::Config;
pub use openapi::openapi;

use positions::{Needs, positioned};

/// The query service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database's URL is not one of Postgres.
    #[error("the database URL is not acceptable")]
    Database(#[source] sqlx::Error),
    /// The address cannot be listened on, or listening failed.
    #[error("cannot serve on {listen}")]
    Serve {
        /// The address.
        listen: std::net::SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Every route. Without fallbacks, so that another service's routes can stand on the same paths.
pub fn routes(app: &App) -> Router {
    let entries = EntryKind::ALL.into_iter().fold(Router::new(), |router, kind| {
        let path = service_kit::openapi::people::path(kind);
        let list = move |app, caller, uri| people::list(kind, app, caller, uri);
        let one = move |app, caller, id, uri| people::one(kind, app, caller, id, uri);
        let versions = move |app, caller, id, uri| people::versions(kind, app, caller, id, uri);
        router
            .route(path, get(list))
            .route(&format!("{path}/{{id}}"), get(one))
            .route(&format!("{path}/{{id}}/history"), get(versions))
    });
    let readers = entries
        .route("/v1/tickets", get(tickets::list::list))
        .route("/v1/tickets/export", get(tickets::export::export))
        .route("/v1/tickets/{id}", get(tickets::one::one))
        .route("/v1/tickets/{id}/timeline", get(tickets::timeline::timeline))
        .route("/v1/tickets/{id}/sla", get(tickets::sla::sla))
        .route("/v1/calendars", get(calendars::list))
        .route("/v1/calendars/{id}", get(calendars::one))
        .route("/v1/calendars/{id}/versions", get(calendars::versions))
        .route("/v1/policies", get(policies::list))
        .route("/v1/policies/presets", get(policies::presets))
        .route("/v1/policies/{id}", get(policies::one))
        .route("/v1/policies/{id}/versions", get(policies::versions))
        .route("/v1/organisations/{id}/contract", get(contracts::of_organisation))
        .route(
            "/v1/organisations/{id}/contract/versions",
            get(contracts::versions_of_organisation),
        )
        .route("/v1/me", get(rights::me))
        .route("/v1/permissions", get(rights::offered))
        .route("/v1/permissions/{permission}/holders", get(holders::holders))
        .route("/v1/portal", get(portal::own))
        .route("/v1/digests", get(digests::list))
        .route("/v1/digests/{id}", get(digests::one))
        .route("/v1/users/{id}/actions", get(actions::of_user))
        .route("/v1/users/{id}/rights", get(rights::rights))
        .route("/v1/users/{id}/contract", get(contracts::of_user))
        .route("/v1/users/{id}/contract/versions", get(contracts::versions_of_user))
        .route("/v1/workflows", get(workflows::list))
        .route("/v1/workflows/{name}", get(workflows::one))
        .route("/v1/dashboard", get(dashboard::answer::dashboard))
        .route("/v1/events", get(feed::page::events))
        .route_layer(from_fn_with_state((app.clone(), Needs::Filled), positioned));
    let operators = Router::new()
        .route("/v1/projections", get(projections::projections))
        .route_layer(from_fn_with_state((app.clone(), Needs::Anything), positioned));
    let published = Router::new().route("/v1/schemas/{name}", get(feed::schema::schema));
    readers.merge(operators).merge(published).with_state(app.clone())
}

/// Serves until the shutdown.
pub async fn run(
    config: Config,
    clock: SharedClock,
    health: Health,
    metrics: Metrics,
    shutdown: &Shutdown,
) -> Result<(), RunError> {
    let listen = config.listen;
    let app = App::start(&config.database.database_url, clock, &health, shutdown).map_err(RunError::Database)?;
    let router = finish(routes(&app).merge(operations(health, metrics)), Limits::default());
    let serving = async {
        let listener = TcpListener::bind(listen).await?;
        serve(listener, router, shutdown).await
    };
    let served = serving.await;
    app.close().await;
    served.map_err(|source| RunError::Serve { listen, source })?;
    shutdown.finished().await;
    Ok(())
}
