//! The table of the contract, cell by cell: every command in every status by everybody. The
//! expectation is written here from the contract alone, without the tables of the rules.

use std::fmt;

use domain::catalogue::{Catalogue, TicketType};
use domain::policy::WaitPolicy;
use domain::sla::{ClockId, Counting, TargetKind, Timer, TimerKind};
use domain::testing::{AGENT, NOON, accepted, body, closed, closure_proposed, create, opened};
use domain::text::Label;
use domain::ticket::{
    Accept, AddComment, Assign, Await, Change, Classify, Close, Command, CommandName, Context, Edit, Event,
    ProposeClosure, ProvideInfo, Rate, Rejection, Reopen, RequestInfo, Resume, Status, Ticket, Visibility, Wait,
    allowed_commands, decide,
};
use domain::workflow::Workflow;

use crate::people::{Person, introductions};

/// The number of the wait that runs in the statuses that have one.
const WAIT: u32 = 1;

const TYPES: [&str; 4] = ["outage", "defect", "consultation", "feature_request"];

/// What the contract says of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// 200, and the ticket then stands here.
    To(Status),
    /// 403.
    Forbidden,
    /// 404.
    Absent,
    /// 409.
    Conflict,
}

/// A cell: who asks what of a ticket of which type in which status.
#[derive(Clone, Copy)]
struct Cell<'c> {
    status: Status,
    ticket_type: &'c str,
    command: &'c Command,
    person: Person,
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (command, status) = (self.command.name().as_str(), self.status.as_str());
        write!(f, "{command} by {:?} of a {}, {status}", self.person, self.ticket_type)
    }
}

impl Cell<'_> {
    /// The contract.
    fn expected(self) -> Answer {
        use Status::{
            Closed, InProgress, New, Reopened, WaitingForClosure, WaitingForFix, WaitingForImplementation,
            WaitingForInfo,
        };
        // A creation names no ticket: its caller does not choose the id that it collides with.
        if self.command.name() != CommandName::Create && !self.visible() {
            return Answer::Absent;
        }
        let status = self.status;
        let defect = ["defect", "outage"].contains(&self.ticket_type);
        let feature = self.ticket_type == "feature_request";
        let from = |statuses: &[Status], to: Status| {
            if statuses.contains(&status) {
                Answer::To(to)
            } else {
                Answer::Conflict
            }
        };
        let if_open = if status == Closed {
            Answer::Conflict
        } else {
            Answer::To(status)
        };
        let (by, answer) = match self.command {
            Command::Create(..) => (true, Answer::Conflict),
            Command::Accept(_) => (self.staff(), from(&[New, Reopened], InProgress)),
            Command::RequestInfo(_) => (self.staff(), from(&[InProgress, Reopened], WaitingForInfo)),
            Command::ProvideInfo(_) => (self.requesters_side(), from(&[WaitingForInfo], InProgress)),
            Command::AwaitFix(_) if defect => (self.staff(), from(&[InProgress], WaitingForFix)),
            Command::AwaitImplementation(_) if feature => (self.staff(), from(&[InProgress], WaitingForImplementation)),
            Command::AwaitFix(_) | Command::AwaitImplementation(_) => (self.staff(), Answer::Conflict),
            Command::Resume(_) => {
                let waiting = [
                    WaitingForInfo,
                    WaitingForFix,
                    WaitingForImplementation,
                    WaitingForClosure,
                ];
                (self.staff(), from(&waiting, InProgress))
            }
            Command::ProposeClosure(_) => {
                let working = [InProgress, WaitingForFix, WaitingForImplementation];
                (self.staff(), from(&working, WaitingForClosure))
            }
            Command::Close(close) => (self.staff() || self.requesters_side(), self.closing(close)),
            Command::Reopen(_) => {
                let answer = if status == Closed {
                    Answer::To(Reopened)
                } else {
                    from(&[WaitingForClosure], InProgress)
                };
                (self.staff() || self.requesters_side(), answer)
            }
            Command::Rate(_) => (self.requesters_side(), from(&[Closed], Closed)),
            Command::Comment(comment) if comment.visibility == Visibility::Internal => {
                (self.staff(), Answer::To(status))
            }
            Command::Comment(_) => {
                let resumed = self.requesters_side() && [WaitingForInfo, WaitingForClosure].contains(&status);
                (true, Answer::To(if resumed { InProgress } else { status }))
            }
            Command::Classify(_) | Command::Assign(_) | Command::ReEvaluate(_) => (self.staff(), if_open),
            Command::Edit(_) => (self.staff() || self.requesters_side(), if_open),
            Command::Follow(_) | Command::Unfollow(_) => (true, Answer::To(status)),
            Command::ExpireInformationWait(_) => (
                self.person == Person::System,
                Answer::To(if status == WaitingForInfo {
                    WaitingForClosure
                } else {
                    status
                }),
            ),
            Command::ExpireClosureWait(_) => (
                self.person == Person::System,
                Answer::To(if status == WaitingForClosure { Closed } else { status }),
            ),
            Command::FireTimer(_) => (self.person == Person::System, Answer::To(status)),
        };
        if by { answer } else { Answer::Forbidden }
    }

    /// Before closure is proposed, staff close for a reason if they have the permission.
    fn closing(self, close: &Close) -> Answer {
        match self.status {
            Status::WaitingForClosure => Answer::To(Status::Closed),
            Status::Closed => Answer::Conflict,
            _ if self.person == Person::Lead && close.reason.is_some() => Answer::To(Status::Closed),
            _ if self.staff() && self.person != Person::Lead => Answer::Forbidden,
            _ => Answer::Conflict,
        }
    }

    /// Followers and the requester's side always; leaders of its group while it is open.
    fn visible(self) -> bool {
        match self.person {
            Person::Stranger => false,
            Person::GroupLeader => self.status != Status::Closed,
            _ => true,
        }
    }

    fn staff(self) -> bool {
        [Person::Lead, Person::Agent, Person::StaffRequester].contains(&self.person)
    }

    fn requesters_side(self) -> bool {
        [Person::Requester, Person::Peer, Person::StaffRequester].contains(&self.person)
    }

    /// What the rules answer.
    fn actual(self) -> Answer {
        let ticket = ticket_in(self.status, self.ticket_type);
        let (actor, policy) = (self.person.actor(), WaitPolicy::supportal());
        let ctx = Context {
            actor: &actor,
            now: NOON,
            occurred_at: None,
            honour_deadlines: false,
            policy: &policy,
        };
        match decide(&ticket, self.command, &ctx) {
            Ok(decision) => {
                let events = &decision.events;
                let after = events
                    .iter()
                    .fold(ticket, |ticket, event| ticket.evolve(event, decision.occurred_at));
                Answer::To(after.state().unwrap().status)
            }
            Err(Rejection::Absent) => Answer::Absent,
            Err(Rejection::NotPermitted { .. }) => Answer::Forbidden,
            Err(
                Rejection::AlreadyCreated
                | Rejection::Closed
                | Rejection::WrongStatus { .. }
                | Rejection::WrongType { .. }
                | Rejection::AlreadyRated
                | Rejection::ReasonRequired,
            ) => Answer::Conflict,
            Err(
                rejection @ (Rejection::OutOfOrder { .. }
                | Rejection::NotInWorkflow { .. }
                | Rejection::SupportExpired { .. }
                | Rejection::OrganisationArchived
                | Rejection::NoProject
                | Rejection::NotEditable(_)
                | Rejection::NotOffered(_)),
            ) => panic!("nothing here is refused for that: {rejection}"),
        }
    }
}

fn type_of(code: &str) -> TicketType {
    Catalogue::default().ticket_type(code).unwrap().ticket_type.clone()
}

/// A ticket of that type in that status. Waits are over at noon, to the microsecond.
fn ticket_in(status: Status, ticket_type: &str) -> Ticket {
    let Event::Created(mut creation) = opened() else {
        panic!("the sample is a creation")
    };
    creation.ticket_type = type_of(ticket_type);
    let mut history = vec![Event::Created(creation)];
    history.extend(introductions());
    let wait = Some(Wait {
        number: WAIT,
        due_at: NOON,
        policy: Label::parse("supportal/1").unwrap(),
    });
    let comment = body("Which version?");
    match status {
        Status::New => {}
        Status::InProgress => history.push(accepted(AGENT)),
        Status::WaitingForInfo => history.extend([accepted(AGENT), Event::InformationRequested { comment, wait }]),
        Status::WaitingForFix => {
            history.extend([
                accepted(AGENT),
                Event::FixAwaited {
                    comment: None,
                    reference: None,
                },
            ]);
        }
        Status::WaitingForImplementation => {
            history.extend([
                accepted(AGENT),
                Event::ImplementationAwaited {
                    comment: None,
                    reference: None,
                },
            ]);
        }
        Status::WaitingForClosure => {
            history.extend([
                accepted(AGENT),
                Event::ClosureProposed {
                    solution: comment,
                    wait,
                },
            ]);
        }
        Status::Closed => history.extend([accepted(AGENT), closure_proposed(), closed()]),
        Status::Reopened => history.extend([
            accepted(AGENT),
            closure_proposed(),
            closed(),
            Event::Reopened { comment },
        ]),
    }
    let ticket = Ticket::replay(history.iter().map(|event| (event, NOON)));
    assert_eq!(ticket.state().unwrap().status, status);
    ticket
}

/// Every command, with each content on which the contract makes it depend.
fn commands() -> Vec<Command> {
    let words = || body("words");
    let wait = || Await {
        comment: None,
        reference: None,
    };
    let comment = |visibility| {
        Command::Comment(AddComment {
            body: words(),
            visibility,
        })
    };
    let label = Some(Label::parse("Windows").unwrap());
    vec![
        create(),
        Command::Accept(Accept { assignee: None }),
        Command::RequestInfo(RequestInfo { comment: words() }),
        Command::ProvideInfo(ProvideInfo { comment: words() }),
        Command::AwaitFix(wait()),
        Command::AwaitImplementation(wait()),
        Command::Resume(Resume { comment: None }),
        Command::ProposeClosure(ProposeClosure { solution: words() }),
        Command::Close(Close {
            comment: None,
            reason: None,
        }),
        Command::Close(Close {
            comment: None,
            reason: Some(words()),
        }),
        Command::Reopen(Reopen { comment: words() }),
        Command::Rate(Rate {
            score: 4,
            comment: None,
        }),
        comment(Visibility::Public),
        comment(Visibility::Internal),
        Command::Classify(Box::new(Classify {
            system: Change::Set(label.clone()),
            ..Classify::default()
        })),
        Command::Assign(Assign {
            assignee: Change::Set(None),
            group: Change::Keep,
        }),
        Command::Edit(Box::new(Edit {
            platform_version: Change::Set(label),
            ..Edit::default()
        })),
        Command::Follow(None),
        Command::Unfollow(None),
        Command::ExpireInformationWait(WAIT),
        Command::ExpireClosureWait(WAIT),
        Command::ReEvaluate(Counting::Kept),
        Command::FireTimer(Timer {
            at: NOON,
            kind: TimerKind::Breach,
            clock: ClockId {
                target: TargetKind::Resolution,
                number: 1,
            },
        }),
    ]
}

fn each_cell(mut visit: impl FnMut(Cell<'_>)) {
    for command in &commands() {
        for ticket_type in TYPES {
            for status in Status::ALL {
                for person in Person::ALL {
                    visit(Cell {
                        status,
                        ticket_type,
                        command,
                        person,
                    });
                }
            }
        }
    }
}

#[test]
fn the_cells_name_every_command() {
    let named: Vec<CommandName> = commands().iter().map(Command::name).collect();
    assert!(CommandName::ON_TICKET.iter().all(|name| named.contains(name)));
}

#[test]
fn every_cell_of_the_table_answers_as_the_contract_says() {
    let mut wrong = Vec::new();
    each_cell(|cell| {
        if cell.actual() != cell.expected() {
            wrong.push(format!(
                "{cell}: expected {:?}, got {:?}",
                cell.expected(),
                cell.actual()
            ));
        }
    });
    assert!(
        wrong.is_empty(),
        "{} cells are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn allowed_commands_are_those_that_some_content_makes_succeed() {
    let mut wrong = Vec::new();
    for ticket_type in TYPES {
        for status in Status::ALL {
            for person in Person::ALL {
                let ticket = ticket_in(status, ticket_type);
                let allowed = allowed_commands(&ticket.state().unwrap().standing(), &Workflow::USUAL, &person.actor());
                let succeeds = |name: &CommandName| {
                    let mut contents = commands().into_iter().filter(|command| command.name() == *name);
                    contents.any(|command| {
                        let cell = Cell {
                            status,
                            ticket_type,
                            command: &command,
                            person,
                        };
                        matches!(cell.expected(), Answer::To(_))
                    })
                };
                let expected: Vec<CommandName> = CommandName::ON_TICKET
                    .into_iter()
                    .filter(|name| succeeds(name))
                    .collect();
                // Whoever does not see the ticket is told nothing about it, so there is no list to be right.
                let cell = Cell {
                    status,
                    ticket_type,
                    command: &create(),
                    person,
                };
                if cell.visible() && allowed != expected {
                    wrong.push(format!(
                        "{person:?}, {ticket_type}, {status:?}: {allowed:?} instead of {expected:?}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_but_a_creation_is_possible_without_a_ticket() {
    let policy = WaitPolicy::supportal();
    for person in Person::ALL {
        let actor = person.actor();
        let ctx = Context {
            actor: &actor,
            now: NOON,
            occurred_at: None,
            honour_deadlines: false,
            policy: &policy,
        };
        for command in commands() {
            let answer = decide(&Ticket::Absent, &command, &ctx).map(|decision| decision.events.len());
            let expected = if command.name() == CommandName::Create {
                Ok(1)
            } else {
                Err(Rejection::Absent)
            };
            assert_eq!(answer, expected, "{person:?}: {command:?}");
        }
    }
}

#[test]
fn a_closing_is_rated_once_whoever_rates_it() {
    let mut ticket = ticket_in(Status::Closed, "defect");
    ticket = ticket.evolve(
        &Event::Rated {
            score: 3,
            comment: None,
        },
        NOON,
    );
    let policy = WaitPolicy::supportal();
    let rate = Command::Rate(Rate {
        score: 5,
        comment: None,
    });
    for person in [Person::Requester, Person::Peer] {
        let actor = person.actor();
        let ctx = Context {
            actor: &actor,
            now: NOON,
            occurred_at: None,
            honour_deadlines: false,
            policy: &policy,
        };
        assert_eq!(decide(&ticket, &rate, &ctx), Err(Rejection::AlreadyRated));
    }
}
