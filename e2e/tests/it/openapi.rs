//! The OpenAPI document, held against the desk that it describes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use domain::policy::WaitPolicy;
use domain::ticket::CommandName;
use serde_json::Value;
use service_kit::openapi::COMMITTED;
use test_harness::wait_until;

use crate::desk::Desk;
use crate::http::LIMIT;
use crate::people::LEAD;
use crate::processes::recourse_succeeds;
use crate::up::Up;

/// The tickets that the desk has when it is examined, so that answers show all they can.
const TICKETS: &str = "40";

/// The longest that examining it may take, many times what it does.
const EXAMINATION_MAX: Duration = Duration::from_mins(15);

fn document() -> Value {
    serde_json::from_str(COMMITTED).unwrap()
}

/// Each path with its methods, in capitals.
fn described() -> BTreeMap<String, BTreeSet<String>> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| {
        item.as_object()
            .unwrap()
            .keys()
            .map(|name| name.to_uppercase())
            .collect()
    };
    paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}

/// The paths that a router prints: `RouteId(3): "/v1/tickets"`. One for any command is one for each of them.
fn routed(router: &str) -> BTreeSet<String> {
    // What stands behind the routes answers for paths that are none.
    let before = router.split("fallback_router").next().unwrap();
    let printed = before.split("RouteId(").filter_map(|rest| rest.split_once("): \"/"));
    let paths = printed.filter_map(|(_, rest)| Some(format!("/{}", rest.split_once('"')?.0)));
    paths
        .flat_map(|path| match path.strip_suffix("{command}") {
            Some(before) => CommandName::ON_TICKET
                .iter()
                .map(|name| format!("{before}{}", name.as_str()))
                .collect(),
            None => vec![path],
        })
        .collect()
}

/// A path with something in the place of its parameters.
fn filled(path: &str) -> String {
    let segment = |segment: &str| {
        if segment.starts_with('{') {
            "1".to_owned()
        } else {
            segment.to_owned()
        }
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_and_every_described_route_exists() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let (routed, described) = (routed(&desk.router), described());
    assert!(routed.len() > 20, "the router prints itself in another way: {routed:?}");
    assert_eq!(routed, described.keys().cloned().collect());
    for (path, methods) in described {
        let allowed = desk.api.allowed_methods(&filled(&path)).await;
        let taken: BTreeSet<String> = allowed.split(',').map(|name| name.trim().to_owned()).collect();
        let taken: BTreeSet<String> = taken.into_iter().filter(|name| name != "HEAD").collect();
        assert_eq!(taken, methods, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_parameter_is_described_and_every_described_one_is_taken() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        let operation = &item["get"];
        if operation["security"].is_null() {
            continue;
        }
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let described: BTreeSet<&str> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let refused = desk
            .api
            .get(&LEAD.token(), &format!("{}?no_such_parameter=1", filled(path)))
            .await;
        assert_eq!(refused.status, 400, "{path}: {}", refused.body);
        // "There is no parameter no_such_parameter here. This path takes from, to."
        let detail = refused.body["detail"].as_str().unwrap();
        let taken = detail.split_once("This path takes ").unwrap().1.trim_end_matches('.');
        let taken: BTreeSet<&str> = taken.split(", ").filter(|name| *name != "no parameters").collect();
        assert_eq!(taken, described, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_does_what_the_document_says() {
    let schemathesis = std::env::var_os("RECOURSE_SCHEMATHESIS").expect(
        "schemathesis is not there: `cargo xtask test` provides it, or says before the tests why it cannot be had",
    );
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let desk = Up::start(&data, &[], &[]).await;
    let demo = [
        "demo",
        "--tickets",
        TICKETS,
        "--until",
        "2026-06-01T09:00:00Z",
        "--data-dir",
    ];
    recourse_succeeds(&[&demo[..], &[data.to_str().unwrap()]].concat()).await;
    wait_until("the tickets to be listed", LIMIT, async || {
        let page = desk.api.get(&desk.token, "/v1/tickets?count=exact&limit=1").await;
        page.body["total"].as_u64() == TICKETS.parse().ok()
    })
    .await;
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis");
    let examination = tokio::process::Command::new("python3")
        .args([
            "-m",
            "schemathesis.cli",
            "--no-color",
            "--config-file",
            "schemathesis.toml",
            "run",
        ])
        .arg(format!("{}/v1/openapi.json", desk.api.url))
        .args(["--header", &format!("Authorization: Bearer {}", desk.token)])
        .current_dir(settings)
        .env("PYTHONPATH", schemathesis)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(EXAMINATION_MAX, examination)
        .await
        .expect("schemathesis does not come to an end")
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    desk.process.terminate().await;
}
