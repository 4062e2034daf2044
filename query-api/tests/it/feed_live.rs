//! `GET /v1/events` over server-sent events.

use std::time::{Duration, Instant};

use domain::testing::{agent, customer};
use domain::ticket::Command;
use futures::future::join_all;
use serde_json::Value;
use tokio::time::timeout;

use crate::desk::{Desk, LIMIT, stranger, ticket};

/// An event as it came, with the id that the reader would come back with.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    id: String,
    kind: String,
    data: Value,
}

impl Told {
    pub(crate) fn event_id(&self) -> &str {
        self.data["id"].as_str().unwrap()
    }
}

/// A listener.
#[derive(Debug)]
pub(crate) struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    pub(crate) async fn open(desk: &Desk, token: &str, query: &str, last: Option<&str>) -> Self {
        let mut headers = vec![("Accept", "text/event-stream")];
        headers.extend(last.map(|last| ("Last-Event-ID", last)));
        let response = desk.begin_with(token, &format!("/v1/events?{query}"), &headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event; `None` once the stream has ended.
    async fn next(&mut self) -> Option<Told> {
        let told = async {
            loop {
                while let Some((block, rest)) = self.text.split_once("\n\n") {
                    let field = |name: &str| {
                        block
                            .lines()
                            .find_map(|line| line.strip_prefix(name))
                            .map(str::to_owned)
                    };
                    let told = field("data: ").map(|data| Told {
                        id: field("id: ").unwrap(),
                        kind: field("event: ").unwrap(),
                        data: serde_json::from_str(&data).unwrap(),
                    });
                    self.text = rest.to_owned();
                    if told.is_some() {
                        return told;
                    }
                }
                let chunk = self.response.chunk().await.ok().flatten()?;
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        timeout(LIMIT, told).await.expect("an event, or the end")
    }

    pub(crate) async fn take(&mut self, count: usize) -> Vec<Told> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("the stream goes on"));
        }
        events
    }
}

/// Every event that is there, in the feed's order.
async fn all(desk: &Desk, token: &str) -> Vec<String> {
    let page = desk.get(token, "/v1/events?limit=1000").await;
    page.column("id")
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_cut_off_anywhere_goes_on_without_loss_or_repetition() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    let mut stream = Stream::open(&desk, &token, "limit=3", None).await;
    let doing = desk.lives(1, 15);
    let reading = async {
        let mut got: Vec<Told> = Vec::new();
        // Each connection lasts for another number of events, so that cuts fall everywhere.
        for lasts in (1..).take(8) {
            got.extend(stream.take(lasts).await);
            let last = got.last().unwrap().id.clone();
            // `after` is from the first time; what was got since then counts.
            stream = Stream::open(&desk, &token, "limit=3&after=0:0", Some(&last)).await;
        }
        got
    };
    let ((), mut got) = tokio::join!(doing, reading);
    let expected = all(&desk, &token).await;
    got.extend(stream.take(expected.len() - got.len()).await);
    let mut ids: Vec<&str> = got.iter().map(Told::event_id).collect();
    for partition in ["0:", "1:"] {
        let of = |ids: Vec<&str>| -> Vec<String> {
            ids.into_iter()
                .filter(|id| id.starts_with(partition))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(of(ids.clone()), of(expected.iter().map(String::as_str).collect()));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), expected.len());
    assert!(got.iter().all(|told| told.data["type"] == told.kind.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_every_event_the_rest_is_exactly_the_rest() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.lives(5, 7).await;
    let expected = all(&desk, &token).await;
    let got = Stream::open(&desk, &token, "", None).await.take(expected.len()).await;
    for (index, told) in got.iter().enumerate() {
        let rest = &expected[index + 1..];
        let mut stream = Stream::open(&desk, &token, "", Some(&told.id)).await;
        let again = stream.take(rest.len()).await;
        assert_eq!(
            again.iter().map(Told::event_id).collect::<Vec<_>>(),
            rest,
            "after {}",
            told.id
        );
        let page = desk.get(&token, &format!("/v1/events?after={}", told.id)).await;
        assert_eq!(page.column("id"), rest, "pages and streams take the same positions");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_heard_when_it_is_projected() {
    let desk = Desk::start().await;
    let token = desk.token(&agent()).await;
    desk.open(1).await;
    let here = desk.get(&token, "/v1/events").await.body["position"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(Stream::open(&desk, &token, &format!("after={here}"), None).await);
    }
    let mut fastest = Duration::MAX;
    for n in 2..12 {
        let opened = desk.open(n).await;
        let before = Instant::now();
        for told in join_all(streams.iter_mut().map(Stream::next)).await {
            assert_eq!(told.unwrap().data["position"], opened.position.to_string());
        }
        fastest = fastest.min(before.elapsed());
    }
    // Whoever looked once a second could not always be so fast; a busy machine cannot always either.
    assert!(fastest < Duration::from_millis(250), "{fastest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_hear_of_their_own_alone() {
    let desk = Desk::start().await;
    let outside = desk.token(&stranger()).await;
    let requester = desk.token(&customer()).await;
    let mut theirs = Stream::open(&desk, &outside, "", None).await;
    let mut requesters = Stream::open(&desk, &requester, "", None).await;
    desk.lives(3, 5).await;
    desk.give(ticket(4), &agent(), Command::Follow(Some(stranger().user)))
        .await;
    let heard = theirs.take(1).await;
    assert_eq!(heard[0].data["subject"], ticket(4).to_string());
    let staff = desk.token(&agent()).await;
    let count = all(&desk, &staff).await.len();
    // Two of them are internal comments.
    for told in requesters.take(count - 2).await {
        assert_ne!(told.data["data"]["details"]["visibility"], "internal");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_ends_its_streams() {
    let desk = Desk::start().await;
    let (token, other) = (desk.token(&agent()).await, desk.token(&customer()).await);
    let mut stream = Stream::open(&desk, &token, "", None).await;
    let mut others = Stream::open(&desk, &other, "", None).await;
    let before = Instant::now();
    desk.revoke(&token).await;
    assert!(stream.next().await.is_none());
    assert!(before.elapsed() < Duration::from_secs(3), "{:?}", before.elapsed());
    desk.open(1).await;
    assert!(others.next().await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_the_service_and_one_caller_has_so_many() {
    let desk = Desk::start().await;
    let (token, other) = (desk.token(&agent()).await, desk.token(&customer()).await);
    let mut streams = Vec::new();
    for _ in 0..32 {
        streams.push(Stream::open(&desk, &token, "", None).await);
    }
    let listen = [("Accept", "text/event-stream")];
    let refused = desk.get_with(&token, "/v1/events", &listen).await;
    refused.assert_problem(429, "too-many-requests");
    assert_eq!(refused.header("retry-after"), "10");
    assert_eq!(desk.get(&token, "/v1/events").await.status, 200);
    streams.push(Stream::open(&desk, &other, "", None).await);
    // Whoever goes makes room.
    drop(streams.swap_remove(0));
    test_harness::wait_until("room", LIMIT, || async {
        let response = desk.begin_with(&token, "/v1/events", &listen).await;
        (response.status() == 200).then_some(())
    })
    .await;
    let before = Instant::now();
    desk.stop();
    for stream in &mut streams {
        assert!(stream.next().await.is_none());
    }
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
}
