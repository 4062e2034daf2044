//! Carrying lives out: command by command through the log's own path, many tickets at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use domain::Timestamp;
use domain::actor::Actor;
use domain::directory::EntryKind;
use domain::ids::TicketId;
use domain::text::Label;
use domain::ticket::Status;
use event_log::{Books, Directory, EventLog, ExecuteError, Outcome, Request, Tickets};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use service_kit::SystemClock;
use service_kit::clock::pause;
use sla_scheduler::{Due, Wait, fire};
use uuid::Uuid;

use super::clock::at;
use super::life::{Step, What, life};
use super::world::World;

/// Tickets in flight: what it takes to keep a log busy that does not sync every write, and no more than it answers in
/// time if it does.
const TICKETS_IN_FLIGHT: usize = 256;
/// Names in flight. Each is a read and a write.
const NAMES_IN_FLIGHT: usize = 64;
/// How often a command is given again that the log could not take, and after how long: half a minute in all, in which
/// a server starts anew.
const ATTEMPTS_MAX: u32 = 30;
const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Records made now.
    pub(super) made: u64,
    /// Commands that had been carried out before.
    pub(super) before: u64,
    /// Lives in which the desk's own scheduler was faster; they end as it decided.
    pub(super) overtaken: u64,
    /// Tickets by their last status.
    pub(super) statuses: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.made += other.made;
        self.before += other.before;
        self.overtaken += other.overtaken;
        for (status, count) in &other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
    }
}

/// Makes tickets on a desk.
#[derive(Debug)]
pub(super) struct Maker {
    pub(super) world: World,
    pub(super) tickets: Tickets,
    pub(super) directory: Directory,
}

impl Maker {
    pub(super) fn new(world: World, log: &EventLog) -> Self {
        // A past that is made up was promised nothing.
        let books = Books::waiting(&world.plan.policy);
        Self {
            world,
            tickets: log.tickets(books),
            directory: log.directory(),
        }
    }

    /// Gives everybody their name, at the beginning of the history.
    pub(super) async fn name_everybody(&self, named: impl Fn()) -> anyhow::Result<()> {
        stream::iter(self.world.people.names())
            .map(Ok)
            .try_for_each_concurrent(NAMES_IN_FLIGHT, async |(kind, id, name)| {
                self.name(*kind, *id, name).await?;
                named();
                Ok(())
            })
            .await
    }

    async fn name(&self, kind: EntryKind, id: Uuid, name: &Label) -> anyhow::Result<()> {
        let system = Actor::system();
        let naming = self.directory.name(kind, id, name, &system);
        at(self.world.from, naming)
            .await
            .context("the directory did not take a name")
    }

    /// Makes every ticket, in the order in which they were opened. The first is made alone: if this desk has the same
    /// demo with other times, that shows before anything is written.
    pub(super) async fn make_all(self: &Arc<Self>, mut lived: impl FnMut(&Tally)) -> anyhow::Result<()> {
        let mut arrivals = (0_u64..).zip(self.world.arrivals());
        if let Some((index, opened_at)) = arrivals.next() {
            lived(&self.live(index, opened_at).await?);
        }
        let mut living = stream::iter(arrivals)
            .map(|(index, opened_at)| {
                let maker = Arc::clone(self);
                tokio::spawn(async move { maker.live(index, opened_at).await })
            })
            .buffer_unordered(TICKETS_IN_FLIGHT);
        while let Some(tally) = living.next().await {
            lived(&tally.context("a ticket's task ended early")??);
        }
        Ok(())
    }

    /// One ticket's whole life.
    async fn live(&self, index: u64, opened_at: Timestamp) -> anyhow::Result<Tally> {
        let (id, mut tally) = (self.world.ticket_id(index), Tally::default());
        let mut status = Status::New;
        for (number, step) in life(&self.world, index, opened_at).into_iter().enumerate() {
            match self.take(id, index, number, &step).await {
                Ok(outcome) => {
                    status = outcome.status;
                    tally.before += u64::from(outcome.replayed);
                    tally.made += u64::from(!outcome.replayed && !outcome.events.is_empty());
                }
                // A wait that was over by the machine's clock, and that the desk's scheduler ended before the answer
                // came: the ticket stays as it is.
                Err(ExecuteError::Rejected { ticket, .. }) if number > 0 => {
                    status = ticket.map_or(status, |ticket| ticket.status);
                    tally.overtaken += 1;
                    break;
                }
                Err(ExecuteError::KeyReused) => bail!(
                    "this desk has a demo of this seed and this number of tickets, with another history: name the \
                     --until, --days and --policy of that one, or take another --seed"
                ),
                Err(error) => return Err(error).with_context(|| format!("ticket {id} cannot be made")),
            }
        }
        tally.statuses.insert(status.as_str(), 1);
        Ok(tally)
    }

    /// Gives a step's command, again if the log cannot take it at the moment.
    async fn take(&self, id: TicketId, index: u64, number: usize, step: &Step) -> Result<Outcome, ExecuteError> {
        let mut attempts = 1;
        loop {
            match at(step.at, self.give(id, index, number, step)).await {
                Err(
                    ExecuteError::Unavailable
                    | ExecuteError::Contended
                    | ExecuteError::OutcomeUnknown
                    | ExecuteError::PoliciesUnread,
                ) if attempts < ATTEMPTS_MAX => {
                    attempts += 1;
                    pause(&SystemClock, ATTEMPT_PAUSE).await;
                }
                result => return result,
            }
        }
    }

    async fn give(&self, id: TicketId, index: u64, number: usize, step: &Step) -> Result<Outcome, ExecuteError> {
        match &step.what {
            What::Expiry(kind, number) => {
                let wait = Wait {
                    ticket: id,
                    kind: *kind,
                    number: *number,
                };
                fire(&self.tickets, Due::Wait(wait)).await
            }
            What::Command(actor, command) => {
                let command_id = self.world.command_id(index, number);
                let request = Request::new(command_id, self.world.digest(command_id), Arc::clone(actor));
                self.tickets.execute(id, command, &request).await
            }
        }
    }
}
