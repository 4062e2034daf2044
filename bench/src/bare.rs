//! The limit of HTTP over the log: an axum handler that publishes the same bytes with the same headers, and does
//! nothing else. No rules, no tokens, no keys, no log lines.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use async_nats::Client;
use axum::{Router, extract::State, http::StatusCode, routing::post, serve::ListenerExt as _};
use bytes::Bytes;
use uuid::Uuid;

use crate::{raw, site};

/// Arguments of the bare handler's process.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address to listen on.
    #[arg(long)]
    listen: SocketAddr,
    /// The file that holds the bytes to publish.
    #[arg(long)]
    record: PathBuf,
    /// The NATS server.
    #[arg(long, env = "RECOURSE_NATS_URL", hide_env_values = true)]
    nats_url: String,
}

#[derive(Debug)]
struct Bare {
    client: Client,
    record: Bytes,
}

/// Serves until killed, on as many threads as the desk has.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(serve(args))
}

async fn serve(args: &Args) -> anyhow::Result<()> {
    let record = fs::read(&args.record).context("cannot read the record")?.into();
    let bare = Arc::new(Bare {
        client: site::connect(&args.nats_url).await?,
        record,
    });
    let router = Router::new().route("/v1/tickets", post(create)).with_state(bare);
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    let listener = listener.tap_io(|stream| {
        // As the desk does. Without it answers would only be later.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

/// Takes the body, for the next request stands behind it, and answers with the record's sequence.
async fn create(State(bare): State<Arc<Bare>>, _body: Bytes) -> Result<(StatusCode, String), StatusCode> {
    let id = Uuid::new_v4().as_u128();
    let sequence = raw::publish(bare.client.clone(), bare.record.clone(), id).await;
    let sequence = sequence.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok((StatusCode::CREATED, sequence.to_string()))
}
