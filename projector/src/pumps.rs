//! A pump for every partition of every generation that follows the log, whichever those are just now.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::calendar::Calendar;
use event_log::{EventLog, Source};
use service_kit::{Health, chain};
use tokio::task::{JoinError, JoinSet};

use crate::checkpoint::Key;
use crate::database::{Database, DatabaseError};
use crate::first_fill::Outcome;
use crate::generation;
use crate::pause::{Backoff, pause};
use crate::projections::{Directory, Projection, Tickets};
use crate::pump::{self, Pump};

/// How often the list of generations is looked at. A new one follows the log from then on; one that was
/// dropped is left alone.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A projection's name, and which generation of its tables.
type Generation = (&'static str, i32);

/// Keeps the pumps going.
#[derive(Debug)]
pub(crate) struct Pumps {
    pub(crate) log: EventLog,
    pub(crate) database: Arc<Database>,
    pub(crate) calendar: Calendar,
    pub(crate) health: Health,
    /// How many records may be missing before a read model is filled at once.
    pub(crate) fill_from: u64,
}

impl Pumps {
    /// What every projection reads, by partition.
    pub(crate) fn sources(&self) -> Vec<(&'static str, u16, Source)> {
        let tickets =
            (0..self.log.partitions()).map(|partition| (Tickets::NAME, partition, Source::Tickets(partition)));
        tickets.chain([(Directory::NAME, 0, Source::Directory)]).collect()
    }

    /// Pumps for ever. May be dropped at any point. A pump that fails takes all of them with it.
    pub(crate) async fn run(self) {
        let mut running: BTreeMap<Generation, JoinSet<()>> = BTreeMap::new();
        let mut backoff = Backoff::default();
        let mut fills = true;
        // Registered at once, so that nobody takes a projector without pumps for a ready one.
        self.report_absence("starting");
        loop {
            let wanted = match self.wanted().await {
                Ok(wanted) => wanted,
                // The pumps that run wait for Postgres by themselves.
                Err(error) => {
                    tracing::debug!("the generations cannot be looked at: {error}");
                    if running.is_empty() {
                        self.report_absence("Postgres cannot be used");
                    }
                    backoff.wait().await;
                    continue;
                }
            };
            backoff.reset();
            // Absence was reported in the name of the first generation, which may have been dropped.
            for projection in [Tickets::NAME, Directory::NAME] {
                if !wanted.contains(&(projection, 1)) {
                    self.forget((projection, 1));
                }
            }
            running.retain(|generation, _| {
                let stays = wanted.contains(generation);
                if !stays {
                    self.forget(*generation);
                }
                stays
            });
            for (projection, generation) in wanted {
                running
                    .entry((projection, generation))
                    .or_insert_with(|| self.start(projection, generation));
            }
            fills = fills && !self.fill_if_far_behind(&mut running).await;
            tokio::select! {
                () = pause(LOOK_EVERY) => {}
                ended = any_ended(&mut running) => {
                    ended.expect("pumps never end by themselves, and are cancelled only by being dropped");
                }
            }
        }
    }

    /// Fills the read model of tickets at once, if it lacks much; its own pumps stand still meanwhile. Returns
    /// whether that cannot be done.
    async fn fill_if_far_behind(&self, running: &mut BTreeMap<Generation, JoinSet<()>>) -> bool {
        let behind = match self.far_behind().await {
            Ok(None) => return false,
            Ok(Some(behind)) => behind,
            Err(error) => {
                tracing::debug!("it cannot be seen how much is missing: {error}");
                return false;
            }
        };
        running.remove(&(Tickets::NAME, behind));
        for key in generation::keys(Tickets::NAME, behind, self.log.partitions()) {
            self.health
                .component(&component(key))
                .unready("filled at once from the log");
        }
        match self.fill_at_once(behind).await {
            Ok(Outcome::Filled) => {
                self.forget((Tickets::NAME, behind));
                false
            }
            Ok(Outcome::Wait) => false,
            Ok(Outcome::Follow) => true,
            Err(error) => {
                tracing::warn!("the read model is not filled yet: {}", chain(&error));
                false
            }
        }
    }

    /// The generations that are to follow the log.
    async fn wanted(&self) -> Result<Vec<Generation>, DatabaseError> {
        self.database.ensure().await?;
        let all = generation::all(self.database.pool())
            .await
            .map_err(DatabaseError::Generation)?;
        let following = all.into_iter().filter(|standing| standing.state != "filling");
        Ok(following
            .filter_map(|standing| {
                let layout = generation::Layout::of(&standing.projection)?;
                Some((layout.projection, standing.generation))
            })
            .collect())
    }

    /// Until the first pumps run, somebody has to say why they do not.
    fn report_absence(&self, why: &str) {
        for (projection, partition, _) in self.sources() {
            let key = Key {
                projection,
                generation: 1,
                partition,
            };
            self.health.component(&component(key)).unready(why);
        }
    }

    /// Nobody asks after the health of a generation that is gone.
    fn forget(&self, (projection, generation): Generation) {
        for key in generation::keys(projection, generation, self.log.partitions()) {
            self.health.forget(&component(key));
            pump::forget(key);
        }
    }

    /// Starts the pumps of one generation. They end when the set is dropped.
    pub(crate) fn start(&self, projection: &'static str, generation: i32) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let sources = self.sources().into_iter().filter(|(name, ..)| *name == projection);
        for (_, partition, source) in sources {
            let key = Key {
                projection,
                generation,
                partition,
            };
            match source {
                Source::Tickets(_) => {
                    let projection = Tickets {
                        calendar: self.calendar.clone(),
                    };
                    tasks.spawn(self.pump(projection, key, source).run());
                }
                Source::Directory => {
                    tasks.spawn(self.pump(Directory, key, source).run());
                }
            }
        }
        tasks
    }

    fn pump<P: Projection>(&self, projection: P, key: Key, source: Source) -> Pump<P> {
        Pump {
            projection,
            key,
            source,
            log: self.log.clone(),
            database: Arc::clone(&self.database),
            component: self.health.component(&component(key)),
        }
    }
}

/// The name of a pump in the report of what is ready. Generations after the first are told apart.
fn component(key: Key) -> String {
    let Key {
        projection,
        generation,
        partition,
    } = key;
    match generation {
        1 => format!("projector/{projection}/{partition}"),
        later => format!("projector/{projection}.{later}/{partition}"),
    }
}

/// Returns when any task of any set has ended.
async fn any_ended(running: &mut BTreeMap<Generation, JoinSet<()>>) -> Result<(), JoinError> {
    let ends: Vec<_> = running.values_mut().map(|tasks| Box::pin(tasks.join_next())).collect();
    if ends.is_empty() {
        return std::future::pending().await;
    }
    let (ended, ..) = futures::future::select_all(ends).await;
    ended.unwrap_or(Ok(()))
}
