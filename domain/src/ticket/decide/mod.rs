//! The rules: a command and a ticket's state to events.

mod close;
mod comment;
mod correct;
mod create;
mod follow;
mod rate;
mod wait;
mod work;

pub(crate) use correct::settled;

use jiff::Timestamp;

use super::command::Command;
use super::event::Event;
use super::rejection::Rejection;
use super::rules;
use super::state::{Ticket, TicketState};
use crate::EARLIEST;
use crate::access;
use crate::actor::Actor;
use crate::policy::WaitPolicy;

/// Everything that a decision may know besides the ticket's own history.
/// Made once for each request, so that a repeated decision decides the same.
#[derive(Debug, Clone)]
pub struct Context<'c> {
    /// Who asks.
    pub actor: &'c Actor,
    /// The present: when the log will take the record.
    pub now: Timestamp,
    /// When it happened, if an importer says so.
    pub occurred_at: Option<Timestamp>,
    /// Whether waits that begin in the past are due counting from then. Otherwise they are
    /// due counting from the present, so that an import does not expire at once.
    pub honour_deadlines: bool,
    /// How long tickets wait.
    pub policy: &'c WaitPolicy,
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// When it happened in the business.
    pub occurred_at: Timestamp,
    /// The facts; none if what was wished for holds already.
    pub events: Vec<Event>,
}

/// Returns the facts that `command` adds to `ticket`.
pub fn decide(ticket: &Ticket, command: &Command, ctx: &Context<'_>) -> Result<Decision, Rejection> {
    match (ticket, command) {
        (Ticket::Absent, Command::Create(create, project)) => Ok(Decision {
            occurred_at: occurred_at(None, ctx)?,
            events: create::created(create, *project, ctx)?,
        }),
        (Ticket::Absent, _) => Err(Rejection::Absent),
        (Ticket::Present(_), Command::Create(..)) => Err(Rejection::AlreadyCreated),
        (Ticket::Present(state), command) => on_present(state, command, ctx),
    }
}

fn on_present(ticket: &TicketState, command: &Command, ctx: &Context<'_>) -> Result<Decision, Rejection> {
    if !access::may_see(ctx.actor, ticket.audience()) {
        return Err(Rejection::Absent);
    }
    let standing = ticket.standing();
    rules::permitted(command.name(), &standing, ctx.actor)?;
    // The scheduler's commands bring their own time, and a wait that has ended is no error.
    if let Command::ExpireInformationWait(number) = command {
        return Ok(wait::information_expired(ticket, *number, ctx));
    }
    if let Command::ExpireClosureWait(number) = command {
        return Ok(wait::closure_expired(ticket, *number, ctx));
    }
    // Whether a timer's time is over its clocks say, which are beside the ticket.
    if let Command::FireTimer(timer) = command {
        return Ok(Decision {
            occurred_at: timer.at,
            events: Vec::new(),
        });
    }
    rules::possible(command.name(), &standing, ctx.actor)?;
    let occurred_at = occurred_at(Some(ticket), ctx)?;
    let events = events(ticket, command, ctx)?;
    Ok(Decision { occurred_at, events })
}

fn events(ticket: &TicketState, command: &Command, ctx: &Context<'_>) -> Result<Vec<Event>, Rejection> {
    Ok(match command {
        Command::Accept(accept) => work::accepted(accept, ctx),
        Command::RequestInfo(request) => wait::information_requested(ticket, request, ctx),
        Command::ProvideInfo(answer) => work::information_provided(answer),
        Command::AwaitFix(await_fix) => work::fix_awaited(await_fix),
        Command::AwaitImplementation(await_implementation) => work::implementation_awaited(await_implementation),
        Command::Resume(resume) => work::resumed(resume),
        Command::ProposeClosure(proposal) => wait::closure_proposed(ticket, proposal, ctx),
        Command::Close(close) => close::closed(ticket, close)?,
        Command::Reopen(reopen) => close::reopened(ticket, reopen),
        Command::Rate(rate) => rate::rated(rate),
        Command::Comment(comment) => comment::commented(ticket, comment, ctx)?,
        Command::Classify(classify) => correct::classified(ticket, classify, ctx.actor)?,
        Command::Assign(assign) => correct::assigned(ticket, assign),
        Command::Edit(edit) => correct::edited(ticket, edit, ctx)?,
        Command::Follow(user) => follow::followed(ticket, *user, ctx)?,
        Command::Unfollow(user) => follow::unfollowed(ticket, *user, ctx)?,
        // Answered before: a present ticket is not created, and expiry and timers have their own time.
        Command::Create(..)
        | Command::ExpireInformationWait(_)
        | Command::ExpireClosureWait(_)
        | Command::FireTimer(_)
        // What it does is to the clocks.
        | Command::ReEvaluate(_) => Vec::new(),
    })
}

/// When the command happened. What callers say is held against the ticket's last event and
/// the present; without a say it is the present, or the last event where clocks disagree.
fn occurred_at(ticket: Option<&TicketState>, ctx: &Context<'_>) -> Result<Timestamp, Rejection> {
    let earliest = ticket.map_or(EARLIEST, |ticket| ticket.last_occurred_at);
    match ctx.occurred_at {
        None => Ok(ctx.now.max(earliest)),
        Some(said) if earliest <= said && said <= ctx.now => Ok(said),
        Some(_) => Err(Rejection::OutOfOrder {
            earliest,
            latest: ctx.now,
        }),
    }
}
