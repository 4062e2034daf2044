//! How far the log reaches: noted beside the checkpoints for those who read Postgres alone.

use std::sync::Arc;
use std::time::Duration;

use event_log::{EventLog, Source};

use crate::checkpoint::{self, Behind};
use crate::database::Database;
use crate::pause::pause;
use crate::pump::gauge_value;

/// How often the ends of all streams are looked up. Each look is a request for each stream, so
/// that an idle desk should not do it all the time.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Watches the log's ends.
#[derive(Debug)]
pub(crate) struct Lag {
    pub(crate) log: EventLog,
    pub(crate) database: Arc<Database>,
    /// What every projection reads, by partition.
    pub(crate) sources: Vec<(&'static str, u16, Source)>,
}

impl Lag {
    /// Watches for ever. May be dropped at any point.
    pub(crate) async fn run(self) {
        let mut behind = Vec::new();
        loop {
            let still = self.look().await;
            // Somebody who is behind and does not move may be waiting for a record that came long ago.
            if still.iter().any(|projection| behind.contains(projection)) {
                self.database.nudge();
            }
            behind = still;
            pause(LOOK_EVERY).await;
        }
    }

    /// What cannot be looked up now is looked up next time; the pumps report on outages.
    async fn look(&self) -> Vec<Behind> {
        let mut heads = Vec::with_capacity(self.sources.len());
        for (projection, partition, source) in &self.sources {
            if let Ok(head) = self.log.last_sequence(*source).await {
                let labels = [
                    ("projection", (*projection).to_owned()),
                    ("partition", partition.to_string()),
                ];
                metrics::gauge!("projection_head", &labels).set(gauge_value(head));
                heads.push((*projection, *partition, head));
            }
        }
        checkpoint::note_heads(self.database.pool(), &heads)
            .await
            .unwrap_or_else(|error| {
                tracing::debug!(%error, "the ends of the log cannot be noted");
                Vec::new()
            })
    }
}
