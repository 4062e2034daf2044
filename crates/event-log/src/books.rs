//! The policies in force, what was agreed with organisations and users, whom users act as, and the catalogue, followed in the log, so that
//! no decision waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::catalogue::Catalogue;
use domain::directory::Event;
use domain::ids::Position;
use domain::people::Profile;
use domain::policy::WaitPolicy;
use domain::sla::{Book, InForce, Library, SlaPolicy};
use service_kit::health::Component;
use service_kit::{Shutdown, chain};
use tokio::sync::watch;
use wire::Record;

use crate::connection::{Inner, pause};
use crate::history::CorruptHistory;
use crate::offers::Offers;
use crate::people::People;
use crate::reader::{Entry, ReadError, Reader, Source, last_sequence};

/// Records taken in at once: a directory of many names is read quickly, and a shutdown waits for
/// no more than these.
const BATCH_MAX: usize = 1_000;
/// Between attempts to follow the log anew.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// The policies in force, and all by which clocks may still run. Cheap to clone; clones share them.
#[derive(Debug, Clone)]
pub struct Books {
    shelf: watch::Receiver<Shelf>,
    people: People,
    offers: Offers,
}

/// Keeps [`Books`] up to date. See [`BookKeeper::keep`].
#[derive(Debug)]
pub struct BookKeeper {
    inner: Arc<Inner>,
    usual: SlaPolicy,
    shelf: watch::Sender<Shelf>,
    people: People,
    offers: Offers,
    /// The last record whose profile they have. Following begins anew with the first.
    profiles_until: AtomicU64,
}

#[derive(Debug, Clone, Default)]
struct Shelf {
    /// `None`: the log has not been read to its end yet.
    book: Option<Arc<Book>>,
    /// The last record of the directory that is in it.
    sequence: u64,
}

/// Why following cannot go on.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error("the directory cannot be read now")]
    Read(#[from] ReadError),
    #[error("the directory holds a record that cannot be read")]
    Corrupt(#[source] CorruptHistory),
}

impl Books {
    /// A book that never changes.
    pub fn fixed(book: Book) -> Self {
        let shelf = Shelf {
            book: Some(Arc::new(book)),
            sequence: u64::MAX,
        };
        Self {
            shelf: watch::channel(shelf).1,
            people: People::default(),
            offers: Offers::default(),
        }
    }

    /// A policy for waits alone, for all tickets, that never changes.
    ///
    /// # Panics
    ///
    /// Never: one policy makes a book.
    pub fn waiting(waits: &WaitPolicy) -> Self {
        let book = Book::try_new(vec![SlaPolicy::waiting(waits)]).expect("one policy has no scope twice");
        Self::fixed(book)
    }

    /// What applies now. `None` while the log has never been read to its end: nobody knows.
    pub fn current(&self) -> Option<Arc<Book>> {
        self.shelf.borrow().book.clone()
    }

    /// Whether the log has been read to its end, once.
    pub fn are_read(&self) -> bool {
        self.shelf.borrow().book.is_some()
    }

    /// Whom users act as. Not all of them are known before [`Books::are_read`].
    pub fn people(&self) -> &People {
        &self.people
    }

    /// What the desk offers. Not all of it is known before [`Books::are_read`].
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.offers.now()
    }

    /// What applies now, and word of what applies afterwards.
    pub(crate) fn watch(&self) -> Watched {
        Watched(self.shelf.clone())
    }

    /// Returns once the record at a position of the directory is taken in. For ever, if nobody
    /// keeps the books: callers set a limit.
    pub async fn reached(&self, position: Position) {
        let mut kept = self.shelf.clone();
        // An error says that the keeper has ended. Then there is nothing to wait for.
        let _ = kept.wait_for(|shelf| shelf.sequence >= position.sequence).await;
    }
}

/// Books while one decision waits for another one.
#[derive(Debug)]
pub(crate) struct Watched(watch::Receiver<Shelf>);

impl Watched {
    /// What applies now.
    pub(crate) fn current(&mut self) -> Option<Arc<Book>> {
        self.0.borrow_and_update().book.clone()
    }

    /// Returns once more is known than at the last look; for ever, if nobody keeps the books.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl BookKeeper {
    /// Books, empty until their keeper runs. The policy `usual` applies where no stored one is
    /// for all tickets.
    pub(crate) fn new(inner: Arc<Inner>, usual: SlaPolicy) -> (Books, Self) {
        let (sender, receiver) = watch::channel(Shelf::default());
        let keeper = Self {
            inner,
            usual,
            shelf: sender,
            people: People::default(),
            offers: Offers::default(),
            profiles_until: AtomicU64::new(0),
        };
        let books = Books {
            shelf: receiver,
            people: keeper.people.clone(),
            offers: keeper.offers.clone(),
        };
        (books, keeper)
    }

    /// Follows the log until shutdown. Ready once all that is in it is known.
    pub async fn keep(self, ready: Component, shutdown: Shutdown) {
        loop {
            let ended = tokio::select! {
                () = shutdown.cancelled() => return,
                ended = self.follow(&ready) => ended,
            };
            let Err(error) = ended;
            match &error {
                FollowError::Read(_) => tracing::warn!(error = chain(&error), "following policies begins anew"),
                // What nobody can read may be a policy: decisions go on by those known before.
                FollowError::Corrupt(_) => {
                    tracing::error!(error = chain(&error), "policies cannot be followed");
                    ready.unready("a record of the directory cannot be read");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = pause(RETRY_PAUSE) => {}
            }
        }
    }

    async fn follow(&self, ready: &Component) -> Result<std::convert::Infallible, FollowError> {
        let end = last_sequence(&self.inner, Source::Directory).await?;
        let mut reader = Reader::open(Arc::clone(&self.inner), Source::Directory, None).await?;
        let (mut library, mut sequence) = (Library::default(), 0);
        let mut until = None;
        let mut changed = Changed::Yes;
        loop {
            if sequence >= end {
                until = match changed {
                    Changed::Yes => self.publish(&library, sequence),
                    Changed::No => {
                        self.shelf.send_modify(|shelf| shelf.sequence = sequence);
                        until
                    }
                };
                changed = Changed::No;
                ready.ready();
            }
            tokio::select! {
                batch = reader.next_batch(BATCH_MAX) => {
                    for entry in batch? {
                        sequence = entry.sequence;
                        let taken = self.take_in(&mut library, &entry);
                        if taken.map_err(FollowError::Corrupt)? == Changed::Yes {
                            changed = Changed::Yes;
                        }
                    }
                }
                // Another version of a calendar comes into force.
                () = self.inner.clock.sleep_until(until.unwrap_or_default()), if until.is_some() => changed = Changed::Yes,
            }
        }
    }

    /// Shows what applies now, and returns until when it does.
    fn publish(&self, library: &Library, sequence: u64) -> Option<domain::Timestamp> {
        let InForce { book, until, unusable } = library.in_force(&self.usual, self.inner.clock.now());
        for policy in unusable {
            tracing::error!(policy.id = %policy, "policy {policy} does not apply: its calendar has too few hours");
        }
        let book = Some(Arc::new(book));
        self.shelf.send_replace(Shelf { book, sequence });
        until
    }

    fn take_in(&self, library: &mut Library, entry: &Entry) -> Result<Changed, CorruptHistory> {
        let sequence = entry.sequence;
        let record: Record<Event> =
            wire::decode(&entry.payload).map_err(|source| CorruptHistory::Unreadable { sequence, source })?;
        let mut changed = Changed::No;
        // Whoever looks meanwhile must not see what was once: who is disabled by now came in once.
        let profiles_are_new = self.profiles_until.fetch_max(sequence, Ordering::Relaxed) < sequence;
        for event in &record.events {
            match event {
                Event::Named { .. } | Event::Digest(_) | Event::Address(_) => continue,
                Event::Profile(_) if !profiles_are_new => continue,
                Event::Profile(known) => {
                    let id = record.header.aggregate_id;
                    if let Profile::Item(item) = &**known {
                        self.offers.add(id, item);
                    } else {
                        self.people.add(id, known);
                    }
                    continue;
                }
                Event::Calendar(revised) => library.add_calendar(record.header.aggregate_id.into(), &revised.version),
                Event::Policy(revised) => library.add_policy(revised),
                Event::Agreed(agreed) => library.add_agreed(record.header.aggregate_id, agreed),
            }
            changed = Changed::Yes;
        }
        Ok(changed)
    }
}

/// Whether a record says something about policies, calendars or contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    Yes,
    No,
}
