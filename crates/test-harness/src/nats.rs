//! A nats-server of a test's own.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use servers::{
    Launcher,
    nats::{Nats as Server, Options, Sync},
    wait,
};
use tempfile::TempDir;

use crate::{places, spawner};

/// A nats-server in a directory of its own. It ends, and the directory goes, with this value.
#[derive(Debug)]
pub struct Nats {
    url: String,
    port: u16,
    // Fields are dropped in order: the server before its directory.
    server: Arc<Mutex<Server>>,
    dir: TempDir,
}

impl Nats {
    /// Starts one that syncs lazily, which is faster and makes no difference where nobody pulls the plug.
    pub async fn start() -> Self {
        Self::start_with(Sync::Lazy).await
    }

    /// Starts one.
    ///
    /// # Panics
    ///
    /// If there is no nats-server, or it does not start.
    pub async fn start_with(sync: Sync) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("recourse-test-nats-")
            .tempdir()
            .expect("a temporary directory");
        let options = Options {
            program: places::nats_server(),
            dir: dir.path().join("nats"),
            log: dir.path().join("nats.log"),
            sync,
        };
        let server = spawner::run(move || Server::start(options, Launcher::Setpriv, &mut wait::sleep)).await;
        let server = server.unwrap_or_else(|error| panic!("{error}"));
        Self {
            url: server.url(),
            port: server.port(),
            server: Arc::new(Mutex::new(server)),
            dir,
        }
    }

    /// Where clients connect, with the token that lets them in.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its streams are. To be touched only while it is not running.
    pub fn store_dir(&self) -> PathBuf {
        self.dir.path().join("nats").join("jetstream")
    }

    /// The id of the process; another one after a restart.
    ///
    /// # Panics
    ///
    /// If a test panicked in the middle of a restart.
    pub fn process_id(&self) -> u32 {
        self.server.lock().expect("no test panics under the lock").child().id()
    }

    /// Kills it as a crash would (SIGKILL), and waits until it is gone.
    pub async fn kill(&self) {
        self.on_spawner(|server| server.child().kill()).await;
    }

    /// Starts it again on the same port with the same data, ending it first if it still runs.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub async fn restart(&self) {
        let restarted = self.on_spawner(|server| server.restart(&mut wait::sleep)).await;
        restarted.unwrap_or_else(|error| panic!("{error}"));
    }

    async fn on_spawner<T: Send + 'static>(&self, job: impl FnOnce(&mut Server) -> T + Send + 'static) -> T {
        let server = Arc::clone(&self.server);
        spawner::run(move || job(&mut server.lock().expect("no test panics under the lock"))).await
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        // Nobody wants its data back, so there is no need to ask politely.
        if let Ok(mut server) = self.server.lock() {
            server.child().kill();
        }
    }
}
