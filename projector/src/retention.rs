//! Drops generations of read models that nobody is likely to switch back to any more: each of them costs as much to keep
//! as the one that serves.

use std::sync::Arc;

use service_kit::cron::Cron;
use service_kit::{Clock as _, SystemClock, chain};

use crate::database::Database;
use crate::generation;
use crate::rebuild::{Operator, RebuildError};

/// Every night, in UTC.
const EVERY_NIGHT: &str = "0 0 3 * * *";
/// Two weeks: a fault of a rebuild or of a release shows in that time.
const DAYS: u16 = 14;

/// For how long generations are kept.
#[derive(Debug, Clone, clap::Args)]
pub struct Retention {
    /// When generations of read models that were kept for long enough are dropped: a cron expression as for `--sweep`.
    #[arg(long = "retention", env = "RECOURSE_RETENTION", default_value = EVERY_NIGHT, value_name = "CRON")]
    pub at: Cron,
    /// For how many days a generation is kept after readers were switched away from it.
    #[arg(long, env = "RECOURSE_KEEP_GENERATIONS", default_value_t = DAYS, value_name = "DAYS")]
    pub keep_generations: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            at: EVERY_NIGHT.parse().expect("the default is a cron expression"),
            keep_generations: DAYS,
        }
    }
}

/// Keeps to it.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) retention: Retention,
    pub(crate) database: Arc<Database>,
    pub(crate) operator: Operator,
}

impl Keeper {
    /// Drops generations for ever. May be dropped at any point. What is not done one night is done the next.
    pub(crate) async fn run(self) {
        while let Some(at) = self.retention.at.next_after(SystemClock.now()) {
            SystemClock.sleep_until(at).await;
            if let Err(error) = self.drop_old().await {
                tracing::warn!(error = chain(&error), "old generations are not dropped now");
            }
        }
        std::future::pending::<()>().await;
    }

    async fn drop_old(&self) -> Result<(), RebuildError> {
        let days = self.retention.keep_generations;
        for (projection, generation) in generation::kept_for_longer(self.database.pool(), days).await? {
            self.operator.drop(&projection, generation).await?;
            tracing::info!(
                projection,
                generation,
                "a generation is dropped that was kept for {days} days"
            );
        }
        Ok(())
    }
}
