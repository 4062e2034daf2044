//! Tickets to which everything happens that can happen to a ticket.

use domain::actor::Actor;
use domain::catalogue::Catalogue;
use domain::ids::{GroupId, ProjectId, TicketNumber};
use domain::people::Profile;
use domain::project::Project;
use domain::testing::{COLLEAGUE, agent, body, create, customer};
use domain::text::{Label, Subject};
use domain::ticket::{
    Accept, AddComment, Assign, Await, Change, Classify, Close, Command, CustomValue, Edit, ProposeClosure,
    ProvideInfo, Rate, Reopen, RequestInfo, Resume, Visibility,
};
use jiff::SignedDuration;
use service_kit::{Clock as _, SystemClock};
use uuid::Uuid;

use crate::desk::{Desk, ticket};

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn to_type(code: &str) -> Command {
    let ticket_type = Catalogue::default().ticket_type(code).unwrap().ticket_type.clone();
    Command::Classify(Box::new(Classify {
        ticket_type: Change::Set(ticket_type),
        category: Change::Set(Some(label("printing"))),
        ..Classify::default()
    }))
}

fn edit() -> Command {
    let fields = [
        (label("floor"), CustomValue::Number(2)),
        (label("room"), CustomValue::Text(label("2.14"))),
        (label("smokes"), CustomValue::Flag(true)),
    ];
    Command::Edit(Box::new(Edit {
        subject: Change::Set(Subject::parse("The printer smokes").unwrap()),
        description: Change::Set(body("It does.")),
        custom_fields: Change::Set(fields.into()),
        platform_version: Change::Set(Some(label("9"))),
    }))
}

fn awaited() -> Await {
    Await {
        comment: Some(body("reported")),
        reference: Some(label("BUG-1")),
    }
}

fn request_info() -> Command {
    Command::RequestInfo(RequestInfo {
        comment: body("Which?"),
    })
}

fn propose() -> Command {
    Command::ProposeClosure(ProposeClosure { solution: body("F5") })
}

fn resume() -> Command {
    Command::Resume(Resume { comment: None })
}

fn reopen() -> Command {
    Command::Reopen(Reopen { comment: body("No.") })
}

/// Lets every event happen, each at least once.
pub(crate) async fn every_event(desk: &Desk) {
    let (staff, requester) = (agent(), customer());
    desk.open(1).await;
    let assign = Command::Assign(Assign {
        assignee: Change::Set(Some(COLLEAGUE)),
        group: Change::Set(Some(GroupId::from(Uuid::from_u128(50)))),
    });
    let say = Command::Comment(AddComment {
        body: body("Hello."),
        visibility: Visibility::Public,
    });
    let close = Command::Close(Close {
        comment: Some(body("Thanks.")),
        reason: None,
    });
    let rate = Command::Rate(Rate {
        score: 5,
        comment: Some(body("Good.")),
    });
    let steps = [
        (&staff, Command::Accept(Accept { assignee: None })),
        (&staff, request_info()),
        (&requester, Command::ProvideInfo(ProvideInfo { comment: body("This.") })),
        (&staff, to_type("defect")),
        (&staff, Command::AwaitFix(awaited())),
        (&staff, resume()),
        (&staff, to_type("feature_request")),
        (&staff, Command::AwaitImplementation(awaited())),
        (&staff, resume()),
        (&staff, assign),
        (&staff, edit()),
        (&staff, say),
        (&staff, Command::Follow(Some(COLLEAGUE))),
        (&staff, Command::Unfollow(Some(COLLEAGUE))),
        (&staff, propose()),
        (&requester, reopen()),
        (&staff, propose()),
        (&requester, close),
        (&requester, rate),
        (&requester, reopen()),
    ];
    for (actor, command) in steps {
        desk.give(ticket(1), actor, command).await;
    }
    let_waits_expire(desk).await;
    let_promises_run(desk).await;
}

/// Lets everything happen to a ticket's clocks that can, the first breach long before somebody records it along.
async fn let_promises_run(desk: &Desk) {
    let Command::Create(mut sample, _) = create() else {
        panic!("the sample is a creation")
    };
    sample.number = TicketNumber(3);
    sample.service = Some(label("promised"));
    let ten_hours_ago = SystemClock.now() - SignedDuration::from_hours(10);
    let create = Command::Create(sample, None);
    desk.give_at(ticket(3), &customer(), create, Some(ten_hours_ago)).await;
    let project = ProjectId::from_bytes([7; 16]);
    desk.write_profiles([(project.as_uuid(), Profile::Project(Project::plain(label("Migration"))))])
        .await;
    let critical = Catalogue::default().priority("critical").unwrap().clone();
    let urgent = Command::Classify(Box::new(Classify {
        priority: Change::Set(critical),
        project: Change::Set(Some(project)),
        ..Classify::default()
    }));
    let steps = [
        (agent(), Command::Accept(Accept { assignee: None })),
        (agent(), request_info()),
        (customer(), Command::ProvideInfo(ProvideInfo { comment: body("This.") })),
        (agent(), urgent),
    ];
    for (actor, command) in steps {
        desk.give(ticket(3), &actor, command).await;
    }
}

/// Lets a ticket go all the way without anybody answering, in the past.
async fn let_waits_expire(desk: &Desk) {
    let Command::Create(mut sample, _) = create() else {
        panic!("the sample is a creation")
    };
    sample.number = TicketNumber(2);
    let hours_ago = |hours| Some(SystemClock.now() - SignedDuration::from_hours(hours));
    let accept = Command::Accept(Accept { assignee: None });
    desk.give_at(ticket(2), &customer(), Command::Create(sample, None), hours_ago(400))
        .await;
    desk.give_at(ticket(2), &agent(), accept, hours_ago(400)).await;
    desk.give_at(ticket(2), &agent(), request_info(), hours_ago(300)).await;
    for expired in [Command::ExpireInformationWait(1), Command::ExpireClosureWait(2)] {
        let outcome = desk.give(ticket(2), &Actor::system(), expired).await;
        assert_eq!(outcome.events.len(), 1);
    }
}
