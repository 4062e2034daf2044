//! Sends notices.

use std::future::Future;
use std::time::Duration;

use domain::Timestamp;
use domain::actor::{Actor, ActorKind};
use domain::notice::{NoticeKind, Reason, may_be_told};
use domain::people::User;
use domain::settings::Settings;
use domain::ticket::{Event, TicketState};
use domain::workflow::{Labels, Workflow};
use event_log::{Given, Lane, OutboxError, Outgoing, ScanError, Standing};
use jiff::SignedDuration;
use lettre::Address;
use service_kit::chain;
use service_kit::clock::pause;

use super::letter::Letter;
use super::look::unloaded;
use super::notifier::{NotDone, Notifier, give_back};
use crate::mail::NotTaken;

/// How long a notice is worth sending. Whoever reads it later has seen the ticket by then.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(48);
/// How soon a notice that was not taken is sent again at least; otherwise after as long as it has been tried for, and once an
/// hour at least.
const AGAIN: Duration = Duration::from_secs(5);
/// How long a mail server may take to take a notice: at first, so that one that hangs does not hold up the others; and once it
/// was tried. RFC 5321, 4.5.3.2.6 gives the last answer ten minutes.
const WITHIN: Duration = Duration::from_secs(20);
const WITHIN_AGAIN: Duration = Duration::from_mins(10);
/// Nobody knows whether a mail server that does not answer has taken the mail: it gets no more copies than these and the first.
const UNANSWERED_TIMES: u64 = 2;
/// How often the log's server is told that somebody is still at it.
const TOLD_EVERY: Duration = Duration::from_secs(30);
const AGAIN_MAX: Duration = Duration::from_hours(1);

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
    /// There is no such mailbox.
    Refused,
    /// It is old by now.
    GivenUp,
    /// It is for later.
    TooEarly(Duration),
    /// The mail server did not take it for now.
    Again(Duration),
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
            Self::Again(_) => "again",
        }
    }
}

impl Notifier {
    /// Sends notices of a lane one after the other, until shutdown.
    pub(super) async fn send(&self, lane: Lane) -> Result<(), OutboxError> {
        let outbox = self.app.log.outbox().await?;
        let mut sending = outbox.sending(lane).await?;
        while let Some(given) = self.unless_shut_down(sending.next()).await {
            let given = given?;
            let Some(outgoing) = &given.what else {
                give_back(&given, &NotDone::Unreadable("a notice of another release".into())).await?;
                continue;
            };
            let outcome = match self.at_it(&given, self.deliver(outgoing, lane, given.times)).await? {
                Ok(outcome) => outcome,
                Err(why) => {
                    give_back(&given, &why).await?;
                    continue;
                }
            };
            metrics::counter!("notices_total", "outcome" => outcome.as_str()).increment(1);
            match (outcome, lane) {
                (Outcome::TooEarly(time), _) | (Outcome::Again(time), Lane::Again) => given.again(time).await?,
                (Outcome::Again(_), Lane::First) => {
                    outbox.put(outgoing, Lane::Again).await?;
                    given.done().await?;
                }
                (
                    Outcome::Sent
                    | Outcome::TurnedOff
                    | Outcome::NotTheirs
                    | Outcome::Nobody
                    | Outcome::Gone
                    | Outcome::Refused
                    | Outcome::GivenUp,
                    _,
                ) => given.done().await?,
            }
        }
        Ok(())
    }

    /// Does it, and tells the server meanwhile that somebody is at it.
    async fn at_it<T>(&self, given: &Given<Outgoing>, work: impl Future<Output = T>) -> Result<T, OutboxError> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = pause(self.clock.as_ref(), TOLD_EVERY) => given.going_on().await?,
            }
        }
    }

    async fn deliver(&self, outgoing: &Outgoing, lane: Lane, times: u64) -> Result<Outcome, NotDone> {
        let people = self.people()?;
        let reader = outgoing.notice.user;
        let Some((user, address)) = people.user(reader).and_then(written_to) else {
            return Ok(Outcome::Nobody);
        };
        let Some(Standing::Actor(actor)) = people.standing(reader) else {
            return Ok(Outcome::Nobody);
        };
        let record = self.app.log.record(outgoing.position).await.map_err(unread)?;
        let record = record.filter(|record| record.header.record_id == outgoing.record);
        let ticket = self.app.tickets.current(outgoing.ticket).await.map_err(unloaded)?;
        let (Some(record), Some(ticket)) = (record, ticket) else {
            return Ok(Outcome::Gone);
        };
        let settings = self.app.settings.of(reader).await.map_err(NotDone::later)?;
        let may = |kind: NoticeKind, event: &Event| may_be_told(&actor, kind, event, &ticket);
        let (reason, event) = match choose(&outgoing.notice.reasons, &record.events, may, &settings) {
            Ok(chosen) => chosen,
            Err(outcome) => return Ok(outcome),
        };
        let now = self.app.now();
        let due = reason.not_before.unwrap_or(record.header.recorded_at);
        match Timeliness::of(due, now) {
            Timeliness::Early(time) => return Ok(Outcome::TooEarly(time)),
            Timeliness::Old => return Ok(Outcome::GivenUp),
            Timeliness::Due(_) => {}
        }
        let author = people.user(record.header.actor.user);
        let letter = Letter {
            id: outgoing.id(),
            kind: reason.kind,
            event,
            author: author.as_ref().map(|author| author.name.as_str()),
            thread: outgoing.ticket.as_uuid(),
            ticket: &ticket,
            status: self.status(&ticket, &actor),
            language: settings.language.or(user.language).unwrap_or_default(),
        };
        let within = match lane {
            Lane::First => WITHIN,
            Lane::Again => WITHIN_AGAIN,
        };
        let written = letter.written(self.mail.desk());
        let Err(error) = self.mail.send(address, &written, now, within).await else {
            return Ok(Outcome::Sent);
        };
        tracing::warn!(error = chain(&error), user = %reader.as_uuid(), "a notice was not taken");
        let overdue = match Timeliness::of(due, self.app.now()) {
            Timeliness::Due(overdue) => overdue,
            Timeliness::Early(_) | Timeliness::Old => AGAIN_MAX,
        };
        Ok(match error {
            NotTaken::NoMailbox(_) => Outcome::Refused,
            NotTaken::NoAnswer(_) if lane == Lane::Again && times >= UNANSWERED_TIMES => Outcome::GivenUp,
            NotTaken::NoAnswer(_) | NotTaken::NotNow(_) => Outcome::Again(again_after(overdue)),
        })
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

fn unread(error: ScanError) -> NotDone {
    match error {
        ScanError::Read(source) => NotDone::later(source),
        ScanError::Corrupt(source) => NotDone::Unreadable(source.into()),
    }
}

/// The first of the reasons that the reader may be told and wants to be told, and its event.
fn choose<'r>(
    reasons: &'r [Reason],
    events: &'r [Event],
    may: impl Fn(NoticeKind, &Event) -> bool,
    settings: &Settings,
) -> Result<(&'r Reason, &'r Event), Outcome> {
    let events = reasons
        .iter()
        .filter_map(|reason| Some((reason, events.get(reason.event)?)));
    let mut theirs = events.filter(|(reason, event)| may(reason.kind, event)).peekable();
    theirs.peek().ok_or(Outcome::NotTheirs)?;
    let wanted = theirs.find(|(reason, _)| settings.wants(reason.kind));
    wanted.ok_or(Outcome::TurnedOff)
}

/// Where to write to somebody, if they may come in and can be written to.
fn written_to(user: User) -> Option<(User, Address)> {
    let address = user.email.as_ref()?.as_str().parse().ok()?;
    user.enabled.then_some((user, address))
}

/// Whether it is time to send a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timeliness {
    /// It is not due before some time has passed: this, or an hour, when somebody looks again.
    Early(Duration),
    /// It has been due for so long.
    Due(Duration),
    /// It was due too long ago.
    Old,
}

impl Timeliness {
    fn of(due: Timestamp, now: Timestamp) -> Self {
        let late = now.duration_since(due);
        if late > GIVEN_UP_AFTER {
            Self::Old
        } else if late.is_negative() {
            Self::Early(late.unsigned_abs().min(AGAIN_MAX))
        } else {
            Self::Due(late.unsigned_abs())
        }
    }
}

/// How soon something is tried again that has been due for so long.
fn again_after(late: Duration) -> Duration {
    late.clamp(AGAIN, AGAIN_MAX)
}

#[cfg(test)]
mod tests {
    use domain::testing::{closed, info_requested};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_notice_waits_until_it_is_due_and_is_given_up_after_two_days() {
        const HOUR: i64 = 3_600;
        let timeliness = |now| Timeliness::of(at(10 * HOUR), at(now));
        assert_eq!(timeliness(10 * HOUR - 1), Timeliness::Early(Duration::from_secs(1)));
        assert_eq!(timeliness(0), Timeliness::Early(Duration::from_hours(1)));
        assert_eq!(timeliness(10 * HOUR), Timeliness::Due(Duration::ZERO));
        assert_eq!(timeliness(58 * HOUR), Timeliness::Due(Duration::from_hours(48)));
        assert_eq!(timeliness(58 * HOUR + 1), Timeliness::Old);
    }

    #[test]
    fn it_is_tried_again_ever_later_and_once_an_hour_at_least() {
        let seconds = [0, 4, 6, 100, 3_599, 100_000].map(|late| again_after(Duration::from_secs(late)).as_secs());
        assert_eq!(seconds, [5, 5, 6, 100, 3_599, 3_600]);
    }

    #[test]
    fn the_first_reason_counts_that_may_and_should_be_told() {
        let reason = |kind, event| Reason {
            kind,
            event,
            not_before: None,
        };
        let reasons = [
            reason(NoticeKind::Comment, 9),
            reason(NoticeKind::Question, 0),
            reason(NoticeKind::Closed, 1),
        ];
        let events = [info_requested(), closed()];
        let muted = |kinds: &[NoticeKind]| Settings {
            muted: kinds.iter().copied().collect(),
            ..Settings::default()
        };
        let chosen = |may: fn(NoticeKind, &Event) -> bool, off: &[NoticeKind]| {
            choose(&reasons, &events, may, &muted(off)).map(|(reason, _)| reason.kind)
        };
        let question = |kind, _: &Event| kind == NoticeKind::Question;
        assert_eq!(chosen(|_, _| true, &[]), Ok(NoticeKind::Question));
        assert_eq!(chosen(|_, _| true, &[NoticeKind::Question]), Ok(NoticeKind::Closed));
        assert_eq!(chosen(question, &[NoticeKind::Question]), Err(Outcome::TurnedOff));
        assert_eq!(chosen(|_, _| false, &[]), Err(Outcome::NotTheirs));
    }
}
