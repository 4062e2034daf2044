//! A wait or a clock whose time has come, as a command to the log.

use std::sync::Arc;

use domain::actor::Actor;
use domain::ids::{CommandId, TicketId};
use domain::policy::WaitKind;
use domain::sla::Timer;
use domain::ticket::Command;
use event_log::{ExecuteError, Outcome, Request, Tickets};
use uuid::Uuid;

use crate::timers::{Due, Wait};

/// The namespace of the scheduler's command ids. Changing it would make every wait's end a new wish.
const NAMESPACE: Uuid = Uuid::from_u128(0x52ec_0a15_e51a_5c8e_9d01_0000_0000_0001);

/// The id of the command that ends a wait: the same from every scheduler, before and after a crash.
pub fn command_id(ticket: TicketId, kind: WaitKind, number: u32) -> CommandId {
    let facts = format!("sla:{ticket}:{}:{number}", kind.as_str());
    Uuid::new_v5(&NAMESPACE, facts.as_bytes()).into()
}

/// The id of the command that fires a clock's timer. A clock that was re-evaluated may warn again, at another instant.
fn timer_id(ticket: TicketId, timer: Timer) -> CommandId {
    let Timer { at, kind, clock } = timer;
    let (target, number, at) = (clock.target.as_str(), clock.number, at.as_microsecond());
    let facts = format!("sla:{ticket}:{target}:{number}:{}:{at}", kind.as_str());
    Uuid::new_v5(&NAMESPACE, facts.as_bytes()).into()
}

/// Does what is due, if the log agrees that its time has come and nothing came in between.
pub async fn fire(tickets: &Tickets, due: Due) -> Result<Outcome, ExecuteError> {
    let (ticket, command, command_id) = match due {
        Due::Wait(Wait { ticket, kind, number }) => {
            let command = match kind {
                WaitKind::Information => Command::ExpireInformationWait(number),
                WaitKind::Closure => Command::ExpireClosureWait(number),
            };
            (ticket, command, command_id(ticket, kind, number))
        }
        Due::Clock { ticket, timer } => (ticket, Command::FireTimer(timer), timer_id(ticket, timer)),
    };
    tickets.execute(ticket, &command, &request(command_id)).await
}

/// The rules take the due instant, whenever the command comes.
fn request(command_id: CommandId) -> Request {
    Request::new(command_id, digest(command_id), Arc::new(Actor::system()))
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
    use domain::sla::{ClockId, TargetKind, TimerKind};

    use super::*;

    const TICKET: TicketId = TicketId::from_bytes([7; 16]);

    #[test]
    fn the_id_depends_on_the_wait_alone_and_never_changes() {
        let id = command_id(TICKET, WaitKind::Information, 1);
        assert_eq!(id.to_string(), "58ed7a45-a03e-5c2c-aefb-1cd488809489");
    }

    #[test]
    fn every_timer_of_every_clock_has_an_id_of_its_own() {
        let timer = |at, kind, target, number| Timer {
            at: domain::Timestamp::from_microsecond(at).unwrap(),
            kind,
            clock: ClockId { target, number },
        };
        let first = timer(1, TimerKind::Warning, TargetKind::NextResponse, 1);
        let ids = [
            timer_id(TICKET, first),
            timer_id(
                TICKET,
                Timer {
                    kind: TimerKind::Breach,
                    ..first
                },
            ),
            timer_id(TICKET, timer(2, TimerKind::Warning, TargetKind::NextResponse, 1)),
            timer_id(TICKET, timer(1, TimerKind::Warning, TargetKind::NextResponse, 2)),
            timer_id(TICKET, timer(1, TimerKind::Warning, TargetKind::Resolution, 1)),
            timer_id(TicketId::from_bytes([8; 16]), first),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.into_iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert_eq!(
            timer_id(TICKET, first).to_string(),
            "cc464640-416d-5971-97b6-914e809dc451"
        );
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
