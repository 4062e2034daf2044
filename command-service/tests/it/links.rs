//! Links by which people choose a password: invitations, and for those who forgot theirs.

use command_service::Mail;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use test_harness::{REFUSED, Smtp, wait_until};
use uuid::Uuid;

use crate::desk::{ADMINISTRATOR, AGENT, Answer, Desk, LIMIT};

const PASSWORD: &str = "correct horse battery";
const ANOTHER: &str = "staple, and correct";
const DESK: &str = "https://desk.example.org/help";
const ADA: Uuid = Uuid::from_u128(0xada);
const BOB: Uuid = Uuid::from_u128(0xb0b);
const CAROL: Uuid = Uuid::from_u128(0xca201);

/// A desk whose mail goes to a server.
async fn desk(smtp: &str) -> Desk {
    let mail = Mail::new(smtp, "Support desk <desk@example.org>", &format!("{DESK}/")).unwrap();
    Desk::open_with(Some(mail)).await
}

/// A request of an administrator.
async fn administer(desk: &Desk, method: Method, path: &str, body: &Value) -> Answer {
    let call = desk.request(method, path).by(ADMINISTRATOR);
    call.body("application/json", body.to_string()).send().await
}

/// A request of somebody without a token.
async fn anybody(desk: &Desk, path: &str, body: &Value) -> Answer {
    let call = desk.request(Method::POST, path);
    call.body("application/json", body.to_string()).send().await
}

async fn write(desk: &Desk, user: Uuid, profile: &Value) {
    let path = format!("/v1/users/{user}");
    administer(desk, Method::PUT, &path, profile).await.expect(200);
}

/// Somebody who can be written to.
async fn admit(desk: &Desk, user: Uuid, email: &str) {
    let profile = json!({ "name": "Somebody", "kind": "customer", "email": email });
    write(desk, user, &profile).await;
}

async fn invite(desk: &Desk, user: Uuid, body: &Value) -> Answer {
    let path = format!("/v1/users/{user}/invitation");
    administer(desk, Method::POST, &path, body).await
}

async fn forget(desk: &Desk, login: &str) -> Answer {
    anybody(desk, "/v1/password-resets", &json!({ "login": login })).await
}

async fn redeem(desk: &Desk, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password });
    anybody(desk, "/v1/password-resets/redeem", &body).await
}

async fn sign_in(desk: &Desk, login: &str, password: &str) -> Answer {
    let body = json!({ "login": login, "password": password });
    anybody(desk, "/v1/sessions", &body).await
}

/// One's own sessions, by a token.
async fn sessions(desk: &Desk, token: &str) -> Answer {
    let call = desk.request(Method::GET, "/v1/sessions");
    call.header("Authorization", &format!("Bearer {token}")).send().await
}

async fn give(desk: &Desk, user: Uuid, login: &str, password: &str) {
    let body = json!({ "login": login, "password": password, "change_at_first_login": false });
    let path = format!("/v1/users/{user}/login");
    administer(desk, Method::PUT, &path, &body).await.expect(200);
}

/// What is kept of what happened to a user, the newest first.
async fn audit(desk: &Desk, user: Uuid) -> Vec<Value> {
    let call = desk.request(Method::GET, &format!("/v1/users/{user}/audit"));
    let answer = call.by(ADMINISTRATOR).send().await.expect(200);
    answer.body["items"].as_array().unwrap().clone()
}

async fn events(desk: &Desk, user: Uuid) -> Vec<String> {
    let noted = audit(desk, user).await;
    noted
        .iter()
        .map(|item| item["event"].as_str().unwrap().to_owned())
        .collect()
}

fn session(begun: &Answer) -> &str {
    begun.body["token"].as_str().unwrap()
}

fn detail(answer: &Answer) -> &str {
    answer.body["detail"].as_str().unwrap()
}

/// The token of the one link of a mail that leads to a page of the desk.
fn token(mail: &test_harness::Mail, page: &str) -> String {
    let text = mail.text();
    let begins = format!("{DESK}/{page}#");
    let links: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(&begins)).collect();
    assert_eq!(links.len(), 1, "{text}");
    links[0].to_owned()
}

/// Invites somebody; returns the token that they get.
async fn invited(desk: &Desk, smtp: &Smtp, user: Uuid) -> String {
    let answer = invite(desk, user, &json!({})).await.expect(200);
    assert_eq!(answer.body["delivery"], "sent", "{}", answer.body);
    token(&smtp.mail().await, "invitation")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_chooses_a_password_by_a_link_and_signs_in() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp.url()).await;
    for (n, (language, word)) in [
        (json!("en"), "You are invited"),
        (json!("ru"), "Вас приглашают"),
        (json!("es"), "Le invitamos"),
        (Value::Null, "You are invited"),
    ]
    .into_iter()
    .enumerate()
    {
        let (user, email) = (Uuid::from_u128(0xada_0000 + n as u128), format!("Ada{n}@example.org"));
        let profile = json!({ "name": "Ada", "kind": "customer", "email": email, "language": language });
        write(&desk, user, &profile).await;
        let answer = invite(&desk, user, &json!({})).await.expect(200);
        let login = email.to_lowercase();
        assert_eq!(answer.body["login"], login);
        assert_eq!(answer.body["delivery"], "sent", "{}", answer.body);
        assert_eq!(answer.body["expires_at"], "2026-03-09T09:00:00Z");
        assert!(!answer.body.to_string().contains("rct_"), "{}", answer.body);
        // Nothing is the password yet.
        sign_in(&desk, &login, "").await.expect(401);

        let mail = smtp.mail().await;
        assert_eq!(
            (mail.from.as_str(), &mail.to),
            ("desk@example.org", &vec![email.clone()])
        );
        assert_eq!(mail.headers("From"), ["\"Support desk\" <desk@example.org>"]);
        assert_eq!(mail.headers("To"), [email]);
        assert_eq!(mail.headers("Auto-Submitted"), ["auto-generated"]);
        assert_eq!(mail.headers("MIME-Version"), ["1.0"]);
        assert_eq!(mail.headers("Content-Type"), ["text/plain; charset=utf-8"]);
        let said = mail.text();
        for part in [word, DESK, &login, "2026-03-09 09:00 UTC"] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        let chosen = redeem(&desk, &token(&mail, "invitation"), PASSWORD).await.expect(200);
        assert_eq!(chosen.body, json!({ "login": login }));
        let begun = sign_in(&desk, &login, PASSWORD).await.expect(201);
        assert_eq!(begun.body["change_password"], false);
        let noted = audit(&desk, user).await;
        let of = |event: &str| noted.iter().find(|item| item["event"] == event).unwrap();
        assert_eq!(of("invitation_sent")["by"], json!(ADMINISTRATOR.user()));
        assert_eq!(of("invitation_sent")["address"], "127.0.0.1");
        assert_eq!(of("password_set_by_link")["by"], Value::Null);
        assert_eq!(of("password_set_by_link")["address"], "127.0.0.1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_and_for_seven_days_and_a_newer_one_replaces_it() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp.url()).await;
    admit(&desk, ADA, "ada@example.org").await;
    admit(&desk, BOB, "bob@example.org").await;
    let older = invited(&desk, &smtp, ADA).await;
    let newer = invited(&desk, &smtp, ADA).await;
    let mut refused = vec![redeem(&desk, &older, PASSWORD).await];
    // A password that cannot be chosen uses nothing up.
    redeem(&desk, &newer, "ada@example.org!").await.expect(422);
    redeem(&desk, &newer, "short").await.expect(422);
    // Of several at once one wins.
    let tries = (0..6).map(|_| redeem(&desk, &newer, PASSWORD));
    let mut answers = futures::future::join_all(tries).await;
    answers.sort_by_key(|answer| answer.status);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 404, 404, 404, 404, 404]);
    refused.push(redeem(&desk, &newer, ANOTHER).await);
    sign_in(&desk, "ada@example.org", PASSWORD).await.expect(201);

    let late = invited(&desk, &smtp, BOB).await;
    desk.clock.advance(SignedDuration::from_hours(7 * 24));
    refused.push(redeem(&desk, &late, PASSWORD).await);
    // What never was: a secret that somebody guesses, another's, one of nobody, and what is none.
    let bobs = invited(&desk, &smtp, BOB).await;
    let secret = bobs.split('.').nth(1).unwrap();
    for never in [
        format!("{}.rct_{}", BOB.simple(), "0".repeat(64)),
        format!("{}.{secret}", ADA.simple()),
        format!("{}.{secret}", Uuid::nil().simple()),
        format!("{bobs}0"),
        format!("{bobs}\0"),
        bobs.to_uppercase(),
        secret.to_owned(),
        "x".repeat(100_000),
        String::new(),
    ] {
        refused.push(redeem(&desk, &never, PASSWORD).await);
    }
    for answer in refused {
        answer.problem(404, "link-worthless");
        assert!(detail(&answer).contains("POST /v1/password-resets"), "{}", answer.body);
    }
    redeem(&desk, &bobs, PASSWORD).await.expect(200);
    // No link is a token, and none of it lets anybody in.
    sessions(&desk, secret).await.expect(401);
    sessions(&desk, &bobs).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_else_becomes_of_a_login_makes_its_link_worthless() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp.url()).await;
    let profile =
        |email: &str, enabled: bool| json!({ "name": "Ada", "kind": "staff", "email": email, "enabled": enabled });
    for what in [
        "given",
        "changed",
        "taken",
        "another login",
        "disabled",
        "enabled",
        "moved",
    ] {
        write(&desk, ADA, &profile("ada@example.org", true)).await;
        give(&desk, ADA, "ada", PASSWORD).await;
        let link = invited(&desk, &smtp, ADA).await;
        // The password is theirs until they use the link.
        let begun = sign_in(&desk, "ada", PASSWORD).await.expect(201);
        match what {
            "given" => give(&desk, ADA, "ada", PASSWORD).await,
            "changed" => {
                let body = json!({ "password": PASSWORD, "new_password": ANOTHER });
                let call = desk.request(Method::PUT, "/v1/password");
                let call = call.header("Authorization", &format!("Bearer {}", session(&begun)));
                call.body("application/json", body.to_string()).send().await.expect(200);
            }
            "taken" => {
                let call = desk.request(Method::DELETE, &format!("/v1/users/{ADA}/login"));
                call.by(ADMINISTRATOR).send().await.expect(204);
            }
            "another login" => give(&desk, ADA, "lovelace", PASSWORD).await,
            "disabled" => write(&desk, ADA, &profile("ada@example.org", false)).await,
            "enabled" => {
                write(&desk, ADA, &profile("ada@example.org", false)).await;
                write(&desk, ADA, &profile("ada@example.org", true)).await;
            }
            _ => write(&desk, ADA, &profile("lovelace@example.org", true)).await,
        }
        let refused = redeem(&desk, &link, ANOTHER).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (404, &json!("link-worthless")),
            "{what}"
        );
    }
    // A name alone does not matter.
    let link = invited(&desk, &smtp, ADA).await;
    let renamed = json!({ "name": "Countess", "kind": "staff", "email": "lovelace@example.org" });
    write(&desk, ADA, &renamed).await;
    redeem(&desk, &link, ANOTHER).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_gives_a_login_as_an_administrator_does() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp.url()).await;
    admit(&desk, ADA, "ada@example.org").await;
    admit(&desk, BOB, "bob@example.org").await;
    give(&desk, BOB, "bob", PASSWORD).await;
    let taken = invite(&desk, ADA, &json!({ "login": "BOB" })).await;
    taken.problem(409, "login-taken");
    sign_in(&desk, "bob", PASSWORD).await.expect(201);
    let answer = invite(&desk, ADA, &json!({ "login": " Ada " })).await.expect(200);
    assert_eq!(answer.body["login"], "ada");
    redeem(&desk, &token(&smtp.mail().await, "invitation"), PASSWORD)
        .await
        .expect(200);
    // Another login: the old one is nobody's, its password none, its sessions over.
    let begun = sign_in(&desk, "ada", PASSWORD).await.expect(201);
    invite(&desk, ADA, &json!({ "login": "lovelace" })).await.expect(200);
    sessions(&desk, session(&begun)).await.expect(401);
    for login in ["ada", "lovelace"] {
        sign_in(&desk, login, PASSWORD).await.expect(401);
    }
    redeem(&desk, &token(&smtp.mail().await, "invitation"), ANOTHER)
        .await
        .expect(200);
    sign_in(&desk, "lovelace", ANOTHER).await.expect(201);

    // Who cannot be invited, and by whom nobody is.
    for (profile, word) in [
        (json!({ "name": "Ada", "kind": "staff" }), "No e-mail address"),
        (
            json!({ "name": "Ada", "kind": "staff", "email": "a..da@example.org" }),
            "Correct it",
        ),
        (
            json!({ "name": "Ada", "kind": "staff", "email": "ada@example.org", "enabled": false }),
            "disabled",
        ),
    ] {
        write(&desk, ADA, &profile).await;
        let refused = invite(&desk, ADA, &json!({})).await;
        refused.problem(409, "not-invitable");
        assert!(detail(&refused).contains(word), "{}", refused.body);
    }
    let unknown = invite(&desk, Uuid::from_u128(0x404), &json!({})).await;
    unknown.problem(404, "user-not-found");
    let path = format!("/v1/users/{BOB}/invitation");
    desk.post(AGENT, &path, &json!({})).send().await.expect(403);
    for wrong in [
        json!({ "login": "a b" }),
        json!({ "login": "a\0b" }),
        json!({ "login": "" }),
    ] {
        invite(&desk, BOB, &wrong).await.expect(422);
    }
    for wrong in [json!({ "login": 7 }), json!({ "password": PASSWORD }), json!([])] {
        invite(&desk, BOB, &wrong).await.expect(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_told_that_no_mail_was_sent_and_why() {
    // Without a mail server.
    let silent = Desk::open().await;
    admit(&silent, ADA, "ada@example.org").await;
    let answer = invite(&silent, ADA, &json!({})).await.expect(200);
    assert_eq!(answer.body["delivery"], "not_configured");
    assert!(detail(&answer).contains("--smtp"), "{}", answer.body);
    assert_eq!(events(&silent, ADA).await, ["login_given", "invitation_not_delivered"]);
    for login in ["ada@example.org", "nobody", "no login"] {
        forget(&silent, login).await.problem(409, "mail-not-configured");
    }
    drop(silent);

    // With one that does not know the mailbox.
    let smtp = Smtp::start().await;
    let refusing = desk(&smtp.url()).await;
    admit(&refusing, ADA, &format!("{REFUSED}@example.org")).await;
    let answer = invite(&refusing, ADA, &json!({ "login": "ada" })).await.expect(200);
    assert_eq!(answer.body["delivery"], "failed");
    assert!(detail(&answer).contains("550"), "{}", answer.body);
    assert_eq!(
        events(&refusing, ADA).await,
        ["login_given", "invitation_not_delivered"]
    );
    // Who asks is told what everybody is told; administrators see more.
    refusing.clock.advance(SignedDuration::from_mins(5));
    forget(&refusing, "ada").await.expect(202);
    wait_until("the failure to be kept", LIMIT, async || {
        let events = events(&refusing, ADA).await;
        ["reset_asked", "reset_not_delivered"]
            .iter()
            .all(|one| events.iter().any(|event| event == one))
    })
    .await;
    // With a better address all is well.
    admit(&refusing, ADA, "ada@example.org").await;
    let link = invited(&refusing, &smtp, ADA).await;
    redeem(&refusing, &link, PASSWORD).await.expect(200);
    drop(refusing);

    // With one that is not there any more.
    let url = smtp.url();
    let down = desk(&url).await;
    drop(smtp);
    admit(&down, ADA, "ada@example.org").await;
    let answer = wait_until("the mail server to be gone", LIMIT, async || {
        let answer = invite(&down, ADA, &json!({})).await.expect(200);
        (answer.body["delivery"] == "failed").then_some(answer)
    })
    .await;
    assert!(detail(&answer).contains("invite the user again"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_another_password_learns_nothing_and_floods_nobody() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp.url()).await;
    admit(&desk, ADA, "ada@example.org").await;
    admit(&desk, BOB, "bob@example.org").await;
    give(&desk, ADA, "ada", PASSWORD).await;
    give(&desk, BOB, "bob", PASSWORD).await;
    admit(&desk, CAROL, "carol@example.org").await;
    give(&desk, CAROL, "carol", PASSWORD).await;
    let before = sign_in(&desk, "ada", PASSWORD).await.expect(201);
    let mut told = Vec::new();
    for login in [
        "ada",
        " ADA",
        "nobody",
        "no login",
        "a\0da",
        "",
        &"x".repeat(1_000),
        "bob",
    ] {
        let answer = forget(&desk, login).await.expect(202);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        told.push(answer.body);
    }
    assert!(told.iter().all(|body| *body == told[0]), "{told:?}");
    // One for each who is there, in their order: Ada's second one would have come before Bob's.
    let first = smtp.mail().await;
    assert_eq!(first.to, ["ada@example.org"]);
    assert!(first.text().contains("2026-03-02 10:00 UTC"), "{}", first.text());
    assert_eq!(smtp.mail().await.to, ["bob@example.org"]);
    // The password is what it was until the link is used.
    sign_in(&desk, "ada", PASSWORD).await.expect(201);

    desk.clock.advance(SignedDuration::from_secs(299));
    forget(&desk, "ada").await.expect(202);
    // Whoever asked before is seen to when this one is.
    forget(&desk, "carol").await.expect(202);
    assert_eq!(smtp.mail().await.to, ["carol@example.org"]);
    desk.clock.advance(SignedDuration::from_secs(1));
    forget(&desk, "bob").await.expect(202);
    assert_eq!(smtp.mail().await.to, ["bob@example.org"]);
    forget(&desk, "ada").await.expect(202);
    let second = smtp.mail().await;
    assert_eq!(second.to, ["ada@example.org"]);
    // Of the two the newer works, ends her sessions and begins none.
    redeem(&desk, &token(&first, "password-reset"), ANOTHER)
        .await
        .expect(404);
    for _ in 0..6 {
        sign_in(&desk, "ada", "a guess at it").await;
    }
    redeem(&desk, &token(&second, "password-reset"), ANOTHER)
        .await
        .expect(200);
    sessions(&desk, session(&before)).await.expect(401);
    sign_in(&desk, "ada", PASSWORD).await.expect(401);
    // Failures before were those of another password.
    let begun = sign_in(&desk, "ada", ANOTHER).await.expect(201);
    let listed = sessions(&desk, session(&begun)).await.expect(200);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
    let asked = events(&desk, ADA).await;
    assert_eq!(asked.iter().filter(|event| *event == "reset_asked").count(), 2);

    // Over after an hour; a disabled user is sent none.
    desk.clock.advance(SignedDuration::from_mins(5));
    let profile = json!({ "name": "Bob", "kind": "customer", "email": "bob@example.org", "enabled": false });
    write(&desk, BOB, &profile).await;
    forget(&desk, "bob").await.expect(202);
    forget(&desk, "ada").await.expect(202);
    let third = smtp.mail().await;
    assert_eq!(third.to, ["ada@example.org"]);
    desk.clock.advance(SignedDuration::from_hours(1));
    redeem(&desk, &token(&third, "password-reset"), PASSWORD)
        .await
        .expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_people_are_called_gets_into_the_headers_of_a_mail() {
    let smtp = Smtp::start().await;
    let desk = desk(&smtp.url()).await;
    let path = format!("/v1/users/{ADA}");
    let name = "Ada\r\nBcc: eve@example.org\r\n\r\nhttps://evil.example.org";
    let lines = json!({ "name": name, "kind": "customer", "email": "ada@example.org" });
    let refused = administer(&desk, Method::PUT, &path, &lines).await;
    refused.problem_of(422, "invalid-fields", &[("/name", "invalid")]);
    admit(&desk, ADA, "ada@example.org").await;
    invited(&desk, &smtp, ADA).await;
    for email in [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org,eve@example.org",
        "<ada@example.org>",
        "Ada <ada@example.org>",
        "ada@example.org\0",
    ] {
        let profile = json!({ "name": "Ada", "kind": "customer", "email": email });
        let written = administer(&desk, Method::PUT, &path, &profile).await;
        if written.status == 200 {
            invite(&desk, ADA, &json!({})).await.problem(409, "not-invitable");
        }
    }
    // A quoted name may have spaces and more, and is still one address.
    admit(&desk, BOB, "bob@example.org").await;
    invite(&desk, BOB, &json!({ "login": "bob>rcpt:eve@example.org" }))
        .await
        .expect(200);
    let mail = smtp.mail().await;
    assert_eq!(mail.to, ["bob@example.org"]);
    assert_eq!(mail.headers("To"), ["bob@example.org"]);
    assert_eq!(mail.headers("Bcc").len() + mail.headers("Cc").len(), 0);
    assert!(
        mail.data.lines().all(|line| line.len() <= 998),
        "RFC 5322 allows no longer lines"
    );
}
