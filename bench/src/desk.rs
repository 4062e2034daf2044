//! A desk of so many made-up tickets, in a directory that is kept. Its services run one by one, as each
//! measurement needs them.

use std::{
    env, fs,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use event_log::{EventLog, LogConfig};
use servers::{
    Child, Launcher, Nats, Postgres, locate,
    nats::{self, Sync},
    postgres::{self, Durability},
    wait,
};
use service_kit::clock::SystemClock;
use sqlx::{Connection as _, PgConnection};

use crate::{idle, process, site};

/// The folder in which `bench read` and `bench time` keep their desks.
pub(crate) const READ: &str = "bench-read";

/// Everybody's tickets are made from the same seed.
const SEED: &str = "1";

/// Where desks are kept: in a folder beside this program, unless another place is named; and the program that runs them.
pub(crate) fn place(folder: &str, data: Option<&Path>, recourse: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let own = env::current_exe().context("cannot find this executable")?;
    let beside = own.parent().context("this executable is nowhere")?.join(folder);
    let recourse = recourse
        .canonicalize()
        .with_context(|| format!("cannot find {}", recourse.display()))?;
    Ok((data.map_or(beside, Path::to_owned), recourse))
}

/// A log and a Postgres with the desk's own settings.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) dir: PathBuf,
    recourse: PathBuf,
    // Fields are dropped in order: both servers are given time to write everything out.
    postgres: Postgres,
    nats: Nats,
}

/// A service that runs, and where.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Desk {
    /// Starts both servers below `dir`, with what is there.
    pub(crate) fn start(dir: &Path, recourse: &Path, sync: Sync) -> anyhow::Result<Self> {
        // Postgres may run as another user, who has to be able to pass.
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(dir.join("run"));
        made.with_context(|| format!("cannot make {}", dir.display()))?;
        let dir = dir.canonicalize()?;
        let log = |name: &str| dir.join("run").join(name);
        let home = dir.join("postgres");
        let postgres = postgres::Options {
            bin: locate::postgres(&site::search("RECOURSE_POSTGRES_BIN"), postgres::major_of(&home))?,
            dir: home,
            log: log("postgres.log"),
            durability: Durability::Kept,
        };
        let nats = nats::Options {
            program: site::nats_server()?.program,
            dir: dir.join("nats"),
            log: log("nats.log"),
            sync,
        };
        let launcher = Launcher::this_executable()?;
        Ok(Self {
            postgres: Postgres::start(postgres, launcher.clone(), &mut wait::sleep)?,
            nats: Nats::start(nats, launcher, &mut wait::sleep)?,
            dir,
            recourse: recourse.to_owned(),
        })
    }

    /// Stops both servers in order.
    pub(crate) fn stop(mut self) {
        self.postgres.child().stop(idle::SETTLING, &mut wait::sleep);
        self.nats.child().stop(idle::SETTLING, &mut wait::sleep);
    }

    /// A connection to the log.
    pub(crate) async fn log(&self) -> anyhow::Result<EventLog> {
        let config = LogConfig {
            url: self.nats.url(),
            partitions: None,
            replicas: 1,
        };
        Ok(EventLog::connect(&config, SystemClock::shared()).await?)
    }

    /// A connection to the read models.
    pub(crate) async fn database(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.postgres.url()).await?)
    }

    /// Fills the log up to `tickets`; what is there already stays.
    pub(crate) fn make(&self, tickets: u64, until: &str) -> anyhow::Result<()> {
        let tickets = tickets.to_string();
        self.tool(&["demo", "--tickets", &tickets, "--seed", SEED, "--until", until])?;
        Ok(())
    }

    /// Runs `recourse projection`, and returns what it says.
    pub(crate) fn projection(&self, args: &[&str]) -> anyhow::Result<String> {
        self.tool(&[&["projection"], args].concat())
    }

    fn tool(&self, args: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.recourse);
        command.args(args).envs(self.environment());
        let output = command.output().context("cannot run recourse")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        anyhow::ensure!(
            output.status.success(),
            "recourse {} failed: {said}{}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(said)
    }

    /// Starts a service, and waits until it says that it is ready.
    pub(crate) fn service(&self, name: &str) -> anyhow::Result<Service> {
        let mut service = self.service_unready(name)?;
        let messages = self.messages(name);
        process::wait_ready(&mut service.child, &messages, || idle::is_ready(service.address))?;
        Ok(service)
    }

    /// Starts a service, ready or not.
    pub(crate) fn service_unready(&self, name: &str) -> anyhow::Result<Service> {
        let address = idle::free_address()?;
        let environment = self.environment();
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let args = [name, "--listen", &address.to_string()];
        let child = process::start(&self.recourse, &args, &environment, &self.messages(name))?;
        Ok(Service { child, address })
    }

    /// Where the servers are, and the policy that every service and tool runs with.
    fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("RECOURSE_NATS_URL", self.nats.url()),
            ("RECOURSE_DATABASE_URL", self.postgres.url()),
            ("RECOURSE_POLICY", "supportal".to_owned()),
        ]
    }

    fn messages(&self, service: &str) -> PathBuf {
        self.dir.join("run").join(format!("{service}.log"))
    }
}

impl Service {
    /// Its memory now, without what it shares.
    pub(crate) fn mib(&self) -> f64 {
        crate::statistics::float(process::memory(self.child.id()).proportional_kib) / 1024.0
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.stop(idle::SETTLING, &mut wait::sleep);
    }
}
