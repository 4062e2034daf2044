//! Names of people, organisations and groups: an entry each, the last name given wins.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use domain::actor::Actor;
use domain::directory::{EntryKind, Event};
use domain::ids::{CommandId, Revision};
use domain::text::Label;
use moka::sync::Cache;
use uuid::Uuid;

use crate::aggregate::{Aggregate, FactError, execute};
use crate::connection::Inner;
use crate::execute::{ExecuteError, Request};
use crate::history::CorruptHistory;
use crate::subject::directory_subject;

/// Names written lately are not looked up again for so long: an import repeats the same few
/// names thousands of times.
const REMEMBERED_FOR: Duration = Duration::from_secs(10);
const REMEMBERED_MAX: u64 = 10_000;

/// A name could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The log cannot be reached, or did not say whether it took the name. Giving the name
    /// again is safe.
    #[error("the log cannot be reached")]
    Unavailable,
    /// The entry's history contradicts itself.
    #[error("the directory's records cannot be read")]
    Corrupt(#[source] CorruptHistory),
}

/// The directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory {
    inner: Arc<Inner>,
    remembered: Cache<(EntryKind, Uuid), Label>,
}

/// The names that an entry had.
#[derive(Debug, Default)]
struct Names {
    last: Option<Label>,
    given: Revision,
}

/// Each entry has a history of its own.
enum OneEntry {}

impl Aggregate for OneEntry {
    type Id = (EntryKind, Uuid);
    type Command = Label;
    type Fact = (EntryKind, Label);
    type State = Names;
    type Rejection = Infallible;

    fn subject((kind, id): Self::Id) -> String {
        directory_subject(kind, id)
    }

    fn aggregate_id((_, id): Self::Id) -> Uuid {
        id
    }

    fn event((kind, name): Self::Fact) -> Event {
        Event::Named { kind, name }
    }

    fn fact(event: Event) -> Option<Self::Fact> {
        match event {
            Event::Named { kind, name } => Some((kind, name)),
            Event::Calendar(_) | Event::Policy(_) | Event::Agreed(_) | Event::Digest(_) => None,
        }
    }

    fn subject_of(id: Self::Id, _: &Self::Fact) -> Self::Id {
        id
    }

    fn evolve(state: Names, (_, name): &Self::Fact) -> Names {
        Names {
            last: Some(name.clone()),
            given: state.given.next(),
        }
    }

    fn revision(state: &Names, _: Self::Id) -> Revision {
        state.given
    }

    fn decide(state: &Names, (kind, _): Self::Id, name: &Label, _: &Actor) -> Result<Option<Self::Fact>, Infallible> {
        Ok((state.last.as_ref() != Some(name)).then(|| (kind, name.clone())))
    }
}

impl Directory {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        let remembered = Cache::builder()
            .max_capacity(REMEMBERED_MAX)
            .time_to_live(REMEMBERED_FOR)
            .build();
        Self { inner, remembered }
    }

    /// Makes an entry go by a name. Does nothing if it does already.
    pub async fn name(&self, kind: EntryKind, id: Uuid, name: &Label, actor: &Actor) -> Result<(), DirectoryError> {
        if self.remembered.get(&(kind, id)).as_ref() == Some(name) {
            return Ok(());
        }
        // Whoever gives a name again wants the same once more, so no two wishes need telling apart.
        let request = Request {
            command_id: CommandId::from(Uuid::new_v4()),
            digest: [0; 32],
            actor: Arc::new(actor.clone()),
            via: None,
            occurred_at: None,
            honour_deadlines: false,
            if_match: None,
            traceparent: None,
        };
        match execute::<OneEntry>(&self.inner, (kind, id), name, &request).await {
            Ok(_) => {
                self.remembered.insert((kind, id), name.clone());
                Ok(())
            }
            Err(FactError::Failed(ExecuteError::Corrupt(corrupt))) => Err(DirectoryError::Corrupt(corrupt)),
            Err(FactError::Failed(_)) => Err(DirectoryError::Unavailable),
            Err(FactError::Rejected(never)) => match never {},
        }
    }
}
