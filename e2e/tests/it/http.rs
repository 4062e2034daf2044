//! A desk's HTTP API, as its callers use it.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// How long anything may take before a test gives up: the machine may be busy.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Somewhere to send requests to.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) url: String,
    client: Client,
}

impl Api {
    pub(crate) fn new(url: impl Into<String>) -> Self {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(LIMIT).build().unwrap();
        Self {
            url: url.into(),
            client,
        }
    }

    /// A request of somebody without a token.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    fn request(&self, method: Method, token: &str, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(token)
    }

    /// The methods that a path takes, as the refusal of one that no path takes names them.
    pub(crate) async fn allowed_methods(&self, path: &str) -> String {
        let request = self.request(Method::from_bytes(b"PURGE").unwrap(), "none", path);
        let answer = send(request).await.unwrap();
        assert_eq!(answer.status, 405, "{path}: {}", answer.body);
        answer.header("Allow").unwrap_or_default().to_owned()
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        send(self.request(Method::GET, token, path)).await.unwrap()
    }

    /// With an error instead of a panic where nobody answers.
    pub(crate) async fn try_get(&self, token: &str, path: &str) -> reqwest::Result<Answer> {
        send(self.request(Method::GET, token, path)).await
    }

    /// Reads what is at least as new as a command's `Commit-Position`.
    pub(crate) async fn get_after(&self, token: &str, path: &str, command: &Answer) -> Answer {
        let position = command.header("Commit-Position").unwrap().to_owned();
        let request = self.request(Method::GET, token, path).header("Min-Position", position);
        send(request.header("Max-Wait-Ms", "10000")).await.unwrap()
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, token, path).json(body)).await.unwrap()
    }

    /// Of somebody without a token.
    pub(crate) async fn post_anonymously(&self, path: &str, body: &Value) -> Answer {
        send(self.anonymous(Method::POST, path).json(body)).await.unwrap()
    }

    pub(crate) async fn put(&self, token: &str, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PUT, token, path).json(body)).await.unwrap()
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        send(self.request(Method::DELETE, token, path)).await.unwrap()
    }

    /// With an idempotency key, and an error instead of a panic where nobody answers.
    pub(crate) async fn try_post(&self, token: &str, path: &str, body: &Value, key: &str) -> reqwest::Result<Answer> {
        send(
            self.request(Method::POST, token, path)
                .json(body)
                .header("Idempotency-Key", key),
        )
        .await
    }

    /// Many commands at once; the results in order.
    pub(crate) async fn bulk(&self, token: &str, lines: &[Value]) -> Vec<Value> {
        let text: Vec<String> = lines.iter().map(|line| line.to_string() + "\n").collect();
        let request = self.request(Method::POST, token, "/v1/commands").body(text.concat());
        let answer = request
            .header("Content-Type", "application/x-ndjson")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Whether the process at this address can do its work.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        let answer = send(self.client.get(format!("{}/readyz", self.url))).await;
        match answer {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(answer.body.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

async fn send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status, headers, body })
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The result of a line, as if it were an answer of its own.
    pub(crate) fn of_line(result: Value) -> Self {
        Self {
            status: result["status"].as_u64().unwrap().try_into().unwrap(),
            headers: HeaderMap::new(),
            body: result,
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Of a problem.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> &[Value] {
        self.body["items"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The items' values of a field.
    pub(crate) fn column(&self, name: &str) -> Vec<&str> {
        self.items()
            .iter()
            .map(|item| item[name].as_str().unwrap_or_default())
            .collect()
    }

    /// What a repetition of the command must answer alike.
    pub(crate) fn essence(&self) -> (u16, Value, Option<String>, Option<String>) {
        let header = |name| self.header(name).map(str::to_owned);
        (
            self.status,
            self.body.clone(),
            header("ETag"),
            header("Commit-Position"),
        )
    }
}
