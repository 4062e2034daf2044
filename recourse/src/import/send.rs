//! Sending lines to a desk: over `POST /v1/commands`, in order, until each has its answer.

use std::io;
use std::time::Duration;

use futures::TryStreamExt;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use service_kit::SharedClock;
use service_kit::clock::pause;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_util::io::StreamReader;

use super::line::Line;
use super::pending::{Answer, Pending, Tally, Turn, passing};

const NDJSON: &str = "application/x-ndjson";
/// A desk that is not there is not there within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a desk may be silent in the middle of an answer before it counts as gone.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// How often lines that the desk cannot take now are sent again with none of them getting
/// through. With the pauses that is about a minute: a restart fits in, an outage does not.
const ATTEMPTS_MAX: u32 = 10;
/// The first pause before sending again; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(250);
/// The longest pause, whatever the desk asks for.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// The most of an answer that is shown when it is not a desk's.
const DETAIL_CHARACTERS_MAX: usize = 200;

/// Why an import cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("`{url}` is not the address of a desk; it looks like http://127.0.0.1:8080")]
    Address { url: String },
    #[error("cannot set up an HTTP client")]
    Client(#[source] reqwest::Error),
    #[error(
        "the desk at {url} does not accept this token; `recourse up` keeps the administrator's in its data directory, file admin-token"
    )]
    Unauthenticated { url: Url },
    #[error("this token may not import; use the administrator's or one made with --permissions import")]
    NotPermitted,
    #[error("{url} answers {status}, which no desk does: {detail}")]
    Refused {
        url: Url,
        status: StatusCode,
        detail: String,
    },
    #[error("a line cannot be written as JSON")]
    Line(#[source] serde_json::Error),
    #[error("the desk at {url} cannot be reached; run the same import again once it can, it goes on where it stopped")]
    Unreachable {
        url: Url,
        #[source]
        source: reqwest::Error,
    },
    #[error("the desk at {url} takes no commands now; run the same import again later, it goes on where it stopped")]
    Exhausted { url: Url },
}

/// How one request ended.
struct Round {
    /// It did not get through.
    unreachable: Option<reqwest::Error>,
    /// The desk asks to be left alone for this long.
    retry_after: Option<Duration>,
}

/// A desk to send to.
#[derive(Debug)]
pub(crate) struct Desk {
    client: Client,
    url: Url,
    token: String,
    clock: SharedClock,
}

impl Desk {
    /// A desk by its address; nothing is sent yet.
    pub(crate) fn new(address: &str, token: String, clock: SharedClock) -> Result<Self, SendError> {
        let not_an_address = || SendError::Address {
            url: address.to_owned(),
        };
        let url = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut url = url.ok_or_else(not_an_address)?;
        // A desk may stand under a path of its host, behind a proxy.
        url.path_segments_mut()
            .map_err(|()| not_an_address())?
            .pop_if_empty()
            .extend(["v1", "commands"]);
        // Fails only if a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build();
        Ok(Self {
            client: client.map_err(SendError::Client)?,
            url,
            token,
            clock,
        })
    }

    /// Asks whether there is a desk that takes commands with this token, so that a wrong address or
    /// token is said at once.
    pub(crate) async fn greet(&self) -> Result<(), SendError> {
        let url = self.url.clone();
        let answer = self.request(Vec::new()).send().await;
        let answer = answer.map_err(|source| SendError::Unreachable { url, source })?;
        if !passing(answer.status().as_u16()) {
            self.taken(answer).await?;
        }
        Ok(())
    }

    fn request(&self, body: Vec<u8>) -> RequestBuilder {
        let request = self.client.post(self.url.clone()).bearer_auth(&self.token);
        request.header(CONTENT_TYPE, NDJSON).body(body)
    }

    /// Sends lines and sends again what the desk could not take, with the same keys, until each
    /// line has its answer. Calls `progress` with the number of lines answered since the last call.
    pub(crate) async fn send(
        &self,
        lines: Vec<Line>,
        tally: &mut Tally,
        progress: impl Fn(u64),
    ) -> Result<(), SendError> {
        let turned = self
            .until_answered(Pending::new(lines, Turn::Once), tally, &progress)
            .await?;
        // An earlier run gave these waits the other deadline. They have been given, so that
        // nothing changes; with the same body as then they are answered as then.
        self.until_answered(Pending::new(turned, Turn::Done), tally, &|_| ())
            .await?;
        Ok(())
    }

    async fn until_answered(
        &self,
        mut pending: Pending,
        tally: &mut Tally,
        progress: &impl Fn(u64),
    ) -> Result<Vec<Line>, SendError> {
        let mut attempt = 0;
        let mut left = pending.len();
        while left > 0 {
            let round = self.round(&mut pending, tally).await?;
            let answered = left - pending.len();
            left = pending.len();
            progress(u64::try_from(answered).unwrap_or(u64::MAX));
            if left == 0 {
                break;
            }
            attempt = if answered > 0 { 1 } else { attempt + 1 };
            let doubled = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(attempt - 1));
            if attempt >= ATTEMPTS_MAX {
                return Err(self.given_up(round));
            }
            pause(self.clock.as_ref(), round.retry_after.unwrap_or(doubled).min(PAUSE_MAX)).await;
        }
        Ok(pending.turned())
    }

    /// Sends the pending lines once.
    async fn round(&self, pending: &mut Pending, tally: &mut Tally) -> Result<Round, SendError> {
        pending.begin();
        let request = self.request(pending.ndjson().map_err(SendError::Line)?);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                return Ok(Round {
                    unreachable: Some(error),
                    retry_after: None,
                });
            }
        };
        if passing(response.status().as_u16()) {
            return Ok(Round {
                unreachable: None,
                retry_after: retry_after(&response),
            });
        }
        let response = self.taken(response).await?;
        let mut answers = BufReader::new(StreamReader::new(response.bytes_stream().map_err(io::Error::other))).lines();
        // An answer that breaks off leaves lines pending, which go again.
        while let Ok(Some(text)) = answers.next_line().await {
            let Ok(answer) = serde_json::from_str::<Answer>(&text) else {
                continue;
            };
            if answer.forbids_importing() {
                return Err(SendError::NotPermitted);
            }
            pending.settle(&answer, tally);
        }
        Ok(Round {
            unreachable: None,
            retry_after: None,
        })
    }

    /// The response, if the desk took the request.
    async fn taken(&self, response: Response) -> Result<Response, SendError> {
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::UNAUTHORIZED => Err(SendError::Unauthenticated { url: self.url.clone() }),
            StatusCode::FORBIDDEN => Err(SendError::NotPermitted),
            status => {
                let detail = response.text().await.unwrap_or_default();
                let detail = detail.chars().take(DETAIL_CHARACTERS_MAX).collect();
                Err(SendError::Refused {
                    url: self.url.clone(),
                    status,
                    detail,
                })
            }
        }
    }

    fn given_up(&self, round: Round) -> SendError {
        let url = self.url.clone();
        match round.unreachable {
            Some(source) => SendError::Unreachable { url, source },
            None => SendError::Exhausted { url },
        }
    }
}

/// How long the desk asks to be left alone.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::http::HeaderMap;
    use axum::response::{IntoResponse, Response as Answered};
    use axum::routing::post;
    use jiff::Timestamp;
    use service_kit::ManualClock;
    use tokio::net::TcpListener;

    use super::super::line::Body;
    use super::*;

    /// A desk that remembers keys, and fails the first requests as it is told to.
    #[derive(Debug, Default)]
    struct Double {
        failures: Vec<Failure>,
        recorded: HashMap<String, usize>,
    }

    #[derive(Debug, Clone, Copy)]
    enum Failure {
        Busy,
        BreaksOffAfter(usize),
    }

    impl Double {
        fn answer(&mut self, headers: &HeaderMap, body: &str) -> Answered {
            if headers
                .get("authorization")
                .is_none_or(|token| token != "Bearer rct_good")
            {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            let answered = match self.failures.pop() {
                Some(Failure::Busy) => return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response(),
                Some(Failure::BreaksOffAfter(lines)) => lines,
                None => usize::MAX,
            };
            let mut answers = String::new();
            for line in body.lines().take(answered) {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                let key = line["key"].as_str().unwrap().to_owned();
                let times = self.recorded.entry(key.clone()).or_default();
                *times += 1;
                answers += &serde_json::json!({ "key": key, "status": 200, "replayed": *times > 1 }).to_string();
                answers.push('\n');
            }
            answers.into_response()
        }
    }

    /// Sends three lines to a double, and answers how that went and how many lines were answered.
    async fn sent(token: &str, failures: Vec<Failure>) -> (Result<(), SendError>, Tally, Vec<u64>) {
        let double = Arc::new(Mutex::new(Double {
            failures,
            ..Double::default()
        }));
        let handler =
            move |headers: HeaderMap, body: String| async move { double.lock().unwrap().answer(&headers, &body) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/commands", post(handler));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });

        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let desk = Desk::new(&address, token.to_owned(), Arc::new(clock.clone())).unwrap();
        let lines = ["A", "B", "C"].map(|incident| Line {
            command: "create",
            ticket: None,
            key: format!("{incident}:create"),
            body: Body::default(),
            incident: incident.to_owned(),
        });
        let (mut tally, progress) = (Tally::default(), Mutex::new(Vec::new()));
        let result = {
            let sending = desk.send(lines.into(), &mut tally, |answered| {
                progress.lock().unwrap().push(answered);
            });
            // Whoever pauses is woken at once: the clock moves to where the next one sleeps.
            let waking = async {
                loop {
                    if let Some(at) = clock.next_wake() {
                        clock.set(at);
                    }
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! { result = sending => result, () = waking => unreachable!("it wakes for ever") }
        };
        server.abort();
        (result, tally, progress.into_inner().unwrap())
    }

    #[tokio::test]
    async fn lines_are_sent_again_until_each_has_its_answer() {
        let (result, tally, progress) = sent("rct_good", vec![Failure::BreaksOffAfter(1), Failure::Busy]).await;
        result.unwrap();
        assert_eq!((tally.made, tally.replayed, tally.failed.total()), (3, 0, 0));
        assert_eq!(progress, [0, 1, 2]);
    }

    #[tokio::test]
    async fn a_desk_that_stays_busy_is_given_up() {
        let (result, tally, _) = sent("rct_good", vec![Failure::Busy; 20]).await;
        assert!(matches!(result, Err(SendError::Exhausted { .. })), "{result:?}");
        assert_eq!(tally.made, 0);
    }

    #[tokio::test]
    async fn a_desk_that_is_not_there_is_said_at_once() {
        // A port of which the listener is gone again.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let desk = Desk::new(
            &address,
            String::new(),
            Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)),
        );
        assert!(matches!(
            desk.unwrap().greet().await,
            Err(SendError::Unreachable { .. })
        ));
    }

    #[tokio::test]
    async fn a_wrong_token_is_said_to_be_wrong() {
        let (result, ..) = sent("rct_bad", Vec::new()).await;
        assert!(matches!(result, Err(SendError::Unauthenticated { .. })), "{result:?}");
    }

    #[test]
    fn an_address_without_a_scheme_is_no_address() {
        let desk = Desk::new(
            "localhost:8080",
            String::new(),
            Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)),
        );
        assert!(matches!(desk, Err(SendError::Address { .. })));
    }
}
