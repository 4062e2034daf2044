//! Tells people what happens to tickets.
//!
//! First each record is looked at for whom it concerns, and a notice for each of them goes into the outbox; then each notice is
//! mailed, unless its reader turned it off, or may not see it by now. The server keeps what is still to be done, so that any
//! number of services share the work. Whoever is killed between a mail and saying that it is sent has it sent twice, with the
//! same `Message-ID`.
//!
//! * [`letter`]: what people read, in their language.

mod letter;

use std::future::Future;
use std::time::Duration;

use domain::Timestamp;
use domain::actor::{Actor, ActorKind};
use domain::notice::{Notice, concern_somebody, may_be_told, notices};
use domain::people::User;
use domain::settings::Settings;
use domain::ticket::{Event, TicketState};
use domain::workflow::{Labels, Workflow};
use event_log::{Given, Outbox, OutboxError, Outgoing, Piece, Standing};
use jiff::SignedDuration;
use lettre::Address;
use service_kit::clock::{SharedClock, pause};
use service_kit::health::Component;
use service_kit::{Shutdown, chain};

use self::letter::Letter;
use crate::app::App;
use crate::mail::Mail;

/// What somebody did longer ago than this is history and no news, such as what an import tells; so is what nobody could look at
/// for as long, such as while mail was not configured.
const NEWS_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long a mail server may refuse a notice. Whoever reads it later has seen the ticket by then.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(48);
/// Mails that are sent at once. Each has a connection of its own to the mail server.
const SENDERS: usize = 4;
/// What this release cannot read may be for a newer one, which has this long to take it.
const UNREADABLE_TIMES: u64 = 10;
const UNREADABLE_AGAIN: Duration = Duration::from_mins(1);
/// How often the notices that wait are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// How soon something is tried again: at first, and at most. Each time after twice as long.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_MAX: Duration = Duration::from_hours(1);
/// How soon something is tried again that waits for the log.
const LOG_AGAIN: Duration = Duration::from_secs(5);
/// How long to wait before the server is asked for work anew.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Looks at records and sends notices, by mail.
#[derive(Debug, Clone)]
pub(crate) struct Notifier {
    pub(crate) app: App,
    pub(crate) mail: Mail,
    /// By which it waits for servers: no test's.
    pub(crate) clock: SharedClock,
    pub(crate) shutdown: Shutdown,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The mail server took it.
    Sent,
    /// Its reader does not want to be told that.
    TurnedOff,
    /// Its reader may not see it, or not any more.
    NotTheirs,
    /// There is nobody to write to: they have no address, or may not come in.
    Nobody,
    /// The log does not hold the record any more: it went backwards.
    Gone,
    /// The mail server takes nothing for that address.
    Refused,
    /// The mail server did not take it for two days.
    GivenUp,
    /// It is for later.
    TooEarly(Duration),
    /// The mail server did not take it for now, or the log does not answer.
    Again,
}

impl Outcome {
    /// Its name in metrics.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::TurnedOff => "turned_off",
            Self::NotTheirs => "not_theirs",
            Self::Nobody => "nobody",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::GivenUp => "given_up",
            Self::TooEarly(_) => "too_early",
            Self::Again => "again",
        }
    }
}

impl Notifier {
    /// Begins to do so, as tasks, until shutdown. Ready once the server keeps what happens from then on.
    pub(crate) async fn run(self, ready: Component) {
        let Some(outbox) = self.begun(&ready).await else { return };
        let tasks = self.shutdown.tracker();
        for partition in 0..self.app.log.partitions() {
            let (notifier, outbox) = (self.clone(), outbox.clone());
            tasks.spawn(async move { notifier.on_and_on(|| notifier.look(&outbox, partition)).await });
        }
        let (notifier, counted) = (self.clone(), outbox.clone());
        tasks.spawn(async move { notifier.on_and_on(|| notifier.count(&counted)).await });
        for _ in 0..SENDERS {
            let (notifier, outbox) = (self.clone(), outbox.clone());
            tasks.spawn(async move { notifier.on_and_on(|| notifier.send(&outbox)).await });
        }
    }

    /// Has the server keep what happens; `None`: there was a shutdown before it did.
    async fn begun(&self, ready: &Component) -> Option<Outbox> {
        let begin = async || {
            let outbox = self.app.log.outbox().await?;
            for partition in 0..self.app.log.partitions() {
                outbox.news(partition).await?;
            }
            Ok::<_, OutboxError>(outbox)
        };
        loop {
            match self.unless_shut_down(begin()).await? {
                Ok(outbox) => {
                    ready.ready();
                    return Some(outbox);
                }
                Err(error) => self.wait(&error).await?,
            }
        }
    }

    /// Does it, and does it anew whenever it fails, until shutdown.
    async fn on_and_on<F: Future<Output = Result<(), OutboxError>>>(&self, once: impl Fn() -> F) {
        while let Err(error) = once().await {
            if self.wait(&error).await.is_none() {
                return;
            }
        }
    }

    /// Waits a moment after an error. `None`: there was a shutdown.
    async fn wait(&self, error: &OutboxError) -> Option<()> {
        tracing::warn!(error = chain(error), "telling people what happens begins anew");
        self.unless_shut_down(pause(self.clock.as_ref(), RETRY_PAUSE)).await
    }

    async fn unless_shut_down<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => None,
            value = future => Some(value),
        }
    }

    /// Looks at the records of a partition, until shutdown.
    async fn look(&self, outbox: &Outbox, partition: u16) -> Result<(), OutboxError> {
        let mut news = outbox.news(partition).await?;
        while let Some(given) = self.unless_shut_down(news.next()).await {
            let given = given?;
            let Some(piece) = &given.what else {
                unreadable(&given).await?;
                continue;
            };
            match self.put_notices(outbox, piece).await {
                Ok(()) => given.done().await?,
                Err(Later) => given.again(LOG_AGAIN).await?,
            }
        }
        Ok(())
    }

    /// Puts a notice into the outbox for everybody whom a record concerns.
    async fn put_notices(&self, outbox: &Outbox, piece: &Piece) -> Result<(), Later> {
        let Piece { record, position } = piece;
        let header = &record.header;
        if !is_news(piece, self.app.now()) || !concern_somebody(&record.events) {
            return Ok(());
        }
        let people = self
            .app
            .books
            .are_read()
            .then(|| self.app.books.people())
            .ok_or(Later)?;
        let ticket = header.aggregate_id.into();
        let Some(state) = self.app.tickets.current(ticket).await.map_err(|_| Later)? else {
            return Ok(());
        };
        let doer = (header.actor.kind != ActorKind::System).then_some(header.actor.user);
        for (user, notices) in notices(&record.events, &state, doer, |group| people.members(group)) {
            let outgoing = Outgoing {
                user,
                ticket,
                position: *position,
                record: header.record_id,
                notices,
            };
            outbox.put(&outgoing).await.map_err(|_| Later)?;
        }
        Ok(())
    }

    /// Sends notices one after the other, until shutdown.
    async fn send(&self, outbox: &Outbox) -> Result<(), OutboxError> {
        let mut sending = outbox.sending().await?;
        while let Some(given) = self.unless_shut_down(sending.next()).await {
            let given = given?;
            let Some(outgoing) = &given.what else {
                unreadable(&given).await?;
                continue;
            };
            let outcome = self.deliver(outgoing).await.unwrap_or(Outcome::Again);
            metrics::counter!("notices_total", "outcome" => outcome.as_str()).increment(1);
            match outcome {
                Outcome::TooEarly(time) => given.again(time.min(AGAIN_MAX)).await?,
                Outcome::Again => given.again(again_after(given.times)).await?,
                Outcome::Sent
                | Outcome::TurnedOff
                | Outcome::NotTheirs
                | Outcome::Nobody
                | Outcome::Gone
                | Outcome::Refused
                | Outcome::GivenUp => given.done().await?,
            }
        }
        Ok(())
    }

    /// Says how many notices wait, until shutdown.
    async fn count(&self, outbox: &Outbox) -> Result<(), OutboxError> {
        loop {
            let waiting = u32::try_from(outbox.waiting().await?).unwrap_or(u32::MAX);
            metrics::gauge!("notices_waiting").set(f64::from(waiting));
            if self
                .unless_shut_down(pause(self.clock.as_ref(), COUNT_EVERY))
                .await
                .is_none()
            {
                return Ok(());
            }
        }
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<Outcome, Later> {
        let people = self
            .app
            .books
            .are_read()
            .then(|| self.app.books.people())
            .ok_or(Later)?;
        let Some((user, address)) = people.user(outgoing.user).and_then(written_to) else {
            return Ok(Outcome::Nobody);
        };
        let Some(Standing::Actor(reader)) = people.standing(outgoing.user) else {
            return Ok(Outcome::Nobody);
        };
        let record = self.app.log.record(outgoing.position).await.map_err(|_| Later)?;
        let record = record.filter(|record| record.header.record_id == outgoing.record);
        let ticket = self.app.tickets.current(outgoing.ticket).await.map_err(|_| Later)?;
        let (Some(record), Some(ticket)) = (record, ticket) else {
            return Ok(Outcome::Gone);
        };
        let settings = self.app.settings.of(outgoing.user).await.map_err(|_| Later)?;
        let may = |event: &Event| may_be_told(&reader, event, &ticket);
        let (notice, event) = match choose(&outgoing.notices, &record.events, may, &settings) {
            Ok(chosen) => chosen,
            Err(outcome) => return Ok(outcome),
        };
        let now = self.app.now();
        if let Some(time) = notice.not_before.and_then(|at| time_until(at, now)) {
            return Ok(Outcome::TooEarly(time));
        }
        let author = people.user(record.header.actor.user);
        let letter = Letter {
            id: outgoing.id(),
            kind: notice.kind,
            event,
            author: author.as_ref().map(|author| author.name.as_str()),
            thread: outgoing.ticket.as_uuid(),
            ticket: &ticket,
            status: self.status(&ticket, &reader),
            language: settings.language.or(user.language).unwrap_or_default(),
        };
        let Err(error) = self.mail.send(address, &letter.written(self.mail.desk()), now).await else {
            return Ok(Outcome::Sent);
        };
        let begun = notice.not_before.unwrap_or(record.header.recorded_at);
        let outcome = if error.for_good {
            Outcome::Refused
        } else if now.duration_since(begun) > GIVEN_UP_AFTER {
            Outcome::GivenUp
        } else {
            Outcome::Again
        };
        let (user, outcome_name) = (outgoing.user.as_uuid(), outcome.as_str());
        tracing::warn!(error = chain(&error), %user, outcome = outcome_name, "a notice was not taken");
        Ok(outcome)
    }

    /// What the ticket's status is called by a reader.
    fn status(&self, ticket: &TicketState, reader: &Actor) -> Labels {
        let book = self.app.books.current();
        let workflow = book.map_or(Workflow::USUAL, |book| {
            book.agreements().contract(ticket.organisation).workflow()
        });
        let labels = workflow.labels(ticket.status);
        match reader.kind {
            ActorKind::Customer => labels.customers,
            ActorKind::Staff | ActorKind::System => labels.staff,
        }
    }
}

/// The first of the notices whose event the reader may be told and wants to be told.
fn choose<'n>(
    notices: &'n [Notice],
    events: &'n [Event],
    may: impl Fn(&Event) -> bool,
    settings: &Settings,
) -> Result<(&'n Notice, &'n Event), Outcome> {
    let events = notices
        .iter()
        .filter_map(|notice| Some((notice, events.get(notice.event)?)));
    let mut theirs = events.filter(|(_, event)| may(event)).peekable();
    theirs.peek().ok_or(Outcome::NotTheirs)?;
    let wanted = theirs.find(|(notice, _)| settings.wants(notice.kind));
    wanted.ok_or(Outcome::TurnedOff)
}

/// It cannot be done now, because the log does not answer.
struct Later;

/// Has what cannot be read be given to a newer release, or says that nobody will read it.
async fn unreadable<T>(given: &Given<T>) -> Result<(), OutboxError> {
    if given.times < UNREADABLE_TIMES {
        return given.again(UNREADABLE_AGAIN).await;
    }
    tracing::error!("a record or a notice cannot be read: nobody is told");
    given.done().await
}

/// Whether a record tells of something that has just happened. What the desk itself did is news whenever it did so: it may
/// have been away.
fn is_news(piece: &Piece, now: Timestamp) -> bool {
    let header = &piece.record.header;
    let happened_lately = header.recorded_at.duration_since(header.occurred_at) <= NEWS_FOR;
    let recorded_lately = now.duration_since(header.recorded_at) <= NEWS_FOR;
    recorded_lately && (happened_lately || header.actor.kind == ActorKind::System)
}

/// Where to write to somebody, if they may come in and can be written to.
fn written_to(user: User) -> Option<(User, Address)> {
    let address = user.email.as_ref()?.as_str().parse().ok()?;
    user.enabled.then_some((user, address))
}

/// How long it is until an instant; `None`: it has come.
fn time_until(at: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(at.duration_since(now))
        .ok()
        .filter(|time| !time.is_zero())
}

/// How soon something is tried again that failed this many times.
fn again_after(times: u64) -> Duration {
    let doubled = u32::try_from(times.saturating_sub(1))
        .ok()
        .and_then(|times| 2_u32.checked_pow(times));
    doubled
        .and_then(|doubled| AGAIN.checked_mul(doubled))
        .map_or(AGAIN_MAX, |time| time.min(AGAIN_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_again_ever_later_and_once_an_hour_at_least() {
        let seconds = [1, 2, 3, 10, 11, 33, 1_000, u64::MAX].map(|times| again_after(times).as_secs());
        assert_eq!(seconds, [5, 10, 20, 2_560, 3_600, 3_600, 3_600, 3_600]);
    }
}
