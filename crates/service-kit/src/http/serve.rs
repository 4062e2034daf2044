//! Serving until told to stop.

use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::shutdown::Shutdown;

/// How long requests that were accepted before the shutdown may take. Longer than a command may
/// wait for the log, shorter than what supervisors wait before they kill.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(8);

/// Serves `router` until the shutdown, then finishes what was accepted, within [`SHUTDOWN_GRACE`].
pub async fn serve(listener: TcpListener, router: Router, shutdown: &Shutdown) -> io::Result<()> {
    // Answers are written whole, so that waiting for more to send would only delay them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {error}");
        }
    });
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(shutdown.cancelled())
        .into_future();
    let mut server = std::pin::pin!(server);
    tokio::select! {
        ended = &mut server => return ended,
        () = shutdown.cancelled() => {}
    }
    // By the machine's time, whatever a test's clock shows: nobody moves a clock during shutdown.
    tokio::time::timeout(SHUTDOWN_GRACE, server).await.unwrap_or_else(|_| {
        let seconds = SHUTDOWN_GRACE.as_secs();
        tracing::warn!("requests are still in hand {seconds} s after the shutdown; they are cut off");
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_request_that_was_accepted_is_finished_after_the_shutdown() {
        let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (inside, may_leave) = (Arc::clone(&entered), Arc::clone(&leave));
        let slow = get(async move || {
            inside.notify_one();
            may_leave.notified().await;
            "finished"
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let told = shutdown.clone();
        let server = tokio::spawn(async move { serve(listener, Router::new().route("/", slow), &told).await });

        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: desk\r\n\r\n").await.unwrap();
        entered.notified().await;
        shutdown.trigger();
        leave.notify_one();

        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("finished"), "{answer}");
        server.await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }
}
