//! A wait whose time has come, as a command to the log.

use std::sync::Arc;

use domain::actor::Actor;
use domain::ids::{CommandId, TicketId};
use domain::policy::WaitKind;
use domain::ticket::Command;
use event_log::{ExecuteError, Outcome, Request, Tickets};
use uuid::Uuid;

use crate::timers::Wait;

/// The namespace of the scheduler's command ids. Changing it would make every wait's end a new wish.
const NAMESPACE: Uuid = Uuid::from_u128(0x52ec_0a15_e51a_5c8e_9d01_0000_0000_0001);

/// The id of the command that ends a wait: the same from every scheduler, before and after a crash.
pub fn command_id(ticket: TicketId, kind: WaitKind, number: u32) -> CommandId {
    let facts = format!("sla:{ticket}:{}:{number}", kind.as_str());
    Uuid::new_v5(&NAMESPACE, facts.as_bytes()).into()
}

/// Ends the wait, if the log agrees that it still runs and is over.
pub async fn expire(tickets: &Tickets, wait: Wait) -> Result<Outcome, ExecuteError> {
    let command = match wait.kind {
        WaitKind::Information => Command::ExpireInformationWait(wait.number),
        WaitKind::Closure => Command::ExpireClosureWait(wait.number),
    };
    tickets.execute(wait.ticket, &command, &request(wait)).await
}

fn request(wait: Wait) -> Request {
    let command_id = command_id(wait.ticket, wait.kind, wait.number);
    Request {
        command_id,
        digest: digest(command_id),
        actor: Arc::new(Actor::system()),
        via: None,
        // The rules take the due instant, whenever the command comes.
        occurred_at: None,
        honour_deadlines: false,
        if_match: None,
        traceparent: None,
    }
}

/// The id is made of everything that the command says, so that it is its own digest, twice.
fn digest(id: CommandId) -> [u8; 32] {
    let mut digest = [0; 32];
    let (first, second) = digest.split_at_mut(16);
    first.copy_from_slice(&id.to_bytes());
    second.copy_from_slice(&id.to_bytes());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: TicketId = TicketId::from_bytes([7; 16]);

    #[test]
    fn the_id_depends_on_the_wait_alone_and_never_changes() {
        let id = command_id(TICKET, WaitKind::Information, 1);
        assert_eq!(id.to_string(), "58ed7a45-a03e-5c2c-aefb-1cd488809489");
    }

    #[test]
    fn every_wait_has_an_id_of_its_own() {
        let ids = [
            command_id(TICKET, WaitKind::Information, 1),
            command_id(TICKET, WaitKind::Information, 2),
            command_id(TICKET, WaitKind::Closure, 1),
            command_id(TicketId::from_bytes([8; 16]), WaitKind::Information, 1),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.into_iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
