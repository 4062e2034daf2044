//! The life of a ticket, told by those who live it, with the clock in the test's hand.

use domain::Timestamp;
use domain::policy::WaitPolicy;
use jiff::SignedDuration;
use serde_json::{Value, json};
use service_kit::Clock as _;
use test_harness::wait_until;

use crate::desk::{Desk, NOON, at};
use crate::http::{Answer, LIMIT};
use crate::people::{AGENT, CUSTOMER, PEER, Person, STRANGER};

/// Forty working hours, from any instant at which the desk in Moscow works: a week later.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

struct Story {
    desk: Desk,
    ticket: String,
}

impl Story {
    async fn begin() -> Self {
        let desk = Desk::open(WaitPolicy::supportal()).await;
        let body = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
        let created = desk.api.post(&CUSTOMER.token(), "/v1/tickets", &body).await.expect(201);
        let ticket = created.id();
        assert_eq!(
            created.header("Location"),
            Some(format!("/v1/tickets/{ticket}").as_str())
        );
        let story = Self { desk, ticket };
        story.stands(&created, "new").await;
        story
    }

    /// Gives a command a minute later, and sees where it leads.
    async fn give(&self, person: Person, command: &str, body: Value, status: &str) {
        self.desk.clock.advance(MINUTE);
        let path = format!("/v1/tickets/{}/{command}", self.ticket);
        let answer = self.desk.api.post(&person.token(), &path, &body).await.expect(200);
        assert_eq!(answer.body["status"], status);
        self.stands(&answer, status).await;
    }

    /// What was written is read, by everybody who may.
    async fn stands(&self, command: &Answer, status: &str) {
        let path = format!("/v1/tickets/{}", self.ticket);
        for person in [CUSTOMER, AGENT, PEER] {
            let ticket = self
                .desk
                .api
                .get_after(&person.token(), &path, command)
                .await
                .expect(200);
            assert_eq!(ticket.body["status"], status);
            assert_eq!(ticket.header("ETag"), command.header("ETag"));
        }
    }

    async fn ticket(&self, person: Person) -> Answer {
        self.desk
            .api
            .get(&person.token(), &format!("/v1/tickets/{}", self.ticket))
            .await
    }

    /// When the wait is over, as the ticket says.
    async fn due(&self) -> Timestamp {
        at(self.ticket(AGENT).await.expect(200).body["sla"]["due_at"]
            .as_str()
            .unwrap())
    }

    /// Lets the wait end.
    async fn wait(&self, status: &str) -> Timestamp {
        let due = self.due().await;
        self.desk.clock.set(due);
        wait_until(status, LIMIT, async || {
            let ticket = self.ticket(AGENT).await.body;
            if ticket["status"] == status {
                Ok(())
            } else {
                Err(ticket)
            }
        })
        .await;
        due
    }

    /// Name and time of each event, as somebody sees them.
    async fn timeline(&self, person: Person) -> Vec<(String, Timestamp)> {
        let path = format!("/v1/tickets/{}/timeline", self.ticket);
        let timeline = self.desk.api.get(&person.token(), &path).await.expect(200);
        let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        timeline
            .items()
            .iter()
            .map(|item| (text(item, "event"), at(&text(item, "occurred_at"))))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_ticket_from_its_creation_to_its_rating() {
    let story = Story::begin().await;
    let words = || json!({ "comment": "words" });
    story.give(AGENT, "accept", json!({}), "in_progress").await;
    story
        .give(
            AGENT,
            "comment",
            json!({ "body": "hm", "visibility": "internal" }),
            "in_progress",
        )
        .await;
    story
        .give(
            AGENT,
            "request-info",
            json!({ "comment": "Which version?" }),
            "waiting_for_info",
        )
        .await;
    let asked = story.desk.clock.now();
    assert_eq!(story.due().await, asked + WEEK);

    // Nobody answers, nobody objects.
    let proposed = story.wait("waiting_for_closure").await;
    assert_eq!(proposed, asked + WEEK);
    assert_eq!(story.due().await, proposed + WEEK);
    let closed = story.wait("closed").await;
    assert_eq!(closed, proposed + WEEK);

    story.give(CUSTOMER, "reopen", words(), "reopened").await;
    story.give(AGENT, "accept", json!({}), "in_progress").await;
    story.give(AGENT, "request-info", words(), "waiting_for_info").await;
    story
        .give(
            PEER,
            "comment",
            json!({ "body": "7.1", "visibility": "public" }),
            "in_progress",
        )
        .await;
    story
        .give(AGENT, "await-fix", json!({ "reference": "BUG-1" }), "waiting_for_fix")
        .await;
    story
        .give(
            AGENT,
            "propose-closure",
            json!({ "solution": "Update to 7.2." }),
            "waiting_for_closure",
        )
        .await;
    story.give(CUSTOMER, "close", json!({}), "closed").await;
    story.give(CUSTOMER, "rate", json!({ "score": 5 }), "closed").await;

    let expected = [
        ("created", at(NOON)),
        ("accepted", at(NOON) + MINUTE),
        ("commented", at(NOON) + 2 * MINUTE),
        ("information_requested", asked),
        ("information_wait_expired", proposed),
        ("closure_wait_expired", closed),
        ("reopened", closed + MINUTE),
        ("accepted", closed + 2 * MINUTE),
        ("information_requested", closed + 3 * MINUTE),
        ("commented", closed + 4 * MINUTE),
        ("work_resumed", closed + 4 * MINUTE),
        ("fix_awaited", closed + 5 * MINUTE),
        ("closure_proposed", closed + 6 * MINUTE),
        ("closed", closed + 7 * MINUTE),
        ("rated", closed + 8 * MINUTE),
    ]
    .map(|(name, at)| (name.to_owned(), at));
    assert_eq!(story.timeline(AGENT).await, expected);
    let public: Vec<_> = expected
        .iter()
        .enumerate()
        .filter(|(n, _)| *n != 2)
        .map(|(_, event)| event.clone())
        .collect();
    assert_eq!(
        story.timeline(CUSTOMER).await,
        public,
        "internal comments do not exist for customers"
    );
    story.shows_in_lists().await;
    story.desk.rebuilding_changes_nothing().await;
}

impl Story {
    async fn shows_in_lists(&self) {
        for (person, path) in [
            (CUSTOMER, "/v1/tickets?view=mine"),
            (PEER, "/v1/tickets?view=organisation&status=closed&status=new"),
            (AGENT, "/v1/tickets?view=assigned&type=defect&sort=-updated_at"),
        ] {
            let list = self.desk.api.get(&person.token(), path).await.expect(200);
            assert_eq!(list.column("id"), [self.ticket.as_str()], "{path}");
            let item = &list.items()[0];
            assert_eq!((&item["status"], &item["rating"]), (&json!("closed"), &json!(5)));
            assert_eq!((&item["created_at"], &item["due_at"]), (&json!(NOON), &Value::Null));
        }
        let open = self
            .desk
            .api
            .get(&AGENT.token(), "/v1/tickets?status=in_progress")
            .await
            .expect(200);
        assert_eq!(open.items().len(), 0);
        let others = self.desk.api.get(&STRANGER.token(), "/v1/tickets").await.expect(200);
        assert_eq!(others.items().len(), 0);
        assert_eq!(self.ticket(STRANGER).await.status, 404);
        let dashboard = self
            .desk
            .api
            .get(&AGENT.token(), "/v1/dashboard")
            .await
            .expect(200)
            .body;
        assert_eq!(
            (&dashboard["total"], &dashboard["open"]),
            (&json!(1), &json!(0)),
            "{dashboard}"
        );
        assert_eq!(dashboard["by_status"]["closed"], 1, "{dashboard}");
    }
}
