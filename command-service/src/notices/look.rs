//! Looks at records for whom they concern.

use domain::Timestamp;
use domain::actor::ActorKind;
use domain::notice::{concern_somebody, notices};
use event_log::{ExecuteError, Lane, Outbox, OutboxError, Outgoing, Placed};
use jiff::SignedDuration;

use super::notifier::{NotDone, Notifier, give_back};

/// What somebody did longer ago than this is history and no news, such as what an import tells; so is what nobody could look at
/// for as long, such as while mail was not configured.
const NEWS_FOR: SignedDuration = SignedDuration::from_hours(24);
/// The same of what the desk did by itself, which it may have been away for. What an import has it do at once was due longer
/// ago, mostly.
const LATE_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Notifier {
    /// Looks at the records of a partition, until shutdown.
    pub(super) async fn look(&self, partition: u16) -> Result<(), OutboxError> {
        let outbox = self.app.log.outbox().await?;
        let mut news = outbox.news(partition).await?;
        while let Some(given) = self.unless_shut_down(news.next()).await {
            let given = given?;
            let put = match &given.what {
                Some(placed) => self.put_notices(&outbox, placed).await,
                None => Err(NotDone::Unreadable("a record of another release".into())),
            };
            match put {
                Ok(()) => given.done().await?,
                Err(why) => give_back(&given, &why).await?,
            }
        }
        Ok(())
    }

    /// Puts a notice into the outbox for everybody whom a record concerns.
    async fn put_notices(&self, outbox: &Outbox, placed: &Placed) -> Result<(), NotDone> {
        let Placed { record, position } = placed;
        let header = &record.header;
        if !is_news(placed, self.app.now()) || !concern_somebody(&record.events) {
            return Ok(());
        }
        let people = self.people()?;
        let ticket = header.aggregate_id.into();
        let state = self.app.tickets.current(ticket).await.map_err(unloaded)?;
        let Some(state) = state else { return Ok(()) };
        let doer = (header.actor.kind != ActorKind::System).then_some(header.actor.user);
        for notice in notices(&record.events, &state, doer, |group| people.members(group)) {
            let outgoing = Outgoing {
                ticket,
                position: *position,
                record: header.record_id,
                notice,
            };
            outbox.put(&outgoing, Lane::First).await.map_err(NotDone::later)?;
        }
        Ok(())
    }
}

/// Why a ticket cannot be told of.
pub(super) fn unloaded(error: ExecuteError) -> NotDone {
    match error {
        ExecuteError::Corrupt(source) => NotDone::Unreadable(source.into()),
        error => NotDone::later(error),
    }
}

/// Whether a record tells of something that has just happened.
fn is_news(placed: &Placed, now: Timestamp) -> bool {
    let header = &placed.record.header;
    let late_for = match header.actor.kind {
        ActorKind::System => LATE_FOR,
        ActorKind::Staff | ActorKind::Customer => NEWS_FOR,
    };
    let happened_lately = header.recorded_at.duration_since(header.occurred_at) <= late_for;
    let recorded_lately = now.duration_since(header.recorded_at) <= NEWS_FOR;
    happened_lately && recorded_lately
}
