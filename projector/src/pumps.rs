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
pub(crate) type Generation = (&'static str, i32);

/// What a generation is to readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// They see it: the projector is ready if it follows.
    Serving,
    /// They do not see it, or not now. It halts and pauses without anybody's being worse off.
    Beside,
}

/// When the generations are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// A projector that starts makes its own tables in place of another release's.
    AtStart,
    /// One that runs and finds others there was replaced by another release, and does not fight it.
    Later,
}

/// The pumps of a generation, started for its role.
#[derive(Debug)]
struct Running {
    role: Role,
    pumps: JoinSet<()>,
}

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
        let mut running: BTreeMap<Generation, Running> = BTreeMap::new();
        let mut backoff = Backoff::default();
        let (mut fills, mut look) = (true, Look::AtStart);
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
                if !wanted.contains_key(&(projection, 1)) {
                    self.forget((projection, 1));
                }
            }
            running.retain(|generation, pumping| {
                let stays = wanted.get(generation) == Some(&pumping.role);
                if !stays {
                    self.forget(*generation);
                }
                stays
            });
            self.report_others(&wanted);
            for (generation, role) in wanted {
                running.entry(generation).or_insert_with(|| Running {
                    role,
                    pumps: self.start(generation, role),
                });
            }
            fills = fills && !self.fill_if_far_behind(&mut running, &mut look).await;
            tokio::select! {
                () = pause(LOOK_EVERY) => {}
                ended = any_ended(&mut running) => {
                    ended.expect("pumps never end by themselves, and are cancelled only by being dropped");
                }
            }
        }
    }

    /// Fills a read model at once that lacks much, or that another release made; its own pumps stand still
    /// meanwhile. Returns whether that cannot be done.
    async fn fill_if_far_behind(&self, running: &mut BTreeMap<Generation, Running>, look: &mut Look) -> bool {
        let behind = match self.far_behind(*look).await {
            Ok(None) => {
                *look = Look::Later;
                return false;
            }
            Ok(Some(behind)) => behind,
            Err(error) => {
                tracing::debug!("it cannot be seen how much is missing: {error}");
                return false;
            }
        };
        running.remove(&behind);
        let (projection, generation) = behind;
        for key in generation::keys(projection, generation, self.log.partitions()) {
            self.health
                .component(&component(key))
                .unready("filled at once from the log");
        }
        match self.fill_at_once(behind).await {
            Ok(Outcome::Filled) => {
                self.forget(behind);
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
    async fn wanted(&self) -> Result<BTreeMap<Generation, Role>, DatabaseError> {
        self.database.ensure().await?;
        let all = generation::all(self.database.pool())
            .await
            .map_err(DatabaseError::Generation)?;
        let following = all.into_iter().filter(|standing| standing.state != "filling");
        Ok(following
            .filter_map(|standing| {
                let role = if standing.serves() { Role::Serving } else { Role::Beside };
                Some(((standing.layout()?.projection, standing.generation), role))
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

    /// Readers see what this projector cannot write to: then it is not it that keeps the desk's lists fresh.
    fn report_others(&self, wanted: &BTreeMap<Generation, Role>) {
        for projection in [Tickets::NAME, Directory::NAME] {
            let name = format!("projector/{projection}");
            let mut of_it = wanted.iter().filter(|((of, _), _)| *of == projection);
            if of_it.any(|(_, role)| *role == Role::Serving) {
                self.health.forget(&name);
            } else {
                self.health
                    .component(&name)
                    .unready("the tables that readers see were made by another release");
            }
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
    pub(crate) fn start(&self, (projection, generation): Generation, role: Role) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let health = match role {
            Role::Serving => self.health.clone(),
            Role::Beside => Health::default(),
        };
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
                    tasks.spawn(self.pump(projection, key, source, &health).run());
                }
                Source::Directory => {
                    tasks.spawn(self.pump(Directory, key, source, &health).run());
                }
            }
        }
        tasks
    }

    fn pump<P: Projection>(&self, projection: P, key: Key, source: Source, health: &Health) -> Pump<P> {
        Pump {
            projection,
            key,
            source,
            log: self.log.clone(),
            database: Arc::clone(&self.database),
            component: health.component(&component(key)),
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
async fn any_ended(running: &mut BTreeMap<Generation, Running>) -> Result<(), JoinError> {
    let ends: Vec<_> = running
        .values_mut()
        .map(|running| Box::pin(running.pumps.join_next()))
        .collect();
    if ends.is_empty() {
        return std::future::pending().await;
    }
    let (ended, ..) = futures::future::select_all(ends).await;
    ended.unwrap_or(Ok(()))
}
