//! What is known of a desk: kept in its directory, so that the phases of one measurement may be several runs.

use std::{fs, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// What was found at one desk. What was not measured is absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// When the made-up history ends: the same when an interrupted demo goes on.
    pub(crate) until: Option<String>,
    /// Whether all its tickets are in the log.
    pub(crate) made: bool,
    pub(crate) live: Option<Filling>,
    pub(crate) copy: Option<Filling>,
    pub(crate) reading: Option<Filling>,
    pub(crate) rebuild: Option<Filling>,
    pub(crate) list: Vec<Timing>,
    pub(crate) combined: Vec<Timing>,
    pub(crate) dashboard: Vec<Timing>,
    /// The present and the past of the same question.
    pub(crate) as_of: Vec<(Timing, Timing)>,
    pub(crate) search: Vec<Timing>,
    pub(crate) exports: Option<Export>,
    pub(crate) visible: Option<Visible>,
    /// Of query-api, after its questions.
    pub(crate) query_api_mib: Option<f64>,
}

/// How long it took to make rows of records, or to read them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Filling {
    pub(crate) records: u64,
    pub(crate) seconds: f64,
    /// Whether all of the log was meant; otherwise time ran out, or one partition was taken for all.
    pub(crate) whole: bool,
}

/// What one case took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Timing {
    pub(crate) case: String,
    pub(crate) requests: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// How many were cut off as too expensive.
    pub(crate) refused: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Export {
    pub(crate) rows: u64,
    pub(crate) seconds: f64,
    pub(crate) before_mib: f64,
    pub(crate) most_mib: f64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Visible {
    /// Commands a second of the whole desk, when it is given as many as it takes.
    pub(crate) peak: f64,
    /// Those of the load under which visibility was measured.
    pub(crate) load: f64,
    pub(crate) probes: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Filling {
    pub(crate) fn per_second(&self) -> f64 {
        crate::statistics::float(self.records) / self.seconds.max(0.001)
    }
}

const FILE: &str = "bench.json";

impl State {
    /// What was found before; nothing, if there was nothing.
    pub(crate) fn read(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        serde_json::from_slice(&fs::read(&path)?).with_context(|| format!("{} cannot be read", path.display()))
    }

    pub(crate) fn write(&self, dir: &Path) -> anyhow::Result<()> {
        let path = dir.join(FILE);
        fs::write(&path, serde_json::to_vec_pretty(self)?).with_context(|| format!("cannot write {}", path.display()))
    }
}
