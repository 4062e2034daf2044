//! Tickets as the command side holds them.

use std::sync::Arc;

use domain::Timestamp;
use domain::ids::{Position, TicketId, TicketNumber};
use domain::policy::WaitPolicy;
use domain::ticket::{Command, TicketState};
use tokio::sync::{Mutex, MutexGuard, Semaphore};

use crate::append::AppendError;
use crate::books::Books;
use crate::cache::Histories;
use crate::connection::Inner;
use crate::execute::ExecuteError;
use crate::history::History;
use crate::load::load_current;
use crate::subject::{partition_of, ticket_stream, ticket_subject};

/// Commands on the same ticket take turns within a process, so that they do not spoil each
/// other's appends. Tickets share turns when they share a stripe; more stripes, fewer do.
const STRIPES: u64 = 4096;
/// Histories loaded at once. A cold load makes the server read whole blocks of a file.
const LOADS_MAX: usize = 64;

/// Commands on tickets. Cheap to clone; clones share their cache.
#[derive(Debug, Clone)]
pub struct Tickets {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    inner: Arc<Inner>,
    books: Books,
    no_waits: WaitPolicy,
    histories: Histories,
    turns: Vec<Mutex<()>>,
    loads: Semaphore,
}

/// What a history rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The cache, or the assumption that a new ticket has none.
    Assumed,
    /// The log, a moment ago.
    Confirmed,
}

impl Tickets {
    pub(crate) fn new(inner: Arc<Inner>, books: Books) -> Self {
        let turns = (0..STRIPES).map(|_| Mutex::new(())).collect();
        let histories = Histories::new();
        Self {
            shared: Arc::new(Shared {
                inner,
                books,
                no_waits: WaitPolicy::none(),
                histories,
                turns,
                loads: Semaphore::new(LOADS_MAX),
            }),
        }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.shared.inner
    }

    pub(crate) fn histories(&self) -> &Histories {
        &self.shared.histories
    }

    pub(crate) fn books(&self) -> &Books {
        &self.shared.books
    }

    /// How long tickets wait that no policy is for.
    pub(crate) fn no_waits(&self) -> &WaitPolicy {
        &self.shared.no_waits
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner().clock.now()
    }

    pub(crate) async fn next_number(&self) -> Result<TicketNumber, AppendError> {
        self.inner().numbers.next().await
    }

    pub(crate) fn position(&self, id: TicketId, sequence: u64) -> Position {
        Position {
            partition: self.partition(id),
            sequence,
        }
    }

    pub(crate) fn subject(&self, id: TicketId) -> String {
        ticket_subject(self.partition(id), id)
    }

    fn partition(&self, id: TicketId) -> u16 {
        partition_of(id, self.inner().layout.partitions)
    }

    /// Waits for the ticket's turn.
    pub(crate) async fn turn(&self, id: TicketId) -> MutexGuard<'_, ()> {
        let (_, low) = id.as_uuid().as_u64_pair();
        let stripe = usize::try_from(low % STRIPES).unwrap_or(0);
        self.shared
            .turns
            .get(stripe)
            .expect("a stripe for every remainder")
            .lock()
            .await
    }

    /// The history that a command starts from. A ticket about to be created is assumed to have
    /// none: the append finds out, and most creations are spared a load.
    pub(crate) async fn begin(
        &self,
        id: TicketId,
        command: &Command,
    ) -> Result<(Arc<History>, Freshness), ExecuteError> {
        if let Some(history) = self.histories().get(id)
            && !self.doubtful(&history)
        {
            return Ok((history, Freshness::Assumed));
        }
        let nothing = Arc::new(self.nothing());
        if matches!(command, Command::Create(..)) {
            return Ok((nothing, Freshness::Assumed));
        }
        Ok((self.reload(id, &nothing).await?, Freshness::Confirmed))
    }

    /// A ticket as the log has it now. `None`: there is none of this id.
    pub async fn current(&self, id: TicketId) -> Result<Option<TicketState>, ExecuteError> {
        let known = self.histories().get(id).unwrap_or_else(|| Arc::new(self.nothing()));
        let history = self.reload(id, &known).await?;
        Ok(history.ticket().state().cloned())
    }

    /// Whether a history was loaded over a connection that is gone: the log at the end of the new
    /// one may have gone backwards and hold other records under the same sequences.
    pub(crate) fn doubtful(&self, history: &History) -> bool {
        history.connections != self.inner().connections()
    }

    fn nothing(&self) -> History {
        History::nothing(self.inner().connections())
    }

    /// The history as the log has it now, read on from what is known and not in doubt.
    pub(crate) async fn reload(&self, id: TicketId, known: &Arc<History>) -> Result<Arc<History>, ExecuteError> {
        let _slot = self
            .shared
            .loads
            .acquire()
            .await
            .map_err(|_| ExecuteError::Unavailable)?;
        let nothing = self.doubtful(known).then(|| Arc::new(self.nothing()));
        let known = nothing.as_ref().unwrap_or(known);
        let stream = ticket_stream(self.partition(id));
        let subject = self.subject(id);
        let records = load_current(self.inner(), &stream, &subject, known.tip.sequence).await?;
        if records.is_empty() {
            return Ok(Arc::clone(known));
        }
        let mut history = History::clone(known);
        if let Err(corrupt) = history.extend(id, records) {
            self.histories().forget(id);
            return Err(ExecuteError::Corrupt(corrupt));
        }
        let history = Arc::new(history);
        self.histories().keep(id, Arc::clone(&history));
        Ok(history)
    }
}
