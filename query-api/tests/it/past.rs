//! `as_of`: the answers that were given are given again.

use std::collections::BTreeSet;

use domain::actor::Actor;
use domain::catalogue::Catalogue;
use domain::directory::EntryKind;
use domain::ids::GroupId;
use domain::testing::{AGENT, COLLEAGUE, CUSTOMER, agent, body, create, customer};
use domain::text::{Label, Subject};
use domain::ticket::{
    Accept, AddComment, Assign, Change, Classify, Close, Command, Edit, ProposeClosure, ProvideInfo, Rate, Reopen,
    RequestInfo, Resume, Visibility,
};
use serde_json::Value;
use test_harness::wait_until;
use uuid::Uuid;

use crate::desk::{Answer, Desk, LIMIT, stranger, ticket};

/// Enough that every command is carried out on some ticket, and that tickets were edited after what they said was
/// asked for.
const STEPS: usize = 70;

const TICKETS: u64 = 8;

const WORDS: [&str; 8] = [
    "printer",
    "принтеры",
    "impresora",
    "fails",
    "ошибка",
    "again",
    "отчёт",
    "paper",
];

/// What is asked at every step, by everybody.
const ASKED: [&str; 25] = [
    "/v1/tickets?",
    "/v1/tickets?sort=number&count=exact&limit=3",
    "/v1/tickets?sort=-updated_at",
    "/v1/tickets?sort=due_at",
    "/v1/tickets?sort=-due_at&limit=2",
    "/v1/tickets?sort=-priority",
    "/v1/tickets?sort=status&fields=number,status,assignee,group,overdue",
    "/v1/tickets?view=mine",
    "/v1/tickets?view=assigned",
    "/v1/tickets?view=followed",
    "/v1/tickets?view=organisation&status=waiting_for_info&status=closed",
    "/v1/tickets?view=group",
    "/v1/tickets?view=unassigned",
    "/v1/tickets?rating_from=2&count=exact",
    "/v1/tickets?overdue=false&due_from=2020-01-01",
    "/v1/tickets?overdue=true&count=exact",
    "/v1/tickets?q=printers&count=exact",
    "/v1/tickets?q=принтер+ошибки",
    "/v1/tickets?q=printer+-fails&sort=number",
    "/v1/tickets?q=%22printer+fails%22",
    "/v1/tickets?q=int&sort=-number",
    "/v1/tickets/3?",
    "/v1/tickets/00000000-0000-0000-0000-000000000001?",
    "/v1/tickets/3/timeline?",
    "/v1/tickets/1/timeline?limit=2",
];

/// Chance that is the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn words(&mut self) -> String {
        let count = 1 + self.roll(3);
        let words: Vec<&str> = (0..count).map(|_| WORDS[self.roll(WORDS.len())]).collect();
        words.join(" ")
    }
}

fn team() -> GroupId {
    GroupId::from(Uuid::from_u128(50))
}

fn leader() -> Actor {
    Actor {
        groups: BTreeSet::from([team()]),
        leads: BTreeSet::from([team()]),
        ..stranger()
    }
}

fn edit(subject: Change<Subject>, description: Change<domain::text::Body>) -> Command {
    Command::Edit(Box::new(Edit {
        subject,
        description,
        custom_fields: Change::Keep,
        platform_version: Change::Keep,
    }))
}

/// Somebody does something, which may not be allowed.
fn step(dice: &mut Dice, n: u64) -> (Actor, Command) {
    let words = dice.words();
    let text = body(&words);
    let staff = |command| (agent(), command);
    let theirs = |command| (customer(), command);
    match dice.roll(17) {
        0 | 1 => {
            let Command::Create(mut sample, _) = create() else {
                panic!("the sample is a creation")
            };
            sample.number = domain::ids::TicketNumber(n);
            sample.subject = Subject::parse(&words).unwrap();
            sample.description = body(&dice.words());
            theirs(Command::Create(sample, None))
        }
        2 => staff(Command::Accept(Accept { assignee: None })),
        3 => staff(Command::RequestInfo(RequestInfo { comment: text })),
        4 => theirs(Command::ProvideInfo(ProvideInfo { comment: text })),
        5 => staff(Command::ProposeClosure(ProposeClosure { solution: text })),
        6 => theirs(Command::Close(Close {
            comment: Some(text),
            reason: None,
        })),
        7 => staff(Command::Close(Close {
            comment: None,
            reason: Some(text),
        })),
        8 => theirs(Command::Reopen(Reopen { comment: text })),
        9 => theirs(Command::Rate(Rate {
            score: 1 + u8::try_from(dice.roll(5)).unwrap(),
            comment: Some(text),
        })),
        10 => staff(Command::Comment(AddComment {
            body: text,
            visibility: Visibility::Internal,
        })),
        11 => theirs(Command::Comment(AddComment {
            body: text,
            visibility: Visibility::Public,
        })),
        12 => theirs(edit(Change::Set(Subject::parse(&words).unwrap()), Change::Keep)),
        13 => theirs(edit(Change::Keep, Change::Set(text))),
        14 => staff(Command::Assign(Assign {
            assignee: Change::Set([None, Some(AGENT), Some(COLLEAGUE)][dice.roll(3)]),
            group: Change::Set([None, Some(team())][dice.roll(2)]),
        })),
        15 => staff(Command::Classify(Box::new(Classify {
            ticket_type: Change::Keep,
            priority: Change::Set(
                Catalogue::default()
                    .priority(["low", "high", "critical"][dice.roll(3)])
                    .unwrap()
                    .clone(),
            ),
            category: Change::Keep,
            system: Change::Set(None),
            environment: Change::Keep,
            service: Change::Keep,
            product: Change::Keep,
            project: Change::Keep,
        }))),
        _ => [
            staff(Command::Follow(Some(stranger().user))),
            staff(Command::Unfollow(Some(stranger().user))),
            staff(Command::Resume(Resume { comment: Some(text) })),
        ][dice.roll(3)]
        .clone(),
    }
}

async fn rename(desk: &Desk, token: &str, label: &str) {
    for (kind, id) in [
        (EntryKind::User, CUSTOMER.as_uuid()),
        (EntryKind::Group, team().as_uuid()),
    ] {
        let text = Label::parse(label).unwrap();
        desk.log
            .directory()
            .name(kind, id, &text, &Actor::system())
            .await
            .unwrap();
    }
    let database = sqlx::PgPool::connect(&desk.database_url).await.unwrap();
    wait_until("the names", LIMIT, || async {
        let known: i64 = sqlx::query_scalar("SELECT count(*) FROM desk.directory_names WHERE name = $1")
            .bind(label)
            .fetch_one(&database)
            .await
            .unwrap();
        if known == 2 { Ok(()) } else { Err(known) }
    })
    .await;
    assert_eq!(desk.get(token, "/v1/tickets").await.status, 200);
}

/// What of an answer has to be the same: all of it, but for the name of the occurrence of a problem.
fn told(mut answer: Answer) -> (u16, String, String) {
    if let Some(body) = answer.body.as_object_mut() {
        body.remove("instance");
    }
    (answer.status, answer.header("etag").to_owned(), answer.body.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_answered_is_answered_again_for_its_instant() {
    let desk = Desk::start().await;
    let mut dice = Dice(20_261_124);
    let mut tokens = Vec::new();
    for actor in [agent(), customer(), leader()] {
        tokens.push(desk.token(&actor).await);
    }
    let mut kept = Vec::new();
    for round in 0..STEPS {
        if round % 20 == 10 {
            rename(&desk, &tokens[0], &format!("Name {round}")).await;
        }
        let n = 1 + u64::try_from(dice.roll(usize::try_from(TICKETS).unwrap())).unwrap();
        let (actor, command) = step(&mut dice, n);
        // Some of what happens is brought from elsewhere, and was due long ago.
        let at = (n == 2).then(|| "2020-03-02T09:00:00Z".parse().unwrap());
        desk.attempt(ticket(n), &actor, command, at).await;
        desk.get(&tokens[0], "/v1/tickets?limit=1").await;
        let now = desk.now();
        for token in &tokens {
            for path in ASKED {
                kept.push((now, token, path, told(desk.get(token, path).await)));
            }
        }
    }
    let answered = kept.iter().filter(|(.., told)| told.0 == 200).count();
    assert!(answered * 3 > kept.len() * 2, "{answered} of {}", kept.len());
    for (now, token, path, then) in kept {
        let again = told(desk.get(token, &format!("{path}&as_of={now}")).await);
        assert_eq!(again, then, "{path} at {now}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_past_are_the_list_that_was() {
    let desk = Desk::start().await;
    desk.lives(1, 15).await;
    let token = desk.token(&agent()).await;
    desk.get(&token, "/v1/tickets").await;
    let now = desk.now();
    let mut next = 100;
    for sort in ["created_at", "-updated_at", "status", "-due_at", "-number", "priority"] {
        let past = format!("/v1/tickets?sort={sort}&as_of={now}");
        let whole = desk.get(&token, &past).await.column("revision");
        assert_eq!(whole.len(), 14);
        let (mut pieces, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = desk.get(&token, &format!("{past}&limit=3{cursor}")).await;
            pieces.extend(page.column("revision"));
            let Some(more) = page.body["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={more}");
            // Meanwhile every ticket changes, and others come.
            desk.open(next).await;
            next += 1;
            for n in 1..15 {
                let note = AddComment {
                    body: body("note"),
                    visibility: Visibility::Internal,
                };
                desk.give(ticket(n), &agent(), Command::Comment(note)).await;
            }
            desk.get(&token, "/v1/tickets?limit=1").await;
        }
        assert_eq!(pieces, whole, "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_before_the_beginning_and_no_answer_for_the_future() {
    let desk = Desk::start().await;
    desk.lives(3, 4).await;
    let token = desk.token(&agent()).await;
    desk.get(&token, "/v1/tickets").await;
    let page = desk.get(&token, "/v1/tickets?as_of=2020-01-01&count=exact").await;
    assert_eq!(
        (page.column("id"), &page.body["total"]),
        (Vec::<Value>::new(), &0.into())
    );
    for path in ["/v1/tickets/3", "/v1/tickets/3/timeline"] {
        desk.get(&token, &format!("{path}?as_of=2020-01-01"))
            .await
            .assert_problem(404, "ticket-not-found");
        for wrong in ["2999-01-01", "yesterday", "-005000-01-01", ""] {
            desk.get(&token, &format!("{path}?as_of={wrong}"))
                .await
                .assert_problem(422, "invalid-fields");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_of_the_past_is_whole() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.lives(3, 4).await;
    desk.get(&token, "/v1/tickets").await;
    let now = desk.now();
    desk.give(
        ticket(3),
        &customer(),
        edit(Change::Keep, Change::Set(body("It was there."))),
    )
    .await;
    desk.give(
        ticket(3),
        &customer(),
        Command::ProvideInfo(ProvideInfo { comment: body("7") }),
    )
    .await;
    let present = desk.get(&token, "/v1/tickets/3").await;
    assert_eq!(
        (present.header("etag"), &present.body["description"]),
        ("\"6\"", &"It was there.".into())
    );
    let past = desk.get(&token, &format!("/v1/tickets/3?as_of={now}")).await;
    assert_eq!(
        (past.header("etag"), &past.body["description"]),
        ("\"4\"", &"I cannot find the button.".into())
    );
    assert_eq!(past.body["sla"]["wait"], "information");
    assert_eq!(present.body["sla"], Value::Null);
    let events = desk.get(&token, &format!("/v1/tickets/3/timeline?as_of={now}")).await;
    assert_eq!(events.column("revision"), [1, 2, 3, 4]);
}
