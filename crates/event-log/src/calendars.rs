//! Calendars as the command side holds them.

use std::sync::Arc;

use domain::Timestamp;
use domain::actor::Actor;
use domain::calendar::stored::{Command, Rejection, Revised, Versions, decide};
use domain::directory::Event;
use domain::ids::{CalendarId, Revision};
use uuid::Uuid;

use crate::aggregate::{Aggregate, FactError, FactOutcome, History, execute};
use crate::connection::Inner;
use crate::execute::{ExecuteError, Request};
use crate::subject::calendar_subject;

/// Commands on calendars, and their versions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Calendars {
    inner: Arc<Inner>,
}

/// A command on a calendar that was carried out, now or earlier.
pub type CalendarOutcome = FactOutcome<Revised>;

/// Why a command on a calendar was not carried out.
pub type CalendarError = FactError<Rejection>;

/// Each calendar has a history of its own.
enum OneCalendar {}

impl Aggregate for OneCalendar {
    type Id = CalendarId;
    type Command = Command;
    type Fact = Revised;
    type State = Versions;
    type Rejection = Rejection;

    fn subject(id: CalendarId) -> String {
        calendar_subject(id)
    }

    fn aggregate_id(id: CalendarId) -> Uuid {
        id.as_uuid()
    }

    fn event(fact: Revised) -> Event {
        Event::Calendar(Box::new(fact))
    }

    fn fact(event: Event) -> Option<Revised> {
        match event {
            Event::Calendar(revised) => Some(*revised),
            Event::Named { .. }
            | Event::Policy(_)
            | Event::Agreed(_)
            | Event::Profile(_)
            | Event::Digest(_)
            | Event::Address(_) => None,
        }
    }

    fn subject_of(id: CalendarId, _: &Revised) -> CalendarId {
        id
    }

    fn evolve(state: Versions, fact: &Revised) -> Versions {
        state.evolve(fact)
    }

    fn revision(state: &Versions, _: CalendarId) -> Revision {
        state.revision()
    }

    fn decide(state: &Versions, _: CalendarId, command: &Command, actor: &Actor) -> Result<Option<Revised>, Rejection> {
        decide(state, command, actor)
    }
}

impl Calendars {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// What the time is.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// A calendar's versions as the log has them now, and its revision. Of a calendar that does
    /// not exist: none, and 0.
    pub async fn versions(&self, id: CalendarId) -> Result<(Versions, Revision), ExecuteError> {
        let versions = History::<OneCalendar>::load(&self.inner, id).await?.state;
        let revision = versions.revision();
        Ok((versions, revision))
    }

    /// Carries a command out, once, however often it is asked for.
    pub async fn execute(
        &self,
        id: CalendarId,
        command: &Command,
        request: &Request,
    ) -> Result<CalendarOutcome, CalendarError> {
        execute::<OneCalendar>(&self.inner, id, command, request).await
    }
}
