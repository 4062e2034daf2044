//! A ticket with its clocks, as whoever decides holds them.

use jiff::Timestamp;

use super::book::{Book, UnknownPin};
use super::breach::escalate;
use super::clocks::{Clocks, just_after};
use super::event::SlaEvent;
use super::follow::{Step, follow};
use super::re_evaluate::re_evaluate;
use crate::actor::Actor;
use crate::catalogue::{Catalogue, Profiles};
use crate::contract::Agreements;
use crate::ids::Revision;
use crate::ticket::{self, Command, Context, Decision, Event, Rejection, Ticket};
use crate::workflow::Workflow;

/// A ticket and what it was promised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Promised {
    /// The ticket.
    pub ticket: Ticket,
    /// Its clocks.
    pub clocks: Clocks,
    /// How many records it has.
    pub revision: Revision,
}

/// A record, as far as a ticket and its clocks are concerned.
#[derive(Debug, Clone, Copy)]
pub struct Happened<'r> {
    /// Which record of the ticket it is.
    pub revision: Revision,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Whose doing it was.
    pub actor: &'r Actor,
    /// What happened, to the ticket and to its clocks.
    pub events: &'r [Event],
}

/// What the desk has set down for all its tickets.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'d> {
    /// What it promises. An empty book promises nothing.
    pub book: &'d Book,
    /// What it offers.
    pub catalogue: &'d Catalogue,
    /// What is known of users and organisations.
    pub profiles: &'d dyn Profiles,
}

/// Why a command makes no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// The rules say no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A clock of the ticket runs by versions that the book does not have.
    #[error(transparent)]
    UnknownPin(#[from] UnknownPin),
}

impl Promised {
    /// Applies one record. Total: never fails, never panics.
    pub fn evolve(&mut self, record: &Happened<'_>) {
        let Happened {
            revision,
            occurred_at,
            actor,
            events,
        } = *record;
        self.revision = revision;
        for event in events {
            self.ticket = std::mem::take(&mut self.ticket).evolve(event, occurred_at);
        }
        let Some(after) = self.ticket.state() else { return };
        let step = Step {
            revision,
            occurred_at,
            actor,
            events,
            // Only deciding looks at what was before.
            before: None,
            after,
        };
        self.clocks.apply(&step, events.iter().filter_map(Event::sla));
    }
}

/// Refuses to open tickets of organisations that are out of use. Whoever tells what happened in the past is not asked.
fn served(command: &Command, ctx: &Context<'_>, desk: &Desk<'_>) -> Result<(), Rejection> {
    let Command::Create(created, _) = command else {
        return Ok(());
    };
    let archived = |organisation| desk.profiles.is_archived(organisation);
    if ctx.occurred_at.is_none() && created.organisation.is_some_and(archived) {
        return Err(Rejection::OrganisationArchived);
    }
    Ok(())
}

/// Returns the facts that `command` adds to a ticket and to its clocks, for one record: what was wished for, what
/// breaches ask for that have happened by then, and what both make of the clocks. `revision` is that of the record.
pub fn decide(
    promised: &Promised,
    revision: Revision,
    command: &Command,
    ctx: &Context<'_>,
    desk: &Desk<'_>,
) -> Result<Decision, Undecided> {
    let Promised { ticket, clocks, .. } = promised;
    let agreements = desk.book.agreements();
    let waits = workflow(ticket, command, agreements).waits(ctx.policy);
    let ctx = &Context {
        policy: &waits,
        ..ctx.clone()
    };
    let mut decision = ticket::decide(ticket, command, ctx)?;
    agreements.permit(ticket, command, decision.occurred_at)?;
    served(command, ctx, desk)?;
    desk.catalogue.permit(ticket, command, ctx, desk.profiles)?;
    let fires = fires(command, clocks, ctx.now);
    let asked = if let Command::ReEvaluate(counting) = command {
        Some(*counting)
    } else {
        None
    };
    if (decision.events.is_empty() && !fires && asked.is_none()) || promises_nothing(clocks, ctx, desk.book) {
        return Ok(decision);
    }
    let at = decision.occurred_at;
    let evolved =
        |ticket: Ticket, events: &[Event]| events.iter().fold(ticket, |ticket, event| ticket.evolve(event, at));
    let after = evolved(ticket.clone(), &decision.events);
    let Some(wished) = after.state() else {
        return Ok(decision);
    };
    let by = if fires { just_after(at) } else { at };
    let consequences = escalate(clocks, wished, by, desk.book, desk.catalogue)?;
    let after = evolved(after, &consequences);
    let Some(after) = after.state() else {
        return Ok(decision);
    };
    decision.events.extend(consequences);
    let step = Step {
        revision,
        occurred_at: at,
        actor: ctx.actor,
        events: &decision.events,
        before: ticket.state(),
        after,
    };
    let of_clocks = match asked {
        Some(counting) => re_evaluate(clocks, &step, desk.book, counting)?,
        None => follow(clocks, &step, desk.book)?,
    };
    decision
        .events
        .extend(of_clocks.into_iter().map(|event: SlaEvent| Event::Sla(Box::new(event))));
    Ok(decision)
}

/// How the organisation works whose ticket it is, or will be.
fn workflow(ticket: &Ticket, command: &Command, agreements: &Agreements) -> Workflow {
    let organisation = match (ticket.state(), command) {
        (None, Command::Create(created, _)) => created.organisation,
        (state, _) => state.and_then(|state| state.organisation),
    };
    agreements.contract(organisation).workflow()
}

/// Whether the command is a timer whose time is over. Who answers at its instant is in time.
fn fires(command: &Command, clocks: &Clocks, now: Timestamp) -> bool {
    matches!(command, Command::FireTimer(timer) if timer.at < now && clocks.timers().contains(timer))
}

/// Whether there are no clocks and none begins. An import that says when things happened, and does not ask for
/// deadlines to be honoured, begins none: they would be breached before anybody could have kept them.
fn promises_nothing(clocks: &Clocks, ctx: &Context<'_>, book: &Book) -> bool {
    let imported = ctx.occurred_at.is_some() && !ctx.honour_deadlines;
    clocks.is_empty() && (book.promises_nothing() || imported)
}
