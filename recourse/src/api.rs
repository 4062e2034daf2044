//! The HTTP API of a running desk, for subcommands that send it something.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde_json::Value;
use uuid::Uuid;

/// Where a desk is, and who asks.
#[derive(Debug, clap::Args)]
pub(crate) struct ApiArgs {
    /// The desk's address.
    #[arg(long, env = "RECOURSE_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A token of a member of staff, such as the administrator's.
    #[arg(long, env = "RECOURSE_TOKEN", hide_env_values = true)]
    token: String,
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) media_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// How long the answer may take.
    pub(crate) within: Duration,
    /// What is wrong if an error names no field.
    pub(crate) what: &'static str,
}

impl ApiArgs {
    /// Posts to a path under `/v1` and returns the answer's body. Whatever the desk refuses is an error that says why.
    pub(crate) async fn post(&self, path: &[&str], sent: Sent) -> anyhow::Result<Value> {
        let url = self.address(path)?;
        // Fails only if a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(sent.within)
            .build()
            .context("cannot set up an HTTP client")?;
        let answer = client
            .post(url.clone())
            .bearer_auth(&self.token)
            .header(CONTENT_TYPE, sent.media_type)
            .header("Idempotency-Key", Uuid::new_v4().to_string())
            .body(sent.body)
            .send()
            .await
            .with_context(|| format!("the desk at {url} does not answer; run the same again once it does"))?;
        let status = answer.status();
        let text = answer
            .text()
            .await
            .context("the desk's answer broke off; run the same again")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if !status.is_success() {
            bail!("the desk answers {status}: {}", problem(&body, sent.what));
        }
        Ok(body)
    }

    fn address(&self, path: &[&str]) -> anyhow::Result<Url> {
        let desk = &self.url;
        let url = Url::parse(desk)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut url =
            url.with_context(|| format!("`{desk}` is not the address of a desk; it looks like http://127.0.0.1:8080"))?;
        // A desk may stand under a path of its host, behind a proxy.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        Ok(url)
    }
}

/// What a problem says, with each of its errors on a line.
fn problem(body: &Value, what: &str) -> String {
    let detail = body["detail"]
        .as_str()
        .unwrap_or("no desk answers like this; check the address");
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().fold(detail.to_owned(), |text, error| {
        let (pointer, detail) = (&error["pointer"], &error["detail"]);
        let place = pointer.as_str().filter(|place| !place.is_empty()).unwrap_or(what);
        format!("{text}\n  {place}: {}", detail.as_str().unwrap_or_default())
    })
}
