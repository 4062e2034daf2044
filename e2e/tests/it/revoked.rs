//! What one process makes worthless, every other refuses: several of each service, each a process of its own.

use std::time::Duration;

use serde_json::json;
use service_kit::SystemClock;
use test_harness::{Nats, postgres, wait_until};

use crate::desk::{caught_up, connect};
use crate::http::LIMIT;
use crate::people::{ADMINISTRATOR, AGENT, CUSTOMER, PEER, Person, STRANGER, admit_everybody};
use crate::processes::{Service, recourse_succeeds};

/// How long a worthless token may be good for something somewhere. The documents promise a second; a machine that is busy with
/// other tests may take the rest.
const PROMPTLY: Duration = Duration::from_secs(5);

const PASSWORD: &str = "correct horse battery";

/// Two of each service that callers reach, and what stands behind them.
struct Site {
    nats: Nats,
    commands: [Service; 2],
    queries: [Service; 2],
    _projector: Service,
}

impl Site {
    async fn open() -> Self {
        let (nats, database_url) = (Nats::start().await, postgres().await.database().await);
        let log = connect(nats.url(), SystemClock::shared()).await;
        admit_everybody(&log).await;
        let (log_is, database_is) = (["--nats-url", nats.url()], ["--database-url", database_url.as_str()]);
        let command = async || Service::start(&[&["command-service"][..], &log_is].concat()).await;
        let query = async || Service::start(&[&["query-api"][..], &database_is].concat()).await;
        let projector = Service::start(&[&["projector"][..], &log_is, &database_is].concat()).await;
        let commands = [command().await, command().await];
        let queries = [query().await, query().await];
        for service in commands.iter().chain(&queries).chain([&projector]) {
            service.is_ready().await;
        }
        caught_up(&log, &database_url).await;
        Self {
            nats,
            commands,
            queries,
            _projector: projector,
        }
    }

    /// What each of the four makes of a token: the status of the answer to a read or a command of its own.
    async fn answers(&self, token: &str) -> [u16; 4] {
        let own = json!({ "subject": "Plotter", "description": "It smokes.", "type": "defect" });
        let [one, other] = &self.commands;
        let [first, second] = &self.queries;
        [
            one.api.post(token, "/v1/tickets", &own).await.status,
            other.api.get(token, "/v1/sessions").await.status,
            first.api.get(token, "/v1/tickets").await.status,
            second.api.get(token, "/v1/me").await.status,
        ]
    }

    /// Returns once all four take a token.
    async fn takes(&self, token: &str) {
        self.answer(token, [201, 200, 200, 200], LIMIT).await;
    }

    /// Returns once all four refuse a token, which has to be soon; from then on each of them does.
    async fn refuses(&self, token: &str) {
        self.answer(token, [401; 4], PROMPTLY).await;
        assert_eq!(self.answers(token).await, [401; 4]);
    }

    async fn answer(&self, token: &str, expected: [u16; 4], limit: Duration) {
        wait_until("every service to know the token for what it is", limit, async || {
            let answers = self.answers(token).await;
            if answers == expected { Ok(()) } else { Err(answers) }
        })
        .await;
    }

    /// A profile and a login, and the tokens of two sessions that begin at different services.
    async fn sign_in_twice(&self, person: Person) -> [String; 2] {
        let administrator = ADMINISTRATOR.token();
        let [one, other] = &self.commands;
        let path = format!("/v1/users/{}", person.user);
        let profile = json!({ "name": person.name, "kind": "customer" });
        one.api.put(&administrator, &path, &profile).await.expect(200);
        let login = json!({ "login": person.name, "password": PASSWORD, "change_at_first_login": false });
        let path = format!("{path}/login");
        let given = async || other.api.put(&administrator, &path, &login).await;
        wait_until("the other service to know the profile", LIMIT, async || {
            let given = given().await;
            if given.status == 200 { Ok(()) } else { Err(given.body) }
        })
        .await;
        let mut tokens = Vec::new();
        for service in [one, other] {
            let wish = json!({ "login": person.name, "password": PASSWORD });
            let begun = service.api.post_anonymously("/v1/sessions", &wish).await.expect(201);
            tokens.push(begun.body["token"].as_str().unwrap().to_owned());
        }
        let tokens: [String; 2] = tokens.try_into().unwrap();
        for token in &tokens {
            self.takes(token).await;
        }
        tokens
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_makes_worthless_every_other_refuses_at_once() {
    let site = Site::open().await;
    let [one, other] = &site.commands;
    // A service's token, which a command line takes back.
    site.takes(&CUSTOMER.token()).await;
    recourse_succeeds(&["token", "revoke", "--nats-url", site.nats.url(), &CUSTOMER.token()]).await;
    site.refuses(&CUSTOMER.token()).await;

    // A session that its user ends at another service than it began at: that one, and no other.
    let [first, second] = site.sign_in_twice(PEER).await;
    other.api.delete(&first, "/v1/sessions/current").await.expect(204);
    site.refuses(&first).await;
    site.takes(&second).await;
    // Those that end with another password.
    let wish = json!({ "password": PASSWORD, "new_password": "staple, and correct" });
    let changed = one.api.put(&second, "/v1/password", &wish).await.expect(200);
    let third = changed.body["token"].as_str().unwrap().to_owned();
    site.refuses(&second).await;
    site.takes(&third).await;

    // Sessions and tokens of who is disabled.
    let sessions = site.sign_in_twice(STRANGER).await;
    let path = format!("/v1/users/{}", STRANGER.user);
    let disabled = json!({ "name": "Stranger", "kind": "customer", "enabled": false });
    let administrator = ADMINISTRATOR.token();
    other.api.put(&administrator, &path, &disabled).await.expect(200);
    for token in [&sessions[0], &sessions[1], &STRANGER.token()] {
        site.refuses(token).await;
    }
    // All others go on.
    site.takes(&third).await;
    site.takes(&AGENT.token()).await;
}
