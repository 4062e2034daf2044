//! Logs on standard error, metrics for Prometheus.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::clock::{SharedClock, pause};
use crate::log_writer::{self, LogWriter};
use crate::shutdown::Shutdown;

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Flags of everything that writes a log.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct LogArgs {
    /// How log lines look; `RUST_LOG` says which there are, for example `info,http=warn`.
    #[arg(long, env = "RECOURSE_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// What is logged unless `RUST_LOG` says otherwise. The two clients report every connection and
/// every notice at INFO; what matters of that is told by the health of who uses them.
const FILTER_DEFAULT: &str = "info,async_nats=warn,sqlx=warn";

/// Begins to write the log to standard error; standard output belongs to the command line.
/// The first call in a process counts.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER_DEFAULT));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Colours are for people at a terminal, not for files.
        .with_ansi(io::stderr().is_terminal())
        .with_writer(LogWriter);
    // A second call means a test or a tool that embeds a service: the first subscriber stays.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Writes the log lines that still wait to be written. The last thing that a process does.
pub fn flush() {
    log_writer::flush();
}

/// Bounds of the buckets of every `*_seconds` histogram: from what the fastest command takes to
/// what a caller waits at most.
const SECONDS_BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];

/// Histograms gather raw samples between two upkeeps; five seconds of them is little memory even
/// under load.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static METRICS: OnceLock<Metrics> = OnceLock::new();

/// The metrics of this process.
#[derive(Debug, Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// The metrics of this process, gathered from the first call on.
    ///
    /// # Panics
    /// If another library gathers this process's metrics already.
    pub fn install() -> Self {
        METRICS
            .get_or_init(|| {
                let handle = PrometheusBuilder::new()
                    .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)
                    .and_then(PrometheusBuilder::install_recorder)
                    .expect("nothing else in this process installs a recorder, and the buckets are not empty");
                Self { handle }
            })
            .clone()
    }

    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Keeps the memory of histograms small. Spawn it once in each process that serves; it
    /// returns on shutdown.
    pub async fn upkeep(self, clock: SharedClock, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = pause(&*clock, UPKEEP_EVERY) => self.handle.run_upkeep(),
                () = shutdown.cancelled() => return,
            }
        }
    }
}
