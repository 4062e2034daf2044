//! Commands that nothing comes in between of.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::actor::Actor;
use domain::ids::{Position, Revision, TicketNumber, UserId};
use domain::testing::{AGENT, COLLEAGUE, CUSTOMER, agent, customer};
use domain::ticket::{Accept, Command, Event, Rejection, Status};
use event_log::{Books, ExecuteError, Request};
use futures::future::join_all;

use crate::support::{Desk, comment, create, new_ticket, open, say, ticket_in, wish};

fn accept() -> Command {
    Command::Accept(Accept { assignee: None })
}

#[tokio::test]
async fn a_ticket_is_opened_accepted_and_discussed() {
    let desk = Desk::start().await;
    let (first, other) = (ticket_in(1), ticket_in(1));

    let opened = open(&desk.tickets, first).await;
    assert_eq!(opened.number, TicketNumber(1));
    assert_eq!((opened.status, opened.revision), (Status::New, Revision(1)));
    assert_eq!(
        opened.position,
        Position {
            partition: 1,
            sequence: 1
        }
    );
    assert_eq!((&opened.events[..], opened.replayed), (&["created"][..], false));

    assert_eq!(open(&desk.tickets, other).await.number, TicketNumber(2));

    let accepted = desk.tickets.execute(first, &accept(), &wish(agent())).await.unwrap();
    assert_eq!((accepted.status, accepted.revision), (Status::InProgress, Revision(2)));
    assert_eq!(
        accepted.position,
        Position {
            partition: 1,
            sequence: 3
        }
    );
    assert_eq!(
        (accepted.number, &accepted.events[..]),
        (TicketNumber(1), &["accepted"][..])
    );

    let said = say(&desk.tickets, first, "On it.").await.unwrap();
    assert_eq!((said.revision, said.position.sequence), (Revision(3), 4));

    let history = desk.raw().await.history(first).await;
    let names: Vec<_> = history
        .iter()
        .flat_map(|record| record.events.iter().map(Event::name))
        .collect();
    assert_eq!(names, ["created", "accepted", "commented"]);
    assert_eq!(desk.raw().await.history(other).await.len(), 1);
}

#[tokio::test]
async fn a_record_tells_who_did_what_when_on_whose_behalf_and_in_which_trace() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    let importer = UserId::from_bytes([9; 16]);
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = Request {
        digest: [3; 32],
        via: Some(importer),
        // Finer than the log keeps.
        occurred_at: Some(Timestamp::new(1_700_000_000, 123_456_789).unwrap()),
        traceparent: Some(traceparent.to_owned()),
        ..wish(customer())
    };
    desk.tickets.execute(ticket, &create(), &request).await.unwrap();

    let header = desk.raw().await.history(ticket).await.remove(0).header;
    assert_eq!(header.command_id, request.command_id);
    assert_eq!((header.digest, header.via), ([3; 32], Some(importer)));
    assert_eq!((header.actor.user, header.actor.kind), (CUSTOMER, customer().kind));
    assert_eq!(header.actor.organisation, customer().organisation);
    assert_eq!(header.occurred_at.as_microsecond(), 1_700_000_000_123_456);
    assert!(header.recorded_at > header.occurred_at);
    assert_eq!(header.traceparent.as_deref(), Some(traceparent));
    // The very time that was kept is not before itself.
    let again = Request {
        occurred_at: Some(header.occurred_at),
        ..wish(customer())
    };
    desk.tickets.execute(ticket, &comment("me too"), &again).await.unwrap();
}

#[tokio::test]
async fn a_wish_that_holds_already_makes_no_record() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let follow = Command::Follow(Some(COLLEAGUE));
    let followed = desk.tickets.execute(ticket, &follow, &wish(agent())).await.unwrap();
    assert_eq!(followed.events, ["followed"]);
    let again = desk.tickets.execute(ticket, &follow, &wish(agent())).await.unwrap();
    assert_eq!((&again.events[..], again.replayed), (&[][..], false));
    assert_eq!((again.revision, again.position), (followed.revision, followed.position));
    assert_eq!(desk.raw().await.history(ticket).await.len(), 2);
}

#[tokio::test]
async fn a_rejection_makes_no_record_and_shows_the_ticket_to_whoever_may_see_it() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let refused = desk.tickets.execute(ticket, &accept(), &wish(customer())).await;
    let Err(ExecuteError::Rejected {
        rejection,
        ticket: Some(state),
        ..
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert!(matches!(rejection, Rejection::NotPermitted { .. }));
    assert_eq!(state.status, Status::New);

    let stranger = Actor::plain(UserId::from_bytes([8; 16]), customer().kind);
    let refused = desk.tickets.execute(ticket, &comment("hi"), &wish(stranger)).await;
    assert!(
        matches!(
            refused,
            Err(ExecuteError::Rejected {
                rejection: Rejection::Absent,
                ticket: None,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(desk.raw().await.history(ticket).await.len(), 1);
}

#[tokio::test]
async fn a_ticket_that_was_never_opened_does_not_exist() {
    let desk = Desk::start().await;
    let refused = say(&desk.tickets, new_ticket(), "hello?").await;
    assert!(
        matches!(
            refused,
            Err(ExecuteError::Rejected {
                rejection: Rejection::Absent,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_ticket_is_opened_by_one_wish_alone() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let refused = desk.tickets.execute(ticket, &create(), &wish(customer())).await;
    assert!(
        matches!(
            refused,
            Err(ExecuteError::Rejected {
                rejection: Rejection::AlreadyCreated,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_stale_if_match_is_refused_and_nothing_is_written() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let matching = |revision| Request {
        if_match: Some(Revision(revision)),
        ..wish(agent())
    };
    desk.tickets.execute(ticket, &accept(), &matching(1)).await.unwrap();
    for stale in [1, 3] {
        let refused = desk.tickets.execute(ticket, &comment("late"), &matching(stale)).await;
        assert!(
            matches!(refused, Err(ExecuteError::RevisionMismatch { actual: Revision(2) })),
            "{refused:?}"
        );
    }
    assert_eq!(desk.raw().await.history(ticket).await.len(), 2);
}

#[tokio::test]
async fn whoever_may_not_see_a_ticket_does_not_learn_its_revision() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let stranger = Request {
        if_match: Some(Revision(9)),
        ..wish(Actor::plain(UserId::from_bytes([8; 16]), customer().kind))
    };
    let refused = desk.tickets.execute(ticket, &comment("hi"), &stranger).await;
    assert!(
        matches!(
            refused,
            Err(ExecuteError::Rejected {
                rejection: Rejection::Absent,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn of_two_who_expect_the_same_revision_one_wins() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let attempts = (0..8).map(|_| {
        let request = Request {
            if_match: Some(Revision(1)),
            ..wish(agent())
        };
        let tickets = desk.tickets.clone();
        async move { tickets.execute(ticket, &comment("mine"), &request).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(attempts).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    assert!(
        lost.iter()
            .all(|lost| matches!(lost, Err(ExecuteError::RevisionMismatch { .. })))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_commands_on_one_ticket_all_find_their_place() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let said = (0..100).map(|number| {
        let tickets = desk.tickets.clone();
        tokio::spawn(async move { say(&tickets, ticket, &format!("word {number}")).await.unwrap() })
    });
    let revisions: BTreeSet<u64> = join_all(said)
        .await
        .into_iter()
        .map(|said| said.unwrap().revision.0)
        .collect();
    assert!(revisions.into_iter().eq(2..=101));
    assert_eq!(desk.raw().await.history(ticket).await.len(), 101);
}

#[tokio::test]
async fn a_history_longer_than_one_batch_is_loaded_whole() {
    /// More than two batches of a load.
    const WORDS: u64 = 1_100;
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    for number in 0..WORDS {
        say(&desk.tickets, ticket, &number.to_string()).await.unwrap();
    }
    // Another process, which has nothing in its cache.
    let fresh = desk.log.tickets(Books::waiting(&domain::policy::WaitPolicy::cabinet()));
    let said = say(&fresh, ticket, "the last").await.unwrap();
    assert_eq!(said.revision, Revision(WORDS + 2));
    assert_eq!(
        desk.raw().await.history(ticket).await.len(),
        usize::try_from(WORDS).unwrap() + 2
    );
}

#[tokio::test]
async fn the_largest_texts_are_taken() {
    let desk = Desk::start().await;
    let ticket = new_ticket();
    open(&desk.tickets, ticket).await;
    let longest = "\u{10ffff}".repeat(65_536);
    say(&desk.tickets, ticket, &longest).await.unwrap();
    let record = desk.raw().await.history(ticket).await.remove(1);
    assert!(matches!(&record.events[..], [Event::Commented { body, .. }] if body.as_str() == longest));
    assert_eq!(record.header.actor.user, AGENT);
}
