//! Acknowledgements that get lost, servers that are killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::ids::{CommandId, TicketId};
use domain::testing::{agent, customer};
use domain::ticket::Command;
use event_log::{EventLog, ExecuteError, Outcome, Request, Tickets};
use futures::future::join_all;
use test_harness::{ChaosProxy, Direction, wait_until};

use crate::support::{Desk, LIMIT, Raw, comment, connect, create, new_ticket, open, say, tickets, wish};

/// A desk, and a process that reaches the log through a proxy.
struct Far {
    desk: Desk,
    proxy: ChaosProxy,
    tickets: Tickets,
    _log: EventLog,
}

impl Far {
    async fn start() -> Self {
        let desk = Desk::start().await;
        let proxy = ChaosProxy::start(desk.nats.url()).await;
        let log = connect(proxy.url()).await;
        let tickets = tickets(&log);
        // So that it has a block of ticket numbers.
        open(&tickets, new_ticket()).await;
        Self {
            desk,
            proxy,
            tickets,
            _log: log,
        }
    }

    /// Gives a command whose record is written and whose acknowledgement is lost.
    async fn unacknowledged(
        &self,
        ticket: TicketId,
        command: Command,
        request: &Request,
    ) -> tokio::task::JoinHandle<Result<Outcome, ExecuteError>> {
        let raw = self.desk.raw().await;
        let before = records(&raw).await;
        self.proxy.black_hole(Direction::ServerToClient);
        let (tickets, request) = (self.tickets.clone(), request.clone());
        let running = tokio::spawn(async move { tickets.execute(ticket, &command, &request).await });
        wait_until("the record", LIMIT, || async { records(&raw).await > before }).await;
        running
    }
}

async fn records(raw: &Raw) -> u64 {
    raw.last_sequence("RC_TICKETS_0").await + raw.last_sequence("RC_TICKETS_1").await
}

#[tokio::test]
async fn a_command_whose_acknowledgement_is_lost_is_carried_out_once_and_says_so() {
    let far = Far::start().await;
    let ticket = new_ticket();
    for (command, request) in [(create(), wish(customer())), (comment("once"), wish(agent()))] {
        let running = far.unacknowledged(ticket, command.clone(), &request).await;
        far.proxy.restore();
        let outcome = running.await.unwrap().unwrap();
        assert!(!outcome.replayed, "nobody asked before");
        let again = far.tickets.execute(ticket, &command, &request).await.unwrap();
        assert_eq!(
            again,
            Outcome {
                replayed: true,
                ..outcome
            }
        );
    }
    assert_eq!(far.desk.raw().await.history(ticket).await.len(), 2);
}

#[tokio::test]
async fn of_two_who_ask_the_same_and_lose_the_acknowledgement_one_was_first() {
    let far = Far::start().await;
    let ticket = new_ticket();
    open(&far.tickets, ticket).await;
    let request = wish(agent());
    let running = far.unacknowledged(ticket, comment("once"), &request).await;
    let other = far
        .desk
        .tickets
        .execute(ticket, &comment("once"), &request)
        .await
        .unwrap();
    far.proxy.restore();
    let outcome = running.await.unwrap().unwrap();
    assert_eq!((outcome.replayed, other.replayed), (false, true));
    assert_eq!(outcome.position, other.position);
    assert_eq!(far.desk.raw().await.history(ticket).await.len(), 2);
}

#[tokio::test]
async fn a_command_whose_acknowledgement_never_comes_has_an_unknown_outcome_until_it_is_repeated() {
    let far = Far::start().await;
    let ticket = new_ticket();
    open(&far.tickets, ticket).await;
    let request = wish(agent());
    let running = far.unacknowledged(ticket, comment("once"), &request).await;
    let unknown = running.await.unwrap();
    assert!(matches!(unknown, Err(ExecuteError::OutcomeUnknown)), "{unknown:?}");
    far.proxy.restore();
    let outcome = far.tickets.execute(ticket, &comment("once"), &request).await.unwrap();
    assert!(outcome.replayed);
    assert_eq!(far.desk.raw().await.history(ticket).await.len(), 2);
}

#[tokio::test]
async fn a_lost_answer_of_the_counter_costs_numbers_and_gives_none_twice() {
    let desk = Desk::start().await;
    let proxy = ChaosProxy::start(desk.nats.url()).await;
    let log = connect(proxy.url()).await;
    let far = tickets(&log);
    let raw = desk.raw().await;
    proxy.black_hole(Direction::ServerToClient);
    let opening = tokio::spawn(async move { open(&far, new_ticket()).await });
    wait_until("a block", LIMIT, || async {
        raw.last_sequence("RC_COUNTERS").await > 0
    })
    .await;
    proxy.restore();
    let lost_a_block = opening.await.unwrap().number.0;
    assert!(lost_a_block > 64, "{lost_a_block}");
    let next_block = open(&desk.tickets, new_ticket()).await.number.0;
    assert!(next_block >= lost_a_block + 64, "{next_block}");
}

#[tokio::test]
async fn while_the_log_is_down_nothing_is_written_then_or_later() {
    let desk = Desk::start().await;
    let (known, unknown) = (new_ticket(), new_ticket());
    open(&desk.tickets, known).await;
    open(&tickets(&desk.log), unknown).await;
    desk.nats.kill().await;
    // What is sent before it is noticed has an unknown outcome, and that is the truth.
    wait_until("the end of the connection", LIMIT, || async {
        !desk.log.is_connected()
    })
    .await;
    let requests = [wish(agent()), wish(agent()), wish(customer())];
    let refused = [
        desk.tickets
            .execute(known, &comment("into the void"), &requests[0])
            .await,
        desk.tickets
            .execute(unknown, &comment("into the void"), &requests[1])
            .await,
        desk.tickets.execute(new_ticket(), &create(), &requests[2]).await,
    ];
    for refused in refused {
        assert!(matches!(refused, Err(ExecuteError::Unavailable)), "{refused:?}");
    }

    desk.nats.restart().await;
    // What was kept to be sent later would be sent before this.
    say(&desk.tickets, known, "back again").await.unwrap();
    let histories = desk.raw().await.histories().await;
    let recorded = |id: CommandId| {
        histories
            .values()
            .flatten()
            .any(|record| record.header.command_id == id)
    };
    assert!(!requests.iter().any(|request| recorded(request.command_id)));
}

#[tokio::test]
async fn a_command_waits_for_a_server_that_is_back_soon() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    for _ in 0..5 {
        desk.nats.kill().await;
        let tickets = desk.tickets.clone();
        let saying = tokio::spawn(async move { say(&tickets, ticket, "hello").await });
        desk.nats.restart().await;
        saying.await.unwrap().unwrap();
    }
    assert_eq!(desk.raw().await.history(ticket).await.len(), 6);
}

/// A caller who repeats each wish, with its id, until it is carried out.
async fn persistent(tickets: Tickets, ticket: TicketId, words: usize, done: Arc<AtomicUsize>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for word in 0..words {
        let command = if word == 0 {
            create()
        } else {
            comment(&word.to_string())
        };
        let request = wish(customer());
        let outcome = loop {
            match tickets.execute(ticket, &command, &request).await {
                Ok(outcome) => break outcome,
                Err(ExecuteError::Unavailable | ExecuteError::OutcomeUnknown | ExecuteError::Contended) => {}
                Err(error) => panic!("{error:?}"),
            }
        };
        done.fetch_add(1, Ordering::Relaxed);
        outcomes.push(outcome);
    }
    outcomes
}

/// Lets callers write through these processes while `break_something` happens so many times, and
/// then looks whether everything that they were told is true.
async fn under_load<F: Future<Output = ()>>(
    desk: &Desk,
    processes: &[Tickets],
    breaks: usize,
    break_something: impl Fn() -> F,
) {
    /// Callers, each on a ticket of its own.
    const CALLERS: usize = 12;
    const WORDS: usize = 150;
    let done = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = processes
        .iter()
        .cycle()
        .take(CALLERS)
        .map(|tickets| {
            let ticket = new_ticket();
            let caller = persistent(tickets.clone(), ticket, WORDS, Arc::clone(&done));
            tokio::spawn(async move { (ticket, caller.await) })
        })
        .collect();
    for number in 1..=breaks {
        let progress = CALLERS * WORDS * number / (breaks + 2);
        wait_until("progress", LIMIT, || async { done.load(Ordering::Relaxed) >= progress }).await;
        break_something().await;
    }
    // This checks every chain, and that no command is in a history twice.
    let told = join_all(callers).await;
    let mut histories = desk.raw().await.histories().await;
    for told in told {
        let (ticket, outcomes) = told.unwrap();
        let history = histories.remove(&ticket).unwrap();
        let revisions = outcomes.iter().map(|outcome| outcome.revision);
        assert!(revisions.eq(history.iter().map(|record| record.header.revision)));
    }
    assert!(histories.is_empty(), "nobody asked for these: {histories:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_is_done_twice_when_the_server_is_killed() {
    let desk = Desk::start().await;
    under_load(&desk, std::slice::from_ref(&desk.tickets), 6, || async {
        desk.nats.kill().await;
        desk.nats.restart().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_is_done_twice_when_connections_break() {
    let desk = Desk::start().await;
    let proxy = ChaosProxy::start(desk.nats.url()).await;
    let far = [connect(proxy.url()).await, connect(proxy.url()).await];
    let processes = [desk.tickets.clone(), tickets(&far[0]), tickets(&far[1])];
    under_load(&desk, &processes, 20, || async { proxy.disconnect() }).await;
}
