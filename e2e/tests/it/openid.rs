//! Signing in with an account elsewhere, at a real OpenID provider that runs as a process of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use domain::policy::WaitPolicy;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use serde_json::json;
use test_harness::wait_until;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::desk::Desk;
use crate::http::{Answer, Api, LIMIT};
use crate::up::Up;

/// Where people reach the desk, as far as the provider knows. Nobody listens there: the test reads where it is sent.
const PUBLIC_URL: &str = "http://127.0.0.1:9/help";
const BACK: &str = "http://127.0.0.1:9/help/sign-in";

/// A provider that ends with the test.
struct Provider {
    issuer: String,
    process: Child,
    /// What it goes on saying has to go somewhere.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    async fn start(more: &[&str]) -> Self {
        let packages = std::env::var_os("RECOURSE_OIDC_PROVIDER").expect(
            "the OpenID provider is not there: `cargo xtask test` provides it, or says before the tests why it cannot be had",
        );
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("openid/provider.mjs");
        let mut process = Command::new("node")
            .arg(program)
            .arg(packages)
            .arg(BACK)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let issuer = tokio::time::timeout(LIMIT, said.next_line()).await.unwrap().unwrap();
        Self {
            issuer: issuer.expect("the provider says where it is"),
            process,
            _said: said,
        }
    }

    async fn desk(&self, data: &Path) -> Up {
        let words = [
            "--openid-issuer",
            &self.issuer,
            "--openid-client-id",
            "desk",
            "--public-url",
            PUBLIC_URL,
        ];
        Up::start(data, &words, &[("RECOURSE_OPENID_CLIENT_SECRET", "a secret of tests")]).await
    }
}

/// Goes where a browser would go, signs in there as an address and agrees, and returns what the desk's page is sent:
/// `code` and `state`.
async fn browse(url: &str, address: &str) -> (String, String) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(LIMIT)
        .build()
        .unwrap();
    let (mut at, mut form) = (Url::parse(url).unwrap(), None::<String>);
    let mut cookies = BTreeMap::new();
    // Two forms, each with a page before it and two redirections after it, are ten.
    for _ in 0..16 {
        let mut request = match form.take() {
            Some(form) => client
                .post(at.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form),
            None => client.get(at.clone()),
        };
        let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request = request.header(COOKIE, jar.join("; "));
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        if let Some(next) = response.headers().get(LOCATION) {
            at = at.join(next.to_str().unwrap()).unwrap();
            if at.as_str().starts_with(BACK) {
                let sent: BTreeMap<String, String> = at.query_pairs().into_owned().collect();
                return (sent["code"].clone(), sent["state"].clone());
            }
            continue;
        }
        let page = response.text().await.unwrap();
        form = Some(if page.contains("name=\"login\"") {
            format!("prompt=login&password=x&login={}", address.replace('@', "%40"))
        } else {
            assert!(page.contains("consent"), "{page}");
            "prompt=consent".to_owned()
        });
    }
    panic!("the provider sends nobody back")
}

async fn begin(api: &Api) -> (String, String) {
    let begun = api
        .post_anonymously("/v1/openid-sign-ins", &json!({}))
        .await
        .expect(201);
    let text = |name: &str| begun.body[name].as_str().unwrap().to_owned();
    (text("url"), text("attempt"))
}

async fn redeem(api: &Api, attempt: &str, (code, state): &(String, String)) -> Answer {
    let body = json!({ "attempt": attempt, "code": code, "state": state });
    api.post_anonymously("/v1/openid-sign-ins/redeem", &body).await
}

/// The whole way, as somebody with this address.
async fn sign_in(api: &Api, address: &str) -> Answer {
    let (url, attempt) = begin(api).await;
    redeem(api, &attempt, &browse(&url, address).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_with_an_account_elsewhere_and_nobody_does_with_anothers() {
    let home = tempfile::tempdir().unwrap();
    let mut provider = Provider::start(&[]).await;
    let desk = provider.desk(&home.path().join("data")).await;
    let (api, administrator) = (&desk.api, &desk.token);
    let profile =
        |enabled: bool| json!({ "name": "Ada", "kind": "staff", "email": "Ada@example.org", "enabled": enabled });
    let ada = api
        .post(administrator, "/v1/users", &profile(true))
        .await
        .expect(201)
        .id();

    let (url, attempt) = begin(api).await;
    let back = browse(&url, "ada@example.org").await;
    let (_, others) = begin(api).await;
    let refused = redeem(api, &others, &back).await.expect(403);
    assert_eq!(refused.code(), "openid-refused", "another's attempt");
    let stolen = (back.0.clone(), state_of(&begin(api).await.0));
    redeem(api, &attempt, &stolen).await.expect(403);
    let begun = redeem(api, &attempt, &back).await.expect(201);
    assert_eq!(
        (&begun.body["user"], &begun.body["change_password"]),
        (&json!(ada), &json!(false))
    );
    assert_eq!(begun.header("cache-control"), Some("no-store"));
    let token = begun.body["token"].as_str().unwrap();
    let sessions = api.get(token, "/v1/sessions").await.expect(200);
    assert_eq!(sessions.items().len(), 1);
    redeem(api, &attempt, &back).await.expect(403);

    for (address, why) in [
        (
            "bob@example.org",
            "No user of this desk has the address bob@example.org",
        ),
        ("unverified@example.org", "that it has verified"),
    ] {
        let refused = sign_in(api, address).await.expect(403);
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{address}: {detail}");
    }
    let audit = api
        .get(administrator, &format!("/v1/users/{ada}/audit"))
        .await
        .expect(200);
    assert_eq!(audit.column("event"), ["signed_in"]);

    let path = format!("/v1/users/{ada}");
    api.put(administrator, &path, &profile(false)).await.expect(200);
    api.get(token, "/v1/sessions").await.expect(401);
    assert_eq!(
        sign_in(api, "ada@example.org").await.expect(403).code(),
        "account-disabled"
    );
    let audit = api.get(administrator, &format!("{path}/audit")).await.expect(200);
    assert_eq!(audit.column("event"), ["sign_in_failed", "signed_in"]);
    api.put(administrator, &path, &profile(true)).await.expect(200);

    let begun = sign_in(api, "ada@example.org").await.expect(201);
    let moved = json!({ "name": "Ada", "kind": "staff", "email": "ada@example.com" });
    api.put(administrator, &path, &moved).await.expect(200);
    let over = api.get(begun.body["token"].as_str().unwrap(), "/v1/sessions").await;
    assert_eq!(over.status, 401, "the address is theirs no more");

    let (url, attempt) = begin(api).await;
    let back = browse(&url, "ada@example.org").await;
    provider.process.kill().await.unwrap();
    let silent = redeem(api, &attempt, &back).await.expect(503);
    assert_eq!(
        (silent.code(), silent.header("retry-after")),
        ("openid-unavailable", Some("10"))
    );
    desk.process.terminate().await;
}

/// The state with which an address sends somebody to the provider.
fn state_of(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state");
    state.unwrap().1.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_tells_the_address_in_its_token_will_do_as_well() {
    let home = tempfile::tempdir().unwrap();
    let provider = Provider::start(&["claims-in-token"]).await;
    let desk = provider.desk(&home.path().join("data")).await;
    let profile = json!({ "name": "Ada", "kind": "customer", "email": "ada@example.org" });
    desk.api.post(&desk.token, "/v1/users", &profile).await.expect(201);
    let begun = sign_in(&desk.api, "ada@example.org").await.expect(201);
    let token = begun.body["token"].as_str().unwrap();
    // The query service knows the token a moment later.
    wait_until("the query service to know the session", LIMIT, async || {
        let answer = desk.api.get(token, "/v1/tickets").await;
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    })
    .await;
    desk.process.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_signs_by_the_desks_own_secret_is_not_believed() {
    let home = tempfile::tempdir().unwrap();
    let provider = Provider::start(&["symmetric"]).await;
    let desk = provider.desk(&home.path().join("data")).await;
    let profile = json!({ "name": "Ada", "kind": "customer", "email": "ada@example.org" });
    desk.api.post(&desk.token, "/v1/users", &profile).await.expect(201);
    let refused = sign_in(&desk.api, "ada@example.org").await.expect(403);
    assert_eq!(refused.code(), "openid-refused");
    desk.process.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_without_a_provider_says_so() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    let refused = desk
        .api
        .post_anonymously("/v1/openid-sign-ins", &json!({}))
        .await
        .expect(409);
    assert_eq!(refused.code(), "openid-not-configured");
    let returned = ("code".to_owned(), "state".to_owned());
    redeem(&desk.api, "attempt", &returned).await.expect(409);
}
