//! Whatever the directory and the tickets are like: every read path shows exactly what the rule lets somebody see.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::{Actor, ActorKind};
use domain::ids::{GroupId, OrganisationId, UserId};
use domain::testing::agent;
use futures::future::join_all;
use serde_json::Value;
use uuid::Uuid;

use crate::desk::Desk;
use crate::feed_live::{Stream, Told};
use crate::histories::Random;
use crate::world::{INTERNAL, Model, Plan, World};

/// Random desks: each of them another one, and always the same.
const SEEDS: [u64; 6] = [1, 2, 3, 4, 5, 6];
/// Desks at a time: each is a log and a database of its own.
const CONCURRENT: usize = 2;
const TICKETS: usize = 16;
const ACTORS: usize = 8;

fn visible(models: &[Model], actor: &Actor) -> BTreeSet<u64> {
    let numbered = (1..).zip(models);
    numbered
        .filter_map(|(n, model)| model.is_visible(actor).then_some(n))
        .collect()
}

/// The views that the model knows.
const VIEWS: [&str; 8] = [
    "mine",
    "organisation",
    "followed",
    "projects",
    "group",
    "assigned",
    "unassigned",
    "all",
];

/// The tickets of a view; `None`: it is not the actor's.
fn in_view(view: &str, models: &[Model], actor: &Actor) -> Option<BTreeSet<u64>> {
    let theirs = match view {
        "group" => !actor.leads.is_empty(),
        "unassigned" => actor.kind != ActorKind::Customer,
        _ => true,
    };
    if !theirs {
        return None;
    }
    let is_in = |model: &Model| match view {
        "mine" => model.requester == actor.user,
        "organisation" => model.organisation.is_some() && model.organisation == actor.organisation,
        "followed" => model.followers.contains(&actor.user),
        "projects" => model.project.is_some_and(|project| actor.projects.contains(&project)),
        "group" => model.is_open() && model.group.is_some_and(|group| actor.leads.contains(&group)),
        "assigned" => model.assignee == Some(actor.user),
        "unassigned" => model.assignee.is_none(),
        _ => true,
    };
    let numbered = (1..).zip(models).filter(|(_, model)| model.is_visible(actor));
    Some(numbered.filter_map(|(n, model)| is_in(model).then_some(n)).collect())
}

/// How many tickets there are of each kind, and how many of these are open.
type Counts = BTreeMap<Option<String>, (u64, u64)>;

/// By what dashboards count, and a ticket's value of each.
fn properties(model: &Model) -> [(&'static str, Option<String>); 5] {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string());
    [
        ("status", Some(model.status.to_owned())),
        ("type", Some(model.ticket_type.to_owned())),
        ("group", text(model.group.map(GroupId::as_uuid))),
        ("assignee", text(model.assignee.map(UserId::as_uuid))),
        ("organisation", text(model.organisation.map(OrganisationId::as_uuid))),
    ]
}

fn counts(property: usize, models: &[Model], actor: &Actor) -> Counts {
    let mut counts = Counts::new();
    for model in models.iter().filter(|model| model.is_visible(actor)) {
        let (_, value) = properties(model)[property].clone();
        let (total, open) = counts.entry(value).or_default();
        *total += 1;
        *open += u64::from(model.is_open());
    }
    counts
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

/// A moment: the tickets as they were, and how to ask for it.
struct Moment<'m> {
    models: &'m [Model],
    query: &'m str,
}

/// Holds lists, exports and searches against what is expected at a moment.
async fn compare_lists(desk: &Desk, token: &str, actor: &Actor, Moment { models, query }: &Moment<'_>) {
    let (expected, who) = (visible(models, actor), format!("{actor:?}"));
    for view in VIEWS {
        let query = format!("view={view}&{query}");
        if let Some(expected) = in_view(view, models, actor) {
            assert_eq!(listed(desk, token, &query).await, expected, "{query}: {who}");
        } else {
            let refused = desk.get(token, &format!("/v1/tickets?{query}")).await;
            assert_eq!(refused.status, 403, "{query}: {who}");
        }
    }
    for sort in ["-created_at", "number", "status", "-updated_at", "due_at"] {
        let query = format!("sort={sort}&{query}");
        assert_eq!(listed(desk, token, &query).await, expected, "{query}: {who}");
    }
    let page = desk.get(token, &format!("/v1/tickets?count=exact&{query}")).await;
    assert_eq!(page.body["total"], expected.len(), "total {query}: {who}");
    assert_eq!(exported(desk, token, query).await, expected, "export {query}: {who}");
    let found = listed(desk, token, &format!("q=plotter&{query}")).await;
    assert_eq!(found, expected, "search {query}: {who}");
    let internal = listed(desk, token, &format!("q={INTERNAL}&{query}")).await;
    let customer = actor.kind == ActorKind::Customer;
    let expected = if customer { BTreeSet::new() } else { expected };
    assert_eq!(internal, expected, "search for internal words {query}: {who}");
}

/// Holds every figure of the dashboard that counts tickets against what is expected at a moment.
async fn compare_figures(desk: &Desk, token: &str, actor: &Actor, Moment { models, query }: &Moment<'_>) {
    let (total, who) = (visible(models, actor).len(), format!("{query}: {actor:?}"));
    let figures = desk.get(token, &format!("/v1/dashboard?{query}")).await.body;
    assert_eq!(figures["total"], total, "dashboard {who}");
    let days = figures["created_by_day"].as_array().unwrap().iter();
    let created: u64 = days.map(|day| day["count"].as_u64().unwrap()).sum();
    assert_eq!(usize::try_from(created), Ok(total), "created by day {who}");
    for (place, (property, _)) in properties(&models[0]).into_iter().enumerate() {
        let expected = counts(place, models, actor);
        let told = match &figures[format!("by_{property}")] {
            Value::Object(codes) => {
                let open = |code: &Option<String>| expected.get(code).map_or(0, |(_, open)| *open);
                let codes = codes.iter().filter(|(_, count)| **count != 0);
                let codes = codes.map(|(code, count)| (Some(code.clone()), count.as_u64().unwrap()));
                codes
                    .map(|(code, count)| (code.clone(), (count, open(&code))))
                    .collect()
            }
            list => by_key(list, "id", "count"),
        };
        assert_eq!(told, expected, "by_{property} {who}");
        let apart = desk
            .get(token, &format!("/v1/dashboard?group_by={property}&{query}"))
            .await
            .body;
        assert_eq!(
            by_key(&apart["groups"], "key", "total"),
            expected,
            "grouped by {property} {who}"
        );
    }
}

fn by_key(list: &Value, key: &str, count: &str) -> Counts {
    let items = list.as_array().unwrap().iter();
    let items = items.map(|item| {
        let number = |name: &str| item[name].as_u64().unwrap();
        (item[key].as_str().map(str::to_owned), (number(count), number("open")))
    });
    items.filter(|(_, (count, _))| *count > 0).collect()
}

/// Holds the feed, by pages and live, against what is expected now.
async fn compare_feed(desk: &Desk, token: &str, actor: &Actor, expected: &BTreeSet<u64>) {
    let page = desk.get(token, "/v1/events?limit=1000").await;
    assert_eq!((page.status, &page.body["next_cursor"]), (200, &Value::Null));
    let data = page.column("data");
    let numbers = data.iter().map(|data| data["ticket"]["number"].as_u64().unwrap());
    assert_eq!(numbers.collect::<BTreeSet<u64>>(), *expected, "feed: {actor:?}");
    // As many as there are: what comes though it must not would come before the last of them.
    let told = page.column("id");
    let live = Stream::open(desk, token, "", None).await.take(told.len()).await;
    let live: Vec<&str> = live.iter().map(Told::event_id).collect();
    assert_eq!(live, told, "live feed: {actor:?}");
}

/// Holds every ticket by its number against what is expected, now and `then`.
async fn compare_tickets(desk: &Desk, token: &str, actor: &Actor, [now, then]: [&Moment<'_>; 2]) {
    let staff = actor.kind == ActorKind::Staff;
    for n in (1..).take(TICKETS) {
        for what in ["", "/timeline", "/sla"] {
            for Moment { models, query } in [now, then] {
                // What a ticket was promised is told of the present alone.
                if what == "/sla" && !query.is_empty() {
                    continue;
                }
                let path = format!("/v1/tickets/{n}{what}?{query}");
                let wanted = match (visible(models, actor).contains(&n), what) {
                    (false, _) => 404,
                    (true, "/sla") if !staff => 403,
                    (true, _) => 200,
                };
                let answer = desk.get(token, &path).await;
                assert_eq!(answer.status, wanted, "{path}: {} for {actor:?}", answer.body);
            }
        }
    }
}

/// Somebody who is somewhere among the actors, or the desks are too simple.
const SOMEBODY: [&str; 5] = [
    "sees some tickets and not others",
    "saw others before",
    "is shown fewer by a portal",
    "is shown more by leading",
    "is limited though they are staff",
];

/// Who of these the actor is.
fn is_somebody(actor: &Actor, [models, then]: [&[Model]; 2]) -> BTreeSet<&'static str> {
    let (now, before) = (visible(models, actor), visible(then, actor));
    let some = !now.is_empty() && now.len() < TICKETS;
    let by_what_they_are = |otherwise: Actor| visible(models, &otherwise) != now;
    let is = [
        some,
        now != before,
        some && by_what_they_are(Actor {
            portal: None,
            ..actor.clone()
        }),
        by_what_they_are(Actor {
            leads: BTreeSet::new(),
            ..actor.clone()
        }),
        some && actor.kind == ActorKind::Staff,
    ];
    let these = SOMEBODY.into_iter().zip(is);
    these.filter_map(|(what, is)| is.then_some(what)).collect()
}

/// Makes a random desk, and compares; returns what sorts of people there were.
async fn hold(seed: u64) -> BTreeSet<&'static str> {
    let random = &mut Random(seed);
    let world = World::random(random);
    let plans: Vec<Plan> = (0..TICKETS).map(|_| world.plan(random)).collect();
    let desk = Desk::start().await;
    world.write(&desk, random).await;
    let mut models = Vec::new();
    for (n, plan) in (1..).zip(&plans) {
        let mut model = Model::open(&desk, n, plan, &world).await;
        model.take(&desk, n, &plan.before).await;
        models.push(model);
    }
    let (then, at) = (models.clone(), desk.now());
    for ((n, plan), model) in (1..).zip(&plans).zip(&mut models) {
        model.take(&desk, n, &plan.after).await;
    }
    let past = format!("as_of={at}");
    let [now, before] = [(&models, ""), (&then, past.as_str())].map(|(models, query)| Moment { models, query });
    let mut people = BTreeSet::new();
    for actor in actors(&world, random) {
        let token = desk.token(&actor).await;
        for moment in [&now, &before] {
            compare_lists(&desk, &token, &actor, moment).await;
            compare_figures(&desk, &token, &actor, moment).await;
        }
        compare_feed(&desk, &token, &actor, &visible(&models, &actor)).await;
        compare_tickets(&desk, &token, &actor, [&now, &before]).await;
        people.extend(is_somebody(&actor, [&models, &then]));
    }
    desk.stop();
    people
}

/// Some of the people; somebody of whom nothing is known, and somebody who sees everything.
fn actors(world: &World, random: &mut Random) -> Vec<Actor> {
    let stranger = world.stranger();
    let mut people = world.people.clone();
    while people.len() > ACTORS - 2 {
        let place = random.below(u64::try_from(people.len()).unwrap());
        people.swap_remove(usize::try_from(place).unwrap());
    }
    let people = people.iter().map(|person| person.actor(world));
    people.chain([stranger, agent()]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_path_shows_what_the_rule_lets_somebody_see_and_nothing_else() {
    let mut people = BTreeSet::new();
    for seeds in SEEDS.chunks(CONCURRENT) {
        let desks = seeds.iter().map(|seed| {
            let desk = tokio::spawn(hold(*seed));
            async move { desk.await.unwrap_or_else(|error| panic!("seed {seed}: {error}")) }
        });
        people.extend(join_all(desks).await.into_iter().flatten());
    }
    assert_eq!(people, SOMEBODY.into(), "the desks are too simple");
}
