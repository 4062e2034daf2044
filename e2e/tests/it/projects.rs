//! Projects: whoever follows one sees its tickets, wherever tickets are shown, from the moment on at which they follow it.

use std::collections::BTreeSet;

use domain::policy::WaitPolicy;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::people::{ADMINISTRATOR, AGENT, CUSTOMER, FOLLOWER, IMPORTER, OTHER_CLIENT, PEER, Person, STRANGER};

/// Wherever tickets are shown.
const PLACES: [&str; 11] = [
    "ticket",
    "timeline",
    "list",
    "view",
    "filter",
    "search",
    "count",
    "dashboard",
    "groups",
    "export",
    "feed",
];

struct Story {
    desk: Desk,
    project: String,
    ticket: String,
}

fn ticket() -> Value {
    json!({ "subject": "Plotter smokes", "description": "On the second floor.", "type": "defect" })
}

impl Story {
    /// A project of an agent's, and a ticket in it; and another one that is not.
    async fn begin() -> Self {
        let desk = Desk::open(WaitPolicy::supportal()).await;
        let project = json!({ "name": "Migration", "description": "To the new engine." });
        let project = desk
            .api
            .post(&AGENT.token(), "/v1/projects", &project)
            .await
            .expect(201);
        let created = desk
            .api
            .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
            .await
            .expect(201);
        desk.api
            .post(&CUSTOMER.token(), "/v1/tickets", &ticket())
            .await
            .expect(201);
        let story = Self {
            desk,
            project: project.id(),
            ticket: created.id(),
        };
        story.move_to(json!(story.project)).await;
        story
    }

    async fn move_to(&self, project: Value) {
        let path = format!("/v1/tickets/{}/classify", self.ticket);
        let moved = self
            .desk
            .api
            .post(&AGENT.token(), &path, &json!({ "project": project }))
            .await
            .expect(200);
        assert_eq!(moved.body["events"], json!(["project_changed"]));
        self.desk.caught_up().await;
    }

    /// Writes the project anew.
    async fn write(&self, differs: &Value) {
        let mut project = json!({ "name": "Migration" });
        project
            .as_object_mut()
            .unwrap()
            .extend(differs.as_object().unwrap().clone());
        let path = format!("/v1/projects/{}", self.project);
        self.desk.api.put(&AGENT.token(), &path, &project).await.expect(200);
        self.desk.caught_up().await;
    }

    /// Where somebody who sees no other ticket is shown the project's; `as_of` narrows that to what can be asked of the past.
    async fn shown(&self, person: Person, as_of: &str) -> BTreeSet<&'static str> {
        let (ticket, project) = (&self.ticket, &self.project);
        let get = async |path: String| self.desk.api.get(&person.token(), &format!("{path}{as_of}")).await;
        let lists = async |query: String| {
            get(format!("/v1/tickets{query}"))
                .await
                .expect(200)
                .column("id")
                .contains(&ticket.as_str())
        };
        let mentioned = |body: &Value| body.to_string().contains(ticket.as_str());
        let mut shown = BTreeSet::new();
        let mut note = |place: &'static str, yes: bool| {
            if yes {
                shown.insert(place);
            }
        };
        note("ticket", get(format!("/v1/tickets/{ticket}?")).await.status == 200);
        note(
            "timeline",
            get(format!("/v1/tickets/{ticket}/timeline?")).await.status == 200,
        );
        note("list", lists("?".to_owned()).await);
        note("view", lists("?view=projects".to_owned()).await);
        note("filter", lists(format!("?project={project}")).await);
        note("search", lists("?q=plotter".to_owned()).await);
        note(
            "count",
            get("/v1/tickets?count=exact".to_owned()).await.body["total"] == 1,
        );
        let figures = get("/v1/dashboard?group_by=project".to_owned()).await.expect(200);
        note("dashboard", figures.body["total"] == 1);
        let groups = figures.body["groups"].as_array().unwrap();
        note(
            "groups",
            groups
                .iter()
                .any(|group| group["key"] == json!(project) && group["name"] == "Migration"),
        );
        note(
            "export",
            mentioned(&get("/v1/tickets/export?format=ndjson".to_owned()).await.body),
        );
        if as_of.is_empty() {
            note("feed", mentioned(&get("/v1/events?limit=1000".to_owned()).await.body));
        }
        shown
    }

    async fn comments(&self, person: Person) -> u16 {
        let path = format!("/v1/tickets/{}/comment", self.ticket);
        let comment = json!({ "body": "Here as well.", "visibility": "public" });
        self.desk.api.post(&person.token(), &path, &comment).await.status
    }
}

fn everywhere() -> BTreeSet<&'static str> {
    BTreeSet::from(PLACES)
}

fn nowhere() -> BTreeSet<&'static str> {
    BTreeSet::new()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_the_tickets_of_a_project_while_they_or_their_organisation_follow_it() {
    let story = Box::pin(Story::begin()).await;
    assert_eq!(Box::pin(story.shown(STRANGER, "")).await, nowhere());
    assert_eq!(story.comments(STRANGER).await, 404);

    story.write(&json!({ "followers": [STRANGER.user] })).await;
    assert_eq!(Box::pin(story.shown(STRANGER, "")).await, everywhere());
    assert_eq!(story.comments(STRANGER).await, 200);
    assert_eq!(
        Box::pin(story.shown(FOLLOWER, "")).await,
        nowhere(),
        "a colleague does not follow"
    );

    story.write(&json!({ "organisations": [OTHER_CLIENT] })).await;
    for person in [STRANGER, FOLLOWER] {
        assert_eq!(Box::pin(story.shown(person, "")).await, everywhere(), "{}", person.name);
        assert_eq!(story.comments(person).await, 200, "{}", person.name);
    }

    story.write(&json!({})).await;
    for person in [STRANGER, FOLLOWER] {
        assert_eq!(Box::pin(story.shown(person, "")).await, nowhere(), "{}", person.name);
        assert_eq!(story.comments(person).await, 404, "{}", person.name);
    }
    story.desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_profile_follows_by_it_and_not_by_their_token() {
    let story = Box::pin(Story::begin()).await;
    let user = format!("/v1/users/{}", STRANGER.user);
    let profile =
        |organisation: Option<Uuid>| json!({ "name": "Stranger", "kind": "customer", "organisation": organisation });
    story.write(&json!({ "organisations": [OTHER_CLIENT] })).await;
    for (organisation, status, expected) in [(None, 404, nowhere()), (Some(OTHER_CLIENT), 200, everywhere())] {
        let profile = profile(organisation);
        story
            .desk
            .api
            .put(&ADMINISTRATOR.token(), &user, &profile)
            .await
            .expect(200);
        story.desk.caught_up().await;
        assert_eq!(story.comments(STRANGER).await, status);
        assert_eq!(Box::pin(story.shown(STRANGER, "")).await, expected);
    }
    story.write(&json!({})).await;
    assert_eq!(story.comments(STRANGER).await, 404);
    assert_eq!(Box::pin(story.shown(STRANGER, "")).await, nowhere());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_left_the_project_is_seen_as_it_was_in_it() {
    let story = Box::pin(Story::begin()).await;
    story
        .write(&json!({ "followers": [STRANGER.user], "archived": true }))
        .await;
    story.desk.clock.advance(SignedDuration::from_hours(1));
    story.move_to(Value::Null).await;
    assert_eq!(Box::pin(story.shown(STRANGER, "")).await, nowhere());
    let mut then_everywhere = everywhere();
    then_everywhere.remove("feed");
    assert_eq!(
        Box::pin(story.shown(STRANGER, "&as_of=2026-03-02T09:30:00Z")).await,
        then_everywhere
    );
    let timeline = format!("/v1/tickets/{}/timeline", story.ticket);
    let timeline = story.desk.api.get(&CUSTOMER.token(), &timeline).await.expect(200);
    let named = json!({ "id": story.project, "name": "Migration" });
    let moves: Vec<&Value> = timeline
        .items()
        .iter()
        .filter(|event| event["event"] == "project_changed")
        .map(|event| &event["details"]["project"])
        .collect();
    assert_eq!(
        moves,
        [
            &json!({ "from": null, "to": named }),
            &json!({ "from": named, "to": null })
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_opened_in_projects_that_take_them_by_those_who_know_of_them() {
    let story = Box::pin(Story::begin()).await;
    let in_project = |project: Value| {
        let mut body = ticket();
        body["project"] = project;
        body
    };
    let open = async |person: Person, body: Value, key: &str| {
        story
            .desk
            .api
            .try_post(&person.token(), "/v1/tickets", &body, key)
            .await
            .unwrap()
    };
    let own = || in_project(json!(story.project));
    let refused = open(STRANGER, own(), "unknown").await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/project");
    let missing = open(STRANGER, in_project(json!(PEER.user)), "missing")
        .await
        .expect(422);
    assert_eq!(
        refused.body["detail"], missing.body["detail"],
        "nobody learns which projects there are"
    );

    story.write(&json!({ "followers": [STRANGER.user] })).await;
    for (person, key) in [(STRANGER, "a"), (AGENT, "b"), (IMPORTER, "c")] {
        let mut body = own();
        if person == IMPORTER {
            body["on_behalf_of"] = json!({ "id": CUSTOMER.user, "kind": "customer" });
        }
        let created = open(person, body, key).await.expect(201);
        assert_eq!(created.body["revision"], 1, "one record");
        story.desk.caught_up().await;
        let shown = story
            .desk
            .api
            .get(&STRANGER.token(), &format!("/v1/tickets/{}", created.id()))
            .await
            .expect(200);
        assert_eq!(
            shown.body["project"],
            json!({ "id": story.project, "name": "Migration" })
        );
    }
    let none = story
        .desk
        .api
        .get(&AGENT.token(), "/v1/tickets?project=none")
        .await
        .expect(200);
    assert_eq!(none.items().len(), 1);

    story
        .write(&json!({ "followers": [STRANGER.user], "archived": true }))
        .await;
    let again = open(STRANGER, own(), "a").await.expect(201);
    assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
    open(STRANGER, own(), "late").await.expect(422);
    let outside = none.column("id")[0].to_owned();
    let classify = format!("/v1/tickets/{outside}/classify");
    for (project, status) in [
        (json!(story.project), 422),
        (json!(PEER.user), 422),
        (json!("Migration"), 422),
        (json!(7), 400),
        (Value::Null, 200),
    ] {
        let body = json!({ "project": project });
        story
            .desk
            .api
            .post(&AGENT.token(), &classify, &body)
            .await
            .expect(status);
    }
    story
        .desk
        .api
        .post(&CUSTOMER.token(), &classify, &json!({ "project": null }))
        .await
        .expect(403);
    story.desk.rebuilding_changes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_for_staff_to_write_and_have_so_many_followers_at_most() {
    let story = Box::pin(Story::begin()).await;
    let (api, path) = (&story.desk.api, format!("/v1/projects/{}", story.project));
    let project = json!({ "name": "Mine" });
    api.post(&CUSTOMER.token(), "/v1/projects", &project).await.expect(403);
    api.put(&CUSTOMER.token(), &path, &project).await.expect(403);
    api.get(&CUSTOMER.token(), &path).await.expect(403);
    let users = |count: u128| (1..=count).map(Uuid::from_u128).collect::<Vec<_>>();
    for member in ["followers", "organisations"] {
        let most = json!({ "name": "Many", member: users(1000) });
        api.put(&AGENT.token(), &path, &most).await.expect(200);
        let more = json!({ "name": "Many", member: users(1001) });
        let refused = api.put(&AGENT.token(), &path, &more).await.expect(422);
        assert_eq!(refused.body["errors"][0]["code"], "too_long");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_after_a_change_of_the_directory_is_who_they_are_then() {
    let story = Story::begin().await;
    let (ticket, project) = (
        format!("/v1/tickets/{}", story.ticket),
        format!("/v1/projects/{}", story.project),
    );
    let api = &story.desk.api;
    for turn in 0..40 {
        let (followers, seen) = if turn % 2 == 0 {
            (json!([STRANGER.user]), 200)
        } else {
            (json!([]), 404)
        };
        let body = json!({ "name": "Migration", "followers": followers });
        let written = api.put(&AGENT.token(), &project, &body).await.expect(200);
        let answer = api.get_after(&STRANGER.token(), &ticket, &written).await;
        assert_eq!(answer.status, seen, "turn {turn}");
    }
}
