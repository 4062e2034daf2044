//! `recourse up`, as its user has it. What it says when it cannot start is tested beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use test_harness::{Nats, Process, postgres, wait_until};

use crate::http::{Answer, Api, LIMIT};
use crate::people::CUSTOMER;
use crate::processes::{gone, recourse, recourse_succeeds, tree};

/// A desk that `recourse up` runs.
pub(crate) struct Up {
    pub(crate) process: Process,
    pub(crate) api: Api,
    pub(crate) token: String,
    /// The requests that it suggests.
    requests: Vec<String>,
}

impl Up {
    pub(crate) async fn start(data: &Path, words: &[&str], variables: &[(&str, &str)]) -> Self {
        let data = data.to_str().unwrap();
        let words = [&["up", "--data-dir", data, "--listen", "127.0.0.1:0"], words].concat();
        let process = recourse(&words, variables).await;
        let said = wait_until("the desk to be ready", LIMIT, async || {
            let said = process.stdout();
            assert_eq!(process.ended(), None, "{}", process.stderr());
            if said.matches("\ncurl ").count() == 3 && said.ends_with('\n') {
                Ok(said)
            } else {
                Err(process.stderr())
            }
        })
        .await;
        let after = |label: &str| {
            let line = said.lines().find_map(|line| line.split_once(label)).unwrap().1;
            line.trim().to_owned()
        };
        Self {
            api: Api::new(after("ready at ")),
            token: after("token: "),
            requests: said
                .lines()
                .filter(|line| line.starts_with("curl "))
                .map(str::to_owned)
                .collect(),
            process,
        }
    }

    /// Every process of the desk.
    fn tree(&self) -> BTreeSet<crate::processes::Identity> {
        tree(self.process.id())
    }
}

/// Runs a line as if it were pasted into a terminal.
async fn paste(line: &str) -> Value {
    let output = tokio::process::Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{line}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_start_prints_works_and_the_next_starts_find_everything() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let desk = Up::start(&data, &[], &[]).await;
    let [create, list, dashboard] = desk.requests.as_slice() else {
        panic!("{:?}", desk.requests)
    };
    let created = paste(create).await;
    assert_eq!(created["status"], "new", "{created}");
    let lists = async |line: &str, id: &Value| {
        wait_until("the ticket in the list", LIMIT, async || {
            let list = paste(line).await;
            if list["items"][0]["id"] == *id {
                Ok(())
            } else {
                Err(list)
            }
        })
        .await;
    };
    lists(list, &created["id"]).await;
    assert_eq!(paste(dashboard).await["total"], 1);
    assert_eq!(fs::read_to_string(data.join("admin-token")).unwrap().trim(), desk.token);

    // The administrator is a user like others, who can be given a way to sign in.
    let users = desk.api.get(&desk.token, "/v1/users").await.expect(200);
    assert_eq!(users.column("name"), ["Administrator"]);
    let login = json!({ "login": "root", "password": "correct horse battery", "change_at_first_login": false });
    let path = format!("/v1/users/{}/login", users.items()[0]["id"].as_str().unwrap());
    desk.api.put(&desk.token, &path, &login).await.expect(200);
    let begun = json!({ "login": "root", "password": "correct horse battery" });
    let begun = desk.api.post_anonymously("/v1/sessions", &begun).await.expect(201);
    let me = desk
        .api
        .get(begun.body["token"].as_str().unwrap(), "/v1/me")
        .await
        .expect(200);
    let permissions = me.body["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("administer")), "{}", me.body);

    // A second desk on the same directory leaves the first alone.
    let second = recourse(
        &["up", "--data-dir", data.to_str().unwrap(), "--listen", "127.0.0.1:0"],
        &[],
    )
    .await;
    let status = wait_until("the second desk to give up", LIMIT, async || second.ended()).await;
    assert!(
        !status.success() && second.stderr().contains("in use"),
        "{}",
        second.stderr()
    );
    assert_eq!(desk.api.ready().await, Ok(()));

    // Asked to stop, it leaves nothing behind.
    let processes = desk.tree();
    let names: BTreeSet<&str> = processes.iter().map(|process| process.name.as_str()).collect();
    assert!(
        names.is_superset(&["nats-server", "postgres", "recourse"].into()),
        "{names:?}"
    );
    let status = desk.process.terminate().await;
    assert!(
        status.is_some_and(|status| status.success()),
        "{status:?}: {}",
        desk.process.stderr()
    );
    gone(&processes).await;

    // Killed, it leaves nothing behind either.
    let again = Up::start(&data, &[], &[]).await;
    assert_eq!(again.token, desk.token);
    lists(&again.requests[1], &created["id"]).await;
    let processes = again.tree();
    again.process.kill().await;
    gone(&processes).await;

    let third = Up::start(&data, &[], &[]).await;
    lists(&third.requests[1], &created["id"]).await;
    third.process.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_run_elsewhere_are_used_and_not_started() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let (nats, database) = (Nats::start().await, postgres().await.database().await);
    let elsewhere = [
        ("RECOURSE_NATS_URL", nats.url()),
        ("RECOURSE_DATABASE_URL", database.as_str()),
    ];
    let desk = Up::start(&data, &[], &elsewhere).await;
    let names: BTreeSet<String> = desk.tree().into_iter().map(|process| process.name).collect();
    assert_eq!(names, ["recourse".to_owned()].into());
    let created = paste(&desk.requests[0]).await;
    assert_eq!(created["status"], "new", "{created}");
    let processes = desk.tree();
    desk.process.terminate().await;
    gone(&processes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_crashes_is_started_again_and_nothing_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let desk = Up::start(&home.path().join("data"), &[], &[]).await;
    let (api, token, body) = (&desk.api, desk.token.as_str(), sample());
    let mut created = Vec::new();
    for victim in ["nats-server", "postgres", "recourse"] {
        let ids = desk
            .tree()
            .into_iter()
            .filter(|process| process.name == victim)
            .map(|process| process.id);
        // The first of a name is the parent of the others, but for the supervisor itself.
        let id = ids.filter(|id| *id != desk.process.id()).min().unwrap();
        kill(id).await;
        // Whoever had no answer repeats with the same key.
        let answer = wait_until(victim, LIMIT, async || {
            let answer = api
                .try_post(token, "/v1/tickets", &body, victim)
                .await
                .map_err(|error| error.to_string())?;
            if answer.status == 201 {
                Ok(answer)
            } else {
                Err(answer.body.to_string())
            }
        })
        .await;
        created.push(answer.id());
        wait_until("every ticket in the list", LIMIT, async || {
            let list = api
                .try_get(token, "/v1/tickets?sort=created_at")
                .await
                .map_err(|error| error.to_string())?;
            if list.column("id") == created {
                Ok(())
            } else {
                Err(list.body.to_string())
            }
        })
        .await;
    }
    desk.process.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_another_is_being_mended_is_mended_too() {
    let home = tempfile::tempdir().unwrap();
    let desk = Up::start(&home.path().join("data"), &[], &[]).await;
    let oldest = |name: &str| {
        let tree = desk.tree().into_iter();
        tree.filter(|process| process.name == name)
            .map(|process| process.id)
            .min()
    };
    let (postgres, nats) = (oldest("postgres").unwrap(), oldest("nats-server").unwrap());
    kill(postgres).await;
    wait_until("another Postgres to start", LIMIT, async || match oldest("postgres") {
        Some(id) if id > postgres => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    kill(nats).await;
    wait_until("commands to be taken again", LIMIT, async || {
        let answer = desk.api.try_post(&desk.token, "/v1/tickets", &sample(), "again").await;
        match answer {
            Ok(answer) if answer.status == 201 => Ok(()),
            Ok(answer) => Err(answer.body.to_string()),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
    desk.process.terminate().await;
}

async fn kill(id: u32) {
    let killed = tokio::process::Command::new("sh")
        .args(["-c", &format!("kill -KILL {id}")])
        .status()
        .await;
    assert!(killed.unwrap().success());
}

fn sample() -> Value {
    json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_everything_until_it_is_revoked() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let desk = Up::start(&data, &[], &[]).await;
    let token = customer_token(&data).await;
    desk.api.post(&token, "/v1/tickets", &sample()).await.expect(201);
    desk.api.get(&token, "/v1/tickets").await.expect(200);
    let data = ["--data-dir", data.to_str().unwrap()];
    let listed = recourse_succeeds(&[&["token", "list"], &data[..]].concat()).await;
    assert!(
        listed.contains("Ada") && listed.contains("Administrator") && !listed.contains(&token),
        "{listed}"
    );

    let user = CUSTOMER.user.to_string();
    let narrow = [
        "token", "create", "--user", &user, "--name", "Ada", "--kind", "customer",
    ];
    let narrow = [
        &narrow[..],
        &["--scopes", "tickets:read", "--purpose", "Wall of figures"],
        &data[..],
    ]
    .concat();
    let reader = recourse_succeeds(&narrow).await.trim().to_owned();
    desk.api.get(&reader, "/v1/tickets").await.expect(200);
    let refused = desk.api.post(&reader, "/v1/tickets", &sample()).await.expect(403);
    assert_eq!(refused.code(), "insufficient-scope");
    let listed = recourse_succeeds(&[&["token", "list"], &data[..]].concat()).await;
    assert!(
        listed.contains("tickets:read") && listed.contains("Wall of figures"),
        "{listed}"
    );

    recourse_succeeds(&[&["token", "revoke", &token], &data[..]].concat()).await;
    assert_eq!(desk.api.post(&token, "/v1/tickets", &sample()).await.status, 401);
    assert_eq!(desk.api.get(&token, "/v1/tickets").await.status, 401);
    desk.api.get(&desk.token, "/v1/tickets").await.expect(200);
    desk.process.terminate().await;
}

/// Seconds instead of weeks, to see it happen.
pub(crate) const POLICY_OF_SECONDS: &str = "name = \"seconds/1\"\ninformation = { elapsed = \"PT2S\" }\n\
                                            closure = { elapsed = \"PT2S\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_life_in_real_time_under_a_policy_of_seconds() {
    let home = tempfile::tempdir().unwrap();
    let policy = home.path().join("seconds.toml");
    fs::write(&policy, POLICY_OF_SECONDS).unwrap();
    let data = home.path().join("data");
    let desk = Up::start(&data, &["--policy", policy.to_str().unwrap()], &[]).await;
    let (api, staff) = (&desk.api, &desk.token);
    let customer = customer_token(&data).await;

    let ticket = api.post(&customer, "/v1/tickets", &sample()).await.expect(201).id();
    let path = format!("/v1/tickets/{ticket}");
    let give = async |token: &str, command: &str, body: Value| {
        api.post(token, &format!("{path}/{command}"), &body).await.expect(200)
    };
    // The ticket has been closed before, so that it matters what a status was read after.
    let comes_to = async |status: &str, after: &Answer| {
        wait_until(status, LIMIT, async || {
            let ticket = api.get_after(staff, &path, after).await.body;
            if ticket["status"] == status {
                Ok(())
            } else {
                Err(ticket)
            }
        })
        .await;
    };
    give(staff, "accept", json!({})).await;
    let asked = give(staff, "request-info", json!({ "comment": "Which version?" })).await;
    comes_to("waiting_for_closure", &asked).await;
    comes_to("closed", &asked).await;
    let reopened = give(&customer, "reopen", json!({ "comment": "No!" })).await;
    assert_eq!(reopened.body["status"], "reopened");
    give(staff, "accept", json!({})).await;
    let proposed = give(staff, "propose-closure", json!({ "solution": "Press F5." })).await;
    comes_to("closed", &proposed).await;
    let rated = give(&customer, "rate", json!({ "score": 5 })).await;
    assert_eq!(rated.body["status"], "closed");

    wait_until("the rating in the timeline", LIMIT, async || {
        let timeline = api.get(staff, &format!("{path}/timeline")).await;
        let events = timeline.column("event").join(" ");
        let expected = "created accepted information_requested information_wait_expired closure_wait_expired reopened \
                        accepted closure_proposed closure_wait_expired rated";
        if events == expected { Ok(()) } else { Err(events) }
    })
    .await;
    desk.process.terminate().await;
}

/// Made with the command that administrators use.
async fn customer_token(data: &Path) -> String {
    let (user, organisation) = (CUSTOMER.user.to_string(), CUSTOMER.organisation.unwrap().to_string());
    let words = [
        "token",
        "create",
        "--data-dir",
        data.to_str().unwrap(),
        "--user",
        &user,
        "--name",
        "Ada",
    ];
    let kind = ["--kind", "customer", "--organisation", &organisation];
    let printed = recourse_succeeds(&[&words[..], &kind[..]].concat()).await;
    printed.trim().to_owned()
}
