//! The two waits that the scheduler ends: for information, and for closure.

use jiff::Timestamp;

use super::{Context, Decision};
use crate::policy::WaitKind;
use crate::ticket::command::{ProposeClosure, RequestInfo};
use crate::ticket::event::{Event, Wait};
use crate::ticket::state::{Status, TicketState};

pub(super) fn information_requested(ticket: &TicketState, request: &RequestInfo, ctx: &Context<'_>) -> Vec<Event> {
    let wait = started(WaitKind::Information, ticket, wait_begins(ctx), ctx);
    vec![Event::InformationRequested {
        comment: request.comment.clone(),
        wait,
    }]
}

pub(super) fn closure_proposed(ticket: &TicketState, proposal: &ProposeClosure, ctx: &Context<'_>) -> Vec<Event> {
    let wait = started(WaitKind::Closure, ticket, wait_begins(ctx), ctx);
    vec![Event::ClosureProposed {
        solution: proposal.solution.clone(),
        wait,
    }]
}

/// The closure wait that follows counts from the due instant, however late the scheduler is:
/// its lateness changes no outcome.
pub(super) fn information_expired(ticket: &TicketState, number: u32, ctx: &Context<'_>) -> Decision {
    match due_wait(ticket, Status::WaitingForInfo, number, ctx.now) {
        Some(wait) => Decision {
            occurred_at: wait.due_at,
            events: vec![Event::InformationWaitExpired {
                wait: started(WaitKind::Closure, ticket, wait.due_at, ctx),
            }],
        },
        None => nothing(ctx),
    }
}

pub(super) fn closure_expired(ticket: &TicketState, number: u32, ctx: &Context<'_>) -> Decision {
    match due_wait(ticket, Status::WaitingForClosure, number, ctx.now) {
        Some(wait) => Decision {
            occurred_at: wait.due_at,
            events: vec![Event::ClosureWaitExpired],
        },
        None => nothing(ctx),
    }
}

fn nothing(ctx: &Context<'_>) -> Decision {
    Decision {
        occurred_at: ctx.now,
        events: Vec::new(),
    }
}

/// The wait of that number, if it still runs in that status and its time has come.
fn due_wait(ticket: &TicketState, status: Status, number: u32, now: Timestamp) -> Option<&Wait> {
    ticket
        .wait
        .as_ref()
        .filter(|wait| ticket.status == status && wait.number == number && wait.due_at <= now)
}

fn wait_begins(ctx: &Context<'_>) -> Timestamp {
    match ctx.occurred_at {
        Some(occurred_at) if ctx.honour_deadlines => occurred_at,
        Some(_) | None => ctx.now,
    }
}

fn started(kind: WaitKind, ticket: &TicketState, from: Timestamp, ctx: &Context<'_>) -> Option<Wait> {
    let due_at = ctx.policy.due(kind, from)?;
    Some(Wait {
        number: ticket.waits.saturating_add(1),
        due_at,
        policy: ctx.policy.name.clone(),
    })
}
