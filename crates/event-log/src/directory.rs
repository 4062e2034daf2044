//! Users, groups and organisations: an entry each, with the names that it was given and the profiles that were written of it;
//! and e-mail addresses, each with whose it is.

use std::sync::Arc;
use std::time::Duration;

use domain::actor::Actor;
use domain::address::{self, Address, Held, Holding, Taken};
use domain::directory::{EntryKind, Event};
use domain::ids::{CommandId, Revision, UserId};
use domain::people::{Command, Entry, Fact, Profile, Rejection, decide};
use domain::text::Label;
use moka::sync::Cache;
use uuid::Uuid;

use crate::aggregate::{Aggregate, FactError, FactOutcome, History, execute};
use crate::append::Draft;
use crate::connection::Inner;
use crate::execute::{ExecuteError, Request};
use crate::history::CorruptHistory;
use crate::subject::{address_id, address_subject, directory_subject};

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

/// A profile that was written, now or earlier.
pub type ProfileOutcome = FactOutcome<Fact>;

/// Why a profile was not written.
pub type ProfileError = FactError<Rejection>;

/// Each entry has a history of its own.
enum OneEntry {}

impl Aggregate for OneEntry {
    type Id = (EntryKind, Uuid);
    type Command = Command;
    type Fact = Fact;
    type State = Entry;
    type Rejection = Rejection;

    const IS_ALWAYS_THERE: bool = true;

    fn subject((kind, id): Self::Id) -> String {
        directory_subject(kind, id)
    }

    fn aggregate_id((_, id): Self::Id) -> Uuid {
        id
    }

    fn event(fact: Fact) -> Event {
        match fact {
            Fact::Named(kind, name) => Event::Named { kind, name },
            Fact::Profile(profile) => Event::Profile(profile),
        }
    }

    fn fact(event: Event) -> Option<Fact> {
        match event {
            Event::Named { kind, name } => Some(Fact::Named(kind, name)),
            Event::Profile(profile) => Some(Fact::Profile(profile)),
            Event::Calendar(_) | Event::Policy(_) | Event::Agreed(_) | Event::Digest(_) | Event::Address(_) => None,
        }
    }

    fn subject_of(id: Self::Id, _: &Fact) -> Self::Id {
        id
    }

    fn evolve(state: Entry, fact: &Fact) -> Entry {
        state.evolve(fact)
    }

    fn revision(state: &Entry, _: Self::Id) -> Revision {
        state.revision()
    }

    fn decide(
        state: &Entry,
        (kind, id): Self::Id,
        command: &Command,
        actor: &Actor,
    ) -> Result<Option<Fact>, Rejection> {
        decide(state, kind, id, command, actor)
    }

    async fn companions(
        inner: &Inner,
        state: &Entry,
        (_, id): Self::Id,
        fact: &Fact,
        request: &Request,
    ) -> Result<Vec<Draft>, ProfileError> {
        let user = UserId::from(id);
        let after = match fact {
            Fact::Profile(profile) => address_of(profile),
            Fact::Named(..) => return Ok(Vec::new()),
        };
        let before = state.profile().and_then(address_of);
        let stays = before == after;
        let released = before
            .filter(|_| !stays)
            .map(|address| (address, address::Command::Release(user)));
        let held = after.map(|address| (address, address::Command::Hold(user)));
        let mut drafts = Vec::new();
        for (address, command) in released.into_iter().chain(held) {
            let id = address_id(&address);
            let history = History::<OneAddress>::load(inner, id).await?;
            match address::decide(history.state, command) {
                Ok(Some(fact)) => drafts.push(history.draft(inner, id, fact, request).map_err(ExecuteError::from)?),
                Ok(None) => {}
                // Two users of an older release may have the same. The rest of their profiles can be written.
                Err(_) if stays => {}
                Err(taken) => return Err(FactError::Rejected(Rejection::AddressTaken(taken))),
            }
        }
        Ok(drafts)
    }
}

/// The address that a user's profile has.
fn address_of(profile: &Profile) -> Option<Address> {
    match profile {
        Profile::User(user) => user.email.as_ref().map(Address::new),
        Profile::Group(_)
        | Profile::Organisation(_)
        | Profile::Role(_)
        | Profile::PermissionSet(_)
        | Profile::Project(_)
        | Profile::Portal(_)
        | Profile::Item(_) => None,
    }
}

/// Each address has a history of its own, which is written to together with a user's.
enum OneAddress {}

impl Aggregate for OneAddress {
    type Id = Uuid;
    type Command = address::Command;
    type Fact = Held;
    type State = Holding;
    type Rejection = Taken;

    fn subject(id: Uuid) -> String {
        address_subject(id)
    }

    fn aggregate_id(id: Uuid) -> Uuid {
        id
    }

    fn event(fact: Held) -> Event {
        Event::Address(fact)
    }

    fn fact(event: Event) -> Option<Held> {
        match event {
            Event::Address(held) => Some(held),
            Event::Named { .. }
            | Event::Calendar(_)
            | Event::Policy(_)
            | Event::Agreed(_)
            | Event::Profile(_)
            | Event::Digest(_) => None,
        }
    }

    fn subject_of(id: Uuid, _: &Held) -> Uuid {
        id
    }

    fn evolve(state: Holding, fact: &Held) -> Holding {
        state.evolve(*fact)
    }

    fn revision(state: &Holding, _: Uuid) -> Revision {
        state.revision()
    }

    fn decide(state: &Holding, _: Uuid, command: &address::Command, _: &Actor) -> Result<Option<Held>, Taken> {
        address::decide(*state, *command)
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
        let request = Request::new(CommandId::from(Uuid::new_v4()), [0; 32], Arc::new(actor.clone()));
        match execute::<OneEntry>(&self.inner, (kind, id), &Command::Name(name.clone()), &request).await {
            Ok(_) => {
                self.remembered.insert((kind, id), name.clone());
                Ok(())
            }
            Err(FactError::Failed(ExecuteError::Corrupt(corrupt))) => Err(DirectoryError::Corrupt(corrupt)),
            // Names are never refused.
            Err(FactError::Failed(_) | FactError::Rejected(_)) => Err(DirectoryError::Unavailable),
        }
    }

    /// Whose an e-mail address is now, as far as profiles said so since addresses are kept apart.
    pub async fn holder(&self, address: &Address) -> Result<Option<UserId>, DirectoryError> {
        match History::<OneAddress>::load(&self.inner, address_id(address)).await {
            Ok(history) => Ok(history.state.by()),
            Err(ExecuteError::Corrupt(corrupt)) => Err(DirectoryError::Corrupt(corrupt)),
            Err(_) => Err(DirectoryError::Unavailable),
        }
    }

    /// Writes what is known of the entry of this id, once, however often it is asked for. An entry that is not there begins
    /// with it.
    pub async fn write(&self, id: Uuid, profile: &Profile, request: &Request) -> Result<ProfileOutcome, ProfileError> {
        let command = Command::Profile(Box::new(profile.clone()));
        self.execute(id, profile, &command, request).await
    }

    /// The same of an entry that must not be there yet.
    pub async fn create(&self, id: Uuid, profile: &Profile, request: &Request) -> Result<ProfileOutcome, ProfileError> {
        let command = Command::New(Box::new(profile.clone()));
        self.execute(id, profile, &command, request).await
    }

    async fn execute(
        &self,
        id: Uuid,
        profile: &Profile,
        command: &Command,
        request: &Request,
    ) -> Result<ProfileOutcome, ProfileError> {
        execute::<OneEntry>(&self.inner, (profile.kind(), id), command, request).await
    }
}
