//! A read model that has far to go, or that another release made, is filled at once: beside the one that
//! serves, in tables that get their indexes when they are full. Following the log record by record is many times
//! slower.

use std::sync::Arc;

use service_kit::chain;

use crate::checkpoint;
use crate::generation::{self, Layout};
use crate::projections::{Projection as _, Tickets};
use crate::pumps::{Generation, Look, Pumps};
use crate::rebuild::{Operator, Progress, RebuildError};

/// From so many missing records on it is worth its while: fewer are followed in some seconds.
pub(crate) const MISSING_MIN: u64 = 100_000;

/// What came of looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing is missing that would be worth it; the log is followed.
    Follow,
    /// It is filled. Another generation serves.
    Filled,
    /// Somebody else makes a generation; what comes of it is to be waited for.
    Wait,
}

impl Pumps {
    /// A generation that serves and was made by another release, whose tables this one cannot write to; or that
    /// of tickets, if it has never held all that the log did and lacks many records.
    pub(crate) async fn far_behind(&self, look: Look) -> Result<Option<Generation>, RebuildError> {
        let all = generation::all(self.database.pool()).await?;
        let foreign = all
            .iter()
            .filter(|standing| standing.serves() && standing.layout().is_none())
            .find_map(|standing| Some((Layout::of(&standing.projection)?.projection, standing.generation)));
        if foreign.is_some() && look == Look::AtStart {
            return Ok(foreign);
        }
        let serving = all
            .iter()
            .find(|standing| standing.projection == Tickets::NAME && standing.serves());
        let Some(serving) = serving.map(|standing| standing.generation) else {
            return Ok(None);
        };
        let mut missing = 0;
        for (partition, standing) in checkpoint::all(self.database.pool(), Tickets::NAME, serving).await? {
            // Whoever stopped it wants it to stay where it is.
            if standing.halted() || standing.paused() {
                return Ok(None);
            }
            if !standing.filled() {
                let last = self.log.last_sequence(event_log::Source::Tickets(partition)).await?;
                missing += last.saturating_sub(standing.sequence());
            }
        }
        Ok((missing >= self.fill_from).then_some((Tickets::NAME, serving)))
    }

    /// Makes a whole generation, shows it to readers, and removes the one that was `behind`.
    pub(crate) async fn fill_at_once(&self, (projection, behind): Generation) -> Result<Outcome, RebuildError> {
        let operator = Operator::of_projector(self.log.clone(), Arc::clone(&self.database), self.calendar.clone());
        tracing::info!(projection, "the read model {projection} is filled at once from the log");
        match operator.rebuild(projection, None, &Arc::new(Progress::default())).await {
            Ok((generation, _)) => {
                operator.drop(projection, behind).await?;
                tracing::info!(
                    projection,
                    generation,
                    "the read model {projection} is filled, as generation {generation}"
                );
                Ok(Outcome::Filled)
            }
            Err(RebuildError::Busy) => Ok(Outcome::Wait),
            // Postgres or the log are gone for a while, or somebody stopped them.
            Err(error @ (RebuildError::Database(_) | RebuildError::Schema(_) | RebuildError::Log(_))) => Err(error),
            Err(error) => {
                tracing::warn!(
                    "the read model cannot be filled at once; the log is followed: {}",
                    chain(&error)
                );
                Ok(Outcome::Follow)
            }
        }
    }
}
