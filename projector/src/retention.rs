//! Drops generations of read models that nobody is likely to switch back to any more: each of them costs as much to keep
//! as the one that serves.

use std::sync::Arc;

use service_kit::cron::Cron;
use service_kit::{Clock as _, SystemClock, chain};

use crate::database::Database;
use crate::generation;
use crate::pause::Backoff;
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
        self.drop_remains().await;
        while let Some(at) = self.retention.at.next_after(SystemClock.now()) {
            SystemClock.sleep_until(at).await;
            if let Err(error) = self.drop_old().await {
                tracing::warn!(error = chain(&error), "old generations are not dropped now");
            }
        }
        std::future::pending::<()>().await;
    }

    /// A projector that fills a read model at once and ends before it has dropped the one that lacked so much leaves it to the
    /// next: following the log record by record, it would take many times as long as filling did.
    async fn drop_remains(&self) {
        let mut backoff = Backoff::default();
        loop {
            let unfilled = match self.database.ensure().await {
                Ok(()) => generation::kept_unfilled(self.database.pool()).await,
                Err(error) => {
                    tracing::debug!("Postgres cannot be used: {}", chain(&error));
                    backoff.wait().await;
                    continue;
                }
            };
            let dropped = match unfilled {
                Ok(generations) => self.drop(generations, "that was never whole").await,
                Err(error) => Err(error.into()),
            };
            match dropped {
                Ok(()) => return,
                Err(error) => tracing::debug!("remains are not dropped yet: {}", chain(&error)),
            }
            backoff.wait().await;
        }
    }

    async fn drop_old(&self) -> Result<(), RebuildError> {
        let days = self.retention.keep_generations;
        let old = generation::kept_for_longer(self.database.pool(), days).await?;
        self.drop(old, "that was kept for long enough").await
    }

    async fn drop(&self, generations: Vec<(String, i32)>, which: &str) -> Result<(), RebuildError> {
        for (projection, generation) in generations {
            self.operator.drop(&projection, generation).await?;
            tracing::info!(projection, generation, "a generation is dropped {which}");
        }
        Ok(())
    }
}
