//! Whatever the directory and the tickets are like: every read path shows exactly what the rule lets somebody see.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::access::{Audience, may_see};
use domain::actor::{Actor, ActorKind, StaffScope};
use domain::catalogue::TicketType;
use domain::ids::{GroupId, OrganisationId, PortalId, ProjectId, TicketNumber, UserId};
use domain::people::{Organisation, Profile, User, UserKind};
use domain::portal::{Portal, Showing};
use domain::project::Project;
use domain::testing::{agent, body, create};
use domain::text::{Code, Label, Subject};
use domain::ticket::{AddComment, Assign, Change, Classify, Close, Command, Visibility};
use jiff::Timestamp;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::Value;
use uuid::Uuid;

use crate::desk::{Desk, ticket};

/// Words of every ticket's subject, and of every internal comment.
const SUBJECT: &str = "Plotter smokes";
const INTERNAL: &str = "Quarantine";

/// Random desks: each of them another one, and always the same.
const SEEDS: [u8; 4] = [1, 2, 3, 4];
const TICKETS: usize = 16;
const ACTORS: usize = 8;

/// Something that happens to a ticket.
#[derive(Debug, Clone)]
enum Step {
    Assign(Option<GroupId>),
    Give(Option<UserId>),
    Move(Option<ProjectId>),
    Follow(UserId),
    Unfollow(UserId),
    Classify(&'static str),
    Close,
}

/// A ticket's life: who asked for it, and two parts of which each is a moment that can be asked about.
#[derive(Debug, Clone)]
struct Plan {
    requester: usize,
    before: Vec<Step>,
    after: Vec<Step>,
}

/// What the rule looks at.
#[derive(Debug, Clone)]
struct Model {
    requester: UserId,
    organisation: Option<OrganisationId>,
    group: Option<GroupId>,
    assignee: Option<UserId>,
    project: Option<ProjectId>,
    ticket_type: &'static str,
    followers: BTreeSet<UserId>,
    open: bool,
}

impl Model {
    fn is_visible(&self, actor: &Actor) -> bool {
        let audience = Audience {
            requester: self.requester,
            organisation: self.organisation,
            group: self.group,
            assignee: self.assignee,
            project: self.project,
            ticket_type: self.ticket_type,
            followers: &self.followers,
            open: self.open,
        };
        may_see(actor, audience)
    }
}

/// Customers with and without an organisation.
fn customers() -> Vec<Actor> {
    let organisations = [Some(11), Some(11), Some(12), Some(12), None];
    let all = (1_u128..).zip(organisations);
    all.map(|(n, organisation)| Actor {
        organisation: organisation.map(|n| OrganisationId::from(Uuid::from_u128(n))),
        ..Actor::plain(UserId::from(Uuid::from_u128(n)), ActorKind::Customer)
    })
    .collect()
}

/// Staff who see the tickets of their groups, and what concerns them.
fn limited() -> Vec<Actor> {
    let groups = groups();
    let sets = [vec![], vec![groups[0]], vec![groups[1]], groups];
    let all = (81_u128..).zip(sets);
    all.map(|(n, groups)| Actor {
        groups: groups.into_iter().collect(),
        scope: StaffScope::Groups,
        ..Actor::plain(UserId::from(Uuid::from_u128(n)), ActorKind::Staff)
    })
    .collect()
}

/// Their profiles: no token says so.
fn limited_profiles() -> impl Iterator<Item = (Uuid, Profile)> {
    limited().into_iter().map(|actor| {
        let user = User {
            groups: actor.groups,
            scope: actor.scope,
            ..User::plain(Label::parse("Contractor").unwrap(), UserKind::Staff)
        };
        (actor.user.as_uuid(), Profile::User(user))
    })
}

fn groups() -> Vec<GroupId> {
    [21, 22].map(|n| GroupId::from(Uuid::from_u128(n))).to_vec()
}

/// Two projects: one with some followers, and one that an organisation follows too.
fn projects() -> Vec<(ProjectId, Project)> {
    let people = customers();
    let user = |n: usize| people[n].user;
    let label = Label::parse("Migration").unwrap();
    let one = Project {
        followers: BTreeSet::from([user(0), user(4), limited()[2].user]),
        ..Project::plain(label.clone())
    };
    let other = Project {
        followers: BTreeSet::from([user(1)]),
        organisations: people[2].organisation.into_iter().collect(),
        archived: true,
        ..Project::plain(label)
    };
    let ids = [31, 32].map(|n| ProjectId::from(Uuid::from_u128(n)));
    ids.into_iter().zip([one, other]).collect()
}

/// The types of the sample ticket, and another.
const TYPES: [&str; 2] = ["consultation", "defect"];

/// What portals of the one organisation, the other one, and all others show; `None`: there is no such portal.
type Portals = [Option<Showing>; 3];

fn portals() -> impl Strategy<Value = Portals> {
    let types = option::of(btree_set(select(TYPES.to_vec()).prop_map(Code::new), 0..=1));
    let showing = (any::<bool>(), any::<bool>(), types).prop_map(|(own, projects, types)| Showing {
        own,
        projects,
        types,
        ..Showing::EVERYTHING
    });
    let portal = option::weighted(0.7, showing);
    [portal.clone(), portal.clone(), portal]
}

/// The portals, and the organisations that come through the first two.
fn directory(portals: &Portals) -> Vec<(Uuid, Profile)> {
    let label = |text: &str| Label::parse(text).unwrap();
    let ids = [Uuid::from_u128(41), Uuid::from_u128(42), PortalId::OTHERS.as_uuid()];
    let written = ids.into_iter().zip(portals).filter_map(|(id, showing)| {
        let portal = Portal {
            name: label("Portal"),
            description: None,
            showing: Arc::new(showing.clone()?),
            archived: false,
        };
        Some((id, Profile::Portal(portal)))
    });
    let organisations = [11, 12].map(Uuid::from_u128).into_iter().zip(ids).zip(portals);
    let organisations = organisations.map(|((organisation, portal), showing)| {
        let organisation_profile = Organisation {
            name: label("Client"),
            products: BTreeSet::new(),
            service_catalogues: BTreeSet::new(),
            portal: showing.is_some().then(|| portal.into()),
            archived: false,
        };
        (organisation, Profile::Organisation(organisation_profile))
    });
    written.chain(organisations).collect()
}

/// What the portal of somebody shows them.
fn portal_of(actor: &Actor, portals: &Portals) -> Option<Arc<Showing>> {
    let [one, other, others] = portals;
    let own = actor.organisation.and_then(|id| match id.as_uuid().as_u128() {
        11 => one.as_ref(),
        _ => other.as_ref(),
    });
    match actor.kind {
        ActorKind::Customer => own.or(others.as_ref()).cloned().map(Arc::new),
        ActorKind::Staff | ActorKind::System => None,
    }
}

/// Those that somebody follows, alone or with their organisation.
fn followed(actor: &Actor) -> BTreeSet<ProjectId> {
    let follows = |project: &Project| {
        project.followers.contains(&actor.user)
            || actor
                .organisation
                .is_some_and(|organisation| project.organisations.contains(&organisation))
    };
    let followed = projects().into_iter().filter(|(_, project)| follows(project));
    followed.map(|(id, _)| id).collect()
}

fn step() -> impl Strategy<Value = Step> {
    let people = || [customers(), limited()].concat();
    let user = || select(people()).prop_map(|person| person.user);
    let project = || select(projects()).prop_map(|(id, _)| id);
    prop_oneof![
        3 => option::of(select(groups())).prop_map(Step::Assign),
        2 => option::of(select(limited())).prop_map(|given| Step::Give(given.map(|actor| actor.user))),
        3 => option::of(project()).prop_map(Step::Move),
        2 => user().prop_map(Step::Follow),
        2 => user().prop_map(Step::Unfollow),
        1 => select(TYPES.to_vec()).prop_map(Step::Classify),
        1 => Just(Step::Close),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let steps = || vec(step(), 0..4);
    (0..customers().len(), steps(), steps()).prop_map(|(requester, before, after)| Plan {
        requester,
        before,
        after,
    })
}

/// A customer, also one who has no tickets, in some groups of which they lead in all or in none; or staff.
fn actor() -> impl Strategy<Value = Actor> {
    let stranger = Actor::plain(UserId::from(Uuid::from_u128(9)), ActorKind::Customer);
    let mut people = customers();
    people.push(stranger);
    let customer = (select(people), btree_set(select(groups()), 0..=2), any::<bool>());
    let customer = customer.prop_map(|(person, groups, leads)| Actor {
        leads: if leads { groups.clone() } else { BTreeSet::new() },
        groups,
        projects: followed(&person),
        ..person
    });
    let limited = select(limited()).prop_map(|person| Actor {
        projects: followed(&person),
        ..person
    });
    prop_oneof![6 => customer, 2 => limited, 1 => Just(agent())]
}

async fn take(desk: &Desk, n: u64, model: &mut Model, steps: &[Step]) {
    for step in steps {
        let command = match step {
            Step::Assign(group) => Command::Assign(Assign {
                assignee: Change::Keep,
                group: Change::Set(*group),
            }),
            Step::Give(assignee) => Command::Assign(Assign {
                assignee: Change::Set(*assignee),
                group: Change::Keep,
            }),
            Step::Move(project) => Command::Classify(Box::new(Classify {
                project: Change::Set(*project),
                ..Classify::default()
            })),
            Step::Follow(user) => Command::Follow(Some(*user)),
            Step::Unfollow(user) => Command::Unfollow(Some(*user)),
            Step::Classify(code) => Command::Classify(Box::new(Classify {
                ticket_type: Change::Set(TicketType {
                    code: Code::new(code),
                    awaits: None,
                }),
                ..Classify::default()
            })),
            Step::Close => Command::Close(Close {
                comment: None,
                reason: Some(body("Sent twice.")),
            }),
        };
        // What is closed takes fewer commands: then nothing changes.
        if desk.attempt(ticket(n), &agent(), command, None).await.is_none() {
            continue;
        }
        match step {
            Step::Assign(group) => model.group = *group,
            Step::Give(assignee) => model.assignee = *assignee,
            Step::Move(project) => model.project = *project,
            Step::Follow(user) => {
                model.followers.insert(*user);
            }
            Step::Unfollow(user) => {
                model.followers.remove(user);
            }
            Step::Classify(code) => model.ticket_type = code,
            Step::Close => model.open = false,
        }
    }
}

async fn open(desk: &Desk, n: u64, plan: &Plan) -> Model {
    let requester = customers().swap_remove(plan.requester);
    let Command::Create(mut sample, _) = create() else {
        panic!("the sample is a creation")
    };
    sample.number = TicketNumber(n);
    sample.subject = Subject::parse(SUBJECT).unwrap();
    sample.requester = requester.user;
    sample.organisation = requester.organisation;
    desk.give(ticket(n), &requester, Command::Create(sample, None)).await;
    let internal = AddComment {
        body: body(INTERNAL),
        visibility: Visibility::Internal,
    };
    desk.give(ticket(n), &agent(), Command::Comment(internal)).await;
    Model {
        requester: requester.user,
        organisation: requester.organisation,
        group: None,
        assignee: None,
        project: None,
        ticket_type: TYPES[0],
        followers: BTreeSet::from([requester.user]),
        open: true,
    }
}

fn visible(models: &[Model], actor: &Actor) -> BTreeSet<u64> {
    let numbered = (1..).zip(models);
    numbered
        .filter_map(|(n, model)| model.is_visible(actor).then_some(n))
        .collect()
}

/// The views that the model knows.
const VIEWS: [&str; 5] = ["mine", "organisation", "followed", "projects", "group"];

/// The tickets of a view; `None`: it is not the actor's.
fn in_view(view: &str, models: &[Model], actor: &Actor) -> Option<BTreeSet<u64>> {
    if view == "group" && actor.leads.is_empty() {
        return None;
    }
    let is_in = |model: &Model| match view {
        "mine" => model.requester == actor.user,
        "organisation" => model.organisation.is_some() && model.organisation == actor.organisation,
        "followed" => model.followers.contains(&actor.user),
        "projects" => model.project.is_some_and(|project| actor.projects.contains(&project)),
        _ => model.open && model.group.is_some_and(|group| actor.leads.contains(&group)),
    };
    let numbered = (1..).zip(models).filter(|(_, model)| model.is_visible(actor));
    Some(numbered.filter_map(|(n, model)| is_in(model).then_some(n)).collect())
}

/// The numbers of the tickets on all pages of a list.
async fn listed(desk: &Desk, token: &str, query: &str) -> BTreeSet<u64> {
    let (mut numbers, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = desk.get(token, &format!("/v1/tickets?limit=5&{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.body);
        for number in page.column("number").iter().filter_map(Value::as_u64) {
            assert!(numbers.insert(number), "{query}: {number} twice");
        }
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return numbers,
        }
    }
}

async fn exported(desk: &Desk, token: &str, query: &str) -> BTreeSet<u64> {
    let path = format!("/v1/tickets/export?format=ndjson&fields=number&{query}");
    let answer = desk.begin(token, &path).await;
    assert_eq!(answer.status(), 200, "{query}");
    let text = answer.text().await.unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["number"].as_u64().unwrap()).collect()
}

/// The tickets whose events the feed shows.
async fn fed(desk: &Desk, token: &str) -> BTreeSet<u64> {
    let page = desk.get(token, "/v1/events?limit=1000").await;
    assert_eq!((page.status, &page.body["next_cursor"]), (200, &Value::Null));
    let events = page.body["items"].as_array().unwrap().iter();
    events
        .map(|event| event["data"]["ticket"]["number"].as_u64().unwrap())
        .collect()
}

/// Holds every read path against what is expected, now and `then`.
async fn compare(desk: &Desk, actor: &Actor, (models, then): (&[Model], &[Model]), at: Timestamp) {
    let (token, who) = (desk.token(actor).await, format!("{actor:?}"));
    let (now, before) = (&visible(models, actor), &visible(then, actor));
    let past = format!("as_of={at}");
    let customer = actor.kind == ActorKind::Customer;
    for view in VIEWS {
        for (query, models) in [(format!("view={view}"), models), (format!("view={view}&{past}"), then)] {
            let page = desk.get(&token, &format!("/v1/tickets?{query}")).await;
            match in_view(view, models, actor) {
                Some(expected) => assert_eq!(listed(desk, &token, &query).await, expected, "{query}: {who}"),
                None => assert_eq!(page.status, 403, "{query}: {who}"),
            }
        }
    }
    for sort in ["-created_at", "number", "status", "-updated_at", "due_at"] {
        assert_eq!(
            listed(desk, &token, &format!("sort={sort}")).await,
            *now,
            "{sort}: {who}"
        );
        let query = format!("sort={sort}&{past}");
        assert_eq!(listed(desk, &token, &query).await, *before, "{query}: {who}");
    }
    for (query, expected) in [(String::new(), now), (past.clone(), before)] {
        let page = desk.get(&token, &format!("/v1/tickets?count=exact&{query}")).await;
        assert_eq!(page.body["total"], expected.len(), "total {query}: {who}");
        let figures = desk.get(&token, &format!("/v1/dashboard?{query}")).await;
        assert_eq!(figures.body["total"], expected.len(), "dashboard {query}: {who}");
        assert_eq!(exported(desk, &token, &query).await, *expected, "export {query}: {who}");
        let found = listed(desk, &token, &format!("q=plotter&{query}")).await;
        assert_eq!(found, *expected, "search {query}: {who}");
        let internal = listed(desk, &token, &format!("q={INTERNAL}&{query}")).await;
        let expected = if customer { &BTreeSet::new() } else { expected };
        assert_eq!(internal, *expected, "search for internal words {query}: {who}");
    }
    assert_eq!(fed(desk, &token).await, *now, "feed: {who}");
    for n in (1..).take(TICKETS) {
        for path in ["", "/timeline"].map(|what| format!("/v1/tickets/{n}{what}")) {
            for (path, expected) in [(path.clone(), now), (format!("{path}?{past}"), before)] {
                let status = desk.get(&token, &path).await.status;
                let wanted = if expected.contains(&n) { 200 } else { 404 };
                assert_eq!(status, wanted, "{path}: {who}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_path_shows_what_the_rule_lets_somebody_see_and_nothing_else() {
    let (mut some_see_some, mut some_saw_others, mut some_are_shown_less) = (false, false, false);
    for seed in SEEDS {
        let rng = TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[seed; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let plans = vec(plan(), TICKETS).new_tree(&mut runner).unwrap().current();
        let actors = vec(actor(), ACTORS).new_tree(&mut runner).unwrap().current();
        let desk = Desk::start().await;
        let portals = portals().new_tree(&mut runner).unwrap().current();
        let projects = projects().into_iter();
        desk.write_profiles(projects.map(|(id, project)| (id.as_uuid(), Profile::Project(project))))
            .await;
        desk.write_profiles(directory(&portals)).await;
        desk.write_profiles(limited_profiles()).await;
        let actors = actors.into_iter().map(|actor| Actor {
            portal: portal_of(&actor, &portals),
            ..actor
        });
        let actors: Vec<Actor> = actors.collect();
        let mut models = Vec::new();
        for (n, plan) in (1..).zip(&plans) {
            let mut model = open(&desk, n, plan).await;
            take(&desk, n, &mut model, &plan.before).await;
            models.push(model);
        }
        let (then, at) = (models.clone(), desk.now());
        for ((n, plan), model) in (1..).zip(&plans).zip(&mut models) {
            take(&desk, n, model, &plan.after).await;
        }
        for actor in &actors {
            compare(&desk, actor, (&models, &then), at).await;
            let (now, before) = (visible(&models, actor), visible(&then, actor));
            some_see_some |= !now.is_empty() && now.len() < TICKETS;
            some_saw_others |= now != before;
            let without = Actor {
                portal: None,
                ..actor.clone()
            };
            some_are_shown_less |= !now.is_empty() && now != visible(&models, &without);
        }
        desk.stop();
    }
    assert!(
        some_see_some && some_saw_others && some_are_shown_less,
        "the desks are too simple"
    );
}
