//! Logins, sessions and passwords.

use domain::policy::WaitPolicy;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::Clock as _;
use service_kit::tokens::TokenHash;
use test_harness::wait_until;
use uuid::Uuid;

use crate::desk::{Desk, at};
use crate::http::{Answer, LIMIT};
use crate::people::{ADMINISTRATOR, AGENT, CUSTOMER, PEER, Person};

const PASSWORD: &str = "correct horse battery";
const NOBODY: &str = "";

/// Gives somebody a profile and a login.
async fn admit(desk: &Desk, person: Person, kind: &str, login: &str, change: bool) {
    let administrator = ADMINISTRATOR.token();
    let path = format!("/v1/users/{}", person.user);
    let profile = json!({ "name": login, "kind": kind });
    desk.api.put(&administrator, &path, &profile).await.expect(200);
    desk.caught_up().await;
    give(desk, person, login, change).await.expect(200);
}

async fn give(desk: &Desk, person: Person, login: &str, change: bool) -> Answer {
    let body = json!({ "login": login, "password": PASSWORD, "change_at_first_login": change });
    let path = format!("/v1/users/{}/login", person.user);
    desk.api.put(&ADMINISTRATOR.token(), &path, &body).await
}

async fn sign_in(desk: &Desk, login: &str, password: &str) -> Answer {
    let body = json!({ "login": login, "password": password });
    desk.api.post(NOBODY, "/v1/sessions", &body).await
}

fn token(begun: &Answer) -> &str {
    begun.body["token"].as_str().unwrap()
}

fn code(answer: &Answer) -> &str {
    answer.body["code"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_is_the_user_in_every_service_until_they_sign_out() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "Agent@Example.org", false).await;
    let begun = sign_in(&desk, " agent@EXAMPLE.org", PASSWORD).await.expect(201);
    assert_eq!(begun.header("cache-control"), Some("no-store"));
    assert_eq!(begun.body["user"], json!(AGENT.user));
    // Both services, at once.
    desk.api.get(token(&begun), "/v1/users").await.expect(200);
    let ticket = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    desk.api.post(token(&begun), "/v1/tickets", &ticket).await.expect(201);

    let second = sign_in(&desk, "agent@example.org", PASSWORD).await.expect(201);
    assert_ne!(token(&begun), token(&second));
    let listed = desk.api.get(token(&second), "/v1/sessions").await.expect(200);
    let ids: Vec<&Value> = listed.items().iter().map(|item| &item["id"]).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&&begun.body["id"]) && ids.contains(&&second.body["id"]));
    assert!(!listed.body.to_string().contains("rct_"), "{}", listed.body);
    let current = listed.items().iter().filter(|item| item["current"] == true);
    assert_eq!(
        current.map(|item| &item["id"]).collect::<Vec<_>>(),
        [&second.body["id"]]
    );

    // Nobody ends another's session, or learns of it.
    admit(&desk, CUSTOMER, "customer", "customer", false).await;
    let other = sign_in(&desk, "customer", PASSWORD).await.expect(201);
    let path = format!("/v1/sessions/{}", begun.body["id"].as_str().unwrap());
    desk.api.delete(token(&other), &path).await.expect(404);
    desk.api.delete(token(&second), &path).await.expect(204);
    desk.api.get(token(&begun), "/v1/sessions").await.expect(401);
    wait_until("the query service to forget the session", LIMIT, async || {
        desk.api.get(token(&begun), "/v1/tickets").await.status == 401
    })
    .await;
    desk.api
        .delete(token(&second), "/v1/sessions/current")
        .await
        .expect(204);
    desk.api.post(token(&second), "/v1/tickets", &ticket).await.expect(401);
    // A service's token is no session.
    desk.api
        .delete(&AGENT.token(), "/v1/sessions/current")
        .await
        .expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_over_after_twelve_hours() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "agent", false).await;
    let begun = sign_in(&desk, "agent", PASSWORD).await.expect(201);
    desk.clock.advance(SignedDuration::from_secs(12 * 3600 - 1));
    desk.api.get(token(&begun), "/v1/tickets").await.expect(200);
    desk.api.get(token(&begun), "/v1/sessions").await.expect(200);
    desk.clock.advance(SignedDuration::from_secs(1));
    desk.api.get(token(&begun), "/v1/tickets").await.expect(401);
    desk.api.get(token(&begun), "/v1/sessions").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_given_is_changed_before_anything_else() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "agent", true).await;
    let first = sign_in(&desk, "agent", PASSWORD).await.expect(201);
    assert_eq!(first.body["change_password"], true);
    let ticket = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    for refused in [
        desk.api.get(token(&first), "/v1/tickets").await,
        desk.api.get(token(&first), "/v1/events").await,
        desk.api.post(token(&first), "/v1/tickets", &ticket).await,
        desk.api
            .put(
                token(&first),
                "/v1/groups/9b2d1c66-1f6c-4f0e-9d1b-6f2c3a4b5c6d",
                &json!({ "name": "x" }),
            )
            .await,
    ] {
        assert_eq!(code(&refused.expect(403)), "password-change-required");
    }
    let change = async |old: &str, new: &str| {
        let body = json!({ "password": old, "new_password": new });
        desk.api.put(token(&first), "/v1/password", &body).await
    };
    change(PASSWORD, "short").await.expect(422);
    change(PASSWORD, "the agent himself").await.expect(422);
    change(PASSWORD, PASSWORD).await.expect(422);
    assert_eq!(
        code(&change("wrong and wrong", "staple, and correct").await.expect(401)),
        "wrong-credentials"
    );
    let other = sign_in(&desk, "agent", PASSWORD).await.expect(201);
    let changed = change(PASSWORD, "staple, and correct").await.expect(200);
    assert_eq!(changed.body["change_password"], false);
    desk.api.get(token(&changed), "/v1/tickets").await.expect(200);
    for ended in [&first, &other] {
        desk.api.get(token(ended), "/v1/sessions").await.expect(401);
    }
    sign_in(&desk, "agent", PASSWORD).await.expect(401);
    let again = sign_in(&desk, "agent", "staple, and correct").await.expect(201);
    assert_eq!(again.body["change_password"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_waits_and_learns_nothing() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "agent", false).await;
    let mut told = Vec::new();
    for login in ["agent", "nobody"] {
        let mut answers = Vec::new();
        for _ in 0..7 {
            let answer = sign_in(&desk, login, "a guess at it").await;
            let wait = answer.header("retry-after").map(str::to_owned);
            answers.push((
                answer.status,
                code(&answer).to_owned(),
                answer.body["detail"].clone(),
                wait,
            ));
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1], "a login that is there looks like one that is not");
    let statuses: Vec<u16> = told[0].iter().map(|answer| answer.0).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(told[0][6].3.as_deref(), Some("31"));
    // The right one has to wait, too; then it is let in, and all is forgiven.
    assert_eq!(
        code(&sign_in(&desk, "agent", PASSWORD).await.expect(429)),
        "sign-in-locked"
    );
    desk.clock.advance(SignedDuration::from_secs(31));
    sign_in(&desk, "agent", PASSWORD).await.expect(201);
    for _ in 0..4 {
        sign_in(&desk, "agent", "a guess at it").await.expect(401);
    }
    sign_in(&desk, "agent", PASSWORD).await.expect(201);
    // Those who guess at the same time are counted one by one.
    let guesses = (0..12).map(|_| sign_in(&desk, "other", "a guess at it"));
    let answers = futures::future::join_all(guesses).await;
    let answered = answers.iter().filter(|answer| answer.status == 401).count();
    assert!(answered <= 5, "{answered} guesses were answered");
    // What cannot be a login is as wrong as one that is not there.
    for login in ["", "a b", "a\u{202e}b"] {
        assert_eq!(
            code(&sign_in(&desk, login, PASSWORD).await.expect(401)),
            "wrong-credentials"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_one_users_and_goes_with_them() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "agent", false).await;
    admit(&desk, CUSTOMER, "customer", "customer", false).await;
    let customer = sign_in(&desk, "customer", PASSWORD).await.expect(201);
    assert_eq!(
        code(&give(&desk, CUSTOMER, "AGENT", false).await.expect(409)),
        "login-taken"
    );
    // What is refused changes nothing.
    desk.api.get(token(&customer), "/v1/sessions").await.expect(200);
    let agent = sign_in(&desk, "agent", PASSWORD).await.expect(201);
    // Another login for the agent: the old one is free, and the sessions are over.
    give(&desk, AGENT, "ada", false).await.expect(200);
    desk.api.get(token(&agent), "/v1/sessions").await.expect(401);
    sign_in(&desk, "agent", PASSWORD).await.expect(401);
    give(&desk, CUSTOMER, "agent", false).await.expect(200);
    let customer = sign_in(&desk, "agent", PASSWORD).await.expect(201);
    assert_eq!(customer.body["user"], json!(CUSTOMER.user));
    // Disabled: out, and not in again; enabled: in, but not by what was open before.
    let path = format!("/v1/users/{}", CUSTOMER.user);
    let profile = |enabled: bool| json!({ "name": "Carl", "kind": "customer", "enabled": enabled });
    desk.api
        .put(&ADMINISTRATOR.token(), &path, &profile(false))
        .await
        .expect(200);
    desk.api.get(token(&customer), "/v1/sessions").await.expect(401);
    assert_eq!(
        code(&sign_in(&desk, "agent", PASSWORD).await.expect(403)),
        "account-disabled"
    );
    desk.api
        .put(&ADMINISTRATOR.token(), &path, &profile(true))
        .await
        .expect(200);
    desk.api.get(token(&customer), "/v1/sessions").await.expect(401);
    sign_in(&desk, "agent", PASSWORD).await.expect(201);
    // Taken away, twice.
    let path = format!("/v1/users/{}/login", CUSTOMER.user);
    desk.api.delete(&CUSTOMER.token(), &path).await.expect(403);
    desk.api.delete(&ADMINISTRATOR.token(), &path).await.expect(204);
    desk.api.delete(&ADMINISTRATOR.token(), &path).await.expect(204);
    sign_in(&desk, "agent", PASSWORD).await.expect(401);
    // Only administrators give logins, and only to users who have a profile.
    let body = json!({ "login": "eve", "password": PASSWORD });
    desk.api.put(&AGENT.token(), &path, &body).await.expect(403);
    let unknown = "/v1/users/9b2d1c66-1f6c-4f0e-9d1b-6f2c3a4b5c6d/login";
    assert_eq!(
        code(&desk.api.put(&ADMINISTRATOR.token(), unknown, &body).await.expect(404)),
        "user-not-found"
    );
    let weak = json!({ "login": "eve", "password": "evening eve" });
    desk.api.put(&ADMINISTRATOR.token(), &path, &weak).await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_are_right_at_the_same_time_all_come_in() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "agent", false).await;
    let answers = futures::future::join_all((0..12).map(|_| sign_in(&desk, "agent", PASSWORD))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [201; 12]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_by_what_changes_meanwhile() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "agent", false).await;
    let administrator = ADMINISTRATOR.token();
    let user = format!("/v1/users/{}", AGENT.user);
    let login = format!("{user}/login");
    let profile = |enabled: bool| json!({ "name": "agent", "kind": "staff", "enabled": enabled });
    for round in 0..12 {
        give(&desk, AGENT, "agent", false).await.expect(200);
        let begun = sign_in(&desk, "agent", PASSWORD).await.expect(201);
        let change = async {
            match round % 4 {
                0 => {
                    let body = json!({ "password": PASSWORD, "new_password": "staple, and correct" });
                    desk.api.put(token(&begun), "/v1/password", &body).await.expect(200)
                }
                1 => give(&desk, AGENT, "agent", true).await.expect(200),
                2 => desk.api.delete(&administrator, &login).await.expect(204),
                _ => desk.api.put(&administrator, &user, &profile(false)).await.expect(200),
            }
        };
        let sign_ins = futures::future::join_all((0..4).map(|_| sign_in(&desk, "agent", PASSWORD)));
        let (_, answers) = futures::join!(change, sign_ins);
        desk.api.put(&administrator, &user, &profile(true)).await.expect(200);
        for answer in answers.iter().filter(|answer| answer.status == 201) {
            // One that was given must be changed first, and began after the change.
            let ended = desk.api.get(token(answer), "/v1/sessions").await.status == 401;
            assert!(
                ended || answer.body["change_password"] == true,
                "round {round}: {}",
                answer.body
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_who_came_in_from_where_and_who_tried_to() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "agent", false).await;
    let path = format!("/v1/users/{}/audit", AGENT.user);
    let audit = async || desk.api.get(&ADMINISTRATOR.token(), &path).await.expect(200);
    let wrong = json!({ "login": "agent", "password": "not that one" });
    let refused = desk
        .api
        .anonymous(Method::POST, "/v1/sessions")
        .header("User-Agent", "guesser/1.0")
        .header("X-Forwarded-For", "203.0.113.7")
        .json(&wrong);
    assert_eq!(refused.send().await.unwrap().status(), 401);
    sign_in(&desk, "nobody", "not that one").await.expect(401);
    let begun = sign_in(&desk, "agent", PASSWORD).await.expect(201);
    let changed = json!({ "password": PASSWORD, "new_password": "staple, and correct" });
    let changed = desk.api.put(token(&begun), "/v1/password", &changed).await.expect(200);
    desk.api
        .delete(token(&changed), "/v1/sessions/current")
        .await
        .expect(204);
    let login = format!("/v1/users/{}/login", AGENT.user);
    desk.api.delete(&ADMINISTRATOR.token(), &login).await.expect(204);

    let noted = audit().await;
    // The clock stands still: what is of one instant has no order.
    let mut events = noted.column("event");
    events.sort_unstable();
    assert_eq!(
        events,
        [
            "login_given",
            "login_taken",
            "password_changed",
            "sign_in_failed",
            "signed_in",
            "signed_out"
        ]
    );
    let of = |event: &str| noted.items().iter().find(|item| item["event"] == event).unwrap();
    let failed = of("sign_in_failed");
    assert_eq!(
        (
            &failed["address"],
            &failed["forwarded_for"],
            &failed["agent"],
            &failed["by"]
        ),
        (
            &json!("127.0.0.1"),
            &json!("203.0.113.7"),
            &json!("guesser/1.0"),
            &Value::Null
        )
    );
    assert_eq!(of("login_given")["by"], json!(ADMINISTRATOR.user));
    assert_eq!(of("signed_in")["address"], "127.0.0.1");

    desk.clock.advance(SignedDuration::from_hours(1));
    give(&desk, AGENT, "agent", false).await.expect(200);
    for _ in 0..70 {
        sign_in(&desk, "agent", PASSWORD).await.expect(201);
    }
    let noted = audit().await;
    assert_eq!(
        noted
            .column("event")
            .iter()
            .filter(|event| **event == "signed_in")
            .count(),
        64
    );
    assert!(
        noted.column("event").contains(&"sign_in_failed"),
        "guesses and the rest are kept apart"
    );
    desk.api.get(&AGENT.token(), &path).await.expect(403);
    let unknown = "/v1/users/9b2d1c66-1f6c-4f0e-9d1b-6f2c3a4b5c6d/audit";
    desk.api.get(&ADMINISTRATOR.token(), unknown).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_token_was_last_used_is_kept_whichever_service_it_was_shown_to() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let used = async |person: Person| {
        let last = desk.log.tokens().last_use(TokenHash::of(&person.token())).await;
        last.unwrap()
    };
    let ticket = json!({ "subject": "Plotter", "description": "It smokes.", "type": "defect" });
    desk.api
        .post(&CUSTOMER.token(), "/v1/tickets", &ticket)
        .await
        .expect(201);
    desk.api.get(&AGENT.token(), "/v1/tickets").await.expect(200);
    assert_eq!(
        (used(CUSTOMER).await, used(AGENT).await),
        (None, None),
        "nobody was told yet"
    );
    let then = Some(desk.clock.now());
    desk.clock.advance(SignedDuration::from_mins(2));
    for person in [CUSTOMER, AGENT] {
        wait_until("the use to be kept", LIMIT, async || used(person).await == then).await;
    }
    assert_eq!(used(PEER).await, None);
    // An earlier one is no news.
    let hash = TokenHash::of(&AGENT.token());
    desk.log
        .tokens()
        .note_use(hash, at("2025-01-01T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(used(AGENT).await, then);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_common_password_cannot_be_chosen() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "ada", false).await;
    let path = format!("/v1/users/{}/login", AGENT.user);
    let given = json!({ "login": "ada", "password": "iloveyou" });
    let refused = desk.api.put(&ADMINISTRATOR.token(), &path, &given).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/password");
    let begun = sign_in(&desk, "ada", PASSWORD).await.expect(201);
    let chosen = json!({ "password": PASSWORD, "new_password": "P@ssw0rd" });
    let refused = desk.api.put(token(&begun), "/v1/password", &chosen).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/new_password");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_by_what_somebody_comes_in_and_ends_it() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let administrator = ADMINISTRATOR.token();
    admit(&desk, AGENT, "staff", "Agent@Example.org", false).await;
    let login = format!("/v1/users/{}/login", AGENT.user);
    let kept = desk.api.get(&administrator, &login).await.expect(200);
    assert_eq!(
        (
            &kept.body["login"],
            &kept.body["has_password"],
            &kept.body["change_at_first_login"]
        ),
        (&json!("agent@example.org"), &json!(true), &json!(false))
    );
    assert!(!kept.body.to_string().contains("argon2"), "{}", kept.body);

    let mut begun = Vec::new();
    for _ in 0..3 {
        begun.push(sign_in(&desk, "agent@example.org", PASSWORD).await.expect(201));
    }
    let sessions = format!("/v1/users/{}/sessions", AGENT.user);
    let listed = desk.api.get(&administrator, &sessions).await.expect(200);
    let ids: Vec<&Value> = listed.items().iter().map(|item| &item["id"]).collect();
    assert_eq!(ids.len(), 3);
    assert!(begun.iter().all(|begun| ids.contains(&&begun.body["id"])));

    // Nobody but administrators, and nobody's session by another's name.
    let one = format!("{sessions}/{}", begun[0].body["id"].as_str().unwrap());
    for path in [&sessions, &one] {
        desk.api.delete(token(&begun[0]), path).await.expect(403);
    }
    desk.api.get(token(&begun[0]), &sessions).await.expect(403);
    desk.api.get(token(&begun[0]), &login).await.expect(403);
    admit(&desk, CUSTOMER, "customer", "customer", false).await;
    let elsewhere = one.replace(&AGENT.user.to_string(), &CUSTOMER.user.to_string());
    desk.api.delete(&administrator, &elsewhere).await.expect(404);

    desk.api.delete(&administrator, &one).await.expect(204);
    desk.api.get(token(&begun[0]), "/v1/sessions").await.expect(401);
    desk.api.get(token(&begun[1]), "/v1/sessions").await.expect(200);
    for _ in 0..2 {
        desk.api.delete(&administrator, &sessions).await.expect(204);
    }
    for begun in &begun {
        desk.api.get(token(begun), "/v1/sessions").await.expect(401);
    }
    let audit = desk
        .api
        .get(&administrator, &format!("/v1/users/{}/audit", AGENT.user))
        .await;
    let ended = audit.expect(200);
    let ended = ended.items().iter().filter(|item| item["event"] == "signed_out");
    let by: Vec<&Value> = ended.map(|item| &item["by"]).collect();
    assert_eq!(by, [&json!(ADMINISTRATOR.user); 3]);

    desk.api.delete(&administrator, &login).await.expect(204);
    desk.api.get(&administrator, &login).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_chooses_the_token_or_the_id_of_a_session() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "agent", false).await;
    let (chosen, id) = (format!("rct_{}", "5".repeat(64)), Uuid::from_u128(0x5e55));
    let login = json!({ "login": "agent", "password": PASSWORD });
    // Whatever somebody says of a token that they have, or had somebody else send.
    let with = |name: &str, value: String| {
        let request = desk.api.anonymous(Method::POST, "/v1/sessions").json(&login);
        request.header(name, value)
    };
    for request in [
        with("Authorization", format!("Bearer {chosen}")),
        with("Cookie", format!("session={chosen}; token={chosen}; id={id}")),
        with("X-Session-Id", id.to_string()),
        with("Idempotency-Key", chosen.clone()),
    ] {
        let begun: Value = request.send().await.unwrap().json().await.unwrap();
        let token = begun["token"].as_str().unwrap();
        assert!(token != chosen && begun["id"] != json!(id), "{begun}");
        desk.api.get(token, "/v1/sessions").await.expect(200);
        desk.api.get(&chosen, "/v1/sessions").await.expect(401);
        desk.api.get(&chosen, "/v1/tickets").await.expect(401);
    }
    for (name, value) in [("token", json!(chosen)), ("id", json!(id)), ("session", json!(id))] {
        let mut body = login.clone();
        body[name] = value;
        desk.api.post(NOBODY, "/v1/sessions", &body).await.expect(400);
    }
    let query = format!("/v1/sessions?token={chosen}");
    desk.api.post(NOBODY, &query, &login).await.expect(400);
    desk.api.get(&chosen, "/v1/sessions").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_with_anothers_or_an_old_token_at_hand_begins_anew() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk, AGENT, "staff", "agent", false).await;
    admit(&desk, CUSTOMER, "customer", "customer", false).await;
    let old = sign_in(&desk, "customer", PASSWORD).await.expect(201);
    let presenting = async |held: &str, login: &str| {
        let body = json!({ "login": login, "password": PASSWORD });
        desk.api.post(held, "/v1/sessions", &body).await.expect(201)
    };
    let holds = async |begun: &Answer, person: Person| {
        let listed = desk.api.get(token(begun), "/v1/me").await.expect(200);
        assert_eq!(listed.body["id"], json!(person.user));
    };
    // The customer's token, in the hands of the agent who signs in: each goes on as who they are.
    let agents = presenting(token(&old), "agent").await;
    let again = presenting(token(&old), "customer").await;
    assert!(token(&again) != token(&old) && again.body["id"] != old.body["id"]);
    holds(&old, CUSTOMER).await;
    holds(&again, CUSTOMER).await;
    holds(&agents, AGENT).await;
    let sessions = desk.api.get(token(&agents), "/v1/sessions").await.expect(200);
    assert_eq!(sessions.column("id"), [agents.body["id"].as_str().unwrap()]);
    // Another password ends all that were begun by the old one, and the one that changes it gets a token anew.
    let body = json!({ "password": PASSWORD, "new_password": "staple, and correct" });
    let changed = desk.api.put(token(&again), "/v1/password", &body).await.expect(200);
    assert!([&old, &again].iter().all(|begun| token(begun) != token(&changed)));
    for ended in [&old, &again] {
        desk.api.get(token(ended), "/v1/sessions").await.expect(401);
        wait_until("the query service to forget the session", LIMIT, async || {
            desk.api.get(token(ended), "/v1/tickets").await.status == 401
        })
        .await;
    }
    holds(&changed, CUSTOMER).await;
    holds(&agents, AGENT).await;
}
